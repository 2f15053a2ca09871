"""Data that are legal and look like a slip, said where they are made, since nothing that comes after would tell."""

import warnings

import numpy as np
import numpy.typing as npt

from spikenn_cy.data.arrays import SpikeArrays
from spikenn_cy.errors import DataWarning

SEVERAL = 10  # samples: of fewer, as of one that is to be decided on, shares say little
MOST_SILENT = 0.5  # of all values
MOST_AT_ONCE = 0.95  # of all spikes
ROWS = 1000  # of times that are looked at for the numbers in a message
PROBED = 4096  # spikes that are looked at before all are
TO_TRY = "LatencyEncoder or the command encode makes spike times of features"


def look_at_dense(spikes: SpikeArrays, place: str, X: npt.ArrayLike | None = None, stacklevel: int = 3) -> None:
    """Warn if dense times that were given have few spikes, or if nearly all spikes are at one time.

    Parameters
    ----------
    spikes : SpikeArrays
        What was made of them.
    place : str
        Of the times, for messages.
    X : array_like, optional
        The times themselves, for the numbers in a message.
    stacklevel : int
        As ``warnings.warn`` takes it: where the times were given.

    Warns
    -----
    DataWarning
        Once, if no input fires in several samples; and if, in `SEVERAL` samples or more, more than half of the values
        are silent or 95 % of the spikes are at one time.
    """
    n_samples, n_spikes = len(spikes.indptr) - 1, len(spikes.timestamps)
    n_values = n_samples * spikes.n_inputs
    said = None
    if n_samples > 1 and n_spikes == 0:
        said = f"no input fires: all values are at max_time {spikes.max_time:g} or after it{_range(X)}"
    elif n_samples < SEVERAL:
        return
    elif n_values - n_spikes > MOST_SILENT * n_values:
        share = 100 * (1 - n_spikes / n_values)
        said = f"{share:.3g} % of the values are silent, at max_time {spikes.max_time:g} or after it{_range(X)}"
    if said is not None:
        way = f"{TO_TRY}; a max_time above the largest value keeps all of them"
        warnings.warn(DataWarning(f"{place}: {said}; if that is not meant, {way}"), stacklevel=stacklevel)
        return
    moment, share = most_frequent(spikes.timestamps)
    if share >= MOST_AT_ONCE:
        said = f"{100 * share:.3g} % of {n_spikes:,} spikes are at one time, {moment:g}, so that times tell little"
        text = f"{place}: {said}; {TO_TRY}, those of two values best with n_fields=1"
        warnings.warn(DataWarning(text), stacklevel=stacklevel)


def most_frequent(times: npt.NDArray[np.float32]) -> tuple[float, float]:
    """Return the time at which most spikes are, if more than half are at one, and their share."""
    probed = times[:: max(1, len(times) // PROBED)]
    middle = np.partition(probed, len(probed) // 2)[len(probed) // 2]  # of more than half at one time, one of them
    if np.count_nonzero(probed == middle) < MOST_SILENT * len(probed):
        return float(middle), 0.0
    return float(middle), np.count_nonzero(times == middle) / len(times)


def _range(X: npt.ArrayLike | None) -> str:
    """Return in words from where to where values are that a message is about."""
    if X is None:
        return ""
    array = np.asarray(X)
    step = max(1, len(array) // ROWS)  # of more, some tell, since it may not fit into memory
    low, high = array[::step].min(), array[::step].max()
    return f" (they are from {'about ' if step > 1 else ''}{low:g} to {high:g})"
