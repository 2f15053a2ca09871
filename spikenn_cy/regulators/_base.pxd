"""What a regulator may do to a layer's thresholds around each training sample."""
from spikenn_cy.kernels.answer cimport Answer, Layout
from spikenn_cy.types cimport index_t, real_t


cdef class Regulator:
    cdef Layout layout
    cdef readonly bint to_first_target   # the sample's class must run to its first target neuron's spike
    cdef void before_forward(self, index_t label, real_t[::1] thresholds) noexcept nogil
    cdef void after_forward(self, const Answer *answer, real_t[::1] thresholds) noexcept nogil
    cdef real_t training_threshold(self, index_t neuron, const real_t[::1] thresholds) noexcept nogil
