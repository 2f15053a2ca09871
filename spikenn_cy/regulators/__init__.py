"""Regulators of the competition inside a class, by the name a JSON file gives as ``regularizer.method``.

To add one: write ``name.py`` (its settings) and ``_name.pyx`` (``before_forward`` and
``after_forward``), then give it a row here. Nothing else in the package changes.
"""

from spikenn_cy.regulators.competition import CompetitionConfig
from spikenn_cy.regulators.settings import RegulatorConfig

REGULATORS: dict[str, type[RegulatorConfig]] = {
    "competition": CompetitionConfig,
}
