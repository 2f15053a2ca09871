"""R-STDP, which rewards or punishes the first neuron to fire."""
import cython

from spikenn_cy.kernels.answer cimport Answer, is_target
from spikenn_cy.kernels.charge cimport FIRST_OF_LAYER
from spikenn_cy.kernels.stdp cimport RowStep
from spikenn_cy.rules._base cimport Rule


@cython.final
cdef class RSTDP(Rule):
    """R-STDP: one neuron a sample, an error of 1, and rates by whether its class was right."""

    cdef bint adaptive_lr

    def __init__(self, config, *args):
        super().__init__(config, *args)
        self.set_stdp(config)
        self.adaptive_lr = config.adaptive_lr
        self.scope = FIRST_OF_LAYER

    cdef Py_ssize_t learn(self, const Answer *answer, RowStep *steps) noexcept nogil:
        cdef bint rewarded = is_target(&self.layout, answer.first, answer.label)
        cdef double scale = 1
        if self.adaptive_lr:
            scale = 1 - self.accuracy if rewarded else self.accuracy
        steps[0].neuron = answer.first
        steps[0].error = 1
        steps[0].causal = scale * (self.ap if rewarded else self.anti_ap)
        steps[0].anticausal = scale * (self.am if rewarded else self.anti_am)
        return 1
