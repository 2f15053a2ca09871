"""Pixels, the extractor that learns no filters: what images show becomes spikes, for networks that learn their own."""

import math
import os
import re
import warnings
from collections.abc import Iterator
from typing import Any
from typing import ClassVar
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from spikenn_cy.data.arrays import COUNT_MAX
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.errors import DataError
from spikenn_cy.errors import DataWarning
from spikenn_cy.errors import RunError
from spikenn_cy.errors import require
from spikenn_cy.features.checks import checked_images
from spikenn_cy.features.checks import require_shape_of_fit
from spikenn_cy.features.front_end import PATCH
from spikenn_cy.features.front_end import dog_kernel
from spikenn_cy.features.front_end import make_front_end
from spikenn_cy.features.front_end import whitening_kernels
from spikenn_cy.features.pixel_coding import SILENT
from spikenn_cy.features.pixel_coding import Channels
from spikenn_cy.features.pixel_coding import Coder
from spikenn_cy.features.pixel_coding import LinearLevels
from spikenn_cy.features.pixel_coding import PlainChannels
from spikenn_cy.features.pixel_coding import QuantileLevels
from spikenn_cy.features.pixel_coding import SplitChannels
from spikenn_cy.features.pixel_coding import quantile_edges
from spikenn_cy.settings.records import Record
from spikenn_cy.storage.arrays import Wanted
from spikenn_cy.storage.arrays import open_arrays
from spikenn_cy.storage.arrays import refusing
from spikenn_cy.storage.model_archive import read_header
from spikenn_cy.storage.model_archive import require_arrays
from spikenn_cy.storage.model_archive import write_model
from spikenn_cy.utils.ordered import in_order
from spikenn_cy.utils.processors import threads_that_run
from spikenn_cy.utils.progress import Progress
from spikenn_cy.utils.validation import read_only
from spikenn_cy.utils.validation import real_array
from spikenn_cy.utils.validation import whole_number

FORMAT = 1
BLOCK = 64  # images in one call of compiled code, and whose times stay in a processor's cache
RANKED = 2_000  # images whose strengths tell the quantiles
DOG = (7, 1.0, 2.0)  # side, standard deviations of the centre and of the surround, in pixels
DOG_GAIN = 2.0
LEVELS_MAX = 1 << 16
USED_BY = {"edges": "quantile levels", "whitening": "the channel white"}

ImageShape = tuple[int, int, int]  # rows, columns, channels


class PixelsConfig(Record, frozen=True, kw_only=True):
    """Settings of `Pixels`; the defaults are those for digits.

    ``channels`` are what is seen at each pixel: ``"pixel"``, its value from 0 to 1, for
    each colour; ``"dog"``, the positive and the negative part of a difference of Gaussians
    for each colour, times ``dog_gain`` (default: 2); ``"white"``, both parts of the
    whitened image for each colour.

    A strength above 0 becomes one of ``n_levels`` spike times. ``levels`` are at equal
    distances (``"linear"``), or have as many spikes each (``"quantile"``), the weakest
    strengths being silent, so that the share ``keep`` of all fires.
    """

    channels: tuple[Literal["pixel", "dog", "white"], ...] = ("pixel",)
    dog_gain: float | None = None
    levels: Literal["linear", "quantile"] = "linear"
    n_levels: int = 32
    keep: float | None = None

    def check(self) -> None:
        ok = 1 <= len(self.channels) == len(set(self.channels))
        self.rule(ok, "channels", "must be one or more of pixel, dog, white, each once")
        if self.dog_gain is not None:
            self.rule("dog" in self.channels, "dog_gain", "must not be given without the channel dog")
            self.rule(self.dog_gain > 0, "dog_gain", "must be > 0")
        self.rule(1 <= self.n_levels <= LEVELS_MAX, "n_levels", f"must be from 1 to {LEVELS_MAX}")
        if self.levels == "linear":
            self.rule(self.keep is None, "keep", "must not be given with linear levels, of which none is left out")
        else:
            ok = self.keep is not None and 0 < self.keep <= 1
            self.rule(ok, "keep", "must be given with quantile levels, > 0 and <= 1")


