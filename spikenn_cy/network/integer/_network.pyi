"""Types of a network in whole numbers."""

from collections.abc import Sequence
from typing import final

import numpy as np
import numpy.typing as npt

from spikenn_cy.network._batch import SampleBatch

def levels_of(
    times: npt.NDArray[np.float32], max_time: float, n_levels: int, levels: npt.NDArray[np.int32]
) -> None: ...

class IntegerKernel:
    n_inputs: int
    n_units: int

@final
class DenseIntegers(IntegerKernel):
    def __init__(self, weights: npt.NDArray[np.int8], thresholds: npt.NDArray[np.int32]) -> None: ...

@final
class ConvIntegers(IntegerKernel):
    def __init__(
        self,
        input_shape: tuple[int, int, int],
        shape: tuple[int, int],
        weights: npt.NDArray[np.int8],
        thresholds: npt.NDArray[np.int32],
    ) -> None: ...

@final
class IntegerNetwork:
    layers: tuple[IntegerKernel, ...]

    def __init__(self, layers: Sequence[IntegerKernel], max_time: float, n_levels: int) -> None: ...
    def decide(
        self,
        batch: SampleBatch,
        n_per_class: int,
        classes: npt.NDArray[np.int32],
        levels: npt.NDArray[np.int32],
        n_fired: npt.NDArray[np.int32],
        counts: npt.NDArray[np.int64],
    ) -> None: ...
