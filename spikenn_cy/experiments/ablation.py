"""The published ablations: how many neurons a layer needs, and how its competition is best regulated."""

import itertools
import os
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spikenn_cy.config import ExperimentConfig
from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import require
from spikenn_cy.experiments.batch import Batch
from spikenn_cy.experiments.batch import Run
from spikenn_cy.experiments.batch import RunState
from spikenn_cy.experiments.batch import run_states
from spikenn_cy.experiments.folds import summary_of
from spikenn_cy.experiments.tables import SET_NAMES
from spikenn_cy.experiments.tables import Summary
from spikenn_cy.experiments.tables import cell
from spikenn_cy.experiments.tables import folded_table
from spikenn_cy.experiments.tables import spread
from spikenn_cy.settings.validation import at

NEURONS = (30, 50, 70, 100, 150)
NEURONS_EPOCHS = 200  # wide layers take longer
THR_LR = (15, 10, 5, 1, 0.5, 0.1, 0.05, 0.01)
THR_ANNEAL = (1, 0.9, 0.5, 0.1)


def neurons(
    input: str | os.PathLike[str],
    output: str | os.PathLike[str],
    config: object,
    neurons: Sequence[int] = NEURONS,
    K: int = 10,
) -> Batch:
    """Return the runs that train ``neurons`` neurons in the last layer, 200 epochs on each of K folds.

    Fold ``i`` of a setting goes to ``output/neurons=50/i``.
    """
    settings = ExperimentConfig.from_any(config)
    base = settings.to_dict()
    base["trainer"] |= {"epochs": NEURONS_EPOCHS}
    paths = {f"network[{len(settings.network) - 1}].n_neurons": "neurons"}
    runs = _runs(base, settings.where, paths, [(number,) for number in neurons], K)
    options = {"ablation": "neurons", "neurons": list(neurons), "K": K}
    return Batch("ablation", input, output, base, runs, options)


def thresholds(
    input: str | os.PathLike[str],
    output: str | os.PathLike[str],
    config: object,
    thr_lr: Sequence[float] = THR_LR,
    thr_anneal: Sequence[float] = THR_ANNEAL,
    K: int = 10,
) -> Batch:
    """Return the runs that try each rate of competition regulation with each annealing, on each of K folds.

    Fold ``i`` of a setting goes to ``output/thr_lr=5,thr_anneal=0.5/i``.
    """
    settings = ExperimentConfig.from_any(config)
    place, rule = at(settings.where, "regularizer"), "must be there to be varied"
    if settings.optimizer.every_layer:
        rule = f"{rule}, and no rule that trains every layer takes one"
    require(settings.regularizer is not None, place, rule, None)
    base = settings.to_dict()
    paths = {"regularizer.thr_lr": "thr_lr", "regularizer.thr_anneal": "thr_anneal"}
    runs = _runs(base, settings.where, paths, list(itertools.product(thr_lr, thr_anneal)), K)
    options = {"ablation": "thresholds", "thr_lr": list(thr_lr), "thr_anneal": list(thr_anneal), "K": K}
    return Batch("ablation", input, output, base, runs, options)


ABLATIONS: dict[str, Callable[..., Batch]] = {"neurons": neurons, "thresholds": thresholds}


def jobs(kind: str, *arguments: object, **options: object) -> Batch:
    """Return the runs of the ablation named ``kind``, see `ABLATIONS`."""
    return ABLATIONS[kind](*arguments, **options)


def summarise(output: str | os.PathLike[str]) -> Summary:
    """Return, for each setting, mean and population standard deviation of the last accuracies over its folds.

    Raises
    ------
    RunError
        If ``output`` is not the folder of an ablation.
    """
    folds_of: dict[str, list[RunState]] = {}
    for state in run_states(output, "ablation"):
        setting = state.folder.rpartition("/")[0]
        folds_of.setdefault(setting, []).append(state)
    varied = {setting: dict(folds[0].varied) for setting, folds in folds_of.items()}
    records = {setting: summary_of(folds).record for setting, folds in folds_of.items()}

    paths = list(next(iter(varied.values())))
    sets = [key for key in SET_NAMES if any(record[key] for record in records.values())]
    header = [*(path.rpartition(".")[2] for path in paths), *(SET_NAMES[key] for key in sets), "epochs", "folds"]
    table, rows = [header], []
    for setting, record in records.items():
        n_folds, n_epochs = record["n_folds"], record["n_epochs"]
        values = [varied[setting][path] for path in paths]
        n_counted = n_folds - record["n_missing"]
        epochs = f"{n_epochs['mean']:.1f}" if n_epochs else "-"
        table.append(
            [*map(cell, values), *(spread(record[key], n_counted) for key in sets), epochs, f"{n_counted}/{n_folds}"]
        )
        figures = itertools.chain.from_iterable(_both(record[key]) for key in SET_NAMES)
        rows.append((setting, *values, *figures, n_epochs and n_epochs["mean"], n_folds, record["n_missing"]))
    notes = [
        f"missing: {state.folder} ({state.state})"
        for folds in folds_of.values()
        for state in folds
        if state.state != "complete"
    ]
    of_sets = (f"{key}_{name}" for key in SET_NAMES for name in ("mean", "std"))
    columns = ("folder", *paths, *of_sets, "n_epochs_mean", "n_folds", "n_missing")
    record = {
        "settings": [{"folder": name, "settings": varied[name], **found} for name, found in records.items()],
    }
    return Summary((*folded_table(table), *notes), record, columns, tuple(rows))


def _both(figures: Mapping[str, float] | None) -> tuple[float | None, float | None]:
    return (None, None) if figures is None else (figures["mean"], figures["std"])


def _runs(
    base: Mapping[str, Any], where: str | None, paths: Mapping[str, str], points: Sequence[tuple[float, ...]], K: int
) -> tuple[Run, ...]:
    """Return the runs of settings with values put in at ``paths``, whose short names make the folders."""
    require(K >= 1, "K", "must be >= 1", K)
    runs, seen = list[Run](), set[str]()
    for values in points:
        name = ",".join(f"{short}={cell(value)}" for short, value in zip(paths.values(), values, strict=True))
        if name in seen:
            raise ConfigError(f"{next(iter(paths))}: must be given each value once, got {name} twice")
        seen.add(name)
        varied = dict(zip(paths, values, strict=True))
        config = ExperimentConfig.from_any(_changed(base, varied), where)
        runs.extend(
            Run(str(Path(name, str(fold))), config, seed=fold, input=str(fold), varied=varied) for fold in range(K)
        )
    return tuple(runs)


def _changed(base: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    network = [dict(layer) for layer in base["network"]]
    changed = {**base, "network": network}
    for path, value in values.items():
        section, _, key = path.partition(".")
        if section.startswith("network"):
            network[-1][key] = value
        else:
            changed[section] = {**changed[section], key: value}
    return changed
