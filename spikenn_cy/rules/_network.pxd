"""What a rule that trains every layer sees of the output layer, and what it answers: an error for each neuron."""
from spikenn_cy.kernels.layout cimport Layout
from spikenn_cy.layers._base cimport EventLayer
from spikenn_cy.layers._dense cimport DenseEvents
from spikenn_cy.types cimport index_t, real_t, stamp_t


cdef class NetworkRule:
    cdef Layout layout
    cdef double max_time
    cdef readonly bint runs_to_end         # whether a training sample goes on after the first output spike
    cdef real_t[::1] class_errors          # padded

    cdef void share(self, EventLayer above) noexcept nogil
    cdef bint judge(self, DenseEvents output, index_t label, stamp_t decided_at) noexcept nogil
