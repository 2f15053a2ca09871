"""Experiments of many runs: ``RUNNERS`` has the module of each, by the name of its command; some are functions as well.

To add one: write ``name.py`` with ``jobs(...)``, which returns the `Batch` of its runs and
does nothing else, and ``summarise(output)``, which reads their results, then give it a row
here. Processes, folders, interruptions and failures are `run_batch`'s.
"""

from spikenn_cy.experiments import ablation
from spikenn_cy.experiments import folds
from spikenn_cy.experiments import grids
from spikenn_cy.experiments.comparison import compare
from spikenn_cy.experiments.functions import gridsearch
from spikenn_cy.experiments.functions import kfold

__all__ = ["RUNNERS", "compare", "gridsearch", "kfold"]

RUNNERS = {
    "kfold": folds,
    "gridsearch": grids,
    "ablation": ablation,
}
