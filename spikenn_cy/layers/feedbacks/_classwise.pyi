"""Types of the feedback through weights of its own."""

from typing import final

import numpy as np
import numpy.typing as npt

from spikenn_cy.layers._base import Feedback

@final
class Classwise(Feedback):
    def __init__(self, weights: npt.NDArray[np.float32] | None, learns: bool) -> None: ...
