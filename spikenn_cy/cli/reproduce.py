"""The command that makes a published table again, from images to a page beside what was published."""

import argparse
from pathlib import Path

from spikenn_cy.cli import batches
from spikenn_cy.cli.arguments import Parser
from spikenn_cy.cli.arguments import counting_number
from spikenn_cy.errors import RunError
from spikenn_cy.execution.pool import cluster_factory
from spikenn_cy.reproduction.runner import Reproduction
from spikenn_cy.reproduction.runner import described
from spikenn_cy.reproduction.runner import reproduce
from spikenn_cy.reproduction.tables import TABLES
from spikenn_cy.reproduction.tables import chosen
from spikenn_cy.reproduction.tables import read_table
from spikenn_cy.storage.kinds import RESULTS
from spikenn_cy.utils.processors import available_processors

SUMMARY = "Make a published table again: images, features, folds and scores, beside what was published."


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("table", metavar="TABLE", choices=list(TABLES), help=f"one of {', '.join(TABLES)}")
    parser.add_argument("output", metavar="OUT", help=f"gets all that is made, and {', '.join(RESULTS)}; gone on with")
    parser.add_argument(
        "--data",
        metavar="DIR",
        help="take published images from here, or from a folder for each data set in it, in place of the network",
    )
    for option, text in (("extractor", "features"), ("dataset", "data sets"), ("rule", "learning rules or variants")):
        parser.add_argument(
            f"--{option}", nargs="+", default=[], metavar="NAME", help=f"only these {text} (default: all of the table)"
        )
    parser.add_argument(
        "--K", type=counting_number, metavar="K", help="the first K of ten folds (default: as published)"
    )
    parser.add_argument("--keep", action="store_true", help="leave the features of folds whose runs are done")
    parser.add_argument("--list", action="store_true", help="only say what is there and what it would take")
    batches.add_workers(parser)


def main(arguments: argparse.Namespace) -> int:
    """Make the table, then say where it is."""
    for name in ("output", "data"):
        if getattr(arguments, name) == "":
            raise RunError(f"{name}: must be a path, got an empty one")
    table, home = read_table(arguments.table), Path(arguments.output)
    cells = chosen(table, arguments.extractor, arguments.dataset, arguments.rule)
    asked = Reproduction(
        table=arguments.table,
        home=home,
        cells=tuple(cells),
        n_folds=arguments.K or table.n_folds,
        data=arguments.data,
        keep=arguments.keep,
    )
    if arguments.list:
        print(*described(asked), sep="\n")
        return 0
    executor_for = None
    if arguments.cluster is not None:
        executor_for = lambda output, files: cluster_factory(arguments.cluster, output, files)  # noqa: E731
    failures = reproduce(asked, arguments.n_proc or available_processors(), executor_for)
    print(*(home / name for name in RESULTS), sep="\n")
    return batches.SOME_FAILED if failures else 0
