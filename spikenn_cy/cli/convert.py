"""The command that makes a data set file of dense spike times."""

import argparse

from spikenn_cy.cli.arguments import Parser
from spikenn_cy.cli.arguments import positive_number
from spikenn_cy.data.convert import convert

SUMMARY = "Make a data set file of an array of spike times and an array of labels."


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("times", metavar="X.npy", help="spike times, shape (samples, ...)")
    parser.add_argument("labels", metavar="y.npy", help="labels, numbers or text, shape (samples,)")
    parser.add_argument("output", metavar="OUT.npz", help="the data set; replaced if it is there")
    parser.add_argument(
        "--max_time",
        type=positive_number,
        default=1.0,
        help="time at which a sample ends (default: %(default)s)",
    )


def main(arguments: argparse.Namespace) -> int:
    """Convert, then print what came out."""
    dataset = convert(arguments.times, arguments.labels, arguments.output, arguments.max_time)
    n_spikes = len(dataset.indices)
    print(f"{len(dataset):,} samples, {dataset.n_inputs:,} inputs, {dataset.n_classes:,} classes, {n_spikes:,} spikes")
    return 0
