"""The command that turns a folder of images into a folder of spikes, and keeps the extractor."""

import argparse
import contextlib
import os
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from spikenn_cy.cli import batches
from spikenn_cy.cli.arguments import Parser
from spikenn_cy.cli.arguments import counting_number
from spikenn_cy.cli.arguments import whole_number
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.errors import DataError
from spikenn_cy.errors import MissingExtra
from spikenn_cy.errors import RunError
from spikenn_cy.execution.pool import Outcome
from spikenn_cy.execution.pool import cluster_factory
from spikenn_cy.execution.pool import run_jobs
from spikenn_cy.execution.telling import told
from spikenn_cy.features import EXTRACTORS
from spikenn_cy.features import load_extractor
from spikenn_cy.images.extract import Extraction
from spikenn_cy.images.extract import extractions
from spikenn_cy.images.extract import goes_on
from spikenn_cy.images.extract import planned
from spikenn_cy.images.extract import spikes_of
from spikenn_cy.images.jobs import ExtractionJob
from spikenn_cy.images.jobs import image_files
from spikenn_cy.images.jobs import run_extraction
from spikenn_cy.images.jobs import settled
from spikenn_cy.plots import feature_activity
from spikenn_cy.plots import filters
from spikenn_cy.plots import write_figure
from spikenn_cy.storage.folder import made
from spikenn_cy.storage.kinds import ACTIVITY
from spikenn_cy.storage.kinds import FILTERS
from spikenn_cy.storage.kinds import MODEL
from spikenn_cy.storage.kinds import SPIKES
from spikenn_cy.utils.processors import available_processors
from spikenn_cy.utils.progress import Progress

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
    batches.add_workers(parser)


def main(arguments: argparse.Namespace) -> int:
    """Extract, and of each extraction that ends say how many spikes are where."""
    for name in ("input", "output", "config"):
        if getattr(arguments, name) == "":
            raise RunError(f"{name}: must be a path, got an empty one")
    found = extractions(arguments.method, arguments.input, arguments.output, arguments.config, arguments.seed)
    plans = [planned(one, arguments.overwrite) for one in found]  # of all, before anything is changed or takes long
    alone = len(plans) == 1
    jobs = [ExtractionJob(one, arguments.overwrite, arguments.n_threads, verbose=alone) for one in settled(plans)]
    try:
        outcomes = _ended(jobs, arguments)
    except KeyboardInterrupt:
        # With --overwrite it would begin anew, and without it only goes on with what has been replaced already.
        begun = not arguments.overwrite or goes_on(plans)
        same = "the same command" + (" without --overwrite" if arguments.overwrite else "")
        raise KeyboardInterrupt(f"; {same} goes on with {arguments.output}" if begun else "") from None
    missing = [outcome.result.missing for outcome in outcomes if outcome.result and outcome.result.missing]
    if missing:
        print(f"no pictures were drawn: {missing[0]}; the same command then draws them")
    return batches.SOME_FAILED if any(outcome.error for outcome in outcomes) else 0


class Extracted(NamedTuple):
    """What is said of an extraction that has ended, and which package was missing for its pictures."""

    lines: list[str]
    missing: str


def extracted(job: ExtractionJob) -> Extracted:
    """Do an extraction and draw its pictures, in whichever process this is."""
    began = time.perf_counter()
    took = f"{time.perf_counter() - began:.1f} s" if run_extraction(job) else "complete since an earlier call"
    lines, missing = [f"{job.output}: seed {job.extraction.seed}, {took}"], ""
    for part, dataset in spikes_of(job.extraction).items():
        lines.append(f"{job.output / SPIKES[part]}: {size_of(dataset)}")
    try:
        lines += draw(job.extraction)
    except MissingExtra as problem:
        missing = str(problem)
    return Extracted(lines, missing)


def _ended(jobs: Sequence[ExtractionJob], arguments: argparse.Namespace) -> list[Outcome]:
    """Do extractions side by side, one bar for all of them, and tell of each as it ends."""
    output, n_proc = Path(arguments.output), arguments.n_proc or max(1, available_processors() // arguments.n_threads)
    inputs = [path for job in jobs for path in image_files(job.extraction.input)]
    executor = None if arguments.cluster is None else cluster_factory(arguments.cluster, output, inputs)
    ended: list[Outcome] = []
    with (
        made(output),
        contextlib.closing(run_jobs(extracted, jobs, min(n_proc, len(jobs)), executor)) as outcomes,
        Progress(len(jobs), "extract", unit="folds", show=len(jobs) > 1) as progress,
    ):
        for outcome in told(outcomes, progress, has_begun=lambda: any(one.error is None for one in ended)):
            ended.append(outcome)
            with progress.aside():
                print(*(outcome.result.lines if outcome.result else ()), sep="\n", end="\n" if outcome.result else "")
    return ended


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
