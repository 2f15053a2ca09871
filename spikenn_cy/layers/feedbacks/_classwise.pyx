"""Feedback of the class errors through weights of its own."""
import cython

from spikenn_cy.dtypes import REAL

from spikenn_cy.kernels.events cimport InputMajor, events
from spikenn_cy.layers._base cimport EventLayer, Events, Feedback
from spikenn_cy.types cimport real_t
from spikenn_cy.utils.alignment import aligned


@cython.final
cdef class Classwise(Feedback):
    """Sends back ``sum_c B_jc delta_c`` of the classes, whatever lies between.

    Parameters
    ----------
    weights : ndarray of float32, shape (n_units, n_padded)
        0 beyond the classes; changed in place.
    learns : bool
        Whether ``B_jc += rate * delta_c`` for each unit that spiked, with the rate of the output layer.
    """

    cdef real_t[:, ::1] weights
    cdef real_t[::1] step
    cdef bint learns

    def __init__(self, weights, bint learns):
        self.weights, self.learns = weights, learns
        self.step = aligned(weights.shape[1], REAL)

    cdef void send_back(self, EventLayer above, const real_t *class_errors, real_t *credit) noexcept nogil:
        cdef InputMajor matrix
        matrix.rows, matrix.n_rows, matrix.n_padded = &self.weights[0, 0], self.weights.shape[0], self.weights.shape[1]
        events().send_back(&matrix, class_errors, credit)

    cdef void learn(self, const Events *fired, const real_t *class_errors, double rate) noexcept nogil:
        cdef Py_ssize_t n = self.step.shape[0], k
        if not self.learns:
            return
        for k in range(n):
            self.step[k] = <real_t>(rate * class_errors[k])
        for k in range(fired.count):
            events().add(&self.weights[fired.units[k], 0], &self.step[0], n)
