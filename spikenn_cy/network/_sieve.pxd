"""Potentials of some samples, estimated ahead, which settle most first spikes before any exact sum."""
from libc.stdint cimport int16_t, int32_t, uint8_t, uint16_t

from spikenn_cy.kernels.charge cimport Charging, Pick, Reach
from spikenn_cy.kernels.crew cimport Crew
from spikenn_cy.kernels.dense cimport AHEAD, Step
from spikenn_cy.kernels.spikes cimport Spikes
from spikenn_cy.types cimport index_t, real_t


cdef extern from "walk.h" nogil:
    ctypedef struct Walker:
        const float *weights
        double factor
        double may
        double must


ctypedef enum Verdict:
    CLEAR                  # it is known when the team's first neuron fires, and that it is alone
    SETTLED                # it is known which of the team's neurons fire first, and when
    SUSPECTED              # its first spike is one of some neurons'
    OPEN                   # it may be anyone's, or no one's


ctypedef struct Forecast:  # of the next samples' potentials, each at a position where neurons likely fire
    const real_t *weights
    Py_ssize_t n_inputs
    Py_ssize_t n_places    # inputs in whole strips
    const real_t *factors  # still to be applied to the rows
    const real_t *highest  # what no weight of each row exceeds, as it is stored
    index_t n_neurons
    int n_samples          # that are looked ahead at, at most AHEAD
    int now                # which of them is the present one
    Py_ssize_t starts[AHEAD]  # each one's position: the number of its members
    uint16_t *members      # each input's, (n_places,): bit b is set if it fires before the position of sample b
    uint16_t *live         # each neuron's: bit b is set if it is not dropped in sample b
    int32_t *strips        # (AHEAD, strips_of), those that hold a member of the sample
    Py_ssize_t strips_of   # how many of each sample there is room for
    int32_t *cuts          # (AHEAD, n_blocks + 1), where in them each block of inputs begins, and the last one ends
    Py_ssize_t n_blocks
    Py_ssize_t block_size
    int16_t *coarse        # (n_neurons, n_places), the weights as whole numbers
    real_t *scales         # of each row's; 0: it has none
    uint8_t *fresh         # whether they are those of the row as it is stored
    uint8_t *crowded       # steps for which what bounds hold back of the row is not counted one by one
    double *potentials     # (n_neurons, AHEAD)
    double *off            # how far each neuron's are off, for each member; inf: they are not known


ctypedef struct Survey:    # a sample's way through the sieve; parts of it may be done by several threads
    const Forecast *forecast
    const Charging *layer
    const Reach *reach
    index_t team_size      # neurons that are ended by the first spike of one of them
    index_t n_teams
    index_t teams_a_part
    index_t own_team       # that goes on to its first target neuron's spike; -1: none does
    Py_ssize_t start       # position at which every potential is estimated
    Py_ssize_t bounded     # position up to which the walkers' bounds hold at first
    Walker *walkers        # of each neuron
    # Of the neurons of a team that can fire, from the place of its first neuron on:
    index_t *live
    double *potentials     # after the spikes so far
    double *then           # the same where the neuron may have fired first
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


cdef bint c_foresee_step(
    Forecast *forecast, index_t neuron, const Step *bare, const int32_t *marks, const uint16_t *n_causal,
    const uint16_t *n_told,
) noexcept nogil

cdef void c_foresee_factor(Forecast *forecast, index_t neuron, const Step *bare) noexcept nogil

cdef void c_foresee_anew(Forecast *forecast, index_t neuron) noexcept nogil


cdef class Sieve:
    cdef index_t n_neurons
    cdef Py_ssize_t n_inputs
    cdef list arrays               # what the pointers point into
    cdef Forecast forecast
    cdef Survey survey
    cdef int32_t[::1] likely       # for each input, the mean weight of some neurons
    cdef double likely_unit        # what 1 of it stands for
    cdef double[::1] likely_sums   # the same before it is a mean
    cdef index_t[::1] own          # 0, 1, 2, ...
    cdef Pick *picks
    cdef Block *blocks
    cdef double target             # of the mean potential, at which teams fire; 0: not known
    cdef double ahead              # how far beyond the guesses they fired, of the samples since it was last set
    cdef Py_ssize_t age            # samples for which `likely` has been used

    cdef void measure(
        self, const real_t[:, ::1] weights, const real_t[::1] factors, const real_t[::1] thresholds,
        real_t[::1] lowest, real_t[::1] highest,
    ) noexcept nogil
    cdef void expect(
        self, const real_t[:, ::1] weights, const real_t[::1] factors, const real_t[::1] thresholds
    ) noexcept nogil
    cdef void expire(self) noexcept nogil
    cdef void settle(self, const real_t[::1] factors) noexcept nogil
    cdef void look_ahead(self, const Spikes *spikes, int n_samples, Crew *crew) noexcept nogil
    cdef Py_ssize_t guess(self, const Spikes *spikes, int sample) noexcept nogil
    cdef void charge_layer(
        self, const Charging *layer, const Reach *reach, Crew *crew, index_t *winner_of
    ) noexcept nogil
    cdef void charge_suspects(self, Crew *crew) noexcept nogil
    cdef void untie_all(self, index_t *winner_of) noexcept nogil
    cdef index_t untie(self, const index_t *neurons, index_t n_neurons) noexcept nogil
    cdef void note_ahead(self) noexcept nogil
