"""What a learning rule sees of a sample, and what it answers: which neurons move, and how far."""
from spikenn_cy.kernels.answer cimport Answer, Layout
from spikenn_cy.kernels.charge cimport Scope
from spikenn_cy.kernels.stdp cimport Plasticity, RowStep
from spikenn_cy.types cimport index_t


cdef class Rule:
    cdef Layout layout
    cdef double max_time
    cdef Scope scope               # how far the forward pass must go for `learn`
    cdef Plasticity plasticity     # the form of the STDP step; the layer adds its bounds
    cdef double ap                 # rates of a positive error: causal, anti-causal inputs
    cdef double am
    cdef double anti_ap            # rates of a negative error, for its absolute value
    cdef double anti_am
    cdef double annealing
    cdef double accuracy           # share of right votes in the epoch before
    cdef void ask(self, RowStep *step, index_t neuron, double error) noexcept nogil
    cdef Py_ssize_t learn(self, const Answer *answer, RowStep *steps) noexcept nogil
