"""STDP: how one neuron's synaptic weights move for a given error, and stay within their bounds."""
from libc.stdint cimport int32_t

from spikenn_cy.kernels.dense cimport WholeRow
from spikenn_cy.kernels.weights cimport WeightRows
from spikenn_cy.types cimport index_t, real_t, stamp_t


ctypedef struct RowUpdate:     # what a rule asks for
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


cdef void c_update_row(
    const WeightRows *rows, const RowUpdate *update, stamp_t spike, const int32_t *labels,
    const Plasticity *plasticity, WholeRow *whole,
) noexcept nogil

cdef void c_apply_pending_scales(const WeightRows *rows) noexcept nogil
