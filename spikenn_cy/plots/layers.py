"""How much each hidden layer of a network that learns in every layer says, and how many samples still teach it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spikenn_cy.errors import RunError
from spikenn_cy.network.readout import Readout
from spikenn_cy.plots.canvas import COLOURS
from spikenn_cy.plots.canvas import GREY
from spikenn_cy.plots.canvas import VERMILION
from spikenn_cy.plots.canvas import new_figure
from spikenn_cy.plots.canvas import tidy
from spikenn_cy.plots.canvas import whole_numbers
from spikenn_cy.plots.canvas import with_alt_text
from spikenn_cy.plots.source import NotRecorded
from spikenn_cy.plots.source import Source
from spikenn_cy.plots.source import each_epoch
from spikenn_cy.plots.source import folder_given
from spikenn_cy.storage.kinds import STATS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BAND = (10, 90)  # percent of the samples, between which the band lies


def layers(run: str | os.PathLike[str]) -> "Figure":
    """Return spikes of the hidden layers and shares of samples over the epochs of a training.

    Parameters
    ----------
    run : path-like
        Folder of a run with ``--save_stats`` of a network that learns in every layer.

    Returns
    -------
    matplotlib.figure.Figure
        At the left, if there is a hidden layer, the share of each one's neurons that fire
        before the decision: the mean of the training samples, and a band in which 80 % of them
        lie. At the right, shares of samples: those from which the network learned, and those in
        which no output neuron fired.

    Raises
    ------
    RunError
        If the run kept no such statistics.
    MissingExtra
        If matplotlib is not installed.
    """
    model = Source(folder_given(run)).model
    shares, samples = shares_of_epochs(run, model)
    sizes = [layer.n_neurons for layer in model.layers[:-1]]
    figure = new_figure(3.8)
    *left, right = figure.subplots(1, 2 if sizes else 1, squeeze=False)[0]
    numbers, marker = np.arange(len(samples)), "o" if len(samples) <= len(COLOURS) else ""
    said = []
    for axes in left:
        for k, size in enumerate(sizes):
            mean, low, high = shares[:, k].T
            name = f"layer {k}: {mean[-1] * size / 100:.1f} of {size:,} at last"
            colour = COLOURS[k % len(COLOURS)]
            axes.fill_between(numbers, low, high, color=colour, alpha=0.2, linewidth=0)
            axes.plot(numbers, mean, color=colour, label=name, linewidth=1.8, marker=marker, markersize=4)
            said.append(f"{mean[-1] * size / 100:.1f} of {size} neurons of layer {k} fire before the decision")
        axes.set_ylabel("neurons that fire before the decision (%)")
        _scales(axes)
    for values, looks, name in zip(
        samples.T,
        ({"color": VERMILION, "linestyle": "-"}, {"color": GREY, "linestyle": "--"}),
        ("learned from", "without an output spike"),
        strict=True,
    ):
        label = f"{name}: {values[-1]:.1f} % at last"
        right.plot(numbers, values, label=label, linewidth=1.8, marker=marker, markersize=4, **looks)
        said.append(f"{values[-1]:.1f} % of the samples {name}")
    right.set_ylabel("training samples (%)")
    _scales(right)
    words = "; ".join(said)
    return with_alt_text(figure, f"Spikes of the hidden layers over {len(samples)} epochs; in the last one {words}.")


def shares_of_epochs(run: str | os.PathLike[str], model: Readout) -> tuple[np.ndarray, np.ndarray]:
    """Return what a run's statistics say of its layers.

    Returns
    -------
    shares : ndarray of float64, shape (n_epochs, n_layers, 3)
        Of each layer's neurons that fire before the decision, in percent: mean of the samples, and
        the percentiles between which the band lies.
    samples : ndarray of float64, shape (n_epochs, 2)
        Percent of the samples from which was learned, and of those without an output spike.

    Raises
    ------
    NotRecorded
        If there are no statistics, or the last layer alone learns.
    RunError
        If they are of another network.
    """
    if not model.config.optimizer.every_layer:
        raise NotRecorded("no hidden layer that learns: the last layer alone does")
    sizes = np.array([layer.n_neurons for layer in model.layers])
    shares, samples = [], []
    for learned, n_spikes in each_epoch(run, "learned", "n_spikes"):
        if n_spikes.ndim != 2 or n_spikes.shape != (len(learned), len(sizes)) or len(learned) == 0:
            raise RunError(f"{Path(run, STATS)}: must be of this network's {len(sizes)} layers, got other statistics")
        fired = 100 * n_spikes / sizes
        shares.append(np.stack([fired.mean(0), *np.percentile(fired, BAND, axis=0)], axis=1))
        samples.append([100 * np.mean(learned != 0), 100 * np.mean(n_spikes[:, -1] == 0)])
    return np.array(shares), np.array(samples)


def _scales(axes: "Axes") -> None:
    whole_numbers(axes.xaxis)
    axes.set_xlabel("epoch")
    axes.set_ylim(bottom=0)
    axes.margins(y=0.3)
    axes.legend(frameon=False, fontsize=9)
    tidy(axes)
