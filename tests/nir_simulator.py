"""A simulator of NIR graphs, step by step: what any software that reads one would do, with nothing of this library.

Of the metadata it looks at nothing. Its neurons follow the equations in the docstrings of ``nir``, whose exact
solution over a step without input is a decay (LIF) or nothing (IF); an input spike is an impulse of area 1 at the end
of the step. Neurons are reset when they spike and may spike again.
"""

from typing import NamedTuple

import nir
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


class Trace(NamedTuple):
    """What the output neurons did, arrays of shape (n_neurons,)."""

    steps: np.ndarray  # of the first spike; -1 for a silent neuron
    potentials: np.ndarray  # at the first spike, before the reset; of a silent neuron, at the end
    n_spikes: dict  # of each node of neurons, by its name
    margin: float  # the least distance of any potential to its threshold, after an input spike


def chain(graph):
    """Return the nodes of a graph without branches from its input to its output, as ``(name, node)``."""
    after = dict(graph.edges)
    assert len(after) == len(graph.edges)
    (name,) = graph.inputs
    names = [name]
    while name in after:
        name = after[name]
        names.append(name)
    assert set(names) == set(graph.nodes)
    return [(name, graph.nodes[name]) for name in names]


def simulate(graph, spikes, dt):
    """Return the `Trace` of one sample.

    Parameters
    ----------
    graph : nir.NIRGraph
    spikes : ndarray of bool, shape (n_steps, n_inputs) or (n_steps, channels, rows, columns)
    dt : float
        Length of a step, in the graph's unit of time.
    """
    nodes = chain(graph)
    neurons = {name: node for name, node in nodes if isinstance(node, nir.IF | nir.LIF)}
    voltage = {name: np.zeros(node.r.shape) for name, node in neurons.items()}
    n_spikes = {name: np.zeros(node.r.shape, int) for name, node in neurons.items()}
    last = list(neurons)[-1]
    steps, potentials, margin = np.full(len(voltage[last]), -1), np.zeros(len(voltage[last])), np.inf
    for step, signal in enumerate(spikes.astype(float)):
        for name, node in nodes:
            if isinstance(node, nir.Linear):
                signal = node.weight.astype(float) @ signal  # noqa: PLW2901
            elif isinstance(node, nir.Conv2d):
                signal = convolved(node, signal)  # noqa: PLW2901
            elif isinstance(node, nir.SumPool2d):
                signal = summed(node, signal)  # noqa: PLW2901
            elif isinstance(node, nir.Flatten):
                assert (node.start_dim, node.end_dim) == (0, -1)
                signal = signal.ravel()  # noqa: PLW2901
            elif name in neurons:
                v = voltage[name]
                if isinstance(node, nir.LIF):
                    tau = node.tau.astype(float)
                    v[:] = node.v_leak + (v - node.v_leak) * np.exp(-dt / tau)
                    v += node.r / tau * signal
                else:
                    v += node.r * signal
                if signal.any():
                    margin = min(margin, np.abs(v - node.v_threshold).min())
                fires = v > node.v_threshold
                if name == last:
                    potentials = np.where(steps < 0, v, potentials)
                    steps[fires & (steps < 0)] = step
                v[fires] = node.v_reset[fires]
                n_spikes[name] += fires
                signal = fires.astype(float)  # noqa: PLW2901
    return Trace(steps, potentials, n_spikes, margin)


def convolved(node, signal):
    """Return what a convolution makes of a signal of shape (channels, rows, columns), as PyTorch defines it."""
    assert (tuple(node.stride), tuple(node.dilation), node.groups) == ((1, 1), (1, 1), 1)
    (rows, columns), weights = node.padding, node.weight.astype(float)
    windows = sliding_window_view(np.pad(signal, ((0, 0), (rows, rows), (columns, columns))), weights.shape[2:], (1, 2))
    return np.einsum("fcyx,chwyx->fhw", weights, windows) + node.bias[:, None, None]


def summed(node, signal):
    """Return the sums over windows side by side, without what is left over."""
    (height, width), (down, right) = map(tuple, (node.kernel_size, node.stride))
    assert (height, width) == (down, right)
    assert tuple(node.padding) == (0, 0)
    rows, columns = signal.shape[1] // height, signal.shape[2] // width
    whole = signal[:, : rows * height, : columns * width]
    return whole.reshape(len(signal), rows, height, columns, width).sum((2, 4))
