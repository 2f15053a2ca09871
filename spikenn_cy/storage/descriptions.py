"""What one output folder says of itself compared with what is asked for, so that nothing is mixed up or done twice."""

from collections.abc import Mapping
from typing import Any

from spikenn_cy.settings.records import Record
from spikenn_cy.settings.refusals import Refusal
from spikenn_cy.settings.refusals import parse


def with_defaults(settings: Mapping[str, Any], kind: type[Record]) -> Mapping[str, Any]:
    """Return recorded settings with those that have come up since then at their defaults, or as they are if refused."""
    try:
        return parse(kind, settings).to_dict()
    except Refusal:
        return settings
