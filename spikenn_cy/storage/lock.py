"""A folder belongs to one writer at a time, and to nobody once that writer has died."""

import contextlib
import fcntl
import os
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from spikenn_cy.errors import RunError
from spikenn_cy.errors import shortened

LOCK = ".lock"


class NotWritable(RunError):
    """A folder cannot be written to; what is complete in it may still be looked up."""


@contextlib.contextmanager
def locked(folder: Path, patience: float = 0.0) -> Iterator[None]:
    """Hold ``folder``, which exists, for the time of the block.

    The kernel takes the lock away when its process ends, however it ends, so that a
    killed run leaves nothing to be cleared up; the file only says who holds it.

    Parameters
    ----------
    folder : Path
    patience : float
        Seconds to wait for a holder to let go.

    Raises
    ------
    NotWritable
        If it cannot be locked.
    RunError
        If another process holds it, or something else has the name of the lock.
    """
    path = folder / LOCK
    if path.is_symlink():
        raise RunError(f"{path}: must be a file that a command makes, got a symbolic link")
    try:
        handle = _acquire(path, patience)
    except BlockingIOError:
        raise RunError(f"{folder}: must not be in use, got one by {_owner(path)}") from None
    except OSError as error:
        raise NotWritable(f"{folder}: must be a folder that can be written to, got {error.strerror}") from None
    try:
        os.truncate(handle, 0)
        os.write(handle, f"process {os.getpid()} on {socket.gethostname()}\n".encode())
        yield
    finally:
        # Removed while still held: whoever waits for this file finds that it is gone.
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(handle)


def _acquire(path: Path, patience: float) -> int:
    deadline = time.monotonic() + patience
    while True:
        # What is written to a lock must reach no other file: none behind a link, and no pipe or device.
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
        try:
            _require_own(path, os.fstat(handle))
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_still(path, handle):
                return handle
        except BaseException as error:
            os.close(handle)
            if not isinstance(error, BlockingIOError) or time.monotonic() >= deadline:
                raise
            time.sleep(0.02)
        else:
            os.close(handle)


def _require_own(path: Path, found: os.stat_result) -> None:
    """Raise unless an opened lock is a file that has no other name."""
    if not stat.S_ISREG(found.st_mode):
        raise RunError(f"{path}: must be a file that a command makes, got something else")
    if found.st_nlink > 1:
        raise RunError(f"{path}: must be a file that a command makes, got one with another name")


def _is_still(path: Path, handle: int) -> bool:
    """Return whether ``path`` has not been removed between opening and locking it."""
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False


def _owner(path: Path) -> str:
    with contextlib.suppress(OSError):
        return shortened(path.read_text(errors="replace")) or "another process"
    return "another process"
