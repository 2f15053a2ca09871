"""What each input's spike is to a neuron that learns: causal, anti-causal, or not there.

Neurons that learn from one sample mostly fire close together, so only the input spikes between two of their spikes
change their label. An update then reads one label per input instead of comparing times.
"""
from libc.stdint cimport int32_t
from libc.string cimport memset

from spikenn_cy.kernels.dense cimport ANTICAUSAL, CAUSAL, SILENT
from spikenn_cy.kernels.spikes cimport Spikes
from spikenn_cy.types cimport flag_t, index_t, stamp_t

cdef enum:
    CLEAR_ALL = 8              # from one labelled input in so many on, all labels are cleared at once
    LABELLED_AT_ONCE = 8       # spikes, for one look at their times


ctypedef struct InputLabels:
    int32_t *of                # each input, in whole cache lines; SILENT between two samples
    Py_ssize_t n_padded
    const Spikes *spikes
    const flag_t *dropped      # inputs that stay silent; NULL: none
    Py_ssize_t n_causal        # spikes that are labelled causal, the first ones
    Py_ssize_t n_labelled      # spikes that are labelled at all


cdef inline void c_hide_dropped(const InputLabels *labels, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
    cdef Py_ssize_t k
    if labels.dropped is not NULL:
        for k in range(first, end):
            if labels.dropped[labels.spikes.inputs[k]]:
                labels.of[labels.spikes.inputs[k]] = SILENT


cdef inline void c_label_until(InputLabels *labels, stamp_t spike) noexcept nogil:
    # Moves the labels on, or back, to those of a neuron that fires at this time.
    cdef const index_t *inputs = labels.spikes.inputs
    cdef const stamp_t *times = labels.spikes.times
    cdef int32_t *of = labels.of
    cdef Py_ssize_t count = labels.spikes.count, before = labels.n_causal, k = before, i
    while k + LABELLED_AT_ONCE <= count and times[k + LABELLED_AT_ONCE - 1] <= spike:
        for i in range(LABELLED_AT_ONCE):
            of[inputs[k + i]] = CAUSAL
        k += LABELLED_AT_ONCE
    while k < count and times[k] <= spike:
        of[inputs[k]] = CAUSAL
        k += 1
    while k > 0 and times[k - 1] > spike:
        k -= 1
        of[inputs[k]] = ANTICAUSAL
    c_hide_dropped(labels, min(before, k), max(before, k))
    labels.n_causal = k
    labels.n_labelled = max(labels.n_labelled, k)


cdef inline void c_label_late(InputLabels *labels) noexcept nogil:
    # Labels all other spikes anti-causal; a step needs that only if it leaves silent inputs alone.
    cdef Py_ssize_t k
    for k in range(labels.n_labelled, labels.spikes.count):
        labels.of[labels.spikes.inputs[k]] = ANTICAUSAL
    c_hide_dropped(labels, labels.n_labelled, labels.spikes.count)
    labels.n_labelled = labels.spikes.count


cdef inline void c_unlabel(InputLabels *labels) noexcept nogil:
    cdef Py_ssize_t k
    if labels.n_labelled > labels.n_padded // CLEAR_ALL:
        memset(labels.of, SILENT, labels.n_padded * sizeof(int32_t))
    else:
        for k in range(labels.n_labelled):
            labels.of[labels.spikes.inputs[k]] = SILENT
    labels.n_causal = labels.n_labelled = 0
