"""A first-spike decision as it falls: spikes come in, potentials rise, and the first over its threshold answers."""

from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any

import numpy as np
import numpy.typing as npt

from spikenn_cy.network.explanation import Explanation
from spikenn_cy.network.explanation import one_sample
from spikenn_cy.network.explanation import output_potentials
from spikenn_cy.network.readout import Readout
from spikenn_cy.plots.canvas import BLACK
from spikenn_cy.plots.canvas import BLUE
from spikenn_cy.plots.canvas import GREY
from spikenn_cy.plots.canvas import VERMILION
from spikenn_cy.plots.canvas import new_figure
from spikenn_cy.plots.canvas import short_text
from spikenn_cy.plots.canvas import with_alt_text
from spikenn_cy.plots.source import model_given
from spikenn_cy.plots.weights import square_side

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from spikenn_cy.network.explanation import Sample

MOST_CLASSES = 10  # whose potentials are drawn
BY_NAME = 2  # of them, so that names do not cover each other
LEFT_OUT = "#EFEFEF"  # what inference does not compute
PALE = "#B8B8B8"
ROOM = 0.18  # above the threshold, for what is written there, as a share of what is below
MARGIN = 0.015  # left of the first spikes, as a share of the time


def decision(model: Readout, sample: "Sample") -> "Figure":
    """Return how one sample is decided: input spikes, and below them the potentials that they raise to the thresholds.

    Parameters
    ----------
    model : Readout
    sample : SpikingDataset or tuple
        One sample, as `Readout.explain` takes it: a data set of one, such as ``dataset[3:4]``, or ``dataset[3]``.

    Returns
    -------
    matplotlib.figure.Figure
        Of each class the potential of the neuron that is the first of its class to fire, of ten classes at most: the
        earliest ones. Where neurons have thresholds of their own, potentials are shown beside them. What follows the
        decision, in the shaded part, is not computed by inference. Where inputs form an image it stands beside it.

    Raises
    ------
    DataError
        If it is no such sample, or a layer's neurons cannot be followed spike by spike.
    MissingExtra
        If matplotlib is not installed.
    """
    shown = _Decision.of(model_given(model), sample)
    figure = new_figure(4.0 + 1.1 * len(shown.hidden))
    n_rows = 2 + len(shown.hidden)
    heights = [1.0] * (n_rows - 1) + [1.7]
    places = figure.add_gridspec(n_rows, 2 if shown.image is not None else 1, height_ratios=heights)
    if shown.image is not None:
        places.set_width_ratios([1, 3.4])
        _draw_image(figure.add_subplot(places[:, 0], anchor="N"), shown)
    panels = [figure.add_subplot(places[row, -1]) for row in range(n_rows)]
    _spikes(panels[0], shown, shown.times, shown.inputs, shown.n_inputs, "input spikes")
    for number, (axes, times) in enumerate(zip(panels[1:-1], shown.hidden, strict=True)):
        fired = np.flatnonzero(times < np.float32(shown.end))
        name = "hidden spikes" if len(shown.hidden) == 1 else f"spikes of layer {number}"
        _spikes(axes, shown, times[fired], fired, len(times), name)
    _potentials(panels[-1], shown)
    for axes in panels:
        axes.set_xlim(-MARGIN * shown.last, shown.last)
        axes.axvspan(shown.moment, shown.last, color=LEFT_OUT, zorder=0, linewidth=0)
        axes.axvline(shown.moment, color=VERMILION, linewidth=1.4)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in panels[:-1]:
        axes.tick_params(labelbottom=False)
    if shown.moment < 0.8 * shown.last:
        middle = (shown.moment + shown.last) / 2
        panels[0].set_title("not computed", x=middle / shown.last, fontsize=9, color=GREY)
    panels[-1].set_xlabel("time")
    return with_alt_text(figure, shown.in_words)


