"""STDP-CSNN, the extractor whose filters are spiking neurons that compete for patches of images."""

import os
import re
import warnings
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any
from typing import ClassVar
from typing import Literal
from typing import NamedTuple

import msgspec
import numpy as np

from spikenn_cy.convolution._filters import Filters
from spikenn_cy.convolution._filters import QuantisedFilters
from spikenn_cy.convolution._first_spikes import Convolution
from spikenn_cy.data.arrays import COUNT_MAX
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.dtypes import REAL
from spikenn_cy.dtypes import STAMP
from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import DataError
from spikenn_cy.errors import DataWarning
from spikenn_cy.errors import RunError
from spikenn_cy.errors import require
from spikenn_cy.features._front_end import encode
from spikenn_cy.features._patch_learner import PatchLearner
from spikenn_cy.features.checks import checked_images
from spikenn_cy.features.front_end import PATCH
from spikenn_cy.features.front_end import dog_kernel
from spikenn_cy.features.front_end import make_front_end
from spikenn_cy.features.front_end import whitening_kernels
from spikenn_cy.settings.records import Record
from spikenn_cy.storage.arrays import Wanted
from spikenn_cy.storage.arrays import open_arrays
from spikenn_cy.storage.arrays import refusing
from spikenn_cy.storage.model_archive import read_header
from spikenn_cy.storage.model_archive import require_arrays
from spikenn_cy.storage.model_archive import write_model
from spikenn_cy.utils.progress import Progress
from spikenn_cy.utils.validation import number_of_threads
from spikenn_cy.utils.validation import read_only
from spikenn_cy.utils.validation import real_array
from spikenn_cy.utils.validation import whole_number

FORMAT = 1
BLOCK = 64  # images in one call of compiled code: their times stay in the cache until their features are computed
MANY = 8  # images from which on it pays to make quantised filters
TICK = 2048  # patches between two looks at a progress bar and at Ctrl-C
SMALLEST = np.finfo(REAL).tiny
SHAPES = {"MNIST": (28, 28, 1), "F-MNIST": (28, 28, 1), "CIFAR10": (32, 32, 3), "CIFAR100": (32, 32, 3)}


