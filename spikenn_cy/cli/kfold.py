"""The command that trains one setting on each of K splits of the data."""

import argparse

from spikenn_cy.cli import batches
from spikenn_cy.cli.arguments import Parser
from spikenn_cy.config import ExperimentConfig
from spikenn_cy.experiments import folds
from spikenn_cy.settings.overrides import overridden

SUMMARY = "Train one setting on each of K folds and score it."


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of the command."""
    batches.add_folders(
        parser,
        "holds the data of fold 0 in IN/0, and so on",
        "fold 0 goes to OUT/0, and so on; what is unfinished there is gone on with",
        batches.CONFIG,
    )
    batches.add_settings(parser)
    batches.add_folds(parser)
    batches.add_workers(parser)


def main(arguments: argparse.Namespace) -> int:
    """Train, then print the score."""
    config = ExperimentConfig.from_any(*overridden(arguments.config, arguments.set))
    status = batches.run(folds.jobs(arguments.input, arguments.output, config, arguments.K), arguments)
    batches.tell(folds.summarise(arguments.output))
    return status
