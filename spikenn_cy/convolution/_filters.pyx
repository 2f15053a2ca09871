"""Filters of a spiking convolution, laid out so that one input spike charges many of them at once."""
from libc.stdint cimport int16_t, int32_t

cimport cython
import numpy as np

from spikenn_cy.dtypes import INDEX, REAL
from spikenn_cy.kernels.convolution cimport (
    FIELD_GROUP, FIELD_WIDTH, Field, FilterBlock, FilterStep, QUANTISED_GROUP, QUANTISED_NEVER, QUANTISED_WIDTH,
    QuantisedBlock, convolution,
)
from spikenn_cy.types cimport real_t, stamp_t
from spikenn_cy.utils.alignment import aligned

cdef enum:
    QUANTISED_WEIGHTS = 200  # of a filter: with more, sums of rounded weights leave too many crossings open


@cython.final
cdef class Filters:
    """Weights and thresholds in blocks of up to 64 filters, padded with filters that cannot fire.

    Parameters
    ----------
    weights : ndarray of float32, shape (kernel rows, kernel columns, n_channels, n_filters)
    thresholds : ndarray of float32, shape (n_filters,)
    """
    def __init__(self, const real_t[:, :, :, ::1] weights, const real_t[::1] thresholds):
        cdef Py_ssize_t n_groups, block, groups, done = 0
        self.kernel_rows, self.kernel_columns = weights.shape[0], weights.shape[1]
        self.n_channels, self.n_filters = weights.shape[2], weights.shape[3]
        self.n_weights = self.kernel_rows * self.kernel_columns * self.n_channels
        n_groups = (self.n_filters + FIELD_GROUP - 1) // FIELD_GROUP
        self.n_blocks = (n_groups * FIELD_GROUP + FIELD_WIDTH - 1) // FIELD_WIDTH
        self.first_of = np.zeros(self.n_blocks + 1, INDEX)
        for block in range(self.n_blocks):
            groups = (n_groups - done) // (self.n_blocks - block)
            done += groups
            self.first_of[block + 1] = done * FIELD_GROUP
        padded = np.zeros((self.n_weights, n_groups * FIELD_GROUP), REAL)
        padded[:, :self.n_filters] = np.asarray(weights).reshape(self.n_weights, self.n_filters)
        self.blocks = in_blocks(padded, np.asarray(self.first_of))
        limits = np.full(n_groups * FIELD_GROUP, np.inf, REAL)
        limits[:self.n_filters] = thresholds
        self.limits = limits
        self.unseen = np.zeros(self.n_blocks, INDEX)
        self.moving = np.empty(self.n_weights, REAL)

    def freeze(self):
        """Let later calls of `fire` pass over what these weights and thresholds rule out; they must not change."""
        cdef Py_ssize_t block, first, end
        for block in range(self.n_blocks):
            first, end = self.first_of[block], self.first_of[block + 1]
            weights = np.asarray(self.blocks[first * self.n_weights:end * self.n_weights])
            # A potential of n spikes is at most n times the largest weight, but for rounding.
            largest = float(weights.max()) * (1 + 1e-4)
            least = float(np.min(self.limits[first:end]))
            # A threshold of 0 is reached with the first spike, whatever its weight.
            enough = least / largest if largest > 0 else np.inf if least > 0 else 0
            self.unseen[block] = max(0, min(int(min(enough, 4096)) - 1, self.n_weights))

    def weights(self):
        """Return the weights in the shape in which they came."""
        edges = np.asarray(self.first_of)
        parts = np.split(np.asarray(self.blocks), edges[1:self.n_blocks] * self.n_weights)
        whole = np.concatenate([part.reshape(self.n_weights, -1) for part in parts], axis=1)[:, :self.n_filters]
        shape = self.kernel_rows, self.kernel_columns, self.n_channels, self.n_filters
        return np.ascontiguousarray(whole).reshape(shape)

    def thresholds(self):
        """Return the thresholds."""
        return np.array(self.limits[:self.n_filters])

    cdef void fire(self, Py_ssize_t block, const Field *field, const real_t *limits, bint until_first,
                   int32_t *first) noexcept nogil:
        cdef FilterBlock filters
        filters.rows = &self.blocks[self.first_of[block] * self.n_weights]
        filters.thresholds = limits + self.first_of[block]
        filters.width = self.first_of[block + 1] - self.first_of[block]
        filters.too_few = self.unseen[block]
        convolution().fire_field[filters.width // FIELD_GROUP](
            &filters, field, until_first, first + self.first_of[block],
        )

    cdef void step(self, Py_ssize_t filter, const stamp_t *times, const FilterStep *step) noexcept nogil:
        cdef Py_ssize_t block = 0, width, i
        cdef real_t *weights
        while self.first_of[block + 1] <= filter:
            block += 1
        width = self.first_of[block + 1] - self.first_of[block]
        weights = &self.blocks[self.first_of[block] * self.n_weights + filter - self.first_of[block]]
        for i in range(self.n_weights):
            self.moving[i] = weights[i * width]
        convolution().step_filter(&self.moving[0], times, self.n_weights, step)
        for i in range(self.n_weights):
            weights[i * width] = self.moving[i]