class STDPCSNNConfig(Record, kw_only=True):
    """Settings of `STDPCSNN`, under the names of the published files; the defaults are those for MNIST.

    ``dataset`` names images of known shape and refuses others. Pixels, from 0 to 1, are
    whitened (``whiten``), or else made gray (``to_grayscale``) and filtered by a
    difference of Gaussians ``dog``: side in pixels, standard deviation of the centre and
    of the surround; ``null`` leaves them as they are. ``feature_scaling`` scales each
    feature from its least to its largest value in the training images.

    ``conv1_c`` filters of side ``conv1_k``, or ``conv1_k_h`` rows by ``conv1_k_w``
    columns, begin with weights drawn from a normal distribution (``conv1_w_init_mean``,
    ``conv1_w_init_std``) and a threshold of ``conv1_th``. They learn for ``conv1_epochs``
    from one patch of each image. The winner should fire at ``conv1_t_obj`` (-1: at any
    time), for which thresholds move at the rate ``conv1_lr_th`` and never below
    ``conv1_min_th``. ``conv1_stdp`` is the rule; ``conv1_stdp_lr`` its rate, or rates of
    potentiation and depression; ``conv1_stdp_b`` the multiplicative rule's exponent;
    ``conv1_stdp_t`` the biological rule's time constant. All rates are multiplied by
    ``conv1_annealing`` after each epoch. With ``conv1_wta_infer`` a position ends at its
    first spike. ``pool1_size`` is the side of a pooling window.

    ``use_sparse`` has no effect, and is there because published files have it.
    ``reference_compatible`` computes what the reference implementation did where that
    was a slip; see `STDPCSNN`.
    """

    dataset: str | None = None
    to_grayscale: bool = False
    dog: tuple[float, ...] | None = (7, 1, 2)
    whiten: bool = False
    feature_scaling: bool = True
    conv1_epochs: int = 100
    conv1_c: int = 128
    conv1_k: int | None = None
    conv1_k_w: int | None = None
    conv1_k_h: int | None = None
    conv1_w_init_mean: float = 0.5
    conv1_w_init_std: float = 0.01
    conv1_t_obj: float = 0.75
    conv1_th: float = 5.0
    conv1_min_th: float = 2.0
    conv1_lr_th: float = 1.0
    conv1_stdp: Literal["multiplicative", "biological"] = "multiplicative"
    conv1_stdp_t: float = 0.1
    conv1_stdp_b: float = 1.0
    conv1_stdp_lr: float | tuple[float, ...] = 0.1
    conv1_annealing: float = 0.95
    conv1_wta_infer: bool = False
    pool1_size: int = 4
    use_sparse: bool = True
    reference_compatible: bool = False

    def check(self) -> None:
        known = self.dataset is None or self.dataset in SHAPES
        self.rule(known, "dataset", f"must be {', '.join(SHAPES)} or null")
        if self.dog is not None:
            size = self.dog[0] if len(self.dog) == 3 else 0
            ok = size == int(size) and 1 <= size <= 255 and size % 2 == 1 and min(self.dog) > 0
            self.rule(ok, "dog", "must be [odd side up to 255, sigma of the centre > 0, sigma of the surround > 0]")
        if self.conv1_k is not None:
            for key in ("conv1_k_w", "conv1_k_h"):
                self.rule(getattr(self, key) is None, key, "must not be given beside conv1_k")
        for key in ("conv1_k_w", "conv1_k_h"):
            other = "conv1_k_h" if key == "conv1_k_w" else "conv1_k_w"
            alone = getattr(self, key) is not None and getattr(self, other) is None
            self.rule(not alone, key, f"must not be given without {other}")
        for key in ("conv1_k", "conv1_k_w", "conv1_k_h"):
            value = getattr(self, key)
            self.rule(value is None or 1 <= value <= 255, key, "must be from 1 to 255")
        self.rule(0 <= self.conv1_epochs <= COUNT_MAX, "conv1_epochs", "must be >= 0")
        self.rule(1 <= self.conv1_c <= 65536, "conv1_c", "must be from 1 to 65536")
        self.rule(1 <= self.pool1_size <= 65536, "pool1_size", "must be from 1 to 65536")
        for key in ("conv1_w_init_std", "conv1_th", "conv1_min_th", "conv1_lr_th", "conv1_stdp_b"):
            self.rule(getattr(self, key) >= 0, key, "must be >= 0")
        self.rule(self.conv1_t_obj >= 0 or self.conv1_t_obj == -1, "conv1_t_obj", "must be >= 0, or -1 for none")
        self.rule(self.conv1_stdp_t > 0, "conv1_stdp_t", "must be > 0")
        rates = self.conv1_stdp_lr
        ok = len(rates) == 2 and min(rates) >= 0 if isinstance(rates, tuple) else rates >= 0
        self.rule(ok, "conv1_stdp_lr", "must be a rate >= 0 or [rate of potentiation, rate of depression], each >= 0")
        self.rule(0 <= self.conv1_annealing <= 1, "conv1_annealing", "must be from 0 to 1")

    def doubts(self) -> Iterator[tuple[str, str]]:
        if self.conv1_th < self.conv1_min_th:
            yield "conv1_th", f"is below conv1_min_th = {self.conv1_min_th}, to which the first spike raises it"

    @property
    def kernel_shape(self) -> tuple[int, int]:
        """Rows and columns of a filter."""
        if self.conv1_k_h is not None:
            return self.conv1_k_h, self.conv1_k_w
        k = 5 if self.conv1_k is None else self.conv1_k
        return k, k

    @property
    def rates(self) -> tuple[float, float]:
        """Rates of potentiation and of depression."""
        rates = self.conv1_stdp_lr
        return rates if isinstance(rates, tuple) else (rates, rates)


# Published with the NeurIPS 2024 paper, by data set; all else as in the defaults.
PUBLISHED = {
    "MNIST": {"dataset": "MNIST", "conv1_k": 5},
    "F-MNIST": {"dataset": "F-MNIST", "conv1_k": 5, "conv1_t_obj": 0.8},
    "CIFAR10": {"dataset": "CIFAR10", "conv1_k": 5, "dog": None, "whiten": True, "conv1_th": 10.0, "conv1_t_obj": 0.95},
    "CIFAR100": {
        "dataset": "CIFAR100",
        "conv1_k": 5,
        "dog": None,
        "whiten": True,
        "conv1_th": 10.0,
        "conv1_t_obj": 0.95,
    },
}


class Header(msgspec.Struct, kw_only=True):
    """All of an extractor's file that is not an array."""

    extractor: Literal["stdp-csnn"] = "stdp-csnn"
    format: int = FORMAT
    config: dict[str, Any]
    seed: int


