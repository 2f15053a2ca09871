"""The extractor itself: what is learned, learning it, and what becomes of images by it."""

import os
import warnings
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any
from typing import ClassVar

import numpy as np

from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.dtypes import REAL
from spikenn_cy.errors import DataError
from spikenn_cy.errors import DataWarning
from spikenn_cy.errors import RunError
from spikenn_cy.errors import require
from spikenn_cy.features.checks import checked_images
from spikenn_cy.features.checks import require_shape_of_fit
from spikenn_cy.features.softhebb.learned import FORMAT
from spikenn_cy.features.softhebb.learned import Header
from spikenn_cy.features.softhebb.learned import file_layout
from spikenn_cy.features.softhebb.learned import initial_states
from spikenn_cy.features.softhebb.learned import shaped_array
from spikenn_cy.features.softhebb.network import BlockState
from spikenn_cy.features.softhebb.network import Network
from spikenn_cy.features.softhebb.network import device_named
from spikenn_cy.features.softhebb.network import settled
from spikenn_cy.features.softhebb.settings import SoftHebbConfig
from spikenn_cy.storage.arrays import open_arrays
from spikenn_cy.storage.arrays import refusing
from spikenn_cy.storage.model_archive import read_header
from spikenn_cy.storage.model_archive import require_arrays
from spikenn_cy.storage.model_archive import write_model
from spikenn_cy.utils.processors import threads_that_run
from spikenn_cy.utils.progress import Progress
from spikenn_cy.utils.validation import read_only
from spikenn_cy.utils.validation import whole_number

BLOCK = 10  # images whose features are computed at a time on a processor: their patches stay in its cache
BLOCK_ON_GPU = 500


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
            ok = bool((variance >= 0).all())
            require(ok, f"running_variances[{position}]", "must be >= 0", variance.min(), DataError)
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
            Show progress, with the mean norms of the filters: a bar on a terminal or in a notebook, elsewhere a line
            a minute on stderr.
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
        n_threads = None if n_threads is None else threads_that_run(n_threads)
        config, n_images, image_shape = self.config, len(images), images.shape[1:]
        self.check(image_shape)
        generator = np.random.default_rng(self.seed)
        states = initial_states(config, image_shape[2], generator)
        with (
            settled(n_threads),
            Progress(config.epochs * n_images, "softhebb", unit="images", show=verbose) as progress,
        ):
            network = Network(config.blocks, states, device_named(config.device))
            for _ in range(config.epochs):
                order = generator.permutation(n_images)
                for start in range(0, n_images, config.batch_size):
                    chosen = order[start : start + config.batch_size]
                    network.learn(self._turned(images[chosen]))
                    if verbose and start // config.batch_size % 50 == 0:
                        progress.tell(figures=f"norms {' '.join(f'{norm:.1f}' for norm in network.norms())}")
                    progress.step(len(chosen))
            learned = network.states()
        finite = all(np.isfinite(array).all() for state in learned for array in state)
        require(finite, "weights", "must stay finite; a smaller learning_rate may help", "infinity", DataError)
        self._take(learned)
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
            Without them the set is unlabelled.
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
        return SpikingDataset._computed(self.time_blocks(images, n_threads), labels)

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
        n_threads = threads_that_run(n_threads)
        return self._time_blocks(images, n_threads, verbose)

    def _time_blocks(self, images: np.ndarray, n_threads: int, verbose: bool) -> Iterator[np.ndarray]:
        n_silent = 0
        device = device_named(self.config.device)
        with settled(n_threads):
            network = Network(self.config.blocks, self._states, device)
        step = BLOCK if device == "cpu" else BLOCK_ON_GPU
        with Progress(len(images), "features", unit="images", show=verbose) as progress:
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
        checked = checked_images(images)
        n_channels, shape = self._states[0].weights.shape[1], checked.shape[1:]
        require(shape[2] == n_channels, "images", f"must have {n_channels} channels", shape[2], DataError)
        require_shape_of_fit(shape, self.image_shape)
        self._turned_shape(shape)
        return checked

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
            require_arrays(file, file_layout(extractor.config))
            names = [f"_{k}" for k in range(len(extractor.config.blocks))]
            extractor.weights = [file[f"weights{name}"] for name in names]
            extractor.running_means = [file[f"mean{name}"] for name in names]
            extractor.running_variances = [file[f"variance{name}"] for name in names]
            extractor.image_shape = header.image_shape
        return extractor
