"""A layer of a network that learns event by event, as the loop over samples knows it."""
import numpy as np

from spikenn_cy.dtypes import INDEX, OFFSET, REAL, STAMP
from spikenn_cy.kernels.dropout cimport SPIKES, c_is_dropped
from spikenn_cy.kernels.events cimport UNIT_LANES, Group
from spikenn_cy.types cimport index_t, real_t, stamp_t
from spikenn_cy.utils.alignment import aligned


def padded(Py_ssize_t n):
    """Return how many entries an array over so many units has."""
    return (n + UNIT_LANES - 1) // UNIT_LANES * UNIT_LANES


cdef class EventLayer:
    """Units of one layer, charged by groups of input spikes; owns what one sample needs, so it serves one thread.

    A subclass overrides ``begin``, ``charge``, ``take_credit``, ``learn`` and, unless it is to be the first
    layer alone, ``send_back``. Layers are chained from the first one, which the loop over samples calls.

    Parameters
    ----------
    position : int
        Of the layer in its network.
    n_inputs, n_units : int
        Units are what the layer above sees.
    """

    def __init__(self, index_t position, index_t n_inputs, index_t n_units):
        self.position, self.n_inputs, self.n_units, self.n_padded = position, n_inputs, n_units, padded(n_units)
        # One more: a list is written to before it is known whether the unit belongs there.
        self.fired_units = np.zeros(self.n_padded + 1, INDEX)
        self.fired_times = np.zeros(self.n_padded + 1, STAMP)
        self.fired.units, self.fired.times = &self.fired_units[0], &self.fired_times[0]
        self.lost = np.zeros(self.n_padded, INDEX)
        self.credit = aligned(self.n_padded, REAL)
        self.n_fired = np.zeros(n_units, OFFSET)

    def put_on(self, EventLayer below):
        """Take the spikes of another layer."""
        self.below, below.above = below, self

    def learn_with(self, double rate, Feedback feedback=None):
        """Set the rate of this epoch, and how errors reach the layer if it is hidden."""
        self.rate, self.feedback = rate, feedback

    def drop(self, double rate):
        """Lose spikes at this rate, as training does; 0: none."""
        self.dropout.rate = rate

    def count_anew(self):
        """Return how often each unit has fired since the last call, and begin to count anew."""
        counts = np.array(self.n_fired)
        self.n_fired[:] = 0
        return counts

    cdef void begin(self) noexcept nogil:
        # Of a sample.
        self.fired.count = self.n_lost = 0

    cdef bint take(self, const Group *group, stamp_t now) noexcept nogil:
        # A group charges this layer, and what fires of it the next one. Returns whether an output unit fired.
        cdef Group fired
        cdef Py_ssize_t before = self.fired.count
        if self.charge(group, now) == 0:
            return False
        if self.above is None:
            return True
        fired.inputs, fired.count = self.fired.units + before, self.fired.count - before
        return fired.count > 0 and self.above.take(&fired, now)

    cdef Py_ssize_t charge(self, const Group *group, stamp_t now) noexcept nogil:
        # Integrates a group, then lets units fire, in order. Returns how many crossed their threshold.
        return 0

    cdef void fire(self, index_t unit, stamp_t now) noexcept nogil:
        self.n_fired[unit] = self.n_fired[unit] + 1
        if self.dropout.rate > 0 and c_is_dropped(
            self.dropout.key, SPIKES, self.dropout.sample, self.position, self.dropout.rate, unit
        ):
            self.lost[self.n_lost] = unit      # it is not sent, and the unit does not learn
            self.n_lost = self.n_lost + 1
            return
        self.fired_units[self.fired.count] = unit
        self.fired_times[self.fired.count] = now
        self.fired.count = self.fired.count + 1

    cdef void send_back(self, real_t *credit) noexcept nogil:
        # Writes, for each input, the sum of this layer's errors weighted by its weights.
        pass

    cdef void send_back_in_time(self, const Events *senders, real_t *credit) noexcept nogil:
        # Writes, for each input that fired, the sum of the errors of those units that did not fire before it, weighted.
        pass

    cdef void take_errors(self) noexcept nogil:
        # Takes `credit` of the units as their errors.
        pass

    cdef void take_credit(self) noexcept nogil:
        # Turns `credit` of the units into errors; units whose spikes were lost have none.
        pass

    cdef void learn(self, const Events *inputs) noexcept nogil:
        # Changes the weights from the inputs that spiked by the end of the sample.
        pass

    cdef void read(self, stamp_t[::1] times, real_t[::1] potentials, stamp_t silent) noexcept nogil:
        # Writes when each unit fired and its potential then; of a silent one, at the end of the sample.
        pass


cdef class Feedback:
    """How errors of the output reach a hidden layer."""

    cdef void send_back(self, EventLayer above, const real_t *class_errors, real_t *credit) noexcept nogil:
        pass

    cdef void learn(self, const Events *fired, const real_t *class_errors, double rate) noexcept nogil:
        # Changes the feedback's own weights, if it has any.
        pass
