"""Types of the compiled learning from patches."""

from typing import final

import numpy as np
import numpy.typing as npt

from spikenn_cy.convolution._filters import Filters
from spikenn_cy.features.stdp_csnn.learning import PatchRule

@final
class PatchLearner:
    def __init__(
        self,
        filters: Filters,
        low: npt.NDArray[np.float32],
        span: npt.NDArray[np.float32],
        late: bool,
        strict: bool,
    ) -> None: ...
    def learn(
        self,
        values: npt.NDArray[np.float32],
        offsets: npt.NDArray[np.int64],
        rule: PatchRule,
    ) -> int: ...
