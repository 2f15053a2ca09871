"""A table of own data made into spikes to train, validate and test on, with the encoder that later rows need."""

import os
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spikenn_cy.data.columns import read_columns
from spikenn_cy.data.columns import row_counters
from spikenn_cy.data.columns import warn_of
from spikenn_cy.data.convert import read_labels
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.data.reading import NUMPY
from spikenn_cy.data.reading import opened
from spikenn_cy.data.splits import stratified_parts
from spikenn_cy.data.tables import layout_of
from spikenn_cy.data.writer import DatasetWriter
from spikenn_cy.errors import DataError
from spikenn_cy.errors import RunError
from spikenn_cy.errors import require
from spikenn_cy.errors import shown
from spikenn_cy.estimator.encoder import CHUNK
from spikenn_cy.estimator.tables import Features
from spikenn_cy.estimator.tables import Header
from spikenn_cy.estimator.tables import TableEncoder
from spikenn_cy.estimator.tables import check_scale
from spikenn_cy.estimator.tables import features_of
from spikenn_cy.estimator.tables import finite
from spikenn_cy.estimator.tables import label_of
from spikenn_cy.estimator.tables import labels_in
from spikenn_cy.estimator.tables import rows_of_array
from spikenn_cy.estimator.tables import taken
from spikenn_cy.storage.descriptions import versions
from spikenn_cy.storage.folder import fingerprint
from spikenn_cy.storage.kinds import ENCODER
from spikenn_cy.storage.kinds import ENCODING
from spikenn_cy.storage.kinds import RECORD_FORMAT
from spikenn_cy.storage.kinds import SPIKES
from spikenn_cy.storage.output import OutputFolder


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """What is to be encoded.

    Attributes
    ----------
    table : Path
        CSV, TSV or ``.npy``.
    output : Path
        Folder, made if it is missing.
    label : str
        Name or position of a column, or path of a ``.npy`` file with a label for each row of a ``.npy`` table.
    scaling : {"range", "sample", "none"}
    n_fields : int
        Inputs for each column of numbers.
    shares : tuple of float
        Of training, validation and test part; they add up to 1.
    seed : int
        Of the division.
    leave_out : tuple of str
        Columns, by name or position.
    """

    table: Path
    output: Path
    label: str
    scaling: str = "range"
    n_fields: int = 1
    shares: tuple[float, float, float] = (0.8, 0.1, 0.1)
    seed: int = 0
    leave_out: tuple[str, ...] = ()


class Found(NamedTuple):
    """What a table holds."""

    columns: tuple[str, ...]
    has_header: bool
    label: str | None
    features: Features
    numbers: tuple[str, ...]
    labels: list[str]
    remarks: list[str]


@dataclass
class Encoded:
    """What came of an encoding.

    Attributes
    ----------
    parts : dict of SpikingDataset
        By the names ``train``, ``val`` and ``test``, those that have rows.
    remarks : list of str
        What was done to columns that are no numbers, or not complete.
    """

    parts: dict[str, SpikingDataset]
    remarks: list[str] = field(default_factory=list)


def encode(job: Encoding, overwrite: bool = False) -> Encoded:
    """Read a table, divide its rows, fit an encoder to the training part and write the spikes of all parts.

    The folder gets ``trainset.npz``, ``valset.npz``, ``testset.npz`` and ``encoder.npz``, all or nothing. A folder that
    has just this already is left as it is.

    Parameters
    ----------
    job : Encoding
    overwrite : bool
        Replace what another encoding left in the folder.

    Raises
    ------
    SpikennError
        If the table does not hold what it must, or the folder holds something else.
    """
    for path in (job.table, job.output):
        if os.fspath(path) in ("", "."):
            raise RunError("encode: must be given a table and a folder, got an empty path")
    found = _found(job)
    record = {
        "format": RECORD_FORMAT,
        "table": fingerprint(job.table),
        "label": job.label if found.label is None else found.label,
        "scaling": job.scaling,
        "n_fields": job.n_fields,
        "split": list(job.shares),
        "seed": job.seed,
        "left_out": list(job.leave_out),
        "classes": sorted({*found.labels}),
        "versions": versions(),
    }
    with OutputFolder.opened(job.output, ENCODING) as folder:
        there = None if overwrite else folder.recorded()
        if there is not None and folder.has_state:
            differing = [name for name in record if name != "versions" and there.get(name) != record[name]]
            if differing:
                folder.refuse(f"one with another {', '.join(differing)}")
        else:
            folder.begin(record)
            _write(folder, job, found)
            folder.settle()
        paths = {part: folder.file(name) for part, name in SPIKES.items()}
        return Encoded({n: SpikingDataset.from_file(path) for n, path in paths.items() if path.exists()}, found.remarks)


