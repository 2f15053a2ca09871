"""The forward pass of a layer: input spikes charge the potentials until a decision needs no more."""
from spikenn_cy.kernels.primitives cimport Spikes
from spikenn_cy.types cimport index_t, real_t, stamp_t


ctypedef enum Scope:
    FIRST_OF_LAYER      # the layer ends at its first spike
    FIRST_OF_CLASS      # each class ends at its first spike
    ALL                 # every neuron runs to its own spike


ctypedef struct Reach:
    Scope scope
    index_t n_per_class        # neurons of a class, which lie together
    index_t own_class          # a class that goes on to its first target neuron's spike; -1: none does
    index_t n_non_target       # neurons of a class before its first target neuron


cdef void c_charge_layer(
    const real_t[:, ::1] weights,
    const real_t[::1] factors,
    const real_t[::1] thresholds,
    const Spikes *spikes,
    const Reach *reach,
    bint rising,
    stamp_t max_time,
    stamp_t[::1] times,
    real_t[::1] potentials,
) noexcept nogil
