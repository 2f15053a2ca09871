"""What all tests share, so that a run of them is the same everywhere and a slow machine fails nothing."""

import signal

import pytest
from hypothesis import HealthCheck
from hypothesis import settings
from ways import instruction_set

from spikenn_cy.kernels.primitives import available_instructions

settings.register_profile(
    "fixed", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("fixed")

# A shell makes its background jobs deaf to Ctrl-C, and their children inherit it; some tests send it to children.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(params=available_instructions())
def instructions(request):
    """Run a test once with each instruction set of this processor."""
    with instruction_set(request.param):
        yield request.param
