"""Types of the samples on their way through a loop."""

from typing import final

import numpy as np
import numpy.typing as npt

from spikenn_cy.data.dataset import SpikingDataset

@final
class SharedSamples:
    def __init__(self, first: int, end: int, size: int) -> None: ...

@final
class SampleBatch:
    @property
    def n_samples(self) -> int: ...
    @property
    def key(self) -> int: ...
    def __init__(
        self,
        dataset: SpikingDataset,
        order: npt.NDArray[np.int64] | None = None,
        numbers: npt.NDArray[np.int64] | None = None,
        key: int = 0,
        weights: npt.NDArray[np.float32] | None = None,
        shared: SharedSamples | None = None,
    ) -> None: ...
