"""Neuron models, by the name a layer gives as ``neuron.model``.

To add one: write ``name.py`` (its settings) and ``_name.pyx`` (its ``prepare``), then give
it a row here. Nothing else in the package changes.
"""

from spikenn_cy.neurons.integrate_and_fire import IFConfig
from spikenn_cy.neurons.leaky import LIFConfig
from spikenn_cy.neurons.settings import NeuronConfig

NEURONS: dict[str, type[NeuronConfig]] = {
    "if": IFConfig,
    "lif": LIFConfig,
}


def of_leak(leak_tau: float | None) -> NeuronConfig:
    """Return the neuron model that ``leak_tau`` stands for; files of the first edition name none."""
    return IFConfig() if leak_tau is None else LIFConfig(leak_tau=leak_tau)
