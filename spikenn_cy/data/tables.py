"""Tables of text (CSV, TSV) row by row, whatever their delimiter, quoting and first line, so that own data reach us."""

import csv
import gzip
import io
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO

from spikenn_cy.data.images import GZIP
from spikenn_cy.data.reading import NUMPY
from spikenn_cy.data.reading import ZIP
from spikenn_cy.data.reading import opened
from spikenn_cy.errors import DataError
from spikenn_cy.errors import DataWarning
from spikenn_cy.errors import did_you_mean
from spikenn_cy.errors import require
from spikenn_cy.errors import shown

DELIMITERS = ("\t", ";", "|", ",", " ")
SCALINGS = ("range", "sample", "none")  # of the numbers of a table, in the command that makes spikes of them
SAMPLE = 50  # rows by which delimiter and header are told
MISSING = {"", "na", "n/a", "#n/a", "nan", "null", "none", "?", "-"}
NUMBER = re.compile(r"\s*[-+]?([0-9]+[.,]?[0-9]*|[.,][0-9]+)([eE][-+]?[0-9]+)?\s*")
POSITION = re.compile(r"-?[0-9]{1,6}")

Row = tuple[int, list[str]]  # number of the line in the file, from 1, and cells


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table lies in its file.

    Attributes
    ----------
    delimiter : str
    has_header : bool
        Whether the first row holds the names of the columns.
    names : tuple of str
        Of the columns; their positions, from 0, if there is no header.
    """

    delimiter: str
    has_header: bool
    names: tuple[str, ...]

    def position(self, column: str, place: str) -> int:
        """Return where a column is that a user names, by its name or by its position, from 0, from the end if negative.

        Raises
        ------
        DataError
            If there is none, with the columns that there are.
        """
        if column in self.names:
            return self.names.index(column)
        if POSITION.fullmatch(column) and -len(self.names) <= int(column) < len(self.names):
            return int(column) % len(self.names)
        known = ", ".join(self.names) if self.has_header else f"0 to {len(self.names) - 1}, since there is no header"
        rule = f"must name a column ({known if len(known) <= 200 else known[:197] + '...'})"
        raise DataError(f"{place}: {rule}, got {shown(column)}{did_you_mean(column, self.names)}")


@contextmanager
def opened_text(path: Path) -> Iterator[TextIO]:
    """Open a table as text, gzipped or not, with or without a byte order mark; what goes wrong is a `DataError`."""
    with opened(path, "table") as file:
        begin = file.peek(6)[:6]
        for magic, what in ((NUMPY, "an array in NumPy's .npy format"), (ZIP, "an .npz archive or a workbook")):
            require(not begin.startswith(magic), path, "must be a table of text, CSV or TSV", what, DataError)
        binary = gzip.open(file) if begin.startswith(GZIP) else file  # noqa: SIM115 # the file below it is closed
        wide = begin.startswith((b"\xff\xfe", b"\xfe\xff"))
        text = io.TextIOWrapper(binary, encoding="utf-16" if wide else "utf-8-sig", newline="")
        try:
            yield text
        except csv.Error as problem:  # such as a cell beyond all bounds
            raise DataError(f"{path}: must be a sound table, got {problem}") from None
        except UnicodeDecodeError as problem:
            found = f"byte {problem.object[problem.start]:#04x}"
            raise DataError(f"{path}: must be text in UTF-8 (spreadsheets can save so), got {found}") from None
        finally:
            text.detach()


def layout_of(path: Path, label: str | None = None) -> Layout:
    """Find out how a table lies in its file.

    Parameters
    ----------
    path : Path
    label : str, optional
        A name that a user gave: if it stands in the first row, that row is the header.

    Raises
    ------
    DataError
        If it is no text, is empty, or has rows of several lengths or one column only.
    """
    with opened_text(path) as file:
        lines = list(islice(file, 4 * SAMPLE))
    require(any(line.strip() for line in lines), path, "must be a table", "an empty file", DataError)
    counts = {}
    for delimiter in DELIMITERS:
        with suppress(csv.Error):  # a long line without this delimiter is a cell beyond all bounds
            rows = list(_filled(csv.reader(lines, delimiter=delimiter, skipinitialspace=True), []))[:SAMPLE]
            counts[delimiter] = lengths = [len(cells) for _, cells in rows]
            if lengths and min(lengths) == max(lengths) > 1:
                layout = _layout(delimiter, [cells for _, cells in rows], label)
                twice = sorted(name for name, n_columns in Counter(layout.names).items() if n_columns > 1)
                require(not twice, path, "must have columns of different names", twice, DataError)
                return layout
    found = f"a cell of more than {csv.field_size_limit()} characters"
    require(any(counts.values()), path, "must be a sound table", found, DataError)
    lengths = max(counts.values(), key=lambda found: found[0] if found else 0)
    require(max(lengths) > 1, path, "must have columns with a delimiter between them", "one column", DataError)
    odd = next(number for number, length in enumerate(lengths) if length != lengths[0])
    rule = f"row {odd + 1} must have {lengths[0]} columns as the first one"
    require(False, path, rule, lengths[odd], DataError)
    raise AssertionError


def _layout(delimiter: str, rows: Sequence[list[str]], label: str | None) -> Layout:
    first, *rest = [[cell.strip() for cell in cells] for cells in rows]
    has_header = (label in first and not all(map(NUMBER.fullmatch, first))) or _is_header(first, rest)
    named = (name or f"column {position}" for position, name in enumerate(first))
    return Layout(delimiter, has_header, tuple(named if has_header else map(str, range(len(first)))))


def _is_header(first: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    """Tell whether a first row names the columns: it has text above numbers, or nothing that the others have.

    Where it has a number above numbers it is data.
    """
    if not rest:
        return not any(map(NUMBER.fullmatch, first))
    columns = list(zip(*rest, strict=True))
    numeric = [all(NUMBER.fullmatch(cell) or cell.lower() in MISSING for cell in column) for column in columns]
    if any(numeric):
        above = [cell for cell, number in zip(first, numeric, strict=True) if number]
        return not any(NUMBER.fullmatch(cell) or (cell and cell.lower() in MISSING) for cell in above)
    ok = all(first) and len({*first}) == len(first)
    return ok and not any(cell in column for cell, column in zip(first, columns, strict=True))


def rows_of(path: Path, layout: Layout) -> Iterator[Row]:
    """Yield the rows of a table below its header, empty lines left out.

    Rows of empty cells, which spreadsheets write below a table, are left out as well.

    Raises
    ------
    DataError
        At a row of another length than the first.

    Warns
    -----
    DataWarning
        At the end, if there were rows of empty cells between others.
    """
    gaps: list[int] = []
    with opened_text(path) as file:
        rows = _filled(csv.reader(file, delimiter=layout.delimiter, skipinitialspace=True), gaps)
        for number, cells in islice(rows, int(layout.has_header), None):
            ok = len(cells) == len(layout.names)
            require(ok, f"{path}: line {number}", f"must have {len(layout.names)} columns", len(cells), DataError)
            yield number, [cell.strip() for cell in cells]
    if gaps:
        text = f"{path}: line {gaps[0]}: a row of empty cells is left out"
        text += f", and {len(gaps) - 1:,} more between rows" if len(gaps) > 1 else ""
        warnings.warn(DataWarning(text), stacklevel=2)


def _filled(reader: "csv._reader", gaps: list[int]) -> Iterator[Row]:  # type: ignore[name-defined]
    """Yield rows that are not empty; add to ``gaps`` the lines of rows of empty cells that another row follows."""
    passed: list[int] = []
    for cells in reader:
        if any(cell.strip() for cell in cells):
            gaps += passed
            passed.clear()
            yield reader.line_num, cells
        elif len(cells) > 1:
            passed.append(reader.line_num)


def read_pairs(path: Path) -> dict[str, str]:
    """Read a table's first column with its second, such as names of files with their classes.

    Raises
    ------
    DataError
        If one of them is empty or a name is there twice.
    """
    layout, pairs = layout_of(path), {}
    for number, (name, value, *_) in rows_of(path, layout):
        place = f"{path}: line {number}"
        require(bool(name and value), place, "must have a name and a class", [name, value], DataError)
        require(name not in pairs, place, "must name each file once", name, DataError)
        pairs[name] = value
    require(bool(pairs), path, "must have rows", "none", DataError)
    return pairs
