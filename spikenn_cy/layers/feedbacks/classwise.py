"""Feedback through weights from the classes to every hidden unit, which need nothing of other layers."""

import numpy as np
import numpy.typing as npt

from spikenn_cy.layers._base import Feedback
from spikenn_cy.layers.feedbacks._classwise import Classwise
from spikenn_cy.layers.feedbacks.settings import FeedbackKind


class Mirrored(FeedbackKind):
    """``sum_c B_jc delta_c``, whose ``B`` learns what the output's weights learn: ``B_jc += rate * delta_c``."""

    has_weights = True

    def std(self, shared: bool) -> float:
        """Return 0.03, and 0.01 to a convolution."""
        return 0.01 if shared else 0.03

    def build(self, weights: npt.NDArray[np.float32] | None) -> Feedback:
        """Return the compiled feedback."""
        return Classwise(weights, True)


class Random(FeedbackKind):
    """``sum_c B_jc delta_c`` with a fixed ``B`` of deviation 1, as in feedback alignment."""

    has_weights = True
    rate_factor = 1 / 25

    def std(self, shared: bool) -> float:
        """Return 1."""
        return 1.0

    def build(self, weights: npt.NDArray[np.float32] | None) -> Feedback:
        """Return the compiled feedback."""
        return Classwise(weights, False)
