"""The columns of a table as numbers and as words, each by what all of its cells are."""

import re
import warnings
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from spikenn_cy.data.tables import MISSING
from spikenn_cy.data.tables import Layout
from spikenn_cy.data.tables import Row
from spikenn_cy.data.tables import rows_of
from spikenn_cy.errors import DataError
from spikenn_cy.errors import DataWarning
from spikenn_cy.errors import require

BLOCK = 4096  # rows whose columns are looked at together
MOST_WORDS = 50  # that a column which is no number may have: more are names or remarks, not categories
MOST_CLASSES = 10_000
THOUSANDS = re.compile(r"[-+]?[0-9]{1,3}(,[0-9]{3})+")


@dataclass
class Words:
    """A column of words, each by its number in ``known``; -1 is a missing one.

    ``odd`` is the line and the text of the first cell that is no number, where most of them are.
    """

    known: list[str] = field(default_factory=list)
    numbers: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    odd: tuple[int, str] | None = None


@dataclass
class Columns:
    """The cells of a table.

    Attributes
    ----------
    numbers : dict of ndarray of float64, shape (n_rows,)
        By the names of columns; NaN is a missing value.
    words : dict of Words
    lines : ndarray of int64, shape (n_rows,)
        Of the file, from 1.
    """

    numbers: dict[str, npt.NDArray[np.float64]]
    words: dict[str, Words]
    lines: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.lines)


class _Column:
    """What is known of a column from the rows that were read."""

    def __init__(self, is_number: bool | None, delimiter: str) -> None:
        self.is_number = is_number  # None: not decided by the user, so by the cells
        self.point = is_number is not False
        self.comma = is_number is not False
        self.thousands = delimiter == ","  # between figures in quotes; elsewhere a comma is a decimal one
        self.blocks: list[npt.NDArray[np.float64]] = []
        self.comma_blocks: list[npt.NDArray[np.float64]] = []
        self.number_of: dict[str, int] = {}
        self.word_blocks: list[npt.NDArray[np.int32]] = []
        self.first_word: tuple[int, str] | None = None

    def add(self, cells: Sequence[str], most_words: int) -> None:
        """Take the cells of some more rows."""
        found = as_numbers(cells) if self.point else None
        self.point = found is not None
        if found is not None:
            self.blocks.append(found)
        self._add_with_commas(cells, found)
        if self.is_number or len(self.number_of) > most_words:
            return
        number_of = self.number_of
        numbers = [-1 if cell.lower() in MISSING else number_of.setdefault(cell, len(number_of)) for cell in cells]
        self.word_blocks.append(np.array(numbers, np.int32))

    def _add_with_commas(self, cells: Sequence[str], found: npt.NDArray[np.float64] | None) -> None:
        """Take the cells of some more rows for numbers with decimal commas; ``found`` are those without any comma."""
        if not self.comma:
            return
        if any("." in cell for cell in cells):  # points and commas in one column are refused
            self.comma = False
            return
        if found is None:
            with_comma = [cell for cell in cells if "," in cell]
            self.thousands = self.thousands and all(map(THOUSANDS.fullmatch, with_comma))
            found = as_numbers([cell.replace(",", ".") for cell in cells])
        self.comma = found is not None
        if found is not None:
            self.comma_blocks.append(found)

    @property
    def is_neither(self) -> bool:
        """Whether the cells are no numbers, with points or with commas."""
        return not self.point and not self.comma

    @property
    def values(self) -> npt.NDArray[np.float64] | None:
        """The numbers, if all cells are such."""
        if self.point:
            return np.concatenate(self.blocks) if self.blocks else None
        return np.concatenate(self.comma_blocks) if self.comma and not self.thousands else None


def as_numbers(cells: Sequence[str]) -> npt.NDArray[np.float64] | None:
    """Return cells as numbers, NaN where one is missing, or None if one is no number."""
    for attempt in (cells, ["nan" if cell.lower() in MISSING else cell for cell in cells]):
        try:
            return np.array(attempt, dtype=np.float64)
        except ValueError:
            continue
    return None


