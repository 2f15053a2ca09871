"""Types of a network of layers that learn event by event."""

from collections.abc import Sequence
from typing import final

import numpy as np
import numpy.typing as npt

from spikenn_cy.layers._base import EventLayer
from spikenn_cy.network._batch import SampleBatch

@final
class EventNetwork:
    layers: tuple[EventLayer, ...]

    def __init__(self, layers: Sequence[EventLayer], max_time: float) -> None: ...
    def decide(
        self, batch: SampleBatch, n_per_class: int, classes: npt.NDArray[np.int32], times: npt.NDArray[np.float32]
    ) -> None: ...
    def decision_potentials(self, batch: SampleBatch, potentials: npt.NDArray[np.float32]) -> None: ...
    def first_spikes(
        self, batch: SampleBatch, layer: int, times: npt.NDArray[np.float32], potentials: npt.NDArray[np.float32]
    ) -> None: ...
