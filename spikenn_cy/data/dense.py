"""Dense arrays of spike times turned into lists of spikes, read once and without a second dense copy."""

import math
from typing import Any

import numpy as np

from spikenn_cy.data._dense import SpikeCollector
from spikenn_cy.data.arrays import COUNT_MAX
from spikenn_cy.data.arrays import SpikeArrays
from spikenn_cy.data.arrays import end_of_time
from spikenn_cy.data.arrays import short
from spikenn_cy.data.arrays import time_bits
from spikenn_cy.data.classes import number_classes
from spikenn_cy.dtypes import INDEX
from spikenn_cy.dtypes import OFFSET
from spikenn_cy.dtypes import STAMP
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require

CHUNK_BYTES = 4 << 20  # of float32 times at once: rows enough to hide the calls, few enough to stay in cache


def from_dense(X: Any, y: Any, max_time: Any) -> SpikeArrays:
    """Return the spikes of dense times; arguments and errors as in ``SpikingDataset.from_numpy``."""
    max_time = end_of_time(max_time, "max_time")
    X = dense_times(X)
    n_inputs = math.prod(X.shape[1:])
    require(1 <= n_inputs <= COUNT_MAX, "X", f"must have 1 to {COUNT_MAX} inputs a sample", n_inputs, DataError)
    labels, classes = number_classes(y, len(X))

    collector = SpikeCollector(n_inputs, time_bits(max_time))
    indptr = np.zeros(len(X) + 1, dtype=OFFSET)
    n_rows = max(1, CHUNK_BYTES // (n_inputs * STAMP.itemsize))
    for start in range(0, len(X), n_rows):
        with np.errstate(all="ignore"):  # a time that overflows float32 is silent, as infinity is
            rows = np.require(X[start : start + n_rows], STAMP, ["C", "A"]).reshape(-1, n_inputs)
        wrong = collector.add(rows.view(np.int32), indptr[start + 1 : start + 1 + len(rows)])
        if wrong >= 0:
            where = np.unravel_index(start * n_inputs + wrong, X.shape)
            place = f"X[{', '.join(str(int(k)) for k in where)}]"
            require(False, place, "a time must be a number >= 0", short(rows.flat[wrong]), DataError)
    indices, timestamps = collector.finish()
    return SpikeArrays(
        indptr, np.frombuffer(indices, INDEX), np.frombuffer(timestamps, STAMP), labels, n_inputs, max_time, classes
    )


def dense_times(X: Any) -> np.ndarray:
    """Return ``X`` as an array of real numbers with samples and at least one axis of inputs."""
    try:
        array = np.asarray(X)
    except (TypeError, ValueError, OverflowError) as problem:
        raise DataError(f"X: must be an array of real numbers, got {type(X).__name__}") from problem
    require(array.dtype.kind in "fiu", "X", "must be real numbers", array.dtype, DataError)
    require(array.ndim >= 2, "X", "must have an axis of samples and one or more of inputs", array.shape, DataError)
    require(len(array) >= 1, "X", "must have at least one sample", array.shape, DataError)
    return array
