"""The command that trains one network, on the bundled digits if no data are given."""

import argparse
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from textwrap import fill
from typing import Any

from spikenn_cy.cli.arguments import Parser
from spikenn_cy.cli.arguments import whole_number
from spikenn_cy.cli.batches import add_settings
from spikenn_cy.config import ExperimentConfig
from spikenn_cy.demo import DEMOS
from spikenn_cy.demo import Demo
from spikenn_cy.errors import RunError
from spikenn_cy.experiments.automatic import automatic_config
from spikenn_cy.experiments.single import RunJob
from spikenn_cy.experiments.single import run_single
from spikenn_cy.experiments.store import best_in_words
from spikenn_cy.plots.canvas import new_figure
from spikenn_cy.report import write_report
from spikenn_cy.settings.overrides import overridden
from spikenn_cy.storage.kinds import RESULT
from spikenn_cy.storage.kinds import RUN
from spikenn_cy.utils.tables import WIDEST

SUMMARY = "Train one network; without arguments, on the bundled handwritten digits."
TITLE_OF_PART = {"train": "training", "val": "validation", "test": "test"}
END_OF_RUN = {"epochs": "all trained", "early_stopping": "stopped early", "gridsearch_stop_acc": "given up"}


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "input", metavar="IN", nargs="?", help="folder with trainset and, if there are, valset and testset"
    )
    parser.add_argument(
        "output", metavar="OUT", nargs="?", help="folder of the run; an unfinished run there is gone on with"
    )
    parser.add_argument(
        "config",
        metavar="CONFIG",
        nargs="?",
        help="settings: a JSON file, or the folder of a run (default: chosen from the data)",
    )
    parser.add_argument(
        "--demo", choices=list(DEMOS), help="which demo on the bundled digits, in place of IN, OUT and CONFIG"
    )
    add_settings(parser)
    parser.add_argument("--seed", type=whole_number, default=0, help="of all random draws (default: %(default)s)")
    parser.add_argument("--overwrite", action="store_true", help="replace the run in OUT")
    parser.add_argument("--save_stats", action="store_true", help="keep statistics of every epoch in stats.npz")
    parser.add_argument(
        "--report", action="store_true", help="write a page with settings, results and pictures, report.html"
    )


def main(arguments: argparse.Namespace) -> int:
    """Run, then print the accuracies."""
    demo = DEMOS[arguments.demo or "readout"] if arguments.input is None else None
    if demo is None and arguments.demo is not None:
        raise RunError(f"--demo: must stand alone, got {arguments.demo} beside IN")
    if demo is None and arguments.output is None:
        raise RunError("arguments: must be IN, OUT and perhaps CONFIG, or none of them for the demo, got no OUT")
    for name in ("input", "output", "config"):
        if getattr(arguments, name) == "":
            raise RunError(f"{name}: must be a path, got an empty one")
    config = _settings(arguments, demo)
    if demo is not None:
        print(f"{demo.title} on 1,797 handwritten digits of 8x8 pixels (UCI, CC BY 4.0)")
    job = RunJob(
        output=arguments.output if demo is None else demo.output,
        input=arguments.input,
        config=config,
        seed=arguments.seed,
        overwrite=arguments.overwrite,
        verbose=True,
        save_stats=arguments.save_stats,
    )
    if arguments.report:
        new_figure(1)  # what it needs is missed now, not after hours of training
    earlier = not job.overwrite and Path(job.output, RESULT).exists()
    began = time.perf_counter()
    result = run_single(job)
    took = "complete since an earlier run" if earlier else f"{time.perf_counter() - began:.1f} s"
    print(table(result))
    print(f"epochs {result['n_epochs']} ({_end(result)}), seed {result['seed']}, {took}")
    print(f"network and records: {job.output}")
    if arguments.report:
        print(f"report: {write_report(job.output, job.input)}")
    if demo is not None and arguments.demo is None:
        print("next: python -m spikenn_cy.run --demo network, which learns in every layer on the same digits")
    return 0


def _settings(arguments: argparse.Namespace, demo: Demo | None) -> str | ExperimentConfig:
    """Return what is given, what the demo or else the data ask for, and what is set beside it."""
    config: str | ExperimentConfig | None = arguments.config if demo is None else os.fspath(demo.config)
    chosen = config is None
    if config is None:
        config = automatic_config(arguments.input)
    if arguments.set:
        given = config.to_dict() if isinstance(config, ExperimentConfig) else config
        config = ExperimentConfig.from_any(*overridden(given, arguments.set))
    if chosen and isinstance(config, ExperimentConfig):
        print(f"settings, chosen from the data and kept in {Path(arguments.output, RUN.record)}:")
        for name, section in config.to_dict().items():
            if section:
                print(fill(f"{name} {json.dumps(section)}", WIDEST, initial_indent="  ", subsequent_indent="    "))
    return config


def _end(result: Mapping[str, Any]) -> str:
    """Return how training ended; of the best epoch, if another one may be kept, or it is."""
    text, best = END_OF_RUN[result["stopped"]], result.get("best")
    if best is None or (result["stopped"] == "epochs" and result.get("last") is None):
        return text
    kept = ", which is kept" if result.get("last") is not None else ""
    return f"{text}, {best_in_words(best['epoch'], best['val_accuracy'])}{kept}"


def table(result: Mapping[str, Any]) -> str:
    """Return the accuracies of a result as text."""
    lines = [f"{'set':<12}{'samples':>9}{'accuracy':>12}"]
    for name, title in TITLE_OF_PART.items():
        accuracy = result[f"{name}_accuracy"]
        if result[f"n_{name}"] > 0:
            shown = "-" if accuracy is None else f"{100 * accuracy:.2f} %"
            lines.append(f"{title:<12}{result[f'n_{name}']:>9,}{shown:>12}")
    return "\n".join(lines)
