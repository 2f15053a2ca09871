"""Dropout masks that are computed where they are needed instead of being stored."""
from libc.stdint cimport uint64_t

from spikenn_cy.types cimport flag_t


ctypedef enum Stream:
    OUTPUT_NEURONS = 0
    INPUTS = 1
    SPIKES = 2
    AUGMENTATION = 3


cdef inline double uniform(uint64_t word) noexcept nogil:
    # 53 bits make a number of [0, 1), as NumPy's generators make theirs.
    return (word >> 11) * (1.0 / 9007199254740992.0)


cdef void c_draw_words(
    uint64_t key, uint64_t stream, uint64_t sample, uint64_t layer, uint64_t place, uint64_t *words
) noexcept nogil

cdef void c_draw_mask(
    uint64_t key, uint64_t stream, uint64_t sample, uint64_t layer, double rate, flag_t[::1] dropped
) noexcept nogil


cdef bint c_is_dropped(
    uint64_t key, uint64_t stream, uint64_t sample, uint64_t layer, double rate, uint64_t unit
) noexcept nogil
