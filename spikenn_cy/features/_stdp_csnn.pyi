"""Types of the compiled parts of STDP-CSNN."""

from typing import Any
from typing import final

import numpy as np
import numpy.typing as npt

from spikenn_cy.features._filters import Filters
from spikenn_cy.features._filters import QuantisedFilters

@final
class FrontEnd:
    @property
    def rows(self) -> int: ...
    @property
    def columns(self) -> int: ...
    @property
    def channels(self) -> int: ...
    @property
    def n_made(self) -> int: ...
    def __init__(
        self,
        shape: Any,
        gray: bool,
        kernels: npt.NDArray[np.float32],
        takes: npt.NDArray[np.int32],
        makes: npt.NDArray[np.int32],
    ) -> None: ...
    def filter(self, images: npt.NDArray[np.uint8], values: npt.NDArray[np.float32]) -> None: ...

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
        rows: int,
        columns: int,
        pool: int,
        end: float,
        compete: bool,
        quantised: QuantisedFilters | None = None,
    ) -> None: ...
    def fire(self, times: npt.NDArray[np.float32], features: npt.NDArray[np.float32]) -> None: ...

@final
class Learner:
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
        potentiate: float,
        depress: float,
        beta: float,
        decay: float,
        threshold_rate: float,
        target: float,
        timed: bool,
        least: float,
    ) -> int: ...

def encode(
    values: npt.NDArray[np.float32],
    low: npt.NDArray[np.float32],
    span: npt.NDArray[np.float32],
    late: bool,
    times: npt.NDArray[np.float32],
) -> None: ...
def exps(x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]: ...
