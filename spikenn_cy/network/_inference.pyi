"""Types of the compiled loop over samples that are decided."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from spikenn_cy.neurons._base import Neuron

class Inference:
    @property
    def n_neurons(self) -> int: ...
    @property
    def n_inputs(self) -> int: ...
    def __init__(
        self,
        weights: npt.NDArray[np.float32],
        thresholds: npt.NDArray[np.float32],
        max_time: float,
        make_neuron: Callable[[], Neuron],
        rising: bool = False,
    ) -> None: ...
    def freeze(self) -> None: ...
    def twin(self) -> Inference: ...
    def first_neurons(
        self,
        indptr: npt.NDArray[np.int64],
        inputs: npt.NDArray[np.int32],
        input_times: npt.NDArray[np.float32],
        first: npt.NDArray[np.int32],
        n_per_class: int = 1,
    ) -> None: ...
    def first_spikes(
        self,
        indptr: npt.NDArray[np.int64],
        inputs: npt.NDArray[np.int32],
        input_times: npt.NDArray[np.float32],
        times: npt.NDArray[np.float32],
        potentials: npt.NDArray[np.float32],
        *,
        dropout: float = 0.0,
        key: int = 0,
        layer: int = 0,
        numbers: npt.NDArray[np.int64] | None = None,
    ) -> None: ...
