"""How a network decides: which classes it takes for which, and how the first spike of one sample came about."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from spikenn_cy.data.classes import in_classes
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.network.readout import Readout
from spikenn_cy.plots.canvas import BLACK
from spikenn_cy.plots.canvas import BLUE
from spikenn_cy.plots.canvas import GREY
from spikenn_cy.plots.canvas import SEQUENTIAL
from spikenn_cy.plots.canvas import VERMILION
from spikenn_cy.plots.canvas import label_text
from spikenn_cy.plots.canvas import new_figure
from spikenn_cy.plots.canvas import set_names
from spikenn_cy.plots.canvas import short_text
from spikenn_cy.plots.canvas import thinned
from spikenn_cy.plots.canvas import with_alt_text
from spikenn_cy.utils.validation import is_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_COUNTS = 15  # with more classes fields have no numbers
MOST_NAMES = 20  # that stand one above the other without touching
HALF_AS_MANY = 10
SHORT_NAME = 3  # characters that fit side by side
DARK = 55  # percent, below which a field is dark enough for white digits


def confusion(model: Readout, dataset: SpikingDataset, n_threads: int = 1) -> "Figure":
    """Return how many samples of each class were taken for each class.

    Parameters
    ----------
    model : Readout
    dataset : SpikingDataset
        With labels, matched to the network by ``classes``; it may lack some of them.
    n_threads : int, default=1
        As in `Readout.predict`.

    Returns
    -------
    matplotlib.figure.Figure
        A row for each true class, coloured by shares of the row.

    Raises
    ------
    DataError
        If the data do not suit the network, or there is no sample.
    MissingExtra
        If matplotlib is not installed.
    """
    return drawn(confusions(model, dataset, n_threads), model.classes)


def drawn(counts: npt.NDArray[np.int64], names: np.ndarray) -> "Figure":
    """Return the figure of how many samples of the class of each row were taken for that of each column."""
    n_classes, n_samples = len(names), int(counts.sum())
    totals = counts.sum(1, keepdims=True)
    shares = np.full(counts.shape, np.nan)
    np.divide(100 * counts, totals, out=shares, where=totals > 0)

    figure = new_figure(6.4)
    axes = figure.add_subplot()
    drawn = axes.imshow(shares, cmap=SEQUENTIAL, vmin=0, vmax=100, interpolation="nearest")
    figure.colorbar(drawn, ax=axes, label="share of the true class (%)", fraction=0.045, pad=0.02)
    if n_classes <= MOST_COUNTS:
        for row, column in np.argwhere(counts > 0):
            colour = "white" if shares[row, column] < DARK else "black"
            text = str(counts[row, column])
            axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=9 if len(text) < 5 else 7)
    shown = thinned(n_classes, MOST_NAMES)
    long = max(len(label_text(name)) for name in names[shown]) > SHORT_NAME
    aslant = {"rotation": 90} if long else {}
    set_names(axes.xaxis, shown, names[shown], **aslant)
    set_names(axes.yaxis, shown, names[shown])
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    right = 100 * np.trace(counts) / n_samples
    axes.set_title(f"{right:.2f} % of {n_samples:,} samples right")
    wrong = counts - np.diag(np.diag(counts))
    row, column = np.unravel_index(wrong.argmax(), wrong.shape)
    most = f"; most often {label_text(names[row])} was taken for {label_text(names[column])}, {wrong.max()} times"
    return with_alt_text(
        figure,
        f"Confusion matrix of {n_classes} classes: {right:.2f} % of {n_samples:,} samples right"
        f"{most if wrong.any() else ''}.",
    )


def confusions(model: Readout, dataset: SpikingDataset, n_threads: int = 1) -> npt.NDArray[np.int64]:
    """Return how many samples of the class of each row were taken for that of each column; see `confusion`."""
    if not isinstance(model, Readout):
        rule = "must be a Readout, whose classes name what it decides"
        raise DataError(f"model: {rule}, got {type(model).__name__}")
    decided = model.decide(dataset, n_threads)
    require(len(dataset) > 0, dataset.source or "dataset", "must hold at least one sample", len(dataset), DataError)
    known = in_classes(dataset, model.classes, "the network", "dataset")
    n_classes, true = model.n_classes, known.labels.astype(np.int64)
    return np.bincount(true * n_classes + decided, minlength=n_classes**2).reshape(n_classes, n_classes)


def raster(model: Readout, dataset: SpikingDataset, sample: int = 0) -> "Figure":
    """Return the spikes of one sample, layer above layer: its inputs', all neurons' first ones, and the decision.

    Parameters
    ----------
    model : Readout
    dataset : SpikingDataset
        Matched to the network by ``classes``.
    sample : int
        Number of the sample.

    Returns
    -------
    matplotlib.figure.Figure
        Of the neurons all first spikes are shown; those after the decision, which inference
        does not wait for, in the shaded part. Silent neurons have no mark.

    Raises
    ------
    DataError
        If the data do not suit the network, or there is no such sample.
    MissingExtra
        If matplotlib is not installed.
    """
    if not isinstance(model, Readout):
        raise DataError(f"model: must be a Readout, got {type(model).__name__}")
    require(
        is_whole(sample) and 0 <= sample < len(dataset),
        "sample",
        f"must be from 0 to {len(dataset) - 1}",
        sample,
        DataError,
    )
    names = model.classes
    one = in_classes(dataset[np.array([sample])], names, name="dataset")
    (times,), (potentials,) = model.first_spikes(one)
    indices, timestamps, label = one[0]
    # Ties, of silent neurons too, go to the higher potential, then to the lower neuron.
    winner = int(np.lexsort((np.arange(len(times)), -potentials, times))[0])
    per_class = len(times) // model.n_classes
    decided, moment = winner // per_class, float(times[winner])
    classes = np.arange(len(times)) // per_class
    fired = times < model.max_time

    hidden = [model.first_spikes(one, layer=k)[0][0] for k in range(len(model.layers) - 1)]
    figure = new_figure(6.0 + 2.4 * len(hidden))
    above, *between, below = figure.subplots(2 + len(hidden), 1, sharex=True)
    _events(above, timestamps, indices, dataset.n_inputs, "input")
    for k, (axes, spikes) in enumerate(zip(between, hidden, strict=True)):
        spiking = np.flatnonzero(spikes < model.max_time)
        _events(axes, spikes[spiking], spiking, len(spikes), f"neuron of layer {k}")
    for mine, colour, marker, title in (
        (classes == label, BLUE, "s", "first spike, neuron of the true class"),
        (classes != label, GREY, "o", "of another class"),
    ):
        shown = mine & fired
        below.scatter(times[shown], np.flatnonzero(shown), s=14, color=colour, marker=marker, linewidths=0, label=title)
    below.scatter(
        [moment],
        [winner],
        s=110,
        facecolors="none",
        edgecolors=VERMILION,
        linewidths=2,
        label="first of all, the decision" if fired[winner] else "highest potential, the decision",
        clip_on=False,
        zorder=3,
    )
    _name_classes(below, names, per_class)
    below.set_xlabel(f"time (a sample ends at {model.max_time:g})")
    below.set_xlim(0, model.max_time)
    for axes in (above, *between, below):
        axes.axvline(moment, color=VERMILION, linewidth=1.2)
        axes.axvspan(moment, model.max_time, color="#EEEEEE", zorder=0, linewidth=0)
        axes.spines[["top", "right"]].set_visible(False)
    figure.legend(*below.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    at = f"decided at {moment:.3g}" if fired[winner] else "silent until the end"
    title = f"class {short_text(names[label])}, predicted {short_text(names[decided])}"
    above.set_title(f"sample {sample}: {title}\n{at}", fontsize=11, parse_math=False)
    mine, yours = short_text(names[decided]), short_text(names[label])
    return with_alt_text(
        figure,
        f"Spikes of sample {sample}: {len(indices)} input spikes{_until(hidden, moment, model.max_time)} and "
        f"{np.count_nonzero(fired)} of {len(times)} output neurons; {at}, for class {mine}; the true class is {yours}.",
    )


def _until(hidden: Sequence[np.ndarray], moment: float, end: float) -> str:
    """Return in words how many neurons of hidden layers fired by the decision, "" without such layers."""
    counts = [(np.count_nonzero((spikes <= moment) & (spikes < end)), len(spikes)) for spikes in hidden]
    said = "".join(f", {n} of {n_all} neurons of layer {k}" for k, (n, n_all) in enumerate(counts))
    return said and f"{said} by the decision"


def _name_classes(axes: "Axes", names: np.ndarray, per_class: int) -> None:
    """Number output neurons from the top, and name the class of each."""
    n_neurons = len(names) * per_class
    ticks = thinned(len(names), HALF_AS_MANY)
    set_names(axes.yaxis, ticks * per_class + (per_class - 1) / 2, names[ticks])
    if len(names) <= MOST_NAMES:
        for first in range(per_class, n_neurons, per_class):
            axes.axhline(first - 0.5, color="#DDDDDD", linewidth=0.6, zorder=0)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(n_neurons - 0.5, -0.5)
    axes.set_ylabel(f"output neuron, by class ({per_class} each)")


def _events(axes: "Axes", times: np.ndarray, numbers: np.ndarray, n_numbers: int, name: str) -> None:
    """Mark spikes of so many inputs or neurons."""
    size = float(np.clip(2000 / max(1, len(numbers)), 1.5, 12))
    axes.scatter(times, numbers, s=size, color=BLACK, linewidths=0)
    axes.set_ylabel(name)
    axes.set_ylim(n_numbers - 0.5, -0.5)
