"""The integrate-and-fire neuron, the model of every published setting."""
import cython

from spikenn_cy.neurons._base cimport Neuron


@cython.final
cdef class IntegrateAndFire(Neuron):
    """Integrate and fire: the potential is the sum of the weights of the spikes so far, without a leak.

    Parameters
    ----------
    n_inputs : int
        Number of inputs of the layer.
    leak_tau : None
        There is no leak.
    """

    def __init__(self, Py_ssize_t n_inputs, leak_tau=None):
        if leak_tau is not None:
            raise ValueError(f"leak_tau: must be None for neurons that do not leak, got {leak_tau!r}")
