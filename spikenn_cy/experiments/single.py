"""One training run from data files to a complete folder, which may be interrupted at any moment."""

import functools
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from spikenn_cy.config import ExperimentConfig
from spikenn_cy.data.classes import match_classes
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.data.folder import STEMS
from spikenn_cy.data.folder import data_files
from spikenn_cy.demo import CONFIG
from spikenn_cy.demo import DIGITS
from spikenn_cy.demo import demo_datasets
from spikenn_cy.errors import ConfigWarning
from spikenn_cy.errors import DataError
from spikenn_cy.errors import DataWarning
from spikenn_cy.errors import RunError
from spikenn_cy.execution.presence import is_present
from spikenn_cy.experiments.stats import Statistics
from spikenn_cy.experiments.store import FILES as RUN_FILES
from spikenn_cy.experiments.store import describe
from spikenn_cy.experiments.store import open_run
from spikenn_cy.experiments.store import result_of
from spikenn_cy.network.history import EpochReport
from spikenn_cy.network.history import History
from spikenn_cy.network.readout import Readout
from spikenn_cy.storage.folder import fingerprint
from spikenn_cy.storage.lock import NotWritable


@dataclass(frozen=True)
class DataFile:
    """A data file whose content is known.

    Attributes
    ----------
    path : str
    fingerprint : dict
        As `spikenn_cy.storage.folder.fingerprint` returns it.
    stamp : tuple of int
        Size in bytes and time of the last change in nanoseconds, by which a change shows.
    """

    path: str
    fingerprint: Mapping[str, Any]
    stamp: tuple[int, int]

    @classmethod
    def of(cls, path: str | os.PathLike) -> "DataFile":
        """Return the description of a file, all of which is read."""
        stamp = _stamp(path)
        return cls(os.fspath(path), fingerprint(path), stamp)

    def check(self) -> None:
        """Raise `DataError` if the file has been changed since."""
        if _stamp(self.path) != self.stamp:
            raise DataError(f"{self.path}: must stay as it is while a command uses it, got a changed file")


@dataclass(frozen=True)
class RunJob:
    """All that determines one run; small enough to be sent to another process.

    Attributes
    ----------
    output : path-like
        Folder of the run.
    input : path-like, optional
        Folder with ``trainset`` and, if wanted, ``valset`` and ``testset``, each ``.npz``
        or ``.npy``. None: the bundled digits.
    config : ExperimentConfig or path-like, optional
        None: the settings for the bundled digits.
    seed : int
        Of the run's generator, >= 0.
    overwrite : bool
        Replace the run that is in ``output``.
    verbose : bool
        Show a progress bar if stderr is a terminal.
    save_stats : bool
        Keep statistics of every epoch in ``stats.npz``; see `epoch_statistics`.
    data : mapping of DataFile, optional
        The files in ``input`` by the names ``train``, ``val`` and ``test``, if somebody has
        described them before; they are not read a second time for their fingerprints.
    patience : float
        Seconds to wait for another process to let go of ``output``.
    owner : path-like, optional
        File of the `presence` of the command that wants the run, if that cannot end it. The
        run ends itself after an epoch when the command is gone.
    """

    output: str | os.PathLike
    input: str | os.PathLike | None = None
    config: ExperimentConfig | str | os.PathLike | None = None
    seed: int = 0
    overwrite: bool = False
    verbose: bool = False
    save_stats: bool = False
    data: Mapping[str, DataFile] | None = field(default=None, hash=False)
    patience: float = 0.0
    owner: str | os.PathLike | None = None

    def elsewhere(self, owner: str, patience: float) -> "RunJob":
        """Return the job as it means the same on another machine; see `spikenn_cy.execution.cluster.Portable`."""
        return replace(
            self,
            output=os.path.abspath(self.output),
            input=None if self.input is None else os.path.abspath(self.input),
            config=None if self.config is None else ExperimentConfig.from_any(self.config),
            owner=owner,
            patience=max(self.patience, patience),
        )


