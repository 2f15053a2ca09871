"""Type of the dropout masks."""

import numpy as np
import numpy.typing as npt

def draw_mask(key: int, stream: int, sample: int, layer: int, rate: float, n: int) -> npt.NDArray[np.uint8]: ...
