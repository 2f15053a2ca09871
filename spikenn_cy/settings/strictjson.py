"""JSON files read so that every defect has a place: line and column, or the path of a key given twice."""

import codecs
import json
import os
import stat
from typing import Any

from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import shortened

JSONPath = tuple[str | int, ...]  # keys of objects, positions in lists

LARGEST = 16 * 2**20  # bytes; a data set named by mistake must not be read into memory

_MARKS = {
    codecs.BOM_UTF8: "a UTF-8 byte order mark",
    codecs.BOM_UTF32_LE: "UTF-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


def read_json(path: str | os.PathLike[str]) -> Any:
    """Return the value in a JSON file.

    Parameters
    ----------
    path : str or path-like
        A UTF-8 file of at most 16 MiB.

    Returns
    -------
    object
        Plain ``dict``, ``list``, ``str``, ``int``, ``float``, ``bool`` or ``None``.
        ``NaN`` and ``Infinity``, which other programs write, are left for the settings'
        own checks to refuse, since these know the path.

    Raises
    ------
    ConfigError
        If the file is not text, not JSON, or gives a key of an object twice.
    OSError
        If the file cannot be read.
    """
    where = os.fspath(path)
    with open(path, "rb", opener=_open_at_once) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ConfigError(f"{where}: must be a JSON file, got something else")
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ConfigError(f"{where}: must be a JSON file of at most {LARGEST} bytes, got a larger one")
    return parse_json(_text(content, where), where)


def parse_json(text: str, where: str) -> Any:
    """Return the value of a JSON text; ``where`` names it in errors, see `read_json`."""
    twice: list[str] = []

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                twice.append(key)
            found[key] = _Twice if key in found else value
        return found

    try:
        value = json.loads(text, object_pairs_hook=members)
    except json.JSONDecodeError as error:
        rest = text[error.pos : error.pos + 20]
        found = shortened(repr(rest)) if rest else "the end of the text"
        rule = f"must be JSON ({error.msg[:1].lower()}{error.msg[1:]})"
        raise ConfigError(f"{where}: line {error.lineno}, column {error.colno}: {rule}, got {found}") from None
    except RecursionError:
        raise ConfigError(f"{where}: must be JSON of reasonable depth, got too many nested brackets") from None
    except ValueError as error:  # an integer of more digits than Python converts
        raise ConfigError(f"{where}: must hold numbers of reasonable length, got {shortened(str(error))}") from None
    if twice:
        try:
            path = _path_to_twice(value) or twice[0]
        except RecursionError:
            path = twice[0]
        raise ConfigError(f"{where}: {path}: must be given once, got it twice")
    return value


def dotted(path: JSONPath) -> str:
    """Return the path of a JSON value as it is written in messages: ``network[0].w_min``."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def _open_at_once(path: str, flags: int) -> int:
    """Open without waiting for the other end of a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


class _Twice:
    """Stands where a key was given a second time, until its path is known."""


def _path_to_twice(value: object, path: JSONPath = ()) -> str | None:
    if value is _Twice:
        return dotted(path)
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return next(filter(None, (_path_to_twice(item, (*path, step)) for step, item in inside)), None)


def _text(content: bytes, where: str) -> str:
    for mark, name in _MARKS.items():
        if content.startswith(mark):
            raise ConfigError(f"{where}: must be UTF-8 text without a byte order mark, got {name}")
    if b"\0" in content:
        raise ConfigError(f"{where}: must be UTF-8 text, got a binary file")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        byte = content[error.start]
        raise ConfigError(f"{where}: must be UTF-8 text, got byte 0x{byte:02x} at offset {error.start}") from None
