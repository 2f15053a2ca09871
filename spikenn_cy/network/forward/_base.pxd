"""How the first spikes of a layer are found: the interface that the loops over samples know."""
from libc.stdint cimport int16_t

from spikenn_cy.kernels.layout cimport LayerOutput, Layout, StopAt
from spikenn_cy.kernels.spikes cimport Spikes
from spikenn_cy.kernels.thread_pool cimport ThreadPool
from spikenn_cy.network._weights cimport LayerWeights
from spikenn_cy.types cimport index_t, real_t, stamp_t


cdef class Forward:
    cdef LayerWeights weights
    cdef Layout layout
    cdef stamp_t max_time
    cdef ThreadPool *pool                # of this call; NULL: one thread
    cdef long version                    # of the weights that this has followed
    # Of the present sample:
    cdef stamp_t[::1] times
    cdef real_t[::1] potentials
    cdef index_t[::1] winner_of

    cdef void begin(self, ThreadPool *pool) noexcept nogil

    cdef void run(
        self, const Spikes *spikes, const real_t *thresholds, const StopAt *stop, LayerOutput *output
    ) noexcept nogil

    cdef int16_t *whole_row(self, index_t neuron) noexcept nogil

    cdef void row_changed(self, index_t neuron, real_t scale) noexcept nogil

    cdef void end(self) noexcept nogil
