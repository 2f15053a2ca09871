"""Cross-validations side by side in one picture: which is better, and on how many of the folds."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from spikenn_cy.experiments.comparison import Comparison
from spikenn_cy.experiments.comparison import compare as compared
from spikenn_cy.experiments.tables import SET_NAMES
from spikenn_cy.plots.canvas import BLUE
from spikenn_cy.plots.canvas import GREY
from spikenn_cy.plots.canvas import VERMILION
from spikenn_cy.plots.canvas import new_figure
from spikenn_cy.plots.canvas import set_names
from spikenn_cy.plots.canvas import tidy
from spikenn_cy.plots.canvas import with_alt_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def compare(outputs: Sequence[str | os.PathLike[str]] | Comparison) -> "Figure":
    """Return accuracies of cross-validations fold by fold, and how they differ from the first one.

    Parameters
    ----------
    outputs : sequence of path-like, or Comparison
        As for `spikenn_cy.experiments.comparison.compare`, or what it returned.

    Returns
    -------
    matplotlib.figure.Figure
        On the left a line for each fold and a mark for each mean, with one population standard deviation, as in
        ``score``; on the right the differences from the first cross-validation, a point for each fold.

    Raises
    ------
    RunError
        As `spikenn_cy.experiments.comparison.compare`.
    MissingExtra
        If matplotlib or SciPy is not installed.
    """
    found = outputs if isinstance(outputs, Comparison) else compared(outputs)
    figure = new_figure(3.8)
    left, right = figure.subplots(1, 2, width_ratios=[3, 2])
    names = list(found.accuracies)
    _accuracies(left, found, names)
    pairs = [pair for pair in found.pairs if pair.first == names[0]]
    for position, pair in enumerate(pairs):
        values = 100 * np.array(list(pair.differences.values()))
        # Beside each other where many folds differ by the same.
        aside = np.linspace(-0.12, 0.12, len(values)) if len(values) > 1 else np.zeros(len(values))
        right.plot(position + aside, values, "o", color=VERMILION, markersize=4, alpha=0.8, linestyle="none")
        if len(values):
            right.plot([position - 0.25, position + 0.25], [values.mean()] * 2, color=BLUE, linewidth=2.5)
    right.axhline(0, color=GREY, linewidth=1)
    set_names(right.xaxis, range(len(pairs)), [pair.second for pair in pairs])
    right.set_xlim(-0.6, len(pairs) - 0.4)
    right.set_xlabel("cross-validation")
    right.set_ylabel(f"difference from {names[0]} (% points)")
    tidy(right)
    means = ", ".join(f"{name} {100 * np.mean(list(found.accuracies[name].values())):.2f} %" for name in names)
    return with_alt_text(
        figure, f"Mean {SET_NAMES[found.measured_on]} accuracy over folds: {means}; and differences fold by fold."
    )


def _accuracies(axes: "Axes", found: Comparison, names: Sequence[str]) -> None:
    for fold in found.folds:
        curve = [100 * found.accuracies[name].get(fold, np.nan) for name in names]
        axes.plot(range(len(names)), curve, color="#999999", linewidth=0.8, marker="o", markersize=3, alpha=0.8)
    for position, name in enumerate(names):
        values = 100 * np.array(list(found.accuracies[name].values()))
        axes.errorbar(
            position, values.mean(), yerr=values.std(), color=BLUE, marker="s", markersize=7, capsize=5, linewidth=2
        )
    axes.plot([], [], color="#999999", linewidth=0.8, marker="o", markersize=3, label="a fold")
    axes.plot([], [], color=BLUE, marker="s", linestyle="none", label="mean ± standard deviation")
    axes.legend(frameon=False, fontsize=8)
    set_names(axes.xaxis, range(len(names)), names)
    axes.set_xlim(-0.4, len(names) - 0.6)
    axes.set_xlabel("cross-validation")
    axes.set_ylabel(f"{SET_NAMES[found.measured_on]} accuracy (%)")
    tidy(axes)
