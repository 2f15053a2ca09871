"""One setting trained on each of K splits of the data, so that a score comes with its spread."""

import os
from collections.abc import Sequence
from pathlib import Path

from spikenn_cy.config import ExperimentConfig
from spikenn_cy.data.folder import data_files
from spikenn_cy.errors import RunError
from spikenn_cy.errors import require
from spikenn_cy.experiments.batch import Batch
from spikenn_cy.experiments.batch import Run
from spikenn_cy.experiments.batch import RunState
from spikenn_cy.experiments.batch import run_states
from spikenn_cy.experiments.tables import SET_NAMES
from spikenn_cy.experiments.tables import Summary
from spikenn_cy.experiments.tables import mean_and_std
from spikenn_cy.experiments.tables import spread
from spikenn_cy.experiments.tables import text_table
from spikenn_cy.storage.kinds import BATCH


def jobs(
    input: str | os.PathLike[str], output: str | os.PathLike[str], config: object, K: int = 10, seed: int = 0
) -> Batch:
    """Return the runs of a K-fold cross-validation.

    Parameters
    ----------
    input : path-like
        Holds the data of fold ``i`` in the folder ``i``.
    output : path-like
        Run ``i`` goes to the folder ``i`` there.
    config : dict, path-like or ExperimentConfig
    K : int
        Number of folds.
    seed : int
        Of fold 0; that of fold ``i`` is larger by ``i``.

    Raises
    ------
    ConfigError
        If a setting is nonsense.
    DataError
        If there are fewer folds.
    """
    require(K >= 1, "K", "must be >= 1", K)
    config = ExperimentConfig.from_any(config)
    for fold in range(K):  # before there is a run for each
        data_files(Path(input, str(fold)))
    runs = tuple(Run(str(fold), config, seed=seed + fold, input=str(fold)) for fold in range(K))
    return Batch("kfold", input, output, config.to_dict(), runs, {"K": K} | ({"seed": seed} if seed else {}))


def summarise(output: str | os.PathLike[str]) -> Summary:
    """Return mean and population standard deviation of the last accuracies over the folds.

    Folds that are missing, unfinished or given up by ``gridsearch_stop_acc`` are named
    and do not enter.

    Parameters
    ----------
    output : path-like
        Of a cross-validation, or any folder with single runs in folders ``0``, ``1``, ...

    Raises
    ------
    RunError
        If there are no such runs.
    """
    return summary_of(states(output))


def summary_of(folds: Sequence[RunState]) -> Summary:
    """Return the summary of folds."""
    counted = [fold.result for fold in folds if fold.state == "complete" and fold.result is not None]
    missing = [fold for fold in folds if fold.state != "complete"]
    figures = {key: mean_and_std(result[key] for result in counted) for key in SET_NAMES}
    n_epochs = mean_and_std(result["n_epochs"] for result in counted)

    shown = [[title, spread(figures[key], len(counted))] for key, title in SET_NAMES.items() if figures[key]]
    table = [["set", "accuracy in %"], *shown]
    if n_epochs:
        table.append(["epochs", f"{n_epochs['mean']:.1f}"])
    table.append(["folds", f"{len(counted)} of {len(folds)}"])
    notes = [f"missing: {fold.folder} ({fold.state})" for fold in missing]

    columns = ("fold", *SET_NAMES, "n_epochs", "stopped")
    rows = [(fold.folder, *((fold.result or {}).get(key) for key in columns[1:])) for fold in folds]
    record = {
        **figures,
        "n_epochs": n_epochs and {"mean": n_epochs["mean"]},
        "n_folds": len(folds),
        "n_missing": len(missing),
        "missing": [{"folder": fold.folder, "state": fold.state} for fold in missing],
        "folds": [dict(zip(columns, row, strict=True)) for row, fold in zip(rows, folds, strict=True) if fold.result],
    }
    for name in ("mean", "std"):
        of_epochs = n_epochs and n_epochs[name]
        rows.append((name, *((of_set and of_set[name]) for of_set in figures.values()), of_epochs, None))
    return Summary((*text_table(table), *notes), record, columns, tuple(rows))


def states(output: str | os.PathLike[str]) -> list[RunState]:
    """Return how far the folds have come; for the folder and what is refused see `summarise`."""
    output = Path(output)
    if (output / BATCH.record).exists() or not output.is_dir():
        return run_states(output, "kfold")
    numbers = sorted(int(path.name) for path in output.iterdir() if path.name.isdecimal() and path.is_dir())
    if not numbers:
        raise RunError(f"{output}: must be the output folder of kfold, got one without runs")
    # Up to the last one that is there, the others are missing.
    return [RunState.of(output, str(number)) for number in range(numbers[-1] + 1)]
