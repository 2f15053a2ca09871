"""The settings that every regulator shares, which is the type that a configuration asks for."""

from typing import TYPE_CHECKING
from typing import Any

from spikenn_cy.regulators._base import Regulator
from spikenn_cy.settings.records import Record


class RegulatorConfig(Record, frozen=True, kw_only=True):
    """Settings of a regulator; a subclass has the tag that ``regularizer.method`` names."""

    def build(self, *layout: int) -> Regulator:
        """Return the compiled regulator; for the arguments see ``Regulator``."""
        raise NotImplementedError

    if TYPE_CHECKING:

        def __getattr__(self, key: str) -> Any: ...  # each regulator has settings of its own
