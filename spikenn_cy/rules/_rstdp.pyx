"""R-STDP, which rewards or punishes the first neuron to fire.

Only the first neuron k of the layer learns from a sample of class y, with the error 1 and, for its causal and
anti-causal inputs, the rates::

    ap, am              if k is a target neuron of y (reward)
    anti_ap, anti_am    else (punishment)

With ``adaptive_lr`` the rates of a reward are multiplied by 1 - a, those of a punishment by a, where a is the share of
right votes of the epoch before, and 1 / n_classes in the first one.

Source: Mozafari, Kheradpisheh, Masquelier, Nowzari-Dalini, Ganjtabesh, First-Spike-Based Visual Categorization Using
Reward-Modulated STDP, IEEE Transactions on Neural Networks and Learning Systems, 2018.
"""
import cython

from spikenn_cy.kernels.layout cimport FIRST_OF_LAYER, LayerOutput, is_target
from spikenn_cy.kernels.stdp cimport RowUpdate
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

    cdef Py_ssize_t learn(self, const LayerOutput *output, RowUpdate *updates) noexcept nogil:
        cdef bint rewarded = is_target(&self.layout, output.winner, output.label)
        cdef double scale = 1
        if self.adaptive_lr:
            scale = 1 - self.accuracy if rewarded else self.accuracy
        updates[0].neuron = output.winner
        updates[0].error = 1
        updates[0].causal = scale * (self.ap if rewarded else self.anti_ap)
        updates[0].anticausal = scale * (self.am if rewarded else self.anti_am)
        return 1
