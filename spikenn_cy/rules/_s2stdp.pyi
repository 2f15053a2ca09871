"""Type of the compiled S2-STDP and SSTDP."""

from typing import Any
from typing import final

from spikenn_cy.rules._base import Rule

@final
class S2STDP(Rule):
    def __init__(self, config: Any, *args: float) -> None: ...
