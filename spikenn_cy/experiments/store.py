"""The folder of one run: what was asked, how each epoch went, and its result."""

import contextlib
import dataclasses
import itertools
import json
import os
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from typing import Literal

import msgspec

from spikenn_cy.config import ExperimentConfig
from spikenn_cy.errors import RunError
from spikenn_cy.network.history import EpochReport
from spikenn_cy.storage.descriptions import difference
from spikenn_cy.storage.descriptions import versions
from spikenn_cy.storage.kinds import CHECKPOINT
from spikenn_cy.storage.kinds import LOG
from spikenn_cy.storage.kinds import METRICS
from spikenn_cy.storage.kinds import MODEL
from spikenn_cy.storage.kinds import RECORD_FORMAT
from spikenn_cy.storage.kinds import RESULT
from spikenn_cy.storage.kinds import RUN
from spikenn_cy.storage.kinds import Kind
from spikenn_cy.storage.lock import LOCK
from spikenn_cy.storage.output import OutputFolder
from spikenn_cy.storage.records import Count
from spikenn_cy.storage.records import Figure
from spikenn_cy.storage.records import Seed
from spikenn_cy.storage.records import Share
from spikenn_cy.storage.records import append_line
from spikenn_cy.storage.records import read_lines
from spikenn_cy.storage.records import read_record
from spikenn_cy.storage.records import write_record
from spikenn_cy.utils.atomic import atomic_file

Accuracy = tuple[int, float] | None  # of an epoch
ACCURACIES = {"train_accuracy": "train", "val_accuracy": "validation", "test_accuracy": "test"}
STOPPED = {
    "early_stopping": "Early stopping after epoch {epoch}: validation accuracy has not risen{best}",
    "gridsearch_stop_acc": "Given up after epoch {epoch}: accuracy below gridsearch_stop_acc",
}


class EpochRecord(msgspec.Struct):
    """What one epoch ended with."""

    epoch: Count
    train_accuracy: Share | None
    val_accuracy: Share | None
    test_accuracy: Share | None


class Result(msgspec.Struct):
    """What a complete run ended with; the sets that it did not have have no accuracy.

    Accuracies are those of the epoch that is kept. ``best`` is that with the best validation accuracy, if there is
    one, and ``last`` the last one if another was to be kept.
    """

    train_accuracy: Share | None
    val_accuracy: Share | None
    test_accuracy: Share | None
    n_epochs: Count
    stopped: Literal["epochs", "early_stopping", "gridsearch_stop_acc"]
    seed: Seed
    n_train: Count
    n_val: Count
    n_test: Count
    figures: dict[str, Figure] = {}
    best: EpochRecord | None = None
    last: EpochRecord | None = None
    format: Literal[1] = 1


def describe(
    config: ExperimentConfig, seed: int, data: Mapping[str, Mapping[str, Any]], save_stats: bool = False
) -> dict[str, Any]:
    """Return the record of a run: all that determines its results.

    Parameters
    ----------
    config : ExperimentConfig
    seed : int
    data : dict
        `fingerprint` of each data file, by the names ``train``, ``val`` and ``test``.
    save_stats : bool
        Whether ``stats.npz`` belongs to the run.
    """
    data = {name: dict(file) for name, file in data.items()}
    kept = {"save_stats": True} if save_stats else {}
    return {
        "format": RECORD_FORMAT,
        "config": config.to_dict(),
        "seed": seed,
        "data": data,
        **kept,
        "versions": versions(),
    }


def read_result(folder: Path) -> dict[str, Any] | None:
    """Return the result of a complete run, with the members of `Result`, else None.

    Raises
    ------
    RunError
        If the file holds anything else.
    """
    try:
        return read_record(folder / RESULT, Result, "must be the result of a run (--overwrite replaces it)")
    except (FileNotFoundError, NotADirectoryError):
        return None