# By data set, as networks with a convolution do best on them; all else as in the defaults.
PUBLISHED: dict[str, dict[str, Any]] = {
    "mnist": {"channels": ["pixel"], "levels": "linear", "n_levels": 32},
    "fmnist": {"channels": ["pixel", "dog"], "levels": "quantile", "n_levels": 16, "keep": 0.75},
    "cifar10": {"channels": ["white"], "levels": "quantile", "n_levels": 16, "keep": 0.8},
}


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """All of an extractor's file that is not an array."""

    extractor: Literal["pixels"] = "pixels"
    format: int = FORMAT
    config: dict[str, Any]
    seed: int
    image_shape: ImageShape | None


class Pixels:
    """Images as spikes, by pixels, differences of Gaussians and whitened colours, on a few levels of time.

    A neuron of the first spike sees no more of times than their order and which are
    equal, so few levels are enough; where each has as many spikes, they lose least. The
    axes of the images stay with the spikes, as ``input_shape``, for networks with
    convolutions.

    Make one with `from_config` or `load`.

    Attributes
    ----------
    config : PixelsConfig
    seed : int
        Nothing is drawn at random; it is kept since all extractors have one.
    image_shape : (int, int, int) or None
        Rows, columns and channels of the images of `fit`, which others must have.

    Notes
    -----
    The same images give the same bits with any instruction set and number of threads,
    from the same ``whitening`` kernels.

    Examples
    --------
    >>> import numpy as np
    >>> images = np.random.default_rng(0).integers(256, size=(20, 12, 12), dtype=np.uint8)
    >>> extractor = Pixels.from_config({"levels": "quantile", "n_levels": 16, "keep": 0.5})
    >>> extractor.fit(images).transform(images)
    SpikingDataset(20 samples, 12 x 12 x 1 inputs, unlabelled, 1435 spikes, max_time=1.0)
    """

    has_filters: ClassVar[bool] = False  # of its own

    def __init__(self, config: PixelsConfig, seed: int) -> None:
        self.config = config
        self.seed = seed
        self.image_shape: ImageShape | None = None
        self._edges: npt.NDArray[np.float32] | None = None
        self._whitening: npt.NDArray[np.float32] | None = None

    @classmethod
    def from_config(
        cls, config: PixelsConfig | dict[str, Any] | str | os.PathLike[str] | None = None, seed: int = 0
    ) -> "Pixels":
        """Return an extractor that has seen nothing yet.

        Parameters
        ----------
        config : dict, path or PixelsConfig, optional
            Default: pixels on 32 linear levels.
        seed : int, default=0

        Raises
        ------
        ConfigError
            If a setting is refused.
        """
        return cls(PixelsConfig.from_any({} if config is None else config), whole_number(seed, "seed", 0))

    @staticmethod
    def published(name: str, shape: tuple[int, ...]) -> dict[str, Any]:
        """Return the settings for a data set.

        Parameters
        ----------
        name : str
            Such as ``"F-MNIST"`` or ``"fmnist"``.
        shape : tuple of int
            (rows, columns) or (rows, columns, channels) of its images. If there are no settings
            under the name, they are those for CIFAR-10 if images are coloured and can be
            whitened, and those for MNIST otherwise.
        """
        plain = re.sub(r"[^a-z0-9]", "", name.lower().replace("fashion", "f"))
        coloured = len(shape) == 3 and shape[2] > 1 and min(shape[:2]) >= PATCH
        return dict(PUBLISHED.get(plain, PUBLISHED["cifar10" if coloured else "mnist"]))

    def __repr__(self) -> str:
        config, shape = self.config, self.image_shape
        seen = "not fitted" if shape is None else f"images of {' x '.join(map(str, shape))}"
        return f"<Pixels {' + '.join(config.channels)}, {config.n_levels} {config.levels} levels, {seen}>"

    # What is learned

    @property
    def edges(self) -> npt.NDArray[np.float32]:
        """Strengths between quantile levels, float32 of shape (n_levels,), read-only; may be assigned, > 0, rising."""
        return self._learned("edges", self._edges)

    @edges.setter
    def edges(self, values: Any) -> None:
        self._require_used("edges")
        edges = read_only(real_array(values, "edges", shape=(self.config.n_levels,)))
        require(bool(edges[0] > 0), "edges[0]", "must be > 0", float(edges[0]), DataError)
        for k in np.flatnonzero(np.diff(edges) < 0)[:1] + 1:
            raise DataError(f"edges[{k}]: must be >= {edges[k - 1]}, the edge before it, got {edges[k]}")
        self._edges = edges

    @property
    def whitening(self) -> npt.NDArray[np.float32]:
        """Kernels of whitening, float32 of shape (channels, size, size, channels), read-only; may be assigned."""
        return self._learned("whitening", self._whitening)

    @whitening.setter
    def whitening(self, values: Any) -> None:
        self._require_used("whitening")
        kernels = read_only(real_array(values, "whitening", n_axes=4))
        made, rows, columns, taken = kernels.shape
        ok = made == taken >= 1 and rows == columns and rows % 2 == 1
        rule = "must have shape (channels, size, size, channels) with an odd size"
        require(ok, "whitening", rule, kernels.shape, DataError)
        self._whitening = kernels

    def _learned(self, name: str, array: npt.NDArray[np.float32] | None) -> npt.NDArray[np.float32]:
        self._require_used(name)
        if array is None:
            raise RunError(f"{name}: must come from fit, load or an assignment, got none of them yet")
        return array

    def _require_used(self, name: str) -> None:
        rule = f"must be of an extractor with {USED_BY[name]}"
        require(name in _layout(self.config), name, rule, self, DataError)

    # Learning

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise `DataError` unless `fit` takes images of this shape, (rows, columns) or (rows, columns, channels)."""
        rows, columns, n_channels = (*shape, 1)[:3]
        if "white" in self.config.channels:
            ok = min(rows, columns) >= PATCH
            require(ok, "images", f"must have {PATCH} x {PATCH} pixels to be whitened", shape, DataError)
        self._require_room((rows, columns, n_channels))

    def _require_room(self, shape: ImageShape) -> None:
        """Raise unless the inputs of an image of a shape can be counted."""
        n_inputs = math.prod(shape) * sum(1 if name == "pixel" else 2 for name in self.config.channels)
        require(n_inputs <= COUNT_MAX, "images", f"must have at most {COUNT_MAX} inputs", n_inputs, DataError)

    def fit(self, images: Any, verbose: bool = False) -> "Pixels":
        """Learn whitening and quantiles anew, as far as the settings ask for them.

        Parameters
        ----------
        images : ndarray of uint8, shape (n, rows, columns) or (n, rows, columns, channels)
            May be mapped from a file. Quantiles are those of the first 2,000, whose strengths
            are in memory meanwhile, 4 bytes each.
        verbose : bool, default=False
            Show progress on stderr: a bar on a terminal or in a notebook, elsewhere a line a minute.

        Returns
        -------
        Pixels
            Itself. If it is interrupted, all is as it was before.

        Raises
        ------
        DataError
            If they are no such images, too small, or without any strength above 0.
        """
        images = checked_images(images)
        shape = _shape(images)
        self.check(shape)
        config = self.config
        whitening = whitening_kernels(images) if "white" in config.channels else None
        edges = None
        if config.keep is not None:
            channels = self._channels(shape, whitening)
            strengths = self._strengths(images[:RANKED], channels, verbose)
            edges = read_only(quantile_edges(strengths, config.n_levels, config.keep))
        self._edges, self._whitening = edges, None if whitening is None else read_only(whitening)
        self.image_shape = shape
        return self

    @staticmethod
    def _strengths(images: npt.NDArray[np.uint8], channels: list[Channels], verbose: bool) -> npt.NDArray[np.float32]:
        """Return all strengths above 0, of all channels, as one list."""
        found = []
        with Progress(len(images), "strengths", unit="images", show=verbose) as progress:
            for start in range(0, len(images), BLOCK):
                some = np.ascontiguousarray(images[start : start + BLOCK])
                for channel in channels:
                    strengths = channel.strengths(some)
                    found.append(strengths[strengths > 0])
                progress.step(len(some))
        positive = np.concatenate(found)
        rule = f"must have a strength above 0 among the first {RANKED:,}, to be ranked"
        require(len(positive) > 0, "images", rule, "none", DataError)
        return positive

    def _channels(self, shape: ImageShape, whitening: npt.NDArray[np.float32] | None) -> list[Channels]:
        """Return what makes the channels of images of a shape, in the order of the settings."""
        gain = DOG_GAIN if self.config.dog_gain is None else self.config.dog_gain
        channels: list[Channels] = []
        for name in self.config.channels:
            if name == "pixel":
                channels.append(PlainChannels(shape[2]))
            elif name == "dog":
                channels.append(SplitChannels(make_front_end(shape, False, dog_kernel(*DOG), None), gain))
            else:
                channels.append(SplitChannels(make_front_end(shape, False, None, whitening)))
        return channels

    # Spikes

    def transform(self, images: Any, labels: Any = None, n_threads: int = 1) -> SpikingDataset:
        """Return images as spikes, in their order.

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
            Of max_time 1, and of input_shape (rows, columns, all channels): those of the settings
            in their order, for each of them the colours, and for each colour On, then Off
            where there are two parts.

        Raises
        ------
        RunError
            If edges or whitening were not fitted, loaded or assigned where the settings need them.
        DataError
            If the images are not as those of `fit`, or the labels not as many.

        Warns
        -----
        DataWarning
            If an image has no spike.
        """
        images = self._suiting(images)
        return SpikingDataset._computed(self.time_blocks(images, n_threads), labels)

    def time_blocks(self, images: Any, n_threads: int = 1, verbose: bool = False) -> Iterator[npt.NDArray[np.float32]]:
        """Yield the spike times of images, some at a time.

        For data sets that do not fit into memory; arguments, errors and warnings are those
        of `transform`.

        Yields
        ------
        ndarray of float32, shape (n_images, rows, columns, channels)
            Of the next images; 1 is silent.
        """
        images = self._suiting(images)
        n_threads = threads_that_run(n_threads)
        whitening = self.whitening if "white" in self.config.channels else None
        quantile = self.config.levels == "quantile"
        levels = QuantileLevels(self.edges) if quantile else LinearLevels(self.config.n_levels)
        starts = range(0, len(images), BLOCK)
        coders = [
            Coder(images, self._channels(_shape(images), whitening), levels, BLOCK)
            for _ in range(min(n_threads, len(starts)))
        ]
        return self._time_blocks(coders, starts, verbose)

    @staticmethod
    def _time_blocks(coders: list[Coder], starts: range, verbose: bool) -> Iterator[npt.NDArray[np.float32]]:
        n_images, n_silent = starts.stop, 0
        with Progress(n_images, "spikes", unit="images", show=verbose) as progress:
            for times in in_order(coders, starts):
                n_silent += len(times) - int((times < SILENT).any(axis=(1, 2, 3)).sum())
                yield times
                progress.step(len(times))
        if n_silent:
            text = f"{n_silent} of {n_images} have no strength that spikes and will be silent"
            warnings.warn(DataWarning(f"images: {text}"), stacklevel=3)

    def _suiting(self, images: Any) -> npt.NDArray[np.uint8]:
        """Return ``images`` with an axis of channels, if they are as those of `fit`."""
        checked: npt.NDArray[np.uint8] = checked_images(images)
        shape = _shape(checked)
        require_shape_of_fit(shape, self.image_shape)
        self._require_room(shape)
        return checked

    # Files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write settings and all that was learned to an ``.npz`` file, whole or not at all.

        Raises
        ------
        RunError
            If something that the settings need was not fitted, loaded or assigned, or the file
            cannot be written.
        """
        header = Header(config=self.config.to_dict(), seed=self.seed, image_shape=self.image_shape)
        write_model(path, header, {name: getattr(self, name) for name in _layout(self.config)})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Pixels":
        """Return an extractor that `save` wrote.

        Raises
        ------
        DataError
            If there is no such file or it holds anything else.
        """
        rule = "must be a file that Pixels.save wrote"
        with open_arrays(path, rule) as file, refusing(path, rule):
            header = read_header(file, Header, FORMAT)
            extractor = cls.from_config(header.config, header.seed)
            layout = _layout(extractor.config)
            require_arrays(file, layout)
            for name in layout:
                setattr(extractor, name, file[name])
            extractor.image_shape = header.image_shape
        return extractor


def _layout(config: PixelsConfig) -> dict[str, Wanted]:
    """Return the arrays that an extractor with these settings learns."""
    return {
        **({"edges": Wanted((config.n_levels,))} if config.levels == "quantile" else {}),
        **({"whitening": Wanted((None, None, None, None))} if "white" in config.channels else {}),
    }


def _shape(images: npt.NDArray[np.uint8]) -> ImageShape:
    """Return rows, columns and channels of checked images."""
    _, rows, columns, n_channels = images.shape
    return rows, columns, n_channels
