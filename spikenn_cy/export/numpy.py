"""Networks as plain arrays, for who has nothing but NumPy."""

import io
from typing import Any

import numpy as np

from spikenn_cy.export.description import CONVOLUTION
from spikenn_cy.export.description import EXPORT_FORMAT
from spikenn_cy.export.description import INPUT
from spikenn_cy.export.description import READ_OUT
from spikenn_cy.export.description import TIME
from spikenn_cy.export.description import class_of_neuron
from spikenn_cy.export.description import images_of
from spikenn_cy.export.description import is_convolution
from spikenn_cy.export.description import time_constant
from spikenn_cy.layers.face import NetworkLayer
from spikenn_cy.network.deciding_arrays import deciding_weights
from spikenn_cy.network.deciding_arrays import require_waiting
from spikenn_cy.network.readout import Readout


def to_arrays(model: Readout) -> dict[str, np.ndarray]:
    """Return a network as plain arrays, which decide as `Readout.predict` does.

    Returns
    -------
    dict
        For each layer ``k`` from 0: ``weights_k``, float32 of shape (n_neurons, n_inputs),
        and ``thresholds_k``, float32 of shape (n_neurons,). ``leak_tau``, float64 of shape
        (n_layers,), infinite for a layer that does not leak. ``max_time``, float64.
        ``class_of_neuron``, int32 of shape (n_neurons,) for the last layer. ``classes``,
        the original label of each class. ``format``, ``time``, ``input`` and ``read_out``,
        text. If layer 0 is a convolution, its weights are of shape (n_filters, kernel_size,
        kernel_size, channels), its thresholds of shape (n_filters,), and there are
        ``input_shape`` (rows, columns, channels), ``padding`` and ``pool``, whole numbers, and
        ``convolution``, text.

    Raises
    ------
    DataError
        If the threshold of an output on hidden layers is below 0 in a network that learns in
        every layer: its neurons spike with the first input, whatever reaches them.
    """
    arrays: dict[str, Any] = {"format": EXPORT_FORMAT, "time": TIME, "input": INPUT, "read_out": READ_OUT}
    for number, layer in enumerate(model.layers):
        if number > 0 and isinstance(layer, NetworkLayer):
            require_waiting(model, number)
        arrays |= {
            f"weights_{number}": deciding_weights(model, number, "exported"),
            f"thresholds_{number}": layer.thresholds,
        }
    if is_convolution(model):
        settings = model.layers[0].config
        arrays |= {"input_shape": images_of(model), "padding": settings.padding, "pool": settings.pool}
        arrays["convolution"] = CONVOLUTION
    arrays["leak_tau"] = [time_constant(model, number) for number in range(len(model.layers))]
    arrays |= {"max_time": model.max_time, "class_of_neuron": class_of_neuron(model), "classes": model.classes}
    return {name: np.asarray(array) for name, array in arrays.items()}


def npz_bytes(model: Readout) -> bytes:
    """Return the content of a ``.npz`` file."""
    content = io.BytesIO()
    np.savez(content, **to_arrays(model))  # type: ignore[arg-type]  # any name could be `allow_pickle` to the stub
    return content.getvalue()
