"""The files of an image folder: all images once, and for every split the positions of its images.

Ten folds of 60,000 images would otherwise be ten copies of them. ``images.npz`` stands at the
top; the ``split.npz`` of ``gs/`` and of ``kfold/3/`` finds it one or two folders above.
"""

import hashlib
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from spikenn_cy.data.archive import read_arrays
from spikenn_cy.data.archive import write_arrays
from spikenn_cy.dtypes import INDEX
from spikenn_cy.dtypes import OFFSET
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require

FORMAT_VERSION = 1
OWN = "folder"  # name of a data set of a user's own pictures, whose labels are the names of classes
IMAGES, SPLIT = "images.npz", "split.npz"
IMAGE_ARRAYS = ("name", "train_images", "train_labels", "test_images", "test_labels", "class_names", "format_version")
SPLIT_ARRAYS = ("train", "val", "n_test", "labels_sha256", "format_version")


class ImageArrays(NamedTuple):
    """All images of a data set, as they were published."""

    name: str
    train_images: np.ndarray  # (n_train, rows, cols) or (n_train, rows, cols, channels) uint8
    train_labels: np.ndarray  # (n_train,) int32 in [0, n_classes)
    test_images: np.ndarray  # (n_test, …) like train_images
    test_labels: np.ndarray  # (n_test,) int32 in [0, n_classes)
    class_names: tuple[str, ...]  # by label


class Split(NamedTuple):
    """Which training images train and which validate, and whether the test images go with them."""

    train: np.ndarray  # (n_train,) int64 positions in ImageArrays.train_images
    val: np.ndarray  # (n_val,) int64
    n_test: int  # 0, or the number of all test images


def write_images(path: str | os.PathLike[str], arrays: ImageArrays) -> None:
    """Write all images of a data set, uncompressed and aligned, whole or not at all."""
    members = {
        "name": np.array(arrays.name),
        "train_images": np.ascontiguousarray(arrays.train_images),
        "train_labels": arrays.train_labels.astype(INDEX),
        "test_images": np.ascontiguousarray(arrays.test_images),
        "test_labels": arrays.test_labels.astype(INDEX),
        "class_names": np.array(arrays.class_names),
        "format_version": np.array(FORMAT_VERSION, dtype=np.int64),
    }
    write_arrays(path, members)


def write_split(path: str | os.PathLike[str], split: Split, train_labels: np.ndarray) -> None:
    """Write the positions of a split of the images with ``train_labels``, whole or not at all."""
    members = {
        "train": split.train.astype(OFFSET),
        "val": split.val.astype(OFFSET),
        "n_test": np.array(split.n_test, dtype=np.int64),
        "labels_sha256": np.array(digest(train_labels)),
        "format_version": np.array(FORMAT_VERSION, dtype=np.int64),
    }
    write_arrays(path, members)


def read_images(path: str | os.PathLike[str]) -> ImageArrays:
    """Read and check all images of a data set; the images are mapped.

    Raises
    ------
    DataError
        If the file cannot be read or breaks a rule of `ImageArrays`.
    """
    found = read_arrays(path, IMAGE_ARRAYS, single=("name", "format_version"), n_axes=4)
    version, name, names = found["format_version"], found["name"], found["class_names"]
    require(version == FORMAT_VERSION, f"{path}: format_version", f"must be {FORMAT_VERSION}", version, DataError)
    require(isinstance(name, str), f"{path}: name", "must be text", name, DataError)
    ok = names.dtype.kind == "U" and names.ndim == 1 and len(names) > 0
    require(ok, f"{path}: class_names", "must be a list of text", f"{names.dtype} {names.shape}", DataError)
    for part in ("train", "test"):
        images, labels = found[f"{part}_images"], found[f"{part}_labels"]
        check_images(images, f"{path}: {part}_images")
        ok = labels.dtype.kind in "iu" and labels.shape == images.shape[:1]
        rule = f"must be whole numbers, one for each of {len(images)} images"
        require(ok, f"{path}: {part}_labels", rule, f"{labels.dtype} {labels.shape}", DataError)
        check_labels(labels, len(names), f"{path}: {part}_labels")
        found[f"{part}_labels"] = labels.astype(INDEX)
    size, other = found["train_images"].shape[1:], found["test_images"].shape[1:]
    require(other == size, f"{path}: test_images", f"must be of size {size} like train_images", other, DataError)
    del found["format_version"]
    return ImageArrays(**found | {"class_names": tuple(names.tolist())})


def read_split(path: str | os.PathLike[str], arrays: ImageArrays) -> Split:
    """Read and check a split of the images in ``arrays``.

    Raises
    ------
    DataError
        If the file cannot be read, breaks a rule of `Split`, or was made for other images.
    """
    found = read_arrays(path, SPLIT_ARRAYS, single=("n_test", "labels_sha256", "format_version"))
    version, n_test, n_images = found["format_version"], found["n_test"], len(arrays.train_labels)
    require(version == FORMAT_VERSION, f"{path}: format_version", f"must be {FORMAT_VERSION}", version, DataError)
    ok = found["labels_sha256"] == digest(arrays.train_labels)
    require(ok, f"{path}: labels_sha256", f"must be that of the labels in {IMAGES}", found["labels_sha256"], DataError)
    for part in ("train", "val"):
        positions = found[part]
        ok = positions.dtype.kind in "iu" and positions.ndim == 1 and len(positions) > 0
        require(ok, f"{path}: {part}", "must be a list of positions", f"{positions.dtype} {positions.shape}", DataError)
        low, high = int(positions.min()), int(positions.max())
        ok = low >= 0 and high < n_images
        require(ok, f"{path}: {part}", f"must be in [0, {n_images})", low if low < 0 else high, DataError)
        found[part] = positions.astype(OFFSET)
    counts = np.bincount(np.concatenate([found["train"], found["val"]]))
    twice = int(counts.argmax())
    require(counts[twice] == 1, path, "must have each image once, in train or in val", f"{twice} twice", DataError)
    n_all = len(arrays.test_labels)
    require(n_test in (0, n_all), f"{path}: n_test", f"must be 0 or all {n_all} test images", n_test, DataError)
    return Split(found["train"], found["val"], n_test)


def check_images(images: np.ndarray, place: str) -> None:
    """Raise unless ``images`` is an array of at least one image."""
    ok = images.dtype == np.uint8 and images.ndim in (3, 4) and images.size > 0
    rule = "must be uint8 of shape (images, rows, columns) or (images, rows, columns, channels)"
    require(ok, place, rule, f"{images.dtype} {images.shape}", DataError)


def check_labels(labels: np.ndarray, n_classes: int, place: str) -> None:
    """Raise unless all ``labels``, whole numbers of which there is one, are in ``[0, n_classes)``."""
    wrong = (labels < 0) | (labels >= n_classes)
    if wrong.any():
        position = int(wrong.argmax())
        require(False, f"{place}[{position}]", f"must be in [0, {n_classes})", int(labels[position]), DataError)


def digest(labels: np.ndarray) -> str:
    """Return what tells these labels, in this order, from any others."""
    return hashlib.sha256(np.ascontiguousarray(labels, dtype="<i4")).hexdigest()


def images_of(folder: Path) -> Path:
    """Return where the images of the split in ``folder`` are; the nearer place if they are in neither."""
    above = folder.resolve().parents
    places = [parent / IMAGES for parent in above[:2]]
    return next((place for place in places if place.exists()), places[0] if places else folder / IMAGES)
