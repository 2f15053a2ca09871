"""What all tests share, so that a run of them is the same everywhere and a slow machine fails nothing."""

import contextlib
import os
import signal

# Before NumPy is imported, here and in what tests start: algebra of so few numbers takes several times as long on
# several processors, the more so when others want them.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest
from hypothesis import HealthCheck
from hypothesis import settings
from ways import instruction_set
from ways import one_process

from spikenn_cy.kernels.primitives import available_instructions
from spikenn_cy.network import sharing
from spikenn_cy.network.forward import choice
from spikenn_cy.utils import processors

TIERS = ("quick", "full", "processes", "bench")

settings.register_profile(
    "fixed", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("fewer", settings.get_profile("fixed"), max_examples=12)
settings.load_profile("fixed")

# A shell makes its background jobs deaf to Ctrl-C, and their children inherit it; some tests send it to children.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(params=available_instructions())
def instructions(request):
    """Run a test once with each instruction set of this processor."""
    with instruction_set(request.param):
        yield request.param


@pytest.fixture
def many_processors(monkeypatch):
    """Have as many threads begun as are asked for, whatever machine this is."""
    monkeypatch.setattr(processors, "available_processors", lambda: 64)


@pytest.fixture
def threads_as_asked(many_processors, monkeypatch):
    """Have as many threads share samples, or the work of each, as are asked for, however little that is."""
    monkeypatch.setattr(sharing, "SPIKES_A_THREAD", 1)
    monkeypatch.setattr(sharing, "SPIKES_A_BLOCK", 100)
    monkeypatch.setattr(sharing, "WEIGHTS_A_THREAD", 1)
    for module in (sharing, choice):
        monkeypatch.setattr(module, "numbers_to_time", lambda most: [most])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Let commands start processes only in tests of those, unless they are told how many."""
    with contextlib.nullcontext() if item.get_closest_marker("processes") else one_process():
        return (yield)


def pytest_configure(config):
    """Draw fewer cases where only the quick tests are wanted, and let networks of tests be too small to learn."""
    config.addinivalue_line("filterwarnings", "ignore::spikenn_cy.errors.TrainingWarning")
    settings.load_profile("fewer" if config.option.markexpr == "quick" else "fixed")


def pytest_ignore_collect(collection_path, config):
    """Import no module, nor what it imports, of which no test is quick, if only these are wanted."""
    if config.option.markexpr == "quick" and collection_path.name.startswith("test_"):
        return "pytest.mark.quick" not in collection_path.read_text(encoding="utf-8") or None
    return None


@pytest.hookimpl(tryfirst=True)  # before tests are chosen by their marks
def pytest_collection_modifyitems(items):
    """Give each test one tier: that of its parameters or its decorator, else that of its module."""
    tiers = [next((mark.name for mark in item.iter_markers() if mark.name in TIERS), "full") for item in items]
    for node in {node for item in items for node in item.listchain()}:
        node.own_markers[:] = [mark for mark in node.own_markers if mark.name not in TIERS]
    for item, tier in zip(items, tiers, strict=True):
        item.add_marker(tier)
