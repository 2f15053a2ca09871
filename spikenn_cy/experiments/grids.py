"""Every combination of the values that a grid gives, trained once, and the best of them."""

import hashlib
import itertools
import json
import os
import re
import warnings
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spikenn_cy.config import ExperimentConfig
from spikenn_cy.config import expand_grid
from spikenn_cy.config import grid_dimensions
from spikenn_cy.data.folder import data_files
from spikenn_cy.errors import ConfigWarning
from spikenn_cy.errors import DataWarning
from spikenn_cy.errors import RunError
from spikenn_cy.experiments.batch import Batch
from spikenn_cy.experiments.batch import Run
from spikenn_cy.experiments.batch import RunState
from spikenn_cy.experiments.batch import run_states
from spikenn_cy.experiments.tables import SET_NAMES
from spikenn_cy.experiments.tables import Summary
from spikenn_cy.experiments.tables import cell
from spikenn_cy.experiments.tables import folded_table
from spikenn_cy.experiments.tables import percent
from spikenn_cy.experiments.tables import short_names
from spikenn_cy.experiments.tables import shown_setting
from spikenn_cy.settings.records import plain
from spikenn_cy.settings.validation import at
from spikenn_cy.storage.kinds import RUN

LONGEST_NAME = 100  # characters of a folder's name


def jobs(
    input: str | os.PathLike[str],
    output: str | os.PathLike[str],
    config: object,
    seed: int = 0,
    where: str | None = None,
) -> Batch:
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
    where : str, optional
        Name of the source of the settings in messages; the path if ``config`` is one.

    Raises
    ------
    ConfigError
        If a run of the grid would be refused.
    """
    raw, where = plain(config, where)
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
    # Two layers may vary in the same setting.
    names = short_names(varied)
    settings = ",".join(f"{name}={cell(value)}" for name, value in zip(names, varied.values(), strict=True))
    settings = re.sub(r"[^\w.,=+\[\]-]", "", settings)
    content = json.dumps([config.to_dict(), seed], sort_keys=True)
    parts = number, settings[: LONGEST_NAME - len(number) - 10], hashlib.sha256(content.encode()).hexdigest()[:8]
    return "-".join(part for part in parts if part)


def warn(batch: Batch) -> None:
    """Warn of a grid search that is legal and looks like a slip.

    Warns
    -----
    ConfigWarning
        If there is one run.
    DataWarning
        If no validation data are there to rank the runs by.
    """
    where, files = batch.runs[0].config.where, data_files(batch.input)
    if len(batch.runs) == 1:
        why = "no setting has several values to try, in a list, so that this grid is one run"
        warnings.warn(ConfigWarning(at(where, why)), stacklevel=3)
    elif "val" not in files:
        why = "has no valset, so that runs are ranked by training accuracy, which says little about new data"
        warnings.warn(DataWarning(f"{os.fspath(batch.input)}: {why}"), stacklevel=3)


def winner(output: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the settings of the best run of a grid search as JSON values, see `summarise`.

    Raises
    ------
    RunError
        If ``output`` is not the folder of a grid search, or no run is complete.
    """
    _, best, _ = ranked(output)
    if not best:
        raise RunError(f"{os.fspath(output)}: must have a complete run, got none")
    folder = Path(output, best[0].folder)
    record = RUN.record_in(folder)
    if record is None:
        raise RunError(f"{folder / RUN.record}: must be the record of a run, got none")
    settings: dict[str, Any] = record["config"]
    return settings


def ranked(output: str | os.PathLike[str]) -> tuple[list[RunState], list[RunState], str]:
    """Return the runs of a grid search, those that ended with the best one first, and the accuracy that ranks them.

    Raises
    ------
    RunError
        If ``output`` is not the folder of a grid search.
    """
    states = run_states(output, "gridsearch")
    ended = [state for state in states if state.result is not None]
    measured = any(state.figure("val_accuracy") is not None for state in ended)
    by = "val_accuracy" if measured else "train_accuracy"
    return states, sorted(ended, key=lambda state: -_or_least(state.figure(by))), by


def summarise(output: str | os.PathLike[str], N: int = 10, folders: bool = False) -> Summary:
    """Return the ``N`` best runs by their last validation accuracy, with all settings that the grid varies.

    Without validation data the last training accuracy decides. Runs of equal accuracy are
    in the order of the grid; one that was given up by ``gridsearch_stop_acc`` is marked.

    Parameters
    ----------
    output : path-like
    N : int
    folders : bool
        Whether the text has the folders of runs, in place of their numbers, with which these begin.

    Raises
    ------
    RunError
        If ``output`` is not the folder of a grid search.
    """
    states, ended, by = ranked(output)
    best = ended[:N]
    paths = list(states[0].varied) if states else []
    n_given_up = sum(state.state == "given up" for state in states)
    lines = _text(best, paths, folders)
    lines.append(
        f"{len(ended)} of {len(states)} runs complete, {n_given_up} of them given up; ranked by {SET_NAMES[by]} "
        "accuracy in % at the end of training"
    )
    columns = ("rank", "folder", *SET_NAMES, "n_epochs", "stopped", *paths)
    values = tuple(
        (
            rank,
            state.folder,
            *map(state.figure, (*SET_NAMES, "n_epochs", "stopped")),
            *(state.varied[path] for path in paths),
        )
        for rank, state in enumerate(best, start=1)
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


def _text(best: Sequence[RunState], paths: Sequence[str], folders: bool) -> list[str]:
    """Return a table of runs as lines; nothing if there are none."""
    if not best:
        return []
    sets = [key for key in SET_NAMES if any(state.figure(key) is not None for state in best)]
    given_up = any(state.state == "given up" for state in best)
    header = ["rank", "folder" if folders else "run", *(SET_NAMES[key] for key in sets), "epochs", *short_names(paths)]
    rows = [
        [
            str(rank),
            state.folder if folders else state.folder.partition("-")[0],
            *(percent(state.figure(key)) for key in sets),
            str(state.figure("n_epochs")),
            *(shown_setting(state.varied[path]) for path in paths),
            *([{"given up": "given up"}.get(state.state, "")] if given_up else []),
        ]
        for rank, state in enumerate(best, start=1)
    ]
    return folded_table([[*header, *([""] if given_up else [])], *rows])


def _or_least(accuracy: float | None) -> float:
    return -1.0 if accuracy is None else accuracy
