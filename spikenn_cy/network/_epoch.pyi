"""Types of the compiled hot loop over training samples."""

from typing import final

import numpy as np
import numpy.typing as npt

from spikenn_cy.neurons._base import Neuron
from spikenn_cy.regulators._base import Regulator
from spikenn_cy.rules._base import Rule

SIEVES: tuple[str, ...]

def use_sieve(use: str) -> None: ...

@final
class Observation:
    @property
    def labels(self) -> npt.NDArray[np.int32]: ...
    @property
    def training_thresholds(self) -> npt.NDArray[np.float32]: ...
    @property
    def target_updates(self) -> npt.NDArray[np.int64]: ...
    @property
    def non_target_updates(self) -> npt.NDArray[np.int64]: ...
    @property
    def votes(self) -> npt.NDArray[np.int64]: ...
    @property
    def right_votes(self) -> npt.NDArray[np.int64]: ...
    def __init__(self, n_samples: int, n_classes: int, n_per_class: int, n_non_target: int) -> None: ...

class Epoch:
    @property
    def thresholds(self) -> npt.NDArray[np.float32]: ...
    def __init__(
        self,
        weights: npt.NDArray[np.float32],
        target_norms: npt.NDArray[np.float32] | None,
        neuron: Neuron,
        rule: Rule,
        regulator: Regulator,
        *,
        w_min: float,
        w_max: float,
        max_time: float,
        layer: int,
        dropout_in: float,
        dropout_out: float,
    ) -> None: ...
    @property
    def sifts(self) -> bool: ...
    def measure_weights(self) -> None: ...
    def run(
        self,
        indptr: npt.NDArray[np.int64],
        inputs: npt.NDArray[np.int32],
        input_times: npt.NDArray[np.float32],
        labels: npt.NDArray[np.int32],
        order: npt.NDArray[np.int64],
        numbers: npt.NDArray[np.int64],
        key: int,
        rising: bool,
        observation: Observation | None = None,
        n_threads: int = 1,
        sift: bool = False,
    ) -> int: ...
