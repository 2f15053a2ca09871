"""Many runs asked for by one command: their common folder, what is left to do in it, and who does it."""

import contextlib
import json
import os
import warnings
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any

from spikenn_cy.config import ExperimentConfig
from spikenn_cy.data.folder import data_files
from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import RunError
from spikenn_cy.errors import SpikennError
from spikenn_cy.errors import shortened
from spikenn_cy.execution.pool import ExecutorFactory
from spikenn_cy.execution.pool import Outcome
from spikenn_cy.execution.pool import run_jobs
from spikenn_cy.experiments.single import DataFile
from spikenn_cy.experiments.single import RunJob
from spikenn_cy.experiments.single import described
from spikenn_cy.experiments.single import forget_data
from spikenn_cy.experiments.single import prepared
from spikenn_cy.experiments.single import run_single
from spikenn_cy.experiments.store import CHECKPOINT
from spikenn_cy.experiments.store import read_result
from spikenn_cy.experiments.store import result_of
from spikenn_cy.settings.strictjson import parse_json
from spikenn_cy.storage.folder import differences
from spikenn_cy.storage.folder import made
from spikenn_cy.storage.folder import remove_torn
from spikenn_cy.storage.lock import LOCK
from spikenn_cy.storage.lock import locked
from spikenn_cy.utils.atomic import atomic_file
from spikenn_cy.utils.progress import Progress
from spikenn_cy.version import __version__

FORMAT = 1
MANIFEST = "manifest.json"
# Seconds in which a worker of a command that was killed ends, and lets go of its run's folder.
PATIENCE = 5.0


@dataclass(frozen=True)
class Run:
    """One of the runs of a batch.

    Attributes
    ----------
    folder : str
        Below the batch's output.
    config : ExperimentConfig
    seed : int
    input : str
        Folder of its data below the batch's input; ``"."``: the input itself.
    varied : dict
        The settings in which the runs differ, by JSON path.
    """

    folder: str
    config: ExperimentConfig
    seed: int = 0
    input: str = "."
    varied: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Batch:
    """What a command asks for; a runner's ``jobs`` makes one.

    Attributes
    ----------
    command : str
        The runner's name in ``RUNNERS``.
    input, output : path-like
    config : dict
        The settings as JSON values, in full.
    runs : tuple of Run
    options : dict
        What else the runs were made from, by the names of the command's options.
    """

    command: str
    input: str | os.PathLike
    output: str | os.PathLike
    config: Mapping[str, Any]
    runs: tuple[Run, ...]
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RunState:
    """How far a run of a batch has come.

    Attributes
    ----------
    folder : str
        Below the batch's output.
    varied : dict
        The settings in which the runs differ, by JSON path.
    result : dict or None
        The content of ``result.json`` if the run is complete.
    state : {"complete", "given up", "unfinished", "missing"}
    """

    folder: str
    varied: Mapping[str, Any]
    result: Mapping[str, Any] | None
    state: str

    @classmethod
    def of(cls, output: Path, folder: str, varied: Mapping[str, Any] | None = None) -> "RunState":
        """Return the state of the run in a folder below ``output``."""
        path = output / folder
        result = read_result(path)
        if result is not None:
            state = "given up" if result["stopped"] == "gridsearch_stop_acc" else "complete"
        else:
            state = "unfinished" if path.is_dir() else "missing"
        return cls(folder, varied or {}, result, state)


