"""``SpikingDataset``, the one form in which spikes, labelled or not, reach every network."""

import operator
import os
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from typing import overload

import numpy as np
import numpy.typing as npt

from spikenn_cy.data import READERS
from spikenn_cy.data._dense import fill_rows
from spikenn_cy.data._take import take_samples
from spikenn_cy.data.arrays import SpikeArrays
from spikenn_cy.data.arrays import checked
from spikenn_cy.data.arrays import frozen
from spikenn_cy.data.arrays import input_axes
from spikenn_cy.data.arrays import moment
from spikenn_cy.data.dense import from_blocks
from spikenn_cy.data.dense import from_dense
from spikenn_cy.data.events import Window
from spikenn_cy.data.events import from_events
from spikenn_cy.data.events import from_tonic
from spikenn_cy.data.joining import Kind
from spikenn_cy.data.joining import joined
from spikenn_cy.data.spikes import write
from spikenn_cy.data.splitting import shared_out
from spikenn_cy.data.summary import facts_of
from spikenn_cy.data.summary import lines_of
from spikenn_cy.data.suspicion import look_at_dense
from spikenn_cy.dtypes import INDEX
from spikenn_cy.dtypes import OFFSET
from spikenn_cy.dtypes import STAMP
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.errors import require_one_of
from spikenn_cy.errors import shown
from spikenn_cy.utils.tables import as_html
from spikenn_cy.utils.validation import is_real


