"""Type of the screening forward pass."""

from typing import final

from spikenn_cy.network._weights import LayerWeights
from spikenn_cy.network.forward._base import Forward

@final
class ScreeningForward(Forward):
    @staticmethod
    def serves(weights: LayerWeights, group_size: int) -> bool: ...
