"""Output folders of every kind: held by one writer, begun or gone on with, and replaced as a whole or not at all.

A new output that replaces another goes into a hidden folder inside, `NEW`, while the old one stays as it is. As soon as
the new one has something to go on with, the old one's files are removed, `NEW` is renamed `MOVING`, and its files are
moved up one by one. A process may be killed at any moment: whoever opens the folder next finishes what it finds.

    OUT/           OUT/.spikenn_cy-new/   OUT/.spikenn_cy-moving/   the next process
    old            new, without a state   -                         removes the new one
    old            new, with a state      -                         removes the old one's files, renames the folder
    part of old    new, with a state      -                         the same
    -              -                      new                       moves the files up
    part of new    -                      the rest of new           the same

Files of the folder that are none of its kind's are never touched.
"""

import contextlib
import os
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from typing import NoReturn
from typing import TypeVar

from spikenn_cy.errors import RunError
from spikenn_cy.errors import shortened
from spikenn_cy.storage.folder import made
from spikenn_cy.storage.kinds import KINDS
from spikenn_cy.storage.kinds import Kind
from spikenn_cy.storage.lock import LOCK
from spikenn_cy.storage.lock import NotWritable
from spikenn_cy.storage.lock import locked
from spikenn_cy.storage.records import write_record
from spikenn_cy.utils.atomic import sync_folder

F = TypeVar("F", bound="OutputFolder")

NEW, MOVING = ".spikenn_cy-new", ".spikenn_cy-moving"


class OutputFolder:
    """A folder that is, or is to be, one of a kind; one that `opened` gives is held by this process.

    Parameters
    ----------
    path : path-like
    kind : Kind
    """

    def __init__(self, path: str | os.PathLike[str], kind: Kind) -> None:
        self.path, self.kind = Path(path), kind
        self._here = self.path  # where the output is; `NEW` until it replaces another
        self._begun = False  # by this process

    @classmethod
    @contextlib.contextmanager
    def opened(cls: type[F], path: str | os.PathLike[str], kind: Kind, patience: float = 0.0) -> Iterator[F]:
        """Hold a folder, which is made if it is missing, for the time of the block.

        What is begun in the block and has nothing to go on with at its end, however that comes,
        is removed again, and what it should have replaced is as it was.

        Parameters
        ----------
        path : path-like
        kind : Kind
        patience : float
            Seconds to wait for another process to let go of the folder.

        Raises
        ------
        RunError
            If the folder cannot be made or is in use; `NotWritable` if it cannot be written to.
        """
        folder = cls(path, kind)
        with made(folder.path), locked(folder.path, patience):
            folder._tidy()
            try:
                yield folder
            finally:
                folder._leave()

    # What is there

    @property
    def names(self) -> list[str]:
        """What is in the folder, but for marks of processes that use it or were killed; nothing if there is none."""
        try:
            names = os.listdir(self.path)
        except (FileNotFoundError, NotADirectoryError):  # whoever makes the folder says what is wrong
            return []
        torn = {path.name for path in self.kind.torn_in(self.path)}
        return sorted(name for name in names if name != LOCK and name not in torn)

    @property
    def record(self) -> dict[str, Any] | None:
        """The record of the output in the folder, or None if there is none of the kind."""
        return self.kind.record_in(self._here)

    @property
    def here(self) -> Path:
        """The folder in which the output is at this moment."""
        return self._here

    @property
    def has_state(self) -> bool:
        """Whether there is an output to go on with."""
        return self.kind.has_state(self._here)

    def file(self, name: str) -> Path:
        """Return the path of a file of the output at this moment; it changes where one replaces another."""
        return self._here / name

    def place(self, name: str) -> "Place":
        """Return the path of a file of the output at whichever moment it is used."""
        return Place(self, name)

    # Whether it may be written to

    def refuse(self, finding: str) -> NoReturn:
        """Raise that the folder is another."""
        raise RunError(f"{self.path}: {self.kind.rule}, got {finding}")

    def recorded(self) -> dict[str, Any] | None:
        """Return the record of the output in the folder, None if that is empty; raise `RunError` if it is of others."""
        names, record = self.names, self.record
        if names and record is None:
            self.require_no_other()
            self.refuse(f"a folder with {shortened(', '.join(names))}")
        return record

    def require_no_other(self) -> None:
        """Raise `RunError` if the folder is of another kind of output, and would lose files that both kinds have."""
        if self.record is not None:
            return
        for other in KINDS:
            shared = self.kind.shares_with(other)
            if other is not self.kind and shared and other.record_in(self.path) is not None:
                rule = f"must be another folder than that of {other.name}, whose {' and '.join(shared)} would be lost"
                raise RunError(f"{self.path}: {rule}, got one")

    def require_files(self) -> None:
        """Raise `RunError` if a folder has the name of a file of the output."""
        for file in self.kind.files_in(self.path):
            if file.is_dir():
                raise RunError(f"{file}: must be a file, got a folder")

    def keep(self, given: str | os.PathLike[str]) -> None:
        """Raise `RunError` if the output would be written over a file that it is made from."""
        for file in self.kind.files_in(self.path):
            if os.path.exists(file) and os.path.exists(given) and os.path.samefile(file, given):
                rule = f"must be another file than those of {self.kind.name} in {self.path}"
                raise RunError(f"{given}: {rule}, got its {file.relative_to(self.path)}")

    # Writing

    def begin(self, record: Mapping[str, Any]) -> None:
        """Begin a new output, aside if there is another one, which it replaces once it has something to go on with.

        Raises
        ------
        RunError
            If a folder has the name of a file, or another output would lose files by it.
        """
        self.require_no_other()
        self.require_files()
        if self.kind.files_in(self.path):
            for aside in (self.path / NEW, self.path / MOVING):
                with contextlib.suppress(OSError):
                    aside.rmdir()
                if os.path.lexists(aside):
                    rule = f"must be gone before {self.kind.name} is replaced"
                    raise RunError(f"{aside}: {rule}, got one that holds something")
            self._here = self.path / NEW
        self._begun = True
        self._here.mkdir(exist_ok=True)
        self.write_record(record)

    def write_record(self, record: Mapping[str, Any]) -> None:
        """Write the record of the output."""
        write_record(self.file(self.kind.record), record)

    def settle(self) -> None:
        """Let a new output replace the one that is there, if it has something to go on with."""
        if self._here != self.path and self.has_state:
            _replace(self.path, self.kind)
            self._here = self.path

    def clear_passing(self) -> None:
        """Remove what only an unfinished output has."""
        for file in self.kind.passing_in(self._here):
            file.unlink(missing_ok=True)

    def _leave(self) -> None:
        self.settle()
        if self._begun and self.has_state:
            _sync(self.path, self.kind)
        elif self._begun:
            _clear(self._here, self.kind)

    def _tidy(self) -> None:
        _clear_torn(self.path, self.kind)
        _finish(self.path, self.kind)


