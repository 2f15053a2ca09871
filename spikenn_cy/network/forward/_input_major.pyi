"""Type of the forward pass from an input-major copy."""

from typing import final

from spikenn_cy.network._weights import InputMajorWeights
from spikenn_cy.network._weights import LayerWeights
from spikenn_cy.network.forward._base import Forward

@final
class InputMajorForward(Forward):
    @property
    def copy(self) -> InputMajorWeights: ...
    def __init__(
        self, weights: LayerWeights, layout: tuple[int, int, int], max_time: float, copy: InputMajorWeights
    ) -> None: ...
