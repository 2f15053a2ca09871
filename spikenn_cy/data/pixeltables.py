"""Images as rows of a table, a column a pixel, which is how Kaggle hands out MNIST and its relatives."""

import csv
import math
from pathlib import Path

import numpy as np

from spikenn_cy.data.reading import opened
from spikenn_cy.dtypes import INDEX
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require

LABEL = "label"


def is_pixel_table(path: Path) -> bool:
    """Tell whether a file is a table of pixels by its first line: ``label,pixel0,…``, the same without a label."""
    return path.suffix.lower() == ".csv" and path.is_file() and _columns(path)[:2] in (
        [LABEL, "pixel0"],
        [LABEL, "pixel1"],
        ["pixel0", "pixel1"],
        ["pixel1", "pixel2"],
        [LABEL, "1x1"],
        ["1x1", "1x2"],
    )  # fmt: skip


def read_pixel_table(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Read a table of grey images.

    Returns
    -------
    images : ndarray of uint8, shape (n, side, side)
    labels : ndarray of int32, shape (n,), or None
        None if there is no column ``label``.

    Raises
    ------
    DataError
        If a row has another number of columns, a value is no whole number from 0 to 255, or images are not square.
    """
    columns = _columns(path)
    labelled = columns[0] == LABEL
    n_pixels = len(columns) - labelled
    side = math.isqrt(n_pixels)
    require(side * side == n_pixels > 1, path, "must have the pixels of square images", n_pixels, DataError)
    with opened(path, "table of whole numbers") as file:
        values = np.loadtxt(file, np.int16, delimiter=",", skiprows=1, ndmin=2, encoding="utf-8")
    require(len(values) > 0 and values.shape[1] == len(columns), path, "must have rows", values.shape, DataError)
    wrong = (values < 0) | (values > 255)
    if wrong.any():
        row, column = (int(k) for k in np.argwhere(wrong)[0])
        place = f"{path}: row {row + 1}, column {columns[column]}"
        require(False, place, "must be from 0 to 255", int(values[row, column]), DataError)
    images = values[:, int(labelled) :].astype(np.uint8).reshape(len(values), side, side)
    return images, values[:, 0].astype(INDEX) if labelled else None


def _columns(path: Path) -> list[str]:
    with opened(path, "table") as file:
        line = file.readline(1 << 20).decode("utf-8-sig", errors="replace")
    try:
        return [name.strip().lower() for name in next(csv.reader([line]), [])] or [""]
    except csv.Error:  # a long line without commas is a cell beyond all bounds
        return [""]
