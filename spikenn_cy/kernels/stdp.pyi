"""Types of the STDP step."""

import numpy as np
import numpy.typing as npt

def learn_row(
    weights: npt.NDArray[np.float32],
    neuron: int,
    input_times: npt.NDArray[np.float32],
    spike: float,
    error: float,
    *,
    causal: float,
    anticausal: float,
    max_time: float,
    w_min: float,
    w_max: float,
    target_norms: npt.NDArray[np.float32] | None = None,
    ignore_silent: bool = False,
    beta: float | None = None,
    soft_min: float = 0.0,
    soft_max: float = 1.0,
) -> None: ...
def absolute_sums(weights: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]: ...
