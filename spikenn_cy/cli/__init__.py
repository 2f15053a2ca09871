"""Commands of ``spikenn-cy``, by name.

To add one: write ``name.py`` with ``SUMMARY`` (a line for the help text),
``add_arguments(parser)`` and ``main(arguments)``, which returns the exit status and
leaves errors to its caller, then give it a row here. Nothing else in the package changes.
"""

from spikenn_cy.cli import ablation
from spikenn_cy.cli import best
from spikenn_cy.cli import compare
from spikenn_cy.cli import convert
from spikenn_cy.cli import cost
from spikenn_cy.cli import dataset
from spikenn_cy.cli import digits
from spikenn_cy.cli import encode
from spikenn_cy.cli import export
from spikenn_cy.cli import extract
from spikenn_cy.cli import gridsearch
from spikenn_cy.cli import importing
from spikenn_cy.cli import kfold
from spikenn_cy.cli import plot
from spikenn_cy.cli import predict
from spikenn_cy.cli import quantize
from spikenn_cy.cli import reproduce
from spikenn_cy.cli import run
from spikenn_cy.cli import score

COMMANDS = {
    "run": run,
    "kfold": kfold,
    "score": score,
    "gridsearch": gridsearch,
    "best": best,
    "ablation": ablation,
    "compare": compare,
    "plot": plot,
    "cost": cost,
    "quantize": quantize,
    "export": export,
    "import": importing,
    "convert": convert,
    "encode": encode,
    "digits": digits,
    "dataset": dataset,
    "extract": extract,
    "reproduce": reproduce,
    "predict": predict,
}
