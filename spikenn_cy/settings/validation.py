"""An invalid setting that knows its JSON path, so that whoever reads it can say of which source it is."""

import json

from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import shortened
from spikenn_cy.settings.strictjson import JSONPath
from spikenn_cy.settings.strictjson import dotted


class InvalidSetting(ConfigError):
    """A setting that breaks a rule; its text names no source.

    Attributes
    ----------
    path : tuple of str and int
        Where it stands: keys of objects, positions in lists.
    rule, found : str
        What must be, and what is.
    hint : str
        What was meant, perhaps.
    """

    def __init__(self, path: JSONPath, rule: str, found: str, hint: str = "") -> None:
        super().__init__(path, rule, found, hint)
        self.path, self.rule, self.found, self.hint = path, rule, found, hint

    def __str__(self) -> str:
        return self.message_for(None)

    def message_for(self, where: str | None) -> str:
        """Return the message, ``where`` being the name of the source."""
        return f"{at(where, shortened(dotted(self.path)))}: {self.rule}, got {self.found}{self.hint}"


def at(where: str | None, place: str) -> str:
    """Return the name of a source with the place in it, as far as there are any."""
    return ": ".join(filter(None, (where, place))) or "config"


def json_text(value: object) -> str:
    """Return ``value`` as it stands in a JSON file, on one line and short enough for a message."""
    try:
        return shortened(json.dumps(value, ensure_ascii=False))
    except (TypeError, ValueError, RecursionError):
        return shortened(repr(value))
