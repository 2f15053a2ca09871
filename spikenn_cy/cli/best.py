"""The command that ranks the runs of a grid search."""

import argparse

from spikenn_cy.cli import batches
from spikenn_cy.cli.arguments import Parser
from spikenn_cy.cli.arguments import counting_number
from spikenn_cy.experiments import gridsearch

SUMMARY = "Print the best runs of a grid search and the settings in which they differ."


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("output", metavar="OUT", help="output folder of gridsearch")
    parser.add_argument("--N", type=counting_number, default=10, metavar="N", help="how many (default: %(default)s)")
    batches.add_form(parser)


def main(arguments: argparse.Namespace) -> int:
    """Print the table."""
    batches.tell(gridsearch.summarise(arguments.output, arguments.N), arguments.form)
    return 0
