"""Type of the compiled S4NN."""

from typing import Any
from typing import final

from spikenn_cy.rules._base import Rule

@final
class S4NN(Rule):
    def __init__(self, config: Any, *args: float) -> None: ...
