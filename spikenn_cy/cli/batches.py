"""What commands of many runs have in common: where the work is done, and in which form it is told."""

import argparse

from spikenn_cy.cli.arguments import Parser
from spikenn_cy.cli.arguments import counting_number
from spikenn_cy.execution.pool import cluster_factory
from spikenn_cy.experiments.batch import Batch
from spikenn_cy.experiments.batch import data_of
from spikenn_cy.experiments.batch import run_batch
from spikenn_cy.experiments.tables import Summary
from spikenn_cy.utils.processors import available_processors

SOME_FAILED = 1
CONFIG = "settings: a JSON file, or the folder of a run"


def add_folders(parser: Parser, input: str, output: str, config: str) -> None:
    """Declare the three words every such command begins with, with their help texts."""
    parser.add_argument("input", metavar="IN", help=input)
    parser.add_argument("output", metavar="OUT", help=output)
    parser.add_argument("config", metavar="CONFIG", help=config)


def add_settings(parser: Parser) -> None:
    """Declare the option that sets single settings."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a setting in place of that in CONFIG, such as trainer.epochs=10; may be given several times",
    )


def add_folds(parser: Parser) -> None:
    """Declare the number of folds."""
    parser.add_argument("--K", type=counting_number, default=10, metavar="K", help="folds (default: %(default)s)")


def add_workers(parser: Parser) -> None:
    """Declare the options that say who does the runs."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--n_proc",
        type=counting_number,
        default=None,
        metavar="N",
        help="processes on this machine (default: one for each processor this process may use); 1: in this process",
    )
    where.add_argument(
        "--cluster", metavar="ADDRESS", help="do the runs on an existing Dask cluster, for instance tcp://host:8786"
    )


def add_form(parser: Parser) -> "argparse._MutuallyExclusiveGroup":
    """Declare the options that say how findings are printed; return their group, which may take one more."""
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", dest="form", action="store_const", const="json", help="print JSON")
    form.add_argument("--csv", dest="form", action="store_const", const="csv", help="print comma-separated values")
    parser.set_defaults(form="text")
    return form


def run(batch: Batch, arguments: argparse.Namespace) -> int:
    """Do a batch as `add_workers` let the user ask for; return the exit status."""
    executor = None if arguments.cluster is None else cluster_factory(arguments.cluster, batch.output, data_of(batch))
    failures = run_batch(batch, arguments.n_proc or available_processors(), executor)
    return SOME_FAILED if failures else 0


def tell(summary: Summary, form: str = "text") -> None:
    """Print a summary."""
    print(summary.text(form))
