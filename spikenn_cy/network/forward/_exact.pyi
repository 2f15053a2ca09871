"""Type of the exact forward pass."""

from typing import final

from spikenn_cy.network.forward._base import Forward

@final
class ExactForward(Forward): ...