@cython.final
cdef class QuantisedFilters:
    """Filters with weights of two bytes, which have the same first spikes as `Filters` for half the additions.

    Weights are rounded to a scale of each filter's own, so that all of them add up to what
    two bytes hold. Roundings up and down, added apart, bound the difference between such a
    sum and the potential. The exact weights are used only where the threshold lies within
    these bounds; with many weights a filter that happens too often.

    Parameters
    ----------
    filters : Filters
        Frozen by this, since they must not change any more.
    """
    def __init__(self, Filters filters):
        cdef Py_ssize_t n = filters.n_weights
        cdef Py_ssize_t n_padded = (filters.n_filters + QUANTISED_GROUP - 1) // QUANTISED_GROUP * QUANTISED_GROUP
        filters.freeze()
        columns, thresholds = np.zeros((n_padded, n), REAL), np.full(n_padded, np.inf, REAL)
        columns[:filters.n_filters] = filters.weights().reshape(n, filters.n_filters).T
        thresholds[:filters.n_filters] = filters.thresholds()
        self.n_weights, self.columns, self.thresholds = n, columns, thresholds

        exact = columns.astype(np.float64)
        total, limit = exact.sum(axis=1), thresholds.astype(np.float64)
        fires = limit <= total * (1 + 1e-4)      # a sum of floats is rounded up by much less
        # Rounding adds at most half a unit a weight.
        scale = np.divide(QUANTISED_NEVER - n, total, where=fires & (total > 0), out=np.zeros(n_padded))
        scaled = exact * scale[:, None]
        quantised = np.rint(scaled)
        above, below = np.maximum(quantised - scaled, 0).sum(axis=1), np.maximum(scaled - quantised, 0).sum(axis=1)
        # A sum of n real numbers, each at most QUANTISED_NEVER of these units, is rounded n times; and some to spare.
        rounding = n * QUANTISED_NEVER * 2.0 ** -24 * 1.01 + 0.01
        limit = np.where(fires, limit, 0) * scale
        silent_to, fired_above = np.ceil(limit - below - rounding) - 1, np.ceil(limit + above + rounding) - 1
        bounds = np.where(fires, np.clip([silent_to, fired_above], -1, QUANTISED_NEVER), QUANTISED_NEVER)
        self.bounds = bounds.astype(np.int16)

        edges = np.append(np.arange(0, n_padded, QUANTISED_WIDTH, INDEX), INDEX.type(n_padded))
        self.first_of, self.rows = edges, in_blocks(quantised.T.astype(np.int16), edges)
        self.unseen = min(filters.unseen)

    @staticmethod
    def serves(filters, Py_ssize_t n_inputs):
        """Return whether filters are small enough for this to pay, and ranks of spikes among so many inputs fit."""
        return filters.n_weights <= QUANTISED_WEIGHTS and n_inputs < QUANTISED_NEVER

    cdef void fire(self, Py_ssize_t block, const Field *field, int16_t *first) noexcept nogil:
        cdef Py_ssize_t start = self.first_of[block]
        cdef QuantisedBlock filters
        filters.rows = &self.rows[start * self.n_weights]
        filters.silent_to, filters.fired_above = &self.bounds[0, start], &self.bounds[1, start]
        filters.width, filters.too_few = self.first_of[block + 1] - start, self.unseen
        filters.columns, filters.n_weights = &self.columns[start, 0], self.n_weights
        filters.thresholds = &self.thresholds[start]
        convolution().fire_quantised[filters.width // QUANTISED_GROUP](&filters, field, first + start)


def in_blocks(rows, edges):
    """Return blocks of columns of a matrix, each with its rows one after the other, in memory that begins a line."""
    blocks = aligned(rows.size, rows.dtype)
    np.concatenate([block.ravel() for block in np.split(rows, edges[1:len(edges) - 1], axis=1)], out=blocks)
    return blocks
