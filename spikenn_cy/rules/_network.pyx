"""What a rule that trains every layer sees of the output layer, and what it answers: an error for each neuron."""
from spikenn_cy.dtypes import REAL
from spikenn_cy.kernels.layout cimport Layout
from spikenn_cy.layers._base import padded
from spikenn_cy.layers._base cimport EventLayer
from spikenn_cy.layers._dense cimport DenseEvents
from spikenn_cy.types cimport index_t, stamp_t
from spikenn_cy.utils.alignment import aligned


cdef class NetworkRule:
    """A rule that trains every layer of a network, owned by one run.

    A subclass overrides ``judge``: it writes ``output.errors``, and ``class_errors`` for feedback that has weights of
    its own, and returns whether anything learns. Errors of hidden layers follow from these by ``share``.

    Parameters
    ----------
    n_classes, n_per_class : int
        Output neurons lie class by class.
    max_time : float
        Time of silence.
    """

    def __init__(self, index_t n_classes, index_t n_per_class, double max_time):
        self.layout = Layout(n_classes, n_per_class, 0)
        self.max_time = max_time
        self.class_errors = aligned(padded(n_classes), REAL)

    cdef bint judge(self, DenseEvents output, index_t label, stamp_t decided_at) noexcept nogil:
        return False

    cdef void share(self, EventLayer above) noexcept nogil:
        # Brings the errors of a layer to the one below.
        above.below.feedback.send_back(above, &self.class_errors[0], &above.below.credit[0])
        above.below.take_credit()
