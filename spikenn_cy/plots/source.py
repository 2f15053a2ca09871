"""What pictures are drawn from: a folder that a command has filled, and the data its run was trained on."""

import functools
import json
import os
import zipfile
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from spikenn_cy.data.classes import match_classes
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.data.folder import data_files
from spikenn_cy.demo import DIGITS
from spikenn_cy.demo import demo_datasets
from spikenn_cy.errors import DataError
from spikenn_cy.errors import RunError
from spikenn_cy.errors import shortened
from spikenn_cy.experiments import RUNNERS
from spikenn_cy.experiments.batch import MANIFEST
from spikenn_cy.experiments.store import ACCURACIES
from spikenn_cy.experiments.store import METRICS
from spikenn_cy.experiments.store import MODEL
from spikenn_cy.experiments.store import RECORD
from spikenn_cy.experiments.store import STATS
from spikenn_cy.network.history import History
from spikenn_cy.network.readout import Readout
from spikenn_cy.settings.strictjson import read_json
from spikenn_cy.storage.folder import fingerprint
from spikenn_cy.utils.validation import is_real

RUN = "run"
SETS = ("train", "val", "test")


class NotRecorded(RunError):
    """What a picture would show is not in the folder; its text says why, and what to do."""


@dataclass(frozen=True)
class Source:
    """A folder to draw from.

    Attributes
    ----------
    folder : Path
        That ``run``, ``kfold``, ``gridsearch`` or ``ablation`` has filled.
    input : path-like, optional
        Folder of the data that a run was given. The bundled digits need none.
    """

    folder: Path
    input: str | os.PathLike | None = None

    @functools.cached_property
    def kind(self) -> str:
        """Name of the command that filled the folder.

        Raises
        ------
        RunError
            If it was none of them.
        """
        rule = f"must be the folder of a {RUN} or the output folder of {', '.join(RUNNERS)}"
        if not self.folder.is_dir():
            raise RunError(f"{self.folder}: {rule}, got {'a file' if self.folder.exists() else 'no such folder'}")
        names = sorted(os.listdir(self.folder))
        if MANIFEST in names:
            manifest = read_json(self.folder / MANIFEST)
            found = manifest.get("command") if isinstance(manifest, dict) else None
            if isinstance(found, str) and found in RUNNERS:
                return found
        elif RECORD in names:
            _ = self.description  # other folders have a file of this name too
            return RUN
        elif any(name.isdecimal() and (self.folder / name / RECORD).exists() for name in names):
            return "kfold"  # or runs that were started one by one, which `score` takes too
        found = shortened(", ".join(names)) if names else "nothing"
        raise RunError(f"{self.folder}: {rule}, got one with {found}")

    @functools.cached_property
    def description(self) -> dict[str, Any]:
        """What the run's ``config.json`` holds."""
        path = self.folder / RECORD
        found = read_json(path)
        sections = ("config", "data", "versions")
        whole = isinstance(found, dict) and all(isinstance(found.get(section), dict) for section in sections)
        whole = whole and "seed" in found and all(isinstance(file, dict) for file in found["data"].values())
        if not whole:
            raise RunError(f"{path}: must describe a run, got something else")
        return found

    @functools.cached_property
    def model(self) -> Readout:
        """The trained network."""
        path = self.folder / MODEL
        if not path.exists():
            raise NotRecorded(f"no {MODEL}: the run is not complete")
        return Readout.load(path)

    @functools.cached_property
    def test(self) -> SpikingDataset:
        """The test set, its labels numbered as the network numbers them."""
        recorded = self.description["data"]
        if _digest(recorded, "train") == fingerprint(DIGITS)["sha256"] and self.input is None:
            return demo_datasets()[SETS.index("test")]
        if "test" not in recorded:
            raise NotRecorded("no test set: the run had none")
        if self.input is None:
            raise NotRecorded("no data: say with --input where the run's are")
        files = data_files(self.input)
        if "test" not in files:
            raise DataError(f"{self.input}: must hold the testset of the run, got none")
        if fingerprint(files["test"])["sha256"] != _digest(recorded, "test"):
            raise DataError(f"{files['test']}: must be the testset of the run in {self.folder}, got another one")
        return match_classes(SpikingDataset.from_file(files["test"]), SpikingDataset.from_file(files["train"]))


def epochs_of(run: str | os.PathLike | History) -> list[dict[str, Any]]:
    """Return the accuracies of each epoch of a run, complete or not, as ``metrics.jsonl`` has them.

    Parameters
    ----------
    run : path-like or History
        A run's folder, or what `Readout.fit` returned.

    Raises
    ------
    NotRecorded
        If no epoch has ended.
    RunError
        If the file holds anything else.
    """
    if isinstance(run, History):
        epochs = [{"epoch": report.epoch} | {key: getattr(report, key) for key in ACCURACIES} for report in run.epochs]
        if not epochs:
            raise NotRecorded("no epochs: nothing has been trained")
        return epochs
    path, epochs = Path(run, METRICS), []
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        try:
            record = json.loads(line)
            whole = type(record["epoch"]) is int and all(_is_accuracy(record[key]) for key in ACCURACIES)
        except (ValueError, KeyError, TypeError):
            whole = False
        if not whole:
            if not line.endswith("\n"):  # being written at this moment
                break
            raise RunError(f"{path}: line {number}: must be the record of an epoch, got {shortened(line)!r}")
        epochs.append(record)
    if not epochs:
        raise NotRecorded(f"no epochs: {METRICS} is {'empty' if path.exists() else 'not there'}")
    return epochs


def each_epoch(run: str | os.PathLike, *keys: str) -> Iterator[Sequence[np.ndarray]]:
    """Yield the arrays of ``keys`` in a run's statistics, one epoch at a time, so that memory holds them.

    Raises
    ------
    NotRecorded
        If the run kept no statistics.
    RunError
        If the file is damaged.
    """
    path = Path(run, STATS)
    if not path.exists():
        raise NotRecorded(f"no {STATS}: run with --save_stats")
    try:
        with zipfile.ZipFile(path) as archive:
            missing = [key for key in keys if f"{key}.npy" not in archive.namelist()]
            if missing:
                raise NotRecorded(f"no {', '.join(missing)} in {STATS}: run again with --save_stats and --overwrite")
            members = [archive.open(f"{key}.npy") for key in keys]
            headers = []
            for member in members:
                if npy.read_magic(member) != (1, 0):
                    raise ValueError("an array of another format")
                headers.append(npy.read_array_header_1_0(member))
            for _ in range(headers[0][0][0]):
                yield [
                    np.frombuffer(member.read(int(np.prod(shape[1:])) * dtype.itemsize), dtype).reshape(shape[1:])
                    for member, (shape, _, dtype) in zip(members, headers, strict=True)
                ]
    except (OSError, ValueError, IndexError, zipfile.BadZipFile) as problem:
        raise RunError(f"{path}: must hold the statistics of a run, got {shortened(str(problem))}") from problem


def _is_accuracy(value: Any) -> bool:
    return value is None or (is_real(value) and 0 <= value <= 1)


def _digest(recorded: dict[str, Any], name: str) -> Any:
    return recorded.get(name, {}).get("sha256")
