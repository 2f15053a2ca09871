"""What a regulator may do to a layer's training thresholds around each training sample."""
from spikenn_cy.kernels.layout cimport LayerOutput, Layout
from spikenn_cy.types cimport index_t, real_t


cdef class Regulator:
    cdef Layout layout
    cdef readonly bint to_first_target   # the sample's class must run to its first target neuron's spike
    cdef real_t[::1] thresholds          # that training samples meet, but for what `before_forward` changes

    cdef const real_t *before_forward(self, index_t label) noexcept nogil

    cdef void after_forward(self, const LayerOutput *output) noexcept nogil

    cdef real_t training_threshold(self, index_t neuron) noexcept nogil
