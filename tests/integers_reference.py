"""Plain NumPy that quantises and decides in whole numbers, to compare the compiled kernels and the C with.

Written to be read: no sum is cut short, and nothing is shared with the package.
"""

import numpy as np


def levels_of(times, max_time, time_bits):
    """Return the level of each spike time."""
    share = times.astype(np.float64) / np.float64(np.float32(max_time))
    return np.minimum(np.floor(share * 2**time_bits), 2**time_bits - 1).astype(int)


def positions_of(layer, unit):
    """Return the entry of the field and the position of each pair that an input of a convolution charges."""
    size, padding = layer.conv.kernel_size, layer.conv.padding
    rows, columns, channels = layer.image
    y, x, c = unit // channels // columns, unit // channels % columns, unit % channels
    for dy in range(size):
        for dx in range(size):
            row, column = y + padding - dy, x + padding - dx
            if 0 <= row < rows + 2 * padding - size + 1 and 0 <= column < columns + 2 * padding - size + 1:
                yield (dy, dx, c), (row, column)


class Neurons:
    """The potentials of one layer during one sample, as Python's own whole numbers, which have no end."""

    def __init__(self, layer):
        self.layer = layer
        self.fired = set()
        self.n_taken = self.n_added = 0
        if layer.conv is None:
            self.potentials = np.zeros(layer.n_neurons, object)
        else:
            self.potentials = np.zeros((*layer.conv.positions(layer.image), len(layer.weights)), object)
        self.weights = layer.weights.astype(object)

    def take(self, units):
        """Charge the spikes of a group; return the units that fire, in order."""
        self.n_taken += len(units)
        for unit in units:
            if self.layer.conv is None:
                self.potentials += self.weights[:, unit]
                self.n_added += len(self.weights)
                continue
            rows, columns = (length * self.layer.conv.pool for length in self.layer.output_shape[:2])
            for (dy, dx, c), place in positions_of(self.layer, unit):
                self.potentials[place] += self.weights[:, dy, dx, c]
                if place[0] < rows and place[1] < columns:  # else it is in no pool
                    self.n_added += len(self.weights)
        new = [unit for unit in np.flatnonzero(self.above()) if unit not in self.fired]
        self.fired |= set(new)
        return new

    def above(self):
        """Return which units have a potential above the threshold."""
        above = self.potentials > self.layer.thresholds
        if self.layer.conv is None:
            return above
        pool = self.layer.conv.pool
        rows, columns, n_filters = self.layer.output_shape
        whole = above[: rows * pool, : columns * pool].reshape(rows, pool, columns, pool, n_filters)
        return whole.any(axis=(1, 3)).ravel()


def decided(model, inputs, levels):
    """Return the class number, the level, the number of output neurons that fire then, and counts, of one sample.

    Counts are spikes that each layer took in, and weights that it added.
    """
    layers = [Neurons(layer) for layer in model.layers]
    per_class = model.layers[-1].n_neurons // len(model.classes)
    for level in np.unique(levels):
        units = inputs[levels == level]
        for layer in layers:
            units = layer.take(units)
            if len(units) == 0:
                break
        else:
            best = max(units, key=lambda unit: (layers[-1].potentials[unit], -unit))
            return best // per_class, level, len(units), *counts_of(layers)
    best = int(np.argmax(layers[-1].potentials.astype(np.int64)))
    return best // per_class, 2**model.time_bits, 0, *counts_of(layers)


def counts_of(layers):
    """Return the spikes that layers took in, and the weights that they added."""
    return [layer.n_taken for layer in layers], [layer.n_added for layer in layers]


def decisions(model, data):
    """Return numbers, levels, firing output neurons and counts of all samples, as arrays."""
    found = [decided(model, inputs, levels_of(times, model.max_time, model.time_bits)) for inputs, times, *_ in data]
    return tuple(np.array(column) for column in zip(*found, strict=True))


def in_units(weights, exponent, bits):
    """Return weights as the nearest whole numbers of so many bits."""
    units = np.rint(weights.astype(np.float64) / 2.0**exponent)
    return np.clip(units, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def error_of(weights, exponent, bits):
    """Return the sum of fourth powers of the differences of weights and what becomes of them."""
    return np.sum((in_units(weights, exponent, bits) * 2.0**exponent - weights.astype(np.float64)) ** 4)
