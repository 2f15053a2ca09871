"""Many runs asked for by one command: their common folder, what is left to do in it, and who does it."""

import contextlib
import functools
import json
import os
from collections.abc import Generator
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any
from typing import NamedTuple

from spikenn_cy.config import ExperimentConfig
from spikenn_cy.data.folder import data_files
from spikenn_cy.data.heads import head_of
from spikenn_cy.errors import RunError
from spikenn_cy.errors import SpikennError
from spikenn_cy.errors import shortened
from spikenn_cy.execution.pool import ExecutorFactory
from spikenn_cy.execution.pool import Outcome
from spikenn_cy.execution.pool import run_jobs
from spikenn_cy.execution.telling import told
from spikenn_cy.experiments.data import DataFile
from spikenn_cy.experiments.data import files_in
from spikenn_cy.experiments.single import RunJob
from spikenn_cy.experiments.single import foresee
from spikenn_cy.experiments.single import run_single
from spikenn_cy.experiments.store import against_growth
from spikenn_cy.experiments.store import clear_up
from spikenn_cy.experiments.store import is_beginning
from spikenn_cy.experiments.store import read_result
from spikenn_cy.experiments.store import result_of
from spikenn_cy.storage.descriptions import difference
from spikenn_cy.storage.descriptions import versions
from spikenn_cy.storage.kinds import BATCH
from spikenn_cy.storage.kinds import RECORD_FORMAT
from spikenn_cy.storage.kinds import BatchRecord
from spikenn_cy.storage.lock import NotWritable
from spikenn_cy.storage.output import OutputFolder
from spikenn_cy.storage.records import read_record
from spikenn_cy.utils.progress import Progress

# Seconds to wait for a folder: a worker ends within them once its command was killed, and releases its run's folder.
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
    input: str | os.PathLike[str]
    output: str | os.PathLike[str]
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

    def figure(self, key: str) -> Any:
        """Return a member of the result; None if the run is not complete."""
        return None if self.result is None else self.result.get(key)

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
    try:
        with OutputFolder.opened(batch.output, BATCH) as folder, _going_on_with(folder):
            look = _Look.at(batch, folder)
            for job in look.done:
                clear_up(job.output)
            refused = _refused(look.left)
            if look.is_new:
                folder.begin(look.record)
            elif look.grows and len(refused) < len(look.left):
                folder.write_record(look.record)
            with contextlib.closing(_outcomes(look.left, refused, n_proc, executor)) as outcomes:
                return _told(batch, folder, look, outcomes)
    except NotWritable:
        if _Look.at(batch, OutputFolder(batch.output, BATCH)).left:
            raise
        return []


class _Look(NamedTuple):
    """What is there of a batch, and what is left to do."""

    record: dict[str, Any]
    is_new: bool
    grows: bool  # whether it has more runs, or epochs, than what is there
    left: list[RunJob]
    done: list[RunJob]

    @classmethod
    def at(cls, batch: Batch, folder: OutputFolder) -> "_Look":
        """Look into the folder of a batch; raise `RunError` if it is that of anything else."""
        there = folder.recorded()
        data = _known_data(batch)
        record = _described(batch, data)
        left, done = [], []
        for run in batch.runs:
            job = _job(batch, run, data[run.input])
            result = result_of(job.output, job.described(run.config, job.files))
            if result is None:
                left.append(job)
            else:
                done.append(job)
        grows = there is not None and _is_part(there, record)
        if there is not None and not grows:
            _refuse_difference(folder, there, record, complete=not left)
        return cls(record, there is None, grows, left, done)


def data_of(batch: Batch) -> list[Path]:
    """Return the data files a batch reads.

    Raises
    ------
    DataError
        If a run has none.
    """
    folders = dict.fromkeys(run.input for run in batch.runs)
    return [path for folder in folders for path in data_files(Path(batch.input, folder)).values()]


def command_of(output: str | os.PathLike[str]) -> str | None:
    """Return the name of the runner whose output folder this is; None if it is none's."""
    record = BATCH.record_in(Path(output))
    return None if record is None else str(record["command"])


def run_states(output: str | os.PathLike[str], command: str) -> list[RunState]:
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
    try:
        manifest = read_record(output / BATCH.record, BatchRecord, rule)
    except FileNotFoundError:
        raise RunError(f"{output}: {rule}, got one without {BATCH.record}") from None
    if manifest["command"] != command:
        raise RunError(f"{output}: {rule}, got one of {shortened(manifest['command'])}")
    return [RunState.of(output, run["folder"], run["varied"]) for run in manifest["runs"]]