def run_batch(batch: Batch, n_proc: int = 1, executor: ExecutorFactory | None = None) -> list[Outcome]:
    """Do the runs of a batch that are not complete yet, each from where it was interrupted.

    Parameters
    ----------
    batch : Batch
    n_proc, executor
        As for `spikenn_cy.execution.pool.run_jobs`.

    Returns
    -------
    list of Outcome
        Those of the runs that failed, which have been reported on stderr. The others went on.

    Raises
    ------
    SpikennError
        If no run can begin, or the folder holds something else or is in use by another
        command. Nothing is written then.
    """
    output = Path(batch.output)
    with made(output), locked(output):
        remove_torn(output, [MANIFEST])
        there = _manifest_in(output)
        data = _described_data(batch)
        jobs = [_job(batch, run, data[run.input]) for run in batch.runs]
        results = [result_of(job.output, described(job, job.config)) for job in jobs]
        left = [job for job, result in zip(jobs, results, strict=True) if result is None]
        _sweep(job for job, result in zip(jobs, results, strict=True) if result is not None)
        manifest = _described(batch, data)
        if there is not None:
            _refuse_difference(output, there, manifest, complete=not left)
        refused, caught = _refusals(left)
        if n_proc > 1 or executor is not None:
            forget_data()
        try:
            if there is None:
                with atomic_file(output / MANIFEST, "w") as file:
                    json.dump(manifest, file, indent=1)
            warned = _warn(caught, set())
            complete = [result for result in results if result is not None]
            return _done(batch, left, refused, warned, complete, n_proc, executor)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"; the same command goes on with {batch.output}") from None
        finally:
            if there is None and not any((output / run.folder).exists() for run in batch.runs):
                (output / MANIFEST).unlink(missing_ok=True)


def _sweep(complete: Iterable[RunJob]) -> None:
    """Remove what a worker left that was stopped between its run's completion and its own end."""
    for job in complete:
        checkpoint = Path(job.output, CHECKPOINT)
        if checkpoint.exists() or Path(job.output, LOCK).exists():
            with contextlib.suppress(RunError), locked(Path(job.output)):
                checkpoint.unlink(missing_ok=True)


def data_of(batch: Batch) -> list[Path]:
    """Return the data files a batch reads.

    Raises
    ------
    DataError
        If a run has none.
    """
    folders = dict.fromkeys(run.input for run in batch.runs)
    return [path for folder in folders for path in data_files(Path(batch.input, folder)).values()]


def run_states(output: str | os.PathLike, command: str) -> list[RunState]:
    """Return how far the runs of a batch have come, in its order.

    Parameters
    ----------
    output : path-like
    command : str
        Name of the runner that the folder must be of.

    Raises
    ------
    RunError
        If it is not.
    """
    output = Path(output)
    rule = f"must be the output folder of {command}"
    if not output.is_dir():
        raise RunError(f"{output}: {rule}, got {'a file' if output.exists() else 'no such folder'}")
    manifest = _manifest_in(output)
    if manifest is None or manifest["command"] != command:
        found = "an empty folder" if manifest is None else f"one of {manifest['command']}"
        raise RunError(f"{output}: {rule}, got {found}")
    return [RunState.of(output, run["folder"], run["varied"]) for run in manifest["runs"]]


def _done(
    batch: Batch,
    jobs: Sequence[RunJob],
    refused: Mapping[int, SpikennError],
    warned: set[str],
    results: Sequence[Mapping[str, Any]],
    n_proc: int,
    executor: ExecutorFactory | None,
) -> list[Outcome]:
    failures = []
    best = max((_ranked(result) for result in results), default=-1.0)
    n_runs = len(results) + len(jobs)
    with contextlib.ExitStack() as stack:
        progress = stack.enter_context(Progress(n_runs, batch.command, unit="run", done=len(results)))
        outcomes = stack.enter_context(contextlib.closing(_outcomes(jobs, refused, n_proc, executor)))
        for outcome in outcomes:
            _warn(outcome.warnings, warned)
            folder = Path(batch.output, os.path.relpath(outcome.job.output, os.path.abspath(batch.output)))
            if outcome.error is not None:
                failures.append(outcome)
                progress.say(f"failed: {folder}: {outcome.error}")
                if outcome.details is not None:
                    progress.say(outcome.details)
            else:
                best = max(best, _ranked(outcome.result))
                if outcome.n_attempts > 1:
                    progress.say(f"note: {folder}: done by another worker, since the first one died")
            progress.step(**{"best": f"{100 * best:.2f}%"} if best >= 0 else {})
    return failures


def _outcomes(
    jobs: Sequence[RunJob], refused: Mapping[int, SpikennError], n_proc: int, executor: ExecutorFactory | None
) -> Iterator[Outcome]:
    for position, error in refused.items():
        yield Outcome(jobs[position], error=str(error))
    going = [job for position, job in enumerate(jobs) if position not in refused]
    if going:
        yield from run_jobs(run_single, going, n_proc, executor)


