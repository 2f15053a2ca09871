"""What each neuron or filter waits for: its synaptic weights as the image that its inputs form."""

import math
import os
from collections.abc import Iterable
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.network.readout import Readout
from spikenn_cy.plots.canvas import SEQUENTIAL
from spikenn_cy.plots.canvas import WIDTH
from spikenn_cy.plots.canvas import axes_for
from spikenn_cy.plots.canvas import diverging
from spikenn_cy.plots.canvas import mosaic
from spikenn_cy.plots.canvas import set_names
from spikenn_cy.plots.canvas import thinned
from spikenn_cy.plots.canvas import with_alt_text
from spikenn_cy.plots.filters import MOST_CHANNELS
from spikenn_cy.plots.filters import filters
from spikenn_cy.plots.source import model_given

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SMALLEST_SIDE = 3  # pixels; four or fewer inputs form no picture
MOST_COLUMNS = 25
MOST_NAMES = 25


def weights(
    model: Readout | str | os.PathLike[str], shape: Sequence[int] | None = None, ax: "Axes | None" = None
) -> "Figure":
    """Return the weights of each neuron of the first layer, whose inputs are those of the data, as images.

    Parameters
    ----------
    model : Readout or path-like
        A network, or its file.
    shape : (int, int), optional
        Height and width of the image that the inputs form, row by row. Default: the axes of
        the network's ``input_shape``, or else a square, such as 28 x 28 for 784 inputs.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: in a new figure.

    Returns
    -------
    matplotlib.figure.Figure
        Neurons of a class follow each other, if this layer has neurons of classes. Filters of
        a convolution, and neurons on images of several channels, are drawn as `filters` does.

    Raises
    ------
    DataError
        If the inputs form no such image.
    MissingExtra
        If matplotlib is not installed.
    """
    model = Readout.load(model) if isinstance(model, str | os.PathLike) else model_given(model)
    array = model.layers[0].weights
    if array.ndim == 4:
        return filters(np.moveaxis(array, 0, 3), ax=ax)
    height, width, n_channels = _image_shape(model, shape)
    if n_channels > 1:
        return filters(np.moveaxis(array.reshape(-1, height, width, n_channels), 0, 3), "neuron", ax)
    # A hidden layer's neurons belong to no class.
    n_classes = model.n_classes if len(model.layers) == 1 else 1
    n_neurons = len(array)
    per_class = n_neurons // n_classes
    slots, n_columns, gap = _arranged(n_classes, per_class, max(1, width // 14))
    images = np.full((slots.max() + 1, height, width), np.nan, np.float32)
    images[slots] = array.reshape(n_neurons, height, width)
    whole = mosaic(images, n_columns, gap)

    low, high = float(array.min()), float(array.max())
    signed = low < 0
    largest = max(abs(low), abs(high)) or 1.0
    axes = axes_for(ax, min(1.1 + (WIDTH - 1.9) * whole.shape[0] / whole.shape[1], 2 * WIDTH))
    drawn = axes.imshow(
        whole,
        cmap=diverging() if signed else SEQUENTIAL,
        vmin=-largest if signed else low,
        vmax=largest if signed else max(high, low + 1e-6),
    )
    axes.figure.colorbar(drawn, ax=axes, label="synaptic weight", fraction=0.03, pad=0.015)
    n_rows = len(images) // n_columns + (len(images) % n_columns > 0)
    pitch = height + gap
    if n_classes > 1:
        rows, firsts = np.unique(slots[::per_class] // n_columns, return_index=True)
        names = model.classes
        shown = thinned(len(rows), MOST_NAMES)
        set_names(axes.yaxis, rows[shown] * pitch + (height - 1) / 2, names[firsts[shown]])
        several = n_columns // per_class > 1
        axes.set_ylabel("first class of the row" if several else "class")
        axes.set_xlabel(
            f"neuron of the class, {per_class} each, classes side by side" if several else "neuron of the class"
        )
    else:
        shown = thinned(n_rows, MOST_NAMES)
        set_names(axes.yaxis, shown * pitch + (height - 1) / 2, shown * n_columns)
        axes.set_ylabel("first neuron of the row")
        axes.set_xlabel("neuron, counted from the number at the left")
    shown = thinned(n_columns, MOST_COLUMNS)
    several = n_classes > 1 and n_columns > per_class
    set_names(axes.xaxis, shown * (width + gap) + (width - 1) / 2, shown % per_class if several else shown)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(f"{n_neurons} neurons, {height} x {width} inputs each")
    return with_alt_text(
        axes,
        f"Synaptic weights of {n_neurons} neurons as images of {height} by {width} inputs; from {low:.3g} to "
        f"{high:.3g}, {array.mean():.3g} on average.",
    )


def image_shape(model: Readout) -> tuple[int, int, int] | None:
    """Return rows, columns and channels of the image that a network's inputs form, or None if they form none."""
    if len(model.input_shape) in (2, 3):
        rows, columns, n_channels = (*model.input_shape, 1)[:3]
        return (rows, columns, n_channels) if n_channels <= MOST_CHANNELS else None
    side = square_side(model.n_inputs)
    return None if side is None else (side, side, 1)


def square_side(n_inputs: int) -> int | None:
    """Return the side of the square that so many inputs form, or None if they form none that is worth a look."""
    side = math.isqrt(n_inputs)
    return side if side * side == n_inputs and side >= SMALLEST_SIDE else None


def _arranged(n_classes: int, per_class: int, gap: int) -> tuple[np.ndarray, int, int]:
    """Return the place of each neuron in a mosaic, its number of columns, and the gap between images."""
    if n_classes == 1:
        n_columns = min(MOST_COLUMNS, math.ceil(math.sqrt(per_class * 1.5)))
        return np.arange(per_class), n_columns, gap
    if per_class > MOST_COLUMNS:  # a class has several rows, the last of them perhaps not full
        n_rows = -(-per_class // MOST_COLUMNS)
        n_columns = -(-per_class // n_rows)
        firsts = np.arange(n_classes) * n_rows * n_columns
    else:  # a row has several classes, if that makes it more of a square
        a_row = min(max(1, round(math.sqrt(1.5 * n_classes / per_class))), MOST_COLUMNS // per_class, n_classes)
        n_columns = a_row * per_class
        firsts = np.arange(n_classes) * per_class
    return (firsts[:, None] + np.arange(per_class)).ravel(), n_columns, gap


def _image_shape(model: Readout, shape: Iterable[int] | None) -> tuple[int, int, int]:
    n_inputs = model.n_inputs
    if shape is None:
        found = image_shape(model)
        rule = "must form an image: be the square of 3 or more, or come with shape="
        if found is None:
            raise DataError(f"inputs: {rule}, got {n_inputs if len(model.input_shape) == 1 else model.input_shape}")
        return found
    try:
        height, width = (int(length) for length in shape)
    except (TypeError, ValueError):
        raise DataError(f"shape: must be height and width, got {shape!r}") from None
    right = height > 0 and width > 0 and height * width == n_inputs
    require(right, "shape", f"must be height and width of {n_inputs} inputs", shape, DataError)
    return height, width, 1
