"""A network in whole numbers: one sample from its first input spike to the decision, without a floating-point sum.

No sum can overflow, whatever spikes come: who makes a layer has seen that the absolute weights of each neuron sum up to
what 32 bits hold.
"""
import cython

from libc.stdint cimport INT32_MAX, int8_t, int32_t, int64_t
from libc.string cimport memcpy, memset

import numpy as np

from spikenn_cy.dtypes import INDEX
from spikenn_cy.kernels.spikes cimport Spikes
from spikenn_cy.network._batch cimport SampleBatch
from spikenn_cy.types cimport index_t, stamp_t


cdef inline index_t level_of(stamp_t time, double max_time, index_t n_levels) noexcept nogil:
    # Which part of max_time a spike is in.
    return min(<index_t>(time / max_time * n_levels), n_levels - 1)


def levels_of(const stamp_t[::1] times, double max_time, index_t n_levels, index_t[::1] levels):
    """Find the levels of spike times.

    Parameters
    ----------
    times : ndarray of float32, shape (n_spikes,)
        From 0 to below ``max_time``.
    max_time : float
        As float32 has it.
    n_levels : int
    levels : ndarray of int32, shape (n_spikes,), output
        ``floor(time / max_time * n_levels)``.
    """
    cdef Py_ssize_t k
    with nogil:
        for k in range(times.shape[0]):
            levels[k] = level_of(times[k], max_time, n_levels)


cdef class IntegerKernel:
    """Units that a layer above sees, for one thread; a subclass charges them."""

    cdef void begin(self) noexcept nogil:
        # A new sample.
        self.n_fired = 0
        self.n_taken = self.n_added = 0

    cdef void charge(self, const Group *group) noexcept nogil:
        # Adds the weights of a group, then lets fire whose potential is above the threshold, in order.
        pass

    cdef void begin_all(self) noexcept nogil:
        self.begin()
        if self.above is not None:
            self.above.begin_all()

    cdef bint take(self, const Group *group) noexcept nogil:
        # Charges this layer and, as long as one fires, those above; returns whether the last one does.
        cdef Group fired
        self.n_taken = self.n_taken + group.count
        self.charge(group)
        if self.n_fired == 0 or self.above is None:
            return self.n_fired > 0
        fired.units, fired.count = &self.fired[0], self.n_fired
        return self.above.take(&fired)

    cdef void tell(self, int64_t *counts) noexcept nogil:
        # Two numbers of each layer, from this one upwards.
        counts[0], counts[1] = self.n_taken, self.n_added
        if self.above is not None:
            self.above.tell(counts + 2)


@cython.final
cdef class DenseIntegers(IntegerKernel):
    """Neurons with a weight from every input.

    Parameters
    ----------
    weights : ndarray of int8, shape (n_inputs, n_neurons)
    thresholds : ndarray of int32, shape (n_neurons,)
    """

    def __init__(self, weights, thresholds):
        self.weights, self.thresholds = weights, thresholds
        self.n_inputs, self.n_units = <index_t>self.weights.shape[0], <index_t>self.weights.shape[1]
        self.potentials, self.limits = np.zeros(self.n_units, np.int32), np.zeros(self.n_units, np.int32)
        self.fired = np.zeros(self.n_units, INDEX)

    cdef void begin(self) noexcept nogil:
        IntegerKernel.begin(self)
        memset(&self.potentials[0], 0, self.n_units * sizeof(int32_t))
        memcpy(&self.limits[0], &self.thresholds[0], self.n_units * sizeof(int32_t))

    cdef void charge(self, const Group *group) noexcept nogil:
        cdef int32_t *potentials = &self.potentials[0]
        cdef int32_t *limits = &self.limits[0]
        cdef const int8_t *row
        cdef Py_ssize_t k
        cdef index_t j
        for k in range(group.count):
            row = &self.weights[group.units[k], 0]
            for j in range(self.n_units):
                potentials[j] += row[j]
        self.n_added = self.n_added + <int64_t>group.count * self.n_units
        self.n_fired = 0
        for j in range(self.n_units):
            if potentials[j] > limits[j]:
                limits[j] = INT32_MAX
                self.fired[self.n_fired] = j
                self.n_fired = self.n_fired + 1


