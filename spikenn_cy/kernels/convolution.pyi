"""Types of the kernels of a convolution."""

import numpy as np
import numpy.typing as npt

def exps(x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]: ...
