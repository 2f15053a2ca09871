"""Learning rules, by the name a JSON file gives as ``optimizer.method``.

To add one: write ``name.py`` (its settings, checked and documented) and ``_name.pyx``
(its ``learn``), then give it a row here. Nothing else in the package changes.
"""

from spikenn_cy.rules.decision_time import DecisionTimeConfig
from spikenn_cy.rules.rstdp import RSTDPConfig
from spikenn_cy.rules.s2stdp import S2STDPConfig
from spikenn_cy.rules.s4nn import S4NNConfig
from spikenn_cy.rules.s4nn_layers import S4NNLayersConfig
from spikenn_cy.rules.settings import RuleConfig

RULES: dict[str, type[RuleConfig]] = {
    "s2stdp": S2STDPConfig,
    "rstdp": RSTDPConfig,
    "s4nn": S4NNConfig,
    "decision_time": DecisionTimeConfig,
    "s4nn_layers": S4NNLayersConfig,
}
