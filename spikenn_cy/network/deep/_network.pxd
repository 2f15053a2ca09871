"""A network of layers that learn event by event."""
from spikenn_cy.kernels.events cimport Group
from spikenn_cy.kernels.spikes cimport Spikes
from spikenn_cy.layers._base cimport EventLayer, Events
from spikenn_cy.layers._dense cimport DenseEvents
from spikenn_cy.types cimport index_t, stamp_t


cdef class EventNetwork:
    cdef readonly tuple layers
    cdef EventLayer first
    cdef DenseEvents output
    cdef stamp_t max_time
    cdef bint to_end                 # whether a sample goes on after the first output spike
    # Of the present sample:
    cdef Events inputs               # that have spiked by the decision
    cdef stamp_t decided_at          # max_time: no output neuron fired

    cdef void run(self, const Spikes *spikes) noexcept nogil
    cdef bint advance(self, const Group *group, stamp_t now, bint is_first) noexcept nogil
    cdef index_t winner(self) noexcept nogil
    cdef void begin(self, EventLayer layer) noexcept nogil
