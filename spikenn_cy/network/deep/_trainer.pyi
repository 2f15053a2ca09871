"""Types of the loop that trains every layer."""

from typing import final

from spikenn_cy.network._batch import SampleBatch
from spikenn_cy.network.deep._augment import Augmentation
from spikenn_cy.network.deep._network import EventNetwork
from spikenn_cy.network.deep._statistics import DeepStatistics
from spikenn_cy.rules._network import NetworkRule

@final
class NetworkTrainer:
    def __init__(self, network: EventNetwork, rule: NetworkRule, augmentation: Augmentation | None = None) -> None: ...
    def run(self, batch: SampleBatch, statistics: DeepStatistics | None = None) -> int: ...
