"""How a network decides: which classes it takes for which, without which an accuracy hides what it is made of."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from spikenn_cy.data.classes import in_classes
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.data.labels import called
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.network.readout import Readout
from spikenn_cy.plots.canvas import SEQUENTIAL
from spikenn_cy.plots.canvas import axes_for
from spikenn_cy.plots.canvas import label_text
from spikenn_cy.plots.canvas import set_names
from spikenn_cy.plots.canvas import thinned
from spikenn_cy.plots.canvas import with_alt_text
from spikenn_cy.plots.source import dataset_given

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_COUNTS = 15  # with more classes fields have no numbers
MOST_NAMES = 20  # that stand one above the other without touching
HALF_AS_MANY = 10
SHORT_NAME = 3  # characters that fit side by side
DARK = 55  # percent, below which a field is dark enough for white digits


def confusion(
    model: Readout,
    dataset: SpikingDataset,
    n_threads: int = 1,
    ax: "Axes | None" = None,
    class_names: Sequence[str] = (),
) -> "Figure":
    """Return how many samples of each class were taken for each class.

    Parameters
    ----------
    model : Readout
    dataset : SpikingDataset
        With labels, matched to the network by ``classes``; it may lack some of them.
    n_threads : int, default=1
        As in `Readout.predict`.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: in a new figure.
    class_names : sequence of str, optional
        What the classes 0, 1 … are called. Default: as they are.

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
    counts = confusions(model, dataset, n_threads)
    names = called(model.classes, class_names)
    require(names is not None or len(class_names) == 0, "class_names", "must name every class", class_names, DataError)
    return drawn(counts, model.classes if names is None else np.array(names), ax)


def drawn(counts: npt.NDArray[np.int64], names: np.ndarray, ax: "Axes | None" = None) -> "Figure":
    """Return the figure of how many samples of the class of each row were taken for that of each column."""
    n_classes, n_samples = len(names), int(counts.sum())
    totals = counts.sum(1, keepdims=True)
    shares = np.full(counts.shape, np.nan)
    np.divide(100 * counts, totals, out=shares, where=totals > 0)

    axes = axes_for(ax, 6.4)
    drawn = axes.imshow(shares, cmap=SEQUENTIAL, vmin=0, vmax=100, interpolation="nearest")
    axes.figure.colorbar(drawn, ax=axes, label="share of the true class (%)", fraction=0.045, pad=0.02)
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
        axes,
        f"Confusion matrix of {n_classes} classes: {right:.2f} % of {n_samples:,} samples right"
        f"{most if wrong.any() else ''}.",
    )


def confusions(model: Readout, dataset: SpikingDataset, n_threads: int = 1) -> npt.NDArray[np.int64]:
    """Return how many samples of the class of each row were taken for that of each column; see `confusion`."""
    if not isinstance(model, Readout):
        rule = "must be a Readout, whose classes name what it decides"
        raise DataError(f"model: {rule}, got {type(model).__name__}")
    decided = model.decide(dataset_given(dataset), n_threads)
    require(len(dataset) > 0, dataset.source or "dataset", "must hold at least one sample", len(dataset), DataError)
    known = in_classes(dataset, model.classes, "the network")
    n_classes, true = model.n_classes, known.labels.astype(np.int64)
    return np.bincount(true * n_classes + decided, minlength=n_classes**2).reshape(n_classes, n_classes)
