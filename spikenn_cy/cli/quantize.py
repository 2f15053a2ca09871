"""The command that tells what a network loses in whole numbers, and writes it in them."""

import argparse

from spikenn_cy.cli import batches
from spikenn_cy.cli.arguments import Parser
from spikenn_cy.cli.arguments import counting_number
from spikenn_cy.experiments.quantization import measure
from spikenn_cy.experiments.quantization import measured_set
from spikenn_cy.experiments.quantization import quantisations
from spikenn_cy.experiments.quantization import summarise
from spikenn_cy.experiments.store import model_of
from spikenn_cy.network.readout import Readout

SUMMARY = "Tell what a network loses with whole numbers for weights and times, and write it so."
BITS, TIME_BITS = [8, 6, 4, 3, 2], [8, 6, 4]


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("run", metavar="RUN_DIR", help="folder of a run, or a file with a trained network")
    parser.add_argument("--input", metavar="IN", required=True, help="folder with the data of the run")
    parser.add_argument(
        "--bits",
        type=counting_number,
        nargs="+",
        default=BITS,
        metavar="BITS",
        help="of a weight, with its sign, from 2 to 8 (default: 8 6 4 3 2)",
    )
    parser.add_argument(
        "--time_bits",
        type=counting_number,
        nargs="+",
        default=TIME_BITS,
        metavar="BITS",
        help="of a spike time, from 1 to 8 (default: 8 6 4)",
    )
    parser.add_argument(
        "--out", metavar="FILE", help="write the network of the first of --bits and the first of --time_bits"
    )
    batches.add_form(parser)


def main(arguments: argparse.Namespace) -> int:
    """Measure each pair of bits, write a network if asked for, and print."""
    model = Readout.load(model_of(arguments.run))
    name, dataset = measured_set(arguments.input)
    kinds = list(quantisations(model, arguments.bits, arguments.time_bits))
    rows = measure(model, dataset, kinds)
    if arguments.out is not None:
        kinds[0].save(arguments.out)
    batches.tell(summarise(rows, name, len(dataset)), arguments.form)
    return 0
