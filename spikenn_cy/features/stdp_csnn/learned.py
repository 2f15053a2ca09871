"""What STDP-CSNN has learned: arrays that are checked wherever they come from, and how they lie in a file."""

from typing import Any
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.features.stdp_csnn.settings import STDPCSNNConfig
from spikenn_cy.storage.arrays import Wanted
from spikenn_cy.utils.validation import read_only
from spikenn_cy.utils.validation import real_array

FORMAT = 1


class Header(msgspec.Struct, kw_only=True):
    """All of an extractor's file that is not an array."""

    extractor: Literal["stdp-csnn"] = "stdp-csnn"
    format: int = FORMAT
    config: dict[str, Any]
    seed: int


def file_layout(config: STDPCSNNConfig) -> dict[str, Wanted]:
    """Return the arrays of an extractor with these settings, for images of any size and number of channels."""
    names = ["scaling_min", "scaling_max"] if config.feature_scaling else []
    return {
        "weights": Wanted((*config.kernel_shape, None, config.conv1_c)),
        "thresholds": Wanted((config.conv1_c,)),
        **{name: Wanted((None, None, None)) for name in names},
        **({"whitening": Wanted((None, None, None, None))} if config.whiten else {}),
    }


def checked_weights(values: Any, config: STDPCSNNConfig) -> npt.NDArray[np.float32]:
    """Return a read-only copy of weights, (kernel rows, kernel columns, channels, filters), or raise `DataError`."""
    weights = read_only(real_array(values, "weights", n_axes=4))
    rows, columns = config.kernel_shape
    shape = (rows, columns, weights.shape[2], config.conv1_c)
    require(weights.shape == shape, "weights", f"must have shape {shape}", weights.shape, DataError)
    even = shape[2] > 0 and shape[2] % 2 == 0
    require(even, "weights", "must have an even number of channels", shape[2], DataError)
    require(bool((weights >= 0).all()), "weights", "must be >= 0", weights.min(), DataError)
    return weights


def checked_thresholds(values: Any, config: STDPCSNNConfig) -> npt.NDArray[np.float32]:
    """Return a read-only copy of thresholds, (filters,), or raise `DataError`."""
    thresholds = read_only(real_array(values, "thresholds", n_axes=1))
    shape = (config.conv1_c,)
    require(thresholds.shape == shape, "thresholds", f"must have shape {shape}", thresholds.shape, DataError)
    require(bool((thresholds >= 0).all()), "thresholds", "must be >= 0", thresholds.min(), DataError)
    return thresholds


def checked_bounds(values: Any, name: str) -> npt.NDArray[np.float32]:
    """Return a read-only copy of a bound of each input, (rows, columns, channels), or raise `DataError`."""
    bounds = read_only(real_array(values, name, n_axes=3))
    ok = bounds.size > 0 and bounds.shape[2] % 2 == 0
    require(ok, name, "must have shape (rows, columns, even number of channels)", bounds.shape, DataError)
    return bounds


def checked_whitening(values: Any) -> npt.NDArray[np.float32]:
    """Return a read-only copy of kernels, (channels, size, size, channels), or raise `DataError`."""
    kernels = read_only(real_array(values, "whitening", n_axes=4))
    made, rows, columns, taken = kernels.shape
    ok = made == taken >= 1 and rows == columns and rows % 2 == 1
    rule = "must have shape (channels, size, size, channels) with an odd size"
    require(ok, "whitening", rule, kernels.shape, DataError)
    return kernels
