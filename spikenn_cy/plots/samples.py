"""Samples as the images that they are: whether data were read as they were meant is seen at a glance."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.plots.canvas import new_figure
from spikenn_cy.plots.canvas import short_text
from spikenn_cy.plots.canvas import with_alt_text
from spikenn_cy.plots.source import dataset_given
from spikenn_cy.plots.weights import square_side
from spikenn_cy.utils.validation import is_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

A_ROW, MOST = 10, 100


def samples(dataset: SpikingDataset, numbers: Iterable[int] | None = None) -> "Figure":
    """Return samples as images, in which a pixel is the darker the earlier it spikes.

    Parameters
    ----------
    dataset : SpikingDataset
        Whose ``input_shape`` is that of images, ``(rows, columns)`` or ``(rows, columns, channels)``, or whose inputs
        form a square. Of several channels of a pixel, the first one to spike is shown.
    numbers : iterable of int, optional
        Which samples, 100 at most. None: the first ten.

    Returns
    -------
    matplotlib.figure.Figure
        Ten images a row, with the class of each above it if there are labels.

    Raises
    ------
    DataError
        If the samples are no images, or there is none with such a number.
    MissingExtra
        If matplotlib is not installed.
    """
    dataset = dataset_given(dataset)
    side = square_side(dataset.n_inputs) if len(dataset.input_shape) == 1 else None
    shape = dataset.input_shape if side is None else (side, side)
    place = dataset.source or "dataset"
    require(len(shape) in (2, 3), f"{place}: input_shape", "must be that of images", shape, DataError)
    numbers = range(min(A_ROW, len(dataset))) if numbers is None else numbers
    require(isinstance(numbers, Iterable), "numbers", "must be several numbers of samples", numbers, DataError)
    wanted = [*numbers]
    require(1 <= len(wanted) <= MOST, "numbers", f"must be of 1 to {MOST} samples", len(wanted), DataError)
    for number in wanted:
        known = is_whole(number) and 0 <= number < len(dataset)
        require(known, "numbers", f"must be from 0 to {len(dataset) - 1}", number, DataError)
    chosen = dataset[np.array(wanted)]
    images = chosen.to_dense().reshape(len(wanted), *(*shape, 1)[:3]).min(axis=3)

    n_columns = min(A_ROW, len(wanted))
    n_rows = -(-len(wanted) // n_columns)
    figure = new_figure(max(1.0, n_rows * (0.3 + 0.8 * min(2.0, shape[0] / shape[1]))), max(3.0, 0.8 * n_columns))
    panels = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    for axes in panels[len(wanted) :]:
        axes.set_axis_off()
    for number, (axes, image) in enumerate(zip(panels, images, strict=False)):
        axes.imshow(image, cmap="gray", vmin=0, vmax=chosen.max_time, interpolation="nearest")
        axes.set_xticks([])
        axes.set_yticks([])
        if chosen.labels is not None:
            axes.set_title(short_text(chosen.classes[chosen.labels[number]]), fontsize="small")
    said = f"{len(wanted)} sample{'s' * (len(wanted) > 1)} as images of {shape[0]} by {shape[1]} pixels"
    return with_alt_text(figure, f"{said}, the darker a pixel the earlier it spikes.")
