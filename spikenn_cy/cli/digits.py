"""The command that writes the bundled digits as data for the other commands."""

import argparse

from spikenn_cy.cli.arguments import Parser
from spikenn_cy.cli.arguments import counting_number
from spikenn_cy.demo.folds import write_digits

SUMMARY = "Write the bundled handwritten digits as data for gridsearch (OUT/gs) and kfold (OUT/kfold)."


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("output", metavar="OUT", help="a new folder")
    parser.add_argument("--K", type=counting_number, default=10, metavar="K", help="folds (default: %(default)s)")


def main(arguments: argparse.Namespace) -> int:
    """Write, then say how many samples are where."""
    for folder, sizes in write_digits(arguments.output, arguments.K).items():
        print(f"{arguments.output}/{folder}: {' + '.join(map(str, sizes))} samples")
    return 0
