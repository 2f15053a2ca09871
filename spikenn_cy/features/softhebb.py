"""SoftHebb-CNN, the extractor whose three blocks learn side by side in one pass over the images."""

import os
import warnings
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any
from typing import ClassVar
from typing import Literal

import msgspec
import numpy as np

from spikenn_cy.data.arrays import COUNT_MAX
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.dtypes import REAL
from spikenn_cy.errors import DataError
from spikenn_cy.errors import DataWarning
from spikenn_cy.errors import RunError
from spikenn_cy.errors import require
from spikenn_cy.features.checks import checked_images
from spikenn_cy.features.softhebb_network import BlockState
from spikenn_cy.features.softhebb_network import Network
from spikenn_cy.features.softhebb_network import device_named
from spikenn_cy.features.softhebb_network import settled
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
BLOCK = 10  # images whose features are computed at a time on a processor: their patches stay in its cache
BLOCK_ON_GPU = 500


class SoftHebbBlockConfig(Record, kw_only=True):
    """One entry of ``"blocks": [...]``: batch normalisation, convolution, Triangle, pooling.

    The convolution has ``filters`` of ``kernel`` x ``kernel`` positions and keeps the size
    of the map, by reflected borders. Its soft winner-take-all has the inverse temperature
    ``inverse_temperature``, and a filter of Euclidean norm r learns at the rate
    ``learning_rate * sqrt(|r - 1|)``; norms are ``initial_norm`` at first, on average. What
    exceeds the mean over all filters at a position goes on, to the power ``power``, and
    is pooled: ``pool`` over ``pool_size`` x ``pool_size`` positions, ``pool_stride`` apart,
    beginning ``pool_pad`` outside of the map.
    """

    filters: int
    kernel: int = 3
    inverse_temperature: float = 1.0
    learning_rate: float = 0.01
    initial_norm: float = 25.0
    power: float = 1.0
    pool: Literal["max", "average"] = "max"
    pool_size: int = 4
    pool_stride: int = 2
    pool_pad: int = 1

    def check(self) -> None:
        for key in ("filters", "kernel", "pool_size", "pool_stride"):
            self.rule(1 <= getattr(self, key) < 1 << 16, key, "must be from 1 to 65535")
        self.rule(self.kernel % 2 == 1, "kernel", "must be odd")
        for key in ("inverse_temperature", "learning_rate", "initial_norm", "power"):
            self.rule(getattr(self, key) > 0, key, "must be > 0")
        self.rule(0 <= self.pool_pad <= self.pool_size // 2, "pool_pad", "must be from 0 to half of pool_size")

    def pooled(self, n_positions: int) -> int:
        """Return how long an axis of ``n_positions`` is after pooling; below 1 it cannot be pooled."""
        return (n_positions + 2 * self.pool_pad - self.pool_size) // self.pool_stride + 1


class SoftHebbConfig(Record, kw_only=True):
    """Settings of `SoftHebbCNN`; the defaults are the published ones, for images of any size.

    ``batch_size`` images are learned from at a time, each image ``epochs`` times.
    ``device`` is ``"cpu"``, ``"cuda"``, or ``"auto"`` for a GPU if there is one.
    ``transposed`` exchanges rows and columns of every image, as the published scripts do,
    so that features are numbered as theirs are.
    """

    blocks: tuple[SoftHebbBlockConfig, ...] = (
        SoftHebbBlockConfig(filters=96, kernel=5, inverse_temperature=1.0, learning_rate=0.08, power=0.7),
        SoftHebbBlockConfig(filters=384, inverse_temperature=0.65, learning_rate=0.005, power=1.4),
        SoftHebbBlockConfig(
            filters=1536, inverse_temperature=0.25, learning_rate=0.01, pool="average", pool_size=2, pool_pad=0
        ),
    )
    batch_size: int = 10
    epochs: int = 1
    device: Literal["auto", "cpu", "cuda"] = "auto"
    transposed: bool = False

    def check(self) -> None:
        self.rule(len(self.blocks) > 0, "blocks", "must hold at least one block")
        for key in ("batch_size", "epochs"):
            self.rule(1 <= getattr(self, key) <= COUNT_MAX, key, f"must be from 1 to {COUNT_MAX}")

    def feature_shape(self, rows: int, columns: int) -> tuple[int, int, int]:
        """Return (channels, rows, columns) of the features of an image of this size.

        Raises
        ------
        DataError
            If the image is too small.
        """
        shape = rows, columns
        for position, block in enumerate(self.blocks):
            ok = min(shape) > block.kernel // 2 and min(map(block.pooled, shape)) >= 1
            rule = f"must be large enough for blocks[{position}], which gets {shape[0]} x {shape[1]} positions"
            require(ok, "images", rule, f"{rows} x {columns} pixels", DataError)
            shape = block.pooled(shape[0]), block.pooled(shape[1])
        n_features = self.blocks[-1].filters * shape[0] * shape[1]
        require(n_features <= COUNT_MAX, "images", f"must have at most {COUNT_MAX} features", n_features, DataError)
        return self.blocks[-1].filters, *shape


class Header(msgspec.Struct, kw_only=True):
    """All of an extractor's file that is not an array."""

    extractor: Literal["softhebb"] = "softhebb"
    format: int = FORMAT
    config: dict[str, Any]
    seed: int
    image_shape: tuple[int, int, int] | None


class SoftHebbCNN:
    """A convolutional network that learns without labels, by soft winner-take-all, and codes its output in time.

    Three blocks (by default) of batch normalisation, convolution, Triangle activation and
    pooling learn at once, each by a Hebbian rule of its own. An image's features become
    spike times ``1 - feature / largest feature``, so that the largest fires at 0 and a
    feature of 0 never; a block for classifying, which the paper adds, is not part of it.

    Needs PyTorch, extra ``softhebb``. Make one with `from_config` or `load`.

    Attributes
    ----------
    config : SoftHebbConfig
    seed : int
        Of initial weights and of the order of images.
    image_shape : tuple of int or None
        (rows, columns, channels) of the images it was fitted to.

    Notes
    -----
    The same seed gives the same bits on the same machine with the same number of threads,
    on a processor. On a GPU, and between machines, results differ by rounding, which
    learning makes larger.

    Sources: Journé, Garcia Rodriguez, Guo, Moraitis, *Hebbian Deep Learning Without
    Feedback*, ICLR 2023; Goupy, Tirilly, Bilasco, NeurIPS 2024, for the coding in time.

    Examples
    --------
    >>> extractor = SoftHebbCNN.from_config(seed=0)
    >>> extractor.fit(images)  # doctest: +SKIP
    >>> dataset = extractor.transform(images, labels)  # doctest: +SKIP
    """

    has_filters: ClassVar[bool] = False  # they have no on and off channels

    def __init__(self, config: SoftHebbConfig, seed: int) -> None:
        self.config = config
        self.seed = seed
        self.image_shape: tuple[int, int, int] | None = None
        self._states: tuple[BlockState, ...] = ()

    @classmethod
    def from_config(
        cls, config: SoftHebbConfig | dict[str, Any] | str | os.PathLike[str] | None = None, seed: int = 0
    ) -> "SoftHebbCNN":
        """Return an extractor that has learned nothing yet.

        Parameters
        ----------
        config : dict, path or SoftHebbConfig, optional
            Default: the published settings.
        seed : int, default=0
            Of the one random generator: initial weights, then the order of the images.

        Raises
        ------
        ConfigError
            If a setting is refused.
        """
        settings = SoftHebbConfig.from_any({} if config is None else config)
        return cls(settings, whole_number(seed, "seed", 0))

    @staticmethod
    def published(name: str, shape: tuple[int, ...]) -> dict[str, Any]:
        """Return the published settings, which are the same for all data sets."""
        return {}

    def __repr__(self) -> str:
        filters = " -> ".join(str(block.filters) for block in self.config.blocks)
        return f"<SoftHebbCNN {filters} filters, {'fitted' if self._states else 'not fitted'}>"

    @property
    def weights(self) -> tuple[np.ndarray, ...]:
        """Filters of each block, float32 of shape (filters, channels, kernel, kernel), read-only; none before `fit`.

        Assigning a sequence of such arrays makes an extractor that needs no `fit`, with
        running averages of mean 0 and variance 1 until they are assigned too.
        """
        return tuple(state.weights for state in self._states)

    @weights.setter
    def weights(self, values: Sequence[Any]) -> None:
        blocks = self.config.blocks
        arrays = list(values)
        require(len(arrays) == len(blocks), "weights", f"must be {len(blocks)} arrays", len(arrays), DataError)
        channels = np.shape(arrays[0])[1:2]  # of the images
        channels = channels[0] if channels else 1
        states = []
        for position, (block, array) in enumerate(zip(blocks, arrays, strict=True)):
            shape = (block.filters, channels, block.kernel, block.kernel)
            filters = shaped_array(array, f"weights[{position}]", shape)
            states.append(BlockState(filters, np.zeros(channels, REAL), np.ones(channels, REAL)))
            channels = block.filters
        self._take(states)
        self.image_shape = None

    @property
    def running_means(self) -> tuple[np.ndarray, ...]:
        """Running mean of each block's input, float32 of shape (channels,), read-only; may be assigned."""
        return tuple(state.mean for state in self._states)

    @running_means.setter
    def running_means(self, values: Sequence[Any]) -> None:
        means = self._statistics(values, "running_means")
        self._take(state._replace(mean=mean) for state, mean in zip(self._states, means, strict=True))

    @property
    def running_variances(self) -> tuple[np.ndarray, ...]:
        """Running variance of each block's input, as `running_means`."""
        return tuple(state.variance for state in self._states)

    @running_variances.setter
    def running_variances(self, values: Sequence[Any]) -> None:
        variances = self._statistics(values, "running_variances")
        for position, variance in enumerate(variances):
            require((variance >= 0).all(), f"running_variances[{position}]", "must be >= 0", variance.min(), DataError)
        self._take(state._replace(variance=found) for state, found in zip(self._states, variances, strict=True))

    def _statistics(self, values: Sequence[Any], name: str) -> list[np.ndarray]:
        self._require_states("weights")
        arrays, n_blocks = list(values), len(self._states)
        require(len(arrays) == n_blocks, name, f"must be {n_blocks} arrays", len(arrays), DataError)
        shapes = [state.mean.shape for state in self._states]
        return [shaped_array(arrays[k], f"{name}[{k}]", shapes[k]) for k in range(n_blocks)]

    def _take(self, states: Any) -> None:
        """Take over what the blocks have learned."""
        self._states = tuple(BlockState(*map(read_only, state)) for state in states)

    def _require_states(self, name: str) -> None:
        if not self._states:
            raise RunError(f"{name}: must come from fit, load or an assignment, got none of them yet")

    # Learning

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise unless `fit` takes images of this shape, (rows, columns) or (rows, columns, channels), here.

        Raises
        ------
        DataError
            If the images are too small.
        ConfigError
            If there is no such device.
        MissingExtra
            If PyTorch is not installed.
        """
        self._turned_shape(shape)
        device_named(self.config.device)

    def fit(self, images: Any, verbose: bool = False, n_threads: int | None = None) -> "SoftHebbCNN":
        """Learn the filters anew, from the seed, in one pass over ``images`` in random order.

        Parameters
        ----------
        images : ndarray of uint8, shape (n, rows, columns) or (n, rows, columns, channels)
            May be mapped from a file.
        verbose : bool, default=False
            Show a progress bar on a terminal, with the mean norms of the filters.
        n_threads : int, optional
            Default: as many as PyTorch is set to.

        Returns
        -------
        SoftHebbCNN
            Itself.

        Raises
        ------
        DataError
            If the images are too small or no images, or the weights went to infinity.
        MissingExtra
            If PyTorch is not installed.
        """
        images = checked_images(images)
        n_threads = None if n_threads is None else number_of_threads(n_threads)
        config, n_images, image_shape = self.config, len(images), images.shape[1:]
        self.check(image_shape)
        generator = np.random.default_rng(self.seed)
        states = initial_states(config, image_shape[2], generator)
        with (
            settled(n_threads),
            Progress(config.epochs * n_images, "softhebb", unit=" images", show=verbose) as progress,
        ):
            network = Network(config.blocks, states, device_named(config.device))
            for _ in range(config.epochs):
                order = generator.permutation(n_images)
                for start in range(0, n_images, config.batch_size):
                    chosen = order[start : start + config.batch_size]
                    network.learn(self._turned(images[chosen]))
                    figures = {}
                    if verbose and start // config.batch_size % 50 == 0:
                        figures["norms"] = ", ".join(f"{norm:.1f}" for norm in network.norms())
                    progress.step(len(chosen), **figures)
            states = network.states()
        finite = all(np.isfinite(array).all() for state in states for array in state)
        require(finite, "weights", "must stay finite; a smaller learning_rate may help", "infinity", DataError)
        self._take(states)
        self.image_shape = image_shape
        return self

    def _turned(self, images: np.ndarray) -> np.ndarray:
        return images.transpose(0, 2, 1, 3) if self.config.transposed else images

    def _turned_shape(self, image_shape: tuple[int, ...]) -> tuple[int, int, int]:
        """Return the shape of the features of an image."""
        rows, columns = image_shape[:2]
        return self.config.feature_shape(*((columns, rows) if self.config.transposed else (rows, columns)))

    # Features

    def transform(self, images: Any, labels: Any = None, n_threads: int = 1) -> SpikingDataset:
        """Return the features of images as spikes, in the order of the images.

        Parameters
        ----------
        images : ndarray of uint8, shape (n, rows, columns) or (n, rows, columns, channels)
        labels : array_like of int or str, shape (n,), optional
            Default: 0 for all.
        n_threads : int, default=1

        Returns
        -------
        SpikingDataset
            Of max_time 1. Input ``channel * rows' * columns' + row * columns' + column`` is
            a filter of the last block at one position after pooling.

        Raises
        ------
        RunError
            If nothing was fitted, loaded or assigned.
        DataError
            If the images are not as those of `fit`, or the labels not as many.

        Warns
        -----
        DataWarning
            If all features of an image are 0, so that it has no spike.
        """
        images = self._suiting(images)
        labels = np.zeros(len(images), np.int64) if labels is None else labels
        return SpikingDataset.from_blocks(self.time_blocks(images, n_threads), labels)

    def time_blocks(self, images: Any, n_threads: int = 1, verbose: bool = False) -> Iterator[np.ndarray]:
        """Yield the spike times of all features, some images at a time.

        For data sets that do not fit into memory; arguments, errors and warnings are those
        of `transform`.

        Yields
        ------
        ndarray of float32, shape (n_images, n_features)
            Of the next images; 1 is silent.
        """
        images = self._suiting(images)
        n_threads = number_of_threads(n_threads)
        return self._time_blocks(images, n_threads, verbose)

    def _time_blocks(self, images: np.ndarray, n_threads: int, verbose: bool) -> Iterator[np.ndarray]:
        n_silent = 0
        device = device_named(self.config.device)
        with settled(n_threads):
            network = Network(self.config.blocks, self._states, device)
        step = BLOCK if device == "cpu" else BLOCK_ON_GPU
        with Progress(len(images), "features", unit=" images", show=verbose) as progress:
            for start in range(0, len(images), step):
                with settled(n_threads):  # and not while the block is in the caller's hands
                    features = network.features(self._turned(images[start : start + step]))
                    largest = features.amax(dim=1, keepdim=True)
                    silent = largest == 0
                    times = (1 - features / largest.masked_fill_(silent, 1)).cpu().numpy()
                    n_silent += int(silent.sum())
                yield times
                progress.step(len(times))
        if n_silent:
            text = f"{n_silent} of {len(images)} have no feature above 0 and will be silent"
            warnings.warn(DataWarning(f"images: {text}"), stacklevel=3)

    def _suiting(self, images: Any) -> np.ndarray:
        """Return ``images`` with an axis of channels, if they are what was learned from."""
        self._require_states("weights")
        images = checked_images(images)
        n_channels = self._states[0].weights.shape[1]
        ok = images.shape[3] == n_channels
        require(ok, "images", f"must have {n_channels} channels", images.shape[3], DataError)
        ok = self.image_shape is None or images.shape[1:] == self.image_shape
        require(ok, "images", f"must be of the shape of those of fit, {self.image_shape}", images.shape[1:], DataError)
        self._turned_shape(images.shape[1:])
        return images

    # Files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write weights, running averages and settings to an ``.npz`` file, whole or not at all.

        Raises
        ------
        RunError
            If nothing was fitted, loaded or assigned, or the file cannot be written.
        """
        self._require_states("weights")
        header = Header(config=self.config.to_dict(), seed=self.seed, image_shape=self.image_shape)
        arrays = {f"{name}_{k}": array for k, s in enumerate(self._states) for name, array in s._asdict().items()}
        write_model(path, header, arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "SoftHebbCNN":
        """Return an extractor that `save` wrote. PyTorch is not needed for this.

        Raises
        ------
        DataError
            If there is no such file or it holds anything else.
        """
        rule = "must be a file that SoftHebbCNN.save wrote"
        with open_arrays(path, rule) as file, refusing(path, rule):
            header = read_header(file, Header, FORMAT)
            extractor = cls.from_config(header.config, header.seed)
            require_arrays(file, _layout(extractor.config))
            names = [f"_{k}" for k in range(len(extractor.config.blocks))]
            extractor.weights = [file[f"weights{name}"] for name in names]
            extractor.running_means = [file[f"mean{name}"] for name in names]
            extractor.running_variances = [file[f"variance{name}"] for name in names]
            extractor.image_shape = header.image_shape
        return extractor


def _layout(config: SoftHebbConfig) -> dict[str, Wanted]:
    """Return the arrays of an extractor with these settings, for images of any number of channels."""
    layout, channels = {}, None
    for k, block in enumerate(config.blocks):
        layout[f"weights_{k}"] = Wanted((block.filters, channels, block.kernel, block.kernel))
        layout |= {f"{name}_{k}": Wanted((channels,)) for name in ("mean", "variance")}
        channels = block.filters
    return layout


def initial_states(config: SoftHebbConfig, n_channels: int, generator: np.random.Generator) -> list[BlockState]:
    """Draw the filters of each block, of about ``initial_norm``, with running averages of mean 0 and variance 1."""
    states = []
    for block in config.blocks:
        shape = (block.filters, n_channels, block.kernel, block.kernel)
        scale = block.initial_norm / np.sqrt(np.prod(shape[1:]))
        weights = generator.standard_normal(shape, dtype=REAL.type) * REAL.type(scale)
        states.append(BlockState(weights, np.zeros(n_channels, REAL), np.ones(n_channels, REAL)))
        n_channels = block.filters
    return states


def shaped_array(values: Any, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return a read-only copy of ``values`` as float32, finite and of this shape, or raise `DataError`."""
    array = read_only(real_array(values, name, n_axes=len(shape)))
    require(array.shape == shape, name, f"must have shape {shape}", array.shape, DataError)
    return array
