"""A published table made again from images to figures, which may be ended at any moment and is gone on with."""

import contextlib
import json
import os
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any

from spikenn_cy.errors import RunError
from spikenn_cy.errors import require
from spikenn_cy.execution.pool import ExecutorFactory
from spikenn_cy.execution.pool import Outcome
from spikenn_cy.execution.pool import run_jobs
from spikenn_cy.execution.telling import told
from spikenn_cy.images.jobs import image_files
from spikenn_cy.reproduction.datasets import is_written
from spikenn_cy.reproduction.datasets import write_dataset
from spikenn_cy.reproduction.page import write_pages
from spikenn_cy.reproduction.places import Fold
from spikenn_cy.reproduction.places import data_folder
from spikenn_cy.reproduction.results import results_of
from spikenn_cy.reproduction.space import Space
from spikenn_cy.reproduction.space import that_fits
from spikenn_cy.reproduction.steps import DATA
from spikenn_cy.reproduction.steps import EXTRACTION
from spikenn_cy.reproduction.steps import Step
from spikenn_cy.reproduction.steps import Taken
from spikenn_cy.reproduction.steps import take
from spikenn_cy.reproduction.tables import Cell
from spikenn_cy.reproduction.tables import Column
from spikenn_cy.storage.kinds import N_FOLDS
from spikenn_cy.storage.kinds import RECORD_FORMAT
from spikenn_cy.storage.kinds import REPRODUCTION
from spikenn_cy.storage.kinds import STAGES
from spikenn_cy.storage.output import OutputFolder
from spikenn_cy.storage.records import append_line
from spikenn_cy.utils.progress import Progress

ExecutorFor = Callable[[Path, Sequence[Path]], ExecutorFactory]


@dataclass(frozen=True, kw_only=True)
class Reproduction:
    """What is to be made again, and where.

    Attributes
    ----------
    table : str
        A name in `TABLES`.
    home : Path
        Folder of all that is made.
    cells : tuple of Cell
        As `chosen` returns them.
    n_folds : int
        The first so many of ten.
    data : path-like, optional
        Folder with published images, see `write_dataset`.
    keep : bool
        Leave the features of folds whose runs are done.
    """

    table: str
    home: Path
    cells: tuple[Cell, ...]
    n_folds: int
    data: str | os.PathLike[str] | None = None
    keep: bool = False

    def __post_init__(self) -> None:
        require(1 <= self.n_folds <= N_FOLDS, "--K", f"must be from 1 to {N_FOLDS}", self.n_folds, RunError)

    @property
    def columns(self) -> list[Column]:
        """The columns of the cells, in order."""
        return list(dict.fromkeys(cell.column for cell in self.cells))

    @property
    def images(self) -> list[Column]:
        """A column of each data set whose images are not there yet."""
        by_name = {column.dataset: column for column in reversed(self.columns)}
        return [column for name, column in by_name.items() if not is_written(name, data_folder(self.home, name))]

    @property
    def folds(self) -> list[Fold]:
        """What is to be done, fold by fold; all cells of a fold learn from the same features."""
        return [
            Fold(self.home, column, number, tuple(cell for cell in self.cells if cell.column == column))
            for column in self.columns
            for number in range(self.n_folds)
        ]

    def left(self) -> dict[Fold, list[Cell]]:
        """Return the folds that are not complete, each with the cells that it lacks."""
        missing = {column.dataset for column in self.images}
        found = {fold: list(fold.cells) if fold.column.dataset in missing else fold.unfinished() for fold in self.folds}
        return {fold: cells for fold, cells in found.items() if cells}


def reproduce(
    asked: Reproduction,
    n_proc: int,
    executor_for: ExecutorFor | None = None,
    say: Callable[[str], None] = print,
) -> list[Outcome]:
    """Make cells of a table again as far as they are not there, and write the pages about all that is there.

    Parameters
    ----------
    asked : Reproduction
    n_proc : int
        Worker processes on this machine. 1: in this process.
    executor_for : callable, optional
        Given the folder and the files that jobs read, returns what `run_jobs` takes for an executor.
    say : callable
        Is given a line on the disk space and what is left to do.

    Returns
    -------
    list of Outcome
        Of the steps that failed, which have been reported on stderr. The others went on.

    Raises
    ------
    SpikennError
        If images are missing, the disk has no room, or the folder holds anything else.
    """
    try:
        with OutputFolder.opened(asked.home, REPRODUCTION) as folder:
            record = _record(folder, asked)
            left, images = asked.left(), asked.images
            space = that_fits(asked.home, left, images, n_proc if executor_for is None else len(left), asked.keep)
            n_runs = sum(map(len, left.values()))
            to_do = f"{n_runs} runs on {len(left)} folds left to do, which take about {space} of the disk"
            say(f"{asked.home}: {to_do if left else 'complete since an earlier call'}")
            if folder.recorded() is None:
                folder.begin(record)
            else:
                folder.write_record(record)
            if images:
                _write_images(images, asked, folder)
                left = asked.left()
            executor = None
            if executor_for is not None and left:
                files = dict.fromkeys(path for fold in left for path in image_files(fold.extraction.input))
                executor = executor_for(asked.home, list(files))
            failures = _done(_Course(asked, left, space), folder, n_proc, executor)
            _write(asked, folder)
            return failures
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"; the same command goes on with {asked.home}") from None


