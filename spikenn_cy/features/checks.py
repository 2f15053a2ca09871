"""What every extractor asks of images, assigned arrays and counts, so that all refuse the same in the same words."""

from typing import Any

import numpy as np

from spikenn_cy.dtypes import REAL
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.readout import require_threads


def whole_number(value: Any, name: str, least: int) -> int:
    """Return ``value`` as an int, at least ``least``."""
    ok = isinstance(value, int | np.integer) and not isinstance(value, bool)
    require(ok and value >= least, name, f"must be an integer >= {least}", value)
    return int(value)


def number_of_threads(value: Any) -> int:
    """Return ``value`` as an int, as many threads as a `Readout` takes too."""
    require_threads(value)
    return int(value)


def checked_images(images: Any) -> np.ndarray:
    """Return ``images`` with an axis of channels, not copied, or say what is wrong with them."""
    try:
        images = np.asarray(images)
    except (TypeError, ValueError) as problem:
        raise DataError(f"images: must be an array of uint8, got {type(images).__name__}") from problem
    require(images.dtype == np.uint8, "images", "must be uint8", images.dtype, DataError)
    rule = "must have the shape (n, rows, columns) or (n, rows, columns, channels), nothing of it 0"
    require(images.ndim in (3, 4) and images.size > 0, "images", rule, images.shape, DataError)
    return images[..., None] if images.ndim == 3 else images


def real_array(values: Any, name: str, n_axes: int) -> np.ndarray:
    """Return a read-only copy of ``values`` as float32, finite and of so many axes, or raise `DataError`."""
    try:
        given = np.asarray(values)
    except (TypeError, ValueError) as problem:
        raise DataError(f"{name}: must be an array of real numbers, got {type(values).__name__}") from problem
    require(given.dtype.kind in "fiu", name, "must be real numbers", given.dtype, DataError)
    require(given.ndim == n_axes, name, f"must have {n_axes} axes", given.shape, DataError)
    with np.errstate(over="ignore"):
        array = np.array(given, REAL, order="C")
    if not np.isfinite(array).all():
        place = np.argwhere(~np.isfinite(array))[0].tolist()
        raise DataError(f"{name}{place}: must be finite, got {given[tuple(place)]}")
    return read_only(array)


def read_only(array: np.ndarray) -> np.ndarray:
    """Return ``array`` after forbidding writes to it."""
    array.flags.writeable = False
    return array
