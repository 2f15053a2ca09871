"""Labels as a caller has them, checked and numbered, so that kernels meet nothing but class numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from spikenn_cy.dtypes import INDEX
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.utils.validation import require_characters
from spikenn_cy.utils.validation import require_unmasked

# Of objects, such as pandas keeps text in.
KINDS: dict[Any, str] = {str: "a string", bytes: "a string of bytes", (int, np.integer): "a whole number"}


def class_names(value: npt.ArrayLike, place: str) -> np.ndarray:
    """Return a copy of ``value`` as a vector of whole numbers or of strings, in the machine's byte order."""
    require_unmasked(value, place, "leave out samples without a label")
    try:
        names = np.asarray(value)
    except (TypeError, ValueError) as problem:
        raise DataError(f"{place}: must be whole numbers or strings, got {type(value).__name__}") from problem
    hint = "" if names.ndim != 2 else " (y.ravel()?)" if names.shape[1] == 1 else " (y.argmax(axis=1), if one-hot?)"
    require(names.ndim == 1, place, f"must have one axis{hint}", names.shape, DataError)
    if names.dtype.kind == "O":
        names = of_objects(names, place)
    elif names.dtype.kind == "T":
        names = names.astype(str)  # files know strings of fixed width only
    require(names.dtype.kind in "iuUS", place, "must be whole numbers or strings", names.dtype, DataError)
    require_characters(names, place)
    return names.astype(names.dtype.newbyteorder("="))


def of_objects(names: np.ndarray, place: str) -> np.ndarray:
    """Return an array of objects that are whole numbers or strings, all of one kind, as one of numbers or strings."""
    kind = next((kind for kind in KINDS if len(names) and isinstance(names[0], kind)), str)
    for position, name in enumerate(names):
        ok = isinstance(name, kind) and not isinstance(name, bool)
        rule = f"must be {KINDS[kind]} like those before" if position else "must be a whole number or a string"
        require(ok, f"{place}[{position}]", rule, name, DataError)
    if not len(names):
        return names
    return whole_numbers(names, place) if kind == (int, np.integer) else np.asarray(names.tolist())


def whole_numbers(names: np.ndarray, place: str) -> np.ndarray:
    """Return an array of objects that are whole numbers as one of a type that holds all of them."""
    numbers = [int(name) for name in names]
    low, high = min(numbers), max(numbers)
    for kind in (np.int64, np.uint64):  # of NumPy's own choice for such a mixture some are real numbers
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return np.array(numbers, dtype=kind)
    rule = "must be whole numbers from -2**63 to 2**63 - 1, or from 0 to 2**64 - 1"
    raise DataError(f"{place}: {rule}, got {low} and {high}" if low < 0 else f"{place}: {rule}, got {high}")


def plain_names(names: np.ndarray) -> list[int | str]:
    """Return original labels as JSON and pages can hold them, bytes as the text that they are."""
    return [text_of(name) if isinstance(name, bytes) else name for name in names.tolist()]


def text_of(name: bytes) -> str:
    """Return bytes as text, in UTF-8 or, where they are none, in Latin-1, in which all bytes are."""
    try:
        return name.decode()
    except UnicodeDecodeError:
        return name.decode("latin-1")


def no_classes() -> np.ndarray:
    """Return the classes of samples that have no labels."""
    return np.empty(0, np.int64)


def number_classes(y: npt.ArrayLike | None, n_samples: int, place: str = "y") -> tuple[np.ndarray | None, np.ndarray]:
    """Number the labels ``y`` by their sorted distinct values.

    Returns
    -------
    labels : ndarray of int32, shape (n_samples,), or None
        None if ``y`` is.
    classes : ndarray, shape (n_classes,)
        ``classes[labels]`` equals ``y``; without labels there is none.
    """
    if y is None:
        return None, no_classes()
    names = class_names(y, place)
    require(len(names) == n_samples, place, f"must have a label for each of {n_samples} samples", len(names), DataError)
    classes, labels = np.unique(names, return_inverse=True)
    return labels.astype(INDEX), classes


def called(classes: npt.NDArray[Any], names: Sequence[str]) -> list[str] | None:
    """Return the names of classes that are positions in ``names``; None if they are not."""
    if not (len(names) > 0 and len(classes) > 0 and classes.dtype.kind in "iu"):
        return None
    are_positions = 0 <= classes.min() <= classes.max() < len(names)
    return [names[number] for number in classes.tolist()] if are_positions else None
