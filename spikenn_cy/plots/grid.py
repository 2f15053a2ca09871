"""What each varied setting did to the accuracy, over all runs of a grid search or an ablation."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

import numpy as np

from spikenn_cy.experiments.batch import RunState
from spikenn_cy.experiments.batch import run_states
from spikenn_cy.experiments.tables import SET_NAMES
from spikenn_cy.experiments.tables import shown_setting
from spikenn_cy.plots.canvas import BLACK
from spikenn_cy.plots.canvas import GREY
from spikenn_cy.plots.canvas import SKY
from spikenn_cy.plots.canvas import VERMILION
from spikenn_cy.plots.canvas import label_text
from spikenn_cy.plots.canvas import new_figure
from spikenn_cy.plots.canvas import set_names
from spikenn_cy.plots.canvas import short_text
from spikenn_cy.plots.canvas import thinned
from spikenn_cy.plots.canvas import tidy
from spikenn_cy.plots.canvas import with_alt_text
from spikenn_cy.plots.source import NotRecorded
from spikenn_cy.plots.source import Source
from spikenn_cy.utils.validation import is_real

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

A_ROW = 3  # panels
GOLDEN = (5**0.5 - 1) / 2
HALF_WIDTH = 0.3  # of the room in which dots of the runs of one value lie beside each other
MANY = 25  # runs of one value fill that room; dots of fewer stay closer to the value
MOST_CHARACTERS = 30  # of all values under one panel, for them to stand upright


def grid(output: str | os.PathLike[str]) -> "Figure":
    """Return, for each setting that varies, the accuracy of all runs against its value.

    Parameters
    ----------
    output : path-like
        Of ``gridsearch`` or ``ablation``.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each setting, with a dot for each run, the mean and the best for each
        value. The accuracy is that by which ``best`` ranks: the last one on validation
        data, without such data the last one in training. Runs that were given up by
        ``gridsearch_stop_acc`` are crosses and do not enter the means.

    Raises
    ------
    RunError
        If it is no such folder, nothing varies, or no run is complete.
    MissingExtra
        If matplotlib is not installed.
    """
    states = run_states(output, Source(Path(output)).kind)
    ended = [state for state in states if state.result is not None]
    if not ended:
        raise NotRecorded("no results: no run is complete")
    by = "val_accuracy" if any(_result(state)["val_accuracy"] is not None for state in ended) else "train_accuracy"
    ended = [state for state in ended if _result(state)[by] is not None]
    paths = [path for path in states[0].varied if len(values_of(states, path)) > 1]
    if not paths:
        raise NotRecorded("no settings: none varies")
    n_columns = min(A_ROW, len(paths))
    n_rows = -(-len(paths) // n_columns)
    figure = new_figure(0.5 + 2.9 * n_rows)
    panels = figure.subplots(n_rows, n_columns, sharey=True, squeeze=False)
    for axes in panels.flat[len(paths) :]:
        axes.remove()
    for axes, path in zip(panels.flat, paths, strict=False):
        _panel(axes, ended, path, by, values_of(states, path))
    for axes in panels[:, 0]:
        axes.set_ylabel(f"{SET_NAMES[by]} accuracy (%)")
    handles = panels[0, 0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside upper center", ncols=4, frameon=False)
    best = max(ended, key=lambda state: _result(state)[by])
    settings = ", ".join(f"{path} = {shown_setting(best.varied[path])}" for path in paths)
    n_left = len(states) - len(ended)
    return with_alt_text(
        figure,
        f"Accuracy of {len(ended)} runs against {len(paths)} settings; the best, {100 * _result(best)[by]:.2f} %, has "
        f"{label_text(settings)}{f'; {n_left} runs are not complete' if n_left else ''}.",
    )


def _result(state: RunState) -> Mapping[str, Any]:
    """Return the result of a run that has one."""
    return state.result or {}


def values_of(states: list[RunState], path: str) -> list[Any]:
    """Return the values of a setting that occur, numbers by size, others in the order of the grid."""
    texts = dict.fromkeys(json.dumps(state.varied[path]) for state in states)
    values = [json.loads(text) for text in texts]
    numbers = all(map(is_real, values))
    return sorted(values) if numbers else values


def _panel(axes: "Axes", states: list[RunState], path: str, by: str, values: list[Any]) -> None:
    place = {json.dumps(value): position for position, value in enumerate(values)}
    places = np.array([place[json.dumps(state.varied[path])] for state in states])
    accuracies = np.array([100 * _result(state)[by] for state in states])
    counted = np.array([state.state == "complete" for state in states])
    # Side by side, since many runs are equally good. Multiples of the golden ratio fill the room evenly and, unlike
    # the order of the grid, show no pattern of another setting.
    beside = np.zeros(len(states))
    for position in range(len(values)):
        here = places == position
        width = HALF_WIDTH * min(1, here.sum() / MANY) ** 0.5
        beside[here] = width * (2 * (np.arange(here.sum()) * GOLDEN + 0.5) % 2 - 1)
    x = places + beside
    axes.scatter(x[counted], accuracies[counted], s=9, color=SKY, linewidths=0, label="a run")
    if not counted.all():
        axes.scatter(x[~counted], accuracies[~counted], s=16, color=GREY, marker="x", linewidths=1, label="given up")
    there = [position for position in range(len(values)) if (counted & (places == position)).any()]
    of_value = [accuracies[counted & (places == position)] for position in there]
    axes.plot(there, [here.max() for here in of_value], color=VERMILION, marker="^", linestyle="--", label="best")
    axes.plot(there, [here.mean() for here in of_value], color=BLACK, marker="o", markersize=5, label="mean")
    texts = [short_text(shown_setting(value)) for value in values]
    shown = thinned(len(values), 12)
    crowded = sum(len(texts[position]) + 1 for position in shown) > MOST_CHARACTERS
    set_names(axes.xaxis, shown, [texts[position] for position in shown], **({"rotation": 90} if crowded else {}))
    axes.set_xlim(-0.5, len(values) - 0.5)
    axes.set_xlabel(label_text(path), parse_math=False)
    tidy(axes)
    axes.grid(axis="x", visible=False)
