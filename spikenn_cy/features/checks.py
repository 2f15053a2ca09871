"""What every extractor asks of images, so that all refuse the same in the same words."""

from typing import Any

import numpy as np

from spikenn_cy.errors import DataError
from spikenn_cy.errors import require


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