class SpikingDataset:
    """Samples, each a list of input spikes sorted by time, and their labels where these are known; immutable.

    Sample ``s`` has the spikes ``indptr[s]`` to ``indptr[s + 1]`` of ``indices`` (which
    input) and ``timestamps`` (when). An input spikes once at most; one that does not is
    silent. Spikes of equal time are kept in the order of their inputs.

    Parameters
    ----------
    indptr : array_like of int, shape (n_samples + 1,)
        From 0 to ``n_spikes``, never falling.
    indices : array_like of int, shape (n_spikes,)
        Inputs, in ``[0, n_inputs)``. Inside a tie in any order.
    timestamps : array_like of real numbers, shape (n_spikes,)
        Times in ``[0, max_time)``, rising or equal within a sample. Rounded to float32.
    labels : array_like of int, shape (n_samples,), or None
        Class numbers in ``[0, n_classes)``. None: samples to decide on, whose classes nobody knows yet.
    n_inputs : int
        At least 1.
    max_time : float, default=1.0
        End of a sample, in the unit of the timestamps; compared as float32.
    classes : array_like of int or str, shape (n_classes,), optional
        Your own name of each class, sorted. Default: 0 to the largest label.
    input_shape : sequence of int, optional
        Axes that number the inputs, the last one fastest: ``(height, width)`` or ``(height,
        width, channels)`` for images, whose input ``(y * width + x) * channels + c`` is
        channel ``c`` of the pixel in row ``y`` and column ``x``. Default: ``(n_inputs,)``.

    Raises
    ------
    DataError
        At the first rule broken, with the sample and the spike.

    Notes
    -----
    An array is copied unless nobody can write to it, and it has the dtype kept here.
    """

    __slots__ = ("__weakref__", "_arrays", "_source")

    def __init__(
        self,
        indptr: Any,
        indices: Any,
        timestamps: Any,
        labels: Any,
        n_inputs: int,
        max_time: float = 1.0,
        classes: Any = None,
        input_shape: Any = None,
    ) -> None:
        spikes = indptr, indices, timestamps, labels
        self._arrays = checked(SpikeArrays(*spikes, n_inputs, max_time, classes, input_shape=input_shape))
        self._source: str | None = None

    @classmethod
    def from_numpy(cls, X: npt.ArrayLike, y: npt.ArrayLike | None = None, max_time: float = 1.0) -> "SpikingDataset":
        """Make a data set of dense spike times.

        Parameters
        ----------
        X : array_like of real numbers, shape (n_samples, D1, ..., DN)
            Time of each input's spike, rounded to float32. From ``max_time`` on, infinity
            included, an input is silent. A memory-mapped array is read in chunks.
        y : array_like of int or str, shape (n_samples,), optional
            Labels, numbered in sorted order; ``classes`` keeps the originals. Without them the set is unlabelled.
        max_time : float, default=1.0
            End of a sample, in the unit of ``X``; rounded to float32 for the comparison.

        Returns
        -------
        SpikingDataset
            Inputs are numbered as in ``X.reshape(n_samples, -1)``, and ``input_shape`` is
            ``(D1, ..., DN)``.

        Raises
        ------
        DataError
            If a time is negative or NaN (its position is named), or a shape or dtype is wrong.

        Warns
        -----
        DataWarning
            If no input fires in several samples, or if, in ten or more, over half of the values are silent or nearly
            all spikes are at one time. Raw features look like that.
        """
        spikes = from_dense(X, y, max_time)
        look_at_dense(spikes, "X", X)
        return cls._trusted(spikes)

    @classmethod
    def from_blocks(
        cls, blocks: Iterable[npt.ArrayLike], y: npt.ArrayLike | None = None, max_time: float = 1.0
    ) -> "SpikingDataset":
        """Make a data set of dense spike times that come some samples at a time.

        Parameters
        ----------
        blocks : iterable of array_like of real numbers, shape (n, D1, ..., DN) each
            What ``from_numpy`` would take as one array. Only one block is in memory at a
            time; to have the spikes in a file without ever holding them all, see
            ``spikenn_cy.data.writer.DatasetWriter``.
        y : array_like of int or str, shape (n_samples,), optional
            Labels of the samples of all blocks. Without them the set is unlabelled.
        max_time : float, default=1.0
            End of a sample.

        Raises
        ------
        DataError
            As ``from_numpy``, or if the blocks do not go together or are not as many as ``y``.

        Warns
        -----
        DataWarning
            As ``from_numpy``.
        """
        spikes = from_blocks(blocks, y, max_time)
        look_at_dense(spikes, "X")
        return cls._trusted(spikes)

    @classmethod
    def _computed(
        cls, blocks: Iterable[npt.ArrayLike], y: npt.ArrayLike | None = None, max_time: float = 1.0
    ) -> "SpikingDataset":
        """Return a data set of times that an encoder or a layer computed, so that silent ones are meant to be."""
        return cls._trusted(from_blocks(blocks, y, max_time))

    @classmethod
    def from_events(
        cls,
        x: npt.ArrayLike,
        y: npt.ArrayLike,
        polarity: npt.ArrayLike,
        t: npt.ArrayLike,
        offsets: npt.ArrayLike,
        labels: npt.ArrayLike | None = None,
        *,
        sensor_size: Iterable[int],
        duration: float,
        start: npt.ArrayLike | None = None,
        max_time: float = 1.0,
    ) -> "SpikingDataset":
        """Make a data set of event camera recordings, one after the other in the same arrays.

        Of each pixel and polarity, the first event in a window is a spike at
        ``(t - start) / duration * max_time``, rounded to float32 and kept below ``max_time``.
        All others are dropped.

        Parameters
        ----------
        x, y : array_like of int, shape (n_events,)
            Column, in ``[0, width)``, and row, in ``[0, height)``. The events of a recording
            may be in any order.
        polarity : array_like of int or bool, shape (n_events,)
            1 for brighter, 0 or -1 (but not both) for darker. May be None for a sensor of one
            polarity.
        t : array_like of real numbers, shape (n_events,)
            Times in any unit. Whole numbers, such as microseconds, are subtracted before they
            are rounded, so a clock that started long ago costs no precision.
        offsets : array_like of int, shape (n_recordings + 1,)
            Recording ``r`` has the events ``offsets[r]`` to ``offsets[r + 1]``, none perhaps.
        labels : array_like of int or str, shape (n_recordings,), optional
            Numbered in sorted order; ``classes`` keeps the originals. Without them the set is unlabelled.
        sensor_size : tuple of int
            ``(width, height)`` or, as in tonic, ``(width, height, n_polarities)``. With one
            polarity, a pixel is one input whatever the polarity of its events.
        duration : float
            Length of the window, in the unit of ``t``. The end is not part of it. There is no
            default, since training and test data must have the same.
        start : float or array_like of float, shape (n_recordings,), optional
            Where the window starts, in the unit of ``t``. Default: at the first event of each
            recording.
        max_time : float, default=1.0
            Spike time at which the window ends.

        Returns
        -------
        SpikingDataset
            Input ``(polarity * height + y) * width + x``, so that ``to_dense()`` may be
            reshaped to ``(n_recordings, n_polarities, height, width)``. The ``input_shape``
            is ``(height, width)`` if there is one polarity, and one axis if there are two,
            since channels would have to come last. A recording without an event in its
            window has no spike.

        Raises
        ------
        DataError
            If a value is out of its range (recording and event are named), or a shape or
            dtype is wrong.

        Warns
        -----
        DataWarning
            If ``duration`` seems to be in another unit than ``t``: windows hold no event or one a recording, or nearly
            all spikes are in the first thousandth.
        """
        events = {"x": x, "y": y, "polarity": polarity, "t": t}
        return cls._trusted(from_events(events, offsets, labels, Window(sensor_size, duration, start, max_time)))

    @classmethod
    def from_tonic(
        cls,
        recordings: object,
        *,
        duration: float,
        sensor_size: Iterable[int] | None = None,
        start: npt.ArrayLike | None = None,
        max_time: float = 1.0,
        verbose: bool = False,
    ) -> "SpikingDataset":
        """Make a data set of recordings as the package tonic gives them, which is not needed here.

        They are read one at a time, so that together they may be larger than memory.

        Parameters
        ----------
        recordings : iterable or data set
            Of pairs of events and label, or of events alone, which make an unlabelled set.
            The events are a structured array with the fields ``x``, ``y``, ``t`` and ``p``, and any others; ``y`` may
            be missing on a sensor of one row, and ``p`` on one of one polarity.
        duration : float
            As in `from_events`; tonic's times are microseconds as a rule.
        sensor_size : tuple of int, optional
            Default: the attribute ``sensor_size`` of ``recordings``.
        start, max_time
            As in `from_events`.
        verbose : bool, default=False
            Show progress on stderr: a bar on a terminal or in a notebook, elsewhere a line a minute.

        Returns
        -------
        SpikingDataset
            As `from_events` makes it.

        Raises
        ------
        DataError
            If a value is out of its range, or something else is given than such recordings.

        Warns
        -----
        DataWarning
            As `from_events`.
        """
        return cls._trusted(from_tonic(recordings, Window(sensor_size, duration, start, max_time), verbose))

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> "SpikingDataset":
        """Read a data set: ``.npz`` as ``save`` writes it, memory-mapped, or the reference's ``.npy``.

        Raises
        ------
        DataError
            If the file cannot be read, or is not what its suffix says, or breaks a rule.
        """
        suffix = Path(path).suffix.lower()
        require_one_of(suffix, sorted(READERS), os.fspath(path), "suffix", DataError)
        return cls._trusted(checked(READERS[suffix](path), str(path), owned=True), str(path))

    @classmethod
    def concatenate(cls, datasets: "Iterable[SpikingDataset]") -> "SpikingDataset":
        """Return the samples of several data sets as one; its classes are those of all of them.

        Parameters
        ----------
        datasets : iterable of SpikingDataset
            Of the same inputs and time, all with labels or all without. The spikes are copied.

        Raises
        ------
        DataError
            If they do not go together.
        """
        given = list(datasets) if isinstance(datasets, Iterable) and not isinstance(datasets, SpikingDataset) else []
        require(len(given) > 0, "datasets", "must be a list of data sets, one at least", datasets, DataError)
        for number, part in enumerate(given):
            ok = isinstance(part, SpikingDataset)
            require(ok, f"datasets[{number}]", "must be a SpikingDataset", type(part).__name__, DataError)
        places = [part.source or f"datasets[{number}]" for number, part in enumerate(given)]
        return cls._trusted(joined([part._arrays for part in given], [part._kind for part in given], places))

    @classmethod
    def _trusted(cls, arrays: SpikeArrays, source: str | None = None) -> "SpikingDataset":
        """Make a data set of arrays that are checked already and that nobody else writes to."""
        dataset = cls.__new__(cls)
        dataset._arrays = frozen(arrays)
        dataset._source = source
        return dataset

    @property
    def indptr(self) -> np.ndarray:
        """First spike of each sample, and the end: int64, shape (n_samples + 1,)."""
        return self._arrays.indptr

    @property
    def indices(self) -> np.ndarray:
        """Input of each spike: int32, shape (n_spikes,)."""
        return self._arrays.indices

    @property
    def timestamps(self) -> np.ndarray:
        """Time of each spike, in ``[0, max_time)``: float32, shape (n_spikes,)."""
        return self._arrays.timestamps

    @property
    def labels(self) -> "np.ndarray | Any":  # not `| None`: who has labelled data need not ask at each use
        """Class number of each sample, which ``classes`` names: int32, shape (n_samples,). None if unlabelled."""
        return self._arrays.labels

    @property
    def classes(self) -> np.ndarray:
        """Original label of each class, int or str, shape (n_classes,); of an unlabelled set none."""
        classes = self._arrays.classes
        assert classes is not None  # `checked` gives them to arrays that have none
        return classes

    @property
    def classes_assumed(self) -> bool:
        """Whether ``classes`` are mere numbers because the file has no originals; forgotten by ``save``."""
        return self._arrays.classes_assumed

    @property
    def n_inputs(self) -> int:
        """Number of inputs, silent ones included."""
        return self._arrays.n_inputs

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Axes that number the inputs, the last one fastest: ``(height, width[, channels])`` or ``(n_inputs,)``."""
        return self._arrays.input_shape or (self.n_inputs,)

    @property
    def n_classes(self) -> int:
        """Number of classes, those without a sample included."""
        return len(self.classes)

    @property
    def max_time(self) -> float:
        """End of a sample, in the unit of the timestamps."""
        return self._arrays.max_time

    @property
    def _mapped(self) -> bool:
        """Whether the spikes are, or are copies of, what others could write to after it was checked."""
        return self._arrays.mapped

    def _with_own_inputs(self) -> "SpikingDataset":
        """Return the same data with a copy of the inputs, so that no loop has to look at them sample by sample."""
        indices = np.array(self.indices)
        ok = indices.size == 0 or (indices.min() >= 0 and indices.max() < self.n_inputs)
        require(ok, self.source or "data", "must stay as it is while it is used", "a changed file", DataError)
        return self._trusted(self._arrays._replace(indices=indices, mapped=False), self._source)

    @property
    def _kind(self) -> Kind:
        """All in which data sets must be alike to become one."""
        return Kind(self.n_inputs, self.input_shape, self.max_time, self.labels is not None, self.classes.dtype)

    @property
    def source(self) -> str | None:
        """File the data set came from, for messages."""
        return self._source

    def __len__(self) -> int:
        return len(self._arrays.indptr) - 1

    def __repr__(self) -> str:
        inputs = " x ".join(map(str, self.input_shape))
        classes = "unlabelled" if self.labels is None else f"{self.n_classes} classes"
        return (
            f"SpikingDataset({len(self)} samples, {inputs} inputs, {classes}, "
            f"{len(self.indices)} spikes, max_time={self.max_time})"
        )

    @overload
    def __getitem__(self, key: int | np.integer) -> tuple[np.ndarray, np.ndarray, int | Any]: ...

    @overload
    def __getitem__(self, key: "slice | np.ndarray | Sequence[int] | Sequence[bool]") -> "SpikingDataset": ...

    def __getitem__(self, key: object) -> "tuple[np.ndarray, np.ndarray, int | Any] | SpikingDataset":
        """Return one sample, ``(indices, timestamps, label)``, or a data set of several.

        The label is a class number, ``classes[label]`` the original; None if the set is unlabelled.

        ``key`` is a whole number, a slice, or an array of whole numbers or of one truth
        value a sample; counted from the end if negative. Several samples keep the classes
        of their parent, and a slice without a step shares its memory.

        Raises
        ------
        IndexError
            If ``key`` is none of these or out of range.
        """
        if isinstance(key, slice):
            return self._slice(key)
        number = sample_number(key, len(self))
        return self._take(sample_numbers(key, len(self))) if number is None else self._sample(number)

    def __iter__(self) -> "Iterator[tuple[np.ndarray, np.ndarray, int | Any]]":
        return map(self._sample, range(len(self)))

    def _sample(self, number: int) -> tuple[np.ndarray, np.ndarray, int | Any]:
        indptr, indices, timestamps, labels, *_ = self._arrays
        start, stop = indptr[number], indptr[number + 1]
        return indices[start:stop], timestamps[start:stop], None if labels is None else int(labels[number])

    def _slice(self, key: slice) -> "SpikingDataset":
        try:
            first, last, step = key.indices(len(self))
        except (TypeError, ValueError) as problem:
            rule = "a slice of samples must be of whole numbers, its step not 0"
            raise IndexError(f"{rule}, got {shown(key)}") from problem
        if step != 1:
            return self._take(np.arange(first, last, step, dtype=OFFSET))
        indptr, indices, timestamps, labels, *_ = self._arrays
        last = max(first, last)
        start, stop = indptr[first], indptr[last]
        part = indices[start:stop], timestamps[start:stop], None if labels is None else labels[first:last]
        return self._part(indptr[first : last + 1] - start, *part)

    def _take(self, numbers: np.ndarray) -> "SpikingDataset":
        arrays = self._arrays
        indptr = np.zeros(len(numbers) + 1, dtype=OFFSET)
        np.cumsum(np.diff(arrays.indptr)[numbers], out=indptr[1:])
        indices, timestamps = np.empty(indptr[-1], dtype=INDEX), np.empty(indptr[-1], dtype=STAMP)
        take_samples(arrays.indptr, arrays.indices, arrays.timestamps, numbers, indptr, indices, timestamps)
        labels = None if arrays.labels is None else arrays.labels[numbers]
        return self._part(indptr, indices, timestamps, labels)

    def _part(
        self, indptr: np.ndarray, indices: np.ndarray, timestamps: np.ndarray, labels: np.ndarray | None
    ) -> "SpikingDataset":
        """Return the data set of some of the samples."""
        arrays = self._arrays._replace(indptr=indptr, indices=indices, timestamps=timestamps, labels=labels)
        return self._trusted(arrays, self._source)

    def renumbered(self, labels: np.ndarray, classes: np.ndarray) -> "SpikingDataset":
        """Return the same spikes under other class numbers, both arrays as ``match_classes`` makes them."""
        arrays = self._arrays._replace(labels=labels, classes=classes, classes_assumed=False)
        return self._trusted(arrays, self._source)

    def until(self, time: float) -> "SpikingDataset":
        """Return the samples as far as a time: without the spikes that come later, and with the same end.

        Parameters
        ----------
        time : float
            From 0 to ``max_time``, rounded to float32 as spike times are. Spikes at that very time are kept.

        Raises
        ------
        DataError
            If it is no such number.
        """
        kept = self.timestamps <= moment(time, "time", self.max_time)
        indptr = np.zeros(len(kept) + 1, dtype=OFFSET)
        np.cumsum(kept, out=indptr[1:])
        return self._part(indptr[self.indptr], self.indices[kept], self.timestamps[kept], self.labels)

    def split(self, *shares: float, seed: int = 0, stratify: bool = True) -> "tuple[SpikingDataset, ...]":
        """Return data sets among which the samples are shared out by chance.

        Parameters
        ----------
        *shares : float
            What each of them gets, such as ``0.8, 0.1, 0.1``; their sum is 1.
        seed : int, default=0
            The same seed makes the same parts.
        stratify : bool, default=True
            Whether each part gets its share of each class, up to a sample or two, where there are labels.

        Returns
        -------
        tuple of SpikingDataset
            With the classes of this one, samples in a random order.

        Raises
        ------
        DataError
            If shares are nonsense, or a part would have no sample.

        Examples
        --------
        >>> dataset = SpikingDataset.from_numpy([[0.1], [0.2], [0.3], [0.4]], ["cat", "cat", "dog", "dog"])
        >>> train, test = dataset.split(0.5, 0.5, seed=0)
        >>> sorted(train.classes[train.labels])
        [np.str_('cat'), np.str_('dog')]
        """
        require(isinstance(stratify, bool), "stratify", "must be true or false", stratify, DataError)
        parts = shared_out(len(self), self.labels if stratify else None, shares, seed)
        return tuple(self[numbers] for numbers in parts)

    def summary(self) -> str:
        """Return in a few lines what the data set holds: classes, spikes, silence and times."""
        return lines_of(facts_of(self))

    def _repr_html_(self) -> str:
        return as_html("SpikingDataset", [("what", "value"), *facts_of(self)])

    def reshaped(self, input_shape: Any) -> "SpikingDataset":
        """Return the same spikes, which are shared, with other axes to number the inputs.

        Parameters
        ----------
        input_shape : sequence of int
            Such as ``(height, width, channels)``, the last one fastest. An input keeps its
            number, so data whose channels come first must be put in order before.

        Raises
        ------
        DataError
            If the product is not ``n_inputs``.
        """
        axes = input_axes(input_shape, self.n_inputs, "input_shape")
        return self._trusted(self._arrays._replace(input_shape=axes), self._source)

    def to_dense(self, silent: float | None = None) -> np.ndarray:
        """Return the spike times as an array of float32, shape (n_samples, n_inputs).

        Parameters
        ----------
        silent : float, optional
            Time of an input that does not spike. Default: ``max_time``.

        Raises
        ------
        DataError
            If ``silent`` is not a real number.
        """
        silent = self.max_time if silent is None else silent
        require(is_real(silent), "silent", "must be a real number", silent, DataError)
        rows = np.full((len(self), self.n_inputs), silent, dtype=STAMP)
        ok = fill_rows(self.indptr, self.indices, self.timestamps, rows)
        place = self.source or "data"
        require(ok, place, "must stay as it is while it is used", "a changed file", DataError)
        return rows

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the data set to ``path``, an ``.npz`` file that ``from_file`` can map; whole or not at all.

        Raises
        ------
        DataError
            If the suffix is another, there is no sample, or the file cannot be written.
        """
        require(Path(path).suffix.lower() == ".npz", str(path), "suffix must be .npz", Path(path).suffix, DataError)
        require(len(self) >= 1, str(path), "a data set must have at least one sample to be saved", 0, DataError)
        write(path, self._arrays)

    def __reduce__(self) -> tuple[Any, ...]:
        # Pickles the arrays, not the path of the file: another process may not see it, or find it changed.
        plain = (np.asarray(part) if isinstance(part, np.ndarray) else part for part in self._arrays)
        return type(self)._trusted, (SpikeArrays._make(plain), self._source)


