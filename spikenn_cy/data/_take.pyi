"""Type of the compiled copy of chosen samples."""

import numpy as np
import numpy.typing as npt

def take_samples(
    indptr: npt.NDArray[np.int64],
    indices: npt.NDArray[np.int32],
    timestamps: npt.NDArray[np.float32],
    chosen: npt.NDArray[np.int64],
    chosen_indptr: npt.NDArray[np.int64],
    chosen_indices: npt.NDArray[np.int32],
    chosen_timestamps: npt.NDArray[np.float32],
) -> None: ...