@dataclass
class _Course:
    """Which steps follow which: a fold's features, the runs on them, and then the next fold."""

    asked: Reproduction
    left: dict[Fold, list[Cell]]
    space: Space
    waiting: list[Fold] = field(default_factory=list)
    running: dict[str, tuple[Fold, set[str]]] = field(default_factory=dict)  # steps under way, by the fold's place

    def begin(self) -> list[Step]:
        """Return the steps that can be done at once, for as many folds as the disk has room for."""
        for fold in self.asked.folds:
            fold.clear_up(done=[cell for cell in fold.cells if cell not in self.left.get(fold, ())])
            if fold not in self.left and not self.asked.keep:
                fold.delete_features()
        self.waiting = list(self.left)
        return [step for _ in range(self.space.n_at_once) for step in self._next_fold()]

    def then(self, outcome: Outcome) -> list[Step]:
        """Return the steps that can be done now that one has ended."""
        step: Step = outcome.job
        fold, under_way = next(found for found in self.running.values() if step.place in found[1])
        under_way.remove(step.place)
        if step.stage == EXTRACTION and outcome.error is None:
            steps = fold.training(self.left[fold])
            under_way.update(one.place for one in steps)
            return steps
        if under_way:
            return []
        del self.running[fold.place]
        if not self.asked.keep:
            fold.delete_features()
        return self._next_fold()

    def _next_fold(self) -> list[Step]:
        if not self.waiting:
            return []
        fold = self.waiting.pop(0)
        step = fold.extracting()
        self.running[fold.place] = fold, {step.place}
        return [step]


def _done(course: _Course, folder: OutputFolder, n_proc: int, executor: ExecutorFactory | None) -> list[Outcome]:
    """Do all steps that are left and return those that failed."""
    first = course.begin()
    if not first:  # no cluster need be there
        return []
    ended: list[Outcome] = []
    n_steps = sum(1 + len(cells) for cells in course.left.values())
    with (
        contextlib.closing(run_jobs(take, first, n_proc, executor, course.then)) as outcomes,
        Progress(n_steps, f"reproduce {course.asked.table}", unit="steps") as progress,
    ):
        for outcome in told(outcomes, progress, has_begun=lambda: any(one.error is None for one in ended)):
            ended.append(outcome)
            if outcome.error is None:
                _note(folder, outcome.job.stage, outcome.job.place, outcome.result)
                if outcome.job.stage != EXTRACTION:
                    _write(course.asked, folder)
    return [outcome for outcome in ended if outcome.error is not None]


def _record(folder: OutputFolder, asked: Reproduction) -> dict[str, Any]:
    """Return the record of the folder with the cells that are asked for beside those that it has already."""
    there = folder.recorded()
    if there is not None and there["table"] != asked.table:
        folder.refuse(f"one of {json.dumps(there['table'])}")
    cells = {} if there is None else dict(there["cells"])
    for cell in asked.cells:
        cells[cell.key] = max(cells.get(cell.key, 0), asked.n_folds)
    return {"format": RECORD_FORMAT, "table": asked.table, "cells": cells}


def _write_images(images: Iterable[Column], asked: Reproduction, folder: OutputFolder) -> None:
    for column in images:
        wall, processor = time.perf_counter(), time.process_time()
        write_dataset(column.dataset, data_folder(asked.home, column.dataset), asked.data)
        taken = Taken(time.perf_counter() - wall, time.process_time() - processor)
        _note(folder, DATA, column.dataset, taken)


def _note(folder: OutputFolder, stage: str, place: str, taken: Taken) -> None:
    """Keep what a step took, on the disk at once, since the command may be ended."""
    line = {"stage": stage, "place": place, **{name: round(value, 3) for name, value in taken._asdict().items()}}
    append_line(folder.file(STAGES), json.dumps(line) + "\n")


def _write(asked: Reproduction, folder: OutputFolder) -> None:
    """Write what all cells of the folder have come to."""
    record = folder.record
    if record is not None:
        write_pages(asked.home, results_of(asked.home, record["table"], record["cells"]))


def described(asked: Reproduction) -> Iterator[str]:
    """Yield a line for each cell, with how many folds of it are complete, and one on the disk space that is needed."""
    left = asked.left()
    width = max(len(cell.key) for cell in asked.cells)
    for cell in asked.cells:
        n_left = sum(cell in cells for cells in left.values())
        published = _shown_published(cell)
        yield f"{cell.key:<{width}}  {asked.n_folds - n_left} of {asked.n_folds} folds  {published}".rstrip()
    space = that_fits(asked.home, left, asked.images, 1, asked.keep)
    yield f"one fold after the other takes about {space} of the disk" if left else "complete since an earlier call"


def _shown_published(cell: Cell) -> str:
    found = cell.published
    if found is None:
        return ""
    return f"published {100 * found.mean:.2f}" + ("" if found.std is None else f" ± {100 * found.std:.2f}")
