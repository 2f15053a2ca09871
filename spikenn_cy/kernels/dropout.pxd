"""Dropout masks that are computed where they are needed instead of being stored."""
from libc.stdint cimport uint64_t

from spikenn_cy.types cimport flag_t


ctypedef enum Stream:
    OUTPUT_NEURONS = 0
    INPUTS = 1


cdef void c_draw_mask(
    uint64_t key, uint64_t stream, uint64_t sample, uint64_t layer, double rate, flag_t[::1] dropped
) noexcept nogil
