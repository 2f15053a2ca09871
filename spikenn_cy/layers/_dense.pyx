"""A fully connected layer that learns event by event."""
import cython

from libc.math cimport INFINITY, exp
from libc.string cimport memcpy, memset

import numpy as np

from spikenn_cy.dtypes import INDEX, REAL, STAMP
from spikenn_cy.kernels.events cimport Group, InputMajor, Units, events
from spikenn_cy.layers._base cimport EventLayer, Events
from spikenn_cy.types cimport index_t, real_t, stamp_t
from spikenn_cy.utils.alignment import aligned


@cython.final
cdef class DenseEvents(EventLayer):
    """Neurons with a synaptic weight from every input; a potential goes on rising after its spike.

    Parameters
    ----------
    position : int
        Of the layer in its network.
    n_neurons : int
    weights : ndarray of float32, shape (n_inputs, n_padded)
        Input-major, 0 beyond the neurons; changed in place.
    thresholds : ndarray of float32, shape (n_padded,)
        1 beyond the neurons; changed in place.
    window : float
        Width of the surrogate derivative around the threshold, as a share of it.
    """

    def __init__(self, index_t position, index_t n_neurons, weights, thresholds, double window):
        super().__init__(position, weights.shape[0], n_neurons)
        self.weights, self.thresholds, self.window = weights, thresholds, window
        self.potentials, self.limits, self.errors, self.steps = aligned((4, self.n_padded), REAL)
        self.spike_potentials, self.spike_times = np.zeros(self.n_padded, REAL), np.zeros(self.n_padded, STAMP)
        self.crossed = np.zeros(self.n_padded + 1, INDEX)
        self.units.potentials, self.units.limits = &self.potentials[0], &self.limits[0]
        self.units.n_padded = self.n_padded
        self.leak_tau = INFINITY

    def leak(self, double tau):
        """Let potentials decay with a time constant; infinite: not at all, as at first. It is for deciding alone."""
        self.leak_tau = tau

    cdef void begin(self) noexcept nogil:
        cdef Py_ssize_t j
        EventLayer.begin(self)
        self.charged = False
        memset(&self.potentials[0], 0, self.n_padded * sizeof(real_t))
        memcpy(&self.limits[0], &self.thresholds[0], self.n_units * sizeof(real_t))
        for j in range(self.n_units, self.n_padded):
            self.limits[j] = INFINITY

    cdef void decay(self, stamp_t now) noexcept nogil:
        # Up to a group of input spikes, by the very factor that neurons/_lif.pyx has.
        cdef real_t kept
        cdef Py_ssize_t j
        if self.charged and now != self.charged_at:
            kept = <real_t>exp(-(<double>now - self.charged_at) / self.leak_tau)
            for j in range(self.n_padded):
                self.potentials[j] = self.potentials[j] * kept
        self.charged, self.charged_at = True, now

    cdef Py_ssize_t charge(self, const Group *group, stamp_t now) noexcept nogil:
        cdef Py_ssize_t n, k
        cdef index_t j
        if self.leak_tau < INFINITY:
            self.decay(now)
        n = events().charge(&self.weights[0, 0], &self.units, group, &self.crossed[0])
        for k in range(n):
            j = self.crossed[k]
            self.limits[j] = INFINITY
            self.spike_potentials[j], self.spike_times[j] = self.potentials[j], now
            self.fire(j, now)
        return n

    cdef void send_back(self, real_t *credit) noexcept nogil:
        cdef InputMajor matrix
        matrix.rows, matrix.n_rows, matrix.n_padded = &self.weights[0, 0], self.n_inputs, self.n_padded
        events().send_back(&matrix, &self.errors[0], credit)

    cdef stamp_t spike_time(self, index_t j, stamp_t silent) noexcept nogil:
        return self.spike_times[j] if self.limits[j] == INFINITY else silent

    cdef void send_back_in_time(self, const Events *senders, real_t *credit) noexcept nogil:
        cdef Py_ssize_t s
        cdef index_t i, k
        cdef double total
        for s in range(senders.count):
            i, total = senders.units[s], 0
            for k in range(self.n_units):
                if self.spike_time(k, INFINITY) >= senders.times[s]:
                    total += <double>self.weights[i, k] * self.errors[k]
            credit[i] = <real_t>total

    cdef void take_errors(self) noexcept nogil:
        memcpy(&self.errors[0], &self.credit[0], self.n_units * sizeof(real_t))

    cdef void take_credit(self) noexcept nogil:
        cdef Units at_threshold = self.units
        cdef Py_ssize_t k
        for k in range(self.n_lost):
            self.credit[self.lost[k]] = 0
        at_threshold.limits = &self.thresholds[0]
        events().window(&at_threshold, self.window, &self.credit[0], &self.errors[0])

    cdef void learn(self, const Events *inputs) noexcept nogil:
        # From the last input back: a neuron begins to learn with those that spiked no later than it did.
        cdef Py_ssize_t left = self.fired.count, k
        cdef real_t *steps = &self.steps[0]
        cdef index_t j
        for j in range(self.n_units):
            steps[j] = <real_t>(self.rate * self.errors[j])
        for k in range(left):
            steps[self.fired.units[k]] = 0
        for k in range(inputs.count - 1, -1, -1):
            while left > 0 and self.fired.times[left - 1] >= inputs.times[k]:
                left -= 1
                j = self.fired.units[left]
                steps[j] = <real_t>(self.rate * self.errors[j])
            events().add(&self.weights[inputs.units[k], 0], steps, self.n_padded)

    cdef void read(self, stamp_t[::1] times, real_t[::1] potentials, stamp_t silent) noexcept nogil:
        cdef index_t j
        cdef Py_ssize_t k
        for j in range(self.n_units):
            times[j], potentials[j] = silent, self.potentials[j]
        for k in range(self.fired.count):
            j = self.fired.units[k]
            times[j], potentials[j] = self.fired.times[k], self.spike_potentials[j]
