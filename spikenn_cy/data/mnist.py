"""The four IDX files in which MNIST and its relatives are handed out, under any of the names they go by."""

from collections.abc import Iterable
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from spikenn_cy.data.imagefiles import check_labels
from spikenn_cy.data.images import read_idx
from spikenn_cy.data.pixeltables import is_pixel_table
from spikenn_cy.data.pixeltables import read_pixel_table
from spikenn_cy.dtypes import INDEX
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require

SIZE = (28, 28)

Part = tuple[np.ndarray, np.ndarray]  # images (n, 28, 28) uint8, labels (n,) int32


class Layout(NamedTuple):
    """How a relative of MNIST lies in its files.

    Attributes
    ----------
    files : tuple of str
        Training images and labels, test images and labels.
    n_classes : int
    first_label : int
        Number of the first class in the files.
    transposed : bool
        Whether columns of an image follow each other in its file, in place of rows.
    """

    files: tuple[str, str, str, str]
    n_classes: int = 10
    first_label: int = 0
    transposed: bool = False


MNIST = Layout(
    ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
)
QMNIST = Layout(
    (
        *("qmnist-train-images-idx3-ubyte", "qmnist-train-labels-idx2-int"),
        *("qmnist-test-images-idx3-ubyte", "qmnist-test-labels-idx2-int"),
    )
)


def emnist(split: str, n_classes: int, first_label: int = 0) -> Layout:
    """Return how a split of EMNIST lies in its files, whose images are transposed."""
    kinds = [f"{part}-{kind}-ubyte" for part in ("train", "test") for kind in ("images-idx3", "labels-idx1")]
    one, two, three, four = (f"emnist-{split}-{kind}" for kind in kinds)
    return Layout((one, two, three, four), n_classes, first_label, transposed=True)


def find(folder: Path, layout: Layout = MNIST, below: Iterable[str] = ()) -> list[Path]:
    """Return the four files: gzipped or not, with a dash or a dot before ``idx``; the first there is.

    Parameters
    ----------
    folder : Path
    layout : Layout
    below : iterable of str
        Folders in it, or in folders in it, that may have the files too, as other packages lay them.

    Returns
    -------
    list of Path
        Training images and labels, test images and labels; or the training and the test table, as
        Kaggle hands them out.

    Raises
    ------
    DataError
        If one of them is missing.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: must be a folder, got {'a file' if folder.exists() else 'no such folder'}")
    for place in (folder, *(folder / name for name in below)):
        found = [_under_any_name(place, name) for name in layout.files]
        if any(found):
            break
    else:
        tables = _tables(folder)
        if tables:
            return tables
        place, found = folder, [None] * len(layout.files)
    for path, name in zip(found, layout.files, strict=True):
        if path is None:
            raise DataError(f"{place}: must hold {name}.gz, as it is or unpacked, got no such file")
    return [path for path in found if path is not None]


def _under_any_name(folder: Path, name: str) -> Path | None:
    names = [f"{stem}{suffix}" for stem in (name, name.replace("-idx", ".idx")) for suffix in ("", ".gz")]
    return next((folder / other for other in names if (folder / other).exists()), None)


def _tables(folder: Path) -> list[Path]:
    """Return a training and a test table of pixels, or nothing if there are none."""
    tables = [path for path in sorted(folder.glob("*.csv")) if is_pixel_table(path)]
    for part in ("train", "test"):
        there = [path.name for path in tables if path.stem.endswith(part)]
        if len(there) != 1:
            return []
    return sorted(tables, key=lambda path: not path.stem.endswith("train"))[:2]


def read(paths: Sequence[Path], layout: Layout = MNIST) -> tuple[Part, Part]:
    """Read training and test images from what `find` found.

    Raises
    ------
    DataError
        If a file is no IDX file, does not hold what it must, or does not fit the other one of its part.
    """
    if len(paths) == 2:
        return read_table(paths[0], layout), read_table(paths[1], layout)
    return read_part(paths[0], paths[1], layout), read_part(paths[2], paths[3], layout)


def read_part(images_path: Path, labels_path: Path, layout: Layout = MNIST) -> Part:
    """Read the images and labels of one part."""
    images = read_idx(images_path)
    ok = images.dtype == np.uint8 and images.ndim == 3 and images.shape[1:] == SIZE and len(images) > 0
    rule = f"must hold bytes, {SIZE[0]} x {SIZE[1]} for each image"
    require(ok, images_path, rule, f"{images.dtype} {images.shape}", DataError)
    labels = read_idx(labels_path)
    if labels_path.name.split(".")[0].endswith("idx2-int"):
        ok = labels.dtype == np.int32 and labels.ndim == 2 and labels.shape[1] >= 1
        require(ok, labels_path, "must hold a row of int32 for each label", f"{labels.dtype} {labels.shape}", DataError)
        labels = labels[:, 0]  # the class; what follows says who wrote it
    else:
        ok = labels.dtype == np.uint8 and labels.ndim == 1
        require(ok, labels_path, "must hold bytes, one for each label", f"{labels.dtype} {labels.shape}", DataError)
    rule = f"must hold a label for each of the {len(images)} images in {images_path.name}"
    require(len(labels) == len(images), labels_path, rule, len(labels), DataError)
    if layout.transposed:
        images = np.ascontiguousarray(images.transpose(0, 2, 1))
    return images, _numbered(labels, layout, labels_path)


def read_table(path: Path, layout: Layout = MNIST) -> Part:
    """Read the images and labels of one part from a table of pixels."""
    images, labels = read_pixel_table(path)
    if labels is None:
        raise DataError(f"{path}: must have a column label, got none (it can be predicted, not measured)")
    require(images.shape[1:] == SIZE, path, f"must hold {SIZE[0]} x {SIZE[1]} pixels", images.shape, DataError)
    if layout.transposed:
        images = np.ascontiguousarray(images.transpose(0, 2, 1))
    return images, _numbered(labels, layout, path)


def _numbered(labels: np.ndarray, layout: Layout, path: Path) -> np.ndarray:
    numbers = labels.astype(INDEX) - INDEX.type(layout.first_label)
    if layout.first_label:  # else the numbers in a refusal are those of the file
        wrong = (numbers < 0) | (numbers >= layout.n_classes)
        last = layout.first_label + layout.n_classes - 1
        rule = f"must be in [{layout.first_label}, {last}]"
        require(not wrong.any(), f"{path}: labels", rule, labels[wrong][:1].tolist(), DataError)
    check_labels(numbers, layout.n_classes, f"{path}: labels")
    return numbers
