"""An epoch in parts, so that a progress bar moves and Ctrl-C is heard while kernels run without the interpreter."""

import time
from collections.abc import Callable
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from spikenn_cy.utils.progress import Progress

TICK = 0.1  # seconds between two looks at the keyboard and the progress bar
FIRST_PART = 256  # samples before the first look


def parts(
    order: npt.NDArray[np.int64], progress: Progress | None, limit: Callable[[int, int], int]
) -> Iterator[npt.NDArray[np.int64]]:
    """Yield an order of samples part by part; what is done with one ends where the next is asked for.

    Parameters
    ----------
    order : ndarray of int64
    progress : Progress, optional
        Advanced by the number of samples.
    limit : callable
        Of the position of a part and of its intended size: the size that it may have.
    """
    first, size = 0, FIRST_PART
    while first < len(order):
        part = order[first : first + max(1, limit(first, size))]
        started = time.perf_counter()
        yield part
        seconds = time.perf_counter() - started
        first += len(part)
        if progress is not None:
            progress.step(len(part))
        # Shorter parts would meet the interpreter too often, longer ones keep Ctrl-C waiting.
        size = max(1, int(len(part) * min(8.0, TICK / max(seconds, 1e-6))))
