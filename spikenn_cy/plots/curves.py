"""How accuracy rose from epoch to epoch, in one run and over the folds of a cross-validation."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

import numpy as np

from spikenn_cy.experiments import folds as kfolds
from spikenn_cy.experiments.tables import SET_NAMES
from spikenn_cy.network.history import History
from spikenn_cy.plots.canvas import BLUE
from spikenn_cy.plots.canvas import GREEN
from spikenn_cy.plots.canvas import VERMILION
from spikenn_cy.plots.canvas import axes_for
from spikenn_cy.plots.canvas import new_figure
from spikenn_cy.plots.canvas import tidy
from spikenn_cy.plots.canvas import whole_numbers
from spikenn_cy.plots.canvas import with_alt_text
from spikenn_cy.plots.source import NotRecorded
from spikenn_cy.plots.source import epochs_of
from spikenn_cy.plots.source import folder_given

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Told apart without their colours as well.
LOOKS = {
    "train_accuracy": {"color": BLUE, "linestyle": "-", "marker": "o"},
    "val_accuracy": {"color": VERMILION, "linestyle": "--", "marker": "s"},
    "test_accuracy": {"color": GREEN, "linestyle": "-.", "marker": "^"},
}
ENOUGH_EPOCHS = 6  # for their later half to be shown alone
FEW_EPOCHS = 30  # up to which each has a mark


def accuracy(run: str | os.PathLike[str] | History, ax: "Axes | None" = None) -> "Figure":
    """Return the curves of training, validation and test accuracy over the epochs of a run.

    Parameters
    ----------
    run : path-like or History
        A run's folder, complete or not, or what `Readout.fit` returned.
    ax : matplotlib.axes.Axes, optional
        Where to draw, so that several runs stand side by side. Default: a new figure, in which the later epochs have
        a panel of their own.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    RunError
        If no epoch is recorded, or ``ax`` is no axes.
    MissingExtra
        If matplotlib is not installed.
    """
    epochs = epochs_of(run)
    numbers = [record["epoch"] for record in epochs]
    # Most of a training goes on where all curves are close together, so its later part has a panel of its own.
    if ax is None and len(epochs) >= ENOUGH_EPOCHS:
        panels = list(new_figure(4.2).subplots(1, 2))
    else:
        panels = [axes_for(ax, 4.2)]
    later = len(epochs) // 2
    parts = []
    for key, title in SET_NAMES.items():
        if all(record[key] is None for record in epochs):
            continue
        values = percentages(epochs, key)
        last = values[-1]
        looks = LOOKS[key] | ({} if len(epochs) <= FEW_EPOCHS else {"marker": ""})
        for axes, first in zip(panels, (0, later), strict=False):
            label = f"{title}, at last {last:.2f} %"
            axes.plot(numbers[first:], values[first:], label=label, linewidth=1.8, markersize=4, **looks)
        parts.append(f"{title} {last:.2f} %")
    for axes in panels:
        _scales(axes)
        axes.set_ylabel("accuracy (% of samples)")
    if len(panels) > 1:
        panels[0].set_title("all epochs")
        panels[1].set_title(f"from epoch {numbers[later]} on")
    if ax is None:
        lines = panels[0].get_legend_handles_labels()
        panels[0].figure.legend(*lines, loc="outside lower center", ncols=3, frameon=False)
    else:
        ax.legend(frameon=False, loc="lower right", fontsize=9)
    return with_alt_text(panels[0], f"Accuracy over {len(epochs)} epochs; after the last: {', '.join(parts)}.")


def folds(output: str | os.PathLike[str]) -> "Figure":
    """Return the accuracy curves of all folds of a cross-validation, their mean and their spread.

    Parameters
    ----------
    output : path-like
        Of ``kfold``, or a folder with runs in folders ``0``, ``1``, ...

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each set. The band is one population standard deviation, as in
        ``score``. From the epoch on in which a fold stopped it does not enter.

    Raises
    ------
    RunError
        If it is no such folder, or no epoch is recorded.
    MissingExtra
        If matplotlib is not installed.
    """
    runs = []
    output = folder_given(output, "output")
    for fold in kfolds.states(output):
        if (output / fold.folder).is_dir():
            try:
                runs.append(epochs_of(output / fold.folder))
            except NotRecorded:
                continue
    if not runs:
        raise NotRecorded("no epochs: no fold has ended one")
    keys = [key for key in SET_NAMES if any(record[key] is not None for run in runs for record in run)]
    figure = new_figure(3.8)
    panels = figure.subplots(1, len(keys), squeeze=False)[0]
    parts = []
    for axes, key in zip(panels, keys, strict=True):
        curves = _stacked(runs, key)
        n_there = np.isfinite(curves).sum(0)
        numbers = np.flatnonzero(n_there)
        curves = curves[:, numbers]
        mean, spread = np.nanmean(curves, 0), np.nanstd(curves, 0)
        for curve in curves:
            axes.plot(numbers, curve, color="#999999", linewidth=0.6, alpha=0.7)
        colour = LOOKS[key]["color"]
        axes.fill_between(numbers, mean - spread, mean + spread, color=colour, alpha=0.25, linewidth=0)
        axes.plot(numbers, mean, color=colour, linewidth=2, label="mean ± standard deviation")
        lasts = [values[-1] for values in (percentages(run, key) for run in runs) if np.isfinite(values[-1])]
        figures = f"{np.mean(lasts):.2f} ± {np.std(lasts):.2f} %" if lasts else "unknown"
        axes.set_title(f"{SET_NAMES[key]}\n{figures} at last", fontsize=10)
        _scales(axes)
        parts.append(f"{SET_NAMES[key]} {figures}")
    panels[0].set_ylabel("accuracy (% of samples)")
    panels[0].plot([], [], color="#999999", linewidth=0.6, label="a fold")
    panels[0].legend(frameon=False, loc="lower right", fontsize=8)
    return with_alt_text(
        figure,
        f"Accuracy of {len(runs)} folds over their epochs; mean and deviation after the last: {', '.join(parts)}.",
    )


def percentages(epochs: Sequence[dict[str, Any]], key: str) -> np.ndarray:
    """Return an accuracy of each epoch in percent, NaN where it was not measured."""
    return np.array([np.nan if record[key] is None else 100 * record[key] for record in epochs])


def _stacked(runs: Sequence[Sequence[dict[str, Any]]], key: str) -> np.ndarray:
    """Return the percentages of all runs, shape (n_runs, n_epochs), NaN where a run has no such epoch."""
    stacked = np.full((len(runs), 1 + max(record["epoch"] for run in runs for record in run)), np.nan)
    for row, run in zip(stacked, runs, strict=True):
        row[[record["epoch"] for record in run]] = percentages(run, key)
    return stacked


def _scales(axes: "Axes") -> None:
    """Number epochs as the records do, from 0, by whole numbers; no more than 100 % is ever shown."""
    whole_numbers(axes.xaxis)
    axes.set_xlabel("epoch")
    if axes.get_ylim()[1] > 100:
        axes.set_ylim(top=100.5)
    tidy(axes)
