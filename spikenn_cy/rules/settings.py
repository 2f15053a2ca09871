"""The settings that every rule shares, which is the type that a configuration asks for."""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any
from typing import ClassVar

from spikenn_cy.rules.suggestion import Suggestion
from spikenn_cy.settings.records import Record


class RuleConfig(Record, frozen=True, kw_only=True):
    """Settings of a rule; a subclass has the tag that ``optimizer.method`` names.

    Attributes
    ----------
    suggestions : mapping of Suggestion
        What `SpikingClassifier` begins with, by the names of its parameter ``rule``: the tag,
        and perhaps a name for a variant. A rule without one is for configurations alone.
    every_layer : bool
        Whether the rule trains every layer of a network, or the last one alone.
    """

    suggestions: ClassVar[Mapping[str, Suggestion]] = {}
    every_layer: ClassVar[bool] = False

    @property
    def counts_epochs(self) -> bool:
        """Whether rates depend on how many epochs there will be, so that more of them are another training."""
        return False

    @property
    def temperature_of_classes(self) -> float | None:
        """Temperature at which a softmax of the scores of classes is what the rule trains; None if it trains none."""
        return None

    @property
    def moves_threshold(self) -> bool:
        """Whether learning itself moves the output's threshold to where decisions are wanted."""
        return False

    if TYPE_CHECKING:

        def __getattr__(self, key: str) -> Any: ...  # each rule has settings of its own
