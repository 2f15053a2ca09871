"""Streams of events into lists of first spikes, in one pass over the events and without a frame between."""
from libc.math cimport INFINITY
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

cimport cython

from spikenn_cy.data._block cimport Block
from spikenn_cy.kernels.sort cimport c_sort_pairs, pair_t
from spikenn_cy.types cimport index_t, stamp_t

ctypedef fused clock_t:
    int64_t                  # ticks, whose differences are exact however long ago the clock was started
    double

cdef enum Finding:
    SOUND
    X
    Y
    POLARITY
    TIME

NAMES = {SOUND: "sound", X: "x", Y: "y", POLARITY: "polarity", TIME: "t"}


@cython.final
cdef class EventCollector:
    """Collect the first spike of each pixel and polarity, a recording at a time and of that a part at a time.

    Parameters
    ----------
    width, height, n_polarities : int
        Of the sensor; their product, the number of inputs, fits int32.
    duration : float
        Of the window, in the unit of the events' times.
    max_time : float
        Spike time at which the window ends, as the data set has it.
    latest : float
        Largest float32 below ``max_time``.
    """
    cdef Block inputs
    cdef Block times
    cdef double *first       # of each input: its first event in the window since the window began, infinite if none
    cdef pair_t *pairs       # of one recording, twice; before it is closed, the inputs with an event
    cdef readonly Py_ssize_t n_spikes
    cdef Py_ssize_t n_touched
    cdef int64_t width, height, n_polarities
    cdef double duration, max_time
    cdef stamp_t latest
    cdef int input_bits, time_bits
    cdef readonly bint zero_seen
    cdef readonly bint minus_seen

    def __cinit__(self, int64_t width, int64_t height, int64_t n_polarities, double duration, double max_time,
                  stamp_t latest):
        cdef Py_ssize_t n_inputs = width * height * n_polarities, i
        self.inputs, self.times = Block(), Block()
        self.width, self.height, self.n_polarities = width, height, n_polarities
        self.duration, self.max_time, self.latest = duration, max_time, latest
        self.input_bits = n_inputs.bit_length()
        self.time_bits = bits_of(latest).bit_length()
        self.first = <double *>malloc(n_inputs * sizeof(double))
        self.pairs = <pair_t *>malloc(2 * n_inputs * sizeof(pair_t))
        if self.first == NULL or self.pairs == NULL:
            raise MemoryError(f"{n_inputs} inputs")
        for i in range(n_inputs):
            self.first[i] = INFINITY

    def __dealloc__(self):
        free(self.first)
        free(self.pairs)

    def add(self, const int64_t[::1] x, const int64_t[::1] y, const int64_t[::1] polarity, const clock_t[::1] t,
            clock_t start):
        """Add events of the recording that is not closed yet, in any order.

        Parameters
        ----------
        x, y : ndarray of int64, shape (n_events,)
        polarity : ndarray of int64, shape (n_events,)
            1 for brighter, 0 or -1 for darker. Which of the two came shows in ``zero_seen``
            and ``minus_seen``.
        t : ndarray of int64 or float64, shape (n_events,)
        start : int or float
            Time, in that of the events, at which the window begins.

        Returns
        -------
        finding : str
            ``"sound"``, or the name of the first value that is out of its range: ``"x"``,
            ``"y"``, ``"polarity"``, or ``"t"`` if it is infinite or undefined.
        event : int
            Where that is.
        """
        cdef Finding finding = SOUND
        cdef Py_ssize_t event = 0
        if not x.shape[0] == y.shape[0] == polarity.shape[0] == t.shape[0]:
            raise ValueError(f"{x.shape[0]} x, {y.shape[0]} y, {polarity.shape[0]} polarities, {t.shape[0]} times")
        if self.pairs == NULL:
            raise ValueError("nothing can be added after the end")
        if x.shape[0]:
            with nogil:
                finding = self._add(&x[0], &y[0], &polarity[0], &t[0], start, x.shape[0], &event)
        return NAMES[finding], event

    def close(self):
        """End the recording and return the number of spikes collected up to here."""
        cdef Py_ssize_t needed = self.n_spikes + self.n_touched
        cdef Py_ssize_t room = self.inputs.size // <Py_ssize_t>sizeof(index_t)
        if needed > room:
            self._make_room(max(needed, room + room // 2))
        with nogil:
            self._close()
        return self.n_spikes

    def finish(self):
        """Return ``(inputs, times)`` as buffers of int32 and float32; nothing can be added after."""
        self._make_room(self.n_spikes)
        free(self.pairs)
        self.pairs = NULL
        return self.inputs, self.times

    cdef int _make_room(self, Py_ssize_t n_spikes) except -1:
        self.inputs.resize(n_spikes * <Py_ssize_t>sizeof(index_t))
        self.times.resize(n_spikes * <Py_ssize_t>sizeof(stamp_t))
        return 0

    cdef Finding _add(
        self, const int64_t *x, const int64_t *y, const int64_t *polarity, const clock_t *t, clock_t start,
        Py_ssize_t n, Py_ssize_t *event,
    ) noexcept nogil:
        cdef Py_ssize_t k
        cdef int64_t i
        cdef double since
        for k in range(n):
            event[0] = k
            # As unsigned, a negative number is out of range too.
            if <uint64_t>x[k] >= <uint64_t>self.width:
                return X
            if <uint64_t>y[k] >= <uint64_t>self.height:
                return Y
            if <uint64_t>polarity[k] + 1 > 2:
                return POLARITY
            if polarity[k] == 0:
                self.zero_seen = True
            elif polarity[k] == -1:
                self.minus_seen = True
            if clock_t is double:
                if not -INFINITY < t[k] < INFINITY:
                    return TIME
            if t[k] < start:
                continue
            if clock_t is int64_t:
                since = <double>(<uint64_t>t[k] - <uint64_t>start)   # which a signed difference may not hold
            else:
                since = t[k] - start
            if since >= self.duration:
                continue
            i = y[k] * self.width + x[k]
            if self.n_polarities == 2 and polarity[k] == 1:
                i += self.height * self.width
            if since < self.first[i]:
                if self.first[i] == INFINITY:
                    self.pairs[self.n_touched] = <pair_t>i << 32
                    self.n_touched = self.n_touched + 1
                self.first[i] = since
        return SOUND

    cdef void _close(self) noexcept nogil:
        cdef index_t *inputs = <index_t *>self.inputs.start + self.n_spikes
        cdef stamp_t *times = <stamp_t *>self.times.start + self.n_spikes
        cdef Py_ssize_t n = self.n_touched, k
        cdef pair_t *pairs
        cdef pair_t *others
        cdef stamp_t time
        cdef int64_t i
        cdef int32_t bits
        # By input and then, stably, by time: equal times are left in the order of their inputs.
        pairs = c_sort_pairs(self.pairs, self.pairs + n, n, self.input_bits)
        others = self.pairs + n if pairs == self.pairs else self.pairs
        for k in range(n):
            i = pairs[k] >> 32
            time = <stamp_t>(self.first[i] / self.duration * self.max_time)
            if time > self.latest:
                time = self.latest           # rounding must not make silence of a spike
            self.first[i] = INFINITY
            pairs[k] = (<pair_t>bits_of(time) << 32) | <uint32_t>i
        pairs = c_sort_pairs(pairs, others, n, self.time_bits)
        for k in range(n):
            inputs[k] = <index_t>pairs[k]
            bits = <int32_t>(pairs[k] >> 32)
            memcpy(&times[k], &bits, sizeof(bits))
        self.n_spikes = self.n_spikes + n
        self.n_touched = 0


cdef inline int32_t bits_of(stamp_t time) noexcept nogil:
    cdef int32_t bits
    memcpy(&bits, &time, sizeof(bits))
    return bits
