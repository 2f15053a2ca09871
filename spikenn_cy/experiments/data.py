"""The data files of runs: known by their content, seen to stay as they are, and opened once by each process."""

import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path
from typing import Any

from spikenn_cy.data.archive import verify
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.data.folder import STEMS
from spikenn_cy.data.folder import data_files
from spikenn_cy.data.reading import opened
from spikenn_cy.demo import DIGITS
from spikenn_cy.errors import DataError
from spikenn_cy.storage.folder import fingerprint
from spikenn_cy.storage.folder import stamp

OWN_MOST = 1 << 28  # bytes of inputs of which each process has a copy of its own; those of larger files are mapped


@dataclass(frozen=True)
class DataFile:
    """A data file that must stay as it is while a command uses it.

    Attributes
    ----------
    path : str
    stamp : tuple of int
        Size in bytes and time of the last change in nanoseconds, by which a change shows.
    fingerprint : dict or None
        As `spikenn_cy.storage.folder.fingerprint` returns it; None until the file was read for it.
    identity : tuple of int or None
        Which file of this machine it is, and when anything about it changed last, which no program can set: who
        writes through a memory map may leave the time of the last change as it was, or put it back. None: on
        another machine.
    """

    path: str
    stamp: tuple[int, int]
    fingerprint: Mapping[str, Any] | None = None
    identity: tuple[int, int, int] | None = None

    @classmethod
    def of(cls, path: str | os.PathLike[str]) -> "DataFile":
        """Return a file as it is now; raise `DataError` if there is none."""
        found = _stamp(path)
        return cls(os.fspath(path), found, identity=_identity(path))

    def check(self) -> None:
        """Raise `DataError` if the file has been changed since, as far as that shows without reading it."""
        changed = _stamp(self.path) != self.stamp
        if not changed and self.identity is not None and _identity(self.path) != self.identity:
            # It may have got another owner or name only.
            changed = self.fingerprint is None or self._content() != self.fingerprint["sha256"]
        if changed:
            raise self._is_changed()

    def check_content(self) -> None:
        """Raise `DataError` if the file does not hold any more what it held when it was opened; all is read.

        A change through a memory map shows in none of the system's records where the map was written to before.
        """
        self.check()
        try:
            _verify(self.path)
        except DataError:
            raise self._is_changed() from None

    def known(self) -> "DataFile":
        """Return the file with its fingerprint, for which all of it is read unless that was done before."""
        if self.fingerprint is not None:
            return self
        found = replace(self, fingerprint=fingerprint(self.path))
        found.check()
        return found

    def elsewhere(self) -> "DataFile":
        """Return the file as it is found from another working directory and another machine."""
        return replace(self, path=os.path.abspath(self.path), identity=None)

    def _content(self) -> str:
        return _sha256(self.path, _stamp(self.path), _identity(self.path))

    def _is_changed(self) -> DataError:
        return DataError(f"{self.path}: must stay as it is while a command uses it, got a changed file")


def files_in(folder: str | os.PathLike[str] | None) -> dict[str, DataFile]:
    """Return the data files in a folder by the names ``train``, ``val`` and ``test``; None: the bundled digits."""
    paths = {"train": DIGITS} if folder is None else data_files(folder)
    return {name: DataFile.of(path) for name, path in paths.items()}


def opened_sets(files: Mapping[str, DataFile]) -> dict[str, SpikingDataset]:
    """Return the data sets in files; a process that has many runs on one file maps and checks it once."""
    for file in files.values():
        file.check()
    return {name: _opened(file.path, file.stamp, os.stat(file.path).st_ino) for name, file in files.items()}


def measured_set(place: str | os.PathLike[str]) -> SpikingDataset:
    """Return what a network is to be measured on: of a folder of data sets, the one that is farthest from training.

    Parameters
    ----------
    place : path-like
        A data set's file, or a folder whose test set is taken, without one the validation set, else the training set.

    Raises
    ------
    DataError
        If there is none.
    """
    path = Path(place)
    if path.is_dir():
        files = data_files(path)
        path = next(files[name] for name in ("test", "val", "train") if name in files)
    with opened(path, "file"):  # what is not there has no suffix to blame
        return SpikingDataset.from_file(path)


def forget_sets() -> None:
    """Let go of the files that this process has mapped."""
    _opened.cache_clear()


@functools.lru_cache(maxsize=len(STEMS))
def _opened(path: str, stamp: tuple[int, int], inode: int) -> SpikingDataset:
    dataset = SpikingDataset.from_file(path)
    _verify(path)
    return dataset._with_own_inputs() if dataset.indices.nbytes <= OWN_MOST else dataset


def _verify(path: str) -> None:
    """Raise `DataError` if a file that is mapped does not hold what its checksums say."""
    if os.path.splitext(path)[1].lower() == ".npz":
        verify(path)


@functools.lru_cache(maxsize=len(STEMS))
def _sha256(path: str, stamp: tuple[int, int], identity: tuple[int, int, int]) -> str:
    return str(fingerprint(path)["sha256"])


def _identity(path: str | os.PathLike[str]) -> tuple[int, int, int]:
    try:
        found = os.stat(path)
    except OSError as error:
        raise DataError(f"{path}: must be a readable file, got {error.strerror}") from None
    return found.st_dev, found.st_ino, found.st_ctime_ns


def _stamp(path: str | os.PathLike[str]) -> tuple[int, int]:
    try:
        return stamp(path)
    except OSError as error:
        raise DataError(f"{path}: must be a readable file, got {error.strerror}") from None
