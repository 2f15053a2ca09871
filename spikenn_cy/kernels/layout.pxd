"""Where neurons lie, how far a sample runs, and what the layer answered: all that rules and regulators read."""
from spikenn_cy.types cimport index_t, real_t, stamp_t


ctypedef struct Layout:            # neurons lie class by class, non-target neurons first
    index_t n_classes
    index_t n_per_class
    index_t n_non_target


ctypedef enum Scope:
    FIRST_OF_LAYER      # the layer ends at its first spike
    FIRST_OF_CLASS      # each class ends at its first spike
    ALL                 # every neuron runs to its own spike


ctypedef struct StopAt:            # how far the forward pass of a sample must go
    Scope scope
    index_t own_class              # a class that goes on to its first target neuron's spike; -1: none does


ctypedef struct LayerOutput:       # of one training sample; does not depend on how it was found
    index_t label
    index_t winner                 # the neuron that decides
    index_t target_winner          # the first target neuron of the class that goes on to it; -1: none does
    const index_t *winner_of       # the first neuron of each class; NULL if the layer ends at its first spike
    const stamp_t *times           # first spike of each neuron until its group ended; max_time: none
    const real_t *potentials       # at that spike, or where the neuron was left; NULL unless the rule needs them


cdef inline bint is_target(const Layout *layout, index_t neuron, index_t label) noexcept nogil:
    # A non-target neuron learns as if every sample belonged to another class.
    cdef index_t place = neuron - label * layout.n_per_class
    return layout.n_non_target <= place < layout.n_per_class
