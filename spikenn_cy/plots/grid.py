"""What each varied setting did to the accuracy, over all runs of a grid search or an ablation."""

import json
import os
from collections.abc import Mapping
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spikenn_cy.experiments.batch import RunState
from spikenn_cy.experiments.batch import run_states
from spikenn_cy.experiments.tables import SET_NAMES
from spikenn_cy.experiments.tables import shown_setting
from spikenn_cy.plots.canvas import BLACK
from spikenn_cy.plots.canvas import BLUE
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
from spikenn_cy.plots.source import folder_given
from spikenn_cy.utils.validation import is_real

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

A_ROW = 3  # panels
GOLDEN = (5**0.5 - 1) / 2
RANKS = ("val_accuracy", "train_accuracy")  # as `best` ranks
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
        A panel for each setting, with a dot for each run. Of a grid search, with the mean and the best for each
        value, and of the accuracy by which ``best`` ranks: the last one on validation data, without such data the
        last one in training. Of an ablation, with the mean and one population standard deviation, as in its table,
        of the last accuracy on test data, if there are any. Runs that were given up by ``gridsearch_stop_acc`` are
        crosses and do not enter the means.

    Raises
    ------
    RunError
        If it is no such folder, nothing varies, or no run is complete.
    MissingExtra
        If matplotlib is not installed.
    """
    output = folder_given(output, "output")
    command = Source(output).kind
    states = run_states(output, command)
    ended = [state for state in states if state.result is not None]
    if not ended:
        raise NotRecorded("no results: no run is complete")
    # A search must not look at test data, which an ablation is about.
    order = ("test_accuracy", *RANKS) if command == "ablation" else RANKS
    by = next(key for key in order if any(_result(state)[key] is not None for state in ended) or key == order[-1])
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
        _panel(axes, _Points.of(ended, path, by, values_of(states, path)), searched=command != "ablation")
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


class _Points(NamedTuple):
    """Accuracies of runs, in percent, beside the values that a setting had in them."""

    path: str
    values: list[Any]
    places: npt.NDArray[np.int64]  # of each run's value among them
    accuracies: npt.NDArray[np.float64]
    counted: npt.NDArray[np.bool_]  # whether the run was not given up

    @classmethod
    def of(cls, states: Sequence[RunState], path: str, by: str, values: list[Any]) -> "_Points":
        place = {json.dumps(value): position for position, value in enumerate(values)}
        places = np.array([place[json.dumps(state.varied[path])] for state in states])
        accuracies = np.array([100 * _result(state)[by] for state in states])
        return cls(path, values, places, accuracies, np.array([state.state == "complete" for state in states]))

    @property
    def beside(self) -> npt.NDArray[np.float64]:
        """How far from its value each dot stands, since many runs are equally good.

        Multiples of the golden ratio fill the room evenly and, unlike the order of the grid, show no pattern of
        another setting.
        """
        beside = np.zeros(len(self.places))
        for position in range(len(self.values)):
            here = self.places == position
            width = HALF_WIDTH * min(1, here.sum() / MANY) ** 0.5
            beside[here] = width * (2 * (np.arange(here.sum()) * GOLDEN + 0.5) % 2 - 1)
        return beside

    @property
    def of_values(self) -> dict[int, npt.NDArray[np.float64]]:
        """The accuracies that count at the place of each value that has some."""
        found = {place: self.accuracies[self.counted & (self.places == place)] for place in range(len(self.values))}
        return {place: here for place, here in found.items() if len(here)}


def _panel(axes: "Axes", points: _Points, searched: bool) -> None:
    counted, there = points.counted, points.of_values
    x, at = points.places + points.beside, list(there)
    means = [here.mean() for here in there.values()]
    if searched:
        axes.plot(
            at, [here.max() for here in there.values()], color=VERMILION, marker="^", linestyle="--", label="best"
        )
        axes.plot(at, means, color=BLACK, marker="o", markersize=5, label="mean")
    else:
        spread = [here.std() for here in there.values()]
        name = "mean \u00b1 standard deviation"
        axes.errorbar(at, means, spread, color=BLUE, marker="_", markersize=16, capsize=6, label=name)
    # Above the lines, where few runs stand at a value, and below them, where they are a cloud.
    few = len(counted) < MANY * len(points.values)
    dots: dict[str, Any] = {"s": 20, "color": VERMILION, "alpha": 0.8, "zorder": 3} if few else {"s": 9, "color": SKY}
    axes.scatter(x[counted], points.accuracies[counted], linewidths=0, label="a run", **dots)
    if not counted.all():
        looks: dict[str, Any] = {"s": 16, "color": GREY, "marker": "x", "linewidths": 1}
        axes.scatter(x[~counted], points.accuracies[~counted], label="given up", **looks)
    texts = [short_text(shown_setting(value)) for value in points.values]
    shown = thinned(len(texts), 12)
    crowded = sum(len(texts[position]) + 1 for position in shown) > MOST_CHARACTERS
    set_names(axes.xaxis, shown, [texts[position] for position in shown], **({"rotation": 90} if crowded else {}))
    axes.set_xlim(-0.5, len(texts) - 0.5)
    axes.set_xlabel(label_text(points.path), parse_math=False)
    tidy(axes)
    axes.grid(axis="x", visible=False)
