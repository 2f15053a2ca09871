"""What every extractor asks of images, so that all refuse the same in the same words."""

from typing import Any

import numpy as np
import numpy.typing as npt

from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.utils.validation import require_unmasked


def checked_images(images: Any) -> npt.NDArray[np.uint8]:
    """Return ``images`` with an axis of channels, not copied, or say what is wrong with them."""
    require_unmasked(images, "images", "fill in what is masked")
    try:
        found = np.asarray(images)
    except (TypeError, ValueError) as problem:
        raise DataError(f"images: must be an array of uint8, got {type(images).__name__}") from problem
    require(found.dtype == np.uint8, "images", "must be uint8", found.dtype, DataError)
    rule = "must have the shape (n, rows, columns) or (n, rows, columns, channels), nothing of it 0"
    require(found.ndim in (3, 4) and found.size > 0, "images", rule, found.shape, DataError)
    return found[..., None] if found.ndim == 3 else found


def require_shape_of_fit(shape: tuple[int, ...], fitted: tuple[int, ...] | None) -> None:
    """Raise `DataError` unless images are of the shape of those that were learned from, as far as it is known."""
    ok = fitted is None or shape == fitted
    require(ok, "images", f"must be of the shape of those of fit, {fitted}", shape, DataError)
