"""Memory that begins where a line of the processor's caches does."""

import math

import numpy as np
import numpy.typing as npt

LINE = 64  # bytes, and the widest vector load: one that lies across two lines takes two


def aligned(shape: int | tuple[int, ...], dtype: npt.DTypeLike) -> np.ndarray:
    """Return zeros that begin a line."""
    kind = np.dtype(dtype)
    n_bytes = math.prod(np.atleast_1d(shape).tolist()) * kind.itemsize
    memory = np.zeros(n_bytes + LINE, np.int8)
    first = -memory.ctypes.data % LINE
    return memory[first : first + n_bytes].view(kind).reshape(shape)


def in_lines(array: np.ndarray) -> np.ndarray:
    """Return the array, or a copy of it if it does not begin a line."""
    if array.ctypes.data % LINE == 0:
        return array
    copy = aligned(array.shape, array.dtype)
    copy[...] = array
    return copy
