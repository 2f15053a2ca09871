"""Settings as commands have recorded them, so that whatever holds the settings of a run will do in their place."""

import os
from collections.abc import Mapping
from typing import Any

from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import shortened
from spikenn_cy.settings.validation import at

RECORDS = ("config.json", "extraction.json", "manifest.json")  # of a run, an extraction, many runs
SINGLE = {"config", "seed", "data", "versions"}  # members of the first two, and not alone of the third
RULE = "must be settings, or the folder or record of a run or an extraction"


def settings_file(path: str) -> str:
    """Return the file with settings that a path means: of a folder, the record in it.

    Raises
    ------
    ConfigError
        If a folder has none.
    """
    if not os.path.isdir(path):
        return path
    for name in RECORDS:
        if os.path.isfile(os.path.join(path, name)):
            return os.path.join(path, name)
    raise ConfigError(f"{path}: {RULE}, got a folder without {RECORDS[0]}")


def unwrapped(raw: object, where: str | None) -> Any:
    """Return the settings in the record of a run or an extraction; what is no record, as it is.

    Parameters
    ----------
    raw : object
        JSON values.
    where : str or None
        Their source, for messages.

    Raises
    ------
    ConfigError
        If it is the record of anything else, which no single run has left.
    """
    if not isinstance(raw, Mapping) or "format" not in raw:
        return raw
    if "command" not in raw and raw.keys() >= SINGLE:
        return raw["config"]
    raise ConfigError(at(where, f"{RULE}, got {_shown(raw)}"))


def _shown(record: Mapping[str, Any]) -> str:
    command = record.get("command")
    if command == "gridsearch":
        return "that of a grid search (spikenn-cy best OUT --save FILE writes its best settings)"
    if command is not None:
        return f"that of {shortened(str(command))} (the folders of its runs will do)"
    return f"a record with {shortened(', '.join(map(str, record)))}"
