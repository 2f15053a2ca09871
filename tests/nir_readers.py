"""What a step of each simulator in ``GRAPH_READERS`` does with a graph of one layer, in NumPy, as its source says.

None of it knows the library or looks at metadata. What a simulator would read as something else is an assertion.
"""

import nir
import numpy as np

ONE = np.float32(1)


def snntorch(node, v, current):
    """Leaky neurons of steps of 0.0001; IF neurons would leak, too."""
    assert isinstance(node, nir.LIF)
    assert len(np.unique(node.v_threshold)) == 1
    assert (node.v_leak == 0).all()
    scale = node.r * np.float32(1e-4) / node.tau
    assert np.allclose(scale, 1)
    v = (ONE - np.float32(1e-4) / node.tau) * v + current
    spikes = v > node.v_threshold
    return spikes, np.where(spikes, 0, v)


def norse(node, v, current):
    """Neurons whose resistance is 1, in steps of 0.001."""
    assert (node.r == 1).all()
    is_leaky = isinstance(node, nir.LIF)
    v = v + (np.float32(1e-3) / node.tau * (current + node.v_leak - v) if is_leaky else current)
    spikes = v > node.v_threshold
    return spikes, np.where(spikes, 0, v)


def sinabs(node, v, current):
    """Leaky neurons whose time constants are in steps; IF neurons would have a lowest potential."""
    assert isinstance(node, nir.LIF)
    assert (node.v_leak == 0).all()
    v = np.exp(-ONE / node.tau) * v + current
    spikes = np.where(v > 0, np.trunc(v / node.v_threshold), 0)
    return spikes > 0, v - spikes * node.v_threshold


def spikingjelly(node, v, current):
    """Neurons of one kind a layer, in steps of 0.0001, that spike when they reach the threshold."""
    for values in (node.r, node.v_threshold, node.v_reset):
        assert len(np.unique(values)) == 1
    if isinstance(node, nir.LIF):
        tau = node.tau / np.float32(1e-4)
        assert (tau > 1).all()
        assert np.allclose(node.r, tau, rtol=1e-6)
        assert (node.v_leak == node.v_reset).all()
        v = v - v / tau + current
    else:
        assert np.allclose(node.r, 1e4, rtol=1e-6)
        v = v + current
    spikes = v >= node.v_threshold
    return spikes, np.where(spikes, node.v_reset, v)


STEPS = {"snntorch": snntorch, "norse": norse, "sinabs": sinabs, "spikingjelly": spikingjelly}
WITHOUT_LINEAR = ("norse", "sinabs")  # the first draws weights of its own, the second knows no such node


def first_spikes(graph, reader, spikes):
    """Return the step of each neuron's first spike, -1 for none, of samples of shape (n_samples, n_steps, n_inputs)."""
    synapses, neurons = graph.nodes["weights_0"], graph.nodes["neurons_0"]
    assert isinstance(synapses, nir.Affine) == (reader in WITHOUT_LINEAR)
    v = np.zeros((len(spikes), len(synapses.weight)), np.float32)
    first = np.full(v.shape, -1)
    for step in range(spikes.shape[1]):
        current = spikes[:, step].astype(np.float32) @ synapses.weight.T + getattr(synapses, "bias", 0)
        fired, v = STEPS[reader](neurons, v, current)
        first[fired & (first < 0)] = step
    return first
