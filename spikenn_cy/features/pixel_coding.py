"""How strong each channel is at each pixel of images, and the levels of strength that become spike times."""

from typing import Any

import numpy as np
import numpy.typing as npt

from spikenn_cy.dtypes import INDEX
from spikenn_cy.dtypes import REAL
from spikenn_cy.dtypes import STAMP

BRIGHTEST = 255
VALUES = np.arange(BRIGHTEST + 1, dtype=REAL) / REAL.type(BRIGHTEST)  # of a pixel
SILENT = STAMP.type(1)

Images = npt.NDArray[np.uint8]  # (n, rows, columns, channels)
Reals = npt.NDArray[np.float32]


class LinearLevels:
    """Levels at equal distances: a strength ``v`` is on the level ``floor((1 - v) n)``, at 0 if it is above 1.

    Parameters
    ----------
    n_levels : int
    """

    def __init__(self, n_levels: int) -> None:
        self.n_levels = n_levels
        self.time_of = times_of_levels(n_levels)
        # In whole numbers, since 1 - 204/255 is less than a fifth in floating point.
        self.times_of_pixels = self.time_of[(BRIGHTEST - np.arange(BRIGHTEST + 1)) * n_levels // BRIGHTEST]

    def times(self, strengths: Reals) -> Reals:
        """Return spike times, in the shape of ``strengths``, which are >= 0; 1 is silent."""
        levels = np.maximum(np.floor((1 - strengths) * REAL.type(self.n_levels)), 0)
        times: Reals = self.time_of[levels.astype(INDEX)]
        return times


class QuantileLevels:
    """Levels between given strengths: one that reaches k of n edges is on the level ``n - k``, of no edge silent.

    Parameters
    ----------
    edges : ndarray of float32, shape (n_levels,)
        In rising order, above 0.
    """

    def __init__(self, edges: Reals) -> None:
        self.edges = edges
        self.time_of = times_of_levels(len(edges))
        self.times_of_pixels = self.times(VALUES)

    def times(self, strengths: Reals) -> Reals:
        """Return spike times, in the shape of ``strengths``, which are >= 0; 1 is silent."""
        times: Reals = self.time_of[len(self.edges) - np.searchsorted(self.edges, strengths, side="right")]
        return times


def times_of_levels(n_levels: int) -> Reals:
    """Return the times of levels 0 to ``n_levels``, in equal steps from 0 to 1; the last one is silence."""
    return (np.arange(n_levels + 1) / n_levels).astype(STAMP)


def quantile_edges(strengths: Reals, n_levels: int, keep: float) -> Reals:
    """Return the edges that share out the strongest among levels, with as many on each.

    Parameters
    ----------
    strengths : ndarray of float32, shape (n,)
        One or more, above 0.
    n_levels : int
    keep : float
        Share of the strengths that reach the first edge, above 0 and up to 1.

    Returns
    -------
    ndarray of float32, shape (n_levels,)
        In rising order.
    """
    n = len(strengths)
    places = np.floor(n * (1 - keep) + np.arange(n_levels) * (n * keep - 1) / n_levels).astype(np.int64)
    return np.sort(strengths)[np.minimum(places, n - 1)]  # n (1 - keep) may be rounded to n


class PlainChannels:
    """Values of pixels, from 0 to 1, as strengths; a channel for each of the image's.

    Parameters
    ----------
    n_channels : int
    """

    def __init__(self, n_channels: int) -> None:
        self.n_made = n_channels

    def strengths(self, images: Images) -> Reals:
        """Return the strengths, shape (n, rows, columns, n_made)."""
        strengths: Reals = VALUES[images]
        return strengths

    def write_times(self, images: Images, levels: LinearLevels | QuantileLevels, times: Reals) -> None:
        """Write spike times, shape (n, rows, columns, n_made)."""
        times[...] = levels.times_of_pixels[images]


class SplitChannels:
    """Positive and negative parts of filtered images as strengths: On and Off of each filter, side by side.

    Parameters
    ----------
    front_end : FrontEnd
        That filters, as `spikenn_cy.features.front_end.make_front_end` makes it.
    gain : float
        Factor on the strengths.
    """

    def __init__(self, front_end: Any, gain: float = 1.0) -> None:
        self.front_end = front_end
        self.gain = REAL.type(gain)
        self.n_made = 2 * front_end.n_made

    def strengths(self, images: Images) -> Reals:
        """Return the strengths of both parts, of which one is 0, as one array of shape (n, rows, columns, filters)."""
        return np.abs(self._filtered(images)) * self.gain

    def write_times(self, images: Images, levels: LinearLevels | QuantileLevels, times: Reals) -> None:
        """Write spike times, shape (n, rows, columns, n_made): 2 z is On of filter z, 2 z + 1 is Off."""
        values = self._filtered(images)
        found = levels.times(np.abs(values) * self.gain)
        times[..., 0::2] = np.where(values > 0, found, SILENT)
        times[..., 1::2] = np.where(values < 0, found, SILENT)

    def _filtered(self, images: Images) -> Reals:
        values = np.empty((*images.shape[:3], self.front_end.n_made), REAL)
        self.front_end.filter(images, values)
        return values


Channels = PlainChannels | SplitChannels


class Coder:
    """All that one thread needs to turn blocks of images into spike times.

    Parameters
    ----------
    images : ndarray of uint8, shape (n, rows, columns, channels)
    channels : list of PlainChannels or SplitChannels
    levels : LinearLevels or QuantileLevels
    n_images : int
        In a block.
    """

    def __init__(
        self, images: Images, channels: list[Channels], levels: LinearLevels | QuantileLevels, n_images: int
    ) -> None:
        self.images, self.channels, self.levels, self.n_images = images, channels, levels, n_images
        self.n_made = sum(channel.n_made for channel in channels)

    def __call__(self, start: int) -> Reals:
        """Return the times of the block that begins with image ``start``, shape (n, rows, columns, n_made)."""
        images = np.ascontiguousarray(self.images[start : start + self.n_images])
        times = np.empty((*images.shape[:3], self.n_made), STAMP)
        first = 0
        for channel in self.channels:
            channel.write_times(images, self.levels, times[..., first : first + channel.n_made])
            first += channel.n_made
        return times
