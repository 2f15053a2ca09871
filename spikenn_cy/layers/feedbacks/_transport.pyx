"""Feedback through the weights of the layer above."""
import cython

from spikenn_cy.layers._base cimport EventLayer, Feedback
from spikenn_cy.types cimport real_t


@cython.final
cdef class Transport(Feedback):
    """Sends back ``sum_k W_kj delta_k`` of the layer above: the gradient."""

    cdef void send_back(self, EventLayer above, const real_t *class_errors, real_t *credit) noexcept nogil:
        above.send_back(credit)
