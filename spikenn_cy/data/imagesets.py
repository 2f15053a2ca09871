"""Labelled images in their splits, with only those in memory that are looked at."""

import operator
import os
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from typing import overload

import numpy as np
import numpy.typing as npt

from spikenn_cy.data.imagefiles import IMAGES
from spikenn_cy.data.imagefiles import OWN
from spikenn_cy.data.imagefiles import SPLIT
from spikenn_cy.data.imagefiles import check_images
from spikenn_cy.data.imagefiles import check_labels
from spikenn_cy.data.imagefiles import images_of
from spikenn_cy.data.imagefiles import read_images
from spikenn_cy.data.imagefiles import read_split
from spikenn_cy.data.rawimages import is_raw
from spikenn_cy.data.rawimages import read_raw
from spikenn_cy.dtypes import INDEX
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require

BLOCK = 1000  # images: 3 MB of CIFAR's, so that a block is still in the processor's cache when it is worked on


class ImageSet:
    """Labelled images, all of one size; those of a file stay there until they are looked at.

    Parameters
    ----------
    images : ndarray of uint8, shape (n, rows, columns) or (n, rows, columns, channels)
        Kept as it is, not copied.
    labels : array_like of int, shape (n,)
        Class numbers in ``[0, n_classes)``.
    class_names : sequence of str, optional
        What the classes are called, by number. Default: the numbers from 0 to the largest label.
    positions : array_like of int, shape (n_chosen,), optional
        Only these images, in this order, with their labels. Default: all.

    Raises
    ------
    DataError
        At the first rule broken.

    Examples
    --------
    >>> fold = read_image_sets("mnist/kfold/0")
    >>> fold.train.shape
    (54000, 28, 28)
    >>> for images in fold.train.blocks(1000):
    ...     brightest = images.max()
    """

    __slots__ = ("_class_names", "_images", "_labels", "_positions")

    def __init__(
        self,
        images: np.ndarray,
        labels: npt.ArrayLike,
        class_names: Iterable[str] | None = None,
        positions: npt.ArrayLike | None = None,
    ) -> None:
        check_images(images, "images")
        labels = np.asarray(labels)
        ok = labels.dtype.kind in "iu" and labels.shape == images.shape[:1]
        rule = f"must be whole numbers, one for each of {len(images)} images"
        require(ok, "labels", rule, f"{labels.dtype} {labels.shape}", DataError)
        if class_names is None:
            class_names = map(str, range(int(labels.max()) + 1))
        self._class_names = tuple(class_names)
        check_labels(labels, len(self._class_names), "labels")
        self._images = images
        self._positions = None
        if positions is not None:
            self._positions = np.asarray(positions)
            ok = self._positions.dtype.kind in "iu" and self._positions.ndim == 1
            require(ok, "positions", "must be a list of whole numbers", self._positions.dtype, DataError)
            wrong = (self._positions < 0) | (self._positions >= len(images))
            require(
                not wrong.any(), "positions", f"must be in [0, {len(images)})", self._positions[wrong][:1], DataError
            )
            labels = labels[self._positions]
        self._labels = np.array(labels, dtype=INDEX)
        self._labels.flags.writeable = False

    @property
    def labels(self) -> np.ndarray:
        """Class of each image, (n,) int32, read-only."""
        return self._labels

    @property
    def class_names(self) -> tuple[str, ...]:
        """What the classes are called, by number."""
        return self._class_names

    @property
    def classes(self) -> np.ndarray:
        """The numbers of all classes, whether there is an image of each or not, (n_classes,) int64."""
        return np.arange(len(self._class_names))

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self._class_names)

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, rows, columns) or (n, rows, columns, channels)."""
        return (len(self), *self._images.shape[1:])

    @property
    def images(self) -> np.ndarray:
        """All images, uint8 of `shape`: the mapped file where that has them in order, otherwise gathered in memory.

        Gathering takes the memory of all images, 138 MB for a fold of CIFAR, each time;
        `blocks` does with less.
        """
        return self._images if self._positions is None else self._images[self._positions]

    def blocks(self, n_images: int = BLOCK) -> Iterator[np.ndarray]:
        """Yield the images in order, ``n_images`` at a time, the last time what is left, uint8."""
        require(n_images >= 1, "n_images", "must be at least 1", n_images)
        for start in range(0, len(self), n_images):
            yield self[start : start + n_images].images

    def __len__(self) -> int:
        return len(self._labels)

    @overload
    def __getitem__(self, key: int | np.integer) -> tuple[np.ndarray, int]: ...

    @overload
    def __getitem__(self, key: "slice | np.ndarray | Sequence[int]") -> "ImageSet": ...

    def __getitem__(self, key: Any) -> "tuple[np.ndarray, int] | ImageSet":
        """Return ``(image, label)`` at a position, or an `ImageSet` of those in a slice or an array of positions."""
        if isinstance(key, slice):
            return self._part(key)
        try:
            position = operator.index(key)
        except TypeError:
            return self._part(np.asarray(key))
        if not -len(self) <= position < len(self):
            raise IndexError(f"image {position} of {len(self)}")
        chosen = position if self._positions is None else self._positions[position]
        return self._images[chosen], int(self._labels[position])

    def _part(self, key: slice | np.ndarray) -> "ImageSet":
        part = object.__new__(ImageSet)
        part._class_names = self._class_names
        part._labels = self._labels[key]
        part._labels.flags.writeable = False
        if self._positions is None and isinstance(key, slice):
            part._images, part._positions = self._images[key], None
        else:
            positions = np.arange(len(self)) if self._positions is None else self._positions
            part._images, part._positions = self._images, positions[key]
        return part

    def __repr__(self) -> str:
        size = " x ".join(map(str, self.shape[1:]))
        return f"<ImageSet of {len(self):,} images, {size}, {self.n_classes} classes>"


@dataclass(frozen=True, slots=True)
class ImageSets:
    """The parts of an image folder, with the same classes; those that it does not have are None."""

    name: str
    train: ImageSet
    val: ImageSet | None = None
    test: ImageSet | None = None

    @property
    def labels_of_classes(self) -> np.ndarray:
        """What a class is called in spikes and predictions, by its number, (n_classes,).

        Its own name where classes are folders of pictures, as whole numbers if all are such. The numbers of published
        data sets stay numbers, since trained networks and published results know them by these.
        """
        names = self.train.class_names
        if self.name != OWN:
            return self.train.classes
        return np.array([int(name) for name in names]) if are_numbers(names) else np.array(names)

    @property
    def parts(self) -> dict[str, ImageSet]:
        """The parts that there are, by the names ``train``, ``val`` and ``test``."""
        return {part: images for part in ("train", "val", "test") if (images := getattr(self, part)) is not None}


def are_numbers(names: Iterable[str]) -> bool:
    """Tell whether all names of classes are whole numbers as one writes them, without zeros before them."""
    return all(name.isascii() and name.isdigit() and len(name) <= 9 and str(int(name)) == name for name in names)


def is_image_folder(folder: str | os.PathLike[str]) -> bool:
    """Tell whether a folder is one that `read_image_sets` is for, whatever its files hold."""
    folder = Path(folder)
    return any(os.path.lexists(folder / name) for name in (SPLIT, IMAGES)) or is_raw(folder)


def read_image_sets(folder: str | os.PathLike[str]) -> ImageSets:
    """Read a folder that the command ``dataset`` wrote, one of its splits, or one of the reference's.

    Parameters
    ----------
    folder : path-like
        ``OUT`` has all training images and the test images, ``OUT/gs`` training and
        validation images, ``OUT/kfold/3`` all three. In place of these, a folder with
        ``X_train.bin``, ``y_train.bin`` and so on, as the reference writes them: uint8, 784
        bytes an image of 28 x 28 or 3,072 of 32 x 32 x 3.

    Returns
    -------
    ImageSets
        Images are mapped; a split's are gathered when they are asked for.

    Raises
    ------
    DataError
        If the folder is none of these or a file in it does not hold what it must.
    """
    folder = Path(folder)
    if (folder / SPLIT).exists():
        arrays = read_images(images_of(folder))
        split = read_split(folder / SPLIT, arrays)
        all_images = arrays.train_images, arrays.train_labels, arrays.class_names
        test = ImageSet(arrays.test_images, arrays.test_labels, arrays.class_names) if split.n_test else None
        return ImageSets(arrays.name, ImageSet(*all_images, split.train), ImageSet(*all_images, split.val), test)
    if (folder / IMAGES).exists():
        arrays = read_images(folder / IMAGES)
        train = ImageSet(arrays.train_images, arrays.train_labels, arrays.class_names)
        return ImageSets(arrays.name, train, test=ImageSet(arrays.test_images, arrays.test_labels, arrays.class_names))
    if is_raw(folder):
        parts = read_raw(folder)
        names = tuple(map(str, range(int(parts["train"][1].max()) + 1)))
        return ImageSets(folder.name, **{part: ImageSet(*found, names) for part, found in parts.items()})
    found = "a file" if folder.is_file() else "none of these" if folder.is_dir() else "no such folder"
    raise DataError(f"{folder}: must be an image folder, with {IMAGES}, {SPLIT} or X_train.bin, got {found}")
