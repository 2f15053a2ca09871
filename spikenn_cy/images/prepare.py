"""The images of a published data set and the splits of the papers, in a folder that extractors read."""

import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from spikenn_cy.data.imagefiles import IMAGES
from spikenn_cy.data.imagefiles import SPLIT
from spikenn_cy.data.imagefiles import ImageArrays
from spikenn_cy.data.imagefiles import Split
from spikenn_cy.data.imagefiles import read_images
from spikenn_cy.data.imagefiles import read_split
from spikenn_cy.data.imagefiles import write_images
from spikenn_cy.data.imagefiles import write_split
from spikenn_cy.data.published import SOURCES
from spikenn_cy.data.published import digest
from spikenn_cy.data.published import published_part
from spikenn_cy.errors import DataError
from spikenn_cy.errors import DataWarning
from spikenn_cy.errors import RunError
from spikenn_cy.errors import require
from spikenn_cy.images.download import fetch
from spikenn_cy.storage.descriptions import versions
from spikenn_cy.storage.folder import fingerprint
from spikenn_cy.storage.kinds import IMAGE_SETS
from spikenn_cy.storage.kinds import N_FOLDS
from spikenn_cy.storage.kinds import RECORD_FORMAT
from spikenn_cy.storage.lock import NotWritable
from spikenn_cy.storage.output import OutputFolder
from spikenn_cy.utils.extras import extra

TITLES_OF_PARTS = ("training", "test")


def write_image_sets(
    name: str,
    output: str | os.PathLike[str],
    folder: str | os.PathLike[str] | None = None,
    cache: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
) -> tuple[ImageArrays, dict[str, Split]]:
    """Write the images of a data set, and its splits for a grid search and for ten folds.

    ``output/images.npz`` has all images; ``output/gs/split.npz`` and
    ``output/kfold/0/split.npz`` to ``9`` the positions of training and validation images
    among those to train with. A folder that has just this already is left as it is.

    Parameters
    ----------
    name : str
        A row of ``SOURCES``.
    output : path-like
        Made if it is missing.
    folder : path-like, optional
        Where the published files are, as they are or unpacked; of any number of images.
        Otherwise they are fetched from the network, and checked against their checksums.
        Images that are known to be those of another data set are refused in any case.
    cache : path-like, optional
        Where fetched files are kept, see `fetch`.
    overwrite : bool
        Replace what another call of this function left in ``output``. Other files stay.

    Returns
    -------
    tuple
        All images, and the splits by their folders' names.

    Raises
    ------
    DataError
        If a file is missing or does not hold what it must.
    RunError
        If ``output`` holds anything else, is in use or cannot be written to.
    MissingExtra
        If scikit-learn or, without ``folder``, pooch is not installed.
    """
    for path in (output, "." if folder is None else folder):
        if not os.fspath(path):
            raise RunError("dataset: must be given paths, got an empty one")
    source, output = SOURCES[name], Path(output)
    if folder is None and not source.files:
        raise DataError(f"dataset {name}: must be given a folder with its files (--from DIR), got none")
    paths = source.find(fetch(name, source, cache) if folder is None else Path(folder))
    train, test = source.read(paths)
    arrays = ImageArrays(name, *train, *test, source.class_names)
    published = require_as_said(arrays, str(paths[0].parent)) or folder is None
    splits = make_splits(arrays, str(paths[0].parent))
    write_folder(output, arrays, splits, record_of(source.title, arrays, paths, published), overwrite)
    return arrays, splits


def write_folder(
    output: Path, arrays: ImageArrays, splits: Mapping[str, Split], record: Mapping[str, Any], overwrite: bool
) -> None:
    """Write images, splits and record to a folder, unless it has just these already.

    Raises
    ------
    RunError
        If ``output`` holds anything else, is in use or cannot be written to.
    """
    try:
        with OutputFolder.opened(output, IMAGE_SETS) as held:
            if _to_be_written(held, arrays, splits, overwrite):
                held.begin(record)
                for place, split in splits.items():
                    held.file(place).mkdir(parents=True)
                    write_split(held.file(place) / SPLIT, split, arrays.train_labels)
                write_images(held.file(IMAGES), arrays)  # last: with them the folder is complete
    except NotWritable:
        if _to_be_written(OutputFolder(output, IMAGE_SETS), arrays, splits, overwrite):
            raise


