"""What SoftHebb-CNN has learned: its first state, its checks, and how it lies in a file."""

from typing import Any
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from spikenn_cy.dtypes import REAL
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.features.softhebb.network import BlockState
from spikenn_cy.features.softhebb.settings import SoftHebbConfig
from spikenn_cy.storage.arrays import Wanted
from spikenn_cy.utils.validation import read_only
from spikenn_cy.utils.validation import real_array

FORMAT = 1


class Header(msgspec.Struct, kw_only=True):
    """All of an extractor's file that is not an array."""

    extractor: Literal["softhebb"] = "softhebb"
    format: int = FORMAT
    config: dict[str, Any]
    seed: int
    image_shape: tuple[int, int, int] | None


def file_layout(config: SoftHebbConfig) -> dict[str, Wanted]:
    """Return the arrays of an extractor with these settings, for images of any number of channels."""
    layout: dict[str, Wanted] = {}
    channels: int | None = None
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


def shaped_array(values: Any, name: str, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Return a read-only copy of ``values`` as float32, finite and of this shape, or raise `DataError`."""
    array = read_only(real_array(values, name, n_axes=len(shape)))
    require(array.shape == shape, name, f"must have shape {shape}", array.shape, DataError)
    return array
