"""A user's own pictures, a folder for each class, made into a folder of images as the published data sets are."""

import os
import warnings
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from spikenn_cy.data.imagefiles import OWN
from spikenn_cy.data.imagefiles import ImageArrays
from spikenn_cy.data.imagefiles import Split
from spikenn_cy.data.imagesets import are_numbers
from spikenn_cy.data.pictures import SUFFIXES
from spikenn_cy.data.pictures import Size
from spikenn_cy.data.pictures import in_colour
from spikenn_cy.data.pictures import is_picture
from spikenn_cy.data.pictures import pictures_in
from spikenn_cy.data.pictures import read_pictures
from spikenn_cy.data.pixeltables import is_pixel_table
from spikenn_cy.data.pixeltables import read_pixel_table
from spikenn_cy.data.tables import read_pairs
from spikenn_cy.dtypes import INDEX
from spikenn_cy.errors import DataError
from spikenn_cy.errors import DataWarning
from spikenn_cy.errors import RunError
from spikenn_cy.errors import require
from spikenn_cy.images.prepare import make_splits
from spikenn_cy.images.prepare import record_of
from spikenn_cy.images.prepare import write_folder
from spikenn_cy.storage.kinds import N_FOLDS

PARTS = {"train": "train", "training": "train", "test": "test", "testing": "test"}  # names of folders
TEST_SHARE = 0.2
FEWEST = 2  # pictures of a class: one to learn from and one to test


class Labelled(NamedTuple):
    """Pictures and the name of the class of each."""

    images: np.ndarray  # (n, rows, columns) or (n, rows, columns, 3) uint8
    names: list[str]


def write_own_images(
    folder: str | os.PathLike[str],
    output: str | os.PathLike[str],
    size: Size | None = None,
    overwrite: bool = False,
) -> tuple[ImageArrays, dict[str, Split]]:
    """Write a folder of images, as `write_image_sets` does, of pictures that are labelled by their place or by a table.

    Parameters
    ----------
    folder : path-like
        It holds a folder of pictures for each class, or the folders ``train`` and ``test``, each of which does, or
        pictures and one table ``.csv`` whose first two columns are their names and their classes, or a table of pixels
        with a column ``label``.
    output : path-like
        Made if it is missing.
    size : tuple of int, optional
        Rows and columns that all pictures are scaled to.
    overwrite : bool
        Replace what another call left in ``output``.

    Returns
    -------
    tuple
        All images, and the splits by their folders' names. Without a folder ``test``, a fifth of each class, drawn with
        seed 0, is for the test. There are as many folds as the smallest class has training images, ten at most; if
        that is one, there are no splits.

    Raises
    ------
    DataError
        If the folder holds none of these, or pictures of several sizes, or a class with fewer than two.
    RunError
        If ``output`` holds anything else, is in use or cannot be written to.
    """
    for path in (folder, output):
        if not os.fspath(path):
            raise RunError("dataset: must be given paths, got an empty one")
    folder, output = Path(folder), Path(output)
    require(folder.is_dir(), folder, "must be a folder of pictures", _what(folder), DataError)
    parts = labelled_parts(folder, size)
    names = numbered(parts["train"].names)
    if "test" in parts:
        train, test = parts["train"], parts["test"]
        unknown = sorted({*test.names} - {*names})
        require(not unknown, folder / "test", "must have no class that train has not", unknown, DataError)
    else:
        train, test = held_out(parts["train"], str(folder))
    arrays = ImageArrays(OWN, train.images, _numbers(train, names), test.images, _numbers(test, names), names)
    splits = own_splits(arrays, str(folder))
    files = [path for path in sorted(folder.glob("*.csv")) if path.is_file()]
    write_folder(output, arrays, splits, record_of(folder.resolve().name, arrays, files, published=False), overwrite)
    return arrays, splits


