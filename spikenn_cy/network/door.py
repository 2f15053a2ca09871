"""What a data set must be like for a network to take it, said in the same words by every network."""

from typing import Protocol

from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.dtypes import STAMP
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require


class Inputs(Protocol):
    """What a network says of its inputs."""

    @property
    def n_inputs(self) -> int:
        """Number of inputs."""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Axes that number them."""

    @property
    def max_time(self) -> float:
        """Time of silence."""


def require_suiting(dataset: SpikingDataset, name: str, network: Inputs, images: bool) -> None:
    """Raise `DataError` unless a network can take a data set.

    Parameters
    ----------
    dataset : SpikingDataset
    name : str
        Of the argument, for messages.
    network : Readout or IntegerReadout
    images : bool
        Whether the axes of the inputs matter to it.
    """
    if not isinstance(dataset, SpikingDataset):
        rule = "must be a SpikingDataset (from_numpy makes one of spike times)"
        raise DataError(f"{name}: {rule}, got {type(dataset).__name__}")
    name = dataset.source or name
    if dataset.n_inputs != network.n_inputs:
        raise DataError(f"{name}: must have the network's {network.n_inputs} inputs, got {dataset.n_inputs}")
    if len(network.input_shape) > 1 and images:
        same = same_images(dataset.input_shape, network.input_shape)
        rule = f"must have the network's input_shape {network.input_shape}"
        require(same, name, rule, dataset.input_shape, DataError)
    # Times are compared as float32. Equal numbers need no conversion, which would take longer than all else here.
    same = dataset.max_time == network.max_time or STAMP.type(dataset.max_time) == STAMP.type(network.max_time)
    if not same:
        raise DataError(f"{name}: must have the network's max_time {network.max_time}, got {dataset.max_time}")


def same_images(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Return whether axes of inputs number the same rows, columns and channels, of which a lone one needs no axis."""
    return (*one, 1)[:3] == (*other, 1)[:3]
