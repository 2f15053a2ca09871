"""From images to input spikes: filtered, scaled to what was seen in training, and coded by latency."""

from typing import Any
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spikenn_cy.dtypes import REAL
from spikenn_cy.dtypes import STAMP
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.features._front_end import FrontEnd
from spikenn_cy.features._front_end import encode
from spikenn_cy.features.front_end import dog_kernel
from spikenn_cy.features.front_end import make_front_end
from spikenn_cy.features.front_end import planes_made
from spikenn_cy.features.stdp_csnn.settings import STDPCSNNConfig
from spikenn_cy.utils.progress import Progress
from spikenn_cy.utils.validation import require_unmasked

BLOCK = 64  # images in one call of compiled code: their times stay in the cache until their features are computed
SMALLEST = np.finfo(REAL).tiny


class Scaling(NamedTuple):
    """Value of each input that is scaled to 0, and distance to the one scaled to 1: (rows, columns, 2 * channels)."""

    low: npt.NDArray[np.float32]
    span: npt.NDArray[np.float32]


def front_end_of(config: STDPCSNNConfig, shape: tuple[int, ...], whitening: npt.NDArray[np.float32] | None) -> FrontEnd:
    """Return what filters images of a shape, (rows, columns, channels), by these kernels if they are whitened."""
    dog = None if config.dog is None else dog_kernel(int(config.dog[0]), *config.dog[1:])
    return make_front_end(shape, config.to_grayscale, dog, whitening)


def filtered(front_end: FrontEnd, images: npt.NDArray[np.uint8], verbose: bool) -> npt.NDArray[np.float32]:
    """Return all images filtered, of shape (n, rows, columns, channels), not yet split by sign."""
    values = np.empty((*images.shape[:3], front_end.n_made), REAL)
    with Progress(len(images), "filtering", unit="images", show=verbose) as progress:
        for start in range(0, len(images), BLOCK):
            some = np.ascontiguousarray(images[start : start + BLOCK])
            front_end.filter(some, values[start : start + BLOCK])
            progress.step(len(some))
    return values


def bounds_of(
    config: STDPCSNNConfig, values: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return the least and the largest value of each input, On and Off parts of filtered images interleaved."""
    least, largest = values.min(axis=0), values.max(axis=0)
    shape = (*least.shape[:2], 2 * least.shape[2])
    low = np.maximum(np.stack([least, -largest], axis=-1), 0).reshape(shape)
    high = np.maximum(np.stack([largest, -least], axis=-1), 0).reshape(shape)
    return low, np.maximum(high, SMALLEST) if config.reference_compatible else high


def scaling_between(config: STDPCSNNConfig, low: npt.NDArray[np.float32], high: npt.NDArray[np.float32]) -> Scaling:
    """Return how to scale inputs from these bounds; one with an infinite span is silent."""
    if not config.feature_scaling:
        return Scaling(np.zeros_like(low), np.ones_like(low))
    constant = low == high
    if not config.reference_compatible:
        constant |= high <= SMALLEST
    with np.errstate(over="ignore"):
        return Scaling(low, np.where(constant, REAL.type(np.inf), high - low))


def input_shape(config: STDPCSNNConfig, shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return (rows, columns, channels) of the input times of images of a shape, or raise `DataError`."""
    n_planes = shape[2] if config.whiten else planes_made(shape[2], config.to_grayscale)
    return shape[0], shape[1], 2 * n_planes


def require_bounds_for(
    config: STDPCSNNConfig,
    shape: tuple[int, ...],
    low: npt.NDArray[np.float32],
    high: npt.NDArray[np.float32],
) -> None:
    """Raise `DataError` unless these are bounds of inputs from images of a shape."""
    ok = low.shape == high.shape
    require(ok, "scaling_max", f"must have the shape of scaling_min, {low.shape}", high.shape, DataError)
    ok = low.shape == input_shape(config, shape)
    rule = f"must be as those of fit, of {low.shape[0]} x {low.shape[1]} pixels and {low.shape[2]} input channels"
    require(ok, "images", rule, shape, DataError)


def checked_times(times: Any) -> npt.NDArray[np.float32]:
    """Return input times, (n, rows, columns, channels), as float32 and in one piece, or raise `DataError`."""
    require_unmasked(times, "times", "1 is silent")
    try:
        found = np.asarray(times)
    except (TypeError, ValueError) as problem:
        raise DataError(f"times: must be an array of real numbers, got {type(times).__name__}") from problem
    require(found.dtype.kind in "fiu", "times", "must be real numbers", found.dtype, DataError)
    ok = found.ndim == 4 and found.size > 0
    rule = "must have the shape (n, rows, columns, channels), nothing of it 0"
    require(ok, "times", rule, found.shape, DataError)
    with np.errstate(over="ignore"):
        found = np.ascontiguousarray(found, STAMP)
    if not (found >= 0).all():
        place = np.argwhere(~(found >= 0))[0].tolist()
        raise DataError(f"times{place}: must be a number >= 0, got {found[tuple(place)]}")
    return found


class Coder:
    """Turns blocks of images into input times. For one thread at a time.

    Parameters
    ----------
    front_end : FrontEnd
    scaling : Scaling
    late : bool
        Whether an input below its least value in training spikes, after 1.
    """

    def __init__(self, front_end: FrontEnd, scaling: Scaling, late: bool) -> None:
        self.front_end, self.scaling, self.late = front_end, scaling, late
        rows, columns = scaling.low.shape[:2]
        self.values = np.empty((BLOCK, rows, columns, front_end.n_made), REAL)  # filtered images

    def code(self, images: npt.NDArray[Any], times: npt.NDArray[np.float32]) -> None:
        """Write the times, (n, rows, columns, 2 * channels), of at most `BLOCK` images."""
        self.front_end.filter(np.ascontiguousarray(images), self.values)
        encode(self.values[: len(images)], *self.scaling, self.late, times)

    def all_times(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the times of any number of images."""
        times = np.empty((len(images), *self.scaling.low.shape), STAMP)
        for start in range(0, len(images), BLOCK):
            self.code(images[start : start + BLOCK], times[start : start + BLOCK])
        return times
