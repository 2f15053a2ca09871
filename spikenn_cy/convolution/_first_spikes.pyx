"""First spikes of filters at all positions of an image, and their pooling."""
from libc.stdint cimport int16_t
from libc.string cimport memcpy

cimport cython
import numpy as np

from spikenn_cy.convolution._filters cimport NEVER, SILENT, Filters, QuantisedFilters
from spikenn_cy.dtypes import INDEX, STAMP
from spikenn_cy.kernels.convolution cimport Field, QUANTISED_NEVER
from spikenn_cy.kernels.sort cimport c_sort_pairs, c_spike_pair, pair_t
from spikenn_cy.types cimport index_t, stamp_t


@cython.final
cdef class Convolution:
    """First spikes of the filters at all positions of an image, and their pooling. For one thread at a time.

    Parameters
    ----------
    filters : Filters
    shape : (int, int)
        Rows and columns of an image.
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

    def __init__(self, Filters filters, shape, Py_ssize_t pool, stamp_t end, bint compete,
                 QuantisedFilters quantised=None):
        cdef Py_ssize_t rows = shape[0], columns = shape[1], n_inputs = rows * columns * filters.n_channels
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
