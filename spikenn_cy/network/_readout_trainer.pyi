"""Types of the compiled hot loop over training samples."""

from typing import final

from spikenn_cy.config import TrainerConfig
from spikenn_cy.network._batch import SampleBatch
from spikenn_cy.network._statistics import EpochStatistics
from spikenn_cy.network.forward._base import Forward
from spikenn_cy.network.layer import Layer
from spikenn_cy.regulators._base import Regulator
from spikenn_cy.rules._base import Rule

@final
class ReadoutTrainer:
    def __init__(
        self, layer: Layer, position: int, rule: Rule, regulator: Regulator, trainer: TrainerConfig
    ) -> None: ...
    def run(
        self, batch: SampleBatch, forward: Forward, statistics: EpochStatistics | None = None, n_threads: int = 1
    ) -> int: ...
