"""Rows of a table as spikes, later ones encoded as those of the training were, whose columns are remembered."""

import os
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import Literal
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from spikenn_cy.data.columns import Columns
from spikenn_cy.data.columns import Words
from spikenn_cy.data.columns import read_columns
from spikenn_cy.data.columns import warn_of
from spikenn_cy.data.convert import read_array
from spikenn_cy.data.reading import NUMPY
from spikenn_cy.data.reading import opened
from spikenn_cy.data.tables import Layout
from spikenn_cy.data.tables import layout_of
from spikenn_cy.dtypes import STAMP
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.estimator.encoder import LatencyEncoder
from spikenn_cy.storage.arrays import Wanted
from spikenn_cy.storage.arrays import open_arrays
from spikenn_cy.storage.arrays import refusing
from spikenn_cy.storage.model_archive import read_header
from spikenn_cy.storage.model_archive import require_arrays
from spikenn_cy.storage.model_archive import write_model

FORMAT = 1
MAX_TIME = 1.0  # of the spikes
RULE = "must be an encoder, as the command encode writes it"


class Features(NamedTuple):
    """Rows of a table, without their labels."""

    numbers: npt.NDArray[np.float64]  # (n_rows, n_numbers), NaN where a value is missing
    words: Mapping[str, Words]
    rows: npt.NDArray[np.int64]  # (n_rows,) lines of the file, or positions in an array
    is_array: bool = False


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """All of an encoder's file that is no array.

    Attributes
    ----------
    columns : tuple of str
        Of the table, in its order, the label and those left out included.
    has_header : bool
    label : str or None
        The column of the label; None if labels came in a file of their own.
    numbers : tuple of str
        Columns of numbers.
    categories : dict
        For each column of words, those of the training part; each is an input.
    scaling, n_fields
        Of the numbers.
    """

    encoder: Literal["table"] = "table"
    format: int = FORMAT
    columns: tuple[str, ...]
    has_header: bool
    label: str | None
    numbers: tuple[str, ...]
    categories: dict[str, tuple[str, ...]]
    scaling: Literal["range", "sample", "none"]
    n_fields: int


