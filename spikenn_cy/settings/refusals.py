"""A refused setting told as JSON path, rule and finding, which msgspec's own messages do not give."""

import json
import re
import types
import typing
from collections.abc import Iterable
from typing import Any

import msgspec

from spikenn_cy.errors import shortened
from spikenn_cy.settings.strictjson import JSONPath
from spikenn_cy.settings.strictjson import dotted


class Refusal(Exception):
    """One setting that breaks a rule, before the name of its source is known."""

    def __init__(self, path: JSONPath, rule: str, found: str) -> None:
        super().__init__(path, rule, found)
        self.path, self.rule, self.found = path, rule, found

    def said_of(self, where: str | None) -> str:
        """Return the message, ``where`` being the name of the source."""
        return f"{at(where, dotted(self.path))}: {self.rule}, got {self.found}"


def at(where: str | None, place: str) -> str:
    """Return the name of a source with the place in it, as far as there are any."""
    return ": ".join(filter(None, (where, place))) or "config"


def parse(cls: type[msgspec.Struct], raw: Any) -> Any:
    """Return the record of class ``cls`` that plain JSON values describe, or raise `Refusal`."""
    try:
        return msgspec.convert(raw, cls)
    except msgspec.ValidationError as error:
        raise _explained(str(error), cls, raw) from None


# What msgspec says of a value, and how the house says it. Its messages are matched as a
# whole: one that it words anew in a later version is passed on as it is, with its path.
# They are compiled when something is refused, which most processes never do.
_PATH = r"(?s)(?P<text>.*) - at `\$(?P<path>.*)`"
_STEP = r"\.(?P<key>[^.\[]+)|\[(?P<position>\d+)\]"
_EXPECTED = r"Expected `(?P<kind>[a-z]+( \| array)?)(?P<or_null> \| null)?`(, got `.*`)?"
_UNKNOWN = r"(?s)Object contains unknown field `(?P<key>.*)`"
_MISSING = r"Object missing required field `(?P<key>.*)`"
_NOT_ONE_OF = r"(?s)Invalid (enum )?value .*"
_OWN_RULE = r"(?s)(?P<key>\w+): (?P<rule>.*), got (?P<found>.*)"
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "float | array": "a number or a list",
    "bool": "true or false",
    "str": "text",
    "object": "an object in braces",
    "array": "a list",
}


def _explained(message: str, cls: type[msgspec.Struct], raw: Any) -> Refusal:
    """Return msgspec's refusal of ``raw`` in the house's words."""
    text, path = message, ()
    if match := re.fullmatch(_PATH, message):
        steps = re.finditer(_STEP, match["path"])
        text, path = match["text"], tuple(step["key"] or int(step["position"]) for step in steps)
    found, kind = raw, cls
    for step in path:
        found, kind = found[step], _kind_inside(kind, found, step)
    if match := re.fullmatch(_UNKNOWN, text):
        return _unknown(path, match["key"], _record_of(kind, found))
    if match := re.fullmatch(_MISSING, text):
        return Refusal((*path, match["key"]), "must be given", "nothing")
    if re.fullmatch(_NOT_ONE_OF, text):
        return Refusal(path, f"must be {_either(map(json_text, kind))}", json_text(found))
    if match := re.fullmatch(_EXPECTED, text):
        rule = f"must be {_KINDS.get(match['kind'], match['kind'])}{' or null' if match['or_null'] else ''}"
        if isinstance(found, list) and match["kind"] != "object":
            rule += " (a list of values to try is for gridsearch)"
        return Refusal(path, rule, json_text(found))
    if text == "Number out of range":
        return Refusal(path, "must be finite", json_text(found))
    if match := re.fullmatch(_OWN_RULE, text):
        key, default = match["key"], match["found"]
        return Refusal((*path, key), match["rule"], json_text(found[key]) if key in found else shortened(default))
    return Refusal(path, text, json_text(found))


def _kind_inside(kind: Any, value: Any, step: str | int) -> Any:
    """Return the type of ``value[step]`` where ``value`` is of type ``kind``; for a choice, the choices."""
    if isinstance(step, int):
        return typing.get_args(kind)[0]
    record = _record_of(kind, value)
    hints = typing.get_type_hints(record)
    if step not in hints:  # the tag
        return tuple(member.__struct_config__.tag for member in _records(kind))
    hint = hints[step]
    return typing.get_args(hint) if typing.get_origin(hint) is typing.Literal else hint


def _records(kind: Any) -> tuple[type[msgspec.Struct], ...]:
    union = typing.get_origin(kind) in (typing.Union, types.UnionType)
    members = typing.get_args(kind) if union else (kind,)
    return tuple(member for member in members if isinstance(member, type) and issubclass(member, msgspec.Struct))


def _record_of(kind: Any, value: Any) -> type[msgspec.Struct]:
    """Return the record among the members of ``kind`` that ``value`` asks for by its tag."""
    records = _records(kind)
    for record in records:
        tag_field = record.__struct_config__.tag_field
        if tag_field is not None and value.get(tag_field) == record.__struct_config__.tag:
            return record
    return records[0]


def _unknown(path: JSONPath, key: str, record: type[msgspec.Struct]) -> Refusal:
    from difflib import get_close_matches  # here for the same reason

    tag_field = record.__struct_config__.tag_field
    known = [*([tag_field] if tag_field else []), *record.__struct_encode_fields__]
    near = get_close_matches(key, known, n=1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return Refusal((*path, key), f"must be one of the keys {', '.join(known)}", json_text(key) + hint)


def _either(words: Iterable[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def json_text(value: Any) -> str:
    """Return ``value`` as it stands in a JSON file, on one line and short enough for a message."""
    try:
        return shortened(json.dumps(value, ensure_ascii=False))
    except (TypeError, ValueError):
        return shortened(repr(value))
