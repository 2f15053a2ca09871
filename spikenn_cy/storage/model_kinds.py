"""What a file in NumPy's archive format is, so that one given in place of another is called by its name."""

import os
from pathlib import Path

import msgspec

from spikenn_cy.data.reading import ZIP
from spikenn_cy.data.reading import opened
from spikenn_cy.errors import DataError
from spikenn_cy.storage.arrays import ArrayFile
from spikenn_cy.storage.arrays import WrongContent
from spikenn_cy.storage.arrays import open_arrays
from spikenn_cy.storage.model_archive import HEADER

NETWORK, EXTRACTOR, ENCODER_FILE = "a trained network", "an extractor", "an encoder of tables"
QUANTISED = "a quantised network"
OPTION = {NETWORK: "--readout", EXTRACTOR: "--extractor", ENCODER_FILE: "--encoder"}
OPTION[QUANTISED] = "predict, export or IntegerReadout.load"
READ_BY = {NETWORK: "Readout.load", QUANTISED: "IntegerReadout.load"}
MARKS = {"extractor": EXTRACTOR, "encoder": ENCODER_FILE, "integers": QUANTISED}  # members of headers
BY_MEMBERS = {  # without a header
    "a data set of spikes": {"indptr", "indices", "timestamps"},
    "a folder's images": {"train_images", "class_names"},
    "a split of images": {"train", "val", "n_test"},
}


def model_in(place: str | os.PathLike[str], name: str, wanted: str, *others: str) -> Path:
    """Return the file of a model that a user named by itself or by its folder.

    Parameters
    ----------
    place : path-like
        A file, or the folder of a run, an extraction or an encoded table.
    name : str
        Of the file in a folder.
    wanted : str
        What it must be; one of the keys of ``OPTION``.
    *others : str
        What a file may be as well.

    Raises
    ------
    DataError
        If the folder has no such file, or the file is another kind of model.
    """
    path = Path(place)
    if path.is_dir():
        if not (path / name).is_file():
            raise DataError(f"{path}: must be {wanted}, or a folder with one, {name}, got a folder without {name}")
        path = path / name
    found = kind_of(path)
    if found not in ("", wanted, *others):
        hint = f", which {OPTION[found]} takes" if found in OPTION else ""
        raise DataError(f"{path}: must be {wanted}, got {found}{hint}")
    return path


def kind_of(path: Path) -> str:
    """Return what a file is in words; "" if it is nothing that a command writes."""
    try:
        with opened(path, "file") as file:
            if not file.peek(len(ZIP)).startswith(ZIP):
                return ""
        with open_arrays(path, "must be a file of arrays") as arrays:
            for kind, members in BY_MEMBERS.items():
                if all(member in arrays for member in members):
                    return kind
            return kind_by_header(arrays)
    except MemoryError:
        raise
    except Exception:  # a damaged file is refused by who reads it
        return ""


def kind_by_header(arrays: ArrayFile) -> str:
    """Return what an open model file is in words; whatever is wrong with its header raises, of any type."""
    header = msgspec.json.decode(arrays.text(HEADER), type=dict)
    return next((kind for mark, kind in MARKS.items() if mark in header), NETWORK)


def require_kind(arrays: ArrayFile, wanted: str) -> None:
    """Raise unless an open model file is of a kind; say what reads it."""
    found = kind_by_header(arrays)
    if found != wanted:
        raise WrongContent(f"{found}, which {READ_BY[found]} reads" if found in READ_BY else found)
