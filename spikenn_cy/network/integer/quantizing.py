"""From a trained network to one in whole numbers, and what stands in the way of that."""

import math
from typing import TYPE_CHECKING

import numpy as np

from spikenn_cy.errors import DataError
from spikenn_cy.layers.conv import ConvConfig
from spikenn_cy.layers.face import NetworkLayer
from spikenn_cy.network.deciding_arrays import deciding_weights
from spikenn_cy.network.deciding_arrays import require_waiting
from spikenn_cy.network.integer.file import TIME_BITS
from spikenn_cy.network.integer.layer import BITS
from spikenn_cy.network.integer.layer import IntegerLayer
from spikenn_cy.network.integer.layer import quantised_layer
from spikenn_cy.network.integer.model import IntegerReadout
from spikenn_cy.utils.validation import whole_number

if TYPE_CHECKING:
    from spikenn_cy.network.readout import Readout


def quantised(model: "Readout", bits: int, time_bits: int) -> IntegerReadout:
    """Return a network in whole numbers; see `Readout.quantized`."""
    bits = whole_number(bits, "bits", BITS[0], BITS[-1])
    layers = tuple(_layer(model, position, bits) for position in range(len(model.layers)))
    finest = IntegerReadout(layers, bits, TIME_BITS[-1], model.max_time, model.classes, tuple(model.input_shape))
    return finest.with_time_bits(time_bits)


def _layer(model: "Readout", position: int, bits: int) -> IntegerLayer:
    layer = model.layers[position]
    _require_no_leak(model, position)
    shape = layer.input_shape if isinstance(layer, NetworkLayer) else (layer.n_inputs,)
    if isinstance(layer, NetworkLayer) and position > 0:
        require_waiting(model, position)
    conv = layer.config if isinstance(layer.config, ConvConfig) else None
    weights = deciding_weights(model, position, "quantised")
    for name, array in (("weights", weights), ("thresholds", layer.thresholds)):
        if not np.isfinite(array).all():
            rule = f"network[{position}]: {name} must be finite to be quantised; smaller rates may help"
            raise DataError(f"{rule}, got infinite or undefined ones")
    return quantised_layer(weights, layer.thresholds, bits, shape, conv)


def _require_no_leak(model: "Readout", position: int) -> None:
    """Raise `DataError` unless the potentials of a layer are sums."""
    neuron = model.layers[position].config.neuron_model
    try:
        leaks = neuron.time_constant() < math.inf
    except DataError:  # whatever it does, it is no sum
        leaks = True
    if leaks:
        rule = "must be integrate-and-fire neurons, whose potentials are sums, to be quantised"
        raise DataError(f"network[{position}].neuron: {rule}, got {neuron.__struct_config__.tag}")
