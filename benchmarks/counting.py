"""How much work a case is, counted spike by spike, which is what a roofline divides by the machine's rates.

The counts are of what the rules ask for and no kernel can leave out: how many spikes each neuron must be charged with
until its part in the decision is known, and which rows learn. Slow and plain; one sample at a time is trained between.
"""

import copy
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

REAL = np.float32


def fired_after(weights: np.ndarray, thresholds: np.ndarray, inputs: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Return after how many spikes each neuron fires, all of them if it stays silent.

    Spikes of one time are integrated together, and a potential is summed in the order of the spikes, in float32.

    Parameters
    ----------
    weights : ndarray of float32, shape (n_neurons, n_inputs)
    thresholds : ndarray of float32, shape (n_neurons,)
    inputs : ndarray of int, shape (n_spikes,)
    times : ndarray of float32, shape (n_spikes,)
        Rising or equal.

    Returns
    -------
    counts : ndarray of int, shape (n_neurons,)
    """
    n_spikes = len(inputs)
    if n_spikes == 0:
        return np.zeros(len(weights), int)
    ends = np.append(np.flatnonzero(times[1:] != times[:-1]), n_spikes - 1)
    potentials = np.cumsum(weights.T[inputs], axis=0, dtype=REAL)[ends]
    over = potentials > thresholds
    return np.where(over.any(axis=0), ends[over.argmax(axis=0)] + 1, n_spikes)


def needed(
    fired: np.ndarray, scope: str, n_classes: int, own_class: int | None = None, n_non_target: int = 0
) -> np.ndarray:
    """Return how many spikes each neuron must be charged with, given after how many it would fire.

    Parameters
    ----------
    fired : ndarray of int, shape (n_neurons,)
    scope : {"layer", "class", "all"}
        What ends together at its first spike; with "all" each neuron ends at its own.
    n_classes : int
    own_class : int, optional
        Class that goes on to the first spike of its target neurons, since a regulator moves their thresholds.
    n_non_target : int
        Neurons of a class before its first target neuron.
    """
    if scope == "all":
        return fired
    of_class = fired.reshape(n_classes, -1)
    stop = np.full(n_classes, fired.min()) if scope == "layer" else of_class.min(axis=1)
    if own_class is not None:
        stop[own_class] = of_class[own_class, n_non_target:].min()
    return np.minimum(of_class, stop[:, None]).ravel()


@dataclass
class Counts:
    """The work of some samples, one entry a sample.

    Attributes
    ----------
    n_spikes : list of int
        Input spikes.
    loads : list of int
        Weights that charge a potential; as many additions.
    longest : list of int
        Spikes of the neuron that is charged longest: additions that wait for each other.
    rows : list of ndarray of int
        Neurons that moved.
    """

    n_spikes: list[int]
    loads: list[int]
    longest: list[int]
    rows: list[np.ndarray]

    @property
    def mean_rows(self) -> float:
        """Rows that learned, a sample."""
        return float(np.mean([len(rows) for rows in self.rows]))


class Layer:
    """What of a network's settings decides how far its forward pass goes."""

    def __init__(self, model: Any) -> None:
        config = model.config.to_dict()
        trainer, regularizer = config["trainer"], config["regularizer"]
        if len(model.layers) != 1 or model.layers[0].config.neuron_model.time_constant() != math.inf:
            raise ValueError("counting: must be a network of one layer of neurons that do not leak")
        self.model = model
        self.n_classes = model.n_classes
        self.n_non_target = trainer["nt_neurons"]
        self.dropout = trainer["dropout_out"]
        self.regulated = model._trainer.regulator.to_first_target
        self.two_thresholds = regularizer is not None and regularizer["use_two_thr"]
        self.scope = model._trainer.rule.stops_at

    def thresholds(self, label: int) -> np.ndarray:
        """Return the thresholds of the forward pass of the next training sample."""
        inference = self.model.layers[0].thresholds.copy()
        adaptive = self.model.training_thresholds
        if self.regulated and not self.two_thresholds:
            inference = adaptive.copy()
        elif self.regulated:
            size = len(inference) // self.n_classes
            targets = slice(label * size + self.n_non_target, (label + 1) * size)
            inference[targets] = adaptive[targets]
        if self.dropout:
            inference[self.dropped().astype(bool)] = np.inf
        return inference

    def dropped(self) -> np.ndarray:
        """Return the dropout mask of the first sample of the next call of `partial_fit`."""
        from spikenn_cy.kernels.dropout import draw_mask

        generator = copy.deepcopy(self.model._trainer.generator)
        key = int(generator.integers(0, 2**64, dtype=np.uint64))
        return draw_mask(key, 0, 0, 0, self.dropout, self.model.layers[0].n_neurons)


def count_training(model: Any, dataset: Any, n_samples: int) -> Counts:
    """Train on the first samples, one after the other, and count what each asked for.

    Parameters
    ----------
    model : Readout
        Of one layer; it learns.
    dataset : SpikingDataset
    n_samples : int
    """
    layer = Layer(model)
    counts = Counts([], [], [], [])
    before = model.layers[0].weights
    for number in range(min(n_samples, len(dataset))):
        inputs, times, label = dataset[number]
        thresholds = layer.thresholds(label)
        fired = fired_after(before, thresholds, inputs, times)
        # A dropped neuron is never charged, and ends nothing.
        live = np.isfinite(thresholds)
        own = label if layer.regulated else None
        reach = needed(fired, layer.scope, layer.n_classes, own, layer.n_non_target) * live
        model.partial_fit(dataset[number : number + 1])
        after = model.layers[0].weights
        counts.n_spikes.append(len(inputs))
        counts.loads.append(int(reach.sum()))
        counts.longest.append(int(reach.max()))
        counts.rows.append(np.flatnonzero((before != after).any(axis=1)))
        before = after
    return counts


def count_inference(model: Any, dataset: Any, n_samples: int) -> Counts:
    """Count what `predict` asks for on the first samples: all neurons up to the layer's first spike."""
    layer = Layer(model)
    weights, thresholds = model.layers[0].weights, model.layers[0].thresholds
    counts = Counts([], [], [], [])
    for number in range(min(n_samples, len(dataset))):
        inputs, times, _ = dataset[number]
        reach = needed(fired_after(weights, thresholds, inputs, times), "layer", layer.n_classes)
        counts.n_spikes.append(len(inputs))
        counts.loads.append(int(reach.sum()))
        counts.longest.append(int(reach.max()))
        counts.rows.append(np.empty(0, int))
    return counts
