"""Types of the compiled convolution."""

from typing import final

import numpy as np
import numpy.typing as npt

from spikenn_cy.layers._base import EventLayer

@final
class ConvEvents(EventLayer):
    def __init__(
        self,
        position: int,
        input_shape: tuple[int, ...],
        shape: tuple[int, int, int, int],
        weights: npt.NDArray[np.float32],
        thresholds: npt.NDArray[np.float32],
        window: float,
    ) -> None: ...
