"""Who learned: thresholds and updates of each neuron, by which competition regulation is seen to work or to fail."""

import os
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

import numpy as np
import numpy.typing as npt

from spikenn_cy.errors import RunError
from spikenn_cy.errors import require
from spikenn_cy.network.readout import Readout
from spikenn_cy.plots.canvas import BLACK
from spikenn_cy.plots.canvas import COLOURS
from spikenn_cy.plots.canvas import GREY
from spikenn_cy.plots.canvas import from_white
from spikenn_cy.plots.canvas import new_figure
from spikenn_cy.plots.canvas import set_names
from spikenn_cy.plots.canvas import short_text
from spikenn_cy.plots.canvas import thinned
from spikenn_cy.plots.canvas import tidy
from spikenn_cy.plots.canvas import whole_numbers
from spikenn_cy.plots.canvas import with_alt_text
from spikenn_cy.plots.source import NotRecorded
from spikenn_cy.plots.source import Source
from spikenn_cy.plots.source import each_epoch
from spikenn_cy.plots.source import folder_given
from spikenn_cy.storage.kinds import STATS
from spikenn_cy.utils.validation import is_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TARGET_COLOURS = tuple(colour for colour in COLOURS if colour != BLACK)
MOST_NAMES = 20  # that stand one above the other without touching


def competition(run: str | os.PathLike[str], label: int = 0) -> "Figure":
    """Return training thresholds and target updates of the neurons of one class, a line each, over the epochs.

    The neurons that learned most have colours, with their shares of all target updates of the class. Without
    regulation one neuron of a class takes all of them; with it they share.

    Parameters
    ----------
    run : path-like
        Folder of a run with ``--save_stats``.
    label : int
        Number of the class.

    Returns
    -------
    matplotlib.figure.Figure
        Above, each neuron's threshold after the last training sample of the class in each
        epoch, in units of potential; below, how often it learned as a target in the epoch.

    Raises
    ------
    RunError
        If the run kept no statistics or has no such class.
    MissingExtra
        If matplotlib is not installed.

    Source
    ------
    As G. Goupy, P. Tirilly, I. M. Bilasco, NeurIPS 2024, show competition.
    """
    run = folder_given(run)
    model = Source(run).model
    require(
        is_whole(label) and 0 <= label < model.n_classes,
        "label",
        f"must be the number of a class, 0 to {model.n_classes - 1}",
        label,
        RunError,
    )
    thresholds, updates = thresholds_and_updates(run, model)
    n_neurons = updates.shape[1] // model.n_classes
    own = slice(label * n_neurons, (label + 1) * n_neurons)
    thresholds, updates = thresholds[:, own], updates[:, own]
    looks = _looks(updates, min(model.config.trainer.nt_neurons, n_neurons))

    figure = new_figure(5.6)
    above, below = figure.subplots(2, 1, sharex=True)
    for axes, values in ((above, thresholds), (below, updates)):
        for number, look in enumerate(looks):
            axes.plot(values[:, number], marker="." if len(values) == 1 else "", **look)
        tidy(axes)
    handles, names = above.get_legend_handles_labels()
    shown = {name: handle for name, handle in zip(names, handles, strict=True) if name}  # each name once
    figure.legend(
        shown.values(), shown.keys(), title="neuron: share of\ntarget updates", frameon=False, loc="outside right upper"
    )
    above.set_ylabel("training threshold (potential)")
    below.set_ylabel("target updates of an epoch")
    below.set_xlabel("epoch")
    below.set_xlim(*([-0.5, 0.5] if len(updates) == 1 else [None, None]))
    whole_numbers(below.xaxis)
    below.set_ylim(bottom=-0.03 * max(1, updates.max()))  # so that lines at 0 are seen whole
    title = f"class {short_text(model.classes[label])}"
    above.set_title(f"neurons of {title}", parse_math=False)
    total = updates.sum()
    share = f"{100 * updates.sum(0).max() / total:.0f} %" if total else "none"
    return with_alt_text(
        figure,
        f"Competition between the {n_neurons} neurons of {title} over {len(updates)} epochs: the neuron with the most "
        f"target updates has {share} of them.",
    )


