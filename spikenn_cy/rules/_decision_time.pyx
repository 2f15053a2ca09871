"""Decision-time learning, whose errors are taken from potentials at the moment of the decision."""
import cython

from libc.math cimport exp
from libc.string cimport memset

import numpy as np

from spikenn_cy.dtypes import INDEX
from spikenn_cy.layers._dense cimport DenseEvents
from spikenn_cy.rules._network cimport NetworkRule
from spikenn_cy.types cimport index_t, real_t, stamp_t


@cython.final
cdef class DecisionTime(NetworkRule):
    """Decision-time learning (docs/networks.md).

    A class speaks by its output neuron with the largest potential at the decision, ``w_c``. Then, for label ``y``,

        softmax:  p_c = exp(V_{w_c} / temperature) / sum,  delta_{w_c} = [c = y] - p_c;  nothing if 1 - p_y < skip
        hinge:    R = {c != y: V_{w_c} > V_{w_y} - margin},  delta_{w_y} = 1,  delta_{w_c} = -1 / |R| in R

    and for every sample, learned or not, ``theta_out += threshold_rate (decision_at - t* / max_time)``.

    Parameters
    ----------
    config : DecisionTimeConfig
    n_classes, n_per_class : int
    max_time : float
    decision_at : float
        Wanted mean time of decisions as a share of ``max_time``.
    """

    cdef bint hinge
    cdef double temperature
    cdef double margin
    cdef double skip
    cdef double threshold_rate
    cdef double decision_at
    cdef index_t[::1] speakers             # w_c

    def __init__(self, config, index_t n_classes, index_t n_per_class, double max_time, double decision_at):
        super().__init__(n_classes, n_per_class, max_time)
        self.hinge = config.error == "hinge"
        self.temperature, self.margin, self.skip = config.temperature, config.margin, config.skip
        self.threshold_rate, self.decision_at = config.threshold_rate, decision_at
        self.speakers = np.zeros(n_classes, INDEX)

    cdef bint judge(self, DenseEvents output, index_t label, stamp_t decided_at) noexcept nogil:
        cdef double step = self.threshold_rate * (self.decision_at - decided_at / self.max_time)
        cdef index_t c, j
        cdef bint learns
        for j in range(output.n_units):
            output.thresholds[j] = <real_t>(output.thresholds[j] + step)
        self.find_speakers(&output.potentials[0])
        if self.hinge:
            learns = self.compare(&output.potentials[0], label)
        else:
            learns = self.regress(&output.potentials[0], label)
        if learns:
            memset(&output.errors[0], 0, output.n_padded * sizeof(real_t))
            for c in range(self.layout.n_classes):
                output.errors[self.speakers[c]] = self.class_errors[c]
        return learns

    cdef void find_speakers(self, const real_t *potentials) noexcept nogil:
        cdef index_t c, j, size = self.layout.n_per_class, best
        for c in range(self.layout.n_classes):
            best = c * size
            for j in range(best + 1, (c + 1) * size):
                if potentials[j] > potentials[best]:
                    best = j
            self.speakers[c] = best

    cdef bint regress(self, const real_t *potentials, index_t label) noexcept nogil:
        cdef double top = potentials[self.speakers[0]], total = 0, share
        cdef index_t c, n_classes = self.layout.n_classes
        for c in range(1, n_classes):
            top = max(top, <double>potentials[self.speakers[c]])
        for c in range(n_classes):
            total += exp((potentials[self.speakers[c]] - top) / self.temperature)
        for c in range(n_classes):
            share = exp((potentials[self.speakers[c]] - top) / self.temperature) / total
            self.class_errors[c] = <real_t>((1 if c == label else 0) - share)
        share = exp((potentials[self.speakers[label]] - top) / self.temperature) / total
        return not 1 - share < self.skip

    cdef bint compare(self, const real_t *potentials, index_t label) noexcept nogil:
        cdef double least = potentials[self.speakers[label]] - self.margin
        cdef index_t c, n_close = 0
        for c in range(self.layout.n_classes):
            n_close += c != label and potentials[self.speakers[c]] > least
        for c in range(self.layout.n_classes):
            self.class_errors[c] = 0
            if c == label:
                self.class_errors[c] = 1
            elif potentials[self.speakers[c]] > least:
                self.class_errors[c] = <real_t>(-1.0 / n_close)
        return n_close > 0
