"""Numbers and arrays that Python callers give, checked alike and refused in the same words everywhere."""

import sys
from typing import Any
from typing import TypeGuard

import numpy as np
import numpy.typing as npt

from spikenn_cy.dtypes import REAL
from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import DataError
from spikenn_cy.errors import SpikennError
from spikenn_cy.errors import require

THREADS_MAX = 1024


def is_whole(value: object) -> TypeGuard[int]:
    """Return whether ``value`` is an integer of Python or NumPy; ``True`` is none."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def is_real(value: object) -> TypeGuard[float]:
    """Return whether ``value`` is a real number of Python or NumPy; ``True`` is none."""
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def whole_number(
    value: Any, name: str, least: int, most: int | None = None, error: type[SpikennError] = ConfigError
) -> int:
    """Return ``value`` as an int, at least ``least`` and, if that is given, at most ``most``."""
    require(is_whole(value) and value >= least, name, f"must be an integer >= {least}", value, error)
    require(most is None or value <= most, name, f"must be at most {most}", value, error)
    return int(value)


def number_of_threads(value: Any) -> int:
    """Return ``value`` as an int, from 1 to `THREADS_MAX`."""
    ok = is_whole(value) and 1 <= value <= THREADS_MAX
    require(ok, "n_threads", f"must be an integer from 1 to {THREADS_MAX}", value)
    return int(value)


def require_unmasked(value: Any, place: str, way_out: str) -> None:
    """Raise `DataError`, which ends with a way out, if any value of an array is masked: NumPy drops masks silently."""
    arrays = value if isinstance(value, list | tuple) else (value,)
    masks = [np.ma.getmaskarray(array) for array in arrays if isinstance(array, np.ma.MaskedArray)]
    n_masked = sum(int(np.count_nonzero(mask)) for mask in masks)
    require(n_masked == 0, place, f"must not be masked: {way_out}", f"{n_masked} masked", DataError)


def require_characters(array: npt.NDArray[Any], place: str) -> None:
    """Raise unless an array, if it is of text, holds characters only; other numbers in it break Python."""
    if array.dtype.kind == "U" and array.dtype.itemsize and array.size:
        numbers = np.ascontiguousarray(array).reshape(-1).view(np.dtype(np.uint32).newbyteorder(array.dtype.byteorder))
        require(bool(numbers.max() <= sys.maxunicode), place, "must be characters", hex(numbers.max()), DataError)


def real_array(
    values: npt.ArrayLike, name: str, shape: tuple[int, ...] | None = None, n_axes: int | None = None
) -> npt.NDArray[np.float32]:
    """Return a copy of ``values`` as float32, all finite.

    Parameters
    ----------
    values : array-like
    name : str
        Place in messages.
    shape : tuple of int, optional
        That it must have.
    n_axes : int, optional
        Number of axes that it must have.

    Raises
    ------
    DataError
        If it is no such array.
    """
    require_unmasked(values, name, "every value counts")
    wanted = "an array of real numbers" if shape is None else f"an array of shape {shape}"
    try:
        given = np.asarray(values)
    except (TypeError, ValueError) as problem:
        found = type(values).__name__ if shape is None else problem
        raise DataError(f"{name}: must be {wanted}, got {found}") from None
    require(given.dtype.kind in "fiu", name, "must be real numbers", given.dtype, DataError)
    if shape is not None:
        require(given.shape == shape, name, f"must have shape {shape}", given.shape, DataError)
    if n_axes is not None:
        require(given.ndim == n_axes, name, f"must have {n_axes} axes", given.shape, DataError)
    with np.errstate(over="ignore"):  # what is infinite in single precision is refused below
        array = np.array(given, REAL, order="C")
    if not np.isfinite(array).all():
        place = np.argwhere(~np.isfinite(array))[0].tolist()
        raise DataError(f"{name}{place}: must be finite, got {given[tuple(place)]}")
    return array


def read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return ``array`` after forbidding writes to it."""
    array.flags.writeable = False
    return array
