"""The one fast pass over a data set's spikes that lets every kernel after it trust them.

Times are compared by their bits, as 32-bit integers: for floats from 0 up the order is
the same, negative ones and NaN fall outside ``[0, end)``, and the loop needs no branch.
"""
from libc.stdint cimport INT32_MIN as MINUS_ZERO
from libc.stdint cimport int32_t, uint32_t
from libc.stdlib cimport calloc, free, malloc

from spikenn_cy.kernels.sort cimport c_sort_pairs, pair_t
from spikenn_cy.types cimport index_t, offset_t

cdef enum:
    TABLE_MAX = 1 << 22      # inputs; above, a table of them would cost more than sorting a sample

cdef enum Finding:
    CANONICAL
    TIES
    INPUT
    TIME
    ORDER
    REPEAT

NAMES = {CANONICAL: "canonical", TIES: "ties", INPUT: "input", TIME: "time", ORDER: "order", REPEAT: "repeat"}


cdef bint c_is_canonical(
    const index_t *inputs,   # IN
    const int32_t *times,    # IN
    Py_ssize_t n,            # > 0
    index_t n_inputs,
    int32_t end,
) noexcept nogil:
    """Tell whether (time, input) rises strictly and stays in bounds; nothing is said about repeated inputs."""
    cdef uint32_t last = n_inputs - 1
    cdef uint32_t outside = <uint32_t>inputs[0] | (last - <uint32_t>inputs[0])
    cdef int32_t disorder = (times[0] < 0) | (times[n - 1] >= end)
    cdef Py_ssize_t k
    for k in range(1, n):
        # The top bit of one of the two terms is set if the input is negative or too large.
        outside |= <uint32_t>inputs[k] | (last - <uint32_t>inputs[k])
        disorder |= (times[k] < times[k - 1]) | ((times[k] == times[k - 1]) & (inputs[k] <= inputs[k - 1]))
    return not (disorder or outside >> 31)


cdef Finding c_examine(
    const index_t *inputs,   # IN
    const int32_t *times,    # IN
    Py_ssize_t n,
    index_t n_inputs,
    int32_t end,
    Py_ssize_t *spike,       # OUT: where the finding is
) noexcept nogil:
    """Say why a sample is not canonical, by the first spike that breaks a rule if one does."""
    cdef Finding finding = CANONICAL
    cdef int32_t time, before = 0
    cdef Py_ssize_t k
    for k in range(n):
        spike[0] = k
        time = 0 if times[k] == MINUS_ZERO else times[k]
        if inputs[k] < 0 or inputs[k] >= n_inputs:
            return INPUT
        if time < 0 or time >= end:
            return TIME
        if time < before:
            return ORDER
        # The order inside a tie, or the sign of a zero, is nobody's mistake.
        if times[k] == MINUS_ZERO or (k > 0 and time == before and inputs[k] <= inputs[k - 1]):
            finding = TIES
        before = time
    return finding


cdef Py_ssize_t c_first_repeat(
    const index_t *inputs,   # IN
    Py_ssize_t n,
    int32_t *seen,           # IN and OUT, one entry an input
    int32_t sample,
) noexcept nogil:
    """Return the first spike of an input that had one before in this sample, or -1."""
    cdef int32_t tag = sample + 1
    cdef int32_t repeated = 0
    cdef Py_ssize_t k
    for k in range(n):
        repeated |= seen[inputs[k]] == tag
        seen[inputs[k]] = tag
    if not repeated:
        return -1
    for k in range(n):
        if seen[inputs[k]] == -tag:
            return k
        seen[inputs[k]] = -tag
    return -1


cdef Py_ssize_t c_first_repeat_of_many(
    const index_t *inputs,   # IN
    Py_ssize_t n,
    pair_t *pairs,           # OUT, 2 n entries
) noexcept nogil:
    """Do what ``c_first_repeat`` does, by sorting, with memory for the spikes instead of the inputs."""
    cdef pair_t *ordered
    cdef Py_ssize_t k
    cdef Py_ssize_t first = -1
    for k in range(n):
        pairs[k] = (<pair_t>inputs[k] << 32) | <uint32_t>k
    ordered = c_sort_pairs(pairs, pairs + n, n, 31)
    for k in range(1, n):
        if ordered[k] >> 32 == ordered[k - 1] >> 32 and (first < 0 or <uint32_t>ordered[k] < first):
            first = <uint32_t>ordered[k]
    return first


