"""The four IDX files in which MNIST and its relatives are handed out, under any of the names they go by."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from spikenn_cy.data.imagefiles import check_labels
from spikenn_cy.data.images import read_idx
from spikenn_cy.dtypes import INDEX
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require

SIZE = (28, 28)
N_CLASSES = 10
FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")

Part = tuple[np.ndarray, np.ndarray]  # images (n, 28, 28) uint8, labels (n,) int32


def find(folder: Path) -> list[Path]:
    """Return the four files in ``folder``: gzipped or not, with a dash or a dot before ``idx``; the first there is.

    Raises
    ------
    DataError
        If one of them is missing.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: must be a folder, got {'a file' if folder.exists() else 'no such folder'}")
    found = []
    for name in FILES:
        names = [f"{stem}{suffix}" for stem in (name, name.replace("-idx", ".idx")) for suffix in ("", ".gz")]
        there = [folder / other for other in names if (folder / other).exists()]
        if not there:
            raise DataError(f"{folder}: must hold {name}.gz, as it is or unpacked, got no such file")
        found.append(there[0])
    return found


def read(paths: Sequence[Path]) -> tuple[Part, Part]:
    """Read training and test images from what `find` found.

    Raises
    ------
    DataError
        If a file is no IDX file, does not hold what it must, or does not fit the other one of its part.
    """
    return read_part(*paths[:2]), read_part(*paths[2:])


def read_part(images_path: Path, labels_path: Path) -> Part:
    """Read the images and labels of one part."""
    images = read_idx(images_path)
    ok = images.dtype == np.uint8 and images.ndim == 3 and images.shape[1:] == SIZE and len(images) > 0
    rule = f"must hold bytes, {SIZE[0]} x {SIZE[1]} for each image"
    require(ok, images_path, rule, f"{images.dtype} {images.shape}", DataError)
    labels = read_idx(labels_path)
    ok = labels.dtype == np.uint8 and labels.ndim == 1
    require(ok, labels_path, "must hold bytes, one for each label", f"{labels.dtype} {labels.shape}", DataError)
    rule = f"must hold a label for each of the {len(images)} images in {images_path.name}"
    require(len(labels) == len(images), labels_path, rule, len(labels), DataError)
    check_labels(labels, N_CLASSES, f"{labels_path}: labels")
    return images, labels.astype(INDEX)
