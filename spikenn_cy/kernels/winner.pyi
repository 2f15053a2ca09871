"""Type of the comparison behind votes, competition and regulation."""

import numpy as np
import numpy.typing as npt

def first_to_fire(
    times: npt.NDArray[np.float32], potentials: npt.NDArray[np.float32], first: int = 0, end: int | None = None
) -> int: ...
