"""The loops over pixels, receptive fields and training patches, which would take hours in Python."""
from libc.math cimport INFINITY
from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t
from libc.string cimport memcpy

cimport cython
import numpy as np

from spikenn_cy.dtypes import INDEX, REAL, STAMP
from spikenn_cy.features._filters cimport Filters, QuantisedFilters
from spikenn_cy.kernels.convolution cimport Field, FilterStep, QUANTISED_NEVER, ThresholdStep, convolution
from spikenn_cy.kernels.images cimport CORRELATE_STEP, Plane, image_kernels
from spikenn_cy.kernels.sort cimport c_insertion_sort, c_sort_pairs, c_spike_pair, pair_t
from spikenn_cy.types cimport index_t, real_t, stamp_t

cdef enum:
    NEVER = 0x7FFFFFFF       # rank of the spike of a filter that has none
    FEW = 200                # spikes up to which a patch is sorted by insertion

cdef float SILENT = 1        # time of an input or a feature that does not spike


@cython.final
cdef class FrontEnd:
    """Filter images, split them by sign and code them by latency.

    Parameters
    ----------
    shape : (int, int, int)
        Rows, columns and channels of an image.
    gray : bool
        Whether red, green and blue are made one plane first.
    kernels : ndarray of float32, shape (n_kernels, size, size)
        Of odd ``size``.
    takes, makes : ndarray of int32, shape (n_kernels,)
        Plane that each kernel is correlated with, and channel that the result is added to.
    """
    cdef readonly Py_ssize_t rows, columns, channels, n_made
    cdef bint gray
    cdef const real_t[:, :, ::1] kernels
    cdef const index_t[::1] takes, makes
    cdef Py_ssize_t stride, width
    cdef real_t[:, :, ::1] planes      # with a margin of repeated edges
    cdef real_t[:, :, ::1] sums
    cdef real_t[::1] value_of          # of a pixel

    def __init__(self, shape, bint gray, const real_t[:, :, ::1] kernels, const index_t[::1] takes,
                 const index_t[::1] makes):
        cdef Py_ssize_t margin = kernels.shape[1] - 1
        self.rows, self.columns, self.channels = shape
        self.gray, self.kernels, self.takes, self.makes = gray, kernels, takes, makes
        self.n_made = np.max(makes) + 1
        self.width = (self.columns + CORRELATE_STEP - 1) // CORRELATE_STEP * CORRELATE_STEP
        self.stride = self.width + margin
        self.planes = np.zeros((1 if gray else self.channels, self.rows + margin, self.stride), REAL)
        self.sums = np.zeros((self.n_made, self.rows, self.width), REAL)
        self.value_of = np.arange(256, dtype=REAL) / REAL.type(255)

    def filter(self, const uint8_t[:, :, :, ::1] images, real_t[:, :, :, ::1] values):
        """Write the filtered images.

        Parameters
        ----------
        images : ndarray of uint8, shape (n, rows, columns, channels)
        values : ndarray of float32, shape (n, rows, columns, n_made)
            Written.
        """
        cdef Py_ssize_t i
        with nogil:
            for i in range(images.shape[0]):
                self.fill_planes(images, i)
                self.correlate(values, i)

    cdef void fill_planes(self, const uint8_t[:, :, :, ::1] images, Py_ssize_t i) noexcept nogil:
        cdef Py_ssize_t margin = self.kernels.shape[1] // 2
        cdef Py_ssize_t x, y, z
        cdef real_t *row
        for z in range(self.planes.shape[0]):
            for x in range(self.rows):
                row = &self.planes[z, x + margin, margin]
                if self.gray:
                    for y in range(self.columns):
                        row[y] = (<real_t>0.2989 * self.value_of[images[i, x, y, 0]]
                                  + <real_t>0.5870 * self.value_of[images[i, x, y, 1]]) \
                            + <real_t>0.1140 * self.value_of[images[i, x, y, 2]]
                else:
                    for y in range(self.columns):
                        row[y] = self.value_of[images[i, x, y, z]]
                for y in range(margin):
                    row[y - margin] = row[0]
                    row[self.columns + y] = row[self.columns - 1]
            for x in range(margin):
                memcpy(&self.planes[z, x, 0], &self.planes[z, margin, 0], self.stride * sizeof(real_t))
                memcpy(&self.planes[z, margin + self.rows + x, 0], &self.planes[z, margin + self.rows - 1, 0],
                       self.stride * sizeof(real_t))

    cdef void correlate(self, real_t[:, :, :, ::1] values, Py_ssize_t i) noexcept nogil:
        cdef Py_ssize_t n, x, y, z
        cdef Plane plane
        plane.stride, plane.n_rows, plane.n_columns = self.stride, self.rows, self.width
        self.sums[:] = 0
        for n in range(self.kernels.shape[0]):
            plane.values = &self.planes[self.takes[n], 0, 0]
            image_kernels().correlate(
                &plane, &self.kernels[n, 0, 0], self.kernels.shape[1], &self.sums[self.makes[n], 0, 0],
            )
        for x in range(self.rows):
            for y in range(self.columns):
                for z in range(self.n_made):
                    values[i, x, y, z] = self.sums[z, x, y]