cdef Finding c_check(
    const offset_t[::1] indptr,
    const index_t *inputs,
    const int32_t *times,
    index_t n_inputs,
    int32_t end,
    int32_t *seen,           # or NULL, then by `pairs`
    pair_t *pairs,
    Py_ssize_t *sample,      # OUT
    Py_ssize_t *spike,       # OUT
) noexcept nogil:
    cdef Finding finding
    cdef Finding worst = CANONICAL
    cdef offset_t start
    cdef Py_ssize_t n, s
    for s in range(indptr.shape[0] - 1):
        start = indptr[s]
        n = indptr[s + 1] - start
        if n == 0:
            continue
        sample[0] = s
        if not c_is_canonical(inputs + start, times + start, n, n_inputs, end):
            finding = c_examine(inputs + start, times + start, n, n_inputs, end, spike)
            if finding > TIES:
                return finding
            worst = TIES
        if seen != NULL:
            spike[0] = c_first_repeat(inputs + start, n, seen, <int32_t>s)
        else:
            spike[0] = c_first_repeat_of_many(inputs + start, n, pairs)
        if spike[0] >= 0:
            return REPEAT
    return worst


def check_spikes(const offset_t[::1] indptr, const index_t[::1] indices, const int32_t[::1] times, index_t n_inputs,
                 int32_t end):
    """Find the first spike that breaks a rule of the CSR form.

    Parameters
    ----------
    indptr : ndarray of int64, shape (n_samples + 1,)
        From 0 to ``n_spikes``, never falling: checked before.
    indices : ndarray of int32, shape (n_spikes,)
    times : ndarray of int32, shape (n_spikes,)
        The bits of the float32 spike times.
    n_inputs : int
        At least 1.
    end : int
        The bits of the float32 end of time, above 0.

    Returns
    -------
    finding : str
        ``"canonical"``, or ``"ties"`` if equal times are not in index order (or a zero is
        negative), or the first broken rule: ``"input"`` out of range, ``"time"`` out of
        range, ``"order"`` not by time, ``"repeat"`` of an input.
    sample, spike : int
        Where the rule is broken; ``spike`` counts from the sample's first.
    """
    cdef Py_ssize_t sample = 0, spike = 0, longest = 0, s
    cdef int32_t *seen = NULL
    cdef pair_t *pairs = NULL
    cdef Finding finding
    if indices.shape[0] == 0:
        return NAMES[CANONICAL], 0, 0
    if n_inputs <= TABLE_MAX:
        seen = <int32_t *>calloc(n_inputs, sizeof(int32_t))
    else:
        for s in range(indptr.shape[0] - 1):
            longest = max(longest, indptr[s + 1] - indptr[s])
        pairs = <pair_t *>malloc(2 * longest * sizeof(pair_t))
    if seen == NULL and pairs == NULL:
        raise MemoryError
    with nogil:
        finding = c_check(indptr, &indices[0], &times[0], n_inputs, end, seen, pairs, &sample, &spike)
    free(seen)
    free(pairs)
    return NAMES[finding], sample, spike


def order_ties(const offset_t[::1] indptr, index_t[::1] indices, int32_t[::1] times):
    """Put spikes of equal time into the order of their inputs, in place; a negative zero becomes zero.

    Times must rise or stay within a sample. Arguments as in ``check_spikes``.
    """
    cdef Py_ssize_t longest = 0, s, k, first, size, j
    cdef pair_t *pairs
    cdef pair_t *ordered
    for s in range(indptr.shape[0] - 1):
        longest = max(longest, indptr[s + 1] - indptr[s])
    pairs = <pair_t *>malloc(2 * longest * sizeof(pair_t) + 1)
    if pairs == NULL:
        raise MemoryError
    with nogil:
        for s in range(indptr.shape[0] - 1):
            first = indptr[s]
            for k in range(indptr[s], indptr[s + 1]):
                if times[k] == MINUS_ZERO:
                    times[k] = 0
                if k + 1 < indptr[s + 1] and times[k] == (0 if times[k + 1] == MINUS_ZERO else times[k + 1]):
                    continue
                size = k + 1 - first
                if size > 1:
                    for j in range(size):
                        pairs[j] = <pair_t>indices[first + j] << 32
                    ordered = c_sort_pairs(pairs, pairs + size, size, 31)
                    for j in range(size):
                        indices[first + j] = <index_t>(ordered[j] >> 32)
                first = k + 1
    free(pairs)
