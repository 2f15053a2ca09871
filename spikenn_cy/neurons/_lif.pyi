"""Type of the compiled leaky integrate-and-fire neuron."""

from typing import final

from spikenn_cy.neurons._base import Neuron

@final
class LeakyIntegrateAndFire(Neuron):
    @property
    def leak_tau(self) -> float: ...
    def __init__(self, n_inputs: int, leak_tau: float) -> None: ...
