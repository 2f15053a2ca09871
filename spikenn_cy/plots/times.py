"""When a network decides, and whether it was right to: the price in time of each class and of each mistake."""

from typing import TYPE_CHECKING

import numpy as np

from spikenn_cy.data.classes import in_classes
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.network.readout import Readout
from spikenn_cy.plots.canvas import BLACK
from spikenn_cy.plots.canvas import BLUE
from spikenn_cy.plots.canvas import VERMILION
from spikenn_cy.plots.canvas import new_figure
from spikenn_cy.plots.canvas import set_names
from spikenn_cy.plots.canvas import thinned
from spikenn_cy.plots.canvas import tidy
from spikenn_cy.plots.canvas import with_alt_text
from spikenn_cy.plots.source import dataset_given
from spikenn_cy.plots.source import model_given

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLOCK = 1024  # samples whose spikes are held at once
N_BINS = 32  # so that levels of time, often a power of two of them, are not shared out unequally
MOST_NAMES = 20
MIDDLE = (10, 50, 90)  # percent of a class's samples


def decision_times(model: Readout, dataset: SpikingDataset) -> "Figure":
    """Return when samples are decided: right ones and wrong ones, and the samples of each class.

    Parameters
    ----------
    model : Readout
    dataset : SpikingDataset
        Matched to the network by ``classes``.

    Returns
    -------
    matplotlib.figure.Figure
        At the left, how many samples are decided when; the last bar, beyond the end, is of those
        in which no output neuron fires, so that the highest potential decides. At the right, for
        each true class, the times between which 80 % of its decisions lie, and their median.

    Raises
    ------
    DataError
        If the data do not suit the network, or there is no sample.
    MissingExtra
        If matplotlib is not installed.
    """
    model, dataset = model_given(model), dataset_given(dataset)
    require(len(dataset) > 0, dataset.source or "dataset", "must hold at least one sample", len(dataset), DataError)
    names = model.classes
    dataset = in_classes(dataset, names)
    times = first_times(model, dataset)
    right = model.decide(dataset) == dataset.labels
    end = model.max_time
    silent = times >= np.float32(end)

    figure = new_figure(4.2)
    left, classes = figure.subplots(1, 2)
    edges = np.linspace(0, end, N_BINS + 1)
    beyond = end * np.array([1.04, 1.04 + 2 / N_BINS])
    n_right = np.histogram(times[right & ~silent], edges)[0]
    n_all = np.histogram(times[~silent], edges)[0]
    bars = ((n_all, n_right, edges), (silent.sum()[None], (silent & right).sum()[None], beyond))
    for top, bottom, at in bars:
        first = at is edges
        left.stairs(bottom, at, fill=True, color=BLUE, label=f"right, {right.sum():,}" if first else None)
        looks = {"fill": True, "color": VERMILION, "hatch": "///", "edgecolor": "white", "linewidth": 0}
        wrong = f"wrong, {np.count_nonzero(~right):,}"
        left.stairs(top, at, baseline=bottom, **looks, label=wrong if first else None)
    wanted = model.figures.get("decision_at")
    left.axvline(times.mean(dtype=float), color=BLACK, linewidth=1.2, label=f"mean {times.mean(dtype=float):.3g}")
    if wanted is not None:
        left.axvline(wanted * end, color=BLACK, linewidth=1.2, linestyle=":", label=f"wanted {wanted * end:.3g}")
    ticks = np.linspace(0, end, 5)
    set_names(left.xaxis, [*ticks[:-1], beyond.mean()], [*(f"{tick:.3g}" for tick in ticks[:-1]), "none"])
    left.set_xlim(0, beyond[1] + end / N_BINS)
    left.set_xlabel(f"time of the first output spike (a sample ends at {end:g})")
    left.set_ylabel("samples")
    left.set_ylim(bottom=0)
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)

    for number in range(model.n_classes):
        own = times[dataset.labels == number]
        if len(own):
            low, middle, high = np.percentile(own, MIDDLE)
            classes.plot([low, high], [number, number], color=BLUE, linewidth=2.5, solid_capstyle="butt")
            classes.plot([middle], [number], color=BLACK, marker="o", markersize=4)
    shown = thinned(model.n_classes, MOST_NAMES)
    set_names(classes.yaxis, shown, names[shown])
    classes.set_ylim(model.n_classes - 0.5, -0.5)
    classes.set_xlim(0, end)
    classes.set_ylabel("true class")
    classes.set_xlabel("time of decision: median and 80 % of samples")
    for axes in (left, classes):
        tidy(axes)
    said = f"decided at {times.mean(dtype=float):.3g} on average of {end:g}"
    return with_alt_text(
        figure,
        f"Decision times of {len(dataset):,} samples: {said}, {100 * silent.mean():.1f} % without an output spike; "
        f"right {100 * right.mean():.2f} %, of those with a spike {_percent(right[~silent])}.",
    )


def first_times(model: Readout, dataset: SpikingDataset) -> np.ndarray:
    """Return when each sample is decided, float32 of shape (n_samples,), ``max_time`` without an output spike."""
    blocks = (dataset[first : first + BLOCK] for first in range(0, len(dataset), BLOCK))
    return np.concatenate([model.first_spikes(block)[0].min(axis=1) for block in blocks])


def _percent(right: np.ndarray) -> str:
    return f"{100 * right.mean():.2f} %" if len(right) else "none"
