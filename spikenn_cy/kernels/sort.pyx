from libc.string cimport memset

cdef enum:
    DIGIT_BITS = 11          # three digits hold any key, and their counters fit the L1 cache
    N_DIGITS = 3
    FEW = 40                 # below this many pairs, counting digits costs more than moving pairs


cdef pair_t *c_sort_pairs(
    pair_t *pairs,           # IN and OUT
    pair_t *scratch,         # OUT, of the same length
    Py_ssize_t n,
    int key_bits,
) noexcept nogil:
    """Sort by the lowest ``key_bits`` bits of the upper half; the result is in what is returned, one of the two."""
    cdef unsigned int counts[N_DIGITS][1 << DIGIT_BITS]
    cdef int digit_bits = (key_bits + N_DIGITS - 1) // N_DIGITS
    cdef unsigned int mask = (1u << digit_bits) - 1
    cdef unsigned int key, start, size
    cdef int digit, shift
    cdef Py_ssize_t k
    cdef pair_t pair
    if n < FEW:
        c_insertion_sort(pairs, n)
        return pairs
    for digit in range(N_DIGITS):
        memset(counts[digit], 0, (mask + 1) * sizeof(unsigned int))
    for k in range(n):
        key = <unsigned int>(pairs[k] >> 32)
        for digit in range(N_DIGITS):
            counts[digit][(key >> (digit * digit_bits)) & mask] += 1
    for digit in range(N_DIGITS):
        shift = 32 + digit * digit_bits
        if counts[digit][(pairs[0] >> shift) & mask] == n:
            continue         # all keys share this digit
        start = 0
        for key in range(mask + 1):
            size = counts[digit][key]
            counts[digit][key] = start
            start += size
        for k in range(n):
            pair = pairs[k]
            key = (pair >> shift) & mask
            scratch[counts[digit][key]] = pair
            counts[digit][key] += 1
        pairs, scratch = scratch, pairs
    return pairs
