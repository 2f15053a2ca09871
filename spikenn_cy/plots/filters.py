"""What a convolution has learned to look for, all its filters in one picture."""

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.plots.canvas import GREY
from spikenn_cy.plots.canvas import SEQUENTIAL
from spikenn_cy.plots.canvas import WIDTH
from spikenn_cy.plots.canvas import axes_for
from spikenn_cy.plots.canvas import diverging
from spikenn_cy.plots.canvas import mosaic
from spikenn_cy.plots.canvas import set_names
from spikenn_cy.plots.canvas import with_alt_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOUR_CHANNELS = 6  # red on, red off, green on, green off, blue on, blue off
N_COLUMNS = 16
MOST_CHANNELS = 12


def filters(weights: npt.ArrayLike, name: str = "filter", ax: "Axes | None" = None) -> "Figure":
    """Return a picture of all filters of a convolution.

    On and off channels follow each other for each channel of the image, as `STDPCSNN` has
    them. A filter is shown as the image it answers to best: on weights minus off weights.

    Parameters
    ----------
    weights : array_like of real numbers, shape (k, k, D, C)
        Of ``C`` filters. ``D`` = 2: on and off, drawn from blue (off) to orange (on);
        ``D`` = 6: on and off of red, green and blue, drawn in these colours, each filter
        scaled by its largest difference; any other ``D`` up to 12: each channel drawn as it
        is, from left to right.
    name : str
        What one of them is called.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: in a new figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        If the weights are not finite numbers of such a shape.
    MissingExtra
        If matplotlib is not installed.
    """
    weights = _checked(weights)
    n_channels, n_filters = weights.shape[2:]
    images = shown_filters(weights)
    height, width = images.shape[1:3]
    n_columns, gap = min(N_COLUMNS, n_filters), 1
    if width > weights.shape[1]:
        gap = 3  # so that channels side by side are seen to belong together
        n_columns = min(N_COLUMNS, n_filters, math.ceil(math.sqrt(1.3 * n_filters * (height + gap) / (width + gap))))
    n_rows = -(-n_filters // n_columns)
    room = WIDTH - (0.9 if n_channels == COLOUR_CHANNELS else 1.7)  # what labels and a scale leave in width
    axes = axes_for(ax, min(1.1 + room * n_rows * (height + gap - 1) / (n_columns * (width + gap - 1)), 2.5 * WIDTH))
    if n_channels == COLOUR_CHANNELS:
        axes.imshow(mosaic((1 + images) / 2, n_columns, 1, 1.0), interpolation="nearest")
        axes.set_title(f"{n_filters} {name}s: on minus off weights of red, green and blue, grey where equal")
    else:
        largest = max(float(np.nanmax(np.abs(images))), float(np.finfo(np.float32).tiny))
        signed = n_channels == 2 or np.nanmin(images) < 0
        drawn = axes.imshow(
            mosaic(images, n_columns, gap),
            cmap=diverging() if signed else SEQUENTIAL,
            vmin=-largest if signed else 0.0,
            vmax=largest,
            interpolation="nearest",
        )
        axes.set_facecolor(GREY)
        title = "on weight minus off weight" if n_channels == 2 else "weight"
        axes.figure.colorbar(drawn, ax=axes, label=title, fraction=0.025, pad=0.015)
        beside = f", {n_channels} channels side by side" if n_channels > 2 else ""
        axes.set_title(f"{n_filters} {name}s of {height}x{weights.shape[1]} pixels{beside}")
    set_names(axes.xaxis, np.arange(n_columns) * (width + gap) + (width - 1) / 2, range(n_columns))
    set_names(axes.yaxis, np.arange(n_rows) * (height + gap) + (height - 1) / 2, range(0, n_filters, n_columns))
    axes.set_xlabel(f"{name}, counted from the number at the left")
    axes.set_ylabel(f"first {name} of the row")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return with_alt_text(
        axes,
        f"{n_filters} {name}s of {height} by {weights.shape[1]} pixels with {n_channels} channels; "
        f"weights from {weights.min():.3g} to {weights.max():.3g}, {weights.mean():.3g} on average.",
    )


def shown_filters(weights: np.ndarray) -> np.ndarray:
    """Return the filters as images.

    Returns
    -------
    ndarray of float32, shape (C, k, k) or, with six channels, (C, k, k, 3)
        On minus off weights; in colour, of each filter, as a share of the largest in size.
        Of 3 channels and more, shape (C, k, D (k + 1) - 1), side by side, NaN between them.
    """
    images: np.ndarray = np.moveaxis(weights, 3, 0)
    n_channels = images.shape[3]
    if n_channels not in (1, 2, COLOUR_CHANNELS):
        return np.array([mosaic(np.moveaxis(image, 2, 0), n_channels, 1) for image in images])
    if n_channels > 1:
        images = images[..., ::2] - images[..., 1::2]
    if images.shape[3] == 1:
        return images[..., 0]
    largest = np.abs(images).max(axis=(1, 2, 3), keepdims=True)
    return images / np.where(largest > 0, largest, 1)


def _checked(weights: npt.ArrayLike) -> np.ndarray:
    try:
        array = np.asarray(weights, dtype=np.float32)
    except (TypeError, ValueError) as problem:
        raise DataError(f"weights: must be an array of numbers, got {problem}") from None
    require(array.ndim == 4, "weights", "must have the shape (k, k, D, C)", array.shape, DataError)
    require(min(array.shape) > 0, "weights", "must have no axis of length 0", array.shape, DataError)
    ok = array.shape[2] <= MOST_CHANNELS
    require(ok, "weights", f"must have a D of at most {MOST_CHANNELS}", array.shape[2], DataError)
    if not np.isfinite(array).all():
        raise DataError("weights: must be finite, got infinite or undefined ones")
    return array
