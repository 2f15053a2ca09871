"""How the first spike of one sample came about: its spikes in every layer, and the moment of the decision."""

from dataclasses import dataclass
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
from spikenn_cy.plots.canvas import VERMILION
from spikenn_cy.plots.canvas import new_figure
from spikenn_cy.plots.canvas import set_names
from spikenn_cy.plots.canvas import short_text
from spikenn_cy.plots.canvas import thinned
from spikenn_cy.plots.canvas import with_alt_text
from spikenn_cy.plots.source import dataset_given
from spikenn_cy.plots.source import model_given
from spikenn_cy.utils.validation import is_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_NAMES = 20  # of classes, between which there are lines
HALF_AS_MANY = 10
MARGIN = 0.04  # of a panel's times, left free before and after its spikes
CLOSE = 0.4  # share of the input's times: output spikes within less are shown in times of their own
AFTER = "#EEEEEE"


def raster(model: Readout, dataset: SpikingDataset, sample: int = 0) -> "Figure":
    """Return the spikes of one sample, layer above layer: its inputs', all neurons' first ones, and the decision.

    Parameters
    ----------
    model : Readout
    dataset : SpikingDataset
        With labels, matched to the network by ``classes``.
    sample : int
        Number of the sample.

    Returns
    -------
    matplotlib.figure.Figure
        Of the neurons all first spikes are shown; those after the decision, which inference
        does not wait for, in the shaded part. Silent neurons have no mark. Output spikes that are
        close to each other are shown in times of their own, which lines connect to those above.
        Beside it stands the image, if the ``input_shape`` of the data is one of an image.

    Raises
    ------
    DataError
        If the data do not suit the network, or there is no such sample.
    MissingExtra
        If matplotlib is not installed.
    """
    shot = _Shot.of(model_given(model), dataset_given(dataset), sample)
    figure = new_figure(6.0 + 2.4 * len(shot.hidden))
    n_rows = 2 + len(shot.hidden)
    if shot.image is None:
        panels = list(figure.subplots(n_rows, 1))
    else:
        places = figure.add_gridspec(n_rows, 2, width_ratios=[1, 3.6])
        panels = [figure.add_subplot(places[row, 1]) for row in range(n_rows)]
    *uppers, below = panels
    _layers(uppers, shot)
    _outputs(below, shot)
    span, zoomed = _limits(shot)
    for axes in panels:
        limits = zoomed if axes is below else span
        axes.set_xlim(*limits)
        axes.axvline(shot.moment, color=VERMILION, linewidth=1.2)
        axes.axvspan(shot.moment, limits[1], color=AFTER, zorder=0, linewidth=0)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in uppers:
        axes.tick_params(labelbottom=False)
    if zoomed != span:
        figure.set_layout_engine("constrained", hspace=0.1)  # room for the lines
        _connect(uppers, below, zoomed)
    below.set_xlabel(f"time (a sample ends at {shot.end:g})")
    if shot.image is not None:
        _draw_image(figure.add_subplot(places[0, 0]), shot)
    figure.legend(*below.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    panels[0].set_title(f"sample {sample}: {shot.verdict}\n{shot.at}", fontsize=11, parse_math=False)
    return with_alt_text(
        figure,
        f"Spikes of sample {sample}: {len(shot.times)} input spikes{_until(shot)} and {np.count_nonzero(shot.fired)} "
        f"of {len(shot.fired)} output neurons; {shot.at}; {shot.verdict}.",
    )


@dataclass(frozen=True)
class _Shot:
    """One sample on its way through a network."""

    names: npt.NDArray[np.generic]
    end: float
    label: int
    n_inputs: int
    inputs: npt.NDArray[np.int32]
    times: npt.NDArray[np.float32]
    hidden: list[npt.NDArray[np.float32]]
    output: npt.NDArray[np.float32]
    winner: int
    image: npt.NDArray[np.float32] | None

    @classmethod
    def of(cls, model: Readout, dataset: SpikingDataset, sample: int) -> "_Shot":
        known = is_whole(sample) and 0 <= sample < len(dataset)
        require(known, "sample", f"must be from 0 to {len(dataset) - 1}", sample, DataError)
        one = in_classes(dataset[np.array([sample])], model.classes)
        (output,), (potentials,) = model.first_spikes(one)
        hidden = [model.first_spikes(one, layer=k)[0][0] for k in range(len(model.layers) - 1)]
        # Ties, of silent neurons too, go to the higher potential, then to the lower neuron.
        winner = int(np.lexsort((np.arange(len(output)), -potentials, output))[0])
        shape = (*dataset.input_shape, 1)[:3]
        image = one.to_dense().reshape(shape).min(axis=2) if len(dataset.input_shape) in (2, 3) else None
        spikes = one.indices, one.timestamps
        return cls(
            model.classes, model.max_time, int(one.labels[0]), dataset.n_inputs, *spikes, hidden, output, winner, image
        )

    @property
    def fired(self) -> npt.NDArray[np.bool_]:
        """Which output neurons fire."""
        fired: npt.NDArray[np.bool_] = self.output < np.float32(self.end)
        return fired

    @property
    def moment(self) -> float:
        """Time of the decision."""
        return float(self.output[self.winner])

    @property
    def per_class(self) -> int:
        return len(self.output) // len(self.names)

    @property
    def verdict(self) -> str:
        """What the sample is, and what it is taken for."""
        taken = self.names[self.winner // self.per_class]
        return f"class {short_text(self.names[self.label])}, predicted {short_text(taken)}"

    @property
    def at(self) -> str:
        """When it was decided."""
        return f"decided at {self.moment:.3g}" if self.fired[self.winner] else "silent until the end"


def _limits(shot: _Shot) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the times of the panels of inputs and hidden layers, and those of the panel of outputs."""
    fired = [*(times[times < shot.end] for times in shot.hidden), shot.output[shot.fired], [shot.moment]]
    span = _around(np.concatenate([shot.times, *fired]), shot.end)
    span = span if span[0] < span[1] else (0.0, shot.end)
    zoomed = _around(np.append(shot.output[shot.fired], shot.moment), shot.end, 3 * MARGIN)
    return span, zoomed if 0 < zoomed[1] - zoomed[0] < CLOSE * (span[1] - span[0]) else span


def _around(times: npt.NDArray[np.float32], end: float, share: float = MARGIN) -> tuple[float, float]:
    first, last = float(times.min()), float(times.max())
    margin = share * (last - first)
    return first - margin, min(last + margin, max(end, last))


def _layers(panels: "list[Axes]", shot: _Shot) -> None:
    """Mark the spikes of the inputs and of hidden neurons, a panel for each layer."""
    _events(panels[0], shot.times, shot.inputs, shot.n_inputs, "input")
    for k, (axes, times) in enumerate(zip(panels[1:], shot.hidden, strict=True)):
        spiking = np.flatnonzero(times < shot.end)
        _events(axes, times[spiking], spiking, len(times), f"neuron of layer {k}")


def _events(axes: "Axes", times: np.ndarray, numbers: np.ndarray, n_numbers: int, name: str) -> None:
    """Mark spikes of so many inputs or neurons."""
    size = float(np.clip(2000 / max(1, len(numbers)), 1.5, 12))
    axes.scatter(times, numbers, s=size, color=BLACK, linewidths=0)
    axes.set_ylabel(name)
    axes.set_ylim(n_numbers - 0.5, -0.5)


def _outputs(axes: "Axes", shot: _Shot) -> None:
    """Mark first spikes of output neurons, numbered from the top, with the name of each class."""
    n_neurons, per_class, fired = len(shot.output), shot.per_class, shot.fired
    mine = np.arange(n_neurons) // per_class == shot.label
    for those, colour, marker, title in (
        (mine & fired, BLUE, "s", "first spike, neuron of the true class"),
        (~mine & fired, GREY, "o", "of another class"),
    ):
        axes.scatter(
            shot.output[those], np.flatnonzero(those), s=14, color=colour, marker=marker, linewidths=0, label=title
        )
    axes.scatter(
        [shot.moment],
        [shot.winner],
        s=110,
        facecolors="none",
        edgecolors=VERMILION,
        linewidths=2,
        label="first of all, the decision" if fired[shot.winner] else "highest potential, the decision",
        clip_on=False,
        zorder=3,
    )
    ticks = thinned(len(shot.names), HALF_AS_MANY)
    set_names(axes.yaxis, ticks * per_class + (per_class - 1) / 2, shot.names[ticks])
    if len(shot.names) <= MOST_NAMES:
        for first in range(per_class, n_neurons, per_class):
            axes.axhline(first - 0.5, color="#DDDDDD", linewidth=0.6, zorder=0)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(n_neurons - 0.5, -0.5)
    axes.set_ylabel(f"output neuron, by class ({per_class} each)")


def _connect(uppers: "list[Axes]", lower: "Axes", limits: tuple[float, float]) -> None:
    """Show where in the times of the upper panels those of the lower one are."""
    from matplotlib.patches import ConnectionPatch

    uppers[0].xaxis.tick_top()  # away from the lines
    uppers[0].tick_params(labeltop=True)
    upper = uppers[-1]
    for time, side in zip(limits, (0, 1), strict=True):
        line = ConnectionPatch(
            xyA=(time, 0),
            coordsA=upper.get_xaxis_transform(),
            xyB=(side, 1),
            coordsB=lower.transAxes,
            color=GREY,
            linewidth=0.8,
            linestyle=":",
        )
        line.set_in_layout(False)
        upper.figure.add_artist(line)
        upper.axvline(time, color=GREY, linewidth=0.8, linestyle=":")


def _draw_image(axes: "Axes", shot: _Shot) -> None:
    """Draw inputs as the image that they form: the earlier one fires, the darker it is."""
    axes.imshow(shot.image, cmap="gray", vmin=0, vmax=shot.end, interpolation="nearest")
    axes.set_xlabel("column")
    axes.set_ylabel("row")
    axes.set_title("dark: early", fontsize=10)
    axes.locator_params(nbins=4, integer=True)


def _until(shot: _Shot) -> str:
    """Return in words how many neurons of hidden layers fired by the decision, "" without such layers."""
    counts = [(np.count_nonzero((times <= shot.moment) & (times < shot.end)), len(times)) for times in shot.hidden]
    said = "".join(f", {n} of {n_all} neurons of layer {k}" for k, (n, n_all) in enumerate(counts))
    return said and f"{said} by the decision"
