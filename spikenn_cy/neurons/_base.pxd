"""What a neuron model must state: how its potential decays between two input spikes."""
from spikenn_cy.kernels.spikes cimport Spikes


cdef class Neuron:
    cdef void prepare(self, Spikes *spikes) noexcept nogil
