"""The command that counts what decisions of a trained network cost."""

import argparse
import dataclasses
import json
import math
from collections.abc import Sequence
from pathlib import Path

from spikenn_cy.cli.arguments import Parser
from spikenn_cy.cli.arguments import counting_number
from spikenn_cy.errors import RunError
from spikenn_cy.errors import did_you_mean
from spikenn_cy.experiments.data import measured_set
from spikenn_cy.experiments.store import model_of
from spikenn_cy.network.cost import rows_of_energy
from spikenn_cy.network.readout import Readout
from spikenn_cy.utils.tables import as_text

SUMMARY = "Count what decisions cost: spikes, synaptic operations and bytes until the first output spike."
PRICES = {"mac": True, "add": True, "byte": False}  # in pJ, and whether it must be given
OPTION = "--energy"


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("run", metavar="RUN", help="folder of a run, or a file with a trained network")
    parser.add_argument(
        "--input",
        metavar="IN",
        required=True,
        help="the data: a data set's file, or a folder, of which the testset is taken, or else the valset, or else the "
        "trainset",
    )
    parser.add_argument(
        OPTION,
        nargs="+",
        metavar="WHAT=PJ",
        help="turn counts into energies: what a multiply-add (mac), an addition (add) and, if it is to count, a byte "
        "of weights that is read (byte) take, in pJ; mac=4.6 add=0.9 are those of Horowitz (2014), 45 nm",
    )
    parser.add_argument("--json", action="store_true", help="print JSON in place of tables")
    parser.add_argument(
        "--n_threads", type=counting_number, default=1, metavar="N", help="threads over samples (default: %(default)s)"
    )


def main(arguments: argparse.Namespace) -> int:
    """Count, then print the counts of one sample, what decides, and energies if prices were given."""
    for name in ("run", "input"):
        if getattr(arguments, name) == "":
            raise RunError(f"{name}: must be a path, got an empty one")
    prices = None if arguments.energy is None else prices_of(arguments.energy)
    model = Readout.load(model_of(arguments.run))
    dataset = measured_set(arguments.input)
    cost = model.cost(dataset, arguments.n_threads)
    energy = None if prices is None else cost.energy(**prices)
    data = Path(dataset.source or arguments.input).name
    if arguments.json:
        told = {"data": data, **cost.to_dict()}
        if energy is not None:
            told["energy_pj"] = {"prices": prices, **dataclasses.asdict(energy)}
        print(json.dumps(told))
        return 0
    print(f"{data}: {cost}")
    if energy is not None:
        print(f"\n{as_text(rows_of_energy(energy))}")
    return 0


def prices_of(words: Sequence[str]) -> dict[str, float]:
    """Return prices by their names.

    Raises
    ------
    RunError
        If a word is no price, or one is missing or there twice.
    """
    prices: dict[str, float] = {}
    for word in words:
        name, _, text = word.partition("=")
        if name not in PRICES:
            rule = f"must be {', '.join(f'{known}=PJ' for known in PRICES)}"
            raise RunError(f"{OPTION}: {rule}, got {word!r}{did_you_mean(name, PRICES)}")
        if name in prices:
            raise RunError(f"{OPTION}: must have {name} once, got {word!r} as well")
        try:
            prices[name] = float(text)
        except ValueError:
            prices[name] = math.nan
        if not 0 <= prices[name] < math.inf:
            raise RunError(f"{OPTION}: {name} must be a number of pJ >= 0, got {text!r}")
    missing = [name for name, needed in PRICES.items() if needed and name not in prices]
    if missing:
        raise RunError(f"{OPTION}: must have {' and '.join(missing)} too, got {' '.join(words)!r}")
    return prices
