"""What an epoch of training did to each neuron, counted while it runs."""
import cython

import numpy as np

from spikenn_cy.dtypes import INDEX, OFFSET, REAL
from spikenn_cy.kernels.layout cimport LayerOutput, Layout, is_target
from spikenn_cy.kernels.stdp cimport RowUpdate
from spikenn_cy.regulators._base cimport Regulator
from spikenn_cy.types cimport index_t


@cython.final
cdef class EpochStatistics:
    """What one epoch of training did to each neuron, counted while it runs; results do not depend on it.

    Parameters
    ----------
    n_samples : int
        Size of the epoch.
    layout : tuple of int
        ``(n_classes, n_per_class, n_non_target)`` of the layer.

    Attributes
    ----------
    labels : ndarray of int32, shape (n_samples,)
        The class of each sample, in training order.
    training_thresholds : ndarray of float32, shape (n_samples, n_per_class)
        Of the neurons of each sample's class, after that sample, in training order.
    target_updates, non_target_updates : ndarray of int64, shape (n_neurons,)
        Updates of each neuron towards an early spike (a target neuron of the sample's class)
        and towards a late one (any other); one without an error counts.
    votes, right_votes : ndarray of int64, shape (n_neurons,)
        Samples whose class each neuron decided, and rightly.
    """

    def __init__(self, Py_ssize_t n_samples, layout):
        n_classes, n_per_class, n_non_target = layout
        counts = np.zeros((4, n_classes * n_per_class), OFFSET)
        self.layout = Layout(n_classes, n_per_class, n_non_target)
        self.labels = np.zeros(n_samples, INDEX)
        self.training_thresholds = np.zeros((n_samples, n_per_class), REAL)
        self.target_updates, self.non_target_updates, self.votes, self.right_votes = counts
        self.classes = self.labels
        self.thresholds = self.training_thresholds
        self.counts = counts
        self.n_noted = 0

    cdef void note(
        self, const LayerOutput *output, const RowUpdate *updates, Py_ssize_t n_updates, Regulator regulator
    ) noexcept nogil:
        cdef index_t j, size = self.layout.n_per_class
        cdef Py_ssize_t k
        self.classes[self.n_noted] = output.label
        for j in range(size):
            self.thresholds[self.n_noted, j] = regulator.training_threshold(output.label * size + j)
        for k in range(n_updates):
            j = updates[k].neuron
            self.counts[0 if is_target(&self.layout, j, output.label) else 1, j] += 1
        self.counts[2, output.winner] += 1
        self.counts[3, output.winner] += output.winner // size == output.label
        # Not `+= 1`: with SPIKENN_CY_CHECKS Cython refuses that for attributes where the GIL is released.
        self.n_noted = self.n_noted + 1
