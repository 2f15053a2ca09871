"""The CSR arrays of a data set and the rules they obey, checked once where they enter so that no kernel has to."""

import math
import mmap
import operator
from typing import Any
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spikenn_cy.data._check import check_spikes
from spikenn_cy.data._check import order_ties
from spikenn_cy.data.labels import class_names
from spikenn_cy.data.labels import no_classes
from spikenn_cy.dtypes import INDEX
from spikenn_cy.dtypes import OFFSET
from spikenn_cy.dtypes import STAMP
from spikenn_cy.errors import DataError
from spikenn_cy.errors import SpikennError
from spikenn_cy.errors import require
from spikenn_cy.utils.validation import is_real
from spikenn_cy.utils.validation import require_unmasked

COUNT_MAX = np.iinfo(INDEX).max  # of inputs and of samples: kernels number both with INDEX
AXES_MAX = 63  # of inputs: an array of NumPy has 64 at most, and one counts samples
UNNAMED_MAX = 1 << 16  # classes that labels alone may claim; a stray label would otherwise cost gigabytes


class SpikeArrays(NamedTuple):
    """What a data set is made of; what a reader returns and a writer takes.

    A reader may leave any integer and real dtypes here; after ``checked`` they are those
    named below, C-contiguous and read-only.
    """

    indptr: np.ndarray  # (n_samples + 1,) int64: sample s has the spikes indptr[s] to indptr[s + 1]
    indices: np.ndarray  # (n_spikes,) int32: inputs, sorted by (time, input) within a sample
    timestamps: np.ndarray  # (n_spikes,) float32: times in [0, max_time)
    labels: np.ndarray | None  # (n_samples,) int32: classes in [0, n_classes); None: nobody knows them
    n_inputs: int
    max_time: float  # compared as float32
    # (n_classes,) the caller's own labels, sorted; None: 0 to the largest label, and without labels no class
    classes: np.ndarray | None = None
    classes_assumed: bool = False  # the file numbers its classes but does not say which they are
    input_shape: tuple[int, ...] | None = None  # axes that number the inputs, the last one fastest; None: one axis
    mapped: bool = False  # spikes are in a file, or were copied from one, to which others can write after the check


def checked(arrays: SpikeArrays, place: str = "", owned: bool = False) -> SpikeArrays:
    """Return ``arrays`` with the dtypes, order and flags of a data set, or say what is wrong with them.

    Parameters
    ----------
    arrays : SpikeArrays
        Anything that ``numpy.asarray`` takes in the place of an array.
    place : str
        What an error names first, such as a file.
    owned : bool
        The arrays are given away and taken as they are where that is possible.
        Otherwise an array that somebody could still write to is copied.

    Raises
    ------
    DataError
        At the first rule broken, with the sample and the spike.
    """
    place = f"{place}: " if place else ""
    n_inputs = input_count(arrays.n_inputs, f"{place}n_inputs")
    max_time = end_of_time(arrays.max_time, f"{place}max_time")
    mapped = is_mapped(arrays.indices) or is_mapped(arrays.timestamps)
    indptr = integers(own(arrays.indptr), OFFSET, f"{place}indptr", owned)
    indices = integers(arrays.indices, INDEX, f"{place}indices", owned)
    timestamps = times(arrays.timestamps, f"{place}timestamps", owned)
    axes = (n_inputs,) if arrays.input_shape is None else arrays.input_shape
    input_shape = input_axes(axes, n_inputs, f"{place}input_shape")
    labels = None if arrays.labels is None else integers(own(arrays.labels), INDEX, f"{place}labels", owned)

    name, n_samples = ("indptr", len(indptr) - 1) if labels is None else ("labels", len(labels))
    require(1 <= n_samples <= COUNT_MAX, f"{place}{name}", f"must be 1 to {COUNT_MAX} samples", n_samples, DataError)
    check_indptr(indptr, n_samples, len(indices), f"{place}indptr")
    require(
        len(timestamps) == len(indices),
        f"{place}timestamps",
        f"must be as many as indices, {len(indices)}",
        len(timestamps),
        DataError,
    )
    classes = check_labels(labels, arrays.classes, place)

    finding, sample, spike = check_spikes(indptr, indices, timestamps.view(np.int32), n_inputs, time_bits(max_time))
    if finding == "ties":
        indices, timestamps = writeable(indices), writeable(timestamps)
        order_ties(indptr, indices, timestamps.view(np.int32))
    elif finding != "canonical":
        k = int(indptr[sample]) + spike
        rule, found = {
            "input": (f"input index must be in [0, {n_inputs})", int(indices[k])),
            "time": (f"time must be in [0, {max_time})", short(timestamps[k])),
            "order": (f"times must not fall, and {timestamps[k - 1]} comes before", short(timestamps[k])),
            "repeat": ("an input must not spike twice", int(indices[k])),
        }[finding]
        require(False, f"{place}sample {sample}, spike {spike}", rule, found, DataError)
    spikes = indptr, indices, timestamps, labels
    return frozen(SpikeArrays(*spikes, n_inputs, max_time, classes, arrays.classes_assumed, input_shape, mapped))