def encode(const real_t[:, :, :, ::1] values, const real_t[:, :, ::1] low, const real_t[:, :, ::1] span, bint late,
           stamp_t[:, :, :, ::1] times):
    """Write the spike times of filtered images.

    Parameters
    ----------
    values : ndarray of float32, shape (n, rows, columns, channels)
    low, span : ndarray of float32, shape (rows, columns, 2 * channels)
        Value of each feature that is scaled to 0, and distance to the one scaled to 1.
    late : bool
        Whether a feature below ``low`` spikes, after 1.
    times : ndarray of float32, shape (n, rows, columns, 2 * channels)
        Written; a silent input is at 1.
    """
    cdef Py_ssize_t i
    with nogil:
        for i in range(values.shape[0]):
            image_kernels().encode(
                &values[i, 0, 0, 0], low.shape[0] * low.shape[1] * values.shape[3], &low[0, 0, 0], &span[0, 0, 0],
                late, &times[i, 0, 0, 0],
            )


@cython.final
cdef class Convolution:
    """First spikes of the filters at all positions of an image, and their pooling. For one thread at a time.

    Parameters
    ----------
    filters : Filters
    rows, columns : int
        Of an image.
    pool : int
        Side of a pooling window.
    end : float
        Time from which on an input is silent; at 1 it always is.
    compete : bool
        Whether the spike that makes the first filter fire is the last one that a position sees.
    quantised : QuantisedFilters, optional
        Of these filters, if it serves so many inputs and nothing competes; is asked first, for the same outcome.
    """
    cdef Filters filters
    cdef QuantisedFilters quantised    # or None
    cdef readonly Py_ssize_t rows, columns, pool, rows_made, columns_made, n_filters
    cdef stamp_t end
    cdef bint compete
    cdef int key_bits
    cdef Py_ssize_t room               # for the spikes of a receptive field
    cdef index_t[::1] row_number, column_number, base   # of each input
    cdef pair_t[:, ::1] pairs          # spikes of an image: time and input; twice
    cdef index_t[::1] row_of           # by rank of the spike: row of weights, before the position's offset
    cdef stamp_t[::1] time_of
    cdef index_t[:, ::1] fields        # ranks of the spikes at each position
    cdef index_t[::1] counts
    cdef const index_t[::1] first_of   # first filter of those whose features are found together
    cdef index_t[::1] first            # rank at which each filter fires
    cdef index_t[::1] first_here
    cdef int16_t[::1] first_quantised

    def __init__(self, Filters filters, Py_ssize_t rows, Py_ssize_t columns, Py_ssize_t pool, stamp_t end,
                 bint compete, QuantisedFilters quantised=None):
        cdef Py_ssize_t n_inputs = rows * columns * filters.n_channels
        cdef Py_ssize_t n_padded = filters.limits.shape[0]
        filters.freeze()
        self.filters, self.rows, self.columns, self.pool = filters, rows, columns, pool
        self.end, self.compete, self.n_filters = end, compete, filters.n_filters
        self.key_bits = 30 if end <= 1 else 31
        self.rows_made = (rows - filters.kernel_rows + 1) // pool
        self.columns_made = (columns - filters.kernel_columns + 1) // pool
        self.room = filters.n_weights
        x, y, z = (axis.ravel().astype(INDEX) for axis in np.indices((rows, columns, filters.n_channels)))
        self.row_number, self.column_number = x, y
        self.base = (x * INDEX.type(filters.kernel_columns) + y) * INDEX.type(filters.n_channels) + z
        self.pairs = np.empty((2, n_inputs), np.uint64)
        self.row_of, self.time_of = np.empty(n_inputs, INDEX), np.empty(n_inputs, STAMP)
        n_positions = self.rows_made * self.columns_made * pool * pool
        self.fields, self.counts = np.empty((n_positions, self.room), INDEX), np.empty(n_positions, INDEX)
        self.first, self.first_here = np.empty(n_padded, INDEX), np.empty(n_padded, INDEX)
        self.first_of = np.array([0, filters.n_filters], INDEX) if compete else filters.first_of
        if quantised is not None:
            if compete or not QuantisedFilters.serves(filters, n_inputs):
                raise ValueError(f"quantised filters for {n_inputs} inputs, {compete=}")
            self.quantised, self.first_of = quantised, quantised.first_of
            self.first_quantised = np.empty(quantised.thresholds.shape[0], np.int16)

    def fire(self, const stamp_t[:, :, :, ::1] times, stamp_t[:, :, :, ::1] features):
        """Write the pooled first-spike times.

        Parameters
        ----------
        times : ndarray of float32, shape (n, rows, columns, n_channels)
            All >= 0.
        features : ndarray of float32, shape (n, rows // pool, columns // pool, n_filters)
            Written, rows and columns being those of the convolution; a silent feature is at 1.
        """
        cdef Py_ssize_t i
        with nogil:
            for i in range(times.shape[0]):
                self.distribute(self.collect(&times[i, 0, 0, 0]))
                self.pool_windows(features, i)

    cdef Py_ssize_t collect(self, const stamp_t *times) noexcept nogil:
        """Put the spikes of an image into order, by time and then by input, and return their number."""
        cdef pair_t *pairs = &self.pairs[0, 0]
        cdef Py_ssize_t n = 0, i, k
        cdef stamp_t end = self.end
        for i in range(self.base.shape[0]):
            # Written always and kept if it fires: a branch would be guessed wrong.
            pairs[n] = c_spike_pair(times[i], i)
            n += (times[i] < end) & (times[i] != SILENT)
        pairs = c_sort_pairs(pairs, &self.pairs[1, 0], n, self.key_bits)
        for k in range(n):
            i = <index_t>pairs[k]
            self.row_of[k] = self.base[i]
            self.time_of[k] = times[i]
            pairs[k] = i
        if pairs != &self.pairs[0, 0]:
            memcpy(&self.pairs[0, 0], pairs, n * sizeof(pair_t))
        return n

    cdef void distribute(self, Py_ssize_t n) noexcept nogil:
        """Give each position the list of the spikes in its receptive field."""
        cdef Py_ssize_t positions_down = self.rows_made * self.pool, positions_across = self.columns_made * self.pool
        cdef Py_ssize_t x, y, i, k, position
        cdef Py_ssize_t top, left, bottom, right
        self.counts[:] = 0
        for k in range(n):
            i = self.pairs[0, k]
            x, y = self.row_number[i], self.column_number[i]
            top, bottom = max(0, x - self.filters.kernel_rows + 1), min(x + 1, positions_down)
            left, right = max(0, y - self.filters.kernel_columns + 1), min(y + 1, positions_across)
            for x in range(top, bottom):
                for position in range(x * positions_across + left, x * positions_across + right):
                    self.fields[position, self.counts[position]] = k
                    self.counts[position] = self.counts[position] + 1

    cdef void pool_windows(self, stamp_t[:, :, :, ::1] features, Py_ssize_t i) noexcept nogil:
        cdef Py_ssize_t block, x, y, j
        # Block by block, so that the weights of one stay in the L1 cache.
        for block in range(self.first_of.shape[0] - 1):
            for x in range(self.rows_made):
                for y in range(self.columns_made):
                    if self.compete:
                        self.fire_competing(x, y)
                    else:
                        self.fire_window(block, x, y)
                    for j in range(self.first_of[block], min(self.n_filters, self.first_of[block + 1])):
                        features[i, x, y, j] = SILENT if self.first[j] == NEVER else self.time_of[self.first[j]]

    cdef void fire_window(self, Py_ssize_t block, Py_ssize_t x, Py_ssize_t y) noexcept nogil:
        cdef Py_ssize_t begin = self.first_of[block], end = self.first_of[block + 1]
        cdef index_t *first = &self.first[0]
        cdef int16_t *quantised = NULL if self.quantised is None else &self.first_quantised[0]
        cdef Py_ssize_t a, b, j
        for j in range(begin, min(self.n_filters, end)):
            first[j] = NEVER
        if quantised != NULL:
            for j in range(begin, end):
                quantised[j] = QUANTISED_NEVER
        for a in range(x * self.pool, (x + 1) * self.pool):
            for b in range(y * self.pool, (y + 1) * self.pool):
                self.fire_position(block, a, b, first)
        if quantised != NULL:
            for j in range(begin, min(self.n_filters, end)):
                first[j] = NEVER if quantised[j] == QUANTISED_NEVER else <index_t>quantised[j]

    cdef void fire_competing(self, Py_ssize_t x, Py_ssize_t y) noexcept nogil:
        cdef Py_ssize_t a, b, block, j
        cdef index_t earliest
        self.first[:] = NEVER
        for a in range(x * self.pool, (x + 1) * self.pool):
            for b in range(y * self.pool, (y + 1) * self.pool):
                self.first_here[:] = NEVER
                for block in range(self.filters.n_blocks):
                    self.fire_position(block, a, b, &self.first_here[0])
                earliest = NEVER
                for j in range(self.filters.n_filters):
                    earliest = min(earliest, self.first_here[j])
                for j in range(self.filters.n_filters):
                    if self.first_here[j] == earliest:
                        self.first[j] = min(self.first[j], earliest)

    cdef void fire_position(self, Py_ssize_t block, Py_ssize_t x, Py_ssize_t y, index_t *first) noexcept nogil:
        cdef Py_ssize_t position = x * self.columns_made * self.pool + y, count = self.counts[position]
        cdef Field field
        field.ranks, field.count, field.row_of = &self.fields[position, 0], count, &self.row_of[0]
        field.offset = <index_t>((x * self.filters.kernel_columns + y) * self.filters.n_channels)
        if self.quantised is not None:
            if count > self.quantised.unseen:
                self.quantised.fire(block, &field, &self.first_quantised[0])
        elif count > self.filters.unseen[block]:
            self.filters.fire(block, &field, &self.filters.limits[0], False, first)


