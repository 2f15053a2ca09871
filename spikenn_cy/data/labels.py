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


def number_classes(y: npt.ArrayLike, n_samples: int, place: str = "y") -> tuple[np.ndarray, np.ndarray]:
    """Number the labels ``y`` by their sorted distinct values.

    Returns
    -------
    labels : ndarray of int32, shape (n_samples,)
    classes : ndarray, shape (n_classes,)
        ``classes[labels]`` equals ``y``.
    """
    names = class_names(y, place)
    require(len(names) == n_samples, place, f"must have a label for each of {n_samples} samples", len(names), DataError)
    classes, labels = np.unique(names, return_inverse=True)
    return labels.astype(INDEX), classes