class Scaling(NamedTuple):
    """Value of each input that is scaled to 0, and distance to the one scaled to 1: (rows, columns, 2 * channels)."""

    low: np.ndarray
    span: np.ndarray


class PatchRule(NamedTuple):
    """How the winner's weights and all thresholds move after a patch.

    Attributes
    ----------
    potentiate, depress : float32
        Rates of STDP.
    beta : float
        Exponent of the multiplicative rule.
    tau : float
        Time constant of the biological rule; 0: the multiplicative one.
    threshold_rate : float32
    target : float or None
        Time at which the winner should fire, if any.
    least : float
        What no threshold falls below.
    """

    potentiate: np.float32
    depress: np.float32
    beta: float
    tau: float
    threshold_rate: np.float32
    target: float | None
    least: float

    @classmethod
    def from_config(cls, config: STDPCSNNConfig) -> "PatchRule":
        """Return the rule of the first epoch."""
        potentiate, depress = map(REAL.type, config.rates)
        return cls(
            potentiate=potentiate,
            depress=depress,
            beta=config.conv1_stdp_b,
            tau=config.conv1_stdp_t if config.conv1_stdp == "biological" else 0.0,
            threshold_rate=REAL.type(config.conv1_lr_th),
            target=None if config.conv1_t_obj == -1 else config.conv1_t_obj,
            least=config.conv1_min_th,
        )

    def annealed(self, factor: np.float32) -> "PatchRule":
        """Return the rule of the next epoch: all rates times ``factor``."""
        return self._replace(
            potentiate=self.potentiate * factor,
            depress=self.depress * factor,
            threshold_rate=self.threshold_rate * factor,
        )


