"""Cross-validations and grid searches as calls in Python, for data in memory as well as in folders."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path

from spikenn_cy.errors import RunError
from spikenn_cy.errors import require
from spikenn_cy.execution.workers import require_guard
from spikenn_cy.experiments import folds
from spikenn_cy.experiments import grids
from spikenn_cy.experiments.batch import run_batch
from spikenn_cy.experiments.given import Source
from spikenn_cy.experiments.given import write_folds
from spikenn_cy.experiments.given import write_sets
from spikenn_cy.experiments.results import GridResult
from spikenn_cy.experiments.results import KFoldResult
from spikenn_cy.experiments.results import RunResult
from spikenn_cy.utils.validation import whole_number


def kfold(
    data: Source | Sequence[Source],
    config: object,
    out: str | os.PathLike[str] | None = None,
    K: int | None = None,
    n_proc: int = 1,
    seed: int = 0,
) -> KFoldResult:
    """Train one setting on each of K folds.

    Parameters
    ----------
    data : path-like, SpikingDataset or sequence
        A folder with the data of the folds in ``0``, ``1``, ..., as the command ``kfold`` takes it. Or a data set,
        which is split into K folds, samples of each class spread evenly: a network learns all but one of them and is
        tested on that one. Or what each fold has: ``(train, val, test)`` with None for those that there are not, a
        dictionary by these names, or a folder.
    config : dict, path-like or ExperimentConfig
        Settings, or the folder of a run with them.
    out : path-like, optional
        The folder of each run is kept there, with its network, in ``0``, ``1``, ...; what is complete there is not done
        again. None: nothing is kept but the result.
    K : int, optional
        Number of folds. None: as many as are given, 10 of a data set that is to be split.
    n_proc : int
        Processes. A script that asks for several does so below ``if __name__ == "__main__":``, since each process
        reads the script.
    seed : int
        Of fold 0; that of fold ``i`` is larger by ``i``. It also decides which sample goes to which fold.

    Returns
    -------
    KFoldResult

    Raises
    ------
    SpikennError
        If settings, data or ``out`` do not allow it, or no run could begin. Runs that fail later are told on stderr and
        by the result.
    """
    require_guard()
    n_proc, seed = whole_number(n_proc, "n_proc", 1), whole_number(seed, "seed", 0)
    K = None if K is None else whole_number(K, "K", 1)
    with _places(out) as (output, aside):
        input, n_folds = write_folds(data, aside, K, seed)
        batch = folds.jobs(input, output, config, n_folds, seed)
        failed = {int(Path(outcome.job.output).name): str(outcome.error) for outcome in run_batch(batch, n_proc)}
        return KFoldResult.read(batch, failed, folds.summarise(output))


def gridsearch(
    data: Source, config: object, out: str | os.PathLike[str] | None = None, n_proc: int = 1, seed: int = 0
) -> GridResult:
    """Train every combination of the values that stand in lists in settings.

    Parameters
    ----------
    data : path-like, SpikingDataset, sequence or mapping
        A folder with ``trainset`` and ``valset``, or ``(train, val)``, or both in a dictionary by these names. Without
        validation data the training accuracy ranks the runs, and a warning says so.
    config : dict or path-like
        Settings with lists in place of values.
    out : path-like, optional
        As for `kfold`; each run has a folder there that begins with its number in the grid.
    n_proc : int
        As for `kfold`.
    seed : int
        Of every run.

    Returns
    -------
    GridResult

    Raises
    ------
    SpikennError
        As for `kfold`.
    """
    require_guard()
    n_proc, seed = whole_number(n_proc, "n_proc", 1), whole_number(seed, "seed", 0)
    with _places(out) as (output, aside):
        batch = grids.jobs(write_sets(data, aside / "data"), output, config, seed)
        grids.warn(batch)
        failed = {Path(outcome.job.output).name: str(outcome.error) for outcome in run_batch(batch, n_proc)}
        _, ended, by = grids.ranked(output)
        of = {run.folder: run for run in batch.runs}
        runs = [RunResult.read(output, of[state.folder]) for state in ended]
        return GridResult([run for run in runs if run is not None], failed, by, grids.summarise(output))


@contextlib.contextmanager
def _places(out: str | os.PathLike[str] | None) -> Iterator[tuple[Path, Path]]:
    """Yield the folder for the runs, and one for data that is gone afterwards, as the former is if none was wanted."""
    require(out is None or isinstance(out, str | os.PathLike), "out", "must be a path or None", out, RunError)
    require(out is None or os.fspath(out) != "", "out", "must be a path", out, RunError)
    with tempfile.TemporaryDirectory(prefix="spikenn_cy-") as aside:
        try:
            yield Path(aside, "out") if out is None else Path(out), Path(aside, "in")
        except KeyboardInterrupt:
            if out is not None:
                raise
            raise KeyboardInterrupt from None  # without a word on what to go on with