def sample_number(key: Any, n_samples: int) -> int | None:
    """Return ``key`` as a number in ``[0, n_samples)``, or None if it is not a whole number at all."""
    if isinstance(key, (bool, np.bool_)):
        return None
    try:
        number = operator.index(key)
    except TypeError:
        return None
    if not -n_samples <= number < n_samples:
        raise IndexError(f"a sample number must be in [{-n_samples}, {n_samples}), got {shown(key)}")
    return number % n_samples


def sample_numbers(key: object, n_samples: int) -> np.ndarray:
    """Return an array of sample numbers, or of one truth value a sample, as numbers in ``[0, n_samples)``."""
    try:
        numbers = np.asarray(key)
    except ValueError:  # a ragged list
        numbers = np.empty(0, dtype=object)
    if isinstance(key, list) and not key:
        numbers = np.empty(0, dtype=OFFSET)  # NumPy makes an empty list floats
    if numbers.dtype == bool and numbers.shape == (n_samples,):
        return np.flatnonzero(numbers).astype(OFFSET)
    if numbers.dtype.kind not in "iu" or numbers.ndim != 1 or isinstance(key, tuple):
        raise IndexError(
            f"samples are chosen by a number, a slice or a vector of whole numbers or of {n_samples} truth values, "
            f"got {shown(key)}"
        )
    wrong = (numbers < -n_samples) | (numbers >= n_samples)
    if wrong.any():
        raise IndexError(f"a sample number must be in [{-n_samples}, {n_samples}), got {numbers[wrong.argmax()]}")
    numbers = numbers.astype(OFFSET)
    return np.where(numbers < 0, numbers + n_samples, numbers)
