"""Types of the compiled loops over pixels."""

from typing import Any
from typing import final

import numpy as np
import numpy.typing as npt

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

def encode(
    values: npt.NDArray[np.float32],
    low: npt.NDArray[np.float32],
    span: npt.NDArray[np.float32],
    late: bool,
    times: npt.NDArray[np.float32],
) -> None: ...
