"""A layer's synaptic weights as kernels see them, and an input-major copy that follows what rows learn."""
from spikenn_cy.kernels.dense cimport RowRange
from spikenn_cy.kernels.weights cimport WeightRows
from spikenn_cy.types cimport index_t, real_t


cdef class LayerWeights:
    cdef readonly object array           # float32 of shape (n_neurons, n_inputs), trained in place
    cdef readonly long version           # counts changes
    cdef WeightRows rows
    cdef real_t[:, ::1] weights
    cdef real_t[::1] pending_scales
    cdef real_t[:, ::1] ranges
    cdef real_t[::1] norms


cdef class InputMajorWeights:
    cdef readonly index_t n_neurons
    cdef readonly Py_ssize_t n_inputs
    cdef readonly long version           # of the weights that this is a copy of
    cdef index_t n_blocks
    cdef real_t[::1] blocks              # one after the other, each (n_inputs, width)
    cdef index_t[::1] first_of           # first neuron of each block, (n_blocks + 1,)
    cdef index_t[::1] block_of           # of each neuron

    cdef void copy_row(self, const WeightRows *rows, index_t neuron) noexcept nogil