class TableEncoder:
    """Rows of a table as spike times.

    A number is a spike the earlier the larger it is, as `LatencyEncoder` says, and a word is a spike at
    time 0 of the input that stands for it. What is missing, and a word that the training part has not, is
    silent.

    Parameters
    ----------
    header : Header
    low, high : ndarray of float64, shape (n_numbers,)
        Smallest and largest number of each column in the training part.
    """

    def __init__(self, header: Header, low: npt.NDArray[np.float64], high: npt.NDArray[np.float64]) -> None:
        self.header = header
        scaling = "range" if header.scaling == "none" else header.scaling
        self._latency = LatencyEncoder(scaling, header.n_fields, MAX_TIME)
        self._latency.data_min_, self._latency.data_max_ = low, high
        self._latency.n_features_in_ = len(header.numbers)

    @property
    def n_inputs(self) -> int:
        """Inputs of a row: the fields of its numbers, then one for each word."""
        return len(self.header.numbers) * self.header.n_fields + sum(map(len, self.header.categories.values()))

    def times(self, features: Features, place: str) -> npt.NDArray[np.float32]:
        """Return the spike times of rows, (n_rows, n_inputs), where `MAX_TIME` is silence.

        Raises
        ------
        DataError
            If the scaling does not take a number.
        """
        header, numbers = self.header, features.numbers
        times = np.full((len(features.rows), self.n_inputs), MAX_TIME, STAMP)
        n_fields = len(header.numbers) * header.n_fields
        if n_fields:
            check_scale(numbers, header, features.rows, place)
            missing = np.isnan(numbers)
            low = self._latency.data_min_ if header.scaling != "sample" else 0.0
            found = self._latency.transform(np.where(missing, low, numbers))
            found[np.repeat(missing, header.n_fields, axis=1)] = MAX_TIME
            times[:, :n_fields] = found
        start = n_fields
        for name, known in header.categories.items():
            words = features.words[name]
            number_of = {word: number for number, word in enumerate(known)}
            inputs = np.array([number_of.get(word, -1) for word in words.known] + [-1])[words.numbers]
            rows = np.flatnonzero(inputs >= 0)
            times[rows, start + inputs[rows]] = 0
            start += len(known)
        return times

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the encoder to a file."""
        arrays = {"low": self._latency.data_min_, "high": self._latency.data_max_}
        write_model(path, self.header, arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "TableEncoder":
        """Return the encoder in a file; raise `DataError` if it holds anything else."""
        with open_arrays(path, RULE) as file, refusing(path, RULE):
            header = read_header(file, Header, FORMAT)
            length = (len(header.numbers),)
            require_arrays(file, {"low": Wanted(length), "high": Wanted(length)})
            low, high = (file[name].astype(np.float64) for name in ("low", "high"))
            ok = bool(np.isfinite(low).all() and np.isfinite(high).all() and (low <= high).all())
            require(ok and header.n_fields >= 1, "low and high", "must be bounds of numbers", "others", DataError)
        return cls(header, low, high)

    # Rows of a file

    def read(self, path: Path) -> tuple[Features, list[str] | None]:
        """Read the rows of another table with the same columns, and their labels if it has them.

        Raises
        ------
        DataError
            If a column is missing, or holds something else than it did in the training part.

        Warns
        -----
        DataWarning
            If there are words that the training part has not.
        """
        with opened(path, "table") as file:
            is_array = file.read(len(NUMPY)) == NUMPY
        if is_array:
            return self._of_array(path)
        layout = self._layout(path)
        header = self.header
        labelled = header.label is not None and header.label in layout.names
        label = {header.label} if header.label is not None and labelled else set()
        kinds = dict.fromkeys(header.numbers, True) | dict.fromkeys({*header.categories} | label, False)
        columns = read_columns(path, layout, kinds, only_words=label)
        self._warn_of_words(path, columns)
        features = features_of(columns, header.numbers)
        self._warn_of_numbers(path, features)
        if header.label is None or not labelled:
            return features, None
        n_missing = int((columns.words[header.label].numbers < 0).sum())
        if n_missing:  # new rows may have an empty column where their label will stand
            if n_missing < len(features.rows):
                warn_of(path, f"{n_missing} of {len(features.rows)} rows have no label, so that none is compared")
            return features, None
        return features, labels_in(columns.words[header.label], columns, path, header.label)

    def _layout(self, path: Path) -> Layout:
        """Return the layout of a file, its columns under the names that the encoder knows."""
        header, layout = self.header, layout_of(path, self.header.columns[0] if self.header.has_header else None)
        if header.has_header:
            absent = [name for name in (*header.numbers, *header.categories) if name not in layout.names]
            found = ", ".join(layout.names) if layout.has_header else "a table without a header"
            require(not absent, path, f"must have the columns {', '.join(absent)}", found, DataError)
            return layout
        without = tuple(name for name in header.columns if name != header.label)
        for names in (header.columns, without):
            if len(names) == len(layout.names):
                return Layout(layout.delimiter, layout.has_header, names)
        counts = " or ".join(map(str, sorted({len(header.columns), len(without)})))
        require(False, path, f"must have {counts} columns like the training part", len(layout.names), DataError)
        raise AssertionError

    def _of_array(self, path: Path) -> tuple[Features, list[str] | None]:
        array = rows_of_array(path)
        header, n_columns = self.header, array.shape[1]
        names = header.columns
        if len(names) != n_columns:
            names = tuple(name for name in names if name != header.label)
        counts = " or ".join(map(str, sorted({len(header.columns), len(names)})))
        rule = f"must have {counts} columns like the training part"
        require(len(names) == n_columns, path, rule, n_columns, DataError)
        require(not header.categories, path, "must be a table of text, since words were learned", "an array", DataError)
        chosen = [names.index(name) for name in header.numbers]
        matrix = finite(array[:, chosen], header.numbers, path)
        features = Features(matrix, {}, np.arange(len(array)), is_array=True)
        self._warn_of_numbers(path, features)
        if header.label is None or header.label not in names:
            return features, None
        return features, [label_of(value) for value in array[:, names.index(header.label)].tolist()]

    def _warn_of_numbers(self, path: Path, features: Features) -> None:
        """Warn of numbers that are further from those of the training part than these are from each other."""
        if self.header.scaling != "range":
            return
        low, high = self._latency.data_min_, self._latency.data_max_
        width = high - low
        with np.errstate(invalid="ignore"):
            far = (width > 0) & ((features.numbers < low - width) | (features.numbers > high + width))
        if far.any():
            row, column = (int(k) for k in np.argwhere(far)[0])
            name, number = self.header.numbers[column], features.numbers[row, column]
            where = f"{'row' if features.is_array else 'line'} {features.rows[row]}, column {name}"
            learned = f"{low[column]:g} to {high[column]:g}"
            text = f"{int(far.sum())} numbers are far from those of the training part, such as {number:g} in {where}"
            warn_of(path, f"{text}, where these are from {learned}; the nearest is taken for each")

    def _warn_of_words(self, path: Path, columns: Columns) -> None:
        for name, known in self.header.categories.items():
            words = columns.words[name]
            new = [word for word in words.known if word not in known]
            if new:
                shown = ", ".join(new[:3])
                warn_of(path, f"column {name} has words that the training part has not, which are silent: {shown}")


def features_of(columns: Columns, numbers: tuple[str, ...]) -> Features:
    """Return the features among columns."""
    found = [columns.numbers[name] for name in numbers]
    matrix = np.stack(found, axis=1) if found else np.zeros((len(columns), 0))
    return Features(matrix, columns.words, columns.lines)


def taken(features: Features, rows: npt.NDArray[np.int64] | slice) -> Features:
    """Return some rows of features."""
    words = {name: Words(found.known, found.numbers[rows]) for name, found in features.words.items()}
    return features._replace(numbers=features.numbers[rows], words=words, rows=features.rows[rows])


def labels_in(words: Words, columns: Columns, path: Path, label: str) -> list[str]:
    """Return the labels of rows, each of which must have one."""
    missing = np.flatnonzero(words.numbers < 0)
    if len(missing):
        place = f"{path}: line {columns.lines[missing[0]]}, column {label}"
        require(False, place, "must be the label of the row", "none", DataError)
    return [words.known[number] for number in words.numbers.tolist()]


def label_of(value: object) -> str:
    """Return a label of an array as one writes it: 3.0 as 3."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def rows_of_array(path: Path) -> npt.NDArray[np.generic]:
    """Return the array in a ``.npy`` file, mapped, as rows of numbers."""
    array = read_array(path)
    ok = array.ndim >= 2 and array.dtype.kind in "biuf" and array.size > 0
    rule = "must hold real numbers of shape (rows, columns)"
    hint = " (are features and labels swapped?)" if array.ndim == 1 else ""
    require(ok, path, f"{rule}{hint}", f"{array.dtype} {array.shape}", DataError)
    return array.reshape(len(array), -1)


def finite(array: npt.NDArray[np.generic], names: Sequence[str], path: Path) -> npt.NDArray[np.float64]:
    """Return columns of an array as real numbers, of which none is infinite; NaN is a missing one."""
    matrix = array.astype(np.float64)
    wrong = np.isinf(matrix)
    if wrong.any():
        row, column = (int(k) for k in np.argwhere(wrong)[0])
        place = f"{path}: row {row}, column {names[column]}"
        require(False, place, "must be finite", float(matrix[row, column]), DataError)
    return matrix


def check_scale(numbers: npt.NDArray[np.float64], header: Header, rows: npt.NDArray[np.int64], place: str) -> None:
    """Raise `DataError` at a number that the scaling does not take."""
    if header.scaling == "range":
        return
    with np.errstate(invalid="ignore"):
        wrong = numbers < 0 if header.scaling == "sample" else (numbers < 0) | (numbers > 1)
    if wrong.any():
        row, column = (int(k) for k in np.argwhere(wrong)[0])
        rule = f"must be {'>= 0' if header.scaling == 'sample' else 'from 0 to 1'} for scaling {header.scaling}"
        where = f"{place}: row {rows[row]}, column {header.numbers[column]}"
        require(False, where, rule, float(numbers[row, column]), DataError)
