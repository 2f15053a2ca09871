"""A convolution with shared weights and pooling by the first spike that learns event by event."""
import cython

from libc.math cimport INFINITY
from libc.string cimport memcpy, memset

import numpy as np

from spikenn_cy.dtypes import INDEX, REAL
from spikenn_cy.kernels.events cimport UNIT_LANES, Group, Pool, Silent, events
from spikenn_cy.layers._base cimport EventLayer, Events
from spikenn_cy.types cimport index_t, real_t, stamp_t
from spikenn_cy.utils.alignment import aligned


ctypedef struct Field:                 # of one input: positions (y, x) that it charges, first and last
    index_t channel
    index_t top
    index_t bottom
    index_t left
    index_t right
    index_t row                        # of the kernel, for the top position
    index_t place                      # in that row, for the left position


@cython.final
cdef class ConvEvents(EventLayer):
    """Filters at every position of an image; a pooled unit fires with its first position and absorbs the others.

    A position's potentials of all filters lie side by side, positions row by row. A kernel's rows lie from right to
    left, so that the positions that an input charges in one row are one run of potentials and one of weights.

    Parameters
    ----------
    position : int
        Of the layer in its network.
    input_shape : tuple of int
        Rows, columns, channels; input ``(y * columns + x) * channels + c``.
    shape : tuple of int
        ``(n_filters, kernel_size, padding, pool)``.
    weights : ndarray of float32, shape (channels, kernel_size, kernel_size, n_padded)
        ``[c, dy, kernel_size - 1 - dx, f]``, 0 beyond the filters; changed in place.
    thresholds : ndarray of float32, shape (n_padded,)
        Of the filters, 1 beyond them.
    window : float
        Width of the surrogate derivative around the threshold, as a share of it.
    """

    cdef index_t rows, columns, channels            # of the input
    cdef index_t n_filters, kernel_size, padding, size
    cdef index_t pool_rows, pool_columns            # of units
    cdef index_t out_rows, out_columns              # of positions that belong to a unit
    cdef Py_ssize_t n_lanes                         # filters, padded
    cdef double window
    cdef real_t[:, :, :, ::1] weights
    cdef real_t[::1] thresholds
    cdef real_t[::1] potentials                     # of each position, of each filter
    cdef real_t[::1] errors                         # likewise; what a position moves its field's weights by
    cdef real_t[:, ::1] limits                      # of each pool, of each filter: inf if it has fired
    cdef real_t[::1] at_rest                        # limits of a pool of which none has
    cdef index_t[::1] openers                       # of each unit that fired: the position
    cdef real_t[::1] spike_potentials               # and its potential then
    cdef index_t[:, ::1] touched                    # of each row of pools: first and last column that was charged
    cdef index_t[::1] crossed
    cdef real_t[::1] peaks
    cdef index_t[::1] places

    def __init__(self, index_t position, input_shape, shape, weights, thresholds, double window):
        self.rows, self.columns, self.channels = input_shape
        self.n_filters, self.kernel_size, self.padding, self.size = shape
        self.pool_rows = (self.rows + 2 * self.padding - self.kernel_size + 1) // self.size
        self.pool_columns = (self.columns + 2 * self.padding - self.kernel_size + 1) // self.size
        self.out_rows, self.out_columns = self.pool_rows * self.size, self.pool_columns * self.size
        n_pools = self.pool_rows * self.pool_columns
        super().__init__(position, self.rows * self.columns * self.channels, n_pools * self.n_filters)
        self.credit = aligned(self.n_padded + UNIT_LANES, REAL)     # the last pool's is read for padded filters, too
        self.weights, self.thresholds, self.window = weights, thresholds, window
        self.n_lanes = weights.shape[3]
        self.potentials = aligned(self.out_rows * self.out_columns * self.n_lanes, REAL)
        self.errors = aligned(self.out_rows * self.out_columns * self.n_lanes, REAL)
        self.limits = aligned((n_pools, self.n_lanes), REAL)
        self.at_rest = aligned(self.n_lanes, REAL)
        self.openers, self.spike_potentials = np.zeros(self.n_units, INDEX), np.zeros(self.n_units, REAL)
        self.touched = np.zeros((self.pool_rows, 2), INDEX)
        self.crossed = np.zeros(self.n_lanes + 1, INDEX)
        self.peaks, self.places = aligned(self.n_lanes, REAL), aligned(self.n_lanes, INDEX)

    cdef void begin(self) noexcept nogil:
        cdef Py_ssize_t pool, f
        EventLayer.begin(self)
        memset(&self.potentials[0], 0, self.potentials.shape[0] * sizeof(real_t))
        for f in range(self.n_lanes):
            self.at_rest[f] = self.thresholds[f] if f < self.n_filters else INFINITY
        for pool in range(self.limits.shape[0]):
            memcpy(&self.limits[pool, 0], &self.at_rest[0], self.n_lanes * sizeof(real_t))

    cdef bint field_of(self, index_t unit, Field *field) noexcept nogil:
        # Returns whether any position has the input in its field.
        cdef index_t cell = unit // self.channels
        cdef index_t bottom = cell // self.columns + self.padding, right = cell % self.columns + self.padding
        cdef index_t top = bottom - self.kernel_size + 1, left = right - self.kernel_size + 1
        field.channel = unit % self.channels
        field.top, field.bottom = max(top, 0), min(bottom, self.out_rows - 1)
        field.left, field.right = max(left, 0), min(right, self.out_columns - 1)
        field.row, field.place = bottom - field.top, field.left - left
        return field.top <= field.bottom and field.left <= field.right

    cdef Py_ssize_t charge(self, const Group *group, stamp_t now) noexcept nogil:
        cdef Py_ssize_t run, k, n_crossed = 0
        cdef index_t y, first, last
        cdef Field field
        for y in range(self.pool_rows):
            self.touched[y, 0], self.touched[y, 1] = self.pool_columns, -1
        for k in range(group.count):
            if not self.field_of(group.inputs[k], &field):
                continue
            run = (field.right - field.left + 1) * self.n_lanes
            for y in range(field.top, field.bottom + 1):
                events().add(
                    &self.potentials[(y * self.out_columns + field.left) * self.n_lanes],
                    &self.weights[field.channel, field.row - (y - field.top), field.place, 0], run
                )
            first, last = field.left // self.size, field.right // self.size
            for y in range(field.top // self.size, field.bottom // self.size + 1):
                self.touched[y, 0], self.touched[y, 1] = min(self.touched[y, 0], first), max(self.touched[y, 1], last)
        for y in range(self.pool_rows):
            for first in range(self.touched[y, 0], self.touched[y, 1] + 1):
                n_crossed += self.open(y, first, now)
        return n_crossed

    cdef Pool pool(self, index_t y, index_t x) noexcept nogil:
        cdef Pool pool
        pool.potentials = &self.potentials[(y * self.out_columns + x) * self.size * self.n_lanes]
        pool.stride, pool.n_filters, pool.size = self.out_columns * self.n_lanes, self.n_lanes, self.size
        return pool

    cdef Py_ssize_t open(self, index_t y, index_t x, stamp_t now) noexcept nogil:
        # Lets the units of one pool fire whose positions have crossed.
        cdef Pool pool = self.pool(y, x)
        cdef index_t cell = y * self.pool_columns + x, f, unit, place
        cdef Py_ssize_t n = events().open(&pool, &self.limits[cell, 0], &self.crossed[0]), k
        for k in range(n):
            f = self.crossed[k]
            unit = cell * self.n_filters + f
            place = self.opener(y, x, f, self.limits[cell, f])
            self.openers[unit], self.spike_potentials[unit] = place, self.potentials[place * self.n_lanes + f]
            self.limits[cell, f] = INFINITY
            self.fire(unit, now)
        return n

    cdef index_t opener(self, index_t y, index_t x, index_t f, real_t limit) noexcept nogil:
        # The first position of a pool that is above its limit: row by row.
        cdef index_t first = (y * self.out_columns + x) * self.size, row, column
        for row in range(self.size):
            for column in range(self.size):
                if self.potentials[(first + row * self.out_columns + column) * self.n_lanes + f] > limit:
                    return first + row * self.out_columns + column
        return first

    cdef void take_credit(self) noexcept nogil:
        # A unit's credit goes to one position. Silent units learn by their largest potential; the error of one that
        # fired begins to count with the inputs that were causal to it.
        cdef Pool pool
        cdef Silent silent
        cdef index_t y, x
        cdef Py_ssize_t cell, k
        for k in range(self.n_lost):
            self.credit[self.lost[k]] = 0
        silent.thresholds, silent.window, silent.rate = &self.thresholds[0], <float>self.window, self.rate
        for y in range(self.pool_rows):
            for x in range(self.pool_columns):
                pool, cell = self.pool(y, x), y * self.pool_columns + x
                silent.limits, silent.credit = &self.limits[cell, 0], &self.credit[cell * self.n_filters]
                events().blame_silent(&pool, &silent, &self.errors[pool.potentials - &self.potentials[0]])

    cdef real_t step(self, index_t unit, index_t f, real_t potential) noexcept nogil:
        cdef real_t width = <real_t>self.window * self.thresholds[f]
        cdef real_t x = (potential - self.thresholds[f]) / width
        cdef real_t error = self.credit[unit] / (1 + x * x)
        return <real_t>(self.rate * error)

    cdef void learn(self, const Events *inputs) noexcept nogil:
        # From the last input back: a unit that fired begins to learn with those that spiked no later than it did.
        cdef Py_ssize_t left = self.fired.count, run, k
        cdef index_t unit, f, y
        cdef Py_ssize_t place
        cdef Field field
        for k in range(inputs.count - 1, -1, -1):
            while left > 0 and self.fired.times[left - 1] >= inputs.times[k]:
                left -= 1
                unit = self.fired.units[left]
                f = unit % self.n_filters
                place = self.openers[unit] * self.n_lanes + f
                self.errors[place] = self.step(unit, f, self.potentials[place])
            if not self.field_of(inputs.units[k], &field):
                continue
            run = (field.right - field.left + 1) * self.n_lanes
            for y in range(field.top, field.bottom + 1):
                events().add(
                    &self.weights[field.channel, field.row - (y - field.top), field.place, 0],
                    &self.errors[(y * self.out_columns + field.left) * self.n_lanes], run
                )

    cdef void read(self, stamp_t[::1] times, real_t[::1] potentials, stamp_t silent) noexcept nogil:
        cdef Py_ssize_t k
        cdef index_t y, x, cell, f, unit
        cdef Pool pool
        for y in range(self.pool_rows):
            for x in range(self.pool_columns):
                pool, cell = self.pool(y, x), y * self.pool_columns + x
                events().peak(&pool, &self.peaks[0], &self.places[0])
                for f in range(self.n_filters):
                    times[cell * self.n_filters + f] = silent
                    potentials[cell * self.n_filters + f] = self.peaks[f]
        for k in range(self.fired.count):
            unit = self.fired.units[k]
            times[unit], potentials[unit] = self.fired.times[k], self.spike_potentials[unit]
