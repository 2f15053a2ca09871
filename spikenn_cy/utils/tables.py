"""Rows as text and as HTML, so that what is shown in a terminal and in a notebook is made from the same."""

import html
from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

WIDEST = 100  # characters of a line that terminals show whole

Rows = Sequence[Sequence[str]]


def as_text(rows: Rows) -> str:
    """Return rows as lines, of columns that are aligned at the right but for the first."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join((row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:]))) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def as_html(caption: str, rows: Rows) -> str:
    """Return rows, of which the first is the head, as a table."""
    head, *body = (_row(row, "td" if number else "th") for number, row in enumerate(rows))
    title = f"<caption>{html.escape(caption)}</caption>"
    return f"<table>{title}<thead>{head}</thead><tbody>{''.join(body)}</tbody></table>"


def span(values: npt.NDArray[Any]) -> str:
    """Return from where to where numbers go."""
    low, high = f"{values.min():.3g}", f"{values.max():.3g}"
    return low if low == high else f"{low} to {high}"


def _row(cells: Sequence[str], tag: str) -> str:
    return f"<tr>{''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in cells)}</tr>"