def read_columns(
    path: Path, layout: Layout, kinds: Mapping[str, bool | None], only_words: Iterable[str] = ()
) -> Columns:
    """Read columns of a table in one pass.

    Parameters
    ----------
    path : Path
    layout : Layout
        As `layout_of` found it.
    kinds : mapping of bool or None
        By the names of the columns to be read: whether it must hold numbers (True) or words (False), or
        is to be told by its cells.
    only_words : iterable of str
        Columns of words of which there may be many, such as labels.

    Returns
    -------
    Columns

    Raises
    ------
    DataError
        If there is no row, or a column is neither of numbers nor of few words, or a number is infinite.
    """
    chosen = [(name, position) for position, name in enumerate(layout.names) if name in kinds]
    found = {name: _Column(kinds[name], layout.delimiter) for name, _ in chosen}
    many = {*only_words}
    lines: list[int] = []
    for block in _blocks(rows_of(path, layout)):
        lines += [number for number, _ in block]
        cells = list(zip(*(cells for _, cells in block), strict=True))
        for name, position in chosen:
            column = found[name]
            column.add(cells[position], MOST_CLASSES if name in many else MOST_WORDS)
            if column.is_neither and column.first_word is None:
                column.first_word = _first_word(block, position)
            if column.is_number and column.is_neither:
                _refuse_cell(path, name, column.first_word)
    require(bool(lines), path, "must have rows", "none", DataError)
    columns = Columns({}, {}, np.array(lines, np.int64))
    for name, column in found.items():
        values = None if column.is_number is False else column.values
        if values is None and column.is_number:
            rule = "must hold numbers without commas between thousands"
            require(False, f"{path}: column {name}", rule, "commas", DataError)
        if values is None:
            most = MOST_CLASSES if name in many else MOST_WORDS
            columns.words[name] = _words(column, most, path, name)
            continue
        wrong = np.isinf(values)
        if wrong.any():
            place = f"{path}: line {lines[int(wrong.argmax())]}, column {name}"
            require(False, place, "must be finite", float(values[wrong][0]), DataError)
        columns.numbers[name] = values
    return columns


def _blocks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while block := list(islice(rows, BLOCK)):
        yield block


def _words(column: _Column, most: int, path: Path, name: str) -> Words:
    known, place = list(column.number_of), f"{path}: column {name}"
    n_numbers = sum(as_numbers([word.replace(",", ".")]) is not None for word in known)
    odd = column.first_word if column.is_number is None and 2 * n_numbers > len(known) else None
    if len(known) > most:
        rule = f"must hold numbers, or at most {most} different words (--leave_out leaves a column out)"
        if odd is None:
            raise DataError(f"{place}: {rule}, got more, such as {', '.join(known[:3])[:80]}")
        rule = "must be a number, as most of its column are (--leave_out leaves a column out)"
        require(False, f"{path}: line {odd[0]}, column {name}", rule, odd[1], DataError)
    if column.comma and column.thousands and not column.point and known:
        rule = "must hold numbers without commas between thousands"
        require(False, place, rule, known[0], DataError)
    return Words(known, np.concatenate(column.word_blocks), odd)


def _first_word(block: Sequence[Row], position: int) -> tuple[int, str] | None:
    """Return the line and the text of the first cell of a column that is no number, with a point or with a comma."""
    for number, cells in block:
        cell = cells[position]
        if as_numbers([cell]) is None and as_numbers([cell.replace(",", ".")]) is None:
            return number, cell
    return None


def _refuse_cell(path: Path, name: str, word: tuple[int, str] | None) -> None:
    if word is not None:
        require(False, f"{path}: line {word[0]}, column {name}", "must be a number", word[1], DataError)
    require(False, f"{path}: column {name}", "must hold numbers", "points and commas in them", DataError)


def row_counters(columns: Columns) -> list[str]:
    """Return the columns that count the rows, 0, 1, 2 … or 1, 2, 3 …, which say nothing of a sample but its place."""
    n_rows = len(columns)
    counted = np.arange(n_rows)
    return [
        name
        for name, values in columns.numbers.items()
        if n_rows > 2 and values[0] in (0, 1) and np.array_equal(values - values[0], counted)
    ]


def warn_of(path: Path, text: str) -> None:
    """Warn of what a table holds."""
    warnings.warn(DataWarning(f"{path}: {text}"), stacklevel=3)
