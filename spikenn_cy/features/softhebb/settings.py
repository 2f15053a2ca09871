"""Settings of SoftHebb-CNN, block by block, whose defaults are those that were published."""

from typing import Literal

from spikenn_cy.data.arrays import COUNT_MAX
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.settings.records import Record


class SoftHebbBlockConfig(Record, frozen=True, kw_only=True):
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


class SoftHebbConfig(Record, frozen=True, kw_only=True):
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
