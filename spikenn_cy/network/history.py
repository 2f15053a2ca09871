"""What a training ended with, epoch by epoch, and the reasons for which one ends before its last epoch."""

import dataclasses
from collections.abc import Sequence
from typing import Any
from typing import overload

from spikenn_cy.config import TrainerConfig
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.utils.tables import as_html
from spikenn_cy.utils.tables import as_text

ACCURACIES = ("train_accuracy", "val_accuracy", "test_accuracy")
SHOWN = 10  # epochs, the best one not counted


@dataclasses.dataclass(frozen=True)
class EpochReport:
    """What one epoch ended with.

    Attributes
    ----------
    epoch : int
        Number of the epoch in the model's life, from 0.
    train_accuracy : float
        Share of right votes during the epoch, while the weights moved.
    val_accuracy, test_accuracy : float or None
        Share of right votes after the epoch; None without such a data set.
    seconds : float
        Duration, the measuring of accuracies included.
    stopped : {None, "early_stopping", "gridsearch_stop_acc"}
        Why training ends here, if it does before its last epoch.
    """

    epoch: int
    train_accuracy: float
    val_accuracy: float | None = None
    test_accuracy: float | None = None
    seconds: float = 0.0
    stopped: str | None = None


@dataclasses.dataclass(frozen=True, repr=False)
class History(Sequence[EpochReport]):
    """What a training ended with, epoch by epoch; a sequence of `EpochReport`, of which a slice is a History.

    Attributes
    ----------
    epochs : list of EpochReport
    """

    epochs: list[EpochReport]

    def __len__(self) -> int:
        return len(self.epochs)

    @overload
    def __getitem__(self, position: int) -> EpochReport: ...

    @overload
    def __getitem__(self, position: slice) -> "History": ...

    def __getitem__(self, position: int | slice) -> "EpochReport | History":
        return History(self.epochs[position]) if isinstance(position, slice) else self.epochs[position]

    def __repr__(self) -> str:
        return f"{self._caption}\n{as_text(self._rows(SHOWN))}" if self.epochs else f"<{self._caption}>"

    def _repr_html_(self) -> str:
        return as_html(self._caption, self._rows(len(self.epochs)))

    @property
    def _caption(self) -> str:
        n = len(self.epochs)
        text = f"History of {n} epoch{'' if n == 1 else 's'}"
        return text if self.stopped == "epochs" else f"{text}, {self.stopped}"

    def _rows(self, n_shown: int) -> list[list[str]]:
        """Return a head and the first and last epochs, with the best one marked and never left out."""
        best = self.best() if self.epochs else None
        names = [name for name in ACCURACIES if any(getattr(report, name) is not None for report in self.epochs)]
        rows = [["epoch", *(f"{name.partition('_')[0]} %" for name in names), ""]]
        left_out = False
        for number, report in enumerate(self.epochs):
            if report is not best and n_shown // 2 <= number < len(self.epochs) - (n_shown - n_shown // 2):
                left_out = True
                continue
            if left_out:
                rows.append(["...", *("" for _ in names), ""])
            left_out = False
            shares = [getattr(report, name) for name in names]
            cells = ["-" if share is None else f"{100 * share:.2f}" for share in shares]
            rows.append([str(report.epoch), *cells, "best" if report is best else ""])
        if left_out:
            rows.append(["...", *("" for _ in names), ""])
        return rows

    def to_dict(self) -> dict[str, list[Any]]:
        """Return columns by the names of the members of `EpochReport`, as a table of pandas takes them."""
        names = [field.name for field in dataclasses.fields(EpochReport)]
        return {name: [getattr(report, name) for report in self.epochs] for name in names}

    @property
    def train_accuracy(self) -> list[float]:
        """Training accuracy of each epoch."""
        return [report.train_accuracy for report in self.epochs]

    @property
    def val_accuracy(self) -> list[float | None]:
        """Validation accuracy after each epoch."""
        return [report.val_accuracy for report in self.epochs]

    @property
    def test_accuracy(self) -> list[float | None]:
        """Test accuracy after each epoch."""
        return [report.test_accuracy for report in self.epochs]

    def best(self) -> EpochReport:
        """Return the first epoch with the best validation accuracy, or training accuracy without validation.

        Raises
        ------
        DataError
            If there is no epoch.
        """
        require(len(self.epochs) > 0, "history", "must hold an epoch to have a best one", 0, DataError)
        found = best_of(self.epochs)
        return max(self.epochs, key=lambda report: report.train_accuracy) if found is None else found

    @property
    def stopped(self) -> str:
        """``"epochs"`` if all were trained, else the reason for which training ended before."""
        return (self.epochs and self.epochs[-1].stopped) or "epochs"


def best_of(reports: Sequence[EpochReport]) -> EpochReport | None:
    """Return the first of the epochs with the best validation accuracy, or None if none has one."""
    measured = [report for report in reports if report.val_accuracy is not None]
    return max(measured, key=lambda report: report.val_accuracy or 0.0) if measured else None


def so_far(reports: Sequence[EpochReport]) -> str:
    """Return in a few words how a training stands: its last and its best accuracy, "" before the first epoch's end."""
    if not reports:
        return ""
    best = best_of(reports)
    if best is None:
        return f"train {100 * reports[-1].train_accuracy:.1f} %"
    last = reports[-1].val_accuracy or 0.0
    return f"val {100 * last:.1f} % (best {100 * (best.val_accuracy or 0.0):.1f})"


def reason_to_stop(reports: Sequence[EpochReport], trainer: TrainerConfig) -> str | None:
    """Return why training ends after the last of ``reports``, or None.

    Parameters
    ----------
    reports : sequence of EpochReport
        All epochs of this training.
    trainer : TrainerConfig
        ``early_stopping`` epochs without a new best validation accuracy end a training;
        so does, after epoch 2, an accuracy below ``gridsearch_stop_acc``.
    """
    last = reports[-1]
    measured = [a for a in (last.train_accuracy, last.val_accuracy) if a is not None]
    if last.epoch > 2 and min(measured) < trainer.gridsearch_stop_acc:
        return "gridsearch_stop_acc"
    if trainer.early_stopping and last.val_accuracy is not None:
        best, waited = 0.0, 0
        for report in reports:
            if report.val_accuracy is not None and report.val_accuracy > best:
                best, waited = report.val_accuracy, 0
            else:
                waited += 1
        if waited >= trainer.early_stopping:
            return "early_stopping"
    return None
