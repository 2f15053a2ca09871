"""The convolution of a network that learns in every layer, with pooling by the first spike."""

import math

import numpy as np
import numpy.typing as npt

from spikenn_cy.dtypes import INDEX
from spikenn_cy.dtypes import OFFSET
from spikenn_cy.dtypes import REAL
from spikenn_cy.errors import shown
from spikenn_cy.layers._base import EventLayer
from spikenn_cy.layers._base import padded
from spikenn_cy.layers._conv import ConvEvents
from spikenn_cy.layers.face import Array
from spikenn_cy.layers.face import Figures
from spikenn_cy.layers.face import NetworkLayer
from spikenn_cy.layers.face import Start
from spikenn_cy.layers.settings import NetworkLayerConfig
from spikenn_cy.settings.validation import InvalidSetting
from spikenn_cy.utils.alignment import aligned

LARGEST = int(np.iinfo(INDEX).max)  # number, as kernels have them


class ConvConfig(NetworkLayerConfig, frozen=True, kw_only=True, tag_field="type", tag="conv"):
    """``{"type": "conv", "n_filters": 64, "kernel_size": 5, "pool": 2}``: filters at every position of an image.

    ``padding`` positions without a spike surround the image. Of each ``pool`` x ``pool`` positions the first to
    fire is the unit that the next layer sees; rows and columns that are left over are cut off.
    """

    n_filters: int
    kernel_size: int
    padding: int = 0
    pool: int = 1

    def check(self) -> None:
        super().check()
        self.rule(0 < self.n_filters < 2**16, "n_filters", "must be from 1 to 65535")
        self.rule(0 < self.kernel_size < 2**12, "kernel_size", "must be from 1 to 4095")
        self.rule(0 <= self.padding < 2**12, "padding", "must be from 0 to 4095")
        self.rule(0 < self.pool < 2**12, "pool", "must be from 1 to 4095")

    @property
    def patch(self) -> tuple[int, int]:
        """``(kernel_size, padding)``."""
        return self.kernel_size, self.padding

    def check_against(self, input_shape: tuple[int, ...]) -> None:
        """Raise `InvalidSetting` unless inputs are images that hold at least one kernel and one pool."""
        if len(input_shape) not in (2, 3):
            rule = "must stand on images: data whose input_shape is (rows, columns) or (rows, columns, channels)"
            raise InvalidSetting(("type",), rule, f"inputs of shape {shown(input_shape)}")
        rows, columns = self.positions(input_shape)
        rule = f"must fit into images of {input_shape[0]} x {input_shape[1]} with padding {self.padding}"
        self.rule(min(rows, columns) > 0, "kernel_size", rule)
        self.rule(min(rows, columns) >= self.pool, "pool", f"must be at most the {min(rows, columns)} positions")
        for name, n in (("positions", rows * columns), ("units", math.prod(self.output_shape(input_shape)))):
            if n > LARGEST:
                raise InvalidSetting(("type",), f"must have at most {LARGEST} {name}", str(n))

    def positions(self, input_shape: tuple[int, ...]) -> tuple[int, int]:
        """Return rows and columns of positions, those that are cut off included."""
        more = 2 * self.padding - self.kernel_size + 1
        return input_shape[0] + more, input_shape[1] + more

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return ``(rows, columns, n_filters)`` of pooled units."""
        rows, columns = self.positions(input_shape)
        return rows // self.pool, columns // self.pool, self.n_filters

    def weights_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return ``(n_filters, kernel_size, kernel_size, channels)``."""
        return self.n_filters, self.kernel_size, self.kernel_size, (*input_shape, 1)[2]

    def build(self, position: int, input_shape: tuple[int, ...]) -> "ConvLayer":
        """Return the layer, with weights of 0."""
        return ConvLayer(self, position, input_shape)


class ConvLayer(NetworkLayer):
    """Filters at every position of an image; ``weights`` are of shape (n_filters, kernel_size, kernel_size, channels).

    A spike at ``(y, x, c)`` adds ``weights[f, y + padding - y', x + padding - x', c]`` to position ``(y', x')``.
    """

    shared = True

    def stored(self, weights: Array) -> Array:
        """Return ``[c, dy, kernel_size - 1 - dx, filters padded]``, in which a row of positions is one run."""
        n_filters, size, _, n_channels = weights.shape
        array: Array = aligned((n_channels, size, size, padded(n_filters)), REAL)
        array[..., :n_filters] = weights.transpose(3, 1, 2, 0)[:, :, ::-1]
        return array

    def seen(self, stored: Array) -> Array:
        """Return ``(n_filters, kernel_size, kernel_size, channels)``."""
        return np.ascontiguousarray(stored[:, :, ::-1, : self.n_thresholds].transpose(3, 1, 2, 0))

    @property
    def fan_out(self) -> npt.NDArray[np.int64]:
        """Positions of filters to which a spike of each input adds a weight, int64 of shape (n_inputs,).

        Positions that pooling cuts off are never charged.
        """
        config, (rows, columns, n_channels) = self.config, (*self.input_shape, 1)[:3]
        pooled = [n * config.pool for n in self.output_shape[:2]]
        in_rows, in_columns = (
            _in_reach(n, n_positions, config.kernel_size, config.padding)
            for n, n_positions in zip((rows, columns), pooled, strict=True)
        )
        cells = np.outer(in_rows, in_columns) * config.n_filters
        return np.repeat(cells.ravel(), n_channels)

    def incoming(self, unit: int) -> Array:
        """Return the weights of a unit's positions, row by row: NaN for inputs out of reach."""
        config, (rows, columns, n_channels) = self.config, (*self.input_shape, 1)[:3]
        row, column, f = np.unravel_index(unit, self.output_shape)
        kernel, pad, size = self.weights[f], config.padding, config.kernel_size
        found: Array = np.full((config.pool**2, self.n_inputs), np.nan, REAL)
        for position, (down, right) in enumerate(np.ndindex(config.pool, config.pool)):
            field = np.full((rows + 2 * pad, columns + 2 * pad, n_channels), np.nan, REAL)
            y, x = row * config.pool + down, column * config.pool + right
            field[y : y + size, x : x + size] = kernel
            found[position] = field[pad : pad + rows, pad : pad + columns].ravel()
        return found

    def start_on(self, below: NetworkLayer | None, is_last: bool, figures: Figures) -> Start:
        """Return where the layer starts, by docs/networks.md."""
        n = figures.mean_patch_spikes
        return Start(1 / n, 0.36 / math.sqrt(n), 0.05)

    def kernel(self, weights: Array, window: float) -> EventLayer:
        """Return the compiled layer of these weights."""
        config, shape = self.config, (*self.input_shape, 1)[:3]
        sizes = (config.n_filters, config.kernel_size, config.padding, config.pool)
        return ConvEvents(self.position, shape, sizes, weights, self.kernel_thresholds, window)


def _in_reach(n_inputs: int, n_positions: int, kernel_size: int, padding: int) -> npt.NDArray[np.int64]:
    """Return, along one axis, how many positions each input charges."""
    last = np.arange(n_inputs, dtype=OFFSET) + padding
    first = last - kernel_size + 1
    reach: npt.NDArray[np.int64] = np.minimum(last, n_positions - 1) - np.maximum(first, 0) + 1
    return reach.clip(0)
