"""What all tests share, so that a run of them is the same everywhere and a slow machine fails nothing."""

import signal

from hypothesis import HealthCheck
from hypothesis import settings

settings.register_profile(
    "fixed", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("fixed")

# A shell makes its background jobs deaf to Ctrl-C, and their children inherit it; some tests send it to children.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
