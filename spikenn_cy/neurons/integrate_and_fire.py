"""The integrate-and-fire neuron, the model of every published setting."""

import math

from spikenn_cy.neurons._if import IntegrateAndFire
from spikenn_cy.neurons.settings import NeuronConfig


class IFConfig(NeuronConfig, frozen=True, kw_only=True, tag_field="model", tag="if"):
    """``"neuron": {"model": "if"}``: the potential is the sum of the weights of the spikes so far."""

    def build(self, n_inputs: int) -> IntegrateAndFire:
        """Return the compiled model for a layer of ``n_inputs``, for one thread."""
        return IntegrateAndFire()

    def time_constant(self) -> float:
        """Return infinity: nothing leaks."""
        return math.inf
