"""What a command found out about many runs, as text for people, and as JSON and CSV for programs."""

import csv
import io
import itertools
import json
import math
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

from spikenn_cy.utils.tables import WIDEST

GAP = 2  # spaces between columns
LONGEST = (WIDEST - GAP) // 2  # characters of a text in a table
SET_NAMES = {"train_accuracy": "training", "val_accuracy": "validation", "test_accuracy": "test"}


@dataclass(frozen=True)
class Summary:
    """One finding in three forms.

    Attributes
    ----------
    lines : tuple of str
        For people; accuracies in percent.
    record : dict
        JSON values; accuracies as shares, as everywhere in files.
    columns : tuple of str
        Of the rows.
    rows : tuple of tuple
        The same as values, None where there is none.
    """

    lines: tuple[str, ...]
    record: Mapping[str, Any]
    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]

    def text(self, form: str = "text") -> str:
        """Return the summary as ``"text"``, ``"json"`` or ``"csv"``."""
        if form == "json":
            return json.dumps(self.record, indent=2)
        if form == "csv":
            file = io.StringIO()
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(self.columns)
            writer.writerows([cell(value) for value in row] for row in self.rows)
            return file.getvalue().removesuffix("\n")
        return "\n".join(self.lines)


def mean_and_std(values: Iterable[float | None]) -> dict[str, float] | None:
    """Return mean and population standard deviation of those values that are there, or None if none is."""
    found = [value for value in values if value is not None]
    if not found:
        return None
    mean = math.fsum(found) / len(found)
    return {"mean": mean, "std": math.sqrt(math.fsum((value - mean) ** 2 for value in found) / len(found))}


def spread(figures: Mapping[str, float] | None, n: int) -> str:
    """Return what `mean_and_std` found out about ``n`` accuracies in percent; one alone has no deviation."""
    if figures is None:
        return "-"
    return f"{100 * figures['mean']:.2f}" + (f" ± {100 * figures['std']:.2f}" if n > 1 else "")


def percent(accuracy: float | None) -> str:
    """Return an accuracy in percent."""
    return "-" if accuracy is None else f"{100 * accuracy:.2f}"


def cell(value: object) -> str:
    """Return a setting or a figure as a text without spaces."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def shown_setting(value: object) -> str:
    """Return a setting as a text without spaces in which none is seen to be one."""
    return "null" if value is None else cell(value)


def short_names(paths: Iterable[str]) -> list[str]:
    """Return the last members of JSON paths, and whole paths where two layers, say, have the same one."""
    paths = list(paths)
    names = [path.rpartition(".")[2] for path in paths]
    return [name if names.count(name) == 1 else path for path, name in zip(paths, names, strict=True)]


def folded_table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows of texts as lines that a terminal shows whole; columns for which there is no room stand below.

    Each part of the table begins with the first column. Texts too long for two of them to stand side by side go on in
    the next line.
    """
    rows = [line for row in rows for line in _wrapped(row)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    parts = [[0]]
    for column, width in enumerate(widths[1:], start=1):
        taken = sum(widths[other] + GAP for other in parts[-1])
        if taken + width > WIDEST and len(parts[-1]) > 1:
            parts.append([0])
        parts[-1].append(column)
    lines: list[str] = []
    for part in parts:
        lines += [""] if lines else []
        lines += text_table([[row[column] for column in part] for row in rows])
    return lines


def _wrapped(row: Sequence[str]) -> list[list[str]]:
    """Return a row as one or more, in which no text is too long."""
    parts = [wrap(text, LONGEST) if len(text) > LONGEST else [text] for text in row]
    return [list(line) for line in itertools.zip_longest(*parts, fillvalue="")]


def text_table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows of texts as lines, the first column to the left and the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        (GAP * " ")
        .join(
            text.rjust(width) if position else text.ljust(width)
            for position, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        .rstrip()
        for row in rows
    ]
