"""First spikes without learning, over many samples: what prediction, scoring and hidden layers are made of."""
from libc.math cimport INFINITY
from libc.stdint cimport uint64_t

import numpy as np

from spikenn_cy.dtypes import FLAG, REAL
from spikenn_cy.kernels.charge cimport FIRST_OF_LAYER, Charging, Reach, c_charge_layer
from spikenn_cy.kernels.dropout cimport OUTPUT_NEURONS, c_draw_mask
from spikenn_cy.kernels.dense cimport LANES, VECTORS_MAX, dense
from spikenn_cy.kernels.spikes cimport Spikes
from spikenn_cy.kernels.winner cimport c_first_to_fire
from spikenn_cy.utils.alignment import aligned
from spikenn_cy.neurons._base cimport Neuron
from spikenn_cy.types cimport flag_t, index_t, offset_t, real_t, stamp_t


cdef class Inference:
    """A layer frozen for inference: an input-major copy of its weights, so that one spike charges a vector of neurons.

    The copy is made of blocks of up to 64 neurons, each of shape (n_inputs, width), padded with
    neurons that cannot fire. It is made once enough was asked for: few samples are decided from
    the rows as they are, which is what an online system needs that learns between two of them.
    An instance may be used by one thread at a time; `twin` makes another one that shares the copy.

    Parameters
    ----------
    weights : ndarray of float32, shape (n_neurons, n_inputs)
        Must not change while this is used.
    thresholds : ndarray of float32, shape (n_neurons,)
    max_time : float
        Time of silence.
    make_neuron : callable
        Returns a `Neuron` of its own for each instance.
    rising : bool, default=False
        No synaptic weight is negative, by which it is faster.
    """

    cdef readonly index_t n_neurons
    cdef readonly index_t n_inputs
    cdef index_t n_blocks
    cdef stamp_t max_time
    cdef bint rising
    cdef object make_neuron
    cdef Neuron neuron
    cdef const real_t[:, ::1] weights
    cdef bint frozen                     # there is a copy
    cdef Py_ssize_t n_asked              # spikes of all neurons for which there was none
    cdef real_t[:, ::1] answer           # factors, times and potentials while there is none
    cdef real_t[::1] blocks              # one after the other
    cdef const real_t[::1] thresholds
    cdef index_t[::1] first_of           # first neuron of each block; (n_blocks + 1,)
    cdef real_t[::1] charge              # scratch of one block
    cdef real_t[::1] limits

    def __init__(
        self, const real_t[:, ::1] weights, const real_t[::1] thresholds, double max_time, make_neuron,
        bint rising=False,
    ):
        self.n_neurons = <index_t>weights.shape[0]
        self.n_inputs = <index_t>weights.shape[1]
        self.weights = weights
        self.thresholds = thresholds
        self.max_time = <stamp_t>max_time
        self.make_neuron = make_neuron
        self.neuron = make_neuron()
        self.rising = rising
        self.answer = np.ones((3, self.n_neurons), REAL)

    def freeze(self):
        """Make the copy, if there is none yet."""
        if self.frozen:
            return
        cdef index_t n_vectors, block, vectors, done = 0
        cdef Py_ssize_t i, j, width, at = 0
        n_vectors = (self.n_neurons + LANES - 1) // LANES
        self.n_blocks = (n_vectors + VECTORS_MAX - 1) // VECTORS_MAX
        self.first_of = np.empty(self.n_blocks + 1, np.int32)
        self.blocks = aligned(<Py_ssize_t>n_vectors * LANES * self.n_inputs, REAL)
        self.charge = np.zeros(VECTORS_MAX * LANES, REAL)
        self.limits = np.zeros(VECTORS_MAX * LANES, REAL)
        for block in range(self.n_blocks):
            self.first_of[block] = done * LANES
            vectors = (n_vectors - done) // (self.n_blocks - block)
            width = vectors * LANES
            with nogil:
                for j in range(self.first_of[block], min(self.first_of[block] + width, self.n_neurons)):
                    for i in range(self.n_inputs):
                        self.blocks[at + i * width + j - self.first_of[block]] = self.weights[j, i]
            at += width * self.n_inputs
            done += vectors
        self.first_of[self.n_blocks] = done * LANES
        self.frozen = True

    def twin(self):
        """Return an instance for another thread, with this one's copy of the weights."""
        self.freeze()
        cdef Inference other = Inference.__new__(Inference)
        other.frozen = True
        other.n_neurons, other.n_inputs, other.n_blocks = self.n_neurons, self.n_inputs, self.n_blocks
        other.max_time, other.rising = self.max_time, self.rising
        other.make_neuron, other.neuron = self.make_neuron, self.make_neuron()
        other.blocks, other.thresholds, other.first_of = self.blocks, self.thresholds, self.first_of
        other.charge, other.limits = np.zeros_like(self.charge), np.zeros_like(self.limits)
        return other

    def first_neurons(
        self,
        const offset_t[::1] indptr,
        const index_t[::1] inputs,
        const stamp_t[::1] input_times,
        index_t[::1] first,
        index_t n_per_class=1,
    ):
        """Write the neuron that fires first for each sample, or its class; a sample ends at the layer's first spike.

        Parameters
        ----------
        indptr, inputs, input_times : ndarray
            The spike arrays of a `SpikingDataset`; ``indptr`` may be a part of it.
        first : ndarray of int32, shape (n_samples,)
            Written.
        n_per_class : int, default=1
            Neurons that count as one, which are side by side.
        """
        cdef Py_ssize_t sample
        cdef Spikes spikes
        if not self.frozen:
            # A copy costs about as much as this, and may never pay.
            self.n_asked += (indptr[first.shape[0]] - indptr[0]) * self.n_neurons
            if self.n_asked > <Py_ssize_t>self.n_neurons * self.n_inputs:
                self.freeze()
        with nogil:
            for sample in range(first.shape[0]):
                self.point_at(&spikes, indptr, inputs, input_times, sample)
                first[sample] = (
                    self.first_neuron(&spikes) if self.frozen else self.first_by_rows(&spikes)
                ) // n_per_class

    cdef index_t first_by_rows(self, const Spikes *spikes) noexcept nogil:
        cdef Charging layer
        cdef Reach reach
        layer.weights, layer.n_inputs = &self.weights[0, 0], self.n_inputs
        layer.factors, layer.times, layer.potentials = &self.answer[0, 0], &self.answer[1, 0], &self.answer[2, 0]
        layer.thresholds = &self.thresholds[0]
        layer.spikes = spikes
        layer.rising = self.rising
        layer.max_time = self.max_time
        reach.scope, reach.own_class, reach.n_per_class, reach.n_non_target = FIRST_OF_LAYER, -1, self.n_neurons, 0
        c_charge_layer(&layer, self.n_neurons, &reach, NULL)
        return c_first_to_fire(layer.times, layer.potentials, 0, self.n_neurons)

    cdef void point_at(
        self, Spikes *spikes, const offset_t[::1] indptr, const index_t[::1] inputs, const stamp_t[::1] input_times,
        Py_ssize_t sample,
    ) noexcept nogil:
        spikes.count = indptr[sample + 1] - indptr[sample]
        # A sample without a spike has no first element to point at.
        spikes.inputs = &inputs[indptr[sample]] if spikes.count else NULL
        spikes.times = &input_times[indptr[sample]] if spikes.count else NULL
        self.neuron.prepare(spikes)

    cdef void start(self, index_t block) noexcept nogil:
        cdef index_t j
        for j in range(self.first_of[block + 1] - self.first_of[block]):
            self.charge[j] = 0
            self.limits[j] = INFINITY
            if self.first_of[block] + j < self.n_neurons:
                self.limits[j] = self.thresholds[self.first_of[block] + j]

    cdef Py_ssize_t advance(self, index_t block, const Spikes *spikes, Py_ssize_t k, Py_ssize_t end) noexcept nogil:
        return dense().charge_lanes[(self.first_of[block + 1] - self.first_of[block]) // LANES](
            &self.blocks[self.first_of[block] * <Py_ssize_t>self.n_inputs], spikes, k, end, self.rising,
            &self.charge[0], &self.limits[0],
        )

    cdef index_t first_neuron(self, const Spikes *spikes) noexcept nogil:
        cdef index_t best = -1, block, j, n
        cdef real_t potential = 0
        cdef Py_ssize_t end = spikes.count, k
        cdef bint fired = False, fires
        for block in range(self.n_blocks):
            n = min(self.first_of[block + 1], self.n_neurons) - self.first_of[block]
            self.start(block)
            k = self.advance(block, spikes, 0, end) if end else 0
            fires = False
            if k:
                for j in range(n):
                    fires |= self.charge[j] > self.limits[j]
            if fired and not fires:
                continue
            if fires and (not fired or spikes.times[k - 1] < spikes.times[end - 1]):
                best = -1             # a spike beats silence, and an earlier one a later
            for j in range(n):
                if fires and not self.charge[j] > self.limits[j]:
                    continue
                if best < 0 or self.charge[j] > potential:
                    best = self.first_of[block] + j
                    potential = self.charge[j]
            if fires:
                fired = True
                end = k               # no later spike can be the first
        return best

    def first_spikes(
        self,
        const offset_t[::1] indptr,
        const index_t[::1] inputs,
        const stamp_t[::1] input_times,
        stamp_t[:, ::1] times,
        real_t[:, ::1] potentials,
        *,
        double dropout=0,
        uint64_t key=0,
        uint64_t layer=0,
        const offset_t[::1] numbers=None,
    ):
        """Write spike time and potential of every neuron for each sample.

        Parameters
        ----------
        indptr, inputs, input_times : ndarray
            The spike arrays of a `SpikingDataset`; ``indptr`` may be a part of it.
        times, potentials : ndarray of float32, shape (n_samples, n_neurons)
            Written. A silent neuron is at ``max_time``, with its last potential.
        dropout : float, default=0
            Rate at which neurons are silenced, in [0, 1).
        key, layer, numbers : int, int, ndarray of int64
            The place of the samples' masks in the dropout's stream.
        """
        cdef Py_ssize_t sample
        cdef Spikes spikes
        cdef flag_t[::1] dropped = np.zeros(self.n_neurons, FLAG)
        self.freeze()
        with nogil:
            for sample in range(times.shape[0]):
                self.point_at(&spikes, indptr, inputs, input_times, sample)
                if dropout > 0:
                    c_draw_mask(key, OUTPUT_NEURONS, numbers[sample], layer, dropout, dropped)
                self.all_spikes(&spikes, dropped, times, potentials, sample)

    cdef void all_spikes(
        self, const Spikes *spikes, const flag_t[::1] dropped, stamp_t[:, ::1] times, real_t[:, ::1] potentials,
        Py_ssize_t sample,
    ) noexcept nogil:
        cdef index_t block, j, n, first, n_live
        cdef Py_ssize_t k
        for block in range(self.n_blocks):
            first = self.first_of[block]
            n = min(self.first_of[block + 1], self.n_neurons) - first
            n_live = n
            self.start(block)
            for j in range(n):
                times[sample, first + j] = self.max_time
                if dropped[first + j]:
                    self.limits[j] = INFINITY
                    n_live -= 1
            k = 0
            while k < spikes.count and n_live:
                k = self.advance(block, spikes, k, spikes.count)
                for j in range(n):
                    if self.charge[j] > self.limits[j]:
                        times[sample, first + j] = spikes.times[k - 1]
                        potentials[sample, first + j] = self.charge[j]
                        self.limits[j] = INFINITY     # it has fired: nothing more may make it fire again
                        n_live -= 1
            for j in range(n):
                if dropped[first + j]:
                    potentials[sample, first + j] = 0
                elif times[sample, first + j] == self.max_time:
                    potentials[sample, first + j] = self.charge[j]
