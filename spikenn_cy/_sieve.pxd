"""A coarse copy of a layer's weights, which tells most neurons that do not matter before any exact sum."""
from libc.stdint cimport int32_t, uint16_t

from spikenn_cy.kernels.charge cimport Charging, Pick, Reach
from spikenn_cy.kernels.crew cimport Crew
from spikenn_cy.kernels.primitives cimport CoarseBounds, Spikes
from spikenn_cy.kernels.stdp cimport Plasticity, RowStep
from spikenn_cy.types cimport index_t, real_t


ctypedef struct Block:
    const Charging *layer
    const Pick *picks
    int width
    Py_ssize_t end


cdef class Sieve:
    cdef index_t n_neurons
    cdef Py_ssize_t n_inputs
    cdef Py_ssize_t n_lanes
    cdef object memory             # what `coarse` points into
    cdef uint16_t *coarse          # (n_inputs, n_lanes)
    cdef double unit               # weight of a coarse 1
    cdef double lowest             # of the stored weights, which rows' factors are still to be applied to
    cdef double highest
    cdef double floor              # no weight of the copy was lower
    cdef double[::1] grown         # since the copy was made, a weight w became at least grown * w + lost ...
    cdef double[::1] gained        # ... and at most grown * w + gained
    cdef double[::1] lost
    cdef real_t[::1] gain
    cdef real_t[::1] above
    cdef real_t[::1] below
    cdef real_t[::1] threshold
    cdef int32_t[::1] sums
    cdef int32_t[::1] maybe        # position at which each neuron may have fired first
    cdef int32_t[::1] surely
    cdef int32_t[::1] closed       # position at which each team surely had fired; 0: none seen
    cdef index_t[::1] order        # teams by that position
    cdef Pick *picks               # neurons to be charged
    cdef Block *blocks             # of them, which are charged together
    cdef Py_ssize_t n_blocks
    cdef double wasted             # spikes charged in vain since the copy was made
    cdef double charged            # cost of this run so far, and what it would have been without the copy
    cdef double plain
    cdef int resting               # runs for which it is not tried
    cdef int patience              # for how many it was not the last time

    cdef void begin(self) noexcept nogil
    cdef bint wants(self) noexcept nogil
    cdef bint renew(
        self, const real_t[:, ::1] weights, const real_t[::1] factors, const Plasticity *plasticity
    ) noexcept nogil
    cdef void learned(self, const RowStep *step, const Plasticity *plasticity, real_t factor) noexcept nogil
    cdef void charge_layer(self, const Charging *layer, const Reach *reach, Crew *crew) noexcept nogil
    cdef void refresh_bounds(self, index_t neuron) noexcept nogil
    cdef void sift(self, const Charging *layer, const Reach *reach, index_t size, index_t n_teams) noexcept nogil
    cdef void close(
        self, const CoarseBounds *bounds, const Spikes *spikes, const Reach *reach, index_t team, index_t size,
        Py_ssize_t start, Py_ssize_t end,
    ) noexcept nogil
    cdef void gather_suspects(
        self, const Charging *layer, const Reach *reach, index_t size, index_t n_teams
    ) noexcept nogil
    cdef void charge_missed(
        self, const Charging *layer, const Reach *reach, index_t size, index_t n_teams
    ) noexcept nogil
