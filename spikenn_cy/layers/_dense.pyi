"""Types of the compiled fully connected layer."""

from typing import final

import numpy as np
import numpy.typing as npt

from spikenn_cy.layers._base import EventLayer

@final
class DenseEvents(EventLayer):
    def __init__(
        self,
        position: int,
        n_neurons: int,
        weights: npt.NDArray[np.float32],
        thresholds: npt.NDArray[np.float32],
        window: float,
    ) -> None: ...
    def leak(self, tau: float) -> None: ...
