"""What the first training set decides of a network that learns in every layer."""

import numpy as np

from spikenn_cy.config import ExperimentConfig
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.errors import require
from spikenn_cy.layers.face import Figures

QUANTILE = 0.7  # of all spike times: when decisions are wanted, on average
LOOKED_AT = 500  # samples whose patches are counted
BLOCK = 1 << 22  # spikes that are looked at together


def figures_of(dataset: SpikingDataset, config: ExperimentConfig) -> Figures:
    """Return what a training set decides (docs/networks.md).

    Data without a spike, such as the first sample of a stream may be, tell nothing: then every input is taken to fire.

    Parameters
    ----------
    dataset : SpikingDataset
    config : ExperimentConfig
        Of a rule that trains every layer.
    """
    decision_at, n_spikes = getattr(config.optimizer, "decision_at", None), len(dataset.indices)
    if decision_at is None:
        decision_at = quantile(dataset.timestamps, QUANTILE) / dataset.max_time if n_spikes else QUANTILE
    patch = config.network[0].patch
    patches = 0.0 if patch is None else mean_patch_spikes(dataset, *patch)
    return Figures(decision_at, n_spikes / len(dataset) if n_spikes else dataset.n_inputs, patches)


def true_figures(found: dict[str, float], config: ExperimentConfig) -> Figures:
    """Return figures that were kept, or raise if no training set can have decided them."""
    require(set(found) == set(Figures._fields), "figures", f"must be {', '.join(Figures._fields)}", list(found))
    figures = Figures(**found)
    n_patch = figures.mean_patch_spikes
    ok = 0 <= figures.decision_at <= 1 and 0 < figures.mean_spikes < np.inf
    ok = ok and (n_patch == 0 if config.network[0].patch is None else 0 < n_patch < np.inf)
    require(ok, "figures", "must be of data that hold spikes", found)
    return figures


def quantile(times: np.ndarray, share: float) -> float:
    """Return a quantile of times >= 0, as ``numpy.quantile`` does, in memory that does not grow with them.

    Numbers of single precision that are not negative are in the order of their bits, so two looks at all of them,
    at the upper and at the lower half of the bits, find the ones between which the quantile lies.
    """
    place = share * (len(times) - 1)
    low = _ranked(times, int(place))
    high = _ranked(times, min(int(place) + 1, len(times) - 1))
    return low + (high - low) * (place - int(place))


def _ranked(times: np.ndarray, rank: int) -> float:
    """Return the number that has so many before it in order."""
    upper = np.zeros(1 << 16, np.int64)
    for first in range(0, len(times), BLOCK):
        bits = np.ascontiguousarray(times[first : first + BLOCK], np.float32).view(np.uint32)
        upper += np.bincount(bits >> 16, minlength=1 << 16)
    high = int(np.searchsorted(np.cumsum(upper), rank, side="right"))
    rank -= int(upper[:high].sum())
    lower = np.zeros(1 << 16, np.int64)
    for first in range(0, len(times), BLOCK):
        bits = np.ascontiguousarray(times[first : first + BLOCK], np.float32).view(np.uint32)
        lower += np.bincount(bits[bits >> 16 == high] & 0xFFFF, minlength=1 << 16)
    low = int(np.searchsorted(np.cumsum(lower), rank, side="right"))
    return float(np.array([high << 16 | low], np.uint32).view(np.float32)[0])


def mean_patch_spikes(dataset: SpikingDataset, size: int, padding: int) -> float:
    """Return the mean number of spikes in the patches of the first samples that hold at least one.

    A spike lies in a patch of any size; if the first samples are silent, others are looked at up to one that is not.
    Where none is found, it is the number of inputs of a patch.
    """
    total, n = 0, 0
    rows, columns = dataset.input_shape[:2]
    n_channels = dataset.n_inputs // (rows * columns)
    for sample in range(len(dataset)):
        if sample >= LOOKED_AT and n > 0:
            break
        cells = dataset.indices[dataset.indptr[sample] : dataset.indptr[sample + 1]] // n_channels
        image = np.bincount(cells, minlength=rows * columns).reshape(rows, columns)
        padded = np.pad(image, padding)
        sums = np.pad(padded.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
        patches = sums[size:, size:] - sums[:-size, size:] - sums[size:, :-size] + sums[:-size, :-size]
        total += int(patches.sum())
        n += int(np.count_nonzero(patches))
    return total / n if n else float(size * size * n_channels)
