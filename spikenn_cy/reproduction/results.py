"""What the cells of a table have come to beside what they were published with, as one record."""

import math
from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from typing import Any
from typing import Literal

import msgspec

from spikenn_cy.experiments.batch import RunState
from spikenn_cy.experiments.folds import summary_of
from spikenn_cy.reproduction.places import runs_folder
from spikenn_cy.reproduction.tables import Cell
from spikenn_cy.reproduction.tables import cells_of
from spikenn_cy.reproduction.tables import read_table
from spikenn_cy.storage.kinds import RECORD_FORMAT
from spikenn_cy.storage.kinds import RUN
from spikenn_cy.storage.kinds import STAGES
from spikenn_cy.storage.records import read_lines

Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e12)]
KEPT = ("fold", "train_accuracy", "val_accuracy", "test_accuracy", "n_epochs", "stopped")


class Stage(msgspec.Struct):
    """What a step of a reproduction took."""

    stage: Literal["data", "extraction", "training"]
    place: str
    seconds: Seconds
    processor_seconds: Seconds


def results_of(home: Path, name: str, n_folds: Mapping[str, int]) -> dict[str, Any]:
    """Return what is there of a table, as JSON values; accuracies are shares, durations seconds.

    Parameters
    ----------
    home : Path
        Folder of the reproduction.
    name : str
        Of the table.
    n_folds : dict
        How many folds were asked for of which cells, by their keys.

    Raises
    ------
    RunError
        If a record in the folder is damaged.
    """
    table = read_table(name)
    taken = stages_in(home)
    cells = [cell for cell in cells_of(table) if cell.key in n_folds]
    found = [_result(home, cell, n_folds[cell.key], taken) for cell in cells]
    versions = {_text(one): one for result in found for one in result.pop("versions")}
    return {
        "format": RECORD_FORMAT,
        "table": name,
        "title": table.title,
        "source": table.source,
        "versions": [versions[key] for key in sorted(versions)],
        "cells": found,
        "stages": [{"stage": stage, "place": place, **times} for (stage, place), times in taken.items()],
    }


def stages_in(home: Path) -> dict[tuple[str, str], dict[str, float]]:
    """Return what each step took, over all commands that had a part in it, by its stage and place."""
    taken: dict[tuple[str, str], dict[str, float]] = defaultdict(lambda: {"seconds": 0.0, "processor_seconds": 0.0})
    for line in read_lines(home / STAGES, Stage, "must be what a step took"):
        for key in ("seconds", "processor_seconds"):
            taken[line["stage"], line["place"]][key] += line[key]
    return {place: {key: round(value, 3) for key, value in times.items()} for place, times in taken.items()}


def _result(
    home: Path, cell: Cell, n_folds: int, taken: Mapping[tuple[str, str], Mapping[str, float]]
) -> dict[str, Any]:
    """Return what one cell has come to."""
    states = [RunState.of(runs_folder(home, cell), str(fold)) for fold in range(n_folds)]
    record = summary_of(states).record
    here, published = record["test_accuracy"], None
    if cell.published is not None:
        published = {"mean": cell.published.mean, "std": cell.published.std}
    difference = None if here is None or published is None else here["mean"] - published["mean"]
    deviation = None if published is None else published["std"]
    records = [RUN.record_in(runs_folder(home, cell) / state.folder) for state in states if state.result is not None]
    return {
        "extractor": cell.column.extractor,
        "dataset": cell.column.dataset,
        "method": cell.method,
        "title": cell.title,
        "published": published,
        "here": here,
        "difference": difference,
        "difference_in_published_std": None if difference is None or deviation is None else difference / deviation,
        "n_epochs": record["n_epochs"] and record["n_epochs"]["mean"],
        "n_folds": record["n_folds"],
        "missing": record["missing"],
        "folds": [{key: fold[key] for key in KEPT} | {"seed": int(fold["fold"])} for fold in record["folds"]],
        "extraction": _mean(taken, "extraction", f"{cell.column.extractor}/{cell.column.dataset}", n_folds),
        "training": _mean(taken, "training", cell.key, n_folds),
        "notes": list(cell.notes),
        "versions": [one["versions"] for one in records if one is not None],
    }


def _mean(
    taken: Mapping[tuple[str, str], Mapping[str, float]], stage: str, place: str, n_folds: int
) -> dict[str, float] | None:
    """Return what a fold takes in the mean; None if that is of no fold known."""
    found = [times for fold in range(n_folds) if (times := taken.get((stage, f"{place}/{fold}")))]
    if not found:
        return None
    return {key: round(math.fsum(_of(found, key)) / len(found), 3) for key in ("seconds", "processor_seconds")}


def _of(found: Iterable[Mapping[str, float]], key: str) -> list[float]:
    return [times[key] for times in found]


def _text(versions: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())
