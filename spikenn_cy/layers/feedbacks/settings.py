"""What a way to send errors back needs of a hidden layer."""

import numpy as np
import numpy.typing as npt

from spikenn_cy.layers._base import Feedback


class FeedbackKind:
    """A way in which errors of the output reach hidden layers.

    Attributes
    ----------
    has_weights : bool
        Whether it has weights of its own, from the classes to the units of each hidden layer.
    rate_factor : float
        On the rates of hidden layers.
    """

    has_weights = False
    rate_factor = 1.0

    def std(self, shared: bool) -> float:
        """Return the deviation of its own weights, drawn around 0, to a layer whose positions share weights or not."""
        return 0.0

    def build(self, weights: npt.NDArray[np.float32] | None) -> Feedback:
        """Return the compiled feedback of one layer, which reads and changes these weights."""
        raise NotImplementedError
