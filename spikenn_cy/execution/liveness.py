"""A file by which processes on other machines know that the command they work for is still there."""

import contextlib
import fcntl
import os
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

from spikenn_cy.errors import RunError

PREFIX = ".command-"


@contextlib.contextmanager
def liveness_file(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """Hold a new file in ``folder``, which exists, for the time of the block.

    The kernel lets go of it when this process ends, however it ends, and a network file
    system tells the other machines. `is_alive` asks there.

    Yields
    ------
    Path
        The file, absolute. Its name is never used again, so no machine has an older answer about it in its cache.

    Raises
    ------
    RunError
        If the folder cannot be written to or its file system has no locks.
    """
    folder = Path(os.path.abspath(folder))
    path = folder / f"{PREFIX}{secrets.token_hex(8)}"
    try:
        _remove_abandoned(folder)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
    except OSError as error:
        raise RunError(f"{folder}: must be a folder that can be written to, got {error.strerror}") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.write(handle, f"process {os.getpid()} on {socket.gethostname()}\n".encode())
            os.fsync(handle)  # while it is open, nothing else sends it to a file server soon
        except OSError as error:
            raise RunError(f"{folder}: must be on a file system with locks, got {error.strerror}") from None
        yield path
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(handle)


def is_alive(path: str | os.PathLike[str]) -> bool:
    """Return whether the process that made this file with `liveness_file` is still in its block."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        # Shared, so that many may ask at a time without taking one another for the owner.
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _remove_abandoned(folder: Path) -> None:
    """Remove what commands that were killed have left."""
    for path in folder.glob(f"{PREFIX}*"):
        if not is_alive(path):
            path.unlink(missing_ok=True)
