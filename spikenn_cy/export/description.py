"""What every format must say of a network beside its numbers, without which nobody could read a class out of it."""

import numpy as np

from spikenn_cy.dtypes import INDEX
from spikenn_cy.errors import DataError
from spikenn_cy.network.model_file import EXPORTED
from spikenn_cy.network.readout import Readout

EXPORT_FORMAT = f"{EXPORTED}, version 1"
READ_OUT = (
    "Each input and each neuron spikes once at most. The class of a sample is that of the output neuron that spikes "
    "first (class_of_neuron). Of neurons that spike at the same time, and of all if none spikes, the one with the "
    "highest potential decides, at its spike or after the last input spike; of equal potentials, the first one."
)
TIME = (
    "Spike times, max_time and time constants have the same unit, that of the training data. A sample starts at 0, "
    "with all potentials 0, and ends at max_time; what has not spiked before is silent."
)
INPUT = (
    "The time of an input's spike carries its value; a silent input has none. A spike raises the potential of a neuron "
    "by the weight. Spikes of the same time are all added before a threshold is tested, and a neuron spikes when its "
    "potential is above its threshold, not equal to it. Its spike reaches the next layer at the same time."
)


CONVOLUTION = (
    "Layer 0 is a convolution: input (y * columns + x) * channels + c adds weights[f, y + padding - y', "
    "x + padding - x', c] to the neuron of filter f at (y', x'), if there are such weights. Of each pool x pool "
    "neurons of a filter the first spike is a unit's; rows and columns that are left over have none. Units are "
    "numbered by row, column and filter, the last one fastest."
)


def is_convolution(model: Readout) -> bool:
    """Return whether the first layer is a convolution."""
    return model.layers[0].weights.ndim == 4


def images_of(model: Readout) -> tuple[int, int, int]:
    """Return rows, columns and channels of the inputs of a convolution."""
    rows, columns, n_channels = (*model.input_shape, 1)[:3]
    return rows, columns, n_channels


def class_of_neuron(model: Readout) -> np.ndarray:
    """Return the class of each neuron of the last layer, int32."""
    n_neurons = model.layers[-1].n_neurons
    return np.arange(n_neurons, dtype=INDEX) // INDEX.type(n_neurons // model.n_classes)


def time_constant(model: Readout, number: int) -> float:
    """Return the time constant of a layer's leak, infinite without one, or say that its neurons are of another kind."""
    try:
        return model.layers[number].config.neuron_model.time_constant()
    except DataError as problem:
        raise DataError(f"network[{number}].{problem}") from None
