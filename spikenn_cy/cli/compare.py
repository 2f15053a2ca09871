"""The command that puts cross-validations side by side."""

import argparse

from spikenn_cy.cli import batches
from spikenn_cy.cli.arguments import Parser
from spikenn_cy.errors import RunError
from spikenn_cy.experiments.comparison import compare
from spikenn_cy.plots import write_figure
from spikenn_cy.plots.comparison import compare as drawn

SUMMARY = "Compare cross-validations fold by fold, with tests of their differences."


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("output", metavar="OUT", help="output folder of kfold")
    parser.add_argument("others", metavar="OUT", nargs="+", help="others, on the same folds")
    parser.add_argument("--figure", metavar="FILE", help="draw them too, as a .png, .svg or .pdf file")
    form = batches.add_form(parser)
    form.add_argument("--latex", dest="form", action="store_const", const="latex", help="print a table for LaTeX")


def main(arguments: argparse.Namespace) -> int:
    """Compare, draw if asked for, and print."""
    outputs = [arguments.output, *arguments.others]
    if "" in [*outputs, arguments.figure]:
        raise RunError("arguments: must be paths, got an empty one")
    found = compare(outputs)
    if arguments.figure is not None:
        write_figure(drawn(found), arguments.figure)
    print(found.text(arguments.form))
    return 0
