"""What pictures are drawn from: a folder that a command has filled, and the data its run was trained on."""

import functools
import os
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spikenn_cy.data.classes import match_classes
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.data.folder import data_files
from spikenn_cy.demo import DIGITS
from spikenn_cy.demo import demo_datasets
from spikenn_cy.errors import DataError
from spikenn_cy.errors import RunError
from spikenn_cy.errors import did_you_mean
from spikenn_cy.errors import shortened
from spikenn_cy.experiments import RUNNERS
from spikenn_cy.experiments.store import ACCURACIES
from spikenn_cy.experiments.store import read_epochs
from spikenn_cy.network.history import History
from spikenn_cy.network.readout import Readout
from spikenn_cy.plots.canvas import label_text
from spikenn_cy.rules import RULES
from spikenn_cy.storage.arrays import open_arrays
from spikenn_cy.storage.arrays import refusing
from spikenn_cy.storage.folder import fingerprint
from spikenn_cy.storage.kinds import BATCH
from spikenn_cy.storage.kinds import METRICS
from spikenn_cy.storage.kinds import MODEL
from spikenn_cy.storage.kinds import RUN
from spikenn_cy.storage.kinds import STATS
from spikenn_cy.storage.kinds import class_names_in
from spikenn_cy.storage.records import read_record

PARTS = ("train", "val", "test")


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
    label : str, optional
        Name of the class of which pictures of one class are; the first one by default.
    sample : int
        Number of the test sample of which pictures of one sample are.
    """

    folder: Path
    input: str | os.PathLike[str] | None = None
    label: str | None = None
    sample: int = 0

    @functools.cached_property
    def kind(self) -> str:
        """What the folder is of: a key of ``PICTURES``.

        Raises
        ------
        RunError
            If it was none of them.
        """
        rule = f"must be the folder of a run or the output folder of {', '.join(RUNNERS)}"
        if not self.folder.is_dir():
            raise RunError(f"{self.folder}: {rule}, got {'a file' if self.folder.exists() else 'no such folder'}")
        names = sorted(os.listdir(self.folder))
        if BATCH.record in names:
            manifest = BATCH.record_in(self.folder)
            if manifest is not None and manifest["command"] in RUNNERS:
                command: str = manifest["command"]
                return command
        elif RUN.record in names:
            return "network" if self.learns_in_every_layer else "run"
        elif any(name.isdecimal() and (self.folder / name / RUN.record).exists() for name in names):
            return "kfold"  # `score` too takes runs that were started one by one
        found = shortened(", ".join(names)) if names else "nothing"
        raise RunError(f"{self.folder}: {rule}, got one with {found}")

    @functools.cached_property
    def description(self) -> dict[str, Any]:
        """What the run's ``config.json`` holds."""
        return read_record(self.folder / RUN.record, RUN.shape, "must describe a run")

    @property
    def learns_in_every_layer(self) -> bool:
        """Whether the run's rule trains every layer, as far as its record tells."""
        optimizer = self.description["config"].get("optimizer")
        method = optimizer.get("method") if isinstance(optimizer, dict) else None
        rule = RULES.get(method) if isinstance(method, str) else None
        return rule is not None and rule.every_layer

    @property
    def is_of_run(self) -> bool:
        """Whether the folder is of one run."""
        return self.kind in ("run", "network")

    @functools.cached_property
    def model(self) -> Readout:
        """The trained network."""
        path = self.folder / MODEL
        if not path.exists():
            raise NotRecorded(f"no {MODEL}: the run is not complete")
        return Readout.load(path)

    @property
    def trained(self) -> Readout:
        """The network, which has weights to decide by."""
        if not all(layer.assigned for layer in self.model.layers):
            raise NotRecorded("no weights: nothing has been trained")
        return self.model

    @property
    def class_number(self) -> int:
        """The number of the class that was chosen by its name.

        Raises
        ------
        RunError
            If the network has no such class.
        """
        names = [label_text(name) for name in self.model.classes.tolist()]
        if self.label is not None and self.label not in names:
            close = did_you_mean(self.label, names)
            raise RunError(f"label: must be a class of the run, such as {names[0]}, got {shortened(self.label)}{close}")
        return 0 if self.label is None else names.index(self.label)

    @property
    def class_names(self) -> Sequence[str]:
        """What a published data set calls the classes 0, 1 …; nothing if the data are of another origin."""
        return () if self.input is None else class_names_in(Path(self.input))

    @functools.cached_property
    def test(self) -> SpikingDataset:
        """The test set, its labels numbered as the network numbers them."""
        recorded = self.description["data"]
        if _digest(recorded, "train") == fingerprint(DIGITS)["sha256"] and self.input is None:
            return demo_datasets()[PARTS.index("test")]
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


def model_given(model: object) -> Readout:
    """Return a network that a caller gave.

    Raises
    ------
    DataError
        If it is anything else.
    """
    if isinstance(model, Readout):
        return model
    hint = " (its readout_ is one)" if isinstance(getattr(model, "readout_", None), Readout) else ""
    raise DataError(f"model: must be a Readout, got {type(model).__name__}{hint}")


def dataset_given(dataset: object) -> SpikingDataset:
    """Return a data set that a caller gave.

    Raises
    ------
    DataError
        If it is anything else.
    """
    if isinstance(dataset, SpikingDataset):
        return dataset
    hint = "SpikingDataset.from_numpy makes one of spike times"
    raise DataError(f"dataset: must be a SpikingDataset, got {type(dataset).__name__} ({hint})")


def folder_given(folder: object, name: str = "run") -> Path:
    """Return a folder that a caller gave by its path.

    Raises
    ------
    RunError
        If it is no path.
    """
    if isinstance(folder, str | os.PathLike):
        return Path(os.fspath(folder))
    raise RunError(f"{name}: must be the path of a folder, got {type(folder).__name__}")


def epochs_of(run: str | os.PathLike[str] | History) -> list[dict[str, Any]]:
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
    if not isinstance(run, str | os.PathLike):
        raise RunError(f"run: must be a History or the path of a folder, got {type(run).__name__}")
    epochs = list(read_epochs(Path(run)))
    if not epochs:
        raise NotRecorded(f"no epochs: {METRICS} is {'empty' if Path(run, METRICS).exists() else 'not there'}")
    return epochs


def each_epoch(run: str | os.PathLike[str], *keys: str) -> Iterator[Sequence[np.ndarray]]:
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
    rule = "must hold the statistics of a run"
    with open_arrays(path, rule, RunError) as arrays:
        missing = [key for key in keys if key not in arrays]
        if missing:
            raise NotRecorded(f"no {', '.join(missing)} in {STATS}: run again with --save_stats and --overwrite")
        with refusing(path, rule, RunError):
            yield from zip(*map(arrays.rows, keys), strict=True)


def _digest(recorded: dict[str, Any], name: str) -> Any:
    return recorded.get(name, {}).get("sha256")
