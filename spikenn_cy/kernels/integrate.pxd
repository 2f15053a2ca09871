"""The forward pass of a layer: input spikes charge the potentials until a decision needs no more."""
from spikenn_cy.kernels.layout cimport Layout, StopAt
from spikenn_cy.kernels.spikes cimport Spikes
from spikenn_cy.kernels.thread_pool cimport ThreadPool
from spikenn_cy.kernels.weights cimport WeightRows
from spikenn_cy.types cimport index_t, real_t, stamp_t


ctypedef struct ForwardPass:   # what every neuron of the layer finds
    const WeightRows *rows
    const real_t *thresholds   # inf: the neuron cannot fire
    const Spikes *spikes
    stamp_t max_time
    stamp_t *times             # OUT, max_time: silent
    real_t *potentials         # OUT


ctypedef struct Candidate:     # a neuron to charge
    index_t neuron
    bint ends                  # its spike ends the group


cdef Py_ssize_t c_charge_candidates(
    const ForwardPass *layer, const Candidate *candidates, int width, Py_ssize_t end
) noexcept nogil

cdef void c_charge_layer(
    const ForwardPass *layer, const Layout *layout, const StopAt *stop, ThreadPool *pool
) noexcept nogil
