"""What an epoch of a network that learns in every layer did, sample by sample, and the weights that it left."""

import math
from collections.abc import Mapping

import numpy as np

from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.network.assembly import array_shapes
from spikenn_cy.network.deep._statistics import DeepStatistics
from spikenn_cy.network.readout import Readout
from spikenn_cy.storage.arrays import Wanted

MOST_WEIGHTS = 1 << 20  # of a layer whose weights are kept after every epoch: 4 MB
SAID = ("decision_times", "learned", "n_spikes")


def epoch_statistics(model: Readout, train: SpikingDataset, counted: DeepStatistics) -> dict[str, np.ndarray]:
    """Return the statistics of one epoch.

    Parameters
    ----------
    model : Readout
        As the epoch left it.
    train : SpikingDataset
        What it was trained on.
    counted : DeepStatistics
        Of that epoch.

    Returns
    -------
    dict of ndarray
        In the order of training, ``labels`` int32 (n_samples,), the class of each sample;
        ``votes`` int32 (n_samples,), the output neuron that decided it; ``decision_times``
        float32 (n_samples,), in the data's unit of time, that of silence without an output
        spike; ``learned`` uint8 (n_samples,), whether weights changed; ``n_spikes`` int32
        (n_samples, n_layers), of each layer until the decision. ``weights_0``, … float32,
        those of each layer of at most 1,048,576 weights after the epoch.
    """
    samples = {name: getattr(counted, name) for name in ("labels", "votes", *SAID)}
    return samples | {f"weights_{k}": model.layers[k].weights for k in _kept(model)}


def sentence(epoch: int, statistics: Mapping[str, np.ndarray]) -> str:
    """Return the decisions of an epoch in words."""
    time = round(float(statistics["decision_times"].mean(dtype=float)), 4)
    silent = round(float((statistics["n_spikes"][:, -1] == 0).mean()), 4)
    learned = round(float(statistics["learned"].mean()), 4)
    return f"Mean decision time on train set in epoch {epoch}: {time}, no output spike: {silent}, learned: {learned}"


def layout_of(model: Readout, n_samples: int) -> dict[str, Wanted]:
    """Return the arrays of one epoch, as `epoch_statistics` describes them."""
    return {
        "labels": Wanted((n_samples,), "i"),
        "votes": Wanted((n_samples,), "i"),
        "decision_times": Wanted((n_samples,)),
        "learned": Wanted((n_samples,), "u"),
        "n_spikes": Wanted((n_samples, len(model.layers)), "i"),
        **{f"weights_{k}": Wanted(model.layers[k].weights.shape) for k in _kept(model)},
    }


def _kept(model: Readout) -> list[int]:
    """Return the layers whose weights are kept, without copying any to see how many there are."""
    shapes = array_shapes(model.config, model.input_shape, model.n_classes)
    return [k for k, arrays in enumerate(shapes) if math.prod(arrays["weights"]) <= MOST_WEIGHTS]
