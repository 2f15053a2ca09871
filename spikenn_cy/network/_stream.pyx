"""A sample that comes spike by spike: the network stays where the last one left it, so that none is charged twice."""
import cython

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
