"""Samples as a training sees them: images that are shifted and flipped, spike by spike."""
from libc.stdint cimport uint64_t

from spikenn_cy.kernels.spikes cimport Spikes
from spikenn_cy.types cimport index_t, stamp_t


cdef class Augmentation:
    cdef index_t rows, columns, channels
    cdef index_t shift
    cdef bint flip
    cdef index_t[::1] inputs
    cdef stamp_t[::1] times

    cdef void change(self, Spikes *spikes, uint64_t key, uint64_t sample) noexcept nogil
