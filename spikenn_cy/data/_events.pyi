"""Types of the compiled collector of first events."""

from typing import final

import numpy as np
import numpy.typing as npt
from typing_extensions import Self

from spikenn_cy.data._block import Block

NAMES: dict[int, str]

@final
class EventCollector:
    @property
    def n_spikes(self) -> int: ...
    @property
    def zero_seen(self) -> bool: ...
    @property
    def minus_seen(self) -> bool: ...
    def __new__(
        cls, width: int, height: int, n_polarities: int, duration: float, max_time: float, latest: float | np.float32
    ) -> Self: ...
    def add(
        self,
        x: npt.NDArray[np.int64],
        y: npt.NDArray[np.int64],
        polarity: npt.NDArray[np.int64],
        t: npt.NDArray[np.int64] | npt.NDArray[np.float64],
        start: float,
    ) -> tuple[str, int]: ...
    def close(self) -> int: ...
    def finish(self) -> tuple[Block, Block]: ...
