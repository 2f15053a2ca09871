"""How many processors this process may use, without which threads would be begun that only take turns."""

import functools
import math
import os
from pathlib import Path
from typing import Any

from spikenn_cy.utils.validation import number_of_threads

CGROUPS, OWN_CGROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def available_processors() -> int:
    """Return how many processors this process may use: those that it may run on, and no more than its quota of time."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(allowed, quota(CGROUPS, OWN_CGROUPS))))


def threads_that_run(n_threads: Any) -> int:
    """Return how many threads are begun where so many are asked for: no more than there are processors."""
    return min(number_of_threads(n_threads), available_processors())


@functools.cache
def quota(root: Path, own: Path) -> float:
    """Return how many processors' time the control groups of this process give it, inf without a limit.

    Parameters
    ----------
    root : Path
        Where control groups of either version are mounted.
    own : Path
        The file that lists the groups of the process.
    """
    try:
        lines = own.read_text(encoding="utf-8").splitlines()
    except OSError:  # no Linux
        return math.inf
    found = [math.inf]
    for line in lines:
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        if not controllers:
            found += (_share(folder / "cpu.max") for folder in _upwards(root, path))
        elif "cpu" in controllers.split(","):
            for mounted in (root / "cpu", root / controllers):
                for folder in _upwards(mounted, path):
                    found.append(_share(folder / "cpu.cfs_quota_us", folder / "cpu.cfs_period_us"))
    return min(found)


def _upwards(root: Path, path: str) -> list[Path]:
    """Return the folders of a group and of all groups around it; a container may see the outermost one only."""
    inner = root / path.strip("/")
    return [folder for folder in (inner, *inner.parents) if folder == root or root in folder.parents]


def _share(*files: Path) -> float:
    """Return a quota divided by its period, which are two words of one file or of two."""
    try:
        words = [word for file in files for word in file.read_text(encoding="utf-8").split()]
        quota_of, period = (float(word) for word in words)
    except (OSError, ValueError):  # no such group, or no limit, whose word is "max"
        return math.inf
    return quota_of / period if quota_of > 0 and period > 0 else math.inf
