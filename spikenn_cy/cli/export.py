"""The command that writes a trained network for other software."""

import argparse

from spikenn_cy.cli.arguments import Parser
from spikenn_cy.cli.arguments import counting_number
from spikenn_cy.cli.arguments import positive_number
from spikenn_cy.experiments.store import model_of
from spikenn_cy.export import FORMATS
from spikenn_cy.export import GRAPH_READERS
from spikenn_cy.export import export

SUMMARY = "Write a trained network for other software."


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("run", metavar="RUN_DIR", help="folder of a run, or a file with a trained or quantised network")
    formats = ", ".join(f"{suffix} ({form.title})" for suffix, form in FORMATS.items())
    parser.add_argument("output", metavar="OUT", help=f"file to write, replaced if it is there: {formats}")
    parser.add_argument(
        "--dt",
        type=positive_number,
        default=None,
        help="for a .nir file whose reader takes a spike for a current of 1 for one step, its length in the unit of "
        "max_time (default: a spike is an impulse)",
    )
    parser.add_argument(
        "--reader",
        choices=list(GRAPH_READERS),
        default=None,
        help="write a .nir file that this simulator alone reads as the network; --dt is then what one of its steps is",
    )
    for name, what in (("--bits", "a weight, 2 to 8"), ("--time_bits", "a spike time, 1 to 8")):
        text = f"for a .h file of a network that is not quantised yet: bits of {what} (default: 8)"
        parser.add_argument(name, type=counting_number, default=None, metavar="BITS", help=text)


def main(arguments: argparse.Namespace) -> int:
    """Export, then say what was written."""
    widths = {"bits": arguments.bits, "time_bits": arguments.time_bits}
    steps = {"dt": arguments.dt, "reader": arguments.reader}
    model = export(model_of(arguments.run), arguments.output, **steps, **widths)
    sizes = " -> ".join(f"{n:,}" for n in (model.n_inputs, *(layer.n_neurons for layer in model.layers)))
    print(f"{sizes} neurons, {model.n_classes:,} classes: {arguments.output}")
    return 0
