"""A coarse copy of a layer's weights, which settles most first spikes before any exact sum."""
from libc.stdint cimport int16_t, int32_t, int64_t

from spikenn_cy.kernels.charge cimport Charging, Pick, Reach
from spikenn_cy.kernels.crew cimport Crew
from spikenn_cy.kernels.primitives cimport Spikes
from spikenn_cy.types cimport index_t, real_t


ctypedef enum Verdict:
    CLEAR                  # it is known when the team's first neuron fires, and that it is alone
    SETTLED                # it is known which of the team's neurons fire first, and when
    SUSPECTED              # its first spike is one of some neurons'
    OPEN                   # it may be anyone's, or no one's


ctypedef struct Copy:      # the coarse rows, and by what they stand for the stored ones
    int16_t *rows          # (n_neurons, n_places)
    Py_ssize_t n_places
    real_t *scales         # coarse weights a unit of weight, by which each row was copied
    real_t *units          # weight of a coarse 1 in each stored row; 0: the row could not be copied


ctypedef struct Survey:    # a sample's way through the sieve; parts of it may be done by several threads
    const Copy *copy
    const Charging *layer
    const Reach *reach
    index_t team_size      # neurons that are ended by the first spike of one of them
    index_t n_teams
    index_t teams_a_part
    index_t own_team       # that goes on to its first target neuron's spike; -1: none does
    Py_ssize_t start       # position at which every potential is estimated
    Py_ssize_t bounded     # position up to which `may` and `must` hold at first
    int16_t *marked        # (n_places,), in the strips listed; -1: an input whose spike is before `start`
    int32_t *strips        # the strips with such an input
    Py_ssize_t n_strips
    int32_t *may           # of each neuron: k coarse weights of a sum above this, less k, may make it fire ...
    int32_t *must          # ... and a sum above this surely does
    # Of the neurons of a team that can fire, from the place of its first neuron on:
    index_t *live
    int32_t *sums          # coarse weights of the spikes so far
    int32_t *sums_then     # the same where the neuron may have fired first
    int32_t *maybe         # position after the spikes with which it may have fired first
    int32_t *surely        # position by which it surely has
    # Of teams:
    index_t *n_live
    Verdict *verdicts
    int32_t *closed        # position at which the team surely had fired, or its last
    index_t *firsts        # the team's first neuron, if its verdict is clear
    # Of neurons, once they are told:
    int32_t *places        # position at which it fired, or was last looked at
    real_t *margins        # how far its potential may be off


ctypedef struct Block:     # neurons that are charged together
    const Charging *layer
    const Pick *picks
    int width
    Py_ssize_t end


cdef int16_t *c_row_to_learn(Copy *copy, index_t neuron, real_t highest) noexcept nogil

cdef real_t c_copy_row(Copy *copy, index_t neuron, const real_t *row, Py_ssize_t n_inputs) noexcept nogil


cdef class Sieve:
    cdef index_t n_neurons
    cdef Py_ssize_t n_inputs
    cdef list arrays               # what the pointers point into
    cdef Copy copy
    cdef Survey survey
    cdef int16_t[::1] likely       # for each input, the mean coarse weight of some neurons
    cdef int32_t[::1] likely_sums  # the same for each place, before it is a mean
    cdef index_t[::1] own          # 0, 1, 2, ...
    cdef Pick *picks
    cdef Block *blocks
    cdef double target             # of what is likely, at which teams fire
    cdef bint fresh                # the copy is of the weights as they are
    cdef Py_ssize_t age            # samples for which `likely` has been used

    cdef void renew(
        self, const real_t[:, ::1] weights, const real_t[::1] factors, const real_t[::1] thresholds,
        real_t[::1] highest,
    ) noexcept nogil
    cdef void expect(self, const real_t[::1] factors, const real_t[::1] thresholds) noexcept nogil
    cdef void expire(self) noexcept nogil
    cdef void settle(self, const real_t[::1] factors) noexcept nogil
    cdef void charge_layer(
        self, const Charging *layer, const Reach *reach, Crew *crew, index_t *winner_of
    ) noexcept nogil
    cdef Py_ssize_t mark(self, const Spikes *spikes, int32_t *marks) noexcept nogil
    cdef void charge_suspects(self, Crew *crew) noexcept nogil
    cdef void untie_all(self, index_t *winner_of) noexcept nogil
    cdef index_t untie(self, const index_t *neurons, index_t n_neurons) noexcept nogil
    cdef void guess_better(self) noexcept nogil
