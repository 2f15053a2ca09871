"""Files that appear whole or not at all, so that an interrupted run never leaves half a result behind."""

import contextlib
import fcntl
import os
import re
import secrets
import time
from collections.abc import Iterator
from typing import IO
from typing import Any

from spikenn_cy.errors import RunError
from spikenn_cy.errors import SpikennError

JUST_BEGUN = 1.0  # seconds, for the moment between making a file and locking it


@contextlib.contextmanager
def atomic_file(
    path: str | os.PathLike[str],
    mode: str = "wb",
    *,
    error: type[SpikennError] = RunError,
    sync_name: bool = True,
) -> Iterator[IO[Any]]:
    """Open a file for writing that takes the name ``path`` only when the block ends well.

    Until then the bytes go to a hidden file in the same folder, and what ``path`` held
    stays readable. If the block raises, the hidden file is removed and ``path`` is as
    it was. The bytes are on the disk before the name changes hands.

    Parameters
    ----------
    path : path-like
        A regular file or a new name, in an existing folder. A symbolic link is followed.
    mode : {"wb", "w"}
        Bytes, or UTF-8 text with ``\\n`` line ends.
    error : type of SpikennError
        What the system's refusal (no such folder, no permission, disk full) is raised as.
    sync_name : bool
        Wait until the new name is on the disk. Without that a power cut in the next seconds may bring back what
        ``path`` held before, whole; no other end of a process can.

    Raises
    ------
    SpikennError
        Of type ``error``, if the file cannot be written.
    """
    target = target_of(path, error)
    folder, name = os.path.split(target)
    hidden = os.path.join(folder, f".{name[:40]}.{secrets.token_hex(4)}.tmp")
    encoding, newline = (None, None) if "b" in mode else ("utf-8", "\n")
    try:
        # "x" gives the permissions that a plain open() would give; tempfile does not.
        with open(hidden, mode.replace("w", "x"), encoding=encoding, newline=newline) as file:
            _hold(file.fileno())
            _clear_litter(folder, name)
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(hidden, target)
    except OSError as problem:
        raise error(f"{path}: must be writable, got {problem.strerror or problem}") from problem
    except ValueError as problem:
        # Whoever is interrupted in the middle of an archive may fail while it tidies up, and hide why.
        if isinstance(problem.__context__, KeyboardInterrupt):
            raise problem.__context__ from None
        raise
    finally:
        with contextlib.suppress(OSError):
            os.unlink(hidden)
    if sync_name:
        sync_folder(folder)


def _hold(handle: int) -> None:
    """Lock a file that is being written, for as long as its process lives."""
    with contextlib.suppress(OSError):  # of a system that knows no locks
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _clear_litter(folder: str, name: str) -> None:
    """Remove what killed processes had begun to write for a file: nobody holds it any more."""
    torn = re.compile(rf"[.]{re.escape(name[:40])}[.][0-9a-f]{{8}}[.]tmp")
    for found in os.listdir(folder or "."):
        if torn.fullmatch(found) is None:
            continue
        with contextlib.suppress(OSError):
            handle = os.open(os.path.join(folder, found), os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if time.time() - os.fstat(handle).st_mtime > JUST_BEGUN:  # else it may not be locked yet
                    os.unlink(os.path.join(folder, found))
            finally:
                os.close(handle)


def target_of(path: str | os.PathLike[str], error: type[SpikennError] = RunError) -> str:
    """Return where a file called ``path`` would be written; raise ``error`` if that is no place for one."""
    target = os.path.realpath(path)
    # Replacing a device or a pipe by a file would take it away from everybody else.
    if os.path.exists(target) and not os.path.isfile(target):
        found = "a folder" if os.path.isdir(target) else "a device"
        raise error(f"{path}: must be a regular file or a new name, got {found}")
    return target


def sync_folder(folder: str) -> None:
    """Put a changed name on the disk, where the system lets a folder be opened for that."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
