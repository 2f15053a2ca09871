"""IDX files, in which MNIST and its relatives are handed out."""

import gzip
import math
import os
import struct

import numpy as np

from spikenn_cy.data.reading import DEFLATE_MAX
from spikenn_cy.data.reading import Stream
from spikenn_cy.data.reading import opened
from spikenn_cy.data.reading import read_exactly
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require

DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}  # by the magic's third byte
GZIP = b"\x1f\x8b"


def read_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """Read an IDX file, gzipped or not, as an array of its own shape and dtype.

    Raises
    ------
    DataError
        If the file cannot be read or its magic number, sizes or length do not agree.
    """
    with opened(path, "IDX file") as file:
        n_bytes = os.fstat(file.fileno()).st_size
        if file.peek(2)[:2] != GZIP:
            return read_stream(file, n_bytes, path)
        with gzip.open(file) as stream:
            return read_stream(stream, n_bytes * DEFLATE_MAX, path)


def read_stream(stream: Stream, possible: int, path: str | os.PathLike[str]) -> np.ndarray:
    """Read an IDX file of at most ``possible`` bytes."""
    zeros, code, n_axes = struct.unpack(">HBB", read_exactly(stream, 4))
    ok = zeros == 0 and code in DTYPES and n_axes >= 1
    require(ok, path, "must begin with an IDX magic number", f"{zeros:04x}{code:02x}{n_axes:02x}", DataError)
    shape = struct.unpack(f">{n_axes}I", read_exactly(stream, 4 * n_axes))
    dtype = np.dtype(DTYPES[code])
    n_bytes = math.prod(shape) * dtype.itemsize
    require(n_bytes <= possible, path, "must hold what its sizes say", shape, DataError)
    data = read_exactly(stream, n_bytes)
    require(not stream.read(1), path, f"must end after {n_bytes} bytes of data", "more", DataError)
    return data.view(dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)
