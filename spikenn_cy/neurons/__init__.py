"""Neuron models; a layer's ``leak_tau`` chooses between the two.

To add one: write ``_name.pyx`` (its ``prepare``) and give it a row here.
"""

from spikenn_cy.neurons._if import IntegrateAndFire
from spikenn_cy.neurons._lif import LeakyIntegrateAndFire

NEURONS = {
    "if": IntegrateAndFire,
    "lif": LeakyIntegrateAndFire,
}
