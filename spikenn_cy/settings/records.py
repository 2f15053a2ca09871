"""The frozen record every setting is read into, so that a misspelt key or a wrong type never passes in silence."""

import os
import warnings
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from typing import ClassVar
from typing import TypeVar

import msgspec

from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import ConfigWarning
from spikenn_cy.errors import shown
from spikenn_cy.settings.convert import Family
from spikenn_cy.settings.convert import Field
from spikenn_cy.settings.convert import Kind
from spikenn_cy.settings.convert import build
from spikenn_cy.settings.convert import convert
from spikenn_cy.settings.convert import fields_of
from spikenn_cy.settings.recorded import settings_file
from spikenn_cy.settings.recorded import unwrapped
from spikenn_cy.settings.strictjson import JSONPath
from spikenn_cy.settings.strictjson import dotted
from spikenn_cy.settings.strictjson import read_json
from spikenn_cy.settings.validation import InvalidSetting
from spikenn_cy.settings.validation import at
from spikenn_cy.settings.validation import json_text

R = TypeVar("R", bound="Record")


class Record(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Base of all settings: immutable, keyword-only, of the types that its fields state, numbers finite.

    A subclass states its rules in ``check`` with ``self.rule`` and its doubts, which
    are worth a warning and no error, in ``doubts``. A record exists only if it keeps them,
    so that nobody who is given one has to check it again. It is declared with ``frozen=True``,
    which type checkers do not know to be inherited, and ``kw_only=True``, which is not.

    Attributes
    ----------
    later : tuple of str
        Keys that files of the first edition did not have. They are not written where they have
        their defaults, so that settings stored before, and their checksums, stay as they are.
    inapplicable : mapping of str
        Keys of related records that cannot apply to this one, and why.
    """

    later: ClassVar[tuple[str, ...]] = ()
    inapplicable: ClassVar[Mapping[str, str]] = {}

    def __post_init__(self) -> None:
        for key, field in fields_of(type(self)).items():
            value = getattr(self, key)
            converted = convert(value, self.kind_of(key, field), (key,))
            if converted is not value:
                msgspec.structs.force_setattr(self, key, converted)
        self.check()

    def kind_of(self, key: str, field: Field) -> Kind:
        """Return what a field may hold, which may depend on other fields."""
        return field.kind

    def check(self) -> None:
        """Raise ``ConfigError("key: rule, got value")`` where a setting is nonsense."""

    def doubts(self) -> Iterator[tuple[str, str]]:
        """Yield ``(key, why)`` for settings that are legal but look like slips."""
        yield from ()

    def rule(self, holds: bool, key: str, rule: str) -> None:
        """Raise unless ``holds``; the place of this record is added where it is read."""
        if not holds:
            raise InvalidSetting((key,), rule, shown(getattr(self, key)))

    @property
    def where(self) -> str | None:
        """Name of the source, such as a file, that the settings were read from; for messages, and no part of them."""
        return self.__dict__.get("where")

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain JSON values, defaults included, but for those that came ``later``."""
        tag_field, tag = self.__struct_config__.tag_field, self.__struct_config__.tag
        settings: dict[str, Any] = {} if tag_field is None else {tag_field: tag}
        for key, field in fields_of(type(self)).items():
            value = getattr(self, key)
            if key in self.later and value == field.default:
                continue
            settings[key] = _written(value, self.kind_of(key, field))
        return settings

    @classmethod
    def from_any(cls: type[R], config: object, where: str | None = None) -> R:
        """Read settings from a dictionary or a JSON file; a record of this class is returned as it is.

        Parameters
        ----------
        config : dict, str, path-like or record
            A string is the path of a file; of a folder, if a run or an extraction has left its settings there. Their
            records will do as well.
        where : str, optional
            Name of the source in messages; the path if ``config`` is one. The record keeps it.

        Raises
        ------
        ConfigError
            With source, JSON path, rule and finding in one line.

        Warns
        -----
        ConfigWarning
            For each setting that is legal but looks like a slip.
        """
        if isinstance(config, cls):
            return config
        record = cls.from_plain(*plain(config, where))
        for place, why in all_doubts(record):
            warnings.warn(ConfigWarning(f"{at(record.where, place)}: {why}"), stacklevel=2)
        return record

    @classmethod
    def from_plain(cls: type[R], raw: object, where: str | None = None) -> R:
        """Read settings from plain JSON values, without a word on what looks like a slip."""
        try:
            return with_source(build(cls, raw), where)
        except InvalidSetting as invalid:
            raise ConfigError(invalid.message_for(where)) from None

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (type(self), {key: getattr(self, key) for key in self.__struct_fields__}, self.where)


def with_source(record: R, where: str | None) -> R:
    """Return ``record``, which from now on names ``where`` as its source."""
    if where is not None:
        record.__dict__["where"] = where
    return record


def _unpickled(cls: type[R], settings: dict[str, Any], where: str | None) -> R:
    return with_source(cls(**settings), where)


def plain(config: object, where: str | None = None) -> tuple[Any, str | None]:
    """Return ``config`` as plain JSON values, and the name of its source.

    NumPy scalars and arrays, tuples, mappings and records, which a caller in Python may
    have put in a dictionary, are turned into their JSON likes.

    Raises
    ------
    ConfigError
        If they are in a file that cannot be read, or is no JSON, or have keys that are not text, or are those of
        many runs.
    """
    if isinstance(config, (str, os.PathLike)):
        path = os.fspath(config)
        try:
            path = settings_file(path)
            return unwrapped(read_json(path), path), where or path
        except ConfigError:
            raise
        except (OSError, ValueError) as problem:  # the latter if no file can have such a name
            found = getattr(problem, "strerror", None) or problem
            raise ConfigError(f"{path}: must be usable, got {found}") from problem
    if isinstance(config, Record):
        return config.to_dict(), where or config.where
    try:
        return unwrapped(_plain(config, ()), where), where
    except InvalidSetting as invalid:
        raise ConfigError(invalid.message_for(where)) from None


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


def _written(value: object, kind: Kind) -> Any:
    """Return a setting as plain JSON values, without the tag that an object without one is taken to have."""
    if isinstance(value, tuple) and kind.items is not None:
        return [_written(item, kind.items) for item in value]
    settings, family = _plain(value, ()), kind.record
    if isinstance(family, Family) and settings is not None and settings[family.key] == family.default:
        del settings[family.key]
    return settings


def _plain(value: object, path: JSONPath) -> Any:
    if isinstance(value, Record):
        return value.to_dict()
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise InvalidSetting(path, "must have text as keys", json_text(key))
        return {key: _plain(item, (*path, key)) for key, item in value.items()}
    if hasattr(value, "dtype") and hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(item, (*path, position)) for position, item in enumerate(value)]
    return value
