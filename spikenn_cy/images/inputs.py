"""What a user has to classify, whether images, spikes or rows of a table, with a name for each sample."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from spikenn_cy.data import READERS
from spikenn_cy.data.convert import read_array
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.data.folder import data_files
from spikenn_cy.data.imageformats import read_image_file
from spikenn_cy.data.images import read_idx
from spikenn_cy.data.imagesets import is_image_folder
from spikenn_cy.data.imagesets import read_image_sets
from spikenn_cy.data.labels import class_names
from spikenn_cy.data.objects import holds_objects
from spikenn_cy.data.objects import read_objects
from spikenn_cy.data.pictures import Prepare
from spikenn_cy.data.pictures import Size
from spikenn_cy.data.pictures import is_picture
from spikenn_cy.data.pictures import pictures_in
from spikenn_cy.data.pictures import read_pictures
from spikenn_cy.data.reading import NUMPY
from spikenn_cy.data.reading import opened
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require


class Images(NamedTuple):
    """Images to classify."""

    images: np.ndarray  # (n, rows, columns) or (n, rows, columns, channels) uint8
    labels: np.ndarray | None = None  # (n,) original labels, where these are known
    names: Sequence[str] | None = None  # of the files; None: images are known by their number in one file


def read_inputs(
    images: str | os.PathLike[str],
    labels: str | os.PathLike[str] | None = None,
    size: Size | None = None,
    prepare: Prepare | None = None,
) -> Images:
    """Read images to classify.

    Parameters
    ----------
    images : path-like
        A file in any format of `spikenn_cy.data.imageformats.FORMATS` or a table of pixels; a folder that ``dataset``
        wrote, of which those for the test; a folder of pictures, or of folders of them, whose names are labels then.
    labels : path-like, optional
        IDX or ``.npy`` file; a folder with labels has its own.
    size : tuple of int, optional
        Rows and columns that pictures are scaled to.
    prepare : callable, optional
        Is given each picture and its file, and returns the picture to take.

    Raises
    ------
    DataError
        If a file does not hold what it must.
    """
    path = Path(images)
    found = _of_folder(path, size, prepare) if path.is_dir() else _of_file(path, size, prepare)
    if labels is None:
        return found
    require(found.labels is None, str(labels), "must not be given beside a folder, which has labels", path, DataError)
    names = class_names(read_objects(labels) if holds_objects(labels) else _read(Path(labels)), str(labels))
    n_images = len(found.images)
    require(len(names) == n_images, str(labels), f"must hold {n_images} labels", len(names), DataError)
    return found._replace(labels=names)


def _of_file(path: Path, size: Size | None, prepare: Prepare | None) -> Images:
    if is_picture(path):
        return Images(read_pictures([path], size, prepare), names=[path.name])
    require(size is None, "--size", "must be given for pictures only", os.fspath(path), DataError)
    return Images(read_image_file(path))


def _of_folder(path: Path, size: Size | None, prepare: Prepare | None) -> Images:
    if is_image_folder(path):
        require(size is None, "--size", "must be given for pictures only", os.fspath(path), DataError)
        sets = read_image_sets(path)
        if sets.test is None:
            raise DataError(f"{path}: must hold test images, got none")
        return Images(sets.test.images, sets.labels_of_classes[sets.test.labels])
    paths, labels = pictures_in(path), None
    if not paths:
        folders = sorted(inner for inner in path.iterdir() if inner.is_dir() and not inner.name.startswith("."))
        paths = [picture for folder in folders for picture in pictures_in(folder)]
        labels = np.array([picture.parent.name for picture in paths])
    if not paths:
        read_image_sets(path)  # which says what such a folder is
    names = [os.fspath(picture.relative_to(path)) for picture in paths]
    return Images(read_pictures(paths, size, prepare), labels, names)


def read_spikes(path: Path) -> SpikingDataset:
    """Read spikes to classify: a data set's file, or the test set in a folder of data sets.

    Raises
    ------
    DataError
        If they are no spikes, with what they need to become some.
    """
    if path.is_dir():
        if is_image_folder(path) or pictures_in(path):
            raise DataError(f"{path}: must be given with --extractor, which makes spikes of images, got none")
        files = data_files(path)
        if "test" not in files:
            raise DataError(f"{path}: must hold a testset, got {', '.join(file.name for file in files.values())}")
        return SpikingDataset.from_file(files["test"])
    suffix = path.suffix.lower()
    if suffix == ".npz" or (suffix in READERS and holds_objects(path)):
        return SpikingDataset.from_file(path)
    with opened(path, "file"):  # first, since what is not there needs nothing
        pass
    rule = f"must be a data set of spikes ({', '.join(READERS)}), or be given with --extractor if it holds images"
    raise DataError(f"{path}: {rule} or --encoder if it is a table, got neither")


def _read(path: Path) -> np.ndarray:
    with opened(path, "file") as file:
        magic = file.read(len(NUMPY))
    return read_array(path) if magic == NUMPY else read_idx(path)
