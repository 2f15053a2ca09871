"""What an epoch of training in every layer did, sample by sample."""
from spikenn_cy.layers._base cimport EventLayer
from spikenn_cy.types cimport flag_t, index_t, stamp_t


cdef class DeepStatistics:
    cdef readonly object labels
    cdef readonly object votes
    cdef readonly object decision_times
    cdef readonly object learned
    cdef readonly object n_spikes
    cdef Py_ssize_t n_noted
    cdef index_t[::1] classes
    cdef index_t[::1] winners
    cdef stamp_t[::1] times
    cdef flag_t[::1] flags
    cdef index_t[:, ::1] counts

    cdef void note(
        self, EventLayer output, index_t label, index_t winner, stamp_t decided_at, bint learned
    ) noexcept nogil
    cdef void note_spikes(self, EventLayer layer, Py_ssize_t i) noexcept nogil
