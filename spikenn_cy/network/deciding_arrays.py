"""The arrays by which a network decides, for who carries it elsewhere: into whole numbers, or to other software."""

from typing import TYPE_CHECKING

import numpy as np

from spikenn_cy.dtypes import REAL
from spikenn_cy.errors import DataError
from spikenn_cy.layers.face import NetworkLayer

if TYPE_CHECKING:
    from spikenn_cy.network.readout import Readout


def deciding_weights(model: "Readout", number: int, purpose: str) -> np.ndarray:
    """Return the weights with which a layer decides: times the share of spikes that the one below kept in training.

    Parameters
    ----------
    model : Readout
    number : int
        Position of the layer.
    purpose : str
        What somebody wants them for, for a message.

    Raises
    ------
    DataError
        If there are none yet.
    """
    layer = model.layers[number]
    if not layer.assigned:
        rule = f"must have weights, which the first fit draws, to be {purpose}"
        raise DataError(f"network[{number}]: {rule}, got none yet")
    if number == 0 or not isinstance(layer, NetworkLayer):
        return layer.weights
    weights: np.ndarray = layer.weights * REAL.type(1 - model.layers[number - 1].config.dropout)
    return weights


def require_waiting(model: "Readout", number: int) -> None:
    """Raise `DataError` if a neuron of a layer spikes before anything charges it."""
    thresholds = model.layers[number].thresholds
    for neuron in np.flatnonzero(thresholds < 0)[:1]:
        place, found = f"thresholds[{neuron}] of network[{number}]", thresholds[neuron]
        raise DataError(f"{place}: must be >= 0 for a neuron to wait for its input, got {found}")
