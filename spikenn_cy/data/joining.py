"""What data sets must have in common to become one, and their labels numbered anew by the classes of all of them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from spikenn_cy.data.arrays import COUNT_MAX
from spikenn_cy.data.arrays import SpikeArrays
from spikenn_cy.data.labels import class_names
from spikenn_cy.dtypes import INDEX
from spikenn_cy.dtypes import OFFSET
from spikenn_cy.dtypes import STAMP
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require


class Kind(NamedTuple):
    """All in which data sets that become one must be alike."""

    n_inputs: int
    input_shape: tuple[int, ...]
    max_time: float
    labelled: bool
    classes: np.dtype

    def require_like(self, first: "Kind", place: str, like: str) -> None:
        """Raise `DataError` with ``place`` unless this goes with the ``first``, which is called ``like``."""
        ok = self.n_inputs == first.n_inputs
        require(ok, place, f"must have {first.n_inputs} inputs like {like}", self.n_inputs, DataError)
        ok = self.input_shape == first.input_shape
        require(ok, place, f"must have input_shape {first.input_shape} like {like}", self.input_shape, DataError)
        ok = STAMP.type(self.max_time) == STAMP.type(first.max_time)
        require(ok, place, f"must have max_time {first.max_time} like {like}", self.max_time, DataError)
        rule = f"must have {'labels' if first.labelled else 'no labels'} like {like}"
        require(self.labelled == first.labelled, place, rule, "labels" if self.labelled else "none", DataError)
        ok = self.classes.kind == first.classes.kind or {self.classes.kind, first.classes.kind} == {"i", "u"}
        require(ok, place, f"must have classes of {first.classes} like {like}", self.classes, DataError)


def joined_labels(
    labels: Sequence[np.ndarray], classes: Sequence[np.ndarray], place: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return the labels of all, one after the other, numbered by the classes of all, and these.

    Parameters
    ----------
    labels, classes : sequence of ndarray
        Of each data set.
    place : str
        What an error names first.
    """
    if {own.dtype.kind for own in classes} == {"i", "u"}:  # which NumPy would make real numbers of
        classes = [own.astype(object) for own in classes]
    names = np.unique(class_names(np.concatenate(classes), place))
    numbers = (np.searchsorted(names, own.astype(names.dtype)).astype(INDEX) for own in classes)
    return np.concatenate([number[own] for number, own in zip(numbers, labels, strict=True)]), names


def joined(parts: Sequence[SpikeArrays], kinds: Sequence[Kind], places: Sequence[str]) -> SpikeArrays:
    """Return the samples of all parts, one part after the other.

    Parameters
    ----------
    parts : sequence of SpikeArrays
        Checked.
    kinds : sequence of Kind
        Of each part.
    places : sequence of str
        What an error calls each part.

    Raises
    ------
    DataError
        If they do not go together.
    """
    for kind, place in zip(kinds[1:], places[1:], strict=True):
        kind.require_like(kinds[0], place, places[0])
    total = sum(len(part.indptr) - 1 for part in parts)
    require(1 <= total <= COUNT_MAX, "data sets", f"must have 1 to {COUNT_MAX} samples together", total, DataError)
    labels, classes = None, parts[0].classes
    known = [part.labels for part in parts if part.labels is not None]
    if known:
        labels, classes = joined_labels(known, [np.asarray(part.classes) for part in parts], "classes")
    starts = np.cumsum([0, *(part.indptr[-1] for part in parts)])
    indptr = [part.indptr[1:] + start for part, start in zip(parts, starts, strict=False)]
    return parts[0]._replace(
        indptr=np.concatenate([np.zeros(1, OFFSET), *indptr]),
        indices=np.concatenate([part.indices for part in parts]),
        timestamps=np.concatenate([part.timestamps for part in parts]),
        labels=labels,
        classes=classes,
        classes_assumed=all(part.classes_assumed for part in parts),
        mapped=any(part.mapped for part in parts),
    )
