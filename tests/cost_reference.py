"""What a decision costs in plain NumPy, one addition after the other, without which counts could not be doubted.

Written to be read beside ``docs/cost.md``. A *tally* is what one sample takes: each count is a pair, until the decision
and in the whole sample.
"""

from dataclasses import dataclass
from dataclasses import field

import numpy as np
import reference
from network_reference import Convolution
from network_reference import decided
from reference import REAL


@dataclass
class Tally:
    """Of one sample; ``way`` is "spike", "tie" or "potential"."""

    predicted: int
    time: np.float32
    way: str
    inputs: list
    spikes: list
    additions: list = field(default_factory=list)


def way_of(classes_that_fire):
    """By what the class is decided, given the classes that have an output spike in the group of the decision."""
    if not len(classes_that_fire):
        return "potential"
    return "spike" if len(set(classes_that_fire)) == 1 else "tie"


def tallies_of_layers(network, samples):
    """Tallies of a network of which the last layer learns, `reference.Network`: layer by layer, then by the clock."""
    found, n_per_class = [], len(network.last.weights) // (network.classes.max() + 1)
    for indices, times, _ in samples:
        trains = [(indices, times)]  # of spikes that reach each layer, and those of the output at last
        for layer in network.layers:
            spikes, potentials = reference.forward(
                layer.weights, layer.thresholds, *trains[-1], network.max_time, layer.kept
            )
            trains.append(reference.sample_of(spikes, network.max_time))
        end = spikes.min()
        fire = np.flatnonzero((spikes == end) & (end < REAL(network.max_time)))
        winner = reference.first(np.arange(len(spikes)), spikes, potentials)
        counts = [[sum(1 for t in train if t <= end), len(train)] for _, train in trains]
        tally = Tally(winner // n_per_class, end, way_of(fire // n_per_class), counts[0], counts[1:])
        for (_, train), layer in zip(trains[:-1], network.layers, strict=True):
            tally.additions.append([0, 0])
            for time in train:
                for _neuron in range(len(layer.weights)):
                    tally.additions[-1][0] += time <= end
                    tally.additions[-1][1] += 1
        found.append(tally)
    return found


def reached(layer, i):
    """How many potentials a spike of an input is added to; a convolution has no use for positions that it cuts off."""
    if not isinstance(layer, Convolution):
        return layer.potentials.size
    positions, _ = layer.field(i)
    in_a_unit = np.zeros(layer.shape, int)
    in_a_unit[: layer.unit_shape[0] * layer.pool, : layer.unit_shape[1] * layer.pool] = 1
    return int(in_a_unit[positions].sum())


def tallies_of_network(network, samples):
    """Tallies of a network that learns in every layer, `network_reference.Network`: group by group, to the end."""
    return [_tally(network, indices, times) for indices, times, _ in samples]


def _tally(network, indices, times):
    layers, n_per_class = network.layers, network.output.n_units // network.n_classes
    for layer, share in zip(layers, [1.0, *(1 - layer.dropout for layer in layers[:-1])], strict=True):
        layer.begin(network.max_time, None, share)
    inputs, spikes, additions = 0, [0] * len(layers), [0] * len(layers)
    tally = None
    for now in np.unique(times):
        arriving = indices[times == now]
        inputs += len(arriving)
        for position, layer in enumerate(layers):
            additions[position] += sum(reached(layer, i) for i in arriving)
            arriving = layer.advance(arriving, now)
            spikes[position] += len(arriving)
        if tally is None and len(arriving):
            predicted = decided(network.output.potentials, arriving, n_per_class)
            tally = Tally(predicted, now, way_of(arriving // n_per_class), inputs, list(spikes), list(additions))
    if tally is None:
        predicted = decided(network.output.potentials, [], n_per_class)
        tally = Tally(predicted, REAL(network.max_time), "potential", inputs, list(spikes), list(additions))
    tally.inputs = [tally.inputs, inputs]
    tally.spikes = list(map(list, zip(tally.spikes, spikes, strict=True)))
    tally.additions = list(map(list, zip(tally.additions, additions, strict=True)))
    return tally
