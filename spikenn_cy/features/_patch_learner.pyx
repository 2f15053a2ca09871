"""Learning from patches of images, which would take hours in Python."""
from libc.math cimport INFINITY
from libc.stdint cimport int32_t, int64_t
from libc.string cimport memcpy

cimport cython
import numpy as np

from spikenn_cy.convolution._filters cimport NEVER, SILENT, Filters
from spikenn_cy.dtypes import INDEX, STAMP
from spikenn_cy.kernels.convolution cimport Field, FilterStep, ThresholdStep, convolution
from spikenn_cy.kernels.images cimport image_kernels
from spikenn_cy.kernels.sort cimport c_insertion_sort, c_sort_pairs, c_spike_pair, pair_t
from spikenn_cy.types cimport index_t, real_t, stamp_t

cdef enum:
    FEW = 200                # spikes up to which a patch is sorted by insertion


@cython.final
cdef class PatchLearner:
    """STDP with winner-takes-all on one patch of each image, and the adaptation of thresholds.

    Parameters
    ----------
    filters : Filters
        Changed in place.
    low, span : ndarray of float32, shape (rows, columns, n_channels)
        As for `encode`.
    late : bool
    strict : bool
        Whether a potential must exceed its threshold, and not only reach it.
    """
    cdef Filters filters
    cdef const real_t[:, :, ::1] low, span
    cdef bint late, strict
    cdef stamp_t end
    cdef stamp_t[::1] times            # of the patch
    cdef pair_t[:, ::1] pairs
    cdef index_t[::1] row_of, ranks, first
    cdef real_t[::1] limits

    def __init__(self, Filters filters, const real_t[:, :, ::1] low, const real_t[:, :, ::1] span, bint late,
                 bint strict):
        self.filters, self.low, self.span, self.late, self.strict = filters, low, span, late, strict
        self.end = np.inf if late else 1
        self.times = np.empty(filters.n_weights, STAMP)
        self.pairs = np.empty((2, filters.n_weights), np.uint64)
        self.row_of, self.ranks = np.empty(filters.n_weights, INDEX), np.arange(filters.n_weights, dtype=INDEX)
        self.first, self.limits = np.empty(filters.limits.shape[0], INDEX), np.array(filters.limits)

    def learn(self, const real_t[:, :, :, ::1] values, const int64_t[:, ::1] offsets, rule):
        """Learn from one patch of each image, in order.

        Parameters
        ----------
        values : ndarray of float32, shape (n, rows, columns, channels)
            Filtered images, not yet split by sign.
        offsets : ndarray of int64, shape (n, 2)
            First row and column of each patch.
        rule : PatchRule

        Returns
        -------
        int
            Number of patches that made a filter fire.
        """
        cdef Filters filters = self.filters
        cdef FilterStep step
        cdef ThresholdStep thresholds
        cdef Py_ssize_t p, n, winner, n_fired = 0
        cdef index_t rank = 0
        cdef bint timed = rule.target is not None
        cdef real_t threshold_rate = rule.threshold_rate, target = rule.target if timed else 0
        step.potentiate, step.depress, step.beta, step.tau = rule.potentiate, rule.depress, rule.beta, rule.tau
        thresholds.reward, thresholds.share, thresholds.least = threshold_rate, 0, rule.least
        if filters.n_filters > 1:
            thresholds.share = threshold_rate / <real_t>(filters.n_filters - 1)
        with nogil:
            for p in range(values.shape[0]):
                n = self.collect(values, p, offsets[p, 0], offsets[p, 1])
                winner = self.find_winner(n, &rank)
                if winner < 0:
                    continue
                n_fired += 1
                step.spike = self.times[self.row_of[rank]]
                thresholds.delay = threshold_rate * (step.spike - target) if timed else 0
                convolution().step_thresholds(&filters.limits[0], filters.n_filters, winner, &thresholds)
                filters.step(winner, &self.times[0], &step)
        return n_fired

    cdef Py_ssize_t collect(self, const real_t[:, :, :, ::1] values, Py_ssize_t image, Py_ssize_t x,
                            Py_ssize_t y) noexcept nogil:
        """Code a patch and put its spikes into order, by time and then by input; return their number."""
        cdef Py_ssize_t across = self.filters.kernel_columns
        cdef pair_t *pairs = &self.pairs[0, 0]
        cdef Py_ssize_t n = 0, a, i
        cdef bint fires
        for a in range(self.filters.kernel_rows):
            image_kernels().encode(
                &values[image, x + a, y, 0], across * values.shape[3], &self.low[x + a, y, 0], &self.span[x + a, y, 0],
                self.late, &self.times[a * across * self.filters.n_channels],
            )
        for i in range(self.filters.n_weights):
            fires = (self.times[i] < self.end) & (self.times[i] != SILENT)
            pairs[n] = c_spike_pair(self.times[i], i)
            n += fires
            self.times[i] = self.times[i] if fires else <stamp_t>INFINITY
        if n <= FEW:
            c_insertion_sort(pairs, n)
        else:
            pairs = c_sort_pairs(pairs, &self.pairs[1, 0], n, 31)
        for i in range(n):
            self.row_of[i] = <index_t>pairs[i]
        return n

    cdef Py_ssize_t find_winner(self, Py_ssize_t n, index_t *rank) noexcept nogil:
        """Return the lowest of the filters that fire first, or -1, and the rank of the spike that makes it."""
        cdef real_t *limits = &self.filters.limits[0]
        cdef Py_ssize_t block, j, winner = -1
        cdef Field field
        field.ranks, field.count, field.row_of, field.offset = &self.ranks[0], n, &self.row_of[0], 0
        if self.strict:
            limits = &self.limits[0]
            for j in range(self.filters.n_filters):
                limits[j] = c_next_above(self.filters.limits[j])
        self.first[:] = NEVER
        rank[0] = NEVER
        for block in range(self.filters.n_blocks):
            self.filters.fire(block, &field, limits, True, &self.first[0])
            for j in range(self.filters.first_of[block], self.filters.first_of[block + 1]):
                if self.first[j] < rank[0]:
                    rank[0] = self.first[j]
                    winner = j
                    field.count = rank[0] + 1      # later spikes come too late for the next block
        return winner


cdef real_t c_next_above(real_t x) noexcept nogil:
    """Return the next float above a number >= 0."""
    cdef int32_t bits
    x = x + 0                # -0.0 becomes 0.0
    memcpy(&bits, &x, sizeof(real_t))
    bits += 1
    memcpy(&x, &bits, sizeof(real_t))
    return x
