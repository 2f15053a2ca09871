"""What folders and files are for every command: made when they are needed, known by content, found changed."""

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from spikenn_cy.errors import RunError
from spikenn_cy.utils.atomic import sync_folder


def fingerprint(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return what tells a file's content from any other: name, size and SHA-256.

    All of it is read, since a sample could miss the one label that was mended. At well
    over 1 GB/s that takes a small part of the time of one epoch on the same data, which
    is in the page cache afterwards.
    """
    digest, n_bytes = hashlib.sha256(), 0
    chunk = memoryview(bytearray(2**20))
    with open(path, "rb", buffering=0) as file:
        while n_read := file.readinto(chunk):
            digest.update(chunk[:n_read])
            n_bytes += n_read
    return {"file": Path(path).name, "bytes": n_bytes, "sha256": digest.hexdigest()}


def stamp(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Return size in bytes and time of the last change in nanoseconds, which differ once a file has changed.

    Raises
    ------
    OSError
        If it cannot be looked at.
    """
    found = os.stat(path)
    return found.st_size, found.st_mtime_ns


@contextlib.contextmanager
def made(path: Path) -> Iterator[None]:
    """Make a folder, with its parents, for the block; those that are empty after it are removed again.

    Raises
    ------
    RunError
        If there cannot be such a folder.
    """
    missing = [folder for folder in (path, *path.parents) if not os.path.lexists(folder)]
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise RunError(f"{path}: must be a folder, got a file") from None
    except OSError as error:
        raise RunError(f"{path}: must be a folder that can be made, got {error.strerror}") from None
    for folder in missing:  # a power cut would take a folder with all its files that are on the disk
        sync_folder(os.fspath(folder.parent))
    try:
        yield
    finally:
        for folder in missing:
            with contextlib.suppress(OSError):
                folder.rmdir()