def labelled_parts(folder: Path, size: Size | None) -> dict[str, Labelled]:
    """Return the pictures of a folder, under ``train`` and, if they lie apart, ``test``."""
    tables = [path for path in sorted(folder.glob("*.csv")) if is_pixel_table(path)]
    labelled = {path: table for path in tables if (table := read_pixel_table(path))[1] is not None}
    if tables:
        rule = "must hold one table of pixels with a column label"
        require(len(labelled) == 1, folder, rule, [path.name for path in labelled], DataError)
        ((images, labels),) = labelled.values()
        assert labels is not None
        return {"train": Labelled(images, [str(label) for label in labels])}
    if pictures := pictures_in(folder):
        return {"train": _named_in_table(folder, pictures, size)}
    inside = {path.name.lower(): path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")}
    if inside.keys() & PARTS.keys() and not inside.keys() - PARTS.keys():
        parts = {PARTS[name]: path for name, path in inside.items()}
        require("train" in parts, folder, "must hold train beside test", sorted(inside), DataError)
        _tell_others(folder, (path for path in folder.iterdir() if not path.is_dir()))
        found = {"train": _in_folders(parts["train"], size)}
        if "test" in parts:
            found["test"] = _in_folders(parts["test"], size, fewest=1)
        return _alike(found, folder)
    return {"train": _in_folders(folder, size)}


def _alike(parts: dict[str, Labelled], folder: Path) -> dict[str, Labelled]:
    """Return parts whose pictures are of one size, and all grey or all in colour."""
    train, *others = parts.values()
    for other in others:
        rule = f"must hold pictures of one size, {train.images.shape[1:3]} (--size HxW scales pictures)"
        require(other.images.shape[1:3] == train.images.shape[1:3], folder, rule, other.images.shape[1:3], DataError)
    if len({found.images.ndim for found in parts.values()}) == 1:
        return parts
    return {part: found._replace(images=in_colour(found.images)) for part, found in parts.items()}


def _in_folders(folder: Path, size: Size | None, fewest: int = 2) -> Labelled:
    """Return the pictures in the folders of a folder, each of which is a class."""
    classes = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    rule = f"must hold a folder of pictures for each of {'two classes' if fewest == 2 else 'one class'} or more"
    require(len(classes) >= fewest, folder, rule, [path.name for path in classes] or "none", DataError)
    _tell_others(folder, (path for path in folder.iterdir() if not path.is_dir()))
    paths: list[Path] = []
    names: list[str] = []
    for place in classes:
        found = pictures_in(place)
        rule = f"must hold pictures ({', '.join(SUFFIXES)})"
        require(bool(found), place, rule, "none", DataError)
        _tell_others(place, (path for path in place.iterdir() if not is_picture(path)))
        paths += found
        names += [place.name] * len(found)
    return Labelled(read_pictures(paths, size), names)


def _tell_others(place: Path, others: Iterable[Path]) -> None:
    """Warn of what lies in a folder and is left out, but for hidden files."""
    names = sorted(path.name for path in others if not path.name.startswith("."))
    if names:
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        warnings.warn(DataWarning(f"{place}: left out what is no picture of a class: {names[0]}{more}"), stacklevel=5)


def _named_in_table(folder: Path, pictures: Sequence[Path], size: Size | None) -> Labelled:
    """Return the pictures of a folder that a table beside them gives the classes of."""
    tables = sorted(folder.glob("*.csv"))
    rule = "must hold a folder of pictures for each class, or pictures and one table of their classes"
    found = "pictures alone" if not tables else [path.name for path in tables]
    require(len(tables) == 1, folder, rule, found, DataError)
    class_of = read_pairs(tables[0])
    by_name = {path.name: path for path in pictures} | {path.stem: path for path in pictures}
    paths, names = [], []
    for name, label in class_of.items():
        path = by_name.get(Path(name).name)
        require(path is not None, tables[0], f"must name pictures in {folder}", name, DataError)
        assert path is not None
        paths.append(path)
        names.append(label)
    left = {path.name for path in pictures} - {path.name for path in paths}
    if left:
        text = f"{folder}: {len(left)} pictures that {tables[0].name} does not name left out"
        warnings.warn(DataWarning(text), stacklevel=4)
    return Labelled(read_pictures(paths, size), names)


def held_out(found: Labelled, place: str) -> tuple[Labelled, Labelled]:
    """Return training and test pictures: of each class a share is drawn for the test, one at least, with seed 0."""
    generator = np.random.default_rng(0)
    names = np.array(found.names)
    for_test = np.zeros(len(names), dtype=bool)
    for name in np.unique(names):
        places = np.flatnonzero(names == name)
        rule = f"must hold at least {FEWEST} pictures of each class, one to learn from and one for the test"
        require(len(places) >= FEWEST, place, rule, f"{len(places)} of {name}", DataError)
        n_test = max(1, round(TEST_SHARE * len(places)))
        for_test[generator.permutation(places)[:n_test]] = True
    train, test = (Labelled(found.images[part], names[part].tolist()) for part in (~for_test, for_test))
    return train, test


def own_splits(arrays: ImageArrays, place: str) -> dict[str, Split]:
    """Return the splits of the published experiments as far as classes have images for them."""
    rarest = int(np.bincount(arrays.train_labels, minlength=len(arrays.class_names)).min())
    n_folds = min(N_FOLDS, rarest)
    return {} if n_folds < FEWEST else make_splits(arrays, place, n_folds)


def _numbers(found: Labelled, names: Sequence[str]) -> np.ndarray:
    number_of: Mapping[str, int] = {name: number for number, name in enumerate(names)}
    return np.array([number_of[name] for name in found.names], dtype=INDEX)


def numbered(names: Iterable[str]) -> tuple[str, ...]:
    """Return the classes in the order of their numbers: as numbers if all are, else as text."""
    distinct = sorted({*names})
    return tuple(sorted(distinct, key=int) if are_numbers(distinct) else distinct)


def _what(path: Path) -> str:
    return "a file" if path.exists() else "no such folder"
