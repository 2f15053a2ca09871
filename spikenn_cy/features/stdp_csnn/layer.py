"""From input spikes to features: the layer's first spikes, pooled, by as many threads as there shall be."""

import warnings
from collections.abc import Iterator
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from spikenn_cy.convolution._filters import Filters
from spikenn_cy.convolution._filters import QuantisedFilters
from spikenn_cy.convolution._first_spikes import Convolution
from spikenn_cy.data.arrays import COUNT_MAX
from spikenn_cy.dtypes import STAMP
from spikenn_cy.errors import DataError
from spikenn_cy.errors import DataWarning
from spikenn_cy.errors import require
from spikenn_cy.features.stdp_csnn.coding import BLOCK
from spikenn_cy.features.stdp_csnn.coding import Coder
from spikenn_cy.features.stdp_csnn.settings import STDPCSNNConfig
from spikenn_cy.utils.ordered import in_order
from spikenn_cy.utils.progress import Progress

MANY = 8  # images from which on it pays to make quantised filters


def require_room(config: STDPCSNNConfig, shape: tuple[int, ...]) -> None:
    """Raise unless an image of a shape has a feature, and no more than can be counted."""
    made = [(side - k + 1) // config.pool1_size for side, k in zip(shape[:2], config.kernel_shape, strict=True)]
    rule = "must be large enough for one pooling window"
    require(min(made) >= 1, "images", rule, f"{shape[0]} x {shape[1]} pixels", DataError)
    n_features = made[0] * made[1] * config.conv1_c
    require(n_features <= COUNT_MAX, "images", f"must have at most {COUNT_MAX} features", n_features, DataError)


class Layer:
    """Filters with all their positions in input times of one shape; its convolutions share the filters.

    Parameters
    ----------
    config : STDPCSNNConfig
    weights, thresholds : ndarray of float32
        Of the filters.
    shape : tuple of int
        (rows, columns, channels) of the input times.
    n_images : int
        To be seen, which decide whether quantised filters pay.

    Raises
    ------
    DataError
        If the weights are of another number of channels.
    """

    def __init__(
        self,
        config: STDPCSNNConfig,
        weights: npt.NDArray[np.float32],
        thresholds: npt.NDArray[np.float32],
        shape: tuple[int, ...],
        n_images: int,
    ) -> None:
        rule = f"must have the {weights.shape[2]} channels of the weights"
        require(shape[2] == weights.shape[2], "input times", rule, shape[2], DataError)
        self.config, self.shape = config, shape
        self.filters = Filters(weights, thresholds)
        pays = n_images >= MANY and not config.conv1_wta_infer
        serves = pays and QuantisedFilters.serves(self.filters, shape[0] * shape[1] * shape[2])
        self.quantised = QuantisedFilters(self.filters) if serves else None

    def convolution(self) -> Convolution:
        """Return a new one, for one thread at a time."""
        end = np.inf if self.config.reference_compatible else 1
        pool, compete = self.config.pool1_size, self.config.conv1_wta_infer
        return Convolution(self.filters, (self.shape[0], self.shape[1]), pool, end, compete, self.quantised)

    def fire(self, times: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return the features, (n, rows', columns', filters), of input times."""
        convolution = self.convolution()
        features = empty_features(convolution, len(times))
        for start in range(0, len(times), BLOCK):
            convolution.fire(np.abs(times[start : start + BLOCK]), features[start : start + BLOCK])  # abs: of -0.0
        return features

    def fire_images(
        self, images: npt.NDArray[np.uint8], coders: Sequence[Coder], verbose: bool
    ) -> Iterator[npt.NDArray[np.float32]]:
        """Yield the features of images, (n_images, n_features), some at a time, by one thread for each coder."""
        workers = [Worker(images, coder, self.convolution()) for coder in coders]
        silent = True
        with Progress(len(images), "features", unit="images", show=verbose) as progress:
            for features in in_order(workers, range(0, len(images), BLOCK)):
                silent = silent and not (features < 1).any()
                yield features.reshape(len(features), -1)
                progress.step(len(features))
        if silent:
            why = "thresholds (conv1_th, conv1_min_th) may be too high, or the images blank or unlike those of fit"
            warnings.warn(DataWarning(f"images: no feature fires for any of them; {why}"), stacklevel=3)


def empty_features(convolution: Convolution, n_images: int) -> npt.NDArray[np.float32]:
    """Return an array for the features that a convolution makes, (n, rows', columns', filters)."""
    return np.empty((n_images, convolution.rows_made, convolution.columns_made, convolution.n_filters), STAMP)


class Worker:
    """All that one thread needs to turn blocks of images into features."""

    def __init__(self, images: npt.NDArray[np.uint8], coder: Coder, convolution: Convolution) -> None:
        self.images, self.coder, self.convolution = images, coder, convolution
        self.times = np.empty((min(BLOCK, len(images)), *coder.scaling.low.shape), STAMP)

    def __call__(self, start: int) -> npt.NDArray[np.float32]:
        """Return the features of the block that begins with image ``start``."""
        images = self.images[start : start + BLOCK]
        times = self.times[: len(images)]
        features = empty_features(self.convolution, len(images))
        self.coder.code(images, times)
        self.convolution.fire(times, features)
        return features
