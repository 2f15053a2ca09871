"""STDP: how one neuron's synaptic weights move for a given error, and stay within their bounds."""
from libc.stdint cimport int32_t

from spikenn_cy.kernels.dense cimport Step
from spikenn_cy.types cimport index_t, real_t, stamp_t


ctypedef struct RowStep:       # what a rule asks for
    index_t neuron
    real_t error               # scale of the step; 0: nothing moves
    double causal              # rate for inputs no later than the neuron's spike
    double anticausal          # rate for later and silent inputs


ctypedef struct Plasticity:    # what holds for every row of the layer
    bint multiplicative
    bint ignore_silent
    double beta                # multiplicative: steepness, and the range it refers to
    double soft_min
    double soft_max
    bint normalise             # keep the sum of |w| of each row
    real_t w_min
    real_t w_max
    stamp_t max_time


cdef void c_prepare_step(
    Step *bare, const RowStep *step, const Plasticity *plasticity, real_t factor, real_t lowest, real_t highest,
    bint fired,
) noexcept nogil

cdef void c_learn_row(
    real_t *row,
    Py_ssize_t n_inputs,
    real_t *factor,
    real_t *lowest,
    real_t *highest,
    const Step *bare,
    const RowStep *step,
    const int32_t *marks,
    bint fired,
    real_t target_norm,
    const Plasticity *plasticity,
) noexcept nogil

cdef void c_settle(
    real_t[:, ::1] weights, real_t[::1] factors, real_t[::1] lowest, real_t[::1] highest
) noexcept nogil
