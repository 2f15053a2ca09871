"""What a regulator may do to a layer's training thresholds around each training sample."""
import numpy as np

from spikenn_cy.dtypes import REAL
from spikenn_cy.kernels.layout cimport LayerOutput, Layout
from spikenn_cy.types cimport index_t, real_t


cdef class Regulator:
    """The training thresholds of a layer, owned by one run; this base leaves them at the inference thresholds.

    ``before_forward`` returns the thresholds of a sample's forward pass, ``after_forward`` moves
    them by the layer's output and leaves them ready for any class.

    Parameters
    ----------
    n_classes, n_per_class, n_non_target : int
        Neurons lie class by class, ``n_per_class`` each, non-target neurons first.
    """

    def __init__(self, index_t n_classes, index_t n_per_class, index_t n_non_target):
        self.layout = Layout(n_classes, n_per_class, n_non_target)
        self.to_first_target = False
        self.thresholds = np.zeros(n_classes * n_per_class, REAL)

    cdef const real_t *before_forward(self, index_t label) noexcept nogil:
        return &self.thresholds[0]

    cdef void after_forward(self, const LayerOutput *output) noexcept nogil:
        pass

    cdef real_t training_threshold(self, index_t neuron) noexcept nogil:
        return self.thresholds[neuron]

    def reset(self, inference):
        """Start from these inference thresholds, float32 of shape (n_neurons,)."""
        self.thresholds = np.array(inference, REAL)

    def on_epoch_start(self):
        """Make ready for an epoch."""

    def on_epoch_end(self):
        """Anneal; return the inference thresholds from here on, or None if they stay."""
        return None

    @property
    def training_thresholds(self):
        """A copy of the thresholds as the last training sample left them, float32 of shape (n_neurons,)."""
        cdef index_t j
        return np.array([self.training_threshold(j) for j in range(self.thresholds.shape[0])], REAL)

    @property
    def state(self):
        """What changes from epoch to epoch, beside the inference thresholds: a list of floats."""
        return []

    @state.setter
    def state(self, values):
        if len(values):
            raise ValueError(f"regulator: must have no state without a regularizer, got {len(values)} values")