def _ranked(result: Mapping[str, Any]) -> float:
    accuracy = result["train_accuracy"] if result["val_accuracy"] is None else result["val_accuracy"]
    return -1.0 if accuracy is None else accuracy


def _warn(caught: Iterable[Warning], warned: set[str]) -> set[str]:
    """Give each warning once, since all runs on the same data have the same ones; return what has been said so far."""
    for warning in caught:
        if str(warning) not in warned:
            warned.add(str(warning))
            warnings.warn(warning, stacklevel=4)
    return warned


def _refusals(jobs: Sequence[RunJob]) -> tuple[dict[int, SpikennError], list[Warning]]:
    """Return what stands against jobs by their positions, and warnings; raise it if it stands against all of them.

    A mistake that spoils every run is the command's, and no folder need be made to find it.
    """
    refused = {}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        for position, job in enumerate(jobs):
            try:
                prepared(job)
            except SpikennError as error:
                refused[position] = error
    if jobs and len(refused) == len(jobs):
        raise refused[0]
    return refused, [warning.message for warning in caught]


def _job(batch: Batch, run: Run, data: Mapping[str, DataFile]) -> RunJob:
    # A worker elsewhere has another working directory.
    folders = [os.path.abspath(Path(*path)) for path in ((batch.output, run.folder), (batch.input, run.input))]
    return RunJob(*folders, config=run.config, seed=run.seed, data=data, patience=PATIENCE)


def _described_data(batch: Batch) -> dict[str, dict[str, DataFile]]:
    """Return the data files of each input; each file is read once, here and nowhere else."""
    return {
        folder: {
            name: DataFile.of(os.path.abspath(path)) for name, path in data_files(Path(batch.input, folder)).items()
        }
        for folder in dict.fromkeys(run.input for run in batch.runs)
    }


def _described(batch: Batch, data: Mapping[str, Mapping[str, DataFile]]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "command": batch.command,
        "options": dict(batch.options),
        "config": batch.config,
        "data": {folder: {name: file.fingerprint for name, file in files.items()} for folder, files in data.items()},
        "runs": [
            {"folder": run.folder, "input": run.input, "seed": run.seed, "varied": run.varied} for run in batch.runs
        ],
        "versions": {"spikenn_cy": __version__},
    }


def _manifest_in(output: Path) -> dict[str, Any] | None:
    """Return the manifest in a folder, or None if that is empty; raise `RunError` if it holds something else."""
    path = output / MANIFEST
    names = sorted(name for name in os.listdir(output) if name != LOCK)
    if not names:
        return None
    rule = "must be a new folder or the output folder of this very command"
    if MANIFEST not in names:
        raise RunError(f"{output}: {rule}, got one with {shortened(', '.join(names))}")
    try:
        manifest = parse_json(path.read_text(encoding="utf-8"), os.fspath(path))
        found = manifest["format"]
        if found == FORMAT and manifest.keys() >= {"command", "options", "config", "data", "runs", "versions"}:
            return manifest
    except (ConfigError, TypeError, KeyError, AttributeError, UnicodeDecodeError):
        found = "a damaged one"
    raise RunError(f"{path}: must be a manifest of format {FORMAT}, got {found}")


def _refuse_difference(output: Path, there: Mapping[str, Any], asked: Mapping[str, Any], complete: bool) -> None:
    asked = json.loads(json.dumps(asked))
    compared = []
    for manifest in (there, asked):
        data = {
            f"{folder}/{name}".removeprefix("./"): file["sha256"]
            for folder, files in manifest["data"].items()
            for name, file in files.items()
        }
        compared.append({**manifest, "data": data, "runs": None})
    # What is complete needs no version to be looked up.
    difference = differences(*compared, but=("versions",) if complete else ())
    if not difference and there["runs"] != asked["runs"]:
        difference = "its runs in another order"
    if difference:
        rule = "must be a new folder or the output folder of this very command"
        raise RunError(f"{output}: {rule}, got one with {difference}")
