"""Memory that begins where a line of the processor's caches does."""

from typing import Any

import numpy as np

LINE = 64  # bytes, and the widest vector load: one that lies across two lines takes two


def aligned(size: int, dtype: Any) -> np.ndarray:
    """Return ``size`` zeros that begin a line."""
    n_bytes = size * np.dtype(dtype).itemsize
    memory = np.zeros(n_bytes + LINE, np.int8)
    first = -memory.ctypes.data % LINE
    return memory[first : first + n_bytes].view(dtype)