def frozen(arrays: SpikeArrays) -> SpikeArrays:
    """Forbid writing to ``arrays``, which nobody else may hold."""
    for array in (arrays.indptr, arrays.indices, arrays.timestamps, arrays.labels, arrays.classes):
        if array is not None:
            array.flags.writeable = False
    return arrays


def input_count(found: int, place: str) -> int:
    """Return a number of inputs as an int."""
    try:
        n_inputs = 0 if isinstance(found, (bool, np.bool_)) else operator.index(found)
    except TypeError:
        n_inputs = 0
    require(1 <= n_inputs <= COUNT_MAX, place, f"must be a whole number in [1, {COUNT_MAX}]", found, DataError)
    return n_inputs


def input_axes(found: Any, n_inputs: int, place: str) -> tuple[int, ...]:
    """Return the axes that number ``n_inputs`` as a tuple of int."""
    try:
        axes = tuple(0 if isinstance(side, (bool, np.bool_)) else operator.index(side) for side in found)
    except TypeError:
        axes = ()
    ok = 1 <= len(axes) <= AXES_MAX and min(axes) >= 1 and math.prod(axes) == n_inputs
    require(
        ok, place, f"must be whole numbers >= 1 whose product is {n_inputs}, the number of inputs", found, DataError
    )
    return axes


def end_of_time(found: float, place: str, error: type[SpikennError] = DataError) -> float:
    """Return ``max_time`` as a float."""
    try:
        max_time = math.nan if isinstance(found, (bool, np.bool_, str, bytes)) else float(found)
    except (TypeError, ValueError, OverflowError):
        max_time = math.nan
    with np.errstate(all="ignore"):
        rounded = float(STAMP.type(max_time))
    require(0 < rounded < math.inf, place, "must be a finite number > 0", found, error)
    return max_time


def moment(found: float, place: str, end: float) -> np.float32:
    """Return a time within a sample as kernels compare it."""
    require(is_real(found) and 0 <= found <= end, place, f"must be a number from 0 to {end:g}", found, DataError)
    return np.float32(found)


def time_bits(time: float) -> int:
    """Return the bits of ``time``, rounded to float32, as the integer that kernels compare."""
    return int(STAMP.type(time).view(np.int32))


def short(time: np.float32) -> float:
    """Return ``time`` as the float with the fewest digits that rounds to it."""
    return float(str(time))


def integers(value: npt.ArrayLike, dtype: np.dtype, place: str, owned: bool) -> np.ndarray:
    """Return ``value`` as a vector of ``dtype``; a number it cannot hold is refused, not wrapped."""
    array = vector(value, "iu", "whole numbers", place)
    if array.size and not np.can_cast(array.dtype, dtype):
        bounds = np.iinfo(dtype)
        low, high = int(array.min()), int(array.max())
        found = low if low < bounds.min else high
        require(bounds.min <= low and high <= bounds.max, place, f"must fit {dtype.name}", found, DataError)
    return settled(array, dtype, owned)


def times(value: npt.ArrayLike, place: str, owned: bool) -> np.ndarray:
    """Return ``value`` as a vector of float32."""
    with np.errstate(all="ignore"):  # what overflows becomes inf, which the check of the spikes refuses
        return settled(vector(value, "fiu", "real numbers", place), STAMP, owned)


