"""Types of S4NN in every layer."""

from typing import final

from spikenn_cy.rules._network import NetworkRule
from spikenn_cy.settings.records import Record

@final
class S4NNLayers(NetworkRule):
    def __init__(self, config: Record, n_classes: int, n_per_class: int, max_time: float) -> None: ...
