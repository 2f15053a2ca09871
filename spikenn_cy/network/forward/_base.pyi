"""Type that every way to find first spikes has."""

from spikenn_cy.network._weights import LayerWeights

class Forward:
    def __init__(self, weights: LayerWeights, layout: tuple[int, int, int], max_time: float) -> None: ...
