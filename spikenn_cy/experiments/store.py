"""The folder of one run: what was asked, how it went, and whether it may be gone on with."""

import contextlib
import json
import os
import platform
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from spikenn_cy.config import ExperimentConfig
from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import RunError
from spikenn_cy.errors import shortened
from spikenn_cy.settings.refusals import Refusal
from spikenn_cy.settings.refusals import parse
from spikenn_cy.settings.strictjson import read_json
from spikenn_cy.storage.folder import differences
from spikenn_cy.storage.folder import made
from spikenn_cy.storage.folder import remove_torn
from spikenn_cy.storage.lock import LOCK
from spikenn_cy.storage.lock import locked
from spikenn_cy.utils.atomic import atomic_file
from spikenn_cy.version import __version__

FORMAT = 1
RECORD, LOG, METRICS = "config.json", "readout_log.txt", "metrics.jsonl"
MODEL, CHECKPOINT, RESULT = "model.npz", "checkpoint.npz", "result.json"
STATS, STATS_OF_EPOCH = "stats.npz", "stats-{epoch:06}.npz"  # the latter until the run is complete
REPORT = "report.html"
# In the order in which an overwritten run is taken apart: until the last is gone, it is an unfinished run.
FILES = (RESULT, CHECKPOINT, METRICS, LOG, MODEL, STATS, REPORT, RECORD)
# Where an overwritten run waits for the new one's first checkpoint; the latter while it is moved there or back.
REPLACED, MOVING = ".spikenn_cy-replaced", ".spikenn_cy-moving"

EXTRACTION = "extraction.json"  # of the folder of an extraction, which has a model.npz too

ACCURACIES = {"train_accuracy": "train", "val_accuracy": "validation", "test_accuracy": "test"}
ENDS = ("epochs", "early_stopping", "gridsearch_stop_acc")
STOPPED = {
    "early_stopping": "Early stopping after epoch {epoch}: validation accuracy has not risen",
    "gridsearch_stop_acc": "Given up after epoch {epoch}: accuracy below gridsearch_stop_acc",
}


def describe(
    config: ExperimentConfig, seed: int, data: Mapping[str, Mapping[str, Any]], save_stats: bool = False
) -> dict[str, Any]:
    """Return the content of a run's ``config.json``: all that determines its results.

    Parameters
    ----------
    config : ExperimentConfig
    seed : int
    data : dict
        `fingerprint` of each data file, by the names ``train``, ``val`` and ``test``.
    save_stats : bool
        Whether ``stats.npz`` belongs to the run.
    """
    versions = {"spikenn_cy": __version__, "numpy": np.__version__, "python": platform.python_version()}
    data = {name: dict(file) for name, file in data.items()}
    kept = {"save_stats": True} if save_stats else {}
    return {"format": FORMAT, "config": config.to_dict(), "seed": seed, "data": data, **kept, "versions": versions}


