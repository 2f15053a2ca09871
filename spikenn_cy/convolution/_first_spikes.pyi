"""Types of the compiled first spikes of a convolution."""

from typing import final

import numpy as np
import numpy.typing as npt

from spikenn_cy.convolution._filters import Filters
from spikenn_cy.convolution._filters import QuantisedFilters

@final
class Convolution:
    @property
    def rows(self) -> int: ...
    @property
    def columns(self) -> int: ...
    @property
    def pool(self) -> int: ...
    @property
    def rows_made(self) -> int: ...
    @property
    def columns_made(self) -> int: ...
    @property
    def n_filters(self) -> int: ...
    def __init__(
        self,
        filters: Filters,
        shape: tuple[int, int],
        pool: int,
        end: float,
        compete: bool,
        quantised: QuantisedFilters | None = None,
    ) -> None: ...
    def fire(self, times: npt.NDArray[np.float32], features: npt.NDArray[np.float32]) -> None: ...
