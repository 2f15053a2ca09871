"""A network in a few lines: its layers, their weights and thresholds, and how many neurons samples leave silent."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from spikenn_cy.utils.tables import span

if TYPE_CHECKING:
    from spikenn_cy.data.dataset import SpikingDataset
    from spikenn_cy.network.readout import Readout

HEAD = ["layer", "type", "neurons", "weights", "mean ± std", "threshold"]
AT_ONCE = 1 << 22  # neurons times samples whose spikes are held at once


def caption_of(model: "Readout") -> str:
    """Return a line on the whole network."""
    rule = model.config.optimizer.__struct_config__.tag
    if not model.is_made:
        return f"{model.n_inputs} inputs, {model.n_classes} classes, {rule}: not made yet"
    sizes = " -> ".join(f"{n:,}" for n in (model.n_inputs, *(layer.n_neurons for layer in model.layers)))
    return f"{sizes} neurons, {model.n_classes} classes, {rule}, {model.n_epochs} epochs trained"


def rows_of(model: "Readout", dataset: "SpikingDataset | None" = None) -> list[list[str]]:
    """Return a head and a row for each layer, with the number of neurons that a data set leaves silent."""
    if not model.is_made:
        return [[*HEAD, "silent"]] if dataset is not None else [HEAD]
    rows = [HEAD if dataset is None else [*HEAD, "silent"]]
    for position, layer in enumerate(model.layers):
        weights = layer.weights
        figures = f"{weights.mean():.3g} ± {weights.std():.2g}" if layer.assigned else "not drawn yet"
        tag = str(layer.config.__struct_config__.tag)
        row = [str(position), tag, f"{layer.n_neurons:,}", f"{weights.size:,}", figures, span(layer.thresholds)]
        if dataset is not None:
            row.append(f"{np.count_nonzero(~_fire(model, dataset, position)):,}")
        rows.append(row)
    return rows


def _fire(model: "Readout", dataset: "SpikingDataset", position: int) -> npt.NDArray[np.bool_]:
    """Return of each neuron whether any sample makes it fire."""
    n_neurons = model.layers[position].n_neurons
    fires, size = np.zeros(n_neurons, bool), max(1, AT_ONCE // n_neurons)
    for start in range(0, len(dataset), size):
        times, _ = model.first_spikes(dataset[start : start + size], layer=position)
        fires |= (times < dataset.max_time).any(axis=0)
    return fires
