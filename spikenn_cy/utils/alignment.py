"""Memory that begins at a cache line, without which every second vector of a row would lie across two."""

import math

import numpy as np
import numpy.typing as npt

CACHE_LINE = 64  # bytes, and the widest vector load: one that lies across two of them takes two


def aligned(shape: int | tuple[int, ...], dtype: npt.DTypeLike) -> np.ndarray:
    """Return zeros that begin at a cache line."""
    kind = np.dtype(dtype)
    n_bytes = math.prod(np.atleast_1d(shape).tolist()) * kind.itemsize
    memory = np.zeros(n_bytes + CACHE_LINE, np.int8)
    first = -memory.ctypes.data % CACHE_LINE
    return memory[first : first + n_bytes].view(kind).reshape(shape)


def as_aligned(array: np.ndarray) -> np.ndarray:
    """Return the array, or a copy of it if it does not begin at a cache line."""
    if array.ctypes.data % CACHE_LINE == 0:
        return array
    copy = aligned(array.shape, array.dtype)
    copy[...] = array
    return copy
