"""Ways to find a layer's first spikes, all with the same bits: ``FORWARDS`` has the class of each, by name.

To add one: write ``_name.pyx`` with a subclass of `Forward`, give it a row here, and say in
`spikenn_cy.network.forward.choice` for which layers it is taken. Nothing else in the package changes.
"""

from spikenn_cy.network.forward._base import Forward
from spikenn_cy.network.forward._exact import ExactForward
from spikenn_cy.network.forward._input_major import InputMajorForward
from spikenn_cy.network.forward.screening._screening import ScreeningForward

FORWARDS: dict[str, type[Forward]] = {
    "exact": ExactForward,
    "input_major": InputMajorForward,
    "screening": ScreeningForward,
}
