"""The command that repeats the published ablations."""

import argparse
from collections.abc import Callable
from collections.abc import Sequence

from spikenn_cy.cli import batches
from spikenn_cy.cli.arguments import Parser
from spikenn_cy.cli.arguments import counting_number
from spikenn_cy.cli.arguments import number
from spikenn_cy.experiments import ablation

SUMMARY = "Vary the neurons of the last layer, or the regulation of its thresholds, and score each on K folds."


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of the command."""
    kinds = parser.add_subparsers(dest="kind", metavar="neurons|thresholds", required=True)
    epochs = ablation.NEURONS_EPOCHS
    neurons = _kind(kinds, "neurons", f"vary the number of neurons in the last layer, {epochs} epochs each")
    _values(neurons, "--neurons", counting_number, ablation.NEURONS, "numbers of neurons")
    thresholds = _kind(kinds, "thresholds", "vary the rate of competition regulation and its annealing")
    _values(thresholds, "--thr_lr", number, ablation.THR_LR, "rates, in units of potential")
    _values(thresholds, "--thr_anneal", number, ablation.THR_ANNEAL, "factors to the rate after each epoch")


def main(arguments: argparse.Namespace) -> int:
    """Train, then print a score for each setting."""
    varied = ("neurons",) if arguments.kind == "neurons" else ("thr_lr", "thr_anneal")
    options = {name: getattr(arguments, name) for name in varied}
    batch = ablation.jobs(arguments.kind, arguments.input, arguments.output, arguments.config, K=arguments.K, **options)
    status = batches.run(batch, arguments)
    batches.tell(ablation.summarise(arguments.output), arguments.form)
    return status


def _kind(kinds: "argparse._SubParsersAction[Parser]", name: str, text: str) -> Parser:
    parser = kinds.add_parser(name, help=text, description=f"{text[:1].upper()}{text[1:]}.")
    batches.add_folders(
        parser,
        "holds the data of fold 0 in IN/0, and so on",
        "each setting goes to a folder of its own in it, with a folder for each fold",
        "the other settings: " + batches.CONFIG,
    )
    batches.add_folds(parser)
    batches.add_workers(parser)
    batches.add_form(parser)
    return parser


def _values(parser: Parser, option: str, read: Callable[[str], float], default: Sequence[float], text: str) -> None:
    shown = " ".join(map(str, default))
    parser.add_argument(
        option, type=read, nargs="+", default=list(default), metavar="VALUE", help=f"{text} (default: {shown})"
    )
