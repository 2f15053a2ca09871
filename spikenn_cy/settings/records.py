"""The frozen record every setting is read into, so that a misspelt key or a wrong type never passes in silence."""

import math
import os
import warnings
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from typing import TypeVar

import msgspec

from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import ConfigWarning
from spikenn_cy.errors import shown
from spikenn_cy.settings.refusals import Refusal
from spikenn_cy.settings.refusals import at
from spikenn_cy.settings.refusals import json_text
from spikenn_cy.settings.refusals import parse
from spikenn_cy.settings.strictjson import JSONPath
from spikenn_cy.settings.strictjson import dotted
from spikenn_cy.settings.strictjson import read_json

R = TypeVar("R", bound="Record")

LARGEST = 3.4028234663852886e38  # of float32, in which the network computes


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all settings: immutable, keyword-only, unknown keys refused, numbers finite.

    A subclass states its rules in ``check`` with ``self.rule`` and its doubts, which
    are worth a warning and no error, in ``doubts``. Types are checked by ``from_any``;
    a record that is made by calling its class trusts its caller for them.
    """

    def __post_init__(self) -> None:
        for key in self.__struct_fields__:
            value = getattr(self, key)
            if isinstance(value, float):
                self.rule(math.isfinite(value), key, "must be finite")
                self.rule(abs(value) <= LARGEST, key, "must be at most 3.4e38 in size")
        self.check()

    def check(self) -> None:
        """Raise ``ConfigError("key: rule, got value")`` where a setting is nonsense."""

    def doubts(self) -> Iterator[tuple[str, str]]:
        """Yield ``(key, why)`` for settings that are legal but look like slips."""
        yield from ()

    def rule(self, holds: bool, key: str, rule: str) -> None:
        """Raise unless ``holds``; the place of this record is added where it is read."""
        if not holds:
            raise ConfigError(f"{key}: {rule}, got {shown(getattr(self, key))}")

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain JSON values, defaults included."""
        return msgspec.to_builtins(self)

    @classmethod
    def from_any(cls: type[R], config: Any, where: str | None = None) -> R:
        """Read settings from a dictionary, a JSON file or a record of this class.

        Parameters
        ----------
        config : dict, str, path-like or record
            A string is the path of a file.
        where : str, optional
            Name of the source in messages; the path if ``config`` is one.

        Raises
        ------
        ConfigError
            With source, JSON path, rule and finding in one line.

        Warns
        -----
        ConfigWarning
            For each setting that is legal but looks like a slip.
        """
        raw, where = plain(config, where)
        try:
            record = parse(cls, raw)
        except Refusal as refusal:
            raise ConfigError(refusal.said_of(where)) from None
        if not isinstance(config, Record):  # its reader has been warned
            for place, why in all_doubts(record):
                warnings.warn(ConfigWarning(f"{at(where, place)}: {why}"), stacklevel=2)
        return record


def plain(config: Any, where: str | None = None) -> tuple[Any, str | None]:
    """Return ``config`` as plain JSON values, and the name of its source.

    NumPy scalars and arrays, tuples, mappings and records, which a caller in Python may
    have put in a dictionary, are turned into their JSON likes.

    Raises
    ------
    ConfigError
        If they are in a file that cannot be read, or is no JSON, or have keys that are not text.
    """
    if isinstance(config, (str, os.PathLike)):
        path = os.fspath(config)
        try:
            return read_json(path), where or path
        except ConfigError:
            raise
        except (OSError, ValueError) as problem:  # the latter if no file can have such a name
            found = getattr(problem, "strerror", None) or problem
            raise ConfigError(f"{path}: must be usable, got {found}") from problem
    try:
        return _plain(config, ()), where
    except Refusal as refusal:
        raise ConfigError(refusal.said_of(where)) from None


def all_doubts(record: Record, path: JSONPath = ()) -> Iterator[tuple[str, str]]:
    """Yield ``(JSON path, why)`` for the doubts of a record and of all records in it."""
    for key, why in record.doubts():
        yield dotted((*path, key)), why
    for key in record.__struct_fields__:
        value = getattr(record, key)
        if isinstance(value, Record):
            yield from all_doubts(value, (*path, key))
        elif isinstance(value, tuple):
            for position, item in enumerate(value):
                if isinstance(item, Record):
                    yield from all_doubts(item, (*path, key, position))


def _plain(value: Any, path: JSONPath) -> Any:
    if isinstance(value, Record):
        return value.to_dict()
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise Refusal(path, "must have text as keys", json_text(key))
        return {key: _plain(item, (*path, key)) for key, item in value.items()}
    if hasattr(value, "dtype") and hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(item, (*path, position)) for position, item in enumerate(value)]
    return value
