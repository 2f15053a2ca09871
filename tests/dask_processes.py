"""Dask schedulers and workers on this machine, which end with the block that started them."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time

from distributed import Client
from small_runs import PATIENCE
from small_runs import ROOT

TESTS = os.fspath(ROOT / "tests")


@contextlib.contextmanager
def dask(*words, folder, path=(ROOT, TESTS), **environment):
    """Run ``dask words…`` in a folder, with its own packages first; what it starts ends with it."""
    python_path = os.pathsep.join(map(str, path))
    with open(folder / "log", "ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *map(str, words)],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": python_path, "DASK_TEMPORARY_DIRECTORY": str(folder)} | environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextlib.contextmanager
def scheduler(folder, **environment):
    """Run a scheduler; yield its address and process."""
    folder.mkdir(exist_ok=True)
    file = folder / "scheduler.json"
    words = ["scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", file, "--no-dashboard"]
    with dask(*words, folder=folder, **environment) as process:
        until(lambda: process.poll() is not None or (file.exists() and file.read_text().endswith("}")))
        yield json.loads(file.read_text())["address"], process


@contextlib.contextmanager
def workers(address, folder, *options, n=1, **more):
    """Add workers of one thread to a cluster for the time of the block; yield their process and their addresses."""
    folder.mkdir(exist_ok=True)
    words = ["worker", address, "--host", "127.0.0.1", "--nthreads", "1", "--nworkers", n, "--memory-limit", "0"]
    words.append("--no-dashboard")
    before = known(address)
    with dask(*words, *options, folder=folder, **more) as process:
        new = until(lambda: len(found := known(address) - before) >= n and found)
        yield process, sorted(new)


def known(address):
    """Return the addresses of the workers a scheduler has."""
    with Client(address, set_as_default=False) as client:
        return set(client.nthreads())


def unfinished(address):
    """Return the keys of the jobs that a scheduler or one of its workers has, begun or not."""
    with Client(address, set_as_default=False) as client:
        waiting = client.run_on_scheduler(lambda dask_scheduler: set(dask_scheduler.tasks))
        return waiting.union(*client.run(lambda dask_worker: set(dask_worker.state.tasks)).values())


def until(condition, seconds=PATIENCE):
    """Wait for a condition, and return what it returned."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return value


def free_port():
    """Return a port of this machine that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
