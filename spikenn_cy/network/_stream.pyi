"""Types of a sample that comes spike by spike."""

from typing import final

import numpy as np
import numpy.typing as npt

from spikenn_cy.network.deep._network import EventNetwork

@final
class EventStream:
    def __init__(self, network: EventNetwork, at_once: bool) -> None: ...
    def begin(self) -> None: ...
    def push(self, inputs: npt.NDArray[np.int32], times: npt.NDArray[np.float32]) -> bool: ...
    @property
    def decided_at(self) -> float: ...
    def winner(self) -> int: ...