@cython.final
cdef class Learner:
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
    cdef real_t[::1] weights           # of the winner
    cdef pair_t[:, ::1] pairs
    cdef index_t[::1] row_of, ranks, first
    cdef real_t[::1] limits

    def __init__(self, Filters filters, const real_t[:, :, ::1] low, const real_t[:, :, ::1] span, bint late,
                 bint strict):
        self.filters, self.low, self.span, self.late, self.strict = filters, low, span, late, strict
        self.end = np.inf if late else 1
        self.times, self.weights = np.empty(filters.n_weights, STAMP), np.empty(filters.n_weights, REAL)
        self.pairs = np.empty((2, filters.n_weights), np.uint64)
        self.row_of, self.ranks = np.empty(filters.n_weights, INDEX), np.arange(filters.n_weights, dtype=INDEX)
        self.first, self.limits = np.empty(filters.limits.shape[0], INDEX), np.array(filters.limits)

    def learn(self, const real_t[:, :, :, ::1] values, const int64_t[:, ::1] offsets, real_t potentiate,
              real_t depress, real_t beta, real_t decay, real_t threshold_rate, real_t target, bint timed,
              real_t least):
        """Learn from one patch of each image, in order.

        Parameters
        ----------
        values : ndarray of float32, shape (n, rows, columns, channels)
            Filtered images, not yet split by sign.
        offsets : ndarray of int64, shape (n, 2)
            First row and column of each patch.
        potentiate, depress, beta, decay : float
            Of STDP; ``decay`` 0 makes it multiplicative.
        threshold_rate, target, least : float
            Rate at which thresholds adapt, time at which the winner should fire, least threshold.
        timed : bool
            Whether there is a ``target``.

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
        cdef real_t share = 0
        if filters.n_filters > 1:
            share = threshold_rate / <real_t>(filters.n_filters - 1)
        step.potentiate, step.depress, step.beta, step.tau = potentiate, depress, beta, decay
        thresholds.reward, thresholds.share, thresholds.least = threshold_rate, share, least
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
                self.move(winner, &step)
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

    cdef void move(self, Py_ssize_t winner, const FilterStep *step) noexcept nogil:
        """Apply STDP to the weights of the winner."""
        cdef Py_ssize_t block = 0, width, i
        cdef real_t *weights
        while self.filters.first_of[block + 1] <= winner:
            block += 1
        width = self.filters.first_of[block + 1] - self.filters.first_of[block]
        weights = &self.filters.blocks[
            self.filters.first_of[block] * self.filters.n_weights + winner - self.filters.first_of[block]
        ]
        for i in range(self.filters.n_weights):
            self.weights[i] = weights[i * width]
        convolution().step_filter(&self.weights[0], &self.times[0], self.filters.n_weights, step)
        for i in range(self.filters.n_weights):
            weights[i * width] = self.weights[i]


cdef real_t c_next_above(real_t x) noexcept nogil:
    """Return the next float above a number >= 0."""
    cdef int32_t bits
    x = x + 0                # -0.0 becomes 0.0
    memcpy(&bits, &x, sizeof(real_t))
    bits += 1
    memcpy(&x, &bits, sizeof(real_t))
    return x


def exps(const real_t[::1] x):
    """Return exp(x) as STDP computes it, for x <= 0."""
    values = np.empty(x.shape[0], REAL)
    cdef real_t[::1] out = values
    if x.shape[0]:
        convolution().exps(&x[0], x.shape[0], &out[0])
    return values
