"""The extractor itself: what is learned, learning it, and what becomes of images by it."""

import os
from collections.abc import Iterator
from typing import Any
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.dtypes import REAL
from spikenn_cy.errors import DataError
from spikenn_cy.errors import RunError
from spikenn_cy.errors import require
from spikenn_cy.features.checks import checked_images
from spikenn_cy.features.front_end import PATCH
from spikenn_cy.features.front_end import whitening_kernels
from spikenn_cy.features.stdp_csnn.coding import BLOCK
from spikenn_cy.features.stdp_csnn.coding import Coder
from spikenn_cy.features.stdp_csnn.coding import Scaling
from spikenn_cy.features.stdp_csnn.coding import bounds_of
from spikenn_cy.features.stdp_csnn.coding import checked_times
from spikenn_cy.features.stdp_csnn.coding import filtered
from spikenn_cy.features.stdp_csnn.coding import front_end_of
from spikenn_cy.features.stdp_csnn.coding import input_shape
from spikenn_cy.features.stdp_csnn.coding import require_bounds_for
from spikenn_cy.features.stdp_csnn.coding import scaling_between
from spikenn_cy.features.stdp_csnn.layer import Layer
from spikenn_cy.features.stdp_csnn.layer import require_room
from spikenn_cy.features.stdp_csnn.learned import FORMAT
from spikenn_cy.features.stdp_csnn.learned import Header
from spikenn_cy.features.stdp_csnn.learned import checked_bounds
from spikenn_cy.features.stdp_csnn.learned import checked_thresholds
from spikenn_cy.features.stdp_csnn.learned import checked_weights
from spikenn_cy.features.stdp_csnn.learned import checked_whitening
from spikenn_cy.features.stdp_csnn.learned import file_layout
from spikenn_cy.features.stdp_csnn.learning import learned_filters
from spikenn_cy.features.stdp_csnn.learning import patch_ends
from spikenn_cy.features.stdp_csnn.settings import SHAPES
from spikenn_cy.features.stdp_csnn.settings import STDPCSNNConfig
from spikenn_cy.features.stdp_csnn.settings import published_settings
from spikenn_cy.storage.arrays import open_arrays
from spikenn_cy.storage.arrays import refusing
from spikenn_cy.storage.model_archive import read_header
from spikenn_cy.storage.model_archive import require_arrays
from spikenn_cy.storage.model_archive import write_model
from spikenn_cy.utils.processors import threads_that_run
from spikenn_cy.utils.validation import read_only
from spikenn_cy.utils.validation import whole_number


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
    SpikingDataset(20 samples, 64 inputs, unlabelled, 1280 spikes, max_time=1.0)
    """

    has_filters: ClassVar[bool] = True

    def __init__(self, config: STDPCSNNConfig, seed: int) -> None:
        self.config = config
        self.seed = seed
        self._weights: npt.NDArray[np.float32] | None = None
        self._thresholds: npt.NDArray[np.float32] | None = None
        self._scaling_min: npt.NDArray[np.float32] | None = None
        self._scaling_max: npt.NDArray[np.float32] | None = None
        self._whitening: npt.NDArray[np.float32] | None = None

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
        return published_settings(name, shape)

    def __repr__(self) -> str:
        rows, columns = self.config.kernel_shape
        fitted = "not fitted" if self._weights is None else "fitted"
        return f"<STDPCSNN {self.config.conv1_c} filters of {rows} x {columns}, {fitted}>"

    # What is learned

    @property
    def weights(self) -> npt.NDArray[np.float32]:
        """Filters, float32 of shape (kernel rows, kernel columns, channels, filters), read-only; may be assigned.

        Assigned weights must be >= 0. Channels come in pairs, On and Off.
        """
        return self._learned("weights")

    @weights.setter
    def weights(self, values: Any) -> None:
        self._weights = checked_weights(values, self.config)

    @property
    def thresholds(self) -> npt.NDArray[np.float32]:
        """Threshold of each filter, float32 of shape (filters,), read-only; may be assigned, >= 0."""
        return self._learned("thresholds")

    @thresholds.setter
    def thresholds(self, values: Any) -> None:
        self._thresholds = checked_thresholds(values, self.config)

    @property
    def scaling_min(self) -> npt.NDArray[np.float32]:
        """Least value of each input in training, float32 of shape (rows, columns, channels), read-only; assignable."""
        return self._learned("scaling_min")

    @scaling_min.setter
    def scaling_min(self, values: Any) -> None:
        self._scaling_min = checked_bounds(values, "scaling_min")

    @property
    def scaling_max(self) -> npt.NDArray[np.float32]:
        """Largest value of each input in training, as `scaling_min`."""
        return self._learned("scaling_max")

    @scaling_max.setter
    def scaling_max(self, values: Any) -> None:
        self._scaling_max = checked_bounds(values, "scaling_max")

    @property
    def whitening(self) -> npt.NDArray[np.float32]:
        """Kernels of whitening, float32 of shape (channels, size, size, channels), read-only; may be assigned."""
        return self._learned("whitening")

    @whitening.setter
    def whitening(self, values: Any) -> None:
        self._whitening = checked_whitening(values)

    def _learned(self, name: str) -> npt.NDArray[np.float32]:
        array: npt.NDArray[np.float32] | None = getattr(self, f"_{name}")
        if array is None:
            raise RunError(f"{name}: must come from fit, load or an assignment, got none of them yet")
        return array

    # Learning

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise `DataError` unless `fit` takes images of this shape, (rows, columns) or (rows, columns, channels)."""
        config, shape = self.config, (*shape, 1)[:3]
        self._require_suiting(shape)
        if config.whiten:
            ok = min(shape[:2]) >= PATCH
            require(ok, "images", f"must have {PATCH} x {PATCH} pixels to be whitened", shape, DataError)
        input_shape(config, shape)
        rule = "must be large enough for patches within the map of the convolution"
        require(min(patch_ends(config, shape)) >= 1, "images", rule, shape, DataError)

    def fit(self, images: Any, verbose: bool = False) -> "STDPCSNN":
        """Learn scaling, filters and thresholds anew, from the seed.

        Parameters
        ----------
        images : ndarray of uint8, shape (n, rows, columns) or (n, rows, columns, channels)
            In the order in which they are learned from. May be mapped from a file. Their
            filtered form is kept in memory meanwhile, 4 bytes for each of their bytes.
        verbose : bool, default=False
            Show progress on stderr: a bar on a terminal or in a notebook, elsewhere a line a minute.

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
        values = filtered(front_end_of(config, images.shape[1:], whitening), images, verbose)
        low, high = bounds_of(config, values)
        filters = learned_filters(config, values, scaling_between(config, low, high), self.seed, verbose)
        self._scaling_min, self._scaling_max = read_only(low), read_only(high)
        self._whitening = None if whitening is None else read_only(whitening)
        self._weights, self._thresholds = read_only(filters.weights()), read_only(filters.thresholds())
        return self

    # Features

    def transform(self, images: Any, labels: Any = None, n_threads: int = 1) -> SpikingDataset:
        """Return the features of images as spikes, in the order of the images.

        Parameters
        ----------
        images : ndarray of uint8, shape (n, rows, columns) or (n, rows, columns, channels)
        labels : array_like of int or str, shape (n,), optional
            Without them the set is unlabelled.
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
        return SpikingDataset._computed(self._time_blocks(images, n_threads, False), labels)

    def time_blocks(self, images: Any, n_threads: int = 1, verbose: bool = False) -> Iterator[npt.NDArray[np.float32]]:
        """Yield the spike times of all features, some images at a time.

        For data sets that do not fit into memory; arguments and errors are those of
        `transform`.

        Yields
        ------
        ndarray of float32, shape (n_images, n_features)
            Of the next images; 1 is silent.
        """
        return self._time_blocks(self._checked(images), n_threads, verbose)

    def _time_blocks(
        self, images: npt.NDArray[np.uint8], n_threads: int, verbose: bool
    ) -> Iterator[npt.NDArray[np.float32]]:
        n_images, shape = len(images), images.shape[1:]
        n_coders = min(threads_that_run(n_threads), -(-n_images // BLOCK))
        scaling = self._scaling_for(shape)
        layer = Layer(self.config, self.weights, self.thresholds, scaling.low.shape, n_images)
        return layer.fire_images(images, [self._coder(shape, scaling) for _ in range(n_coders)], verbose)

    def input_times(self, images: Any) -> npt.NDArray[np.float32]:
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
        shape = images.shape[1:]
        return self._coder(shape, self._scaling_for(shape)).all_times(images)

    def feature_times(self, times: Any) -> npt.NDArray[np.float32]:
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
        found = checked_times(times)
        layer = Layer(self.config, self.weights, self.thresholds, found.shape[1:], len(found))
        require_room(self.config, found.shape[1:])
        return layer.fire(found)

    # Parts

    def _checked(self, images: Any) -> npt.NDArray[np.uint8]:
        checked = checked_images(images)
        self._require_suiting(checked.shape[1:])
        return checked

    def _require_suiting(self, shape: tuple[int, ...]) -> None:
        """Raise unless images of a shape, (rows, columns, channels), are of the data set and large enough."""
        if self.config.dataset is not None:
            expected = SHAPES[self.config.dataset]
            rule = f"must have the {expected} rows, columns and channels of {self.config.dataset}"
            require(shape == expected, "images", rule, shape, DataError)
        require_room(self.config, shape)

    def _scaling_for(self, shape: tuple[int, ...]) -> Scaling:
        """Return the scaling for images of a shape, or say that it does not suit them."""
        if self.config.feature_scaling:
            low, high = self.scaling_min, self.scaling_max
            require_bounds_for(self.config, shape, low, high)
        else:
            low = high = np.zeros(input_shape(self.config, shape), REAL)
        return scaling_between(self.config, low, high)

    def _coder(self, shape: tuple[int, ...], scaling: Scaling) -> Coder:
        """Return a new one for images of a shape."""
        whitening = self.whitening if self.config.whiten else None
        return Coder(front_end_of(self.config, shape, whitening), scaling, self.config.reference_compatible)

    # Files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write settings and all that was learned to an ``.npz`` file, whole or not at all.

        Raises
        ------
        RunError
            If nothing was fitted, loaded or assigned, or the file cannot be written.
        """
        arrays = {name: self._learned(name) for name in file_layout(self.config)}
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
            layout = file_layout(extractor.config)
            require_arrays(file, layout)
            for name in layout:
                setattr(extractor, name, file[name])
        return extractor
