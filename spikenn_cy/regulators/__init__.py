"""Regulators of the competition inside a class, by name; ``regularizer`` in a JSON file.

To add one: write ``name.py`` (its settings) and ``_name.pyx`` (``before_forward`` and
``after_forward``), then give it a row here. Nothing else in the package changes.
"""

from spikenn_cy.regulators.competition import CompetitionConfig

REGULATORS = {
    "competition": CompetitionConfig,
}
