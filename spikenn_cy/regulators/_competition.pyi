"""Type of the compiled competition regulation."""

from typing import Any
from typing import final

from spikenn_cy.regulators._base import Regulator

@final
class Competition(Regulator):
    def __init__(self, config: Any, *args: int) -> None: ...
