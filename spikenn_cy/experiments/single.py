"""One training run from data files to a complete folder, which may be interrupted at any moment."""

import contextlib
import os
import warnings
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from typing import Any

import numpy as np

from spikenn_cy.config import ExperimentConfig
from spikenn_cy.data.classes import match_classes
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.data.folder import STEMS
from spikenn_cy.demo import CONFIG
from spikenn_cy.demo import demo_datasets
from spikenn_cy.errors import ConfigWarning
from spikenn_cy.errors import DataError
from spikenn_cy.errors import DataWarning
from spikenn_cy.errors import RunError
from spikenn_cy.errors import SpikennError
from spikenn_cy.errors import require
from spikenn_cy.execution.liveness import is_alive
from spikenn_cy.experiments.data import DataFile
from spikenn_cy.experiments.data import files_in
from spikenn_cy.experiments.data import opened_sets
from spikenn_cy.experiments.stats import Statistics
from spikenn_cy.experiments.store import RunFolder
from spikenn_cy.experiments.store import describe
from spikenn_cy.experiments.store import metrics_of
from spikenn_cy.experiments.store import open_run
from spikenn_cy.experiments.store import result_of
from spikenn_cy.network.assembly import needs_images
from spikenn_cy.network.door import same_images
from spikenn_cy.network.history import EpochReport
from spikenn_cy.network.history import History
from spikenn_cy.network.history import best_of
from spikenn_cy.network.model_file import carry_on
from spikenn_cy.network.readout import Readout
from spikenn_cy.network.thresholds import settled
from spikenn_cy.storage.kinds import CHECKPOINT
from spikenn_cy.storage.lock import NotWritable


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
        A file with settings, or the folder of a run with them. None: the settings for the bundled digits.
    seed : int
        Of the run's generator, >= 0.
    overwrite : bool
        Replace the run that is in ``output``.
    verbose : bool
        Show progress on stderr: a bar on a terminal or in a notebook, elsewhere a line a minute.
    save_stats : bool
        Keep statistics of every epoch in ``stats.npz``; see ``epoch_statistics`` of
        `spikenn_cy.experiments.layer_stats` and, for a network that learns in every layer, of
        `spikenn_cy.experiments.network_stats`.
    data : mapping of DataFile, optional
        The files in ``input`` by the names ``train``, ``val`` and ``test``, if somebody has
        described them before; they are not read a second time for their fingerprints.
    patience : float
        Seconds to wait for another process to let go of ``output``.
    owner : path-like, optional
        File of the `liveness_file` of the command that wants the run, if that cannot end it. The
        run ends itself after an epoch when the command is gone.
    """

    output: str | os.PathLike[str]
    input: str | os.PathLike[str] | None = None
    config: ExperimentConfig | str | os.PathLike[str] | None = None
    seed: int = 0
    overwrite: bool = False
    verbose: bool = False
    save_stats: bool = False
    data: Mapping[str, DataFile] | None = field(default=None, hash=False)
    patience: float = 0.0
    owner: str | os.PathLike[str] | None = None

    @property
    def files(self) -> Mapping[str, DataFile]:
        """The data files, which are as they were if somebody has described them before."""
        return files_in(self.input) if self.data is None else self.data

    def elsewhere(self, owner: str, patience: float) -> "RunJob":
        """Return the job as it means the same on another machine; see `spikenn_cy.execution.cluster.Portable`."""
        return replace(
            self,
            output=os.path.abspath(self.output),
            input=None if self.input is None else os.path.abspath(self.input),
            config=None if self.config is None else ExperimentConfig.from_any(self.config),
            data=None if self.data is None else {name: file.elsewhere() for name, file in self.data.items()},
            owner=owner,
            patience=max(self.patience, patience),
        )

    def opened(self, files: Mapping[str, DataFile]) -> dict[str, SpikingDataset]:
        """Return the data sets in the files, by their names."""
        return dict(zip(STEMS, demo_datasets(), strict=True)) if self.input is None else opened_sets(files)

    def described(self, config: ExperimentConfig, files: Mapping[str, DataFile]) -> dict[str, Any]:
        """Return the record of the run with these settings and files, in which every threshold is a number."""
        with contextlib.suppress(SpikennError):  # which the run itself tells
            if config.waits_for_data:
                config = settled(config, self.opened({"train": files["train"]})["train"], self.seed)
        data = {name: file.known().fingerprint or {} for name, file in files.items()}
        return describe(config, self.seed, data, self.save_stats)


def run_single(job: RunJob) -> dict[str, Any]:
    """Train as the job says, go on with a run that was interrupted or had fewer epochs, or look up a complete one.

    Returns
    -------
    dict
        What ``result.json`` holds: ``train_accuracy``, ``val_accuracy`` and
        ``test_accuracy`` after the last epoch, or the one that ``trainer.keep`` keeps (None without such a
        set), with validation the ``best`` epoch, beside another kept one the ``last``, ``n_epochs``,
        ``stopped`` (``epochs``, ``early_stopping`` or ``gridsearch_stop_acc``), ``seed``
        and the numbers of samples ``n_train``, ``n_val`` and ``n_test``; of a network that
        learns in every layer also ``figures``, see `Readout.figures`.

    Raises
    ------
    SpikennError
        If settings, data and folder do not allow the run. Nothing is written then.
    KeyboardInterrupt
        With words on how the run goes on, if there is something to go on with.
    """
    config, where = _settings(job)
    files = job.files
    datasets = _suiting(config, where, job.opened(files))
    files = {name: file.known() for name, file in files.items()}
    _warn(config, where, datasets)
    config = settled(config, datasets["train"], job.seed)
    if where is not None:
        RunFolder(job.output).keep(where)
    train = datasets["train"]
    sizes = train.n_inputs, train.n_classes, train.max_time
    model = Readout.from_config(config, *sizes, seed=job.seed, input_shape=train.input_shape)
    description = job.described(config, files)
    folder = None
    try:
        with open_run(job.output, description, job.overwrite, job.patience) as folder:
            if folder.grows:
                source = folder.checkpoint if folder.is_under_way and folder.result is None else folder.model
                if source.exists():
                    carry_on(model, train, source, folder.reports, folder.checkpoint)
                folder.grow(description)
            return folder.result or _trained(job, folder, model, datasets, files)
    except NotWritable:
        result = None if job.overwrite else result_of(job.output, description)
        if result is None:
            raise
        return result
    except KeyboardInterrupt:
        if folder is None or not folder.is_under_way:
            raise
        # With --overwrite it would begin anew.
        same = "the same command" + (" without --overwrite" if job.overwrite else "")
        raise KeyboardInterrupt(f"; {same} goes on with {job.output}") from None


def foresee(job: RunJob, head: Callable[[str], SpikingDataset | None]) -> None:
    """Raise `SpikennError` if settings and data do not suit, as far as that shows before any spike is looked at.

    ``head`` is `head_of`, or remembers what that has returned.
    """
    config, where = _settings(job)
    with warnings.catch_warnings():  # the run itself warns
        warnings.simplefilter("ignore", UserWarning)
        heads = {name: head(file.path) for name, file in job.files.items()}
        known = {name: dataset for name, dataset in heads.items() if dataset is not None}
        if "train" in known:
            _suiting(config, where, known)


def _trained(
    job: RunJob,
    folder: RunFolder,
    model: Readout,
    datasets: Mapping[str, SpikingDataset],
    files: Mapping[str, DataFile],
) -> dict[str, Any]:
    """Train a network in the folder of its run until that is complete; return its result."""
    stats = Statistics(folder, model, datasets["train"]) if job.save_stats else None

    def on_epoch(report: EpochReport) -> None:
        if job.owner is not None and not is_alive(job.owner):
            raise RunError(f"{folder.path}: must be wanted by a command, got one that has ended")
        for file in files.values():  # they are mapped, so a change would go unseen
            file.check()
        folder.append(report, None if stats is None else stats.remark(report.epoch))

    with _unchanged(folder, files):
        history = model.fit(
            datasets["train"],
            datasets.get("val"),
            datasets.get("test"),
            checkpoint=folder.place(CHECKPOINT),
            verbose=job.verbose,
            on_epoch=on_epoch,
            on_statistics=None if stats is None else stats.observe,
        )
    model.save(folder.model)
    remarks = stats.finish(len(history.epochs)) if stats else {}
    result = _result(history, datasets, job.seed, model.config.trainer.keep == "best")
    return folder.finish(history.epochs, result | ({"figures": model.figures} if model.figures else {}), remarks)


@contextlib.contextmanager
def _unchanged(folder: RunFolder, files: Mapping[str, DataFile]) -> Iterator[None]:
    """Train in the block; a change of the data meanwhile is told in place of what it led to, or of a result."""
    try:
        yield
    except SpikennError:
        for file in files.values():
            file.check()
        raise
    for file in files.values():
        file.check()
    try:
        for file in files.values():
            file.check_content()
    except DataError:  # nobody knows from which epoch on
        folder.checkpoint.unlink(missing_ok=True)
        raise


def _settings(job: RunJob) -> tuple[ExperimentConfig, str | None]:
    """Return the settings of a run, and the file that they are from, if there is one."""
    if isinstance(job.config, ExperimentConfig):
        return job.config, None
    config = ExperimentConfig.from_any(CONFIG if job.config is None else job.config)
    return config, config.where


def _suiting(
    config: ExperimentConfig, where: str | None, datasets: Mapping[str, SpikingDataset]
) -> dict[str, SpikingDataset]:
    """Return data sets with the classes of the training set, after a look at whether all suits."""
    train = datasets["train"]
    matched = {name: match_classes(dataset, train, name) for name, dataset in datasets.items()}
    if needs_images(config):
        rule = f"must have the input_shape {train.input_shape} of {train.source or 'the training set'}"
        for name, dataset in matched.items():
            same = same_images(dataset.input_shape, train.input_shape)
            require(same, dataset.source or name, rule, dataset.input_shape, DataError)
    config.check_against(train.n_classes, where, train.input_shape)
    return matched


def _warn(config: ExperimentConfig, where: str | None, datasets: Mapping[str, SpikingDataset]) -> None:
    """Warn of settings that are legal and look like slips."""
    train = datasets["train"]
    n_silent = np.count_nonzero(np.diff(train.indptr) == 0)
    if n_silent:
        text = f"{train.source}: {n_silent} of {len(train)} training samples have no spike"
        warnings.warn(DataWarning(text), stacklevel=3)
    if config.trainer.early_stopping > 0 and "val" not in datasets:
        place = f"{where}: " if where else ""
        warnings.warn(ConfigWarning(f"{place}trainer.early_stopping: has no effect without a valset"), stacklevel=3)


def _result(history: History, datasets: Mapping[str, SpikingDataset], seed: int, keeps_best: bool) -> dict[str, Any]:
    last, best = history.epochs[-1] if history.epochs else None, best_of(history.epochs)
    kept = best if keeps_best and best is not None else last
    accuracies = {f"{name}_accuracy": getattr(kept, f"{name}_accuracy", None) for name in STEMS}
    sizes = {f"n_{name}": len(datasets[name]) if name in datasets else 0 for name in STEMS}
    told = {} if best is None else {"best": metrics_of(best)}
    if keeps_best and best is not None and last is not None:
        told["last"] = metrics_of(last)
    return accuracies | {"n_epochs": len(history.epochs), "stopped": history.stopped, "seed": seed} | sizes | told
