"""A layer's answer to one training sample, as rules and regulators read it."""
from spikenn_cy.types cimport index_t, real_t, stamp_t


ctypedef struct Layout:            # neurons lie class by class, non-target neurons first
    index_t n_classes
    index_t n_per_class
    index_t n_non_target


ctypedef struct Answer:
    index_t label
    index_t first                  # the neuron that decides the vote
    const index_t *winner_of       # the first neuron of each class
    const stamp_t *times           # max_time: silent
    const real_t *potentials


cdef inline bint is_target(const Layout *layout, index_t neuron, index_t label) noexcept nogil:
    # A non-target neuron learns as if every sample belonged to another class.
    cdef index_t place = neuron - label * layout.n_per_class
    return layout.n_non_target <= place < layout.n_per_class
