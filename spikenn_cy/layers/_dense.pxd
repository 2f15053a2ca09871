"""A fully connected layer that learns event by event."""
from spikenn_cy.kernels.events cimport Units
from spikenn_cy.layers._base cimport EventLayer
from spikenn_cy.types cimport index_t, real_t, stamp_t


cdef class DenseEvents(EventLayer):
    cdef real_t[:, ::1] weights            # (n_inputs, n_padded)
    cdef real_t[::1] thresholds            # of each neuron; of padding 1
    cdef double window
    cdef Units units
    cdef real_t[::1] potentials
    cdef real_t[::1] limits                # thresholds of those that have not fired; else inf
    cdef real_t[::1] spike_potentials      # of those that have, at their spike
    cdef stamp_t[::1] spike_times          # and when that was
    cdef real_t[::1] errors
    cdef real_t[::1] steps                 # of each weight of a neuron, while an input is causal to it
    cdef index_t[::1] crossed
    cdef double leak_tau                   # time constant of the leak; inf: none
    cdef stamp_t charged_at                # the last time, in the present sample
    cdef bint charged

    cdef void decay(self, stamp_t now) noexcept nogil
    cdef stamp_t spike_time(self, index_t j, stamp_t silent) noexcept nogil
