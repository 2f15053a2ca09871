"""Every combination of the values that a grid gives, trained once, and the best of them."""

import hashlib
import itertools
import json
import os
import re
from collections.abc import Mapping
from typing import Any

from spikenn_cy.config import ExperimentConfig
from spikenn_cy.config import expand_grid
from spikenn_cy.config import grid_dimensions
from spikenn_cy.experiments.batch import Batch
from spikenn_cy.experiments.batch import Run
from spikenn_cy.experiments.batch import RunState
from spikenn_cy.experiments.batch import run_states
from spikenn_cy.experiments.tables import SET_NAMES
from spikenn_cy.experiments.tables import Summary
from spikenn_cy.experiments.tables import cell
from spikenn_cy.experiments.tables import percent
from spikenn_cy.experiments.tables import shown_setting
from spikenn_cy.experiments.tables import text_table
from spikenn_cy.settings.records import plain

LONGEST_NAME = 100  # characters of a folder's name


def jobs(input: str | os.PathLike[str], output: str | os.PathLike[str], config: object, seed: int = 0) -> Batch:
    """Return the runs of a grid search.

    Parameters
    ----------
    input : path-like
        Folder with ``trainset`` and, to rank the runs by it, ``valset``.
    output : path-like
        Each run goes to a folder of its own there, named by its number in the grid, the
        settings that vary, and a checksum of all settings.
    config : dict or path-like
        Settings with lists of values to try, see `spikenn_cy.config.expand_grid`.
    seed : int
        Of every run.

    Raises
    ------
    ConfigError
        If a run of the grid would be refused.
    """
    raw, where = plain(config)
    configs = expand_grid(raw, where)
    dimensions = grid_dimensions(raw)
    points = [dict(zip(dimensions, values, strict=True)) for values in itertools.product(*dimensions.values())]
    several = {path: varied for path, varied in dimensions.items() if len(varied) > 1}
    digits = len(str(len(configs) - 1))
    runs = tuple(
        Run(
            folder_name(f"{number:0{digits}}", {path: point[path] for path in several}, config, seed),
            config,
            seed,
            varied={path: point[path] for path in several},
        )
        for number, (point, config) in enumerate(zip(points, configs, strict=True))
    )
    return Batch("gridsearch", input, output, raw, runs, {"seed": seed})


def folder_name(number: str, varied: Mapping[str, Any], config: ExperimentConfig, seed: int) -> str:
    """Return the name of a run's folder: number, settings that vary, checksum of all settings."""
    short = {path: path.rpartition(".")[2] for path in varied}
    names = list(short.values())
    # Two layers may vary in the same setting.
    keys = {path: name if names.count(name) == 1 else path for path, name in short.items()}
    settings = ",".join(f"{keys[path]}={cell(value)}" for path, value in varied.items())
    settings = re.sub(r"[^\w.,=+\[\]-]", "", settings)
    content = json.dumps([config.to_dict(), seed], sort_keys=True)
    parts = number, settings[: LONGEST_NAME - len(number) - 10], hashlib.sha256(content.encode()).hexdigest()[:8]
    return "-".join(part for part in parts if part)


def summarise(output: str | os.PathLike[str], N: int = 10) -> Summary:
    """Return the ``N`` best runs by their last validation accuracy, with the settings in which these differ.

    Without validation data the last training accuracy decides. Runs of equal accuracy are
    in the order of the grid; one that was given up by ``gridsearch_stop_acc`` is marked.

    Raises
    ------
    RunError
        If ``output`` is not the folder of a grid search.
    """
    states = run_states(output, "gridsearch")
    ended = [(state, state.result) for state in states if state.result is not None]
    by = "val_accuracy" if any(result["val_accuracy"] is not None for _, result in ended) else "train_accuracy"
    best = sorted(ended, key=lambda pair: -_or_least(pair[1][by]))[:N]
    paths = [path for path in (best[0][0].varied if best else {}) if _vary([state for state, _ in best], path)]
    sets = [key for key in SET_NAMES if any(result[key] is not None for _, result in best)]

    settings = [path.rpartition(".")[2] for path in paths]
    header = ["folder", *(SET_NAMES[key] for key in sets), "epochs", *settings, ""]
    rows = [
        [
            state.folder,
            *(percent(result[key]) for key in sets),
            str(result["n_epochs"]),
            *(shown_setting(state.varied[path]) for path in paths),
            "given up" if state.state == "given up" else "",
        ]
        for state, result in best
    ]
    n_given_up = sum(state.state == "given up" for state in states)
    lines = text_table([header, *rows]) if best else []
    lines.append(
        f"{len(ended)} of {len(states)} runs complete, {n_given_up} of them given up; ranked by {SET_NAMES[by]} "
        "accuracy in % after the last epoch"
    )

    columns = ("rank", "folder", *SET_NAMES, "n_epochs", "stopped", *paths)
    values = tuple(
        (
            rank,
            state.folder,
            *(result[key] for key in SET_NAMES),
            result["n_epochs"],
            result["stopped"],
            *(state.varied[path] for path in paths),
        )
        for rank, (state, result) in enumerate(best, start=1)
    )
    record = {
        "ranked_by": by,
        "n_runs": len(states),
        "n_complete": len(ended),
        "n_given_up": n_given_up,
        "unfinished": [state.folder for state in states if state.result is None],
        "best": [
            dict(zip(columns[:7], row, strict=False)) | {"settings": dict(zip(columns[7:], row[7:], strict=True))}
            for row in values
        ],
    }
    return Summary(tuple(lines), record, columns, values)


def _or_least(accuracy: float | None) -> float:
    return -1.0 if accuracy is None else accuracy


def _vary(states: list[RunState], path: str) -> bool:
    return len(states) == 1 or any(state.varied[path] != states[0].varied[path] for state in states)
