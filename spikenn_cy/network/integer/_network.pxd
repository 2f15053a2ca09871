"""A network in whole numbers: its layers, and the loop over one sample."""
from libc.stdint cimport int8_t, int32_t, int64_t

from spikenn_cy.kernels.spikes cimport Spikes
from spikenn_cy.types cimport index_t


ctypedef struct Group:                 # units that spike at one level
    const index_t *units
    Py_ssize_t count


cdef class IntegerKernel:
    cdef readonly index_t n_inputs
    cdef readonly index_t n_units      # that the layer above sees
    cdef IntegerKernel above
    cdef index_t[::1] fired            # in the present group, in order
    cdef Py_ssize_t n_fired
    cdef int64_t n_taken               # spikes from below, in the present sample
    cdef int64_t n_added               # weights that were added for them

    cdef void begin(self) noexcept nogil
    cdef void charge(self, const Group *group) noexcept nogil
    cdef void begin_all(self) noexcept nogil
    cdef bint take(self, const Group *group) noexcept nogil
    cdef void tell(self, int64_t *counts) noexcept nogil


cdef class DenseIntegers(IntegerKernel):
    cdef const int8_t[:, ::1] weights
    cdef const int32_t[::1] thresholds
    cdef int32_t[::1] potentials
    cdef int32_t[::1] limits           # thresholds, and of a neuron that has fired what no potential is above


cdef class IntegerNetwork:
    cdef readonly tuple layers
    cdef IntegerKernel first
    cdef DenseIntegers output
    cdef double max_time
    cdef index_t n_levels

    cdef index_t run(self, const Spikes *spikes) noexcept nogil
    cdef index_t winner(self) noexcept nogil