def _write(folder: OutputFolder, job: Encoding, found: Found) -> None:
    classes = classes_of(found.labels, str(job.table))
    number_of = {name: number for number, name in enumerate(dict.fromkeys(found.labels))}
    parts = stratified_parts(np.array([number_of[name] for name in found.labels], np.int32), job.shares, job.seed)
    encoder = fitted(job, found, parts["train"])
    labels = np.array([classes[name] for name in found.labels])
    n_rows = max(1, CHUNK // max(1, encoder.n_inputs))
    for part, rows in parts.items():
        if not len(rows):
            continue
        with DatasetWriter(folder.file(SPIKES[part])) as writer:
            for start in range(0, len(rows), n_rows):
                chosen = rows[start : start + n_rows]
                times = encoder.times(taken(found.features, chosen), str(job.table))
                writer.append(SpikingDataset._computed((times,), labels[chosen]))
    encoder.save(folder.file(ENCODER))  # last: with it the folder is complete


def fitted(job: Encoding, found: Found, rows: npt.NDArray[np.int64]) -> TableEncoder:
    """Return the encoder of a table, its scales and its words those of the training part."""
    train = taken(found.features, rows)
    categories = {}
    for name, words in train.words.items():
        seen = {words.known[number] for number in np.unique(words.numbers).tolist() if number >= 0}
        categories[name] = tuple(sorted(seen))
    header = Header(
        columns=found.columns,
        has_header=found.has_header,
        label=found.label,
        numbers=found.numbers,
        categories=categories,
        scaling=job.scaling,  # type: ignore[arg-type] # one of the words, as the command line was asked for
        n_fields=job.n_fields,
    )
    check_scale(found.features.numbers, header, found.features.rows, str(job.table))
    if job.scaling == "none":
        low, high = np.zeros(len(found.numbers)), np.ones(len(found.numbers))
    else:
        # A column without any value in the training part has no scale, and is silent.
        low, high = (
            bound(np.where(np.isnan(train.numbers), other, train.numbers), axis=0, initial=other)
            for bound, other in ((np.min, np.inf), (np.max, -np.inf))
        )
        low, high = np.where(low <= high, low, 0.0), np.where(low <= high, high, 0.0)
    encoder = TableEncoder(header, low, high)
    require(encoder.n_inputs > 0, job.table, "must have a column beside the label", "none", DataError)
    return encoder


# What a table holds


def _found(job: Encoding) -> Found:
    with opened(job.table, "table") as file:
        is_array = file.read(len(NUMPY)) == NUMPY
    return _of_array(job) if is_array else _of_text(job)


def _of_text(job: Encoding) -> Found:
    path = job.table
    layout = layout_of(path, job.label)
    label = layout.names[layout.position(job.label, f"{path}: --label")]
    left = {layout.names[layout.position(name, f"{path}: --leave_out")] for name in job.leave_out}
    require(label not in left, "--leave_out", "must not name the label", label, DataError)
    kinds: dict[str, bool | None] = {name: None for name in layout.names if name not in left}
    kinds[label] = False
    columns = read_columns(path, layout, kinds, only_words=[label])
    words = columns.words.pop(label)
    labels = labels_in(words, columns, path, label)
    remarks = [f"column {label} is the label"] if label != job.label else []
    for name in row_counters(columns):
        remarks.append(f"column {name} counts the rows and is left out")
        del columns.numbers[name]
    for name, found in columns.words.items():
        since = "" if found.odd is None else f", since line {found.odd[0]} has {shown(found.odd[1])}"
        remarks.append(f"column {name} has {len(found.known)} words, each an input of its own{since}")
    numbers = tuple(columns.numbers)
    features = features_of(columns, numbers)
    require(bool(numbers or columns.words), path, "must have a column beside the label", "none", DataError)
    remarks += _of_missing(features, job.n_fields) + _of_constant(features, numbers, path)
    return Found(layout.names, layout.has_header, label, features, numbers, labels, remarks)


def _of_array(job: Encoding) -> Found:
    path, array = job.table, rows_of_array(job.table)
    names = tuple(map(str, range(array.shape[1])))
    require(not job.leave_out, "--leave_out", "must not be given for an array", job.leave_out, DataError)
    if job.label.endswith(".npy"):
        label, numbers = None, names
        labels = labels_of_array(Path(job.label), len(array))
    else:
        ok = job.label.removeprefix("-").isdigit() and -len(names) <= int(job.label) < len(names)
        rule = f"must be a .npy file of labels, or a column from 0 to {len(names) - 1}"
        require(ok, "--label", rule, job.label, DataError)
        label = names[int(job.label)]
        numbers = tuple(name for name in names if name != label)
        labels = [label_of(value) for value in array[:, int(label)].tolist()]
    require(bool(numbers), path, "must have a column beside the label", "none", DataError)
    chosen = np.array([int(name) for name in numbers])
    matrix = finite(array if label is None else array[:, chosen], numbers, path)
    features = Features(matrix, {}, np.arange(len(array)))
    remarks = _of_missing(features, job.n_fields) + _of_constant(features, numbers, path)
    return Found(names, False, label, features, numbers, labels, remarks)


def labels_of_array(path: Path, n_rows: int) -> list[str]:
    """Return the labels in a ``.npy`` file."""
    labels = read_labels(path)
    ok = labels.dtype.kind in "biufUO" and labels.shape in ((n_rows,), (n_rows, 1))
    hint = " (are features and labels swapped?)" if labels.ndim > 1 and labels.shape[1] > 1 else ""
    rule = f"must hold {n_rows} labels, a number or a text for each row{hint}"
    require(ok, path, rule, f"{labels.dtype} {labels.shape}", DataError)
    return [label_of(value) for value in labels.ravel().tolist()]


def _of_missing(features: Features, n_fields: int) -> list[str]:
    n_missing = int(np.isnan(features.numbers).sum())
    n_missing += sum(int((words.numbers < 0).sum()) for words in features.words.values())
    if not n_missing:
        return []
    as_smallest = ", as the smallest number of a column is (not so with --n_fields 2 or more)" if n_fields == 1 else ""
    return [f"{n_missing} missing values are silent{as_smallest}"]


def _of_constant(features: Features, names: Sequence[str], path: Path) -> list[str]:
    """Return a remark on the columns whose cells are all alike, and warn if that is so of every column."""
    low, high = (bound(features.numbers, axis=0) for bound in (np.fmin.reduce, np.fmax.reduce))
    alike = [name for name, varies in zip(names, low < high, strict=True) if not varies]
    alike += [name for name, words in features.words.items() if len({*words.numbers.tolist()}) < 2]
    if len(alike) == len(names) + len(features.words):
        warn_of(path, "every column beside the label has one value alone, so that nothing tells classes apart")
        return []
    examples = ", ".join(alike[:3]) + ", …" * (len(alike) > 3)
    return [f"{len(alike)} of the columns have one value alone, which tells nothing: {examples}"] if alike else []


def classes_of(labels: Sequence[str], place: str) -> Mapping[str, Any]:
    """Return the class of each label: a whole number if all labels are, else the text.

    Raises
    ------
    DataError
        If there is one class only, or labels are measurements and no classes.
    """
    names = list(dict.fromkeys(labels))
    require(len(names) >= 2, f"{place}: label", "must be of two classes or more", names, DataError)
    rule = "must be classes, several rows each (is it the right column?)"
    found = f"{len(names)} different labels in {len(labels)} rows, such as {', '.join(names[:3])}"
    require(len(names) <= len(labels) / 2, f"{place}: label", rule, found, DataError)
    whole = all(name.removeprefix("-").isdecimal() and str(int(name)) == name and len(name) <= 18 for name in names)
    return {name: int(name) if whole else name for name in names}
