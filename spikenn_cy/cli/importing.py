"""The command that makes a network of a graph of other software."""

import argparse
from pathlib import Path

from spikenn_cy.cli.arguments import Parser
from spikenn_cy.cli.arguments import counting_number
from spikenn_cy.cli.arguments import positive_number
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require_one_of
from spikenn_cy.export import from_nir

SUMMARY = "Make a network of a graph of other software."


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "graph", metavar="GRAPH", help="a graph in the Neuromorphic Intermediate Representation, of IF or LIF neurons"
    )
    parser.add_argument("output", metavar="OUT", help="file of the network, .npz, replaced if it is there")
    parser.add_argument(
        "--dt",
        type=positive_number,
        default=None,
        help="step of a simulator to which a spike is a current of 1 for one step (default: a spike is an impulse)",
    )
    parser.add_argument(
        "--max_time", type=positive_number, default=None, help="when a sample ends (default: as the graph says, or 1)"
    )
    parser.add_argument(
        "--n_classes",
        type=counting_number,
        default=None,
        help="classes of the output neurons, in their order (default: as the graph says, or one for each)",
    )
    parser.add_argument(
        "--once", action="store_true", help="take hidden neurons to spike once at most, whatever the graph lets them do"
    )


def main(arguments: argparse.Namespace) -> int:
    """Import, then say what was written."""
    require_one_of(Path(arguments.output).suffix.lower(), (".npz",), arguments.output, "suffix", DataError)
    options = {name: getattr(arguments, name) for name in ("dt", "max_time", "n_classes", "once")}
    model = from_nir(arguments.graph, **options)
    model.save(arguments.output)
    sizes = " -> ".join(f"{n:,}" for n in (model.n_inputs, *(layer.n_neurons for layer in model.layers)))
    print(f"{sizes} neurons, {model.n_classes:,} classes: {arguments.output}")
    return 0
