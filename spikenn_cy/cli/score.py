"""The command that tells what a K-fold cross-validation came to."""

import argparse

from spikenn_cy.cli import batches
from spikenn_cy.cli.arguments import Parser
from spikenn_cy.experiments import folds

SUMMARY = "Print mean and standard deviation of the accuracies over the folds."


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("output", metavar="OUT", help="output folder of kfold")
    batches.add_form(parser)


def main(arguments: argparse.Namespace) -> int:
    """Print the score."""
    batches.tell(folds.summarise(arguments.output), arguments.form)
    return 0
