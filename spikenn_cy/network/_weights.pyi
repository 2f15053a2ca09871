"""Types of a layer's synaptic weights as kernels see them."""

from typing import final

import numpy as np
import numpy.typing as npt

@final
class LayerWeights:
    @property
    def non_negative(self) -> bool: ...
    @property
    def version(self) -> int: ...
    @property
    def array(self) -> npt.NDArray[np.float32]: ...
    def __init__(
        self,
        array: npt.NDArray[np.float32],
        target_norms: npt.NDArray[np.float32] | None = None,
        non_negative: bool = False,
    ) -> None: ...
    def replace(
        self,
        array: npt.NDArray[np.float32],
        target_norms: npt.NDArray[np.float32] | None = None,
        non_negative: bool = False,
    ) -> None: ...

@final
class InputMajorWeights:
    @property
    def n_neurons(self) -> int: ...
    @property
    def n_inputs(self) -> int: ...
    @property
    def version(self) -> int: ...
    def __init__(self, weights: LayerWeights) -> None: ...
