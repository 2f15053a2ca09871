"""Types of the STDP step."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

class STDPStep(NamedTuple):
    error: float
    causal: float
    anticausal: float
    w_min: float
    w_max: float
    ignore_silent: bool = False
    beta: float | None = None
    soft_min: float = 0.0
    soft_max: float = 1.0

def learn_row(
    weights: npt.NDArray[np.float32],
    neuron: int,
    input_times: npt.NDArray[np.float32],
    times: tuple[float, float],
    step: STDPStep,
    target_norms: npt.NDArray[np.float32] | None = None,
) -> None: ...
def absolute_sums(weights: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]: ...