def _looks(updates: npt.NDArray[np.int64], n_non_target: int) -> list[dict[str, Any]]:
    """Return how the lines of the neurons of a class look, by which those that learn most stand out.

    Parameters
    ----------
    updates : ndarray of int64, shape (n_epochs, n_neurons)
        Target updates.
    n_non_target : int
        Neurons at the beginning that are never targets.
    """
    n_neurons = updates.shape[1]
    total = updates.sum(0)
    targets = np.arange(n_non_target, n_neurons)
    most = targets[np.argsort(-total[targets], kind="stable")][: len(TARGET_COLOURS)]
    n_others = len(targets) - len(most)
    looks = []
    for number in range(n_neurons):
        share = f"{100 * total[number] / max(1, total.sum()):.0f} %"
        if number < n_non_target:
            name = f"{number}: non-target" if n_non_target == 1 else f"{n_non_target} non-target"
            look = {"color": BLACK, "linestyle": (0, (1, 2)), "linewidth": 2.2, "zorder": 4}
        elif number in most:
            name = f"{number}: {share}"
            look = {"color": TARGET_COLOURS[np.flatnonzero(most == number)[0]], "linewidth": 1.8, "zorder": 3}
        else:
            name = f"{n_others} others"
            look = {"color": "#BBBBBB", "linewidth": 1.0, "zorder": 2}
        looks.append({"label": name, **look})
    return looks


def neurons(run: str | os.PathLike[str]) -> "Figure":
    """Return training thresholds and target updates of all neurons over the epochs, as two images.

    Parameters
    ----------
    run : path-like
        Folder of a run with ``--save_stats``.

    Returns
    -------
    matplotlib.figure.Figure
        A row for each neuron, those of a class together; the darker, the more. Sand: the class had no sample.

    Raises
    ------
    RunError
        If the run kept no statistics.
    MissingExtra
        If matplotlib is not installed.
    """
    run = folder_given(run)
    model = Source(run).model
    thresholds, updates = thresholds_and_updates(run, model)
    n_epochs, n_neurons = updates.shape
    per_class = n_neurons // model.n_classes
    figure = new_figure(6.0)
    from matplotlib.colors import PowerNorm

    for axes, values, title in zip(
        figure.subplots(1, 2, sharey=True),
        (thresholds, updates),
        ("training threshold (potential)", "target updates of an epoch"),
        strict=True,
    ):
        drawn = axes.imshow(
            values.T,
            aspect="auto",
            cmap=from_white(),
            norm=PowerNorm(0.6),  # most values are near the least one
            interpolation="nearest",
            extent=(-0.5, n_epochs - 0.5, n_neurons - 0.5, -0.5),
        )
        figure.colorbar(drawn, ax=axes, location="top", label=title).ax.locator_params(nbins=5)
        axes.set_xlabel("epoch")
        whole_numbers(axes.xaxis)
        if model.n_classes <= MOST_NAMES:
            for first in range(per_class, n_neurons, per_class):
                axes.axhline(first - 0.5, color=GREY, linewidth=0.6)
        axes.tick_params(axis="y", length=0)
    left = figure.axes[0]
    shown = thinned(model.n_classes, MOST_NAMES)
    set_names(left.yaxis, shown * per_class + (per_class - 1) / 2, model.classes[shown])
    left.set_ylabel(f"class, with {per_class} neurons")
    figure.axes[1].set_ylabel("")
    return with_alt_text(
        figure,
        f"Training thresholds, from {np.nanmin(thresholds):.3g} to {np.nanmax(thresholds):.3g}, and target updates, up "
        f"to {updates.max()} an epoch, of {n_neurons} neurons over {n_epochs} epochs.",
    )


def thresholds_and_updates(run: str | os.PathLike[str], model: Readout) -> tuple[np.ndarray, np.ndarray]:
    """Return what a run's statistics say of each neuron and epoch.

    Returns
    -------
    thresholds : ndarray of float32, shape (n_epochs, n_neurons)
        After the last training sample of the neuron's class; NaN without one.
    updates : ndarray of int64, shape (n_epochs, n_neurons)
        Target updates.

    Raises
    ------
    NotRecorded
        If there are no statistics, or no neurons that compete.
    RunError
        If they are of another network.
    """
    if model.config.optimizer.every_layer:
        raise NotRecorded("no competition: where every layer learns, all neurons of a class are targets")
    n_neurons = model.layers[-1].n_neurons
    per_class = n_neurons // model.n_classes
    all_thresholds, all_updates = [], []
    for labels, thresholds, updates in each_epoch(run, "labels", "training_thresholds", "target_updates"):
        fitting = thresholds.shape == (len(labels), per_class) and updates.shape == (n_neurons,)
        fitting = fitting and len(labels) > 0 and labels.min() >= 0 and labels.max() < model.n_classes
        if not fitting:
            raise RunError(f"{Path(run, STATS)}: must be of this network's {n_neurons} neurons, got other statistics")
        last = np.full((model.n_classes, thresholds.shape[1]), np.nan, thresholds.dtype)
        classes, from_end = np.unique(labels[::-1], return_index=True)
        last[classes] = thresholds[len(labels) - 1 - from_end]
        all_thresholds.append(last.ravel())
        all_updates.append(updates)
    return np.array(all_thresholds), np.array(all_updates)