def run_single(job: RunJob) -> dict[str, Any]:
    """Train as the job says, go on with a run that was interrupted, or look up one that is complete.

    Returns
    -------
    dict
        What ``result.json`` holds: ``train_accuracy``, ``val_accuracy`` and
        ``test_accuracy`` after the last epoch (None without such a set), ``n_epochs``,
        ``stopped`` (``epochs``, ``early_stopping`` or ``gridsearch_stop_acc``), ``seed``
        and the numbers of samples ``n_train``, ``n_val`` and ``n_test``.

    Raises
    ------
    SpikennError
        If settings, data and folder do not allow the run. Nothing is written then.
    """
    config, datasets = prepared(job)
    _keep_inputs(job)
    train = datasets["train"]
    model = Readout.from_config(
        config, n_inputs=train.n_inputs, n_classes=train.n_classes, max_time=train.max_time, seed=job.seed
    )
    description = described(job, config)
    try:
        with open_run(job.output, description, job.overwrite, job.patience) as folder:
            if (result := folder.result) is not None:
                return result
            stats = Statistics(folder.path, model, train) if job.save_stats else None

            def on_epoch(report: EpochReport) -> None:
                if job.owner is not None and not is_present(job.owner):
                    raise RunError(f"{folder.path}: must be wanted by a command, got one that has ended")
                folder.append(report, stats and stats.remark(report.epoch))

            history = model.fit(
                **datasets,
                checkpoint=os.fspath(folder.checkpoint),
                verbose=job.verbose,
                on_epoch=on_epoch,
                on_statistics=stats and stats.observe,
            )
            model.save(os.fspath(folder.model))
            remarks = stats.finish(len(history.epochs)) if stats else {}
            folder.finish(history.epochs, _result(history, datasets, job.seed), remarks)
            if stats:
                stats.remove_parts(len(history.epochs))
            return folder.result
    except NotWritable:
        result = None if job.overwrite else result_of(job.output, description)
        if result is None:
            raise
        return result


def prepared(job: RunJob) -> tuple[ExperimentConfig, dict[str, SpikingDataset]]:
    """Return settings and data sets of a run, checked against each other.

    Raises
    ------
    SpikennError
        If the run could not begin.
    """
    where = None if isinstance(job.config, ExperimentConfig) else os.fspath(job.config or CONFIG)
    config = ExperimentConfig.from_any(CONFIG if job.config is None else job.config)
    datasets = _demo() if job.input is None else _loaded(_files(job))
    config.check_against(datasets["train"].n_classes, where)
    if config.trainer.early_stopping > 0 and "val" not in datasets:
        place = f"{where}: " if where else ""
        warnings.warn(ConfigWarning(f"{place}trainer.early_stopping: has no effect without a valset"), stacklevel=3)
    return config, datasets


def _keep_inputs(job: RunJob) -> None:
    """Raise `RunError` if the run would write over the settings that it was given."""
    if job.config is None or isinstance(job.config, ExperimentConfig):
        return
    for name in RUN_FILES:
        if os.path.exists(Path(job.output, name)) and os.path.samefile(Path(job.output, name), job.config):
            raise RunError(f"{job.config}: must be another file than those of a run in {job.output}, got its {name}")


def forget_data() -> None:
    """Let go of the data files that this process has opened, when others are to do the runs."""
    _open.cache_clear()


def described(job: RunJob, config: ExperimentConfig) -> dict[str, Any]:
    """Return the content of ``config.json`` for a job with these settings."""
    data = job.data
    if data is None:
        files = {"train": DIGITS} if job.input is None else data_files(job.input)
        data = {name: DataFile.of(path) for name, path in files.items()}
    return describe(config, job.seed, {name: file.fingerprint for name, file in data.items()}, job.save_stats)


def _result(history: History, datasets: dict[str, SpikingDataset], seed: int) -> dict[str, Any]:
    last = history.epochs[-1] if history.epochs else None
    accuracies = {f"{name}_accuracy": getattr(last, f"{name}_accuracy", None) for name in STEMS}
    sizes = {f"n_{name}": len(datasets[name]) if name in datasets else 0 for name in STEMS}
    return accuracies | {"n_epochs": len(history.epochs), "stopped": history.stopped, "seed": seed} | sizes


def _demo() -> dict[str, SpikingDataset]:
    return dict(zip(STEMS, demo_datasets(), strict=True))


def _files(job: RunJob) -> dict[str, Path]:
    if job.data is None:
        return data_files(job.input)
    for file in job.data.values():
        file.check()
    return {name: Path(file.path) for name, file in job.data.items()}


def _stamp(path: str | os.PathLike) -> tuple[int, int]:
    try:
        found = os.stat(path)
    except OSError as error:
        raise DataError(f"{path}: must be a readable file, got {error.strerror}") from None
    return found.st_size, found.st_mtime_ns


@functools.lru_cache(maxsize=len(STEMS))
def _open(path: Path, inode: int, stamp: tuple[int, int]) -> SpikingDataset:
    """Return the data set in a file; a process that has many runs on it maps and checks it once."""
    return SpikingDataset.from_file(path)


def _loaded(files: dict[str, Path]) -> dict[str, SpikingDataset]:
    """Return the data sets of the files, checked against each other."""
    datasets = {name: _open(path, path.stat().st_ino, _stamp(path)) for name, path in files.items()}
    train = datasets["train"]
    datasets = {
        name: dataset if name == "train" else match_classes(dataset, train) for name, dataset in datasets.items()
    }
    n_silent = np.count_nonzero(np.diff(train.indptr) == 0)
    if n_silent:
        text = f"{files['train']}: {n_silent} of {len(train)} training samples have no spike"
        warnings.warn(DataWarning(text), stacklevel=4)
    return datasets
