"""A stable sort of small keys that carry a number each, which every list of spikes goes through once."""
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcpy

from spikenn_cy.types cimport stamp_t

ctypedef uint64_t pair_t     # key in the upper half, what it carries in the lower


cdef inline pair_t c_spike_pair(stamp_t time, Py_ssize_t i) noexcept nogil:
    """Return a spike as a pair that carries its input; bits of times >= 0 are in the order of the times."""
    cdef uint32_t bits
    memcpy(&bits, &time, sizeof(bits))
    return (<pair_t>bits << 32) | <pair_t>i


cdef pair_t *c_sort_pairs(pair_t *pairs, pair_t *scratch, Py_ssize_t n, int key_bits) noexcept nogil


cdef inline void c_insertion_sort(pair_t *pairs, Py_ssize_t n) noexcept nogil:
    """Sort few pairs by the upper half; for callers that know that theirs are few, or nearly sorted."""
    cdef Py_ssize_t k, place
    cdef pair_t pair
    for k in range(1, n):
        pair = pairs[k]
        place = k
        while place > 0 and pairs[place - 1] >> 32 > pair >> 32:
            pairs[place] = pairs[place - 1]
            place -= 1
        pairs[place] = pair
