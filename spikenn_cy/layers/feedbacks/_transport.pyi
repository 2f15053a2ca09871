"""Types of the feedback through the layer above."""

from typing import final

from spikenn_cy.layers._base import Feedback

@final
class Transport(Feedback): ...
