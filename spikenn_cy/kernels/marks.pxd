"""What each input's spike is to a neuron that learns: causal, anti-causal, or not there.

Neurons that learn from one sample mostly fire close together. So the marks of one become those of the next by a few
spikes that change sides, and a step looks marks up instead of comparing times. On the way it is counted how many of
the causal inputs are members of each sample that is looked ahead at.
"""
from libc.stdint cimport int32_t, uint16_t
from libc.string cimport memset

from spikenn_cy.kernels.dense cimport AHEAD, ANTICAUSAL, CAUSAL, SILENT, dense
from spikenn_cy.kernels.spikes cimport Spikes
from spikenn_cy.types cimport flag_t, index_t, stamp_t

cdef enum:
    TAKE_BACK_ALL = 8          # marks are taken back all at once from one input in so many on
    MARKED_AT_ONCE = 8         # spikes, for one look at their times


ctypedef struct Marks:
    int32_t *of                # each input, in whole lines; SILENT between two samples
    Py_ssize_t n_places
    const Spikes *spikes
    const flag_t *dropped      # inputs that stay silent; NULL: none
    Py_ssize_t n_causal        # spikes that are marked as causal, the first ones
    Py_ssize_t n_told          # spikes that are marked as either
    const uint16_t *members    # each input's samples; NULL: nothing is counted
    uint16_t causal_in[AHEAD]  # how many causal inputs are members of each sample
    uint16_t told_in[AHEAD]    # how many causal and anti-causal ones, once the late ones are told


cdef inline void c_count(
    const Marks *marks, Py_ssize_t first, Py_ssize_t end, bint take, uint16_t *counts
) noexcept nogil:
    cdef Py_ssize_t k
    if marks.members is NULL or first == end:
        return
    if marks.dropped is NULL:
        dense().count_members(marks.members, marks.spikes.inputs + first, end - first, take, counts)
        return
    for k in range(first, end):
        if not marks.dropped[marks.spikes.inputs[k]]:
            dense().count_members(marks.members, marks.spikes.inputs + k, 1, take, counts)


cdef inline void c_hide(const Marks *marks, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
    cdef Py_ssize_t k
    if marks.dropped is not NULL:
        for k in range(first, end):
            if marks.dropped[marks.spikes.inputs[k]]:
                marks.of[marks.spikes.inputs[k]] = SILENT


cdef inline void c_mark_until(Marks *marks, stamp_t spike) noexcept nogil:
    # Makes them those of a neuron that fires then.
    cdef const index_t *inputs = marks.spikes.inputs
    cdef const stamp_t *times = marks.spikes.times
    cdef int32_t *of = marks.of
    cdef Py_ssize_t count = marks.spikes.count, before = marks.n_causal, k = before, i
    while k + MARKED_AT_ONCE <= count and times[k + MARKED_AT_ONCE - 1] <= spike:
        for i in range(MARKED_AT_ONCE):
            of[inputs[k + i]] = CAUSAL
        k += MARKED_AT_ONCE
    while k < count and times[k] <= spike:
        of[inputs[k]] = CAUSAL
        k += 1
    while k > 0 and times[k - 1] > spike:
        k -= 1
        of[inputs[k]] = ANTICAUSAL
    c_hide(marks, min(before, k), max(before, k))
    c_count(marks, min(before, k), max(before, k), k < before, marks.causal_in)
    marks.n_causal = k
    marks.n_told = max(marks.n_told, k)


cdef inline void c_mark_late(Marks *marks) noexcept nogil:
    # Tells all spikes that are not causal from silence.
    cdef Py_ssize_t k
    for k in range(marks.n_told, marks.spikes.count):
        marks.of[marks.spikes.inputs[k]] = ANTICAUSAL
    c_hide(marks, marks.n_told, marks.spikes.count)
    c_count(marks, 0, marks.spikes.count, False, marks.told_in)
    marks.n_told = marks.spikes.count


cdef inline void c_take_back(Marks *marks) noexcept nogil:
    cdef Py_ssize_t k
    if marks.n_told > marks.n_places // TAKE_BACK_ALL:
        memset(marks.of, SILENT, marks.n_places * sizeof(int32_t))
    else:
        for k in range(marks.n_told):
            marks.of[marks.spikes.inputs[k]] = SILENT
    if marks.members is not NULL:
        memset(marks.causal_in, 0, sizeof(marks.causal_in))
        memset(marks.told_in, 0, sizeof(marks.told_in))
    marks.n_causal = marks.n_told = 0
