"""Type of the compiled integrate-and-fire neuron."""

from typing import final

from spikenn_cy.neurons._base import Neuron

@final
class IntegrateAndFire(Neuron): ...