def read_result(folder: Path) -> dict[str, Any] | None:
    """Return the result of a complete run, else None.

    Raises
    ------
    RunError
        If the file holds anything else.
    """
    path = folder / RESULT
    try:
        found = read_json(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    numbers = {"n_epochs", "seed", "n_train", "n_val", "n_test"}
    if (
        isinstance(found, dict)
        and found.get("stopped") in ENDS
        and all(isinstance(found.get(key), int) for key in numbers)
        and all(isinstance(found.get(key, ""), int | float | None) for key in ACCURACIES)
    ):
        return found
    raise RunError(f"{path}: must be the result of a run (--overwrite replaces it), got {shortened(json.dumps(found))}")


def model_of(path: str | os.PathLike) -> Path:
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
        found = "an unfinished one" if (path / RECORD).exists() else "another folder"
        raise RunError(f"{path}: must be the folder of a complete run, with {MODEL}, got {found}")
    return path / MODEL


class RunFolder:
    """The folder of a run while it is held by this process; `open_run` gives one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._following = False  # whether the files for watchers end where training is

    @property
    def checkpoint(self) -> Path:
        """Where training leaves its state after every epoch."""
        return self.path / CHECKPOINT

    @property
    def model(self) -> Path:
        """Where the trained network belongs."""
        return self.path / MODEL

    @property
    def result(self) -> dict[str, Any] | None:
        """The result of a complete run, else None."""
        return read_result(self.path)

    def append(self, report: Any, remark: str | None = None) -> None:
        """Add an epoch to the log and the metrics, so that a run can be watched.

        ``report`` has the attributes ``epoch`` (the first is 0), ``train_accuracy``,
        ``val_accuracy`` and ``test_accuracy`` (or None) and ``stopped`` (a reason or None);
        ``remark`` is a line more for the log.
        """
        _let_go(self.path)
        if not self._following:
            # An interrupted run may have got further here than in its checkpoint.
            earlier = self._metrics_before(report.epoch)
            self._write(_texts((epoch, None, None) for epoch in earlier))
            self._following = True
        for name, text in _texts([(_metrics(report), report.stopped, remark)]).items():
            with open(self.path / name, "a", encoding="utf-8", newline="\n") as file:
                file.write(text)

    def finish(self, reports: Iterable[Any], result: Mapping[str, Any], remarks: Mapping[int, str]) -> None:
        """Write log and metrics of all epochs as a whole, then the result, which makes the run complete.

        ``remarks`` are lines more for the log, by epoch.
        """
        # The same as was appended, except after a power cut, which may have taken the end of that.
        self._write(_texts((_metrics(report), report.stopped, remarks.get(report.epoch)) for report in reports))
        self._write({RESULT: _pretty({"format": FORMAT, **result})})
        self.checkpoint.unlink(missing_ok=True)

    def _metrics_before(self, epoch: int) -> list[dict[str, Any]]:
        """Return the records of the epochs before ``epoch``, as far as they can be read."""
        path, epochs = self.path / METRICS, []
        with contextlib.suppress(ValueError):  # the end of a torn file
            lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
            for line in lines[:epoch]:
                record = json.loads(line)
                if not isinstance(record, dict) or not record.keys() >= {"epoch", *ACCURACIES}:
                    break
                epochs.append(record)
        return epochs

    def _write(self, texts: Mapping[str, str]) -> None:
        for name, text in texts.items():
            with atomic_file(self.path / name, "w") as file:
                file.write(text)


@contextlib.contextmanager
def open_run(
    path: str | os.PathLike, description: Mapping[str, Any], overwrite: bool = False, patience: float = 0.0
) -> Iterator[RunFolder]:
    """Hold the folder of one run for the time of the block.

    A new or empty folder is filled. An unfinished run of the same description is there to
    be gone on with from its checkpoint, a complete one with its result. If the block
    raises before the first epoch of a new run, everything made here is removed again.

    Parameters
    ----------
    path : path-like
        Made if it is missing, with its parents.
    description : dict
        As `describe` returns it.
    overwrite : bool
        Replace what a run left there, whatever its description. It is kept until the new
        one has a checkpoint, and is back if the block raises before. Other files stay.
    patience : float
        Seconds to wait for another process to let go of the folder.

    Raises
    ------
    RunError
        If the folder holds something else, is in use, or cannot be written to.
    """
    path = Path(path)
    new = False
    with made(path), locked(path, patience):
        try:
            new = _claim(path, description, overwrite)
            yield RunFolder(path)
        except BaseException:
            if new and not (path / CHECKPOINT).exists():
                _clear(path)
            raise
        finally:
            _bring_back(path)


def result_of(path: str | os.PathLike, description: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the result of a complete run of this description, or None if there is none in the folder."""
    path = Path(path)
    if not (path / RESULT).exists():
        return None
    there = _description_in(path)
    if there is None or _difference(there, description, but=("versions",)):
        return None
    return read_result(path)


def _claim(path: Path, description: Mapping[str, Any], overwrite: bool) -> bool:
    """Make ``path`` the folder of the described run and return whether it begins anew, or raise `RunError`."""
    remove_torn(path, FILES)
    _bring_back(path)  # what a killed process has set aside
    names = [name for name in os.listdir(path) if name != LOCK]
    there = _description_in(path)
    if names and not overwrite:
        rule = "must be a new folder or hold this very run (--overwrite replaces a run)"
        if there is None:
            raise RunError(f"{path}: {rule}, got a folder with {shortened(', '.join(sorted(names)))}")
        # What is complete needs no version to be gone on with.
        complete = (path / RESULT).exists()
        if difference := _difference(there, description, but=("versions",) if complete else ()):
            raise RunError(f"{path}: {rule}, got one with {difference}")
        if complete:  # and may have been stopped before it was rid of this
            (path / CHECKPOINT).unlink(missing_ok=True)
        return False
    if there is None and EXTRACTION in names:
        rule = f"must be another folder than that of an extraction, whose {MODEL} would be lost"
        raise RunError(f"{path}: {rule}, got one")
    if names:
        _set_aside(path)
    with atomic_file(path / RECORD, "w") as file:
        file.write(_pretty(description))
    return True


def _clear(path: Path) -> None:
    for file in _files_in(path):
        file.unlink(missing_ok=True)


def _files_in(path: Path) -> list[Path]:
    """Return the files of a run in the order in which it is taken apart."""
    files = *path.glob(STATS_OF_EPOCH.format(epoch=0).replace("0", "[0-9]")), *(path / name for name in FILES)
    return [file for file in files if os.path.lexists(file)]


def _set_aside(path: Path) -> None:
    """Move the run in a folder to where `_bring_back` finds it."""
    with contextlib.suppress(OSError):
        (path / REPLACED).rmdir()
    if os.path.lexists(path / REPLACED):
        raise RunError(f"{path / REPLACED}: must be gone before another run is replaced, got one that holds something")
    (path / MOVING).mkdir(exist_ok=True)
    for file in _files_in(path):
        os.replace(file, path / MOVING / file.name)
    os.replace(path / MOVING, path / REPLACED)


def _let_go(path: Path) -> bool:
    """Remove a run that was set aside if the one in its place has a state to go on from; return whether it has."""
    if not _has_state(path):
        return False
    if _is_folder(path / REPLACED):
        with contextlib.suppress(OSError):  # such as files that another machine has open
            _clear(path / REPLACED)
            (path / REPLACED).rmdir()
    return True


def _bring_back(path: Path) -> None:
    """Put a run that was set aside back into its place, unless the one there has a state to go on from."""
    # What is in its place must be a run that has not begun, or nothing.
    if not _let_go(path) and _is_folder(path / REPLACED) and (is_run(path) or not _files_in(path)):
        _clear(path)
        os.replace(path / REPLACED, path / MOVING)
    if _is_folder(path / MOVING):
        for file in _files_in(path / MOVING):
            os.replace(file, path / file.name)
        with contextlib.suppress(OSError):
            (path / MOVING).rmdir()


def _has_state(path: Path) -> bool:
    return (path / CHECKPOINT).exists() or (path / RESULT).exists()


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def file_of(path: str | os.PathLike, name: str) -> Path:
    """Return the path of a file of the run in a folder, though a killed process may have set the run aside."""
    path = Path(path)
    aside = path / REPLACED / name
    return aside if aside.exists() and not _has_state(path) else path / name


def is_run(path: Path) -> bool:
    """Return whether a folder is that of a run, finished or not."""
    return _description_in(path) is not None


def _description_in(path: Path) -> dict[str, Any] | None:
    """Return the description of the run in a folder, or None if there is no run."""
    try:
        found = read_json(path / RECORD)
        whole = found["format"] == FORMAT and found.keys() >= {"config", "seed", "data", "versions"}
        # Each data file is described by an object of its own.
        sections = found["config"], found["data"], found["versions"], *found["data"].values()
        return found if whole and all(isinstance(section, dict) for section in sections) else None
    except (FileNotFoundError, ConfigError, TypeError, KeyError, AttributeError):
        return None


def _difference(there: Mapping[str, Any], asked: Mapping[str, Any], but: tuple[str, ...]) -> str:
    """Return in words how the run in a folder differs from the one asked for, some members left aside."""
    there, asked = dict(there), dict(asked)
    with contextlib.suppress(Refusal):  # settings that have come up since then have their defaults
        there["config"] = parse(ExperimentConfig, there["config"]).to_dict()
    for described in (there, asked):
        # The same numbers come out of other versions of Python and NumPy.
        described["versions"] = {"spikenn_cy": described["versions"].get("spikenn_cy")}
        described["data"] = {name: file.get("sha256") for name, file in described["data"].items()}
    return differences(there, asked, but)


def _metrics(report: Any) -> dict[str, Any]:
    return {"epoch": report.epoch} | {key: getattr(report, key) for key in ACCURACIES}


def _texts(epochs: Iterable[tuple[dict[str, Any], str | None, str | None]]) -> dict[str, str]:
    """Return the parts of metrics and log that tell of ``(metrics, reason of the end, remark)``."""
    texts = {METRICS: "", LOG: ""}
    for metrics, stopped, remark in epochs:
        texts[METRICS] += f"{json.dumps(metrics)}\n"
        texts[LOG] += "".join(f"{sentence}\n" for sentence in _sentences(metrics, stopped, remark))
    return texts


def _sentences(record: Mapping[str, Any], stopped: str | None, remark: str | None) -> Iterator[str]:
    for key, name in ACCURACIES.items():
        if record[key] is not None:
            yield f"Accuracy on {name} set after epoch {record['epoch']}: {round(record[key], 4)}"
    if remark is not None:
        yield remark
    if stopped in STOPPED:
        yield STOPPED[stopped].format(epoch=record["epoch"])


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2) + "\n"
