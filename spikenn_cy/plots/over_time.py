"""What a network would get right if it had to answer sooner."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

import numpy as np
import numpy.typing as npt

from spikenn_cy.data.classes import in_classes
from spikenn_cy.data.classes import require_labels
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.network.over_time import over_time
from spikenn_cy.network.readout import Readout
from spikenn_cy.plots.canvas import BLACK
from spikenn_cy.plots.canvas import BLUE
from spikenn_cy.plots.canvas import GREEN
from spikenn_cy.plots.canvas import VERMILION
from spikenn_cy.plots.canvas import new_figure
from spikenn_cy.plots.canvas import tidy
from spikenn_cy.plots.canvas import with_alt_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def accuracy_over_time(
    model: Readout, dataset: SpikingDataset, times: Sequence[float] | npt.NDArray[Any] | None = None
) -> "Figure":
    """Return the accuracy of answers at each time of a sample, and how many samples are decided by then.

    Parameters
    ----------
    model : Readout
    dataset : SpikingDataset
        With labels, matched to the network by ``classes``.
    times : sequence of float or ndarray of shape (n_times,), optional
        From 0 to ``max_time``. Default: those of the spikes in the data if they are 64 at most, else 64 evenly spaced.

    Returns
    -------
    matplotlib.figure.Figure
        The accuracy at a time is that of ``predict(dataset, until=time)``.

    Raises
    ------
    DataError
        If the data do not suit the network, or there is no sample or label.
    MissingExtra
        If matplotlib is not installed.
    """
    if not isinstance(model, Readout):
        raise DataError(f"model: must be a Readout, got {type(model).__name__}")
    if not isinstance(dataset, SpikingDataset):
        raise DataError(f"dataset: must be a SpikingDataset, got {type(dataset).__name__}")
    require(len(dataset) > 0, dataset.source or "dataset", "must hold at least one sample", len(dataset), DataError)
    require_labels(dataset, "dataset")
    found = over_time(model, in_classes(dataset, model.classes), times)
    figure = new_figure(4.2)
    axes = figure.subplots()
    last = 100 * found.accuracy[-1]
    curves = (
        (found.accuracy, f"right if answered then, at last {last:.2f} %", BLUE, "-"),
        (found.decided, "decided by an output spike", BLACK, ":"),
        (found.right_by_spike, "right by first spikes alone", GREEN, "--"),
    )
    for values, label, color, line in curves:
        axes.step(found.times, 100 * values, where="post", label=label, linewidth=1.8, color=color, linestyle=line)
    enough = found.times[np.argmax(found.accuracy >= found.accuracy[-1] - 0.01)]
    axes.axvline(enough, color=VERMILION, linewidth=1.2, label=f"within a point of it from {enough:.3g} on")
    axes.set_xlim(0, model.max_time)
    axes.set_ylim(0, 100)
    axes.set_xlabel(f"time of the answer (a sample ends at {model.max_time:g})")
    axes.set_ylabel("samples (%)")
    tidy(axes)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return with_alt_text(
        figure,
        f"Accuracy over time of {len(dataset):,} samples: {last:.2f} % at the end, within a point of it from "
        f"{enough:.3g} of {model.max_time:g} on; {100 * found.decided[-1]:.1f} % are decided by an output spike.",
    )
