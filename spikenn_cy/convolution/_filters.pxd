"""Filters of a spiking convolution, laid out so that one input spike charges many of them at once."""
from libc.stdint cimport int16_t, int32_t

from spikenn_cy.kernels.convolution cimport Field, FilterStep
from spikenn_cy.types cimport index_t, real_t, stamp_t

cdef enum:
    NEVER = 0x7FFFFFFF       # rank of the spike of a filter that has none
    SILENT = 1               # time of an input or a feature that does not spike


cdef class Filters:
    cdef readonly Py_ssize_t kernel_rows, kernel_columns, n_channels, n_filters, n_weights
    cdef Py_ssize_t n_blocks
    cdef index_t[::1] first_of         # first filter of each block; (n_blocks + 1,)
    cdef real_t[::1] blocks            # (n_weights, width) each, one after the other
    cdef real_t[::1] limits            # threshold of each filter
    cdef index_t[::1] unseen           # spikes that cannot make a filter of a block fire, whichever they are
    cdef real_t[::1] moving            # weights of the filter that learns

    cdef void fire(self, Py_ssize_t block, const Field *field, const real_t *limits, bint until_first,
                   int32_t *first) noexcept nogil
    cdef void step(self, Py_ssize_t filter, const stamp_t *times, const FilterStep *step) noexcept nogil


cdef class QuantisedFilters:
    cdef index_t[::1] first_of         # first filter of each block; (n_blocks + 1,)
    cdef int16_t[::1] rows             # of the blocks, one after the other
    cdef int16_t[:, ::1] bounds        # of sums: `silent_to` and `fired_above` of a QuantisedBlock
    cdef real_t[:, ::1] columns        # exact weights, filter by filter
    cdef real_t[::1] thresholds
    cdef Py_ssize_t n_weights
    cdef Py_ssize_t unseen             # spikes that cannot make any filter fire, whichever they are

    cdef void fire(self, Py_ssize_t block, const Field *field, int16_t *first) noexcept nogil
