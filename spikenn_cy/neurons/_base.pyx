"""What a neuron model must state: how its potential decays between two input spikes."""
from spikenn_cy.kernels.spikes cimport Spikes


cdef class Neuron:
    """A neuron model, owned by one layer of one run.

    A subclass overrides ``prepare``, which is called once a sample, before the forward
    pass, and points ``spikes.decay`` at the share of its potential that a neuron keeps up
    to each input spike, or leaves it ``NULL``. One whose potential decays sets ``leaks``.
    """

    cdef void prepare(self, Spikes *spikes) noexcept nogil:
        spikes.decay = NULL
