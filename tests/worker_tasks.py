"""Work for the tests of worker processes, in a module that they can import."""

import ctypes
import os
import signal
import sys
import time
import warnings
from pathlib import Path

from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.errors import DataError
from spikenn_cy.errors import DataWarning
from spikenn_cy.execution.workers import Workers


def square(number):
    return number * number


def process(_):
    return os.getpid()


def environment(name):
    return os.environ.get(name)


def fail(kind):
    if kind == "user":
        raise DataError("here: must be\nthis, got that")
    if kind == "disk":
        raise OSError(28, "No space left on device", "x.npz")
    if kind == "memory":
        raise MemoryError("Unable to allocate 9 TiB")
    if kind == "exit":
        sys.exit(3)
    if kind == "unpicklable":
        return lambda: None
    raise KeyError("bug")


def warn(text):
    warnings.warn(DataWarning(text), stacklevel=1)
    return text


def die(path):
    """Be killed, each time; leave a trace for every attempt."""
    with open(path, "a") as file:
        file.write("x")
    os.kill(os.getpid(), signal.SIGKILL)


def die_once(path):
    """Be killed the first time, after others have begun."""
    if not Path(path).exists():
        Path(path).touch()
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGKILL)
    return "alive"


def note(path):
    """Leave a trace for every attempt and take some time."""
    with open(path, "a") as file:
        file.write("x")
    time.sleep(0.4)
    return "noted"


def interrupt_itself(_):
    os.kill(os.getpid(), signal.SIGINT)
    return "still there"


def sleep(_):
    time.sleep(60)


def spin_without_death_signal(path):
    """Compute for a minute, without the help of Linux in ending with the parent."""
    ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)
    Path(path).touch()
    end = time.monotonic() + 60
    while time.monotonic() < end:
        sum(range(10_000))


def proportional_set_size():
    """Return this process's share of memory in bytes; a page that n processes map counts for 1/n in each."""
    (line,) = [line for line in Path("/proc/self/smaps_rollup").read_text().splitlines() if line.startswith("Pss:")]
    return 1024 * int(line.split()[1])


def growth_with_data(path, n_workers, folder):
    """Return by how many bytes this process grows by using a data set, while ``n_workers`` do."""
    before = proportional_set_size()
    dataset = SpikingDataset.from_file(path)
    assert dataset.timestamps.max() < 1
    Path(folder, str(os.getpid())).touch()
    while len(os.listdir(folder)) < n_workers:
        time.sleep(0.01)
    grown = proportional_set_size() - before
    Path(folder, f"{os.getpid()}-measured").touch()
    while len(os.listdir(folder)) < 2 * n_workers:
        time.sleep(0.01)
    return grown


def spin_in_a_worker(path):
    """Be a parent for the test that kills one."""
    with Workers(1) as workers:
        workers.submit(spin_without_death_signal, path).result()


if __name__ == "__main__":
    spin_in_a_worker(sys.argv[1])
