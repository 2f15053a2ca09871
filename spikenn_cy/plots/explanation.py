"""Why a sample is decided as it is, as a picture: which inputs spoke for the winner, and when it had heard enough."""

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from spikenn_cy.errors import DataError
from spikenn_cy.network.explanation import Explanation
from spikenn_cy.plots.canvas import BLACK
from spikenn_cy.plots.canvas import BLUE
from spikenn_cy.plots.canvas import VERMILION
from spikenn_cy.plots.canvas import diverging
from spikenn_cy.plots.canvas import new_figure
from spikenn_cy.plots.canvas import tidy
from spikenn_cy.plots.canvas import with_alt_text
from spikenn_cy.plots.weights import square_side

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_IMAGES, A_ROW = 6, 3
Image = npt.NDArray[np.float64]


def explanation(found: Explanation) -> "Figure":
    """Return the weights of the spikes that carried a neuron over its threshold, as an image, and its potential.

    Parameters
    ----------
    found : Explanation
        As `Readout.explain` returns it, or its ``of``.

    Returns
    -------
    matplotlib.figure.Figure
        At the left, where inputs form an image, the weight of each input that had spiked; channels of one pixel are
        added up. Of a neuron on hidden ones, these images of the hidden spikes with the largest weights. At the right
        the potential, up to the threshold.

    Raises
    ------
    DataError
        If it is no explanation.
    MissingExtra
        If matplotlib is not installed.
    """
    if not isinstance(found, Explanation):
        rule = "must be what explain returns"
        raise DataError(f"explanation: {rule}, got {type(found).__name__}")
    images = images_of(found)
    n_columns = min(A_ROW, len(images))
    n_rows = -(-len(images) // A_ROW) if images else 1
    figure = new_figure(3.8 if n_rows == 1 else 4.6)
    # The curve is as wide as two images, at least.
    grid = figure.add_gridspec(n_rows, n_columns + 2)
    largest = max((float(np.nanmax(np.abs(image), initial=0)) for _, image in images), default=0.0) or 1.0
    places = []
    for k, (title, image) in enumerate(images):
        axes = figure.add_subplot(grid[k // A_ROW, k % A_ROW])
        drawn = axes.imshow(image, cmap=diverging(), vmin=-largest, vmax=largest)
        axes.set_facecolor("#EEEEEE")
        axes.set_title(title, fontsize="small")
        axes.set_xlabel("column")
        axes.set_ylabel("row")
        places.append(axes)
    if places:
        figure.colorbar(drawn, ax=places, label="synaptic weight", location="bottom", fraction=0.05, aspect=30)

    curve = figure.add_subplot(grid[:, n_columns:])
    times, last = [0.0, *found.times.tolist()], found.potentials[-1:].tolist()
    potentials = [0.0, *found.potentials.tolist()]
    curve.plot([*times, found.time], [*potentials, *(last or [0.0])], drawstyle="steps-post", color=BLUE, linewidth=1.8)
    curve.axhline(found.threshold, color=BLACK, linestyle=":", linewidth=1.2)
    curve.text(0, found.threshold, " threshold", va="bottom", fontsize="small")
    curve.axvline(found.time, color=VERMILION, linewidth=1.2)
    curve.set_xlabel("time" if found.fired else "time; it does not fire")
    curve.set_ylabel("potential")
    curve.set_xlim(left=0)
    tidy(curve)
    decision = "" if found.predicted is None else f"class {found.predicted}, decided by {found.decided_by}: "
    figure.suptitle(f"{decision}{found.name}")
    return with_alt_text(figure, f"{found.caption[:1].upper()}{found.caption[1:]}.")


def images_of(found: Explanation) -> list[tuple[str, Image]]:
    """Return titles and images to draw: of the inputs, or of the strongest hidden spikes; none if there are none."""
    if found.layer == 0:
        image = image_of(found)
        return [] if image is None else [(f"{len(found.inputs)} spikes", image)]
    if found.layer > 1:
        return []
    strongest = np.argsort(-np.abs(found.weights), kind="stable")[:MOST_IMAGES]
    drawn = []
    for k in sorted(strongest.tolist()):
        image = image_of(found.of(found.inputs[k]))
        if image is not None:
            drawn.append((f"{found.inputs[k]}, weight {found.weights[k]:.2g}", image))
    return drawn


def image_of(found: Explanation) -> Image | None:
    """Return the weights of the inputs that spiked as an image, NaN elsewhere, or None if inputs form none."""
    shape = found.input_shape
    if len(shape) == 1:
        side = square_side(math.prod(shape))
        if side is None:
            return None
        shape = (side, side)
    if len(shape) not in (2, 3):
        return None
    image = np.full((*shape, 1)[:3], np.nan)
    image.ravel()[found.inputs] = found.weights
    silent = np.isnan(image).all(axis=2)
    return np.where(silent, np.nan, np.nansum(image, axis=2))