class STDPCSNN:
    """A convolutional layer of spiking neurons that learns without labels, by STDP with winner-takes-all.

    Pixels are filtered, split by sign into On and Off channels, scaled, and coded by
    latency: ``1 - value``, a value of 0 being silent. Integrate-and-fire neurons, one for
    each filter and position, sum the weights of input spikes in the order of time until a
    threshold is reached. A feature is the earliest spike of a filter in a pooling window.

    In each epoch one random patch of each image is shown to the filters. The first to
    fire, at time T, moves its weights towards inputs that came no later than T and away
    from the others: ``w += a exp(-beta w)``, ``w -= a exp(beta (w - 1))``, within [0, 1].
    All thresholds move by ``-rate (T - target)``, the winner's by ``rate`` more, the
    others' by ``rate / (n - 1)`` less.

    Make one with `from_config` or `load`.

    Attributes
    ----------
    config : STDPCSNNConfig
    seed : int
        Of one ``numpy.random.Generator``: initial weights first, in the order of the
        array, then row and column of a patch for each image of each epoch.

    Notes
    -----
    The same seed gives the same bits with any instruction set and number of threads, from
    the same ``whitening`` kernels. With ``reference_compatible`` patches of training do
    not reach the last rows and columns; a potential must exceed its threshold in training
    instead of reaching it; an input that was 0 in all training images fires at 0 for any
    other value; and one below its least value in training fires after 1.

    Sources: Falez, Tirilly, Bilasco, Devienne, Boulet, *Multi-layered Spiking Neural
    Network with Target Timestamp Threshold Adaptation and STDP*, IJCNN 2019, for the
    layer; Goupy, Tirilly, Bilasco, NeurIPS 2024, for the settings.

    Examples
    --------
    >>> import numpy as np
    >>> images = np.random.default_rng(0).integers(256, size=(20, 12, 12), dtype=np.uint8)
    >>> extractor = STDPCSNN.from_config({"conv1_c": 16, "conv1_epochs": 2}, seed=0)
    >>> extractor.fit(images).transform(images)
    SpikingDataset(20 samples, 64 inputs, 1 classes, 1280 spikes, max_time=1.0)
    """

    has_filters: ClassVar[bool] = True

    def __init__(self, config: STDPCSNNConfig, seed: int) -> None:
        self.config = config
        self.seed = seed
        self._weights: np.ndarray | None = None
        self._thresholds: np.ndarray | None = None
        self._scaling_min: np.ndarray | None = None
        self._scaling_max: np.ndarray | None = None
        self._whitening: np.ndarray | None = None

    @classmethod
    def from_config(
        cls, config: STDPCSNNConfig | dict[str, Any] | str | os.PathLike[str] | None = None, seed: int = 0
    ) -> "STDPCSNN":
        """Return an extractor that has learned nothing yet.

        Parameters
        ----------
        config : dict, path or STDPCSNNConfig, optional
            Default: the published settings for MNIST.
        seed : int, default=0

        Raises
        ------
        ConfigError
            If a setting is refused.
        """
        settings = STDPCSNNConfig.from_any({} if config is None else config)
        return cls(settings, whole_number(seed, "seed", 0))

    @staticmethod
    def published(name: str, shape: tuple[int, ...]) -> dict[str, Any]:
        """Return the published settings for a data set.

        Parameters
        ----------
        name : str
            Such as ``"F-MNIST"`` or ``"fmnist"``.
        shape : tuple of int
            (rows, columns) or (rows, columns, channels) of its images, which decides if there
            are none under its name.

        Raises
        ------
        ConfigError
            If none were published for such images.
        """
        shape = (*shape, 1)[:3]
        known = {_plain_name(key): key for key in PUBLISHED}
        # Of two data sets of one shape the first is meant; unknown ones learn from any.
        key = known.get(_plain_name(name)) or next((key for key in PUBLISHED if SHAPES[key] == shape), None)
        if key is None or SHAPES[key] != shape:
            rule = "must be given for images other than those of MNIST, F-MNIST, CIFAR10 and CIFAR100"
            raise ConfigError(f"settings: {rule}, got none for {name} of {' x '.join(map(str, shape))}")
        return PUBLISHED[key]

    def __repr__(self) -> str:
        rows, columns = self.config.kernel_shape
        fitted = "not fitted" if self._weights is None else "fitted"
        return f"<STDPCSNN {self.config.conv1_c} filters of {rows} x {columns}, {fitted}>"

    # What is learned

    @property
    def weights(self) -> np.ndarray:
        """Filters, float32 of shape (kernel rows, kernel columns, channels, filters), read-only; may be assigned.

        Assigned weights must be >= 0. Channels come in pairs, On and Off.
        """
        return self._learned("weights")

    @weights.setter
    def weights(self, values: Any) -> None:
        weights = read_only(real_array(values, "weights", n_axes=4))
        rows, columns = self.config.kernel_shape
        shape = (rows, columns, weights.shape[2], self.config.conv1_c)
        require(weights.shape == shape, "weights", f"must have shape {shape}", weights.shape, DataError)
        even = shape[2] > 0 and shape[2] % 2 == 0
        require(even, "weights", "must have an even number of channels", shape[2], DataError)
        require((weights >= 0).all(), "weights", "must be >= 0", weights.min(), DataError)
        self._weights = weights

    @property
    def thresholds(self) -> np.ndarray:
        """Threshold of each filter, float32 of shape (filters,), read-only; may be assigned, >= 0."""
        return self._learned("thresholds")

    @thresholds.setter
    def thresholds(self, values: Any) -> None:
        thresholds = read_only(real_array(values, "thresholds", n_axes=1))
        shape = (self.config.conv1_c,)
        require(thresholds.shape == shape, "thresholds", f"must have shape {shape}", thresholds.shape, DataError)
        require((thresholds >= 0).all(), "thresholds", "must be >= 0", thresholds.min(), DataError)
        self._thresholds = thresholds

    @property
    def scaling_min(self) -> np.ndarray:
        """Least value of each input in training, float32 of shape (rows, columns, channels), read-only; assignable."""
        return self._learned("scaling_min")

    @scaling_min.setter
    def scaling_min(self, values: Any) -> None:
        self._scaling_min = self._bounds(values, "scaling_min")

    @property
    def scaling_max(self) -> np.ndarray:
        """Largest value of each input in training, as `scaling_min`."""
        return self._learned("scaling_max")

    @scaling_max.setter
    def scaling_max(self, values: Any) -> None:
        self._scaling_max = self._bounds(values, "scaling_max")

    @property
    def whitening(self) -> np.ndarray:
        """Kernels of whitening, float32 of shape (channels, size, size, channels), read-only; may be assigned."""
        return self._learned("whitening")

    @whitening.setter
    def whitening(self, values: Any) -> None:
        kernels = read_only(real_array(values, "whitening", n_axes=4))
        made, rows, columns, taken = kernels.shape
        ok = made == taken >= 1 and rows == columns and rows % 2 == 1
        rule = "must have shape (channels, size, size, channels) with an odd size"
        require(ok, "whitening", rule, kernels.shape, DataError)
        self._whitening = kernels

    def _bounds(self, values: Any, name: str) -> np.ndarray:
        bounds = read_only(real_array(values, name, n_axes=3))
        ok = bounds.size > 0 and bounds.shape[2] % 2 == 0
        require(ok, name, "must have shape (rows, columns, even number of channels)", bounds.shape, DataError)
        return bounds

    def _learned(self, name: str) -> np.ndarray:
        array = getattr(self, f"_{name}")
        if array is None:
            raise RunError(f"{name}: must come from fit, load or an assignment, got none of them yet")
        return array

    # Learning

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise `DataError` unless `fit` takes images of this shape, (rows, columns) or (rows, columns, channels)."""
        shape = (*shape, 1)[:3]
        self._require_suiting(shape)
        if self.config.whiten:
            ok = min(shape[:2]) >= PATCH
            require(ok, "images", f"must have {PATCH} x {PATCH} pixels to be whitened", shape, DataError)
        else:
            self._front_end(shape, None)
        rule = "must be large enough for patches within the map of the convolution"
        require(min(self._patch_ends(shape)) >= 1, "images", rule, shape, DataError)

    def _patch_ends(self, shape: tuple[int, ...]) -> list[int]:
        """Return the last row and column of a patch to learn from, and one more each."""
        kernel = self.config.kernel_shape
        ends = [side - k + 1 for side, k in zip(shape[:2], kernel, strict=True)]
        if self.config.reference_compatible:
            ends = [end - k + 1 for end, k in zip(ends, kernel, strict=True)]
        return ends

    def fit(self, images: Any, verbose: bool = False) -> "STDPCSNN":
        """Learn scaling, filters and thresholds anew, from the seed.

        Parameters
        ----------
        images : ndarray of uint8, shape (n, rows, columns) or (n, rows, columns, channels)
            In the order in which they are learned from. May be mapped from a file. Their
            filtered form is kept in memory meanwhile, 4 bytes for each of their bytes.
        verbose : bool, default=False
            Show progress bars on a terminal.

        Returns
        -------
        STDPCSNN
            Itself. If it is interrupted, all is as it was before.

        Raises
        ------
        DataError
            If they are no such images, or too small.
        """
        images = checked_images(images)
        self.check(images.shape[1:])
        config = self.config
        whitening = whitening_kernels(images) if config.whiten else None
        values = self._filtered(images, whitening, verbose)
        low, high = self._least_and_largest(values)
        generator = np.random.default_rng(self.seed)
        shape = (*config.kernel_shape, 2 * values.shape[3], config.conv1_c)
        drawn = generator.standard_normal(shape, dtype=REAL.type)
        drawn = drawn * REAL.type(config.conv1_w_init_std) + REAL.type(config.conv1_w_init_mean)
        filters = Filters(np.clip(drawn, 0, 1), np.full(config.conv1_c, config.conv1_th, REAL))
        compatible = config.reference_compatible
        learner = PatchLearner(filters, *self._scaling(low, high), compatible, compatible)
        self._learn(learner, values, generator, self._patch_ends(images.shape[1:]), verbose)
        self._scaling_min, self._scaling_max = read_only(low), read_only(high)
        self._whitening = None if whitening is None else read_only(whitening)
        self._weights, self._thresholds = read_only(filters.weights()), read_only(filters.thresholds())
        return self

    def _learn(
        self, learner: PatchLearner, values: np.ndarray, generator: np.random.Generator, ends: list[int], verbose: bool
    ) -> None:
        config = self.config
        rule, annealing = PatchRule.from_config(config), REAL.type(config.conv1_annealing)
        n_images = len(values)
        with Progress(config.conv1_epochs * n_images, "STDP", unit=" patches", show=verbose) as progress:
            for _ in range(config.conv1_epochs):
                offsets = generator.integers(ends, size=(n_images, 2))
                for start in range(0, n_images, TICK):
                    some = slice(start, start + TICK)
                    learner.learn(values[some], offsets[some], rule)
                    progress.step(len(offsets[some]))
                rule = rule.annealed(annealing)

    def _filtered(self, images: np.ndarray, whitening: np.ndarray | None, verbose: bool) -> np.ndarray:
        """Return all images filtered, float32 of shape (n, rows, columns, channels), not yet split by sign."""
        front_end = self._front_end(images.shape[1:], whitening)
        values = np.empty((*images.shape[:3], front_end.n_made), REAL)
        with Progress(len(images), "filtering", unit=" images", show=verbose) as progress:
            for start in range(0, len(images), BLOCK):
                some = np.ascontiguousarray(images[start : start + BLOCK])
                front_end.filter(some, values[start : start + BLOCK])
                progress.step(len(some))
        return values

    def _least_and_largest(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the range of each feature: On and Off parts of the values, interleaved."""
        least, largest = values.min(axis=0), values.max(axis=0)
        shape = (*least.shape[:2], 2 * least.shape[2])
        low = np.maximum(np.stack([least, -largest], axis=-1), 0).reshape(shape)
        high = np.maximum(np.stack([largest, -least], axis=-1), 0).reshape(shape)
        return low, np.maximum(high, SMALLEST) if self.config.reference_compatible else high

    # Features

    def transform(self, images: Any, labels: Any = None, n_threads: int = 1) -> SpikingDataset:
        """Return the features of images as spikes, in the order of the images.

        Parameters
        ----------
        images : ndarray of uint8, shape (n, rows, columns) or (n, rows, columns, channels)
        labels : array_like of int or str, shape (n,), optional
            Default: 0 for all.
        n_threads : int, default=1
            Images are shared out among this many threads; the result is the same.

        Returns
        -------
        SpikingDataset
            Of max_time 1. Input ``(row * columns' + column) * filters + filter`` is a filter in
            one pooling window.

        Raises
        ------
        RunError
            If nothing was fitted, loaded or assigned.
        DataError
            If the images are not as those of `fit`, or the labels not as many.

        Warns
        -----
        DataWarning
            If no feature fires for any of them.
        """
        images = self._checked(images)
        labels = np.zeros(len(images), np.int64) if labels is None else labels
        return SpikingDataset.from_blocks(self.time_blocks(images, n_threads), labels)

    def time_blocks(self, images: Any, n_threads: int = 1, verbose: bool = False) -> Iterator[np.ndarray]:
        """Yield the spike times of all features, some images at a time.

        For data sets that do not fit into memory; arguments and errors are those of
        `transform`.

        Yields
        ------
        ndarray of float32, shape (n_images, n_features)
            Of the next images; 1 is silent.
        """
        images = self._checked(images)
        n_threads = number_of_threads(n_threads)
        scaling = self._scaling_for(images.shape[1:])
        self._require_layer_for(scaling.low.shape)
        return self._time_blocks(images, scaling, n_threads, verbose)

    def _time_blocks(self, images: np.ndarray, scaling: Scaling, n_threads: int, verbose: bool) -> Iterator[np.ndarray]:
        whitening = self.whitening if self.config.whiten else None
        filters = Filters(self.weights, self.thresholds)
        quantised = self._quantised(filters, scaling.low.shape, len(images))

        def worker() -> "Worker":
            front_end = self._front_end(images.shape[1:], whitening)
            convolution = self._convolution(scaling.low.shape, filters, quantised)
            return Worker(images, front_end, scaling, convolution, self.config.reference_compatible)

        silent = True
        with Progress(len(images), "features", unit=" images", show=verbose) as progress:
            starts = range(0, len(images), BLOCK)
            for features in in_order([worker() for _ in range(min(n_threads, len(starts)))], starts):
                silent = silent and not (features < 1).any()
                yield features.reshape(len(features), -1)
                progress.step(len(features))
        if silent:
            why = "thresholds (conv1_th, conv1_min_th) may be too high, or the images blank or unlike those of fit"
            warnings.warn(DataWarning(f"images: no feature fires for any of them; {why}"), stacklevel=3)

    def input_times(self, images: Any) -> np.ndarray:
        """Return the input spikes of images, after filtering, scaling and latency coding.

        Parameters
        ----------
        images : ndarray of uint8, shape (n, rows, columns) or (n, rows, columns, channels)

        Returns
        -------
        ndarray of float32, shape (n, rows, columns, 2 * channels)
            Times; 1 is silent. Channel 2 z is On, 2 z + 1 is Off.

        Raises
        ------
        RunError
            If nothing was fitted, loaded or assigned.
        DataError
            If the images are not as those of `fit`.
        """
        images = self._checked(images)
        scaling = self._scaling_for(images.shape[1:])
        front_end = self._front_end(images.shape[1:], self.whitening if self.config.whiten else None)
        times = np.empty((len(images), *scaling.low.shape), STAMP)
        values = np.empty((BLOCK, *images.shape[1:3], front_end.n_made), REAL)
        for start in range(0, len(images), BLOCK):
            some = np.ascontiguousarray(images[start : start + BLOCK])
            front_end.filter(some, values)
            encode(values[: len(some)], *scaling, self.config.reference_compatible, times[start : start + BLOCK])
        return times

    def feature_times(self, times: Any) -> np.ndarray:
        """Return the pooled first-spike times of the filters for given input spikes.

        Parameters
        ----------
        times : array_like of real numbers, shape (n, rows, columns, channels)
            As of `input_times`: >= 0, 1 is silent; later ones are too, unless
            ``reference_compatible``.

        Returns
        -------
        ndarray of float32, shape (n, rows', columns', filters)
            1 is silent.

        Raises
        ------
        RunError
            If weights or thresholds were not fitted, loaded or assigned.
        DataError
            If they are no such times.
        """
        try:
            found = np.asarray(times)
        except (TypeError, ValueError) as problem:
            raise DataError(f"times: must be an array of real numbers, got {type(times).__name__}") from problem
        require(found.dtype.kind in "fiu", "times", "must be real numbers", found.dtype, DataError)
        ok = found.ndim == 4 and found.size > 0
        rule = "must have the shape (n, rows, columns, channels), nothing of it 0"
        require(ok, "times", rule, found.shape, DataError)
        with np.errstate(over="ignore"):
            found = np.ascontiguousarray(found, STAMP)
        if not (found >= 0).all():
            place = np.argwhere(~(found >= 0))[0].tolist()
            raise DataError(f"times{place}: must be a number >= 0, got {found[tuple(place)]}")
        filters = Filters(self.weights, self.thresholds)
        quantised = self._quantised(filters, found.shape[1:], len(found))
        convolution = self._convolution(found.shape[1:], filters, quantised)
        rows, columns = convolution.rows_made, convolution.columns_made
        features = np.empty((len(found), rows, columns, self.config.conv1_c), STAMP)
        for start in range(0, len(found), BLOCK):
            convolution.fire(np.abs(found[start : start + BLOCK]), features[start : start + BLOCK])  # abs: of -0.0
        return features

    # Parts

    def _front_end(self, shape: tuple[int, ...], whitening: np.ndarray | None) -> Any:
        config = self.config
        dog = None if config.dog is None else dog_kernel(int(config.dog[0]), *config.dog[1:])
        return make_front_end(shape, config.to_grayscale, dog, whitening)

    def _scaling(self, low: np.ndarray, high: np.ndarray) -> Scaling:
        """Return how to scale features of this range; one with an infinite span is silent."""
        if not self.config.feature_scaling:
            return Scaling(np.zeros_like(low), np.ones_like(low))
        constant = low == high
        if not self.config.reference_compatible:
            constant |= high <= SMALLEST
        with np.errstate(over="ignore"):
            return Scaling(low, np.where(constant, REAL.type(np.inf), high - low))

    def _scaling_for(self, shape: tuple[int, ...]) -> Scaling:
        """Return the scaling for images of a shape, or say that it does not suit them."""
        n_planes = 1 if self.config.to_grayscale and not self.config.whiten else shape[2]
        wanted = (*shape[:2], 2 * n_planes)
        if not self.config.feature_scaling:
            return self._scaling(np.zeros(wanted, REAL), np.zeros(wanted, REAL))
        low, high = self.scaling_min, self.scaling_max
        ok = low.shape == high.shape
        require(ok, "scaling_max", f"must have the shape of scaling_min, {low.shape}", high.shape, DataError)
        ok = low.shape == wanted
        rule = f"must be as those of fit, of {low.shape[0]} x {low.shape[1]} pixels and {low.shape[2]} input channels"
        require(ok, "images", rule, shape, DataError)
        return self._scaling(low, high)

    def _quantised(self, filters: Filters, shape: tuple[int, ...], n_images: int) -> QuantisedFilters | None:
        """Return the quantised filters for so many images of input times of a shape, if they pay."""
        pays = n_images >= MANY and not self.config.conv1_wta_infer
        if not (pays and QuantisedFilters.serves(filters, shape[0] * shape[1] * shape[2])):
            return None
        return QuantisedFilters(filters)

    def _convolution(self, shape: tuple[int, ...], filters: Filters, quantised: QuantisedFilters | None) -> Convolution:
        """Return the layer for input times of a shape, (rows, columns, channels)."""
        self._require_layer_for(shape)
        end = np.inf if self.config.reference_compatible else 1
        return Convolution(filters, shape[:2], self.config.pool1_size, end, self.config.conv1_wta_infer, quantised)

    def _require_layer_for(self, shape: tuple[int, ...]) -> None:
        """Raise unless the weights suit input times of a shape, (rows, columns, channels)."""
        n_channels = self.weights.shape[2]
        rule = f"must have the {n_channels} channels of the weights"
        require(shape[2] == n_channels, "input times", rule, shape[2], DataError)
        self._require_room(shape)

    def _require_room(self, shape: tuple[int, ...]) -> None:
        """Raise unless an image of a shape has a feature, and no more than can be counted."""
        made = [
            (side - k + 1) // self.config.pool1_size
            for side, k in zip(shape[:2], self.config.kernel_shape, strict=True)
        ]
        rule = "must be large enough for one pooling window"
        require(min(made) >= 1, "images", rule, f"{shape[0]} x {shape[1]} pixels", DataError)
        n_features = made[0] * made[1] * self.config.conv1_c
        require(n_features <= COUNT_MAX, "images", f"must have at most {COUNT_MAX} features", n_features, DataError)

    def _checked(self, images: Any) -> np.ndarray:
        images = checked_images(images)
        self._require_suiting(images.shape[1:])
        return images

    def _require_suiting(self, shape: tuple[int, ...]) -> None:
        """Raise unless images of a shape, (rows, columns, channels), are of the data set and large enough."""
        expected = SHAPES.get(self.config.dataset, shape)
        rule = f"must have the {expected} rows, columns and channels of {self.config.dataset}"
        require(shape == expected, "images", rule, shape, DataError)
        self._require_room(shape)

    # Files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write settings and all that was learned to an ``.npz`` file, whole or not at all.

        Raises
        ------
        RunError
            If nothing was fitted, loaded or assigned, or the file cannot be written.
        """
        arrays = {name: self._learned(name) for name in _layout(self.config)}
        write_model(path, Header(config=self.config.to_dict(), seed=self.seed), arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "STDPCSNN":
        """Return an extractor that `save` wrote.

        Raises
        ------
        DataError
            If there is no such file or it holds anything else.
        """
        rule = "must be a file that STDPCSNN.save wrote"
        with open_arrays(path, rule) as file, refusing(path, rule):
            header = read_header(file, Header, FORMAT)
            extractor = cls.from_config(header.config, header.seed)
            layout = _layout(extractor.config)
            require_arrays(file, layout)
            for name in layout:
                setattr(extractor, name, file[name])
        return extractor


class Worker:
    """All that one thread needs to turn blocks of images into features."""

    def __init__(
        self, images: np.ndarray, front_end: Any, scaling: Scaling, convolution: Convolution, late: bool
    ) -> None:
        self.images, self.front_end, self.scaling, self.convolution = images, front_end, scaling, convolution
        self.late = late
        n_images = min(BLOCK, len(images))
        self.values = np.empty((n_images, *images.shape[1:3], front_end.n_made), REAL)
        self.times = np.empty((n_images, *scaling.low.shape), STAMP)

    def __call__(self, start: int) -> np.ndarray:
        """Return the features of the block that begins with image ``start``."""
        images = np.ascontiguousarray(self.images[start : start + BLOCK])
        n = len(images)
        convolution = self.convolution
        features = np.empty((n, convolution.rows_made, convolution.columns_made, convolution.n_filters), STAMP)
        self.front_end.filter(images, self.values)
        encode(self.values[:n], *self.scaling, self.late, self.times)
        convolution.fire(self.times[:n], features)
        return features


def in_order(workers: list[Any], tasks: Any) -> Iterator[Any]:
    """Yield the result of each task in order; each worker has one at a time, and few results wait."""
    if len(workers) == 1:
        yield from map(workers[0], tasks)
        return
    tasks = iter(tasks)
    with ThreadPoolExecutor(len(workers)) as pool:
        # A worker's next task is queued when its last result is fetched: round robin keeps the order.
        running: list[tuple[Any, Future]] = [
            (worker, pool.submit(worker, task))
            for worker, task in zip(workers, islice(tasks, len(workers)), strict=False)
        ]
        while running:
            worker, future = running.pop(0)
            result = future.result()
            for task in islice(tasks, 1):
                running.append((worker, pool.submit(worker, task)))
            yield result


def _layout(config: STDPCSNNConfig) -> dict[str, Wanted]:
    """Return the arrays of an extractor with these settings, for images of any size and number of channels."""
    names = ["scaling_min", "scaling_max"] if config.feature_scaling else []
    return {
        "weights": Wanted((*config.kernel_shape, None, config.conv1_c)),
        "thresholds": Wanted((config.conv1_c,)),
        **{name: Wanted((None, None, None)) for name in names},
        **({"whitening": Wanted((None, None, None, None))} if config.whiten else {}),
    }


def _plain_name(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower().replace("fashion", "f"))
