"""Dense arrays of spike times turned into lists of spikes, read once and without a second dense copy."""

import math
from collections.abc import Iterable
from itertools import chain

import numpy as np
import numpy.typing as npt

from spikenn_cy.data._dense import SpikeCollector
from spikenn_cy.data.arrays import COUNT_MAX
from spikenn_cy.data.arrays import SpikeArrays
from spikenn_cy.data.arrays import end_of_time
from spikenn_cy.data.arrays import short
from spikenn_cy.data.arrays import time_bits
from spikenn_cy.data.labels import number_classes
from spikenn_cy.dtypes import INDEX
from spikenn_cy.dtypes import OFFSET
from spikenn_cy.dtypes import STAMP
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require

CHUNK_BYTES = 4 << 20  # of float32 times at once: rows enough to hide the calls, few enough to stay in cache


def from_dense(X: npt.ArrayLike, y: npt.ArrayLike, max_time: float) -> SpikeArrays:
    """Return the spikes of dense times; arguments and errors as in ``SpikingDataset.from_numpy``."""
    max_time = end_of_time(max_time, "max_time")
    X = dense_times(X)
    require(len(X) >= 1, "X", "must have at least one sample", X.shape, DataError)
    n_inputs = math.prod(X.shape[1:])
    require(1 <= n_inputs <= COUNT_MAX, "X", f"must have 1 to {COUNT_MAX} inputs a sample", n_inputs, DataError)
    labels, classes = number_classes(y, len(X))

    n_rows = max(1, CHUNK_BYTES // (n_inputs * STAMP.itemsize))
    chunks = (X[start : start + n_rows] for start in range(0, len(X), n_rows))
    spikes = collected(chunks, X.shape, max_time)
    return SpikeArrays(*spikes, labels, n_inputs, max_time, classes, input_shape=X.shape[1:])


def from_blocks(blocks: Iterable[npt.ArrayLike], y: npt.ArrayLike, max_time: float) -> SpikeArrays:
    """Return the spikes of blocks of dense times; arguments and errors as in ``SpikingDataset.from_blocks``."""
    max_time = end_of_time(max_time, "max_time")
    labels, classes = number_classes(y, np.size(y))
    require(len(labels) >= 1, "y", "must have at least one sample", 0, DataError)
    dense = (dense_times(block) for block in blocks)
    first = next(dense, np.empty((0, 1)))
    shape = (len(labels), *first.shape[1:])
    n_inputs = math.prod(shape[1:])
    require(1 <= n_inputs <= COUNT_MAX, "X", f"must have 1 to {COUNT_MAX} inputs a sample", n_inputs, DataError)
    spikes = collected(chain((first,), dense), shape, max_time)
    return SpikeArrays(*spikes, labels, n_inputs, max_time, classes, input_shape=shape[1:])


def collected(
    chunks: Iterable[np.ndarray], shape: tuple[int, ...], max_time: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return ``(indptr, indices, timestamps)`` of dense times of this shape, given some samples at a time."""
    n_samples, n_inputs = shape[0], math.prod(shape[1:])
    collector = SpikeCollector(n_inputs, time_bits(max_time))
    indptr = np.zeros(n_samples + 1, dtype=OFFSET)
    start = 0
    for chunk in chunks:
        stop = start + len(chunk)
        require(
            chunk.shape[1:] == shape[1:], "X", f"must have samples of shape {shape[1:]}", chunk.shape[1:], DataError
        )
        require(stop <= n_samples, "X", f"must have {n_samples} samples, one a label", stop, DataError)
        with np.errstate(all="ignore"):  # a time that overflows float32 is silent, as infinity is
            rows = np.require(chunk, STAMP, ["C", "A"]).reshape(-1, n_inputs)
        wrong = collector.add(rows.view(np.int32), indptr[start + 1 : stop + 1])
        if wrong >= 0:
            where = np.unravel_index(start * n_inputs + wrong, shape)
            place = f"X[{', '.join(str(int(k)) for k in where)}]"
            require(False, place, "a time must be a number >= 0", short(rows.flat[wrong]), DataError)
        start = stop
    require(start == n_samples, "X", f"must have {n_samples} samples, one a label", start, DataError)
    indices, timestamps = collector.finish()
    return indptr, np.frombuffer(indices, INDEX), np.frombuffer(timestamps, STAMP)


def dense_times(X: npt.ArrayLike) -> np.ndarray:
    """Return ``X`` as an array of real numbers with samples and at least one axis of inputs."""
    try:
        array = np.asarray(X)
    except (TypeError, ValueError, OverflowError) as problem:
        raise DataError(f"X: must be an array of real numbers, got {type(X).__name__}") from problem
    require(array.dtype.kind in "fiu", "X", "must be real numbers", array.dtype, DataError)
    require(array.ndim >= 2, "X", "must have an axis of samples and one or more of inputs", array.shape, DataError)
    return array
