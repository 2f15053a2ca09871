"""The command that turns a folder of images into a folder of spikes, and keeps the extractor."""

import argparse
import os
import time
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

from spikenn_cy.cli.arguments import Parser
from spikenn_cy.cli.arguments import counting_number
from spikenn_cy.cli.arguments import whole_number
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.errors import DataError
from spikenn_cy.errors import MissingExtra
from spikenn_cy.errors import RunError
from spikenn_cy.features import EXTRACTORS
from spikenn_cy.features import load_extractor
from spikenn_cy.images.extract import Extraction
from spikenn_cy.images.extract import extract
from spikenn_cy.images.extract import extractions
from spikenn_cy.images.extract import is_begun
from spikenn_cy.images.extract import planned
from spikenn_cy.images.extract import spikes_of
from spikenn_cy.plots import feature_activity
from spikenn_cy.plots import filters
from spikenn_cy.plots import write_figure
from spikenn_cy.storage.kinds import ACTIVITY
from spikenn_cy.storage.kinds import FILTERS
from spikenn_cy.storage.kinds import MODEL
from spikenn_cy.storage.kinds import SPIKES

SUMMARY = "Fit a feature extractor to images and write their features as spikes."


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("method", metavar="EXTRACTOR", choices=list(EXTRACTORS), help=f"one of {', '.join(EXTRACTORS)}")
    parser.add_argument(
        "input", metavar="IN", help="folder of images, as the command dataset makes them, or of folds of images"
    )
    parser.add_argument(
        "output",
        metavar="OUT",
        help="gets trainset, valset, testset, model and pictures; fold 0 goes to OUT/0, and so on",
    )
    parser.add_argument(
        "config", metavar="CONFIG", nargs="?", help="JSON file with the settings (default: those published)"
    )
    parser.add_argument(
        "--seed", type=whole_number, default=None, help="of all random draws (default: 0, or the number of the fold)"
    )
    parser.add_argument(
        "--n_threads", type=counting_number, default=1, metavar="N", help="threads over images (default: %(default)s)"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace another extraction in OUT")


def main(arguments: argparse.Namespace) -> int:
    """Extract, then say how many spikes are where, and draw filters and activity."""
    for name in ("input", "output", "config"):
        if getattr(arguments, name) == "":
            raise RunError(f"{name}: must be a path, got an empty one")
    jobs = extractions(arguments.method, arguments.input, arguments.output, arguments.config, arguments.seed)
    plans = [planned(job, arguments.overwrite) for job in jobs]  # of all, before anything is changed or takes long
    missing = None
    for job, plan in zip(jobs, plans, strict=True):
        began = time.perf_counter()
        try:
            new = extract(plan, n_threads=arguments.n_threads, verbose=True)
        except KeyboardInterrupt:
            # With --overwrite it would begin anew, and without it only goes on with what has been replaced already.
            begun = not arguments.overwrite or is_begun(plan)
            same = "the same command" + (" without --overwrite" if arguments.overwrite else "")
            raise KeyboardInterrupt(f"; {same} goes on with {arguments.output}" if begun else "") from None
        took = f"{time.perf_counter() - began:.1f} s" if new else "complete since an earlier call"
        print(f"{job.output}: seed {job.seed}, {took}")
        for part, dataset in spikes_of(job).items():
            print(f"{job.output / SPIKES[part]}: {size_of(dataset)}")
        try:
            for line in draw(job):
                print(line)
        except MissingExtra as problem:
            missing = problem
    if missing is not None:
        print(f"no pictures were drawn: {missing}; the same command then draws them")
    return 0


def draw(job: Extraction) -> Iterator[str]:
    """Draw what is not there yet of a finished extraction, and yield a line about each picture."""
    drawings: dict[str, Callable[[Path], None]] = {
        ACTIVITY: lambda path: write_figure(feature_activity(spikes_of(job)["train"]), path)
    }
    if EXTRACTORS[job.method].has_filters:
        drawings[FILTERS] = lambda path: write_figure(filters(load_extractor(job.output / MODEL).weights), path)
    for name, drawing in drawings.items():
        path = job.output / name
        if path.exists():
            continue
        try:
            drawing(path)
        except (DataError, RunError) as problem:  # such as filters of images that are neither grey nor coloured
            yield f"not drawn: {name}: {problem}"
        else:
            yield os.fspath(path)


def size_of(dataset: SpikingDataset) -> str:
    """Return the size of a data set in words."""
    n_spikes = len(dataset.indices) / len(dataset)
    share = 100 * n_spikes / dataset.n_inputs
    return f"{len(dataset):,} samples, {n_spikes:,.0f} spikes a sample, {share:.1f} % of {dataset.n_inputs:,} features"
