"""The command that ranks the runs of a grid search."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from typing import Any

from spikenn_cy.cli import batches
from spikenn_cy.cli.arguments import Parser
from spikenn_cy.cli.arguments import counting_number
from spikenn_cy.errors import RunError
from spikenn_cy.experiments import grids
from spikenn_cy.storage.kinds import KINDS
from spikenn_cy.storage.output import OutputFolder
from spikenn_cy.storage.records import write_record

SUMMARY = "Print the best runs of a grid search with the settings that it varies, and keep those of the very best."


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("output", metavar="OUT", help="output folder of gridsearch")
    parser.add_argument("--N", type=counting_number, default=10, metavar="N", help="how many (default: %(default)s)")
    parser.add_argument("--save", metavar="FILE", help="write the settings of the best run, a CONFIG for kfold")
    parser.add_argument("--verbose", action="store_true", help="print folders of runs in place of their numbers")
    batches.add_form(parser)


def main(arguments: argparse.Namespace) -> int:
    """Print the table, and what to do with the best settings."""
    output, form = arguments.output, arguments.form
    summary = grids.summarise(output, arguments.N, arguments.verbose)
    if arguments.save is not None:
        save(grids.winner(output), arguments.save)
    batches.tell(summary, form)
    if form == "text" and summary.rows:
        print(next_step(output, arguments.save))
    return 0


def save(settings: Mapping[str, Any], file: str) -> None:
    """Write settings as a CONFIG, but over no file of another output."""
    if file == "":
        raise RunError("--save: must be a path, got an empty one")
    path = Path(file)
    if path.is_dir():
        raise RunError(f"{file}: must be a file, got a folder")
    for kind in KINDS:
        if kind.record_in(path.parent) is not None:
            OutputFolder(path.parent, kind).keep(path)
    write_record(path, settings)


def next_step(output: str, saved: str | None) -> str:
    """Return the line that says how the best settings are used."""
    if saved is None:
        return f"next: spikenn-cy best {quote(output)} --save best.json, which writes the settings of rank 1"
    return f"next: spikenn-cy kfold IN OUT {quote(saved)}, with IN/0, IN/1, ... holding the data of the folds"
