"""The hot loop of deciding: first spikes without learning, sample by sample."""
import cython

from libc.math cimport INFINITY
from libc.string cimport memcpy

import numpy as np

from spikenn_cy.dtypes import FLAG, REAL
from spikenn_cy.kernels.dropout cimport OUTPUT_NEURONS, c_draw_mask
from spikenn_cy.kernels.layout cimport ALL, FIRST_OF_LAYER, LayerOutput, StopAt
from spikenn_cy.kernels.spikes cimport Spikes
from spikenn_cy.network._batch cimport SampleBatch
from spikenn_cy.network.forward._base cimport Forward
from spikenn_cy.neurons._base cimport Neuron
from spikenn_cy.types cimport flag_t, index_t, real_t, stamp_t


@cython.final
cdef class Inference:
    """A layer that decides; may be used by one thread at a time, and not while its layer learns.

    Parameters
    ----------
    forward : Forward
        How first spikes are found.
    neuron : Neuron
        Of this instance alone.
    thresholds : ndarray of float32, shape (n_neurons,)
        Inference thresholds.

    Attributes
    ----------
    n_neurons : int
    """

    cdef readonly index_t n_neurons
    cdef Forward forward
    cdef Neuron neuron
    cdef const real_t[::1] thresholds

    def __init__(self, Forward forward, Neuron neuron, thresholds):
        self.forward, self.neuron, self.thresholds = forward, neuron, thresholds
        self.n_neurons = <index_t>self.thresholds.shape[0]

    def first_neurons(self, SampleBatch batch, index_t[::1] first, index_t n_per_class=1):
        """Write the neuron that fires first for each sample, or its class; a sample ends at the layer's first spike.

        Parameters
        ----------
        batch : SampleBatch
        first : ndarray of int32, shape (n_samples,)
            Written.
        n_per_class : int, default=1
            Neurons that count as one, which are side by side.
        """
        cdef Py_ssize_t i
        cdef Spikes spikes
        cdef StopAt stop
        cdef LayerOutput output
        stop.scope, stop.own_class = FIRST_OF_LAYER, -1
        with nogil:
            self.forward.begin(NULL)
            while batch.next(&i, &spikes):
                self.neuron.prepare(&spikes)
                self.forward.run(&spikes, &self.thresholds[0], &stop, &output)
                first[i] = output.winner // n_per_class
        batch.require_unchanged()

    def first_spikes(
        self, SampleBatch batch, stamp_t[:, ::1] times, real_t[:, ::1] potentials, double dropout=0, index_t layer=0
    ):
        """Write spike time and potential of every neuron for each sample.

        Parameters
        ----------
        batch : SampleBatch
        times, potentials : ndarray of float32, shape (n_samples, n_neurons)
            Written. A silent neuron is at ``max_time``, with its last potential.
        dropout : float, default=0
            Rate at which neurons are silenced, in [0, 1).
        layer : int, default=0
            Position in the network, for the dropout's stream.
        """
        cdef Py_ssize_t i, j, n_bytes = self.n_neurons * sizeof(real_t)
        cdef Spikes spikes
        cdef StopAt stop
        cdef LayerOutput output
        cdef const real_t *of_sample = &self.thresholds[0]
        cdef flag_t[::1] dropped = np.zeros(self.n_neurons, FLAG)
        cdef real_t[::1] thresholds = np.zeros(self.n_neurons, REAL)
        stop.scope, stop.own_class = ALL, -1
        with nogil:
            self.forward.begin(NULL)
            while batch.next(&i, &spikes):
                self.neuron.prepare(&spikes)
                if dropout > 0:
                    c_draw_mask(batch.key, OUTPUT_NEURONS, batch.numbers[i], layer, dropout, dropped)
                    for j in range(self.n_neurons):
                        thresholds[j] = INFINITY if dropped[j] else self.thresholds[j]
                    of_sample = &thresholds[0]
                self.forward.run(&spikes, of_sample, &stop, &output)
                memcpy(&times[i, 0], output.times, n_bytes)
                memcpy(&potentials[i, 0], output.potentials, n_bytes)
        batch.require_unchanged()
