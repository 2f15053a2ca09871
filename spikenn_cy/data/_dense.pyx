"""Dense rows of spike times into lists of spikes and back, one row at a time."""
from libc.stdint cimport INT32_MIN as MINUS_ZERO
from libc.stdint cimport int32_t, uint32_t
from libc.stdlib cimport free, malloc

cimport cython

from spikenn_cy.data._block cimport Block
from spikenn_cy.kernels.sort cimport c_sort_pairs, pair_t
from spikenn_cy.types cimport index_t, offset_t, stamp_t

cdef enum:
    INFINITE = 0x7F800000    # bits of +inf; above lie NaN and, read as unsigned, all negative numbers


@cython.final
cdef class SpikeCollector:
    """Collect the spikes of dense rows, a chunk of rows at a time.

    Parameters
    ----------
    n_inputs : int
        Length of a row.
    end : int
        Bits of the float32 time from which on an input is silent.
    """
    cdef Block inputs
    cdef Block times
    cdef pair_t *pairs       # of one row, twice
    cdef readonly Py_ssize_t n_spikes
    cdef Py_ssize_t n_inputs
    cdef int32_t end
    cdef int time_bits

    def __cinit__(self, Py_ssize_t n_inputs, int32_t end):
        self.inputs, self.times = Block(), Block()
        self.n_inputs, self.end = n_inputs, end
        self.time_bits = end.bit_length()
        self.pairs = <pair_t *>malloc(2 * n_inputs * sizeof(pair_t))
        if self.pairs == NULL:
            raise MemoryError(f"{n_inputs} inputs")

    def __dealloc__(self):
        free(self.pairs)

    def add(self, const int32_t[:, ::1] rows, offset_t[::1] ends):
        """Add the spikes of ``rows``, sorted by (time, input), a list each.

        Parameters
        ----------
        rows : ndarray of int32, shape (n_rows, n_inputs)
            Bits of float32 times.
        ends : ndarray of int64, shape (n_rows,)
            Filled with the number of spikes collected up to the end of each row.

        Returns
        -------
        int
            Position in the flattened ``rows`` of the first time that is negative or NaN,
            or -1. From that row on nothing was added.
        """
        cdef Py_ssize_t room = self.inputs.size // <Py_ssize_t>sizeof(index_t)
        cdef Py_ssize_t needed = self.n_spikes + rows.shape[0] * rows.shape[1]
        cdef Py_ssize_t wrong = -1, r
        if rows.shape[1] != self.n_inputs or ends.shape[0] != rows.shape[0]:
            raise ValueError(f"{rows.shape[0]} rows of {rows.shape[1]}, {ends.shape[0]} ends, {self.n_inputs} inputs")
        if needed > room:
            self._make_room(max(needed, room + room // 2))
        with nogil:
            for r in range(rows.shape[0]):
                wrong = self._add_row(&rows[r, 0])
                if wrong >= 0:
                    wrong += r * self.n_inputs
                    break
                ends[r] = self.n_spikes
        return wrong

    def finish(self):
        """Return ``(inputs, times)`` as buffers of int32 and float32 bits; nothing can be added after."""
        self._make_room(self.n_spikes)
        free(self.pairs)
        self.pairs = NULL
        self.n_inputs = -1
        return self.inputs, self.times

    cdef int _make_room(self, Py_ssize_t n_spikes) except -1:
        self.inputs.resize(n_spikes * <Py_ssize_t>sizeof(index_t))
        self.times.resize(n_spikes * <Py_ssize_t>sizeof(stamp_t))
        return 0

    cdef Py_ssize_t _add_row(self, const int32_t *row) noexcept nogil:
        cdef index_t *inputs = <index_t *>self.inputs.start + self.n_spikes
        cdef int32_t *times = <int32_t *>self.times.start + self.n_spikes
        cdef pair_t *pairs = self.pairs
        cdef uint32_t end = self.end
        cdef uint32_t time
        cdef int32_t wrong = 0
        cdef Py_ssize_t n = 0, i, k
        for i in range(self.n_inputs):
            time = 0 if row[i] == MINUS_ZERO else row[i]
            # Written always and kept if it fires: half the inputs do, so a branch would be guessed wrong.
            pairs[n] = (<pair_t>time << 32) | <uint32_t>i
            n += time < end
            wrong |= time > INFINITE
        if wrong:
            for i in range(self.n_inputs):
                if row[i] != MINUS_ZERO and <uint32_t>row[i] > INFINITE:
                    return i
        pairs = c_sort_pairs(pairs, pairs + self.n_inputs, n, self.time_bits)
        for k in range(n):
            inputs[k] = <index_t>pairs[k]
            times[k] = <int32_t>(pairs[k] >> 32)
        self.n_spikes = self.n_spikes + n
        return -1


def fill_rows(const offset_t[::1] indptr, const index_t[::1] indices, const stamp_t[::1] timestamps,
              stamp_t[:, ::1] rows):
    """Write each spike's time to ``rows[sample, input]``; other entries stay as they are.

    Returns whether all inputs were those of a row: others can write to a mapped file after it was checked.
    """
    cdef Py_ssize_t s, k
    cdef index_t n_inputs = <index_t>rows.shape[1], i
    cdef bint sound = True
    with nogil:
        for s in range(rows.shape[0]):
            for k in range(indptr[s], indptr[s + 1]):
                i = indices[k]
                if 0 <= i < n_inputs:
                    rows[s, i] = timestamps[k]
                else:
                    sound = False
    return sound
