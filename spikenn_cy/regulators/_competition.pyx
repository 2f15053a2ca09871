"""Competition regulation: threshold adaptation between the target neurons of a class.

After a training sample of class y, whose M target neurons are S and the first of them to fire is k::

    theta'_k <- theta'_k + thr_lr * (M - 1) / M
    theta'_l <- theta'_l - thr_lr / M             for the others of S

In training only (two compartments, CR-2: theta' are reset to the inference thresholds theta at every epoch and never
fall below the lowest of them) or for good (one compartment, CR-1: they become theta at the end of the epoch).

Source: Goupy, Tirilly, Bilasco, Neuronal Competition Groups with Supervised STDP for Spike-Based Classification,
NeurIPS 2024.
"""
import cython

import numpy as np

from spikenn_cy.dtypes import REAL
from spikenn_cy.kernels.layout cimport LayerOutput
from spikenn_cy.regulators._base cimport Regulator
from spikenn_cy.types cimport index_t, real_t


@cython.final
cdef class Competition(Regulator):
    """Raises the threshold of the first target neuron of the sample's class, lowers those of the others."""

    cdef bint two_compartments
    cdef double thr_lr
    cdef double thr_anneal
    cdef real_t floor                    # of a two-compartment threshold
    cdef real_t[::1] inference
    cdef real_t[::1] adaptive

    def __init__(self, config, *args):
        super().__init__(*args)
        self.two_compartments = config.use_two_thr
        self.thr_lr = config.thr_lr
        self.thr_anneal = config.thr_anneal
        # A class with one target neuron has no competition to regulate.
        self.to_first_target = config.thr_lr > 0 and self.layout.n_per_class - self.layout.n_non_target >= 2

    cdef const real_t *before_forward(self, index_t label) noexcept nogil:
        cdef index_t j, first = label * self.layout.n_per_class
        if self.to_first_target and self.two_compartments:
            for j in range(first + self.layout.n_non_target, first + self.layout.n_per_class):
                self.thresholds[j] = self.adaptive[j]
        return &self.thresholds[0]

    cdef void after_forward(self, const LayerOutput *output) noexcept nogil:
        if not self.to_first_target:
            return
        cdef index_t first = output.label * self.layout.n_per_class + self.layout.n_non_target
        cdef index_t end = (output.label + 1) * self.layout.n_per_class, n_competing = end - first, j
        cdef double rise = self.thr_lr * (n_competing - 1) / n_competing, fall = self.thr_lr / n_competing
        for j in range(first, end):
            self.adaptive[j] = <real_t>(self.adaptive[j] + (rise if j == output.target_winner else -fall))
            if self.two_compartments:
                self.adaptive[j] = max(self.adaptive[j], self.floor)
            self.thresholds[j] = self.inference[j] if self.two_compartments else self.adaptive[j]

    cdef real_t training_threshold(self, index_t neuron) noexcept nogil:
        return self.adaptive[neuron]

    def reset(self, inference):
        super().reset(inference)
        self.inference = np.array(inference, REAL)
        self.floor = min(inference)
        self.adaptive = np.array(inference, REAL)

    def on_epoch_start(self):
        if self.two_compartments:
            self.adaptive[:] = self.inference

    def on_epoch_end(self):
        self.thr_lr *= self.thr_anneal
        return None if self.two_compartments else np.array(self.adaptive)

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
        if not self.two_compartments:
            self.thresholds[:] = self.adaptive
