"""Samples on their way through a loop, as kernels read them."""
from libc.stdint cimport uint64_t

from spikenn_cy.kernels.shares cimport Shares
from spikenn_cy.kernels.spikes cimport Spikes
from spikenn_cy.types cimport index_t, offset_t, real_t, stamp_t


cdef class SharedSamples:
    cdef Shares shares


cdef class SampleBatch:
    cdef readonly Py_ssize_t n_samples
    cdef readonly uint64_t key           # of the dropout's stream
    cdef const offset_t[::1] indptr
    cdef const index_t[::1] inputs
    cdef const stamp_t[::1] times
    cdef const index_t[::1] labels
    cdef const offset_t[::1] order       # position of each sample in these arrays
    cdef const offset_t[::1] numbers     # what it is called in the dropout's stream
    cdef const real_t[::1] weights       # of each sample in these arrays, if it is weighted
    cdef bint weighted
    cdef bint mapped                     # whether others can write to the spikes, or could when they were copied
    cdef bint changed                    # whether a sample was found that is none
    cdef object source
    cdef index_t n_inputs
    cdef index_t[::1] copied             # inputs of the present sample, if they are mapped
    cdef SharedSamples shared            # None: all samples are this batch's
    cdef Py_ssize_t at                   # the next sample that is this batch's
    cdef Py_ssize_t end                  # and the first one after it that is not

    cdef bint next(self, Py_ssize_t *i, Spikes *spikes) noexcept nogil
    cdef void sample(self, Py_ssize_t i, Spikes *spikes) noexcept nogil
    cdef void copy_inputs(self, Spikes *spikes) noexcept nogil
    cdef int require_unchanged(self) except -1
