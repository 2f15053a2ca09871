"""The command that draws what a run, a cross-validation, a grid search or an ablation has left."""

import argparse
import os
from pathlib import Path

from spikenn_cy.cli.arguments import Parser
from spikenn_cy.cli.arguments import positive_number
from spikenn_cy.cli.arguments import whole_number
from spikenn_cy.errors import RunError
from spikenn_cy.experiments import RUNNERS
from spikenn_cy.plots import pictures
from spikenn_cy.plots import write_figure
from spikenn_cy.plots.canvas import DPI
from spikenn_cy.plots.canvas import FORMATS
from spikenn_cy.plots.canvas import check_dpi
from spikenn_cy.storage.folder import made

SUMMARY = "Draw accuracies, competition, weights and decisions of a run, or the accuracies of many runs."


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("folder", metavar="DIR", help=f"folder of a run, or output folder of {', '.join(RUNNERS)}")
    parser.add_argument("--out", metavar="FOLDER", help="where the pictures go (default: DIR)")
    parser.add_argument("--format", choices=FORMATS, default="png", help="of the files (default: %(default)s)")
    parser.add_argument(
        "--dpi",
        type=positive_number,
        default=DPI,
        help="dots an inch; pictures are 8 inches wide (default: %(default)s)",
    )
    parser.add_argument(
        "--input", metavar="IN", help="the data of a run, for pictures of its test set; the demo needs none"
    )
    parser.add_argument("--label", metavar="CLASS", help="class of the picture of competition (default: the first)")
    parser.add_argument(
        "--sample", type=whole_number, metavar="N", help="test sample of the raster (default: 0, the first)"
    )


def main(arguments: argparse.Namespace) -> int:
    """Draw, then say what was written, and why what was not could not be."""
    for name in ("folder", "out", "input"):
        if getattr(arguments, name) == "":
            raise RunError(f"{name}: must be a path, got an empty one")
    check_dpi(arguments.dpi)
    folder = Path(arguments.folder)
    out = folder if arguments.out is None else Path(arguments.out)
    # All of them before the first is written, so that nothing is left of what is refused.
    drawn = list(pictures(folder, arguments.input, arguments.label, arguments.sample))
    with made(out):
        for name, figure in drawn:
            if isinstance(figure, str):
                print(f"not drawn: {name}: {figure}")
                continue
            path = out / f"{name}.{arguments.format}"
            write_figure(figure, path, arguments.dpi)
            print(os.fspath(path))
    return 0
