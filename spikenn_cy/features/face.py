"""What the commands ask of an extractor, which is all that they know of it."""

import os
from collections.abc import Iterator
from typing import Any
from typing import ClassVar
from typing import Protocol

import numpy as np
import numpy.typing as npt

from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.settings.records import Record


class Extractor(Protocol):
    """A row of ``EXTRACTORS``.

    Images are uint8 of shape (n, rows, columns) or (n, rows, columns, channels).

    Attributes
    ----------
    has_filters : bool
        Whether ``weights`` are filters that `spikenn_cy.plots.filters` draws.
    config : Record
    seed : int
    """

    has_filters: ClassVar[bool]

    @property
    def config(self) -> Record: ...

    @property
    def seed(self) -> int: ...

    @classmethod
    def from_config(cls, config: Any = None, seed: int = 0) -> "Extractor":
        """Return an extractor that has learned nothing yet; without settings, with published ones."""

    @staticmethod
    def published(name: str, shape: tuple[int, ...]) -> dict[str, Any]:
        """Return the published settings for the data set ``name``, or for images of this shape."""

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise unless `fit` takes images of this shape, (rows, columns) or (rows, columns, channels)."""

    def fit(self, images: Any, verbose: bool = False) -> "Extractor":
        """Learn anew from images, from the seed."""

    def transform(self, images: Any, labels: Any = None, n_threads: int = 1) -> SpikingDataset:
        """Return the features of images as spikes, in the order of the images."""

    def time_blocks(self, images: Any, n_threads: int = 1, verbose: bool = False) -> Iterator[npt.NDArray[np.float32]]:
        """Yield spike times of features, (n_images, n_features), some images at a time; 1 is silent.

        Features that form an image have its axes, (n_images, rows, columns, channels).
        """

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all that was learned to an ``.npz`` file, whose header has the row's name as ``extractor``."""

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Extractor":
        """Return an extractor that `save` wrote."""