def require_as_said(arrays: ImageArrays, place: str) -> bool:
    """Return whether images and labels are the published ones of the data set that they are said to be.

    Raises
    ------
    DataError
        If the images of a part are, or begin as, those of another data set or part.

    Warns
    -----
    DataWarning
        If all images of a part are the published ones, and their labels are not.
    """
    whole = []
    parts = (arrays.train_images, arrays.train_labels), (arrays.test_images, arrays.test_labels)
    for number, (images, labels) in enumerate(parts):
        known = published_part(images)
        if known is None:
            whole.append(False)
            continue
        title = SOURCES[known[0]].title
        found = f"the published {TITLES_OF_PARTS[known[1]]} images of {title} (dataset {known[0]} reads them)"
        rule = f"must hold the {TITLES_OF_PARTS[number]} images of {SOURCES[arrays.name].title}"
        if known != (arrays.name, number):
            raise DataError(f"{place}: {rule}, got files of {found}")
        contents = SOURCES[arrays.name].contents[number]
        same = digest(images) == contents.images
        whole.append(same and digest(labels.astype("<i4")) == contents.labels)
        if same and not whole[-1]:
            text = f"the {TITLES_OF_PARTS[number]} images are those of {title} as published, and their labels are not"
            warnings.warn(DataWarning(f"{place}: {text}"), stacklevel=3)
    return all(whole)


def make_splits(arrays: ImageArrays, place: str, n_folds: int = N_FOLDS) -> dict[str, Split]:
    """Return the splits of the published experiments, as scikit-learn makes them of labels in file order.

    ``gs`` is one shuffled, stratified tenth for validation, without test images; ``kfold/i``
    has the stratified, unshuffled part number ``i`` of ``n_folds`` for validation, and all test images.
    Where a tenth is less than an image of each class, ``gs`` validates on the first of those parts.
    ``place`` names the images in errors.
    """
    labels, n_test = arrays.train_labels, len(arrays.test_labels)
    counts = np.bincount(labels, minlength=len(arrays.class_names))
    rarest = int(counts.argmin())
    rule = f"must hold at least {n_folds} training images of each class for {n_folds} folds"
    found = f"{counts[rarest]} of class {rarest} ({arrays.class_names[rarest]})"
    require(counts[rarest] >= n_folds, place, rule, found, DataError)
    with extra("data", where=f"dataset {arrays.name}"):
        from sklearn.model_selection import StratifiedKFold
        from sklearn.model_selection import StratifiedShuffleSplit
    nothing = np.zeros(len(labels))  # in place of images: splits depend on labels alone
    folds = list(StratifiedKFold(n_folds).split(nothing, labels))
    train, val = folds[0]
    if len(labels) >= 10 * len(counts):
        ((train, val),) = StratifiedShuffleSplit(1, test_size=0.1, random_state=0).split(nothing, labels)
    splits = {"gs": Split(train, val, 0)}
    for fold, (train, val) in enumerate(folds):
        splits[f"kfold/{fold}"] = Split(train, val, n_test)
    return splits


def _to_be_written(folder: OutputFolder, arrays: ImageArrays, splits: Mapping[str, Split], overwrite: bool) -> bool:
    """Return whether a folder is to be written, False if it holds just that, or raise `RunError`."""
    if not overwrite:
        folder.recorded()
    if not folder.has_state:
        return True
    differing = _difference(folder.path, arrays, splits)
    if differing and not overwrite:
        folder.refuse(f"one with {differing}")
    return bool(differing)


def _difference(output: Path, arrays: ImageArrays, splits: Mapping[str, Split]) -> str:
    """Return in words how the data set in ``output`` differs from this one; ``""`` if it does not."""
    try:
        there = read_images(output / IMAGES)
        if there.name != arrays.name:
            return f"{there.name} instead of {arrays.name}"
        for field in ("train_images", "train_labels", "test_images", "test_labels"):
            if not np.array_equal(getattr(there, field), getattr(arrays, field)):
                return f"other {field.replace('_', ' ')}"
        if there.class_names != arrays.class_names:
            return "other names of classes"
        for place, split in splits.items():
            found = read_split(output / place / SPLIT, there)
            same = np.array_equal(found.train, split.train) and np.array_equal(found.val, split.val)
            if not same or found.n_test != split.n_test:
                return f"another split in {place}"
    except DataError as damaged:
        return f"a damaged file ({damaged})"
    return ""


def record_of(title: str, arrays: ImageArrays, paths: list[Path], published: bool) -> dict[str, Any]:
    """Return what the folder is, for people and for the record of an experiment."""
    from sklearn import __version__ as sklearn_version

    return {
        "format": RECORD_FORMAT,
        "dataset": arrays.name,
        "title": title,
        "train": len(arrays.train_labels),
        "test": len(arrays.test_labels),
        "image": list(arrays.train_images.shape[1:]),
        "classes": list(arrays.class_names),
        "published_checksums_hold": published,
        "files": [fingerprint(path) for path in paths],
        "versions": versions() | {"scikit-learn": sklearn_version},
    }
