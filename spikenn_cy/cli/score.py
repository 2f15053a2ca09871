"""The command that tells what a K-fold cross-validation came to."""

import argparse

from spikenn_cy.cli import batches
from spikenn_cy.cli.arguments import Parser
from spikenn_cy.experiments import ablation
from spikenn_cy.experiments import folds
from spikenn_cy.experiments.batch import command_of

SUMMARY = "Print mean and standard deviation of the accuracies over the folds, of each setting of an ablation."


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("output", metavar="OUT", help="output folder of kfold or ablation")
    batches.add_form(parser)


def main(arguments: argparse.Namespace) -> int:
    """Print the score."""
    of = ablation if command_of(arguments.output) == "ablation" else folds
    batches.tell(of.summarise(arguments.output), arguments.form)
    return 0
