"""JSON values → records, by the types of the records' fields: what does not fit is refused with its path."""

import functools
import math
import numbers
import types
import typing
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from typing import NamedTuple
from typing import TypeVar

import msgspec

from spikenn_cy.errors import did_you_mean
from spikenn_cy.settings.strictjson import JSONPath
from spikenn_cy.settings.validation import InvalidSetting
from spikenn_cy.settings.validation import json_text

R = TypeVar("R", bound=msgspec.Struct)

LARGEST = 3.4028234663852886e38  # of float32, in which the network computes
WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


@dataclass(frozen=True, eq=False)
class Family:
    """Records among which a key chooses; stands beside a field's type: ``Annotated[Base, Family("method", TABLE)]``.

    Attributes
    ----------
    key : str
        The ``tag_field`` of all members.
    members : mapping of record classes
        By their tags; looked up whenever a record is made, so a row may be added at any time.
    default : str, optional
        The tag that is meant where an object lacks the key. It is of the one member there was
        when files had no such key, and is not written.
    """

    key: str
    members: Mapping[str, type[msgspec.Struct]]
    default: str | None = None


@dataclass(frozen=True, eq=False)
class Choice:
    """Words among which a setting chooses, as the keys of a table: ``Annotated[str, Choice(TABLE)]``."""

    members: Mapping[str, Any]


class Kind(NamedTuple):
    """What a type hint lets stand for each type of JSON value."""

    scalars: tuple[type, ...] = ()  # of WORDS
    choices: Collection[str] = ()
    record: type[msgspec.Struct] | Family | None = None
    items: "Kind | None" = None  # of a list
    null: bool = False

    def __str__(self) -> str:
        words = [*(WORDS[scalar] for scalar in self.scalars), *map(json_text, self.choices)]
        words += ["an object in braces"] * (self.record is not None) + ["a list"] * (self.items is not None)
        return _either([*words, *(["null"] * self.null)])


class Field(NamedTuple):
    """A field of a record."""

    kind: Kind
    required: bool
    default: Any


@functools.cache
def fields_of(cls: type[msgspec.Struct]) -> dict[str, Field]:
    """Return the fields of a record by their names."""
    hints = typing.get_type_hints(cls, include_extras=True)
    return {
        field.name: Field(_kind(hints[field.name]), field.required, field.default)
        for field in msgspec.structs.fields(cls)
    }


def _kind(hint: object) -> Kind:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        kinds = [_kind(argument) for argument in arguments]
        return Kind(
            tuple(scalar for kind in kinds for scalar in kind.scalars),
            tuple(choice for kind in kinds for choice in kind.choices),
            next((kind.record for kind in kinds if kind.record is not None), None),
            next((kind.items for kind in kinds if kind.items is not None), None),
            any(kind.null for kind in kinds),
        )
    if origin is typing.Annotated:
        chosen = arguments[1]
        return Kind(choices=chosen.members) if isinstance(chosen, Choice) else Kind(record=chosen)
    if origin is typing.Literal:
        return Kind(choices=arguments)
    if origin is tuple:
        return Kind(items=_kind(arguments[0]))
    if hint is type(None):
        return Kind(null=True)
    if hint in WORDS:
        return Kind(scalars=(hint,))
    if not (isinstance(hint, type) and issubclass(hint, msgspec.Struct)):
        raise TypeError(f"{hint}: no setting can be of this type")
    return Kind(record=hint)


def convert(value: object, kind: Kind, path: JSONPath) -> Any:
    """Return ``value`` as a field of this kind holds it, or raise `InvalidSetting`.

    A whole number is taken where a number belongs, and nothing else for what it is not: ``true``
    is no number and ``1.0`` no whole one.
    """
    if value is None and kind.null:
        return None
    if type(value) in kind.scalars and type(value) is not float:
        return value
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        if float in kind.scalars:
            return _finite(value, path)
        if int in kind.scalars and isinstance(value, numbers.Integral):
            return int(value)
    elif isinstance(value, str):
        if str in kind.scalars or value in kind.choices:
            return value
        if kind.choices:
            raise InvalidSetting(path, f"must be {kind}", json_text(value), did_you_mean(value, kind.choices))
    elif isinstance(value, list | tuple) and kind.items is not None:
        return tuple(convert(item, kind.items, (*path, position)) for position, item in enumerate(value))
    elif isinstance(value, Mapping) and kind.record is not None:
        return build(_class_of(kind.record, value, path), value, path)
    elif isinstance(value, msgspec.Struct) and _is_member(value, kind.record):
        return value
    rule = f"must be {kind}"
    if isinstance(value, list | tuple) and kind.record is None:
        rule += " (a list of values to try is for gridsearch)"
    raise InvalidSetting(path, rule, json_text(value))


def build(cls: type[R], raw: object, path: JSONPath = ()) -> R:
    """Return the record of class ``cls`` that an object of plain JSON values describes, or raise `InvalidSetting`.

    Parameters
    ----------
    cls : record class
    raw : Any
        A mapping; anything else is refused.
    path : tuple of str and int
        Where it stands.
    """
    if not isinstance(raw, Mapping):
        raise InvalidSetting(path, f"must be {Kind(record=cls)}", json_text(raw))
    fields, key, tag = fields_of(cls), cls.__struct_config__.tag_field, cls.__struct_config__.tag
    if key is not None and raw.get(key, tag) != tag:
        raise InvalidSetting((*path, key), f"must be {json_text(tag)}", json_text(raw[key]))
    values = {name: value for name, value in raw.items() if name != key}
    for name in values:
        if name not in fields:
            why = getattr(cls, "inapplicable", {}).get(name)
            if why is not None:
                raise InvalidSetting((*path, name), f"must not be given ({why})", json_text(values[name]))
            known = [key, *fields] if key else list(fields)
            rule = f"must be one of the keys {', '.join(known)}"
            raise InvalidSetting((*path, name), rule, json_text(name), did_you_mean(name, known))
    for name, field in fields.items():
        if field.required and name not in values:
            raise InvalidSetting((*path, name), "must be given", "nothing")
    try:
        return cls(**values)
    except InvalidSetting as invalid:
        first, *deeper = invalid.path
        # Shows the value as it was given; the record may have rounded it.
        found = invalid.found if deeper or first not in values else json_text(values[first])
        raise InvalidSetting((*path, first, *deeper), invalid.rule, found, invalid.hint) from None


def _finite(value: numbers.Real, path: JSONPath) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InvalidSetting(path, "must be finite", json_text(value))
    if abs(number) > LARGEST:
        raise InvalidSetting(path, "must be at most 3.4e38 in size", json_text(value))
    return number


def _class_of(record: type[msgspec.Struct] | Family, raw: Mapping[str, Any], path: JSONPath) -> type[msgspec.Struct]:
    """Return the class of the record that an object asks for."""
    if not isinstance(record, Family):
        return record
    tag = raw.get(record.key, record.default)
    if record.key not in raw and tag is None:
        raise InvalidSetting((*path, record.key), "must be given", "nothing")
    if not isinstance(tag, str) or tag not in record.members:
        rule = f"must be {_either(map(json_text, record.members))}"
        raise InvalidSetting((*path, record.key), rule, json_text(tag), did_you_mean(tag, record.members))
    return record.members[tag]


def _is_member(value: msgspec.Struct, record: type[msgspec.Struct] | Family | None) -> bool:
    classes = tuple(record.members.values()) if isinstance(record, Family) else record
    return classes is not None and isinstance(value, classes)


def _either(words: Iterable[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last
