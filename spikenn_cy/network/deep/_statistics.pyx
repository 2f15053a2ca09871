"""What an epoch of training in every layer did, sample by sample."""
import cython

import numpy as np

from spikenn_cy.dtypes import FLAG, INDEX, STAMP
from spikenn_cy.layers._base cimport EventLayer
from spikenn_cy.types cimport index_t, stamp_t


@cython.final
cdef class DeepStatistics:
    """What one epoch of training in every layer did, sample by sample; results do not depend on it.

    Parameters
    ----------
    n_samples : int
        Size of the epoch.
    n_layers : int

    Attributes
    ----------
    labels, votes : ndarray of int32, shape (n_samples,)
        The class of each sample and the output neuron that decided it, in training order.
    decision_times : ndarray of float32, shape (n_samples,)
        ``max_time`` where no output neuron fired.
    learned : ndarray of uint8, shape (n_samples,)
        Whether weights changed.
    n_spikes : ndarray of int32, shape (n_samples, n_layers)
        Of each layer, until the decision.
    """

    def __init__(self, Py_ssize_t n_samples, Py_ssize_t n_layers):
        self.labels, self.votes = np.zeros(n_samples, INDEX), np.zeros(n_samples, INDEX)
        self.decision_times, self.learned = np.zeros(n_samples, STAMP), np.zeros(n_samples, FLAG)
        self.n_spikes = np.zeros((n_samples, n_layers), INDEX)
        self.classes, self.winners, self.times = self.labels, self.votes, self.decision_times
        self.flags, self.counts = self.learned, self.n_spikes
        self.n_noted = 0

    cdef void note(
        self, EventLayer output, index_t label, index_t winner, stamp_t decided_at, bint learned
    ) noexcept nogil:
        cdef Py_ssize_t i = self.n_noted
        self.classes[i], self.winners[i], self.times[i], self.flags[i] = label, winner, decided_at, learned
        self.note_spikes(output, i)
        self.n_noted = i + 1

    cdef void note_spikes(self, EventLayer layer, Py_ssize_t i) noexcept nogil:
        self.counts[i, layer.position] = <index_t>layer.fired.count
        if layer.below is not None:
            self.note_spikes(layer.below, i)