def read_epochs(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the members of `EpochRecord` for each epoch of a run, complete or not.

    Raises
    ------
    RunError
        At the first record that is damaged.
    """
    yield from read_lines(folder / METRICS, EpochRecord, "must be the record of an epoch")


def model_of(path: str | os.PathLike[str]) -> Path:
    """Return the file with the trained network of a run, given the run's folder or that file.

    Raises
    ------
    RunError
        If a folder holds no trained network.
    """
    path = Path(path)
    if not path.is_dir():
        return path
    if not (path / MODEL).exists():
        found = "an unfinished one" if (path / RUN.record).exists() else "another folder"
        raise RunError(f"{path}: must be the folder of a complete run, with {MODEL}, got {found}")
    return path / MODEL


class RunFolder(OutputFolder):
    """The folder of a run while it is held by this process; `open_run` gives one."""

    def __init__(self, path: str | os.PathLike[str], kind: Kind = RUN) -> None:
        super().__init__(path, kind)
        self._following = False  # whether the files for watchers end where training is
        self.grows = False  # whether the run that is there had fewer epochs, and is the beginning of the one asked for
        self._best: Accuracy = None  # validation accuracy so far, and its epoch

    @property
    def checkpoint(self) -> Path:
        """Where training leaves its state after every epoch, at this moment."""
        return self.file(CHECKPOINT)

    @property
    def model(self) -> Path:
        """Where the trained network belongs, at this moment."""
        return self.file(MODEL)

    @property
    def result(self) -> dict[str, Any] | None:
        """The result of a complete run, else None."""
        return read_result(self.here)

    @property
    def is_under_way(self) -> bool:
        """Whether there is a state to go on from."""
        return self.checkpoint.exists()

    def claim(self, description: Mapping[str, Any], overwrite: bool) -> None:
        """Begin the described run, or see that it is this one that is there, complete or to be gone on with.

        Raises
        ------
        RunError
            If the folder holds something else.
        """
        if overwrite or (there := self.recorded()) is None:
            self.begin(description)
            return
        # What is complete needs no version to be gone on with.
        complete = self.file(RESULT).exists()
        if differing := difference(there, description, ExperimentConfig, complete):
            if not is_beginning(there, description):
                self.refuse(f"one with {differing}")
            if hindrance := against_growth(description, complete):
                self.refuse(f"one with {differing}, and {hindrance}")
            self.grows = True
            return
        if complete:  # and may have been stopped before it was rid of these
            self.clear_passing()

    @property
    def reports(self) -> list[EpochReport]:
        """What a run that is there has recorded of its epochs; durations are not kept."""
        reports = [
            EpochReport(**{key: found[key] for key in ("epoch", *ACCURACIES)}) for found in read_epochs(self.here)
        ]
        result = self.result
        if reports and result is not None and result["stopped"] in STOPPED:
            reports[-1] = dataclasses.replace(reports[-1], stopped=result["stopped"])
        return reports

    def grow(self, description: Mapping[str, Any]) -> None:
        """Turn the run that is there, once it has a checkpoint for more epochs, into an unfinished one of them."""
        self.file(RESULT).unlink(missing_ok=True)  # first: with it, the new record would be that of a complete run
        self.write_record(description)
        self.grows = False

    def append(self, report: EpochReport, remark: str | None = None) -> None:
        """Add an epoch to the log and the metrics, so that a run can be watched; ``remark`` is a line more for the log.

        A run that was to replace another one does so, if it has a checkpoint.
        """
        self.settle()
        if not self._following:
            # An interrupted run may have got further here than in its checkpoint.
            before = self._epochs_before(report.epoch)
            self._write(_texts((epoch, None, None) for epoch in before))
            for epoch in before:
                self._best = _better(self._best, epoch)
            self._following = True
        metrics = metrics_of(report)
        for name, text in _texts([(metrics, report.stopped, remark)], self._best).items():
            append_line(self.file(name), text, sync=False)  # whoever goes on after a power cut writes them anew
        self._best = _better(self._best, metrics)

    def finish(
        self, reports: Iterable[EpochReport], result: Mapping[str, Any], remarks: Mapping[int, str]
    ) -> dict[str, Any]:
        """Write log and metrics of all epochs as a whole, then the result, which makes the run complete; return it.

        ``remarks`` are lines more for the log, by epoch.
        """
        # Writes what was appended once more: a power cut may have taken the end of that.
        texts = _texts((metrics_of(report), report.stopped, remarks.get(report.epoch)) for report in reports)
        if result.get("last") is not None:
            texts[LOG] += f"Kept: the network after epoch {result['best']['epoch']}\n"
        self._write(texts)
        whole = {"format": RECORD_FORMAT, **result}
        write_record(self.file(RESULT), whole)
        self.settle()
        self.clear_passing()
        return whole

    def _epochs_before(self, epoch: int) -> list[dict[str, Any]]:
        """Return the records of the epochs before ``epoch``, as far as they can be read."""
        epochs = []
        with contextlib.suppress(RunError):
            for record in itertools.islice(read_epochs(self.here), epoch):
                epochs.append({key: record[key] for key in ("epoch", *ACCURACIES)})
        return epochs

    def _write(self, texts: Mapping[str, str]) -> None:
        for name, text in texts.items():
            with atomic_file(self.file(name), "w") as file:
                file.write(text)


def is_beginning(there: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    """Return whether a record, or that of many runs, differs from the one asked for by fewer epochs alone.

    Whoever goes on with it must be of the same version.
    """
    try:
        before, after = there["config"]["trainer"]["epochs"], asked["config"]["trainer"]["epochs"]
    except (KeyError, TypeError):
        return False
    if not (isinstance(before, int) and isinstance(after, int) and before < after):
        return False
    config = {**asked["config"], "trainer": {**asked["config"]["trainer"], "epochs": before}}
    return not difference(there, {**asked, "config": config}, ExperimentConfig, but=("runs",))


def against_growth(asked: Mapping[str, Any], complete: bool = False) -> str:
    """Return why more epochs than a run has, which may be complete, are not a straight run's; ``""`` if they are."""
    config = ExperimentConfig.from_plain(asked["config"])
    if config.optimizer.counts_epochs:
        return "its rates have fallen by the number of epochs, so that more of them are another run"
    if config.trainer.keep != "last":
        return "its network is that of the best epoch, from which training does not go on"
    if complete and asked.get("save_stats"):
        return "the statistics of its epochs are complete"
    return ""


@contextlib.contextmanager
def open_run(
    path: str | os.PathLike[str], description: Mapping[str, Any], overwrite: bool = False, patience: float = 0.0
) -> Iterator[RunFolder]:
    """Hold the folder of one run for the time of the block.

    A new or empty folder is filled. An unfinished run of the same description is there to
    be gone on with from its checkpoint, a complete one with its result. If the block
    ends before the first epoch of a new run, everything made here is removed again.

    Parameters
    ----------
    path : path-like
        Made if it is missing, with its parents.
    description : dict
        As `describe` returns it.
    overwrite : bool
        Replace what a run left there, whatever its description, once the new one has a
        checkpoint. Other files stay.
    patience : float
        Seconds to wait for another process to let go of the folder.

    Raises
    ------
    RunError
        If the folder holds something else, is in use, or cannot be written to.
    """
    with RunFolder.opened(path, RUN, patience) as folder:
        folder.claim(description, overwrite)
        yield folder


def result_of(path: str | os.PathLike[str], description: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the result of a complete run of this description, or None if there is none in the folder."""
    path = Path(path)
    if not (path / RESULT).exists():
        return None
    there = RUN.record_in(path)
    if there is None or difference(there, description, ExperimentConfig, complete=True):
        return None
    return read_result(path)


def clear_up(path: str | os.PathLike[str]) -> None:
    """Remove what a process left in the folder of its run that ended between the run's completion and its own end."""
    path = Path(path)
    if RUN.passing_in(path) or (path / LOCK).exists():
        with contextlib.suppress(RunError), RunFolder.opened(path, RUN) as folder:
            folder.clear_passing()


def metrics_of(report: EpochReport) -> dict[str, Any]:
    """Return the members of `EpochRecord`."""
    return {"epoch": report.epoch} | {key: getattr(report, key) for key in ACCURACIES}


def best_in_words(epoch: int, accuracy: float) -> str:
    """Return what is said of the best epoch."""
    return f"best {100 * accuracy:.2f} % after epoch {epoch}"


def _better(best: Accuracy, metrics: Mapping[str, Any]) -> Accuracy:
    found = metrics["val_accuracy"]
    return best if found is None or (best is not None and found <= best[1]) else (metrics["epoch"], found)


def _texts(epochs: Iterable[tuple[dict[str, Any], str | None, str | None]], best: Accuracy = None) -> dict[str, str]:
    """Return the parts of metrics and log that tell of ``(metrics, reason of the end, remark)``.

    ``best`` is the best validation accuracy of the epochs before, with its epoch.
    """
    texts = {METRICS: "", LOG: ""}
    for metrics, stopped, remark in epochs:
        best = _better(best, metrics)
        texts[METRICS] += f"{json.dumps(metrics)}\n"
        texts[LOG] += "".join(f"{sentence}\n" for sentence in _sentences(metrics, stopped, remark, best))
    return texts


def _sentences(record: Mapping[str, Any], stopped: str | None, remark: str | None, best: Accuracy) -> Iterator[str]:
    for key, name in ACCURACIES.items():
        if record[key] is not None:
            yield f"Accuracy on {name} set after epoch {record['epoch']}: {round(record[key], 4)}"
    if remark is not None:
        yield remark
    if stopped in STOPPED:
        yield STOPPED[stopped].format(epoch=record["epoch"], best="" if best is None else f", {best_in_words(*best)}")
