"""Threshold adaptation between the target neurons of a class, in training (CR-2) or for good (CR-1)."""
import cython

import numpy as np

from spikenn_cy.dtypes import REAL
from spikenn_cy.kernels.answer cimport Answer
from spikenn_cy.kernels.winner cimport c_first_to_fire
from spikenn_cy.regulators._base cimport Regulator
from spikenn_cy.types cimport index_t, real_t


@cython.final
cdef class Competition(Regulator):
    """Raises the threshold of the first target neuron of the sample's class, lowers those of the others."""

    cdef bint two_compartments
    cdef double thr_lr
    cdef double thr_anneal
    cdef real_t lowest                   # bound of a two-compartment threshold
    cdef const real_t[::1] inference
    cdef real_t[::1] adaptive

    def __init__(self, config, *args):
        super().__init__(*args)
        self.two_compartments = config.use_two_thr
        self.thr_lr = config.thr_lr
        self.thr_anneal = config.thr_anneal
        # A class with one target neuron has no competition to regulate.
        self.to_first_target = config.thr_lr > 0 and self.layout.n_per_class - self.layout.n_non_target >= 2

    cdef void before_forward(self, index_t label, real_t[::1] thresholds) noexcept nogil:
        cdef index_t j, first = label * self.layout.n_per_class
        if self.to_first_target and self.two_compartments:
            for j in range(first + self.layout.n_non_target, first + self.layout.n_per_class):
                thresholds[j] = self.adaptive[j]

    cdef void after_forward(self, const Answer *answer, real_t[::1] thresholds) noexcept nogil:
        if not self.to_first_target:
            return
        cdef index_t first = answer.label * self.layout.n_per_class + self.layout.n_non_target
        cdef index_t end = (answer.label + 1) * self.layout.n_per_class
        cdef index_t winner = c_first_to_fire(answer.times, answer.potentials, first, end), j
        cdef index_t n_competing = end - first
        cdef double rise = self.thr_lr * (n_competing - 1) / n_competing, fall = self.thr_lr / n_competing
        for j in range(first, end):
            self.adaptive[j] = <real_t>(self.adaptive[j] + (rise if j == winner else -fall))
            if self.two_compartments:
                self.adaptive[j] = max(self.adaptive[j], self.lowest)
                thresholds[j] = self.inference[j]
            else:
                thresholds[j] = self.adaptive[j]

    cdef real_t training_threshold(self, index_t neuron, const real_t[::1] thresholds) noexcept nogil:
        return self.adaptive[neuron]

    def reset(self, inference):
        self.inference = inference
        self.adaptive = np.array(inference, REAL)
        self.lowest = min(inference)

    def fill(self, inference, thresholds):
        thresholds[:] = self.inference if self.two_compartments else self.adaptive

    def on_epoch_start(self, inference):
        if self.two_compartments:
            self.reset(inference)

    def on_epoch_end(self, inference):
        self.thr_lr *= self.thr_anneal
        return inference if self.two_compartments else np.array(self.adaptive)

    def training_thresholds(self, inference):
        return np.array(self.adaptive)

    @property
    def state(self):
        return [self.thr_lr, *list(self.adaptive)]

    @state.setter
    def state(self, values):
        with np.errstate(over="ignore"):     # what is infinite is refused below
            thr_lr, adaptive = float(values[0]) if values else 0.0, np.array(values[1:], REAL)
        n_neurons = self.layout.n_classes * self.layout.n_per_class
        if adaptive.shape != (n_neurons,) or not np.isfinite(adaptive).all():
            raise ValueError(f"regulator: must have the thresholds of {n_neurons} neurons, got {len(adaptive)}")
        self.thr_lr = thr_lr
        self.adaptive = adaptive
