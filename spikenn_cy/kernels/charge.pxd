"""The forward pass of a layer: input spikes charge the potentials until a decision needs no more."""
from spikenn_cy.kernels.crew cimport Crew
from spikenn_cy.kernels.spikes cimport Spikes
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


ctypedef struct Pick:          # a neuron to charge
    index_t neuron
    index_t team               # neurons that compete: once one of them has ended the team, the others' spikes are late
    bint ends                  # its spike ends the team


ctypedef struct Charging:      # what every neuron of the layer finds
    const real_t *weights      # row-major, (n_neurons, n_inputs)
    Py_ssize_t n_inputs
    const real_t *factors      # still to be applied to the rows
    const real_t *thresholds   # inf: the neuron cannot fire
    const Spikes *spikes
    bint rising                # no synaptic weight is negative
    stamp_t max_time
    stamp_t *times             # OUT, max_time: silent
    real_t *potentials         # OUT


cdef Py_ssize_t c_charge_picks(const Charging *layer, const Pick *picks, int width, Py_ssize_t end) noexcept nogil

cdef Py_ssize_t c_charge_team(
    const Charging *layer, index_t first, index_t last, index_t ends_from, Py_ssize_t end
) noexcept nogil

cdef void c_charge_layer(const Charging *layer, index_t n_neurons, const Reach *reach, Crew *crew) noexcept nogil
