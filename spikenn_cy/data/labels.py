"""Labels as a caller has them, checked and numbered, so that kernels meet nothing but class numbers."""

import numpy as np
import numpy.typing as npt

from spikenn_cy.dtypes import INDEX
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require


def class_names(value: npt.ArrayLike, place: str) -> np.ndarray:
    """Return a copy of ``value`` as a vector of whole numbers or of strings, in the machine's byte order."""
    try:
        names = np.asarray(value)
    except (TypeError, ValueError) as problem:
        raise DataError(f"{place}: must be whole numbers or strings, got {type(value).__name__}") from problem
    if names.dtype.kind == "O" and {type(name) for name in names.flat} in ({str}, {int}):
        names = np.asarray(names.tolist())
    elif names.dtype.kind == "T":
        names = names.astype(str)  # files know strings of fixed width only
    require(names.dtype.kind in "iuUS", place, "must be whole numbers or strings", names.dtype, DataError)
    require(names.ndim == 1, place, "must have one axis", names.shape, DataError)
    return names.astype(names.dtype.newbyteorder("="))


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