def vector(value: npt.ArrayLike, kinds: str, what: str, place: str) -> np.ndarray:
    """Return ``value`` as an array with one axis and a dtype of one of ``kinds``."""
    require_unmasked(value, place, "leave out what is masked")
    try:
        array = value if isinstance(value, np.memmap) else np.asarray(value)
    except (TypeError, ValueError, OverflowError) as problem:
        raise DataError(f"{place}: must be an array of {what}, got {type(value).__name__}") from problem
    if array.size == 0 and not isinstance(value, np.ndarray):
        array = array.astype(np.uint8)  # numpy takes an empty list for float64
    require(array.dtype.kind in kinds, place, f"must be {what}", array.dtype, DataError)
    require(array.ndim == 1, place, "must have one axis", array.shape, DataError)
    return array


def settled(array: np.ndarray, dtype: np.dtype, owned: bool) -> np.ndarray:
    """Return ``array``, or a copy where its dtype or layout is another or somebody could write to it."""
    flags = array.flags
    if array.dtype == dtype and flags.c_contiguous and flags.aligned and (owned or unwriteable(array)):
        return array
    return np.array(array, dtype=dtype, order="C")


def unwriteable(array: np.ndarray) -> bool:
    """Tell whether nobody can write to an array's memory, through it or through what it is a view of."""
    owner: Any = array
    while isinstance(owner, np.ndarray):
        if owner.flags.writeable:
            return False
        owner = owner.base
    try:
        return owner is None or memoryview(owner).readonly
    except TypeError:
        return False


def is_mapped(value: npt.ArrayLike) -> bool:
    """Tell whether an array's memory is that of a file, to which others can write."""
    owner: Any = value
    while isinstance(owner, np.ndarray):
        owner = owner.base
    return isinstance(owner, mmap.mmap)


def own(value: npt.ArrayLike) -> npt.ArrayLike:
    """Return the numbers of samples, which kernels take for positions; copied where others can write to them."""
    return np.array(value) if is_mapped(value) else value


def writeable(array: np.ndarray) -> np.ndarray:
    """Return ``array`` or, where it is mapped or read-only, a copy."""
    return array if array.flags.writeable else np.array(array)


def check_indptr(indptr: np.ndarray, n_samples: int, n_spikes: int, place: str, what: str = "spikes") -> None:
    """Raise unless ``indptr`` cuts ``n_spikes`` spikes, or what else they are, into ``n_samples`` samples."""
    rule = f"must be one more than labels, {n_samples + 1}"
    require(len(indptr) == n_samples + 1, place, rule, len(indptr), DataError)
    require(indptr[0] == 0, place, "must start at 0", int(indptr[0]), DataError)
    falls = indptr[1:] < indptr[:-1]
    if falls.any():
        s = int(falls.argmax())
        require(False, f"{place}, sample {s}", f"must not fall below {indptr[s]}", int(indptr[s + 1]), DataError)
    require(indptr[-1] == n_spikes, place, f"must end at the number of {what}, {n_spikes}", int(indptr[-1]), DataError)


def check_labels(labels: np.ndarray | None, classes: npt.ArrayLike | None, place: str) -> np.ndarray:
    """Return the classes of ``labels``, which must be numbers of theirs."""
    if labels is None:
        require(classes is None, f"{place}classes", "must come with labels", classes, DataError)
        return no_classes()
    if classes is None:
        n_classes = max(UNNAMED_MAX, len(labels))
    else:
        classes = class_names(classes, f"{place}classes")
        n_classes = len(classes)
        in_order = n_classes > 0 and bool(np.all(classes[1:] > classes[:-1]))
        require(in_order, f"{place}classes", "must be sorted, each once, at least one", classes.tolist(), DataError)
    wrong = (labels < 0) | (labels >= n_classes)
    if wrong.any():
        s = int(wrong.argmax())
        require(False, f"{place}sample {s}", f"label must be in [0, {n_classes})", int(labels[s]), DataError)
    return np.arange(labels.max() + 1, dtype=np.int64) if classes is None else classes
