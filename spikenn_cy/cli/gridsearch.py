"""The command that trains every combination of the values in a grid."""

import argparse

from spikenn_cy.cli import batches
from spikenn_cy.cli.arguments import Parser
from spikenn_cy.cli.best import next_step
from spikenn_cy.experiments import grids
from spikenn_cy.settings.overrides import overridden

SUMMARY = "Train every combination of the settings in a grid and rank them."


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of the command."""
    batches.add_folders(
        parser,
        "folder with trainset and, to rank the runs by it, valset",
        "each run goes to a folder of its own in it",
        "settings as for kfold; a list in place of a value holds the values to try",
    )
    batches.add_settings(parser)
    batches.add_workers(parser)
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with the grid search in OUT, or start if there is none (the same grid is gone on with anyway, "
        "and another one always refused)",
    )


def main(arguments: argparse.Namespace) -> int:
    """Search, then print the best."""
    config, where = overridden(arguments.config, arguments.set)
    batch = grids.jobs(arguments.input, arguments.output, config, where=where)
    grids.warn(batch)
    status = batches.run(batch, arguments)
    summary = grids.summarise(arguments.output)
    batches.tell(summary)
    if summary.rows:
        print(next_step("OUT", None))
    return status
