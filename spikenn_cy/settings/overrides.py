"""Single settings given beside a file, as on a command line: ``trainer.epochs=10``."""

import json
import re
from collections.abc import Sequence
from typing import Any

from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import require
from spikenn_cy.errors import shown
from spikenn_cy.settings.records import plain

STEP = re.compile(r"\.?([A-Za-z_]\w*)|\[(\d{1,9})\]")
PATH = re.compile(rf"[A-Za-z_]\w*(?:{STEP.pattern})*")


def overridden(config: object, assignments: Sequence[str]) -> tuple[Any, str | None]:
    """Return settings as plain JSON values with some of them set, and the name of their source.

    Parameters
    ----------
    config : dict or path-like
        As for `spikenn_cy.settings.records.Record.from_any`.
    assignments : sequence of str
        Each a JSON path, ``=`` and a JSON value; a value that is none is a text.

    Raises
    ------
    ConfigError
        If one is none, or its path leads through what holds no settings.
    """
    raw, where = plain(config)
    if not assignments:
        return raw, where
    raw = json.loads(json.dumps(raw))  # which is the caller's
    for assignment in assignments:
        path, equals, value = assignment.partition("=")
        good = bool(equals and PATH.fullmatch(path))
        require(good, "--set", "must be KEY=VALUE, such as trainer.epochs=10", assignment)
        steps: list[str | int] = [key or int(number) for key, number in STEP.findall(path)]
        _put(raw, steps, _value(value), path)
    return raw, f"{where} and --set" if where else "--set"


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _put(part: Any, steps: Sequence[str | int], value: object, path: str) -> None:
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        good = isinstance(part, dict) if isinstance(step, str) else isinstance(part, list) and step < len(part)
        if not good:
            found = shown(step) if isinstance(step, str) else f"[{step}]"
            raise ConfigError(f"--set: {path} must lead through settings that are there, got {found}")
        if following is None:
            part[step] = value
        elif isinstance(step, str) and isinstance(following, str) and part.get(step) is None:
            part[step] = {}
        part = part[step] if isinstance(step, int) else part.get(step)
