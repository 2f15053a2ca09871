"""The leaky integrate-and-fire neuron, which forgets early spikes."""

from spikenn_cy.neurons._lif import LeakyIntegrateAndFire
from spikenn_cy.neurons.settings import NeuronConfig


class LIFConfig(NeuronConfig, frozen=True, kw_only=True, tag_field="model", tag="lif"):
    """``"neuron": {"model": "lif", ...}``, for which a layer's ``leak_tau`` is short.

    Between two ties of spikes the potential decays by ``exp(-dt / leak_tau)``;
    ``leak_tau`` is a time constant, in the data's unit of time.
    """

    leak_tau: float

    def check(self) -> None:
        self.rule(self.leak_tau > 0, "leak_tau", "must be > 0")

    def build(self, n_inputs: int) -> LeakyIntegrateAndFire:
        """Return the compiled model for a layer of ``n_inputs``, for one thread."""
        return LeakyIntegrateAndFire(n_inputs, self.leak_tau)

    def time_constant(self) -> float:
        """Return ``leak_tau``."""
        return self.leak_tau
