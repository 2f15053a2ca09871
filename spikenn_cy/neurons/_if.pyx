"""The integrate-and-fire neuron, the model of every published setting."""
import cython

from spikenn_cy.neurons._base cimport Neuron


@cython.final
cdef class IntegrateAndFire(Neuron):
    """Integrate and fire: the potential is the sum of the weights of the spikes so far, without a leak."""