@cython.final
cdef class ConvIntegers(IntegerKernel):
    """Filters at every position of an image; a pooled unit fires with its first position and absorbs the others.

    Parameters
    ----------
    input_shape : tuple of int
        Rows, columns, channels; input ``(y * columns + x) * channels + c``.
    shape : tuple of int
        ``(padding, pool)``.
    weights : ndarray of int8, shape (channels, kernel_size, kernel_size, n_filters)
        ``[c, dy, kernel_size - 1 - dx, f]``, so that the positions that an input charges in one row are one run of
        potentials and one of weights.
    thresholds : ndarray of int32, shape (n_filters,)
        At least 0, so that nothing fires that is not charged.
    """

    cdef index_t rows, columns, channels            # of the input
    cdef index_t n_filters, kernel_size, padding, size
    cdef index_t pool_rows, pool_columns            # of units
    cdef index_t out_rows, out_columns              # of positions that belong to a unit
    cdef const int8_t[:, :, :, ::1] weights
    cdef const int32_t[::1] thresholds
    cdef int32_t[::1] potentials                    # of each position, of each filter
    cdef int32_t[::1] limits                        # of each pool, of each filter
    cdef index_t[:, ::1] touched                    # of each row of pools: first and last column that was charged

    def __init__(self, input_shape, shape, weights, thresholds):
        self.rows, self.columns, self.channels = input_shape
        self.padding, self.size = shape
        self.weights, self.thresholds = weights, thresholds
        self.kernel_size, self.n_filters = <index_t>self.weights.shape[1], <index_t>self.weights.shape[3]
        self.pool_rows = (self.rows + 2 * self.padding - self.kernel_size + 1) // self.size
        self.pool_columns = (self.columns + 2 * self.padding - self.kernel_size + 1) // self.size
        self.out_rows, self.out_columns = self.pool_rows * self.size, self.pool_columns * self.size
        self.n_inputs = self.rows * self.columns * self.channels
        self.n_units = self.pool_rows * self.pool_columns * self.n_filters
        self.potentials = np.zeros(self.out_rows * self.out_columns * self.n_filters, np.int32)
        self.limits, self.fired = np.zeros(self.n_units, np.int32), np.zeros(self.n_units, INDEX)
        self.touched = np.zeros((self.pool_rows, 2), INDEX)

    cdef void begin(self) noexcept nogil:
        cdef index_t unit
        IntegerKernel.begin(self)
        memset(&self.potentials[0], 0, self.potentials.shape[0] * sizeof(int32_t))
        for unit in range(self.n_units):
            self.limits[unit] = self.thresholds[unit % self.n_filters]

    cdef void charge(self, const Group *group) noexcept nogil:
        cdef Py_ssize_t k
        cdef index_t y, x
        for y in range(self.pool_rows):
            self.touched[y, 0], self.touched[y, 1] = self.pool_columns, -1
        for k in range(group.count):
            self.add(group.units[k])
        self.n_fired = 0
        for y in range(self.pool_rows):
            for x in range(self.touched[y, 0], self.touched[y, 1] + 1):
                self.open(y, x)

    cdef void add(self, index_t unit) noexcept nogil:
        # One input's spike, to all positions that have it in their field.
        cdef index_t cell = unit // self.channels, channel = unit % self.channels
        cdef index_t bottom = cell // self.columns + self.padding, right = cell % self.columns + self.padding
        cdef index_t left = max(right - self.kernel_size + 1, 0), last = min(right, self.out_columns - 1)
        cdef index_t y, top = max(bottom - self.kernel_size + 1, 0), low = min(bottom, self.out_rows - 1)
        cdef Py_ssize_t j, run = (last - left + 1) * self.n_filters
        cdef int32_t *potentials
        cdef const int8_t *weights
        if left > last or top > low:
            return
        self.n_added = self.n_added + run * (low - top + 1)
        for y in range(top, low + 1):
            potentials = &self.potentials[(<Py_ssize_t>y * self.out_columns + left) * self.n_filters]
            weights = &self.weights[channel, bottom - y, left - (right - self.kernel_size + 1), 0]
            for j in range(run):
                potentials[j] += weights[j]
        for y in range(top // self.size, low // self.size + 1):
            self.touched[y, 0] = min(self.touched[y, 0], left // self.size)
            self.touched[y, 1] = max(self.touched[y, 1], last // self.size)

    cdef void open(self, index_t y, index_t x) noexcept nogil:
        # Lets the units of one pool fire of which a position has crossed.
        cdef index_t first_unit = (y * self.pool_columns + x) * self.n_filters, f, row, column
        cdef Py_ssize_t first = (<Py_ssize_t>y * self.out_columns + x) * self.size, place
        cdef int32_t *limits = &self.limits[first_unit]
        cdef int32_t peak
        for f in range(self.n_filters):
            peak = 0
            for row in range(self.size):
                for column in range(self.size):
                    place = first + <Py_ssize_t>row * self.out_columns + column
                    peak = max(peak, self.potentials[place * self.n_filters + f])
            if peak > limits[f]:
                limits[f] = INT32_MAX
                self.fired[self.n_fired] = first_unit + f
                self.n_fired = self.n_fired + 1


@cython.final
cdef class IntegerNetwork:
    """Layers on top of each other, for one thread; a spike charges the next layer at the same level.

    Parameters
    ----------
    layers : sequence of IntegerKernel
        From the first to the output, which is dense. They are chained.
    max_time : float
        Time of silence, as float32 has it.
    n_levels : int
        Parts of ``max_time`` that spike times are told apart by.
    """

    def __init__(self, layers, double max_time, index_t n_levels):
        self.layers, self.max_time, self.n_levels = tuple(layers), max_time, n_levels
        self.first, self.output = self.layers[0], self.layers[len(self.layers) - 1]
        for below, above in zip(self.layers, self.layers[1:]):
            (<IntegerKernel>below).above = above

    def decide(
        self,
        SampleBatch batch,
        index_t n_per_class,
        index_t[::1] classes,
        index_t[::1] levels,
        index_t[::1] n_fired,
        int64_t[:, :, ::1] counts,
    ):
        """Find the class of each sample and when it is decided; nothing later is computed.

        Parameters
        ----------
        batch : SampleBatch
        n_per_class : int
            Output neurons of a class.
        classes : ndarray of int32, shape (n_samples,), output
        levels : ndarray of int32, shape (n_samples,), output
            ``n_levels`` where no output neuron fires; then the largest potential decides.
        n_fired : ndarray of int32, shape (n_samples,), output
            Output neurons that fire at that level.
        counts : ndarray of int64, shape (n_samples, n_layers, 2), output
            Spikes that each layer took, and weights that it added for them.
        """
        cdef Py_ssize_t i
        cdef Spikes spikes
        with nogil:
            while batch.next(&i, &spikes):
                levels[i] = self.run(&spikes)
                n_fired[i] = <index_t>self.output.n_fired
                classes[i] = self.winner() // n_per_class
                self.first.tell(&counts[i, 0, 0])
        batch.require_unchanged()

    cdef index_t run(self, const Spikes *spikes) noexcept nogil:
        # Level by level, up to the first output spike; returns its level.
        cdef Py_ssize_t k = 0
        cdef Group group
        cdef index_t now
        self.first.begin_all()
        while k < spikes.count:
            now = level_of(spikes.times[k], self.max_time, self.n_levels)
            group.units, group.count = spikes.inputs + k, 0
            while k < spikes.count and level_of(spikes.times[k], self.max_time, self.n_levels) == now:
                group.count += 1
                k += 1
            if self.first.take(&group):
                return now
        return self.n_levels

    cdef index_t winner(self) noexcept nogil:
        # Of the output neurons that fire, or of all if none does, the first with the largest potential.
        cdef const int32_t *potentials = &self.output.potentials[0]
        cdef Py_ssize_t k
        cdef index_t best = 0, j
        if self.output.n_fired == 0:
            for j in range(1, self.output.n_units):
                best = j if potentials[j] > potentials[best] else best
            return best
        best = self.output.fired[0]
        for k in range(1, self.output.n_fired):
            j = self.output.fired[k]
            best = j if potentials[j] > potentials[best] else best
        return best
