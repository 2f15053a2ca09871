"""Types of the compiled checks of a data set's arrays."""

import numpy as np
import numpy.typing as npt

NAMES: dict[int, str]

def check_spikes(
    indptr: npt.NDArray[np.int64],
    indices: npt.NDArray[np.int32],
    times: npt.NDArray[np.int32],
    n_inputs: int,
    end: int,
) -> tuple[str, int, int]: ...
def order_ties(indptr: npt.NDArray[np.int64], indices: npt.NDArray[np.int32], times: npt.NDArray[np.int32]) -> None: ...
