"""What many runs came to, as objects to compute with: without them a caller in Python would have to read folders."""

import os
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any

import numpy as np

from spikenn_cy.config import ExperimentConfig
from spikenn_cy.errors import RunError
from spikenn_cy.experiments.batch import Batch
from spikenn_cy.experiments.batch import Run
from spikenn_cy.experiments.store import RunFolder
from spikenn_cy.experiments.store import read_result
from spikenn_cy.experiments.tables import SET_NAMES
from spikenn_cy.experiments.tables import Summary
from spikenn_cy.network.history import History


@dataclass(frozen=True)
class RunResult:
    """One of many runs.

    Attributes
    ----------
    folder : str
        Below the output.
    settings : dict
        Those in which the runs differ, by JSON path.
    config : ExperimentConfig
        All settings.
    seed : int
    history : History
        Epoch by epoch; the durations are not kept.
    train_accuracy, val_accuracy, test_accuracy : float or None
        After the last epoch; None without such data.
    """

    folder: str
    settings: dict[str, Any]
    config: ExperimentConfig = field(repr=False)
    seed: int
    history: History = field(repr=False)
    train_accuracy: float | None
    val_accuracy: float | None
    test_accuracy: float | None

    @classmethod
    def read(cls, output: str | os.PathLike[str], run: Run) -> "RunResult | None":
        """Return what a run of a batch has left in its folder below ``output``; None if it is not complete."""
        folder = Path(output, run.folder)
        result = read_result(folder)
        if result is None:
            return None
        reports = RunFolder(folder).reports
        accuracies = {key: result[key] for key in SET_NAMES}
        return cls(run.folder, dict(run.varied), run.config, run.seed, History(reports), **accuracies)


@dataclass(frozen=True, repr=False)
class KFoldResult:
    """What a K-fold cross-validation came to; printed, a table.

    Attributes
    ----------
    runs : list of RunResult or None
        By fold; None where a fold failed.
    failed : dict of str
        Why folds failed, by their numbers.
    summary : Summary
        The same as the command ``score`` tells: ``summary.text("csv")``, ``summary.record``.
    """

    runs: list[RunResult | None]
    failed: dict[int, str]
    summary: Summary

    @classmethod
    def read(cls, batch: Batch, failed: dict[int, str], summary: Summary) -> "KFoldResult":
        """Return what a batch of folds has left."""
        return cls([RunResult.read(batch.output, run) for run in batch.runs], failed, summary)

    @property
    def histories(self) -> list[History | None]:
        """Epochs of each fold; None where a fold failed."""
        return [None if run is None else run.history for run in self.runs]

    @property
    def accuracies(self) -> dict[str, np.ndarray]:
        """Accuracies of each fold after its last epoch, by ``"train"``, ``"val"`` and ``"test"``; NaN where is none."""
        return {
            key.removesuffix("_accuracy"): np.array([getattr(run, key, None) for run in self.runs], dtype=float)
            for key in SET_NAMES
        }

    @property
    def measured_on(self) -> str:
        """Whose accuracy `mean` and `std` are of: ``"test"``, without such data ``"val"``, else ``"train"``."""
        there = [key for key in reversed(SET_NAMES) if self.summary.record[key] is not None]
        return (there or ["train_accuracy"])[0].removesuffix("_accuracy")

    @property
    def mean(self) -> float:
        """Mean accuracy over the folds; NaN if there is none."""
        return self._figure("mean")

    @property
    def std(self) -> float:
        """Population standard deviation of the accuracy over the folds; NaN if there is none."""
        return self._figure("std")

    def _figure(self, name: str) -> float:
        figures = self.summary.record[f"{self.measured_on}_accuracy"]
        return float("nan") if figures is None else float(figures[name])

    def __repr__(self) -> str:
        return self.summary.text()


@dataclass(frozen=True, repr=False)
class GridResult:
    """What a grid search came to; printed, a table of the best runs.

    Attributes
    ----------
    runs : list of RunResult
        Those that are complete, the best one first.
    failed : dict of str
        Why others failed, by their folders.
    ranked_by : {"val_accuracy", "train_accuracy"}
    summary : Summary
        The same as the command ``best`` tells.
    """

    runs: list[RunResult]
    failed: dict[str, str]
    ranked_by: str
    summary: Summary

    @property
    def best(self) -> RunResult:
        """The best run, whose ``config`` goes into other calls.

        Raises
        ------
        RunError
            If no run is complete.
        """
        if not self.runs:
            raise RunError("grid search: must have a complete run, got none")
        return self.runs[0]

    def __repr__(self) -> str:
        return self.summary.text()