class Place(os.PathLike[str]):
    """A file of an output folder, wherever that output is when the path is asked for."""

    def __init__(self, folder: OutputFolder, name: str) -> None:
        self._folder, self._name = folder, name

    def __fspath__(self) -> str:
        return os.fspath(self._folder.file(self._name))

    def __str__(self) -> str:
        return os.fspath(self)


def tidy(path: str | os.PathLike[str], kind: Kind, patience: float = 0.0) -> None:
    """Finish in a folder, if it is there and can be written to, what a killed process has left.

    Raises
    ------
    RunError
        If the folder is in use.
    """
    if os.path.isdir(path):
        with contextlib.suppress(NotWritable), OutputFolder.opened(path, kind, patience):
            pass


def _finish(path: Path, kind: Kind) -> None:
    """Finish what a killed process has left of a replacement."""
    if _is_folder(path / NEW):
        _clear_torn(path / NEW, kind)
        if kind.record_in(path / NEW) is not None and kind.has_state(path / NEW):
            _replace(path, kind)
        elif kind.record_in(path / NEW) is not None or not os.listdir(path / NEW):
            _clear(path / NEW, kind)
    if _is_folder(path / MOVING) and any(kind.record_in(place) for place in (path, path / MOVING)):
        _move_up(path, kind)


def _replace(path: Path, kind: Kind) -> None:
    """Put the output in `NEW` into the place of the one that is there."""
    _sync(path / NEW, kind)
    sync_folder(os.fspath(path))
    _clear(path, kind)
    os.rename(path / NEW, path / MOVING)
    _move_up(path, kind)


def _move_up(path: Path, kind: Kind) -> None:
    for file in kind.files_in(path / MOVING):
        target = path / file.relative_to(path / MOVING)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(file, target)
    _clear(path / MOVING, kind)
    _sync(path, kind)


def _clear(path: Path, kind: Kind) -> None:
    """Remove an output, and the folders that are empty then, but for the one that a command was given."""
    _clear_torn(path, kind)
    for file in kind.files_in(path):
        file.unlink(missing_ok=True)
    aside = {path} if path.name in (NEW, MOVING) else set()
    for folder in sorted(_folders(path, kind) - {path} | aside, reverse=True):  # what is inside another first
        with contextlib.suppress(OSError):
            folder.rmdir()


def _sync(path: Path, kind: Kind) -> None:
    """Put the names of an output's files on the disk."""
    for folder in _folders(path, kind):
        sync_folder(os.fspath(folder))


def _folders(path: Path, kind: Kind) -> set[Path]:
    return {path / parent for name in kind.files for parent in Path(name).parents}


def _clear_torn(path: Path, kind: Kind) -> None:
    for file in kind.torn_in(path):
        file.unlink(missing_ok=True)


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
