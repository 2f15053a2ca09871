"""Commands of several processes: found again after their parent's death, and seen to be gone."""

import contextlib
import os
import subprocess
import sys
import time
import uuid
from pathlib import Path

from small_runs import PATIENCE
from small_runs import ROOT

MARK = "SPIKENN_CY_TEST_MARK"


def seconds_to_start():
    """Return how long a process takes until the package is imported, as busy as the machine is now."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import spikenn_cy"], check=True)
    return time.perf_counter() - started


class Family:
    """A command, its worker processes, and whatever else it starts, all of which carry a mark."""

    def __init__(self, *words, file=None):
        self.mark = uuid.uuid4().hex
        start = [file] if file else ["-m", "spikenn_cy"]
        self.parent = subprocess.Popen(
            [sys.executable, *map(str, start), *map(str, words)],
            env=os.environ | {"PYTHONPATH": str(ROOT), MARK: self.mark},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # a terminal sends Ctrl-C to the whole group
        )

    def members(self):
        """Return the command lines of all living processes with the mark, by their ids."""
        found = {}
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if folder.name.isdecimal() and f"{MARK}={self.mark}".encode() in (folder / "environ").read_bytes():
                    found[int(folder.name)] = (folder / "cmdline").read_bytes().decode()
        return found

    def workers(self):
        return [number for number, words in self.members().items() if "spawn_main" in words]

    def gone_soon(self):
        """Return whether no process is left within a second, or within 20, or what a new one takes to be ready.

        A worker that had just been started must first be ready, which takes seconds on a busy machine; one that is
        not told of its parent's end works for a minute.
        """
        return self.gone_within(1) or self.gone_within(max(20, 4 * seconds_to_start()))

    def gone_within(self, seconds):
        deadline = time.monotonic() + seconds
        while self.members():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def wait_until(self, condition):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert self.parent.poll() is None, self.parent.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def end(self):
        """Return exit status, stdout and stderr of the command, which ends by itself."""
        out, err = self.parent.communicate(timeout=PATIENCE)
        return self.parent.returncode, out, err

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.parent.kill()
        self.parent.communicate()
