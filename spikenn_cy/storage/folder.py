"""What every kind of output folder needs: it is made for its writer, its files are known, its records compared."""

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spikenn_cy.errors import RunError


def fingerprint(path: str | os.PathLike) -> dict[str, Any]:
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
    try:
        yield
    finally:
        for folder in missing:
            with contextlib.suppress(OSError):
                folder.rmdir()


def remove_torn(path: Path, names: Iterable[str]) -> None:
    """Remove from a folder what a killed process had begun to write of the named files."""
    for name in names:
        for torn in path.glob(f".{name}.*.tmp"):
            torn.unlink(missing_ok=True)


def differences(there: Mapping[str, Any], asked: Mapping[str, Any], but: Iterable[str] = ()) -> str:
    """Return in words how one description differs from another, members ``but`` left aside; ``""`` if it does not.

    Settings in ``config`` and ``options`` are named without that, members of ``data`` are not compared in words.
    """
    values_there, values_asked = dict(_leaves(dict(there))), dict(_leaves(dict(asked)))
    differing = []
    for place in {**values_asked, **values_there}:
        found, wanted = values_there.get(place, "none"), values_asked.get(place, "none")
        if found == wanted or place.split(".")[0] in but:
            continue
        if place.startswith("data."):
            differing.append(f"other {place.removeprefix('data.')} data")
        else:
            differing.append(f"{re.sub(r'^(config|options)[.]', '', place)} {found} instead of {wanted}")
    return ", ".join(differing[:3]) + (f" and {len(differing) - 3} more differences" if len(differing) > 3 else "")


def _leaves(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield the path of every value that is no object or list, and the value as JSON."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{place}.{key}" if place else key)
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _leaves(item, f"{place}[{position}]")
    else:
        yield place, json.dumps(value)
