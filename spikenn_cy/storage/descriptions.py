"""What one output folder says of itself compared with what is asked for, so that nothing is mixed up or done twice."""

import json
import platform
import re
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

import numpy as np

from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import shortened
from spikenn_cy.settings.records import Record
from spikenn_cy.version import __version__


def with_defaults(settings: Mapping[str, Any], kind: type[Record]) -> Mapping[str, Any]:
    """Return recorded settings with those that have come up since then at their defaults, or as they are if refused."""
    try:
        return kind.from_plain(settings).to_dict()
    except (ConfigError, UnicodeError):  # the latter of a name that is half a character
        return settings


def versions() -> dict[str, str]:
    """Return the versions of what computes."""
    return {"spikenn_cy": __version__, "numpy": np.__version__, "python": platform.python_version()}


def difference(
    there: Mapping[str, Any],
    asked: Mapping[str, Any],
    settings: type[Record],
    complete: bool = False,
    but: Iterable[str] = (),
) -> str:
    """Return in words how one output differs from another; ``""`` if it does not.

    Parameters
    ----------
    there, asked : dict
        Descriptions, with ``config``, ``data`` (an object for each file, which may be grouped in
        objects) and ``versions``.
    settings : type of Record
        Of ``config``, which is completed by defaults.
    complete : bool
        Whether the one that is there is complete, so that it may be of any version. To go on with
        it otherwise, the version of this package must be the same; Python and NumPy may be others.
    but : iterable of str
        Members that are not compared.
    """
    return _in_words(_comparable(there, settings, complete), _comparable(asked, settings, complete), but)


def _comparable(description: Mapping[str, Any], settings: type[Record], complete: bool) -> dict[str, Any]:
    described: dict[str, Any] = json.loads(json.dumps(description))
    described["config"] = with_defaults(described["config"], settings)
    described["data"] = dict(_digests(described["data"]))
    described["versions"] = {} if complete else {"spikenn_cy": described["versions"].get("spikenn_cy")}
    return described


def _in_words(there: Mapping[str, Any], asked: Mapping[str, Any], but: Iterable[str]) -> str:
    """Return how one description differs from another, members ``but`` left aside; ``""`` if it does not.

    Settings in ``config`` and ``options`` are named without that, members of ``data`` are not compared in words.
    """
    values_there, values_asked = dict(_leaves(dict(there))), dict(_leaves(dict(asked)))
    differing = []
    for place in {**values_asked, **values_there}:
        found, wanted = values_there.get(place, "none"), values_asked.get(place, "none")
        if found == wanted or re.split(r"[.[]", place)[0] in but:
            continue
        name = shortened(re.sub(r"^(config|options|data)[.]", "", place)).encode(errors="backslashreplace").decode()
        if place.startswith("data."):
            differing.append(f"other {name} data")
        else:
            differing.append(f"{name} {shortened(found)} instead of {shortened(wanted)}")
    return ", ".join(differing[:3]) + (f" and {len(differing) - 3} more differences" if len(differing) > 3 else "")


def _digests(data: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, str]]:
    """Yield the path of each file's description and what tells its content; of a group of files, of each of them."""
    for name, found in data.items():
        inside = f"{place}/{name}".removeprefix("/").removeprefix("./")
        if isinstance(found, dict) and "sha256" not in found:
            yield from _digests(found, inside)
        elif isinstance(found, dict):
            content = {key: value for key, value in found.items() if key not in ("file", "bytes")}
            yield inside, json.dumps(content, sort_keys=True)


def _leaves(value: object, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield the path of every value that is no object or list, and the value as JSON."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{place}.{key}" if place else key)
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _leaves(item, f"{place}[{position}]")
    else:
        yield place, json.dumps(value)
