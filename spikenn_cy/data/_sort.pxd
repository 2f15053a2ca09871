"""A stable sort of small keys that carry a number each, which every list of spikes goes through once."""
from libc.stdint cimport uint64_t

ctypedef uint64_t pair_t     # key in the upper half, what it carries in the lower

cdef pair_t *c_sort_pairs(pair_t *pairs, pair_t *scratch, Py_ssize_t n, int key_bits) noexcept nogil
