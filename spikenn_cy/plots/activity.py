"""How many features of a sample fire, and when, which tells whether an extractor leaves enough and not too much."""

from typing import TYPE_CHECKING

import numpy as np

from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.plots.canvas import BLUE
from spikenn_cy.plots.canvas import GREEN
from spikenn_cy.plots.canvas import VERMILION
from spikenn_cy.plots.canvas import new_figure
from spikenn_cy.plots.canvas import tidy
from spikenn_cy.plots.canvas import with_alt_text
from spikenn_cy.plots.source import dataset_given

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_BINS = 50


def feature_activity(dataset: SpikingDataset) -> "Figure":
    """Return two histograms: the share of active features of each sample, and the times of all spikes.

    Parameters
    ----------
    dataset : SpikingDataset
        Such as `STDPCSNN.transform` returns, or a memory-mapped file, of which a part at a
        time is in memory.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        If there is no sample.
    MissingExtra
        If matplotlib is not installed.
    """
    dataset = dataset_given(dataset)
    require(len(dataset) > 0, dataset.source or "dataset", "must hold at least one sample", len(dataset), DataError)
    shares = 100 * np.diff(dataset.indptr) / dataset.n_inputs
    figure = new_figure(3.6)
    left, right = figure.subplots(1, 2)

    low, high = float(shares.min()), float(shares.max())
    if low == high:
        low, high = max(0.0, low - 1), min(100.0, high + 1)
    counts, edges = np.histogram(shares, min(MOST_BINS, 10 + len(shares) // 20), (low, high))
    left.stairs(counts, edges, fill=True, color=BLUE)
    left.axvline(shares.mean(), color=VERMILION, linewidth=1.5, label=f"mean {shares.mean():.1f} %")
    left.legend(frameon=False)
    left.set_xlabel(f"active features of a sample (% of {dataset.n_inputs:,})")
    left.set_ylabel("samples")

    counts, edges = np.histogram(dataset.timestamps, MOST_BINS, (0.0, dataset.max_time))
    right.stairs(counts / len(dataset), edges, fill=True, color=GREEN)
    right.set_xlabel(f"spike time (a sample ends at {dataset.max_time:g})")
    right.set_ylabel("spikes of a sample per bin")
    right.set_xlim(0, dataset.max_time)
    for axes in (left, right):
        tidy(axes)
        axes.set_ylim(bottom=0)
    n_spikes = len(dataset.indices)
    mean_time = f"{float(np.mean(dataset.timestamps, dtype=float)):.3g}" if n_spikes else "undefined"
    return with_alt_text(
        figure,
        f"Activity of {len(dataset):,} samples: {shares.mean():.1f} % of {dataset.n_inputs:,} features are active in "
        f"a sample on average, from {shares.min():.1f} % to {shares.max():.1f} %; mean spike time {mean_time}.",
    )
