"""Types of what an epoch of training in every layer did."""

from typing import final

import numpy as np
import numpy.typing as npt

@final
class DeepStatistics:
    @property
    def labels(self) -> npt.NDArray[np.int32]: ...
    @property
    def votes(self) -> npt.NDArray[np.int32]: ...
    @property
    def decision_times(self) -> npt.NDArray[np.float32]: ...
    @property
    def learned(self) -> npt.NDArray[np.uint8]: ...
    @property
    def n_spikes(self) -> npt.NDArray[np.int32]: ...
    def __init__(self, n_samples: int, n_layers: int) -> None: ...
