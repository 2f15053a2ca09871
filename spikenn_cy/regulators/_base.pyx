"""What a regulator may do to a layer's thresholds around each training sample."""
from spikenn_cy.kernels.answer cimport Answer, Layout
from spikenn_cy.types cimport index_t, real_t


cdef class Regulator:
    """A regulator, owned by one run; this base leaves the thresholds alone.

    The forward pass reads one array of thresholds. ``fill`` sets it before samples are
    seen, ``before_forward`` may change it for one sample's class and ``after_forward``
    moves thresholds by the layer's answer and leaves the array ready for any class.

    Parameters
    ----------
    n_classes, n_per_class, n_non_target : int
        Neurons lie class by class, ``n_per_class`` each, non-target neurons first.
    """

    def __init__(self, index_t n_classes, index_t n_per_class, index_t n_non_target):
        self.layout = Layout(n_classes, n_per_class, n_non_target)
        self.to_first_target = False

    cdef void before_forward(self, index_t label, real_t[::1] thresholds) noexcept nogil:
        pass

    cdef void after_forward(self, const Answer *answer, real_t[::1] thresholds) noexcept nogil:
        pass

    cdef real_t training_threshold(self, index_t neuron, const real_t[::1] thresholds) noexcept nogil:
        return thresholds[neuron]

    def reset(self, inference):
        """Start from these inference thresholds, float32 of shape (n_neurons,)."""

    def fill(self, inference, thresholds):
        """Set the thresholds of the forward pass from the inference thresholds."""
        thresholds[:] = inference

    def on_epoch_start(self, inference):
        """Make ready for an epoch that starts with these inference thresholds."""

    def on_epoch_end(self, inference):
        """Anneal; return the inference thresholds from here on."""
        return inference

    def training_thresholds(self, inference):
        """Return the thresholds as the last training sample left them."""
        return inference

    @property
    def state(self):
        """What changes from epoch to epoch, beside the thresholds: a list of floats."""
        return []

    @state.setter
    def state(self, values):
        if len(values):
            raise ValueError(f"regulator: must have no state without a regularizer, got {len(values)} values")