def _told(batch: Batch, folder: OutputFolder, look: _Look, outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Tell of runs as they end, and return those that failed."""
    n_done = len(look.done)
    with Progress(n_done + len(look.left), batch.command, unit="runs", done=n_done) as progress:
        ended = told(outcomes, progress, has_begun=lambda: folder.has_state)
        return [outcome for outcome in ended if outcome.error is not None]


@contextlib.contextmanager
def _going_on_with(folder: OutputFolder) -> Iterator[None]:
    """Say at Ctrl-C how it goes on, from the moment at which the record is there."""
    try:
        yield
    except KeyboardInterrupt:
        if folder.record is None:
            raise
        raise KeyboardInterrupt(f"; the same command goes on with {folder.path}") from None


def _outcomes(
    jobs: Sequence[RunJob], refused: Mapping[int, str], n_proc: int, executor: ExecutorFactory | None
) -> Generator[Outcome, None, None]:
    for position, error in refused.items():
        yield Outcome(jobs[position], error=error)
    going = [job for position, job in enumerate(jobs) if position not in refused]
    if going:  # else no cluster need be there
        yield from run_jobs(run_single, going, n_proc, executor)


def _refused(jobs: Sequence[RunJob]) -> dict[int, str]:
    """Return what can be seen to stand against jobs, by their positions, before any has begun."""
    refused = {}
    head = functools.cache(head_of)  # many runs have the same data
    for position, job in enumerate(jobs):
        try:
            foresee(job, head)
        except SpikennError as error:
            refused[position] = str(error)
    return refused


def _job(batch: Batch, run: Run, data: Mapping[str, DataFile]) -> RunJob:
    folders = Path(batch.output, run.folder), Path(batch.input, run.input)
    return RunJob(*folders, config=run.config, seed=run.seed, data=data, patience=PATIENCE)


def _known_data(batch: Batch) -> dict[str, dict[str, DataFile]]:
    """Return the data files of each input; each file is read for its fingerprint once, here and nowhere else."""
    folders = dict.fromkeys(run.input for run in batch.runs)
    return {
        folder: {name: file.known() for name, file in files_in(Path(batch.input, folder)).items()} for folder in folders
    }


def _described(batch: Batch, data: Mapping[str, Mapping[str, DataFile]]) -> dict[str, Any]:
    """Return the record of a batch."""
    return {
        "format": RECORD_FORMAT,
        "command": batch.command,
        "options": dict(batch.options),
        "config": batch.config,
        "data": {folder: {name: file.fingerprint for name, file in files.items()} for folder, files in data.items()},
        "runs": [
            {"folder": run.folder, "input": run.input, "seed": run.seed, "varied": run.varied} for run in batch.runs
        ],
        "versions": versions(),
    }


def _is_part(there: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    """Return whether all runs that are there are among those asked for, with the same data, and not all of them."""
    same = _of_the_runs(there, asked)
    if same is None:
        return False
    if not difference(there, same, ExperimentConfig, but=("runs",)):
        return len(there["runs"]) < len(asked["runs"])
    return is_beginning(there, same) and not against_growth(asked)


def _of_the_runs(there: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what is asked for as far as it is about the runs that are there; None if not all of them are asked for."""
    asked = json.loads(json.dumps(asked))
    found, wanted = there["runs"], asked["runs"]
    if not (found and all(run in wanted for run in found) and there["data"].keys() <= asked["data"].keys()):
        return None
    data = {folder: asked["data"][folder] for folder in there["data"]}
    return {**asked, "options": there["options"], "data": data}  # options say no more than the runs


def _refuse_difference(
    folder: OutputFolder, there: Mapping[str, Any], asked: Mapping[str, Any], complete: bool
) -> None:
    same_runs = there["runs"] == json.loads(json.dumps(asked["runs"]))
    same = _of_the_runs(there, asked)
    # What is complete needs no version to be looked up. More runs are no difference, so that others are told first.
    differing = difference(there, asked if same is None else same, ExperimentConfig, complete, but=("runs",))
    if same is not None and is_beginning(there, same) and (hindrance := against_growth(asked)):
        differing += f", and {hindrance}"
    if not differing and not same_runs:
        differing = "its runs in another order"
    if differing:
        folder.refuse(f"one with {differing}")
