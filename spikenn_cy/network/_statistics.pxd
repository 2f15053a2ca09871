"""What an epoch of training did to each neuron."""
from spikenn_cy.kernels.layout cimport LayerOutput, Layout
from spikenn_cy.kernels.stdp cimport RowUpdate
from spikenn_cy.regulators._base cimport Regulator
from spikenn_cy.types cimport index_t, offset_t, real_t


cdef class EpochStatistics:
    cdef readonly object labels
    cdef readonly object training_thresholds
    cdef readonly object target_updates
    cdef readonly object non_target_updates
    cdef readonly object votes
    cdef readonly object right_votes
    cdef Py_ssize_t n_noted
    cdef Layout layout
    cdef index_t[::1] classes
    cdef real_t[:, ::1] thresholds
    cdef offset_t[:, ::1] counts

    cdef void note(
        self, const LayerOutput *output, const RowUpdate *updates, Py_ssize_t n_updates, Regulator regulator
    ) noexcept nogil