@dataclass(frozen=True)
class _Decision:
    """One sample on its way to a decision.

    ``lines`` are the neurons that are drawn, the earliest first, with the class of each in ``classes``.
    """

    names: npt.NDArray[np.generic]
    end: float
    n_inputs: int
    inputs: npt.NDArray[np.int32]
    times: npt.NDArray[np.float32]
    hidden: list[npt.NDArray[np.float32]]
    lines: list[Explanation]
    classes: list[int]
    fired: bool
    image: npt.NDArray[np.float32] | None

    @classmethod
    def of(cls, model: Readout, sample: "Sample") -> "_Decision":
        one = one_sample(sample, model)
        found = model.explain(one)  # which refuses what does not suit the network
        followed = output_potentials(model, one)
        hidden = [model.first_spikes(one, layer=k)[0][0] for k in range(len(model.layers) - 1)]
        per_class = len(followed) // model.n_classes
        # The order in which an answer is taken: the earlier spike, the higher potential, the lower number.
        order = sorted(range(len(followed)), key=lambda k: (followed[k].time, -_last(followed[k]), k))
        first = {k // per_class: k for k in reversed(order)}
        leading = sorted(first.values(), key=order.index)[:MOST_CLASSES]
        return cls(
            names=model.classes,
            end=model.max_time,
            n_inputs=model.n_inputs,
            inputs=one.indices,
            times=one.timestamps,
            hidden=hidden,
            lines=[followed[k] for k in leading],
            classes=[k // per_class for k in leading],
            fired=found.fired,
            image=_image(one),
        )

    @property
    def moment(self) -> float:
        """Time of the decision."""
        return self.lines[0].time

    @property
    def last(self) -> float:
        """Time at which the picture ends."""
        return max(self.end, self.moment)

    @property
    def own_thresholds(self) -> bool:
        """Whether neurons have thresholds of their own."""
        return len({line.threshold for line in self.lines}) > 1

    @property
    def in_words(self) -> str:
        heard, name = int(np.count_nonzero(self.times <= self.moment)), short_text(self.names[self.classes[0]])
        how = (
            f"the neuron of class {name} is the first to pass its threshold, at {self.moment:.3g}"
            if self.fired
            else f"no neuron fires, and the highest potential is that of class {name}"
        )
        return (
            f"A decision: {len(self.times)} input spikes come in, {heard} of them before the decision; "
            f"potentials of {len(self.lines)} classes rise, and {how}."
        )


def _last(found: Explanation) -> float:
    return float(found.potentials[-1]) if len(found.potentials) else 0.0


def _image(one: Any) -> npt.NDArray[np.float32] | None:
    """Return when each input of a sample fires, as the image that inputs form, or None if they form none."""
    shape = one.input_shape
    if len(shape) == 1:
        side = square_side(one.n_inputs)
        shape = () if side is None else (side, side)
    if len(shape) not in (2, 3):
        return None
    image: npt.NDArray[np.float32] = one.to_dense().reshape((*shape, 1)[:3]).min(axis=2)
    return image


def _draw_image(axes: "Axes", shown: _Decision) -> None:
    """Draw the sample: the earlier an input fires, the darker it is."""
    axes.imshow(shown.image, cmap="gray", vmin=0, vmax=shown.end, interpolation="nearest")
    axes.set_xlabel("dark: early", fontsize=9)
    axes.set_ylabel("sample", fontsize=9)
    axes.set_xticks([])
    axes.set_yticks([])


def _spikes(axes: "Axes", shown: _Decision, times: np.ndarray, numbers: np.ndarray, n_numbers: int, name: str) -> None:
    """Mark spikes, in black those that the decision has heard."""
    size = float(np.clip(1500 / max(1, len(numbers)), 2, 16))
    heard = times <= np.float32(shown.moment)
    for those, colour in ((heard, BLACK), (~heard, PALE)):
        axes.scatter(times[those], numbers[those], s=size, color=colour, linewidths=0, zorder=2)
    axes.set_ylabel(name, fontsize=9)
    axes.set_ylim(n_numbers - 0.5, -0.5)
    axes.set_yticks([])


def _potentials(axes: "Axes", shown: _Decision) -> None:
    """Draw the potential of each class's first neuron, and the threshold at which it fires."""
    names = [short_text(shown.names[number]) for number in shown.classes]
    for rank, (line, name) in reversed(list(enumerate(zip(shown.lines, names, strict=True)))):
        level = line.threshold if shown.own_thresholds else 0.0
        times = np.concatenate([[0.0], line.times, [min(line.time, shown.last)]])
        potentials = np.concatenate([[0.0], line.potentials, [_last(line)]]) - level
        heard = times <= shown.moment
        colour, width = (BLUE, 2.4) if rank == 0 else (GREY, 1.1)
        axes.plot(times[heard], potentials[heard], drawstyle="steps-post", color=colour, linewidth=width, zorder=3)
        later = np.flatnonzero(~heard)
        if len(later):
            after = np.concatenate([[shown.moment], times[later]])
            reached = np.concatenate([potentials[heard][-1:], potentials[later]])
            axes.plot(after, reached, drawstyle="steps-post", color=PALE, linewidth=0.9, zorder=2)
        if 0 < rank < BY_NAME:
            axes.annotate(
                name,
                (shown.moment, potentials[heard][-1]),
                xytext=(4, 0),
                textcoords="offset points",
                fontsize=9,
                va="center",
                color=GREY,
                parse_math=False,
            )
    threshold = 0.0 if shown.own_thresholds else shown.lines[0].threshold
    axes.axhline(threshold, color=BLACK, linestyle=":", linewidth=1.4)
    axes.annotate("threshold", (0, threshold), xytext=(4, 3), textcoords="offset points", fontsize=9)
    told = f"first output spike: {names[0]}" if shown.fired else f"no output spike; highest potential: {names[0]}"
    top = (
        threshold if shown.fired else _last(shown.lines[0]) - (shown.lines[0].threshold if shown.own_thresholds else 0)
    )
    axes.plot([shown.moment], [top], marker="o", markersize=9, color=VERMILION, zorder=4, clip_on=False)
    on_the_left = shown.moment > shown.last / 2
    axes.annotate(
        told,
        (shown.moment, top),
        xytext=(-9 if on_the_left else 9, 8),
        textcoords="offset points",
        fontsize=11,
        weight="bold",
        color=VERMILION,
        ha="right" if on_the_left else "left",
        parse_math=False,
    )
    low, high = axes.get_ylim()
    axes.set_ylim(low, max(high, threshold + ROOM * (threshold - low)))
    axes.set_ylabel("potential above threshold" if shown.own_thresholds else "potential")
