"""The formats in which images reach a prediction, known by how their files begin; ``FORMATS`` has a row for each."""

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from spikenn_cy.data.convert import read_array
from spikenn_cy.data.images import GZIP
from spikenn_cy.data.images import read_idx
from spikenn_cy.data.pictures import BEGINNINGS
from spikenn_cy.data.pictures import read_picture
from spikenn_cy.data.pixeltables import is_pixel_table
from spikenn_cy.data.pixeltables import read_pixel_table
from spikenn_cy.data.reading import NUMPY
from spikenn_cy.data.reading import ZIP
from spikenn_cy.data.reading import opened
from spikenn_cy.errors import DataError
from spikenn_cy.errors import DataWarning
from spikenn_cy.errors import require

CHANNELS = (1, 3)
N_BYTES = max(map(len, (*BEGINNINGS, NUMPY)))


class ImageFormat(NamedTuple):
    """A format of files of one image or many."""

    title: str
    begins: tuple[bytes, ...]
    read: Callable[[Path], np.ndarray]


def read_npy(path: Path) -> np.ndarray:
    """Read the images in a ``.npy`` file; see `as_images`."""
    return as_images(read_array(path), str(path))


def read_one(path: Path) -> np.ndarray:
    """Read a picture as an array of one image."""
    return read_picture(path)[None]


FORMATS = {
    "npy": ImageFormat("NumPy's .npy", (NUMPY,), read_npy),
    "idx": ImageFormat("IDX, gzipped or not", (b"\0\0", GZIP), lambda path: as_images(read_idx(path), str(path))),
    "picture": ImageFormat("a picture, such as PNG or JPEG", BEGINNINGS, read_one),
}


def read_image_file(path: str | os.PathLike[str]) -> np.ndarray:
    """Read the images of a file in any format of ``FORMATS``, or of a table of pixels.

    Returns
    -------
    ndarray of uint8, shape (n, rows, columns) or (n, rows, columns, channels)

    Raises
    ------
    DataError
        If the file is none of these, or does not hold what it must.
    """
    path = Path(path)
    with opened(path, "file of images") as file:
        head = file.read(N_BYTES)
    for row in FORMATS.values():
        if head.startswith(row.begins):
            return row.read(path)
    if is_pixel_table(path):
        return read_pixel_table(path)[0]
    titles = ", ".join(row.title for row in FORMATS.values())
    found = "an empty file" if not head else "an .npz archive" if head.startswith(ZIP) else "another file"
    raise DataError(f"{path}: must hold images ({titles}), got {found}")


def as_images(array: np.ndarray, place: str) -> np.ndarray:
    """Return an array as images.

    Parameters
    ----------
    array : ndarray
        One image (rows, columns) or (rows, columns, 3), or many, (n, rows, columns), (n, rows, columns, channels) or,
        with 1 or 3 channels, (n, channels, rows, columns). Bytes are taken as they are, other whole numbers from 0 to
        255 likewise. Real numbers from 0 to 1 are multiplied by 255, and a warning says so.
    place : str
        In messages.

    Raises
    ------
    DataError
        If it has another shape, or values whose meaning is open.
    """
    ok = array.ndim in (2, 3, 4) and array.size > 0
    rule = "must hold images of shape (n, rows, columns) or (n, rows, columns, channels), or one of them"
    require(ok, place, rule, array.shape, DataError)
    one_in_colour = array.ndim == 3 and array.shape[2] in CHANNELS and min(array.shape[:2]) > max(CHANNELS)
    if array.ndim == 2 or one_in_colour:
        array = array[None]
    if array.ndim == 4 and array.shape[1] in CHANNELS and array.shape[3] not in CHANNELS:
        array = np.moveaxis(array, 1, 3)
    if one_in_colour and array.shape[3] == 1:
        array = array[..., 0]
    return _bytes(array, place)


def _bytes(array: np.ndarray, place: str) -> np.ndarray:
    if array.dtype == np.uint8:
        return array
    rule = "must hold uint8, whole numbers from 0 to 255 or real numbers from 0 to 1"
    require(array.dtype.kind in "biuf", place, rule, array.dtype, DataError)
    low, high = float(array.min()), float(array.max())
    found = f"{array.dtype} from {low:.4g} to {high:.4g}"
    require(0 <= low <= high <= 255, place, rule, found, DataError)  # not so of NaN
    if array.dtype.kind in "iu":
        return array.astype(np.uint8)
    if high <= 1:
        warnings.warn(DataWarning(f"{place}: brightness from 0 to 1 is taken as 0 to 255"), stacklevel=2)
        return np.round(array * np.float64(255)).astype(np.uint8)
    require(bool((array == np.floor(array)).all()), place, rule, found, DataError)
    return array.astype(np.uint8)
