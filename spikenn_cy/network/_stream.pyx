"""A sample that comes spike by spike: the network stays where the last one left it, so that none is charged twice."""
import cython

from libc.stdint cimport int64_t
from libc.stdlib cimport qsort

import numpy as np

from spikenn_cy.dtypes import INDEX
from spikenn_cy.dtypes import STAMP
from spikenn_cy.kernels.events cimport Group
from spikenn_cy.network.deep._network cimport EventNetwork
from spikenn_cy.types cimport index_t, stamp_t


@cython.final
cdef class EventStream:
    """Decides on one sample at a time, of which groups of input spikes come one after the other.

    Parameters
    ----------
    network : EventNetwork
        Of this instance alone.
    at_once : bool
        Whether an output neuron whose threshold is below 0 fires with the first input spike, whatever that reaches.
    """

    cdef EventNetwork network
    cdef bint at_once, is_first, decided

    def __init__(self, EventNetwork network, bint at_once):
        self.network, self.at_once = network, at_once
        self.begin()

    def begin(self):
        """Begin a sample."""
        self.network.begin(self.network.first)
        self.network.decided_at = self.network.max_time
        self.is_first, self.decided = True, False

    def push(self, const index_t[::1] inputs, const stamp_t[::1] times):
        """Go on with spikes up to the first one of the output, after which nothing is looked at.

        Parameters
        ----------
        inputs : ndarray of int32, shape (n_spikes,)
        times : ndarray of float32, shape (n_spikes,)
            Sorted, later than those of the last call. Spikes of one time must come in one call.

        Returns
        -------
        decided : bool
            Whether an output neuron has fired in this sample.
        """
        cdef Py_ssize_t k = 0
        cdef Group group
        with nogil:
            while k < inputs.shape[0] and not self.decided:
                group.inputs, group.count = &inputs[k], 1
                while k + group.count < inputs.shape[0] and times[k + group.count] == times[k]:
                    group.count += 1
                if self.at_once:
                    self.decided = self.network.advance(&group, times[k], self.is_first)
                else:
                    self.decided = self.network.first.take(&group, times[k])
                self.is_first = False
                if self.decided:
                    self.network.decided_at = times[k]
                k += group.count
        return self.decided

    @property
    def decided_at(self):
        """Time of the first output spike; ``max_time`` as long as there is none."""
        return self.network.decided_at

    def winner(self):
        """Return the output neuron that decides as things stand: with the highest potential, of those that have fired.

        As long as none has fired, it is the one with the highest potential of all.
        """
        return self.network.winner()


cdef int in_order(const void *one, const void *other) noexcept nogil:
    cdef index_t a = (<const index_t *>one)[0], b = (<const index_t *>other)[0]
    return (a > b) - (a < b)


@cython.final
cdef class Arrivals:
    """The spikes of one sample as they come: checked, the first of each input alone, and in order once they are due.

    Parameters
    ----------
    n_inputs : int
    max_time : float
        As float32 has it.
    """

    cdef index_t[::1] came                 # inputs that have spiked in the present sample, in the order of times
    cdef stamp_t[::1] moments
    cdef unsigned char[::1] spiked         # by input
    cdef Py_ssize_t n_came, n_due          # of which the network has had
    cdef stamp_t max_time
    cdef readonly stamp_t now              # no spike may come before it

    def __init__(self, index_t n_inputs, stamp_t max_time):
        self.came, self.moments = np.empty(n_inputs, INDEX), np.empty(n_inputs, STAMP)
        self.spiked, self.max_time = np.zeros(n_inputs, np.uint8), max_time
        self.begin()

    def begin(self):
        """Begin a sample."""
        self.n_came = self.n_due = 0
        self.now = 0
        self.spiked[:] = 0

    def wait_for(self, stamp_t time):
        """Take it that no spike comes before a time, which must not be before `now`."""
        self.now = time

    def first_wrong(self, const int64_t[::1] inputs, const double[::1] times, bint anew):
        """Return the position of the first spike that cannot come next; the number of spikes if all can.

        Parameters
        ----------
        inputs : ndarray of int64, shape (n_spikes,)
        times : ndarray of float64, shape (n_spikes,)
        anew : bool
            Whether they begin a sample.
        """
        cdef Py_ssize_t k = 0
        cdef stamp_t now = 0 if anew else self.now
        with nogil:
            while k < inputs.shape[0]:
                if not (0 <= inputs[k] < self.spiked.shape[0] and times[k] >= 0):
                    break
                if not now <= <stamp_t>times[k] < self.max_time:
                    break
                now = <stamp_t>times[k]
                k += 1
        return k

    def take(self, const int64_t[::1] inputs, const double[::1] times):
        """Take spikes in which nothing is wrong; a further one of an input is left out."""
        cdef Py_ssize_t k
        cdef index_t unit
        with nogil:
            for k in range(inputs.shape[0]):
                unit, self.now = <index_t>inputs[k], <stamp_t>times[k]
                if not self.spiked[unit]:
                    self.spiked[unit] = True
                    self.came[self.n_came], self.moments[self.n_came] = unit, self.now
                    self.n_came = self.n_came + 1

    def go_on(self, EventStream stream, stamp_t end):
        """Let a network go on with the spikes that came before a time; return whether it has decided.

        Spikes of one time are put in the order of their inputs, as those of a data set are.
        """
        cdef Py_ssize_t first = self.n_due, last = first, k, start
        with nogil:
            while last < self.n_came and self.moments[last] < end:
                last += 1
            start = first
            for k in range(first + 1, last + 1):
                if k == last or self.moments[k] != self.moments[start]:
                    if k - start > 1:
                        qsort(&self.came[start], k - start, sizeof(index_t), in_order)
                    start = k
        self.n_due = last
        return last > first and stream.push(self.came[first:last], self.moments[first:last])

    def sample(self):
        """Return inputs and times of the sample that has ended, as new arrays."""
        return np.array(self.came[:self.n_due]), np.array(self.moments[:self.n_due])
