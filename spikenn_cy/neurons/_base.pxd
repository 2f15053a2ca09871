"""What a neuron model must state: how its potential decays between two input spikes."""
from spikenn_cy.kernels.spikes cimport Spikes


cdef class Neuron:
    cdef readonly bint leaks             # whether potentials decay between two spikes

    cdef void prepare(self, Spikes *spikes) noexcept nogil
