"""What a learning rule sees of a sample, and what it answers: which neurons move, and how far."""
from spikenn_cy.kernels.layout cimport LayerOutput, Layout, Scope
from spikenn_cy.kernels.stdp cimport Plasticity, RowUpdate
from spikenn_cy.types cimport index_t


cdef class Rule:
    cdef Layout layout
    cdef double max_time
    cdef Scope scope               # how far the forward pass must go for `learn`
    cdef readonly bint needs_potentials  # whether `learn` reads them
    cdef Plasticity plasticity     # the form of the STDP step; the layer adds its bounds
    cdef double ap                 # rates of a positive error: causal, anti-causal inputs
    cdef double am
    cdef double anti_ap            # rates of a negative error, for its absolute value
    cdef double anti_am
    cdef double annealing
    cdef double accuracy           # share of right votes in the epoch before
    cdef void ask(self, RowUpdate *update, index_t neuron, double error) noexcept nogil
    cdef Py_ssize_t learn(self, const LayerOutput *output, RowUpdate *updates) noexcept nogil
