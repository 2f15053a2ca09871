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
from spikenn_cy.utils.validation import require_unmasked

CHUNK_BYTES = 4 << 20  # of float32 times at once: rows enough to hide the calls, few enough to stay in cache


def from_dense(X: npt.ArrayLike, y: npt.ArrayLike | None, max_time: float) -> SpikeArrays:
    """Return the spikes of dense times; arguments and errors as in ``SpikingDataset.from_numpy``."""
    max_time = end_of_time(max_time, "max_time")
    require_not_swapped(X, y)
    X = dense_times(X)
    require(len(X) >= 1, "X", "must have at least one sample", X.shape, DataError)
    n_inputs = math.prod(X.shape[1:])
    require(1 <= n_inputs <= COUNT_MAX, "X", f"must have 1 to {COUNT_MAX} inputs a sample", n_inputs, DataError)
    labels, classes = number_classes(y, len(X))

    n_rows = max(1, CHUNK_BYTES // (n_inputs * STAMP.itemsize))
    chunks = (X[start : start + n_rows] for start in range(0, len(X), n_rows))
    spikes = collected(chunks, X.shape[1:], max_time, len(X))
    return SpikeArrays(*spikes, labels, n_inputs, max_time, classes, input_shape=X.shape[1:])


def from_blocks(blocks: Iterable[npt.ArrayLike], y: npt.ArrayLike | None, max_time: float) -> SpikeArrays:
    """Return the spikes of blocks of dense times; arguments and errors as in ``SpikingDataset.from_blocks``."""
    max_time = end_of_time(max_time, "max_time")
    labels, classes = number_classes(y, 0 if y is None else np.size(y))
    n_samples = None if labels is None else len(labels)
    require(n_samples != 0, "y", "must have at least one sample", 0, DataError)
    dense = (dense_times(block) for block in blocks)
    first = next(dense, np.empty((0, 1)))
    shape = first.shape[1:]
    n_inputs = math.prod(shape)
    require(1 <= n_inputs <= COUNT_MAX, "X", f"must have 1 to {COUNT_MAX} inputs a sample", n_inputs, DataError)
    spikes = collected(chain((first,), dense), shape, max_time, n_samples)
    require(len(spikes[0]) >= 2, "X", "must have at least one sample", 0, DataError)
    return SpikeArrays(*spikes, labels, n_inputs, max_time, classes, input_shape=shape)


def collected(
    chunks: Iterable[np.ndarray], shape: tuple[int, ...], max_time: float, n_samples: int | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return ``(indptr, indices, timestamps)`` of dense times.

    Parameters
    ----------
    chunks : iterable of ndarray
        Of some samples at a time.
    shape : tuple of int
        That of a sample.
    max_time : float
    n_samples : int or None
        How many there must be, if somebody knows.
    """
    n_inputs = math.prod(shape)
    collector = SpikeCollector(n_inputs, time_bits(max_time))
    indptr = [np.zeros(1, dtype=OFFSET)]
    most = COUNT_MAX if n_samples is None else n_samples
    rule = f"must have {most} samples at most" if n_samples is None else f"must have {most} samples, one a label"
    start = 0
    for chunk in chunks:
        stop = start + len(chunk)
        require(chunk.shape[1:] == shape, "X", f"must have samples of shape {shape}", chunk.shape[1:], DataError)
        require(stop <= most, "X", rule, stop, DataError)
        with np.errstate(all="ignore"):  # a time that overflows float32 is silent, as infinity is
            rows = np.require(chunk, STAMP, ["C", "A"]).reshape(-1, n_inputs)
        ends = np.empty(len(chunk), dtype=OFFSET)
        wrong = collector.add(rows.view(np.int32), ends)
        if wrong >= 0:
            where = np.unravel_index(start * n_inputs + wrong, (stop, *shape))
            place = f"X[{', '.join(str(int(k)) for k in where)}]"
            require(False, place, "a time must be a number >= 0", short(rows.flat[wrong]), DataError)
        indptr.append(ends)
        start = stop
    require(n_samples in (None, start), "X", rule, start, DataError)
    indices, timestamps = collector.finish()
    return np.concatenate(indptr), np.frombuffer(indices, INDEX), np.frombuffer(timestamps, STAMP)


def require_not_swapped(X: npt.ArrayLike, y: npt.ArrayLike | None) -> None:
    """Raise `DataError` if it is the labels that have axes of inputs."""
    try:
        axes = np.ndim(X), np.ndim(y)  # type: ignore[arg-type]
    except (TypeError, ValueError):  # ragged lists, which are refused in words of their own
        return
    swapped = axes[0] == 1 and axes[1] >= 2
    require(
        not swapped, "X", "must be times and y labels; are they swapped?", f"{axes[0]} and {axes[1]} axes", DataError
    )


def dense_times(X: npt.ArrayLike) -> np.ndarray:
    """Return ``X`` as an array of real numbers with samples and at least one axis of inputs."""
    require_unmasked(X, "X", "X.filled(numpy.inf) makes inputs silent where it is")
    try:
        array = np.asarray(X)
    except (TypeError, ValueError, OverflowError) as problem:
        raise DataError(f"X: must be an array of real numbers, got {type(X).__name__}") from problem
    require(array.dtype.kind in "fiu", "X", "must be real numbers", array.dtype, DataError)
    hint = " (X[None] is one sample)" if array.ndim == 1 else ""
    rule = f"must have an axis of samples and one or more of inputs{hint}"
    require(array.ndim >= 2, "X", rule, array.shape, DataError)
    return array
