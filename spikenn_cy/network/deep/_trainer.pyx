"""The loop that trains every layer of a network on samples, one after the other."""
import cython

from libc.stdint cimport uint64_t

import numpy as np

from spikenn_cy.kernels.spikes cimport Spikes
from spikenn_cy.layers._base cimport EventLayer
from spikenn_cy.network._batch cimport SampleBatch
from spikenn_cy.network.deep._augment cimport Augmentation
from spikenn_cy.network.deep._network cimport EventNetwork
from spikenn_cy.network.deep._statistics cimport DeepStatistics
from spikenn_cy.rules._network cimport NetworkRule
from spikenn_cy.types cimport index_t, offset_t


@cython.final
cdef class NetworkTrainer:
    """Trains a network: forward, vote, errors, learn.

    Parameters
    ----------
    network : EventNetwork
    rule : NetworkRule
    augmentation : Augmentation, optional
        Changes each sample before the network sees it.
    """

    cdef EventNetwork network
    cdef NetworkRule rule
    cdef double[::1] rates                 # of layers from the last on, while a sample has others
    cdef Augmentation augmentation

    def __init__(self, EventNetwork network, NetworkRule rule, Augmentation augmentation=None):
        self.network, self.rule, self.augmentation = network, rule, augmentation
        self.rates = np.zeros(len(network.layers))

    def run(self, SampleBatch batch, DeepStatistics statistics=None):
        """Train on samples, one after the other.

        Parameters
        ----------
        batch : SampleBatch
        statistics : DeepStatistics, optional
            Notes what happens; has room for these samples.

        Returns
        -------
        n_right : int
            Samples for which the vote was right.
        """
        cdef Py_ssize_t i, n_right = 0
        cdef index_t label, winner
        cdef offset_t number
        cdef Spikes spikes
        cdef bint learns
        with nogil:
            self.network.to_end = self.rule.runs_to_end
            for i in range(batch.n_samples):
                batch.sample(i, &spikes)
                label, number = batch.labels[batch.order[i]], batch.numbers[i]
                if self.augmentation is not None:
                    self.augmentation.change(&spikes, batch.key, number)
                self.name_sample(self.network.output, batch.key, number)
                self.network.run(&spikes)
                winner = self.network.winner()
                n_right += winner // self.rule.layout.n_per_class == label
                learns = self.rule.judge(self.network.output, label, self.network.decided_at)
                if learns and batch.weighted:
                    self.weigh_rates(self.network.output, batch.weights[batch.order[i]])
                    self.learn(self.network.output)
                    self.restore_rates(self.network.output)
                elif learns:
                    self.learn(self.network.output)
                if statistics is not None:
                    statistics.note(self.network.output, label, winner, self.network.decided_at, learns)
        batch.require_unchanged()
        return n_right

    cdef void name_sample(self, EventLayer layer, uint64_t key, uint64_t number) noexcept nogil:
        # For the dropout of each layer.
        layer.dropout.key, layer.dropout.sample = key, number
        if layer.below is not None:
            self.name_sample(layer.below, key, number)

    cdef void weigh_rates(self, EventLayer layer, double weight, Py_ssize_t depth=0) noexcept nogil:
        # A factor on errors would be lost where a rule normalises those of each layer.
        self.rates[depth] = layer.rate
        layer.rate = layer.rate * weight
        if layer.below is not None:
            self.weigh_rates(layer.below, weight, depth + 1)

    cdef void restore_rates(self, EventLayer layer, Py_ssize_t depth=0) noexcept nogil:
        layer.rate = self.rates[depth]
        if layer.below is not None:
            self.restore_rates(layer.below, depth + 1)

    cdef void learn(self, EventLayer layer) noexcept nogil:
        # All errors follow from the weights as they are; then they change.
        if layer.below is None:
            layer.learn(&self.network.inputs)
            return
        if layer.below.feedback is not None:
            self.rule.share(layer)
            self.learn(layer.below)
            layer.below.feedback.learn(&layer.below.fired, &self.rule.class_errors[0], self.network.output.rate)
        layer.learn(&layer.below.fired)
