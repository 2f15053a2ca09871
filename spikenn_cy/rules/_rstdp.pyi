"""Type of the compiled R-STDP."""

from typing import Any
from typing import final

from spikenn_cy.rules._base import Rule

@final
class RSTDP(Rule):
    def __init__(self, config: Any, *args: float) -> None: ...
