"""What every reader owes its user: one line about a file it cannot read, and no memory for sizes that are not true."""

import contextlib
import os
import stat
from collections.abc import Iterator
from io import BufferedReader
from typing import Protocol

import numpy as np

from spikenn_cy.errors import DataError

STEP = 1 << 20
ZIP, NUMPY = b"PK", b"\x93NUMPY"  # with which .npz and .npy files begin
DEFLATE_MAX = 1032  # bytes that one byte of deflated data can stand for


class Stream(Protocol):
    """What can be read from: a file, and what unpacks one on the way."""

    def read(self, n_bytes: int, /) -> bytes:
        """Return the next ``n_bytes`` at most; none at the end."""


@contextlib.contextmanager
def opened(path: str | os.PathLike[str], what: str) -> Iterator[BufferedReader]:
    """Open a regular file, and raise whatever goes wrong in the block as a DataError.

    ``what`` the file must be completes the sentence "must be a sound ...".
    """
    try:
        with open(path, "rb", opener=open_at_once) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise DataError(f"{path}: must be a file, got something else")
            yield file
    except (DataError, MemoryError):
        raise
    except OSError as problem:
        raise DataError(f"{path}: must be a readable file, got {problem.strerror or one_line(problem)}") from problem
    except Exception as problem:
        # zipfile, zlib and numpy raise nearly anything on a file that was damaged inside.
        raise DataError(f"{path}: must be a sound {what}, got {one_line(problem)}") from problem


def open_at_once(path: str, flags: int) -> int:
    """Open without waiting for the other end of a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def one_line(problem: Exception, longest: int = 120) -> str:
    """Return an exception's text, or its kind if it has none, fit for the end of an error message."""
    text = " ".join(str(problem).split()) or type(problem).__name__
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def read_exactly(stream: Stream, n_bytes: int) -> np.ndarray:
    """Return the next ``n_bytes`` of ``stream`` as an array of uint8.

    Raises
    ------
    EOFError
        If the stream ends before; no more than it held has then been in memory.
    """
    found = bytearray()
    while len(found) < n_bytes:
        part = stream.read(min(STEP, n_bytes - len(found)))
        if not part:
            raise EOFError(f"an end after {len(found)} of {n_bytes} bytes")
        found += part
    return np.frombuffer(found, dtype=np.uint8)
