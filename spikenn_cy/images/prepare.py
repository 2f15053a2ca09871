"""The images of a published data set and the splits of the papers, in a folder that extractors read."""

import contextlib
import json
import os
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
from spikenn_cy.errors import DataError
from spikenn_cy.errors import RunError
from spikenn_cy.errors import require
from spikenn_cy.errors import shortened
from spikenn_cy.images.download import fetch
from spikenn_cy.storage.folder import fingerprint
from spikenn_cy.storage.folder import made
from spikenn_cy.storage.folder import remove_torn
from spikenn_cy.storage.lock import LOCK
from spikenn_cy.storage.lock import locked
from spikenn_cy.utils.atomic import atomic_file
from spikenn_cy.utils.atomic import sync_folder
from spikenn_cy.utils.extras import extra
from spikenn_cy.version import __version__

FORMAT = 1
RECORD = "dataset.json"  # written first: whose folder it is; the images are written last: that it is complete
COMING = f".{IMAGES}.coming.tmp"  # the images until all else is there
N_FOLDS = 10
SPLITS = ("gs", *(f"kfold/{fold}" for fold in range(N_FOLDS)))


def write_image_sets(
    name: str,
    output: str | os.PathLike,
    folder: str | os.PathLike | None = None,
    cache: str | os.PathLike | None = None,
    overwrite: bool = False,
) -> tuple[ImageArrays, dict[str, Split]]:
    """Write the images of a data set, and its splits for a grid search and for ten folds.

    ``output/images.npz`` has all images; ``output/gs/split.npz`` and
    ``output/kfold/0/split.npz`` to ``9`` the positions of training and validation images
    among those to train with. A folder that has just this already is left as it is.

    Parameters
    ----------
    name : {"mnist", "fmnist", "cifar10", "cifar100"}
        A row of ``SOURCES``.
    output : path-like
        Made if it is missing.
    folder : path-like, optional
        Where the published files are, as they are or unpacked; of any number of images.
        Otherwise they are fetched from the network, and checked against their checksums.
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
    paths = source.find(fetch(name, source, cache) if folder is None else Path(folder))
    train, test = source.read(paths)
    arrays = ImageArrays(name, *train, *test, source.class_names)
    splits = make_splits(arrays, str(paths[0].parent))
    record = _record(name, arrays, paths, published=folder is None)
    with made(output), locked(output):
        if _to_be_written(output, arrays, splits, overwrite):
            _write(output, arrays, splits, record)
    return arrays, splits


def make_splits(arrays: ImageArrays, place: str) -> dict[str, Split]:
    """Return the splits of the published experiments, as scikit-learn makes them of labels in file order.

    ``gs`` is one shuffled, stratified tenth for validation, without test images; ``kfold/i``
    has the stratified, unshuffled tenth number ``i`` for validation, and all test images.
    ``place`` names the images in errors.
    """
    labels, n_test = arrays.train_labels, len(arrays.test_labels)
    counts = np.bincount(labels, minlength=len(arrays.class_names))
    rarest = int(counts.argmin())
    rule = f"must hold at least {N_FOLDS} training images of each class for {N_FOLDS} folds"
    found = f"{counts[rarest]} of class {rarest} ({arrays.class_names[rarest]})"
    require(counts[rarest] >= N_FOLDS, place, rule, found, DataError)
    with extra("data", where=f"dataset {arrays.name}"):
        from sklearn.model_selection import StratifiedKFold
        from sklearn.model_selection import StratifiedShuffleSplit
    nothing = np.zeros(len(labels))  # in place of images, which have no say
    ((train, val),) = StratifiedShuffleSplit(1, test_size=0.1, random_state=0).split(nothing, labels)
    splits = {"gs": Split(train, val, 0)}
    for fold, (train, val) in enumerate(StratifiedKFold(N_FOLDS).split(nothing, labels)):
        splits[f"kfold/{fold}"] = Split(train, val, n_test)
    return splits


def _to_be_written(output: Path, arrays: ImageArrays, splits: Mapping[str, Split], overwrite: bool) -> bool:
    """Return whether ``output`` is to be written, False if it holds just that, or raise `RunError`."""
    remove_torn(output, (RECORD, IMAGES, COMING))
    names = sorted(name for name in os.listdir(output) if name != LOCK)
    rule = "must be a new folder or hold this very data set (--overwrite replaces a data set)"
    if names and RECORD not in names and not overwrite:
        raise RunError(f"{output}: {rule}, got a folder with {shortened(', '.join(names))}")
    if IMAGES in names:
        difference = _difference(output, arrays, splits)
        if not difference:
            return False
        if not overwrite:
            raise RunError(f"{output}: {rule}, got one with {difference}")
    return True


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
            if not all(map(np.array_equal, read_split(output / place / SPLIT, there), split)):
                return f"another split in {place}"
    except DataError as damaged:
        return f"a damaged file ({damaged})"
    return ""


def _write(output: Path, arrays: ImageArrays, splits: Mapping[str, Split], record: Mapping[str, Any]) -> None:
    """Write a data set in place of the one that is there, which stays if the images, the bulk, cannot be written."""
    try:
        write_images(output / COMING, arrays)
        _clear(output)
        try:
            with atomic_file(output / RECORD, "w") as file:
                file.write(json.dumps(record, indent=2) + "\n")
            for place, split in splits.items():
                (output / place).mkdir(parents=True, exist_ok=True)
                write_split(output / place / SPLIT, split, arrays.train_labels)
            os.replace(output / COMING, output / IMAGES)
        except BaseException:
            _clear(output)
            raise
    finally:
        (output / COMING).unlink(missing_ok=True)
    sync_folder(os.fspath(output))


def _clear(output: Path) -> None:
    """Remove a data set, the mark of its completeness first, and the folders that are empty then."""
    (output / IMAGES).unlink(missing_ok=True)
    for place in SPLITS:
        remove_torn(output / place, (SPLIT,))
        (output / place / SPLIT).unlink(missing_ok=True)
    (output / RECORD).unlink(missing_ok=True)
    for place in (*SPLITS, "kfold"):
        with contextlib.suppress(OSError):
            (output / place).rmdir()


def _record(name: str, arrays: ImageArrays, paths: list[Path], published: bool) -> dict[str, Any]:
    """Return what the folder is, for people and for the record of an experiment."""
    from sklearn import __version__ as sklearn_version

    return {
        "format": FORMAT,
        "dataset": name,
        "title": SOURCES[name].title,
        "train": len(arrays.train_labels),
        "test": len(arrays.test_labels),
        "image": list(arrays.train_images.shape[1:]),
        "classes": list(arrays.class_names),
        "published_checksums_hold": published,
        "files": [fingerprint(path) for path in paths],
        "versions": {"spikenn_cy": __version__, "numpy": np.__version__, "scikit-learn": sklearn_version},
    }
