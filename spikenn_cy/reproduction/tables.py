"""The tables that can be made again, each a file of what was published where, and of what it takes: `TABLES`.

To add one: write its JSON file beside this one, as `Table` has it, its settings into ``settings.json``, and give it a
row in `TABLES`. Nothing else changes.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from spikenn_cy.config import ExperimentConfig
from spikenn_cy.errors import RunError
from spikenn_cy.errors import did_you_mean

HERE = Path(__file__).parent
TABLES = ("table1", "ablation", "digits")


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Features of a data set, which all methods learn from, and about how large they are."""

    extractor: str
    dataset: str
    n_images: int  # for training, validation and test
    n_bytes: int  # of an image
    n_features: int
    n_spikes: int  # of an image, the largest mean of a fold or more


class Published(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a cell of the table was published with, as shares; a deviation may not have been stated."""

    extractor: str
    dataset: str
    method: str
    mean: float
    std: float | None


class Note(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What must be known of a cell to read it."""

    extractor: str
    dataset: str
    method: str
    text: str


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table as it was published: methods in rows, features of data sets in columns."""

    title: str
    source: str
    n_folds: int
    methods: dict[str, str]  # their titles by the names of their settings
    columns: list[Column]
    published: list[Published]
    notes: list[Note]


@dataclass(frozen=True)
class Cell:
    """One method on one data set's features.

    Attributes
    ----------
    column : Column
    method : str
        Name of the settings.
    title : str
        Of the method.
    published : Published or None
        None: its figures are not at hand.
    notes : tuple of str
    """

    column: Column
    method: str
    title: str
    published: Published | None = None
    notes: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What tells the cell from others, and the folder of its runs."""
        return f"{self.column.extractor}/{self.column.dataset}/{self.method}"

    @property
    def config(self) -> ExperimentConfig:
        """The published settings."""
        return ExperimentConfig.from_any(settings()[self.column.extractor][self.column.dataset][self.method])


def read_table(name: str) -> Table:
    """Return a table of `TABLES`."""
    return msgspec.json.decode((HERE / f"{name}.json").read_bytes(), type=Table)


@functools.cache
def settings() -> dict[str, dict[str, dict[str, Any]]]:
    """Return the settings of all cells by extractor, data set and method."""
    return msgspec.json.decode((HERE / "settings.json").read_bytes(), type=dict[str, dict[str, dict[str, Any]]])


def cells_of(table: Table) -> list[Cell]:
    """Return the cells of a table for which there are settings, column by column."""
    published = {(found.extractor, found.dataset, found.method): found for found in table.published}
    cells = []
    for column in table.columns:
        place = column.extractor, column.dataset
        for method, title in table.methods.items():
            if method in settings()[column.extractor][column.dataset]:
                notes = tuple(
                    note.text for note in table.notes if (note.extractor, note.dataset, note.method) == (*place, method)
                )
                cells.append(Cell(column, method, title, published.get((*place, method)), notes))
    return cells


def chosen(
    table: Table, extractors: Sequence[str] = (), datasets: Sequence[str] = (), methods: Sequence[str] = ()
) -> list[Cell]:
    """Return the cells of a table in which all that is named comes together; nothing named means all.

    Raises
    ------
    RunError
        If a name is not in the table, or no cell is left.
    """
    cells = cells_of(table)
    asked = {
        "extractor": (extractors, {cell.column.extractor: None for cell in cells}),
        "dataset": (datasets, {cell.column.dataset: None for cell in cells}),
        "rule": (methods, {cell.method: None for cell in cells}),
    }
    for option, (names, known) in asked.items():
        for name in names:
            if name not in known:
                hint = did_you_mean(name, known)
                raise RunError(f"--{option}: must be one of {', '.join(known)}, got {name!r}{hint}")
    found = [
        cell
        for cell in cells
        if (not extractors or cell.column.extractor in extractors)
        and (not datasets or cell.column.dataset in datasets)
        and (not methods or cell.method in methods)
    ]
    if not found:
        raise RunError("--extractor, --dataset and --rule: must leave a cell of the table, got none")
    return found
