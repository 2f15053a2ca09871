"""Types of the compiled loop over samples that are decided."""

from typing import final

import numpy as np
import numpy.typing as npt

from spikenn_cy.network._batch import SampleBatch
from spikenn_cy.network.forward._base import Forward
from spikenn_cy.neurons._base import Neuron

@final
class Inference:
    @property
    def n_neurons(self) -> int: ...
    def __init__(self, forward: Forward, neuron: Neuron, thresholds: npt.NDArray[np.float32]) -> None: ...
    def first_neurons(self, batch: SampleBatch, first: npt.NDArray[np.int32], n_per_class: int = 1) -> None: ...
    def first_spikes(
        self,
        batch: SampleBatch,
        times: npt.NDArray[np.float32],
        potentials: npt.NDArray[np.float32],
        dropout: float = 0.0,
        layer: int = 0,
    ) -> None: ...
