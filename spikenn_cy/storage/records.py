"""The one door through which records of earlier commands come back: of the right shape, and with possible figures."""

import json
import os
import stat
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from typing import Any
from typing import TypeGuard

import msgspec

from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import RunError
from spikenn_cy.errors import shortened
from spikenn_cy.settings.strictjson import parse_json
from spikenn_cy.settings.strictjson import read_json
from spikenn_cy.utils.atomic import atomic_file

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]  # NaN is none, nor is true
Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Seed = Annotated[int, msgspec.Meta(ge=0)]
Figure = Annotated[float, msgspec.Meta(ge=0, le=1e300)]  # which is finite
Section = dict[str, Any]

DEEPEST = 50  # levels of a record; each takes some calls of Python's limited stack


def read_record(path: Path, shape: type[msgspec.Struct], rule: str) -> dict[str, Any]:
    """Return the JSON object in a file.

    Parameters
    ----------
    path : Path
    shape : type of Struct
        Members that it must have, with their types and ranges; more may be there.
    rule : str
        What it must be; stands between path and finding in an error.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If there is no such file.
    RunError
        If it is damaged or holds anything else.
    """
    _require_file(path, rule)
    try:
        found = read_json(path)
    except OSError as problem:
        raise RunError(f"{path}: {rule}, got {problem.strerror}") from None
    except ConfigError as problem:
        raise RunError(str(problem)) from None
    if is_like(found, shape):
        return found
    raise RunError(f"{path}: {rule}, got {_shown(found)}")


def read_lines(path: Path, shape: type[msgspec.Struct], rule: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects in the lines of a file; of one that is being written, or is not there, what there is.

    Raises
    ------
    RunError
        At the first line that is damaged or holds anything else, as `read_record`.
    """
    try:
        _require_file(path, rule)
        text = path.read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as problem:
        raise RunError(f"{path}: {rule}, got {problem.strerror}") from None
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        try:
            found = parse_json(line, "")
        except ConfigError:
            found = None
        if not is_like(found, shape):
            if not line.endswith("\n"):  # at this moment
                return
            raise RunError(f"{path}: line {number}: {rule}, got {shortened(line)!r}")
        yield found


def is_like(found: object, shape: type[msgspec.Struct]) -> TypeGuard[dict[str, Any]]:
    """Return whether JSON values are an object with the members of ``shape``."""
    if not _is_flat(found):
        return False
    try:
        msgspec.convert(found, shape)
    except (msgspec.ValidationError, UnicodeError):  # the latter of a key that is half a character
        return False
    return True


def write_record(path: Path, record: Mapping[str, Any]) -> None:
    """Write a JSON object, whole or not at all."""
    with atomic_file(path, "w") as file:
        file.write(json.dumps(record, indent=2) + "\n")


def append_line(path: str | os.PathLike[str], text: str, sync: bool = True) -> None:
    """Add text to a file, where others can read it at once; with ``sync`` it is on the disk afterwards."""
    with open(path, "a", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        if sync:
            os.fsync(file.fileno())


def _require_file(path: Path, rule: str) -> None:
    """Raise unless there is a regular file; a pipe would be waited for."""
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode):
        raise RunError(f"{path}: {rule}, got {'a folder' if stat.S_ISDIR(mode) else 'something else'}")


def _is_flat(found: object) -> bool:
    level = [found]
    for _ in range(DEEPEST):
        level = [
            item
            for value in level
            if isinstance(value, dict | list)
            for item in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return True
    return False


def _shown(found: object) -> str:
    return shortened(json.dumps(found)) if _is_flat(found) else "too many nested brackets"
