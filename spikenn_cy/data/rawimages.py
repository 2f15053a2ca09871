"""Image folders as the reference's scripts write them: bytes without a header, whose sizes alone say what they are."""

import os
from pathlib import Path

import numpy as np

from spikenn_cy.data.imagefiles import check_labels
from spikenn_cy.data.reading import opened
from spikenn_cy.dtypes import INDEX
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require

PARTS = ("train", "val", "test")
SIZES = {784: (28, 28), 3072: (32, 32, 3)}  # shape of an image by its number of bytes


def is_raw(folder: Path) -> bool:
    """Tell whether ``folder`` holds a part of an image set in this layout."""
    return any(holds(folder, part) for part in PARTS)


def holds(folder: Path, part: str) -> bool:
    """Tell whether a part is there; a link that leads nowhere is as well, and is not to be passed over."""
    return any(os.path.lexists(folder / f"{kind}_{part}.bin") for kind in "Xy")


def read_raw(folder: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Read ``X_train.bin``, ``y_train.bin`` and, as far as they are there, those of ``val`` and ``test``.

    Parameters
    ----------
    folder : Path
        Images are uint8, one after the other, rows then columns then channels; labels
        uint8, one a byte. The number of labels decides the size of an image.

    Returns
    -------
    dict
        By part, images of shape (n, 28, 28) or (n, 32, 32, 3), mapped, and labels
        (n,) int32. Labels of ``val`` and ``test`` are none that ``train`` lacks above its largest.

    Raises
    ------
    DataError
        If a file is missing, empty or not as long as the number of labels asks for.
    """
    found = {"train": read_part(folder, "train")}
    for part in PARTS[1:]:
        if holds(folder, part):
            found[part] = read_part(folder, part)
    size = found["train"][0].shape[1:]
    n_classes = int(found["train"][1].max()) + 1
    for part, (images, labels) in found.items():
        place = folder / f"X_{part}.bin"
        require(
            images.shape[1:] == size, place, f"must be of size {size} like X_train.bin", images.shape[1:], DataError
        )
        check_labels(labels, n_classes, f"{folder / f'y_{part}.bin'}")
    return found


def read_part(folder: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Read images and labels of one part."""
    path = folder / f"y_{part}.bin"
    labels = mapped(path)
    require(len(labels) > 0, path, "must hold at least one label", "an empty file", DataError)
    path = folder / f"X_{part}.bin"
    pixels = mapped(path)
    n_bytes = len(pixels) // len(labels)
    ok = n_bytes in SIZES and n_bytes * len(labels) == len(pixels)
    sizes = " or ".join(map(str, SIZES))
    rule = f"must hold {sizes} bytes for each of the {len(labels)} labels in y_{part}.bin"
    require(ok, path, rule, f"{len(pixels)} bytes", DataError)
    return pixels.reshape(len(labels), *SIZES[n_bytes]), labels.astype(INDEX)


def mapped(path: Path) -> np.ndarray:
    """Return the bytes of a file."""
    with opened(path, "file of bytes") as file:
        empty = os.fstat(file.fileno()).st_size == 0  # and an empty file cannot be mapped
        return np.zeros(0, np.uint8) if empty else np.memmap(file, dtype=np.uint8, mode="r")
