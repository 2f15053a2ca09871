"""Experiments of many runs: ``RUNNERS`` has the module of each, by the name of its command.

To add one: write ``name.py`` with ``jobs(...)``, which returns the `Batch` of its runs and
does nothing else, and ``summarise(output)``, which reads their results, then give it a row
here. Processes, folders, interruptions and failures are `run_batch`'s.
"""

from spikenn_cy.experiments import ablation
from spikenn_cy.experiments import gridsearch
from spikenn_cy.experiments import kfold

RUNNERS = {
    "kfold": kfold,
    "gridsearch": gridsearch,
    "ablation": ablation,
}
