"""A layer of a network that learns event by event, as the loop over samples knows it."""
from libc.stdint cimport uint64_t

from spikenn_cy.kernels.events cimport Group
from spikenn_cy.types cimport index_t, offset_t, real_t, stamp_t


ctypedef struct Events:            # units that spiked in the present sample, in order
    const index_t *units
    const stamp_t *times
    Py_ssize_t count


ctypedef struct Dropout:           # of the spikes of the layer, in training
    double rate
    uint64_t key                   # of the epoch
    uint64_t sample


cdef class EventLayer:
    cdef readonly index_t n_inputs
    cdef readonly index_t n_units          # that the layer above sees
    cdef readonly Py_ssize_t n_padded      # entries of an array over these units
    cdef readonly index_t position         # in the network
    cdef EventLayer above
    cdef EventLayer below
    cdef Feedback feedback                 # of a hidden layer that learns; None: weights alone are used
    cdef Dropout dropout
    cdef Events fired
    cdef index_t[::1] fired_units
    cdef stamp_t[::1] fired_times
    cdef index_t[::1] lost                 # units whose spikes dropout has taken
    cdef Py_ssize_t n_lost
    cdef real_t[::1] credit                # of each unit
    cdef double rate                       # of learning, in this epoch
    cdef offset_t[::1] n_fired             # of each unit, spikes since `count_anew`

    cdef void begin(self) noexcept nogil
    cdef bint take(self, const Group *group, stamp_t now) noexcept nogil
    cdef Py_ssize_t charge(self, const Group *group, stamp_t now) noexcept nogil
    cdef void fire(self, index_t unit, stamp_t now) noexcept nogil
    cdef void send_back(self, real_t *credit) noexcept nogil
    cdef void send_back_in_time(self, const Events *senders, real_t *credit) noexcept nogil
    cdef void take_credit(self) noexcept nogil
    cdef void take_errors(self) noexcept nogil
    cdef void learn(self, const Events *inputs) noexcept nogil
    cdef void read(self, stamp_t[::1] times, real_t[::1] potentials, stamp_t silent) noexcept nogil


cdef class Feedback:
    cdef void send_back(self, EventLayer above, const real_t *class_errors, real_t *credit) noexcept nogil
    cdef void learn(self, const Events *fired, const real_t *class_errors, double rate) noexcept nogil
