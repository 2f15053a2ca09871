"""Feedback through the weights of the layer above, which is the gradient and needs them carried down."""

import numpy as np
import numpy.typing as npt

from spikenn_cy.layers._base import Feedback
from spikenn_cy.layers.feedbacks._transport import Transport
from spikenn_cy.layers.feedbacks.settings import FeedbackKind


class Transported(FeedbackKind):
    """``sum_k W_kj delta_k`` of the layer above."""

    def build(self, weights: npt.NDArray[np.float32] | None) -> Feedback:
        """Return the compiled feedback; it has no weights of its own."""
        return Transport()
