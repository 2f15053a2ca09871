"""How good decisions would be at any earlier time, without which nobody could choose when to stop."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spikenn_cy.data.arrays import moment
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.dtypes import INDEX
from spikenn_cy.dtypes import STAMP
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.network.cost import BY_SPIKE
from spikenn_cy.network.cost import decisions
from spikenn_cy.network.cost import in_blocks

if TYPE_CHECKING:
    from spikenn_cy.network.readout import Readout

MOST = 64  # times that are looked at unless others are asked for
SPIKES_AT_ONCE = 1 << 22


class OverTime(NamedTuple):
    """Shares of samples, at each of some times.

    Attributes
    ----------
    times : ndarray of float32, shape (n_times,)
    accuracy : ndarray of float64, shape (n_times,)
        Samples that ``predict(dataset, until=time)`` gets right.
    decided, right_by_spike : ndarray of float64, shape (n_times,)
        Samples with an output spike by then, and those that spikes of one class alone have decided rightly.
    """

    times: npt.NDArray[np.float32]
    accuracy: npt.NDArray[np.float64]
    decided: npt.NDArray[np.float64]
    right_by_spike: npt.NDArray[np.float64]


def over_time(
    model: "Readout",
    dataset: SpikingDataset,
    times: Sequence[float] | npt.NDArray[Any] | None = None,
    n_threads: int = 1,
) -> OverTime:
    """Return what a network gets right if it has to answer at each of some times.

    Parameters
    ----------
    model : Readout
    dataset : SpikingDataset
        Its labels are numbers of the network's classes.
    times : sequence of float or ndarray of shape (n_times,), optional
        Default: those at which there are spikes in the data if these are few, else evenly spaced ones.
    n_threads : int, default=1

    Raises
    ------
    DataError
        If a time lies outside of a sample.
    """
    given = times_of(dataset) if times is None else times if isinstance(times, list | tuple | np.ndarray) else [times]
    asked = np.array([moment(time, f"times[{i}]", model.max_time) for i, time in enumerate(given)], STAMP)
    require(len(asked) > 0, "times", "must be one time at least", len(asked), DataError)
    classes, first, ways = _decisions(model, dataset, n_threads)
    end, right = STAMP.type(model.max_time), classes == dataset.labels
    by_spike = right & (ways == BY_SPIKE)
    accuracy, decided, alone = np.empty((3, len(asked)))
    for i, time in enumerate(asked):
        by_then = (first <= time) & (first < end)
        n_right = np.count_nonzero(right & by_then)
        open_ones = np.flatnonzero(~by_then)  # of the others the class is known already
        if len(open_ones):
            part = dataset[open_ones]
            n_right += np.count_nonzero(model.decide(part, n_threads, until=float(time)) == part.labels)
        accuracy[i], decided[i] = n_right / len(dataset), by_then.mean()
        alone[i] = np.count_nonzero(by_spike & by_then) / len(dataset)
    return OverTime(asked, accuracy, decided, alone)


def times_of(dataset: SpikingDataset) -> npt.NDArray[np.float32]:
    """Return all times of spikes, and the end, if they are few; else evenly spaced times."""
    found = np.array([dataset.max_time], STAMP)
    for start in range(0, len(dataset.timestamps), SPIKES_AT_ONCE):
        found = np.union1d(found, dataset.timestamps[start : start + SPIKES_AT_ONCE])
        if len(found) > MOST:
            return np.linspace(0, dataset.max_time, MOST + 1, dtype=STAMP)[1:]
    return found


def _decisions(
    model: "Readout", dataset: SpikingDataset, n_threads: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32], npt.NDArray[np.int32]]:
    classes, ways = np.empty((2, len(dataset)), INDEX)
    first = np.empty(len(dataset), STAMP)

    def work(part: slice) -> None:
        spikes = model.first_spikes(dataset[part])
        classes[part], first[part], ways[part] = decisions(*spikes, model.n_classes, model.max_time)

    in_blocks(dataset, model.layers[-1].n_neurons, n_threads, work)
    return classes, first, ways
