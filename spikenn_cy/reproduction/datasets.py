"""The images of a reproduction: published ones from a folder or the network, and those that the package has."""

import os
import re
from collections.abc import Callable
from pathlib import Path

from spikenn_cy.data.published import SOURCES
from spikenn_cy.errors import DataError
from spikenn_cy.images.bundled import write_bundled_digits
from spikenn_cy.images.prepare import write_image_sets
from spikenn_cy.storage.kinds import IMAGE_SETS

BUNDLED: dict[str, Callable[[Path], object]] = {"digits": write_bundled_digits}


def title_of(dataset: str) -> str:
    """Return what a data set is called."""
    return SOURCES[dataset].title if dataset in SOURCES else f"bundled {dataset}"


def is_written(dataset: str, output: Path) -> bool:
    """Return whether a folder has the images and splits of a data set."""
    there = IMAGE_SETS.record_in(output)
    return there is not None and there["dataset"] == dataset and IMAGE_SETS.has_state(output)


def write_dataset(dataset: str, output: Path, data: str | os.PathLike[str] | None) -> None:
    """Write images and splits of a data set, as the command ``dataset`` does.

    Parameters
    ----------
    dataset : str
    output : Path
    data : path-like, optional
        Folder with the published files, or with a folder for each data set. None: from the network.

    Raises
    ------
    SpikennError
        As `write_image_sets`.
    """
    if dataset in BUNDLED:
        BUNDLED[dataset](output)
    else:
        write_image_sets(dataset, output, None if data is None else folder_of(dataset, Path(data)))


def folder_of(dataset: str, data: Path) -> Path:
    """Return the folder with the files of a data set: one of its name, or that of all."""
    if not data.is_dir():
        raise DataError(f"{data}: must be a folder of published files, got {'a file' if data.exists() else 'none'}")
    named = [path for path in sorted(data.iterdir()) if path.is_dir() and _plain(path.name) == _plain(dataset)]
    return named[0] if named else data


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower().replace("fashion", "f"))
