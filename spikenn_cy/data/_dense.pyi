"""Types of the compiled way between dense rows of spike times and lists of spikes."""

from typing import final

import numpy as np
import numpy.typing as npt
from typing_extensions import Self

from spikenn_cy.data._block import Block

@final
class SpikeCollector:
    @property
    def n_spikes(self) -> int: ...
    def __new__(cls, n_inputs: int, end: int) -> Self: ...
    def add(self, rows: npt.NDArray[np.int32], ends: npt.NDArray[np.int64]) -> int: ...
    def finish(self) -> tuple[Block, Block]: ...

def fill_rows(
    indptr: npt.NDArray[np.int64],
    indices: npt.NDArray[np.int32],
    timestamps: npt.NDArray[np.float32],
    rows: npt.NDArray[np.float32],
) -> bool: ...
