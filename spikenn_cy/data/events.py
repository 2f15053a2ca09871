"""Recordings of event cameras turned into lists of spikes: of each pixel and polarity the first event in a window."""

import operator
import warnings
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spikenn_cy.data._events import EventCollector
from spikenn_cy.data.arrays import COUNT_MAX
from spikenn_cy.data.arrays import SpikeArrays
from spikenn_cy.data.arrays import check_indptr
from spikenn_cy.data.arrays import end_of_time
from spikenn_cy.data.arrays import integers
from spikenn_cy.data.arrays import vector
from spikenn_cy.data.labels import number_classes
from spikenn_cy.data.suspicion import MOST_AT_ONCE
from spikenn_cy.dtypes import INDEX
from spikenn_cy.dtypes import OFFSET
from spikenn_cy.dtypes import STAMP
from spikenn_cy.errors import DataError
from spikenn_cy.errors import DataWarning
from spikenn_cy.errors import require
from spikenn_cy.utils.progress import Progress
from spikenn_cy.utils.validation import require_unmasked

PART = 1 << 14  # events at once: enough to hide the calls, few enough for their copies to stay in cache
TICK_MAX = np.iinfo(np.int64).max
SEVERAL = 3  # events of a recording, of which a window in the right unit would hold more than one
BEGINNING = 1e-3  # of a window
KINDS = {"x": "iu", "y": "iu", "polarity": "biu", "t": "iuf"}
WHAT = {
    "x": "whole numbers",
    "y": "whole numbers",
    "polarity": "0 and 1, -1 and 1, or truth values",
    "t": "real numbers",
}


class Sensor(NamedTuple):
    """What events come from."""

    width: int
    height: int
    n_polarities: int  # 2, or 1: both are the same input

    @property
    def n_inputs(self) -> int:
        return self.width * self.height * self.n_polarities

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Axes of the inputs; one if polarities come first, where networks would take rows to be."""
        return (self.height, self.width) if self.n_polarities == 1 else (self.n_inputs,)


class Events(NamedTuple):
    """Events in any order; arrays of shape (n_events,), ``polarity`` None if it makes no difference."""

    x: np.ndarray
    y: np.ndarray
    polarity: np.ndarray | None
    t: np.ndarray

    def part(self, start: int, stop: int) -> "Events":
        polarity = None if self.polarity is None else self.polarity[start:stop]
        return Events(self.x[start:stop], self.y[start:stop], polarity, self.t[start:stop])


class Clock(NamedTuple):
    """In which numbers times of a recording are compared, and where its window starts in them."""

    dtype: type
    start: float
    lowered: bool = False  # by 2^63, so that whole numbers without a sign keep their order and their differences

    def read(self, t: np.ndarray) -> np.ndarray:
        """Return times as the collector takes them."""
        if self.lowered:
            t = (t.astype(np.uint64) ^ np.uint64(TICK_MAX + 1)).view(np.int64)
        return np.require(t, self.dtype, ["C", "A"])


class Window(NamedTuple):
    """Which events of a recording count, and when; as ``SpikingDataset.from_events`` takes it, unchecked."""

    sensor_size: Iterable[int] | None
    duration: float
    start: npt.ArrayLike | None
    max_time: float


def from_events(
    events: Mapping[str, Any], offsets: npt.ArrayLike, labels: npt.ArrayLike | None, window: Window
) -> SpikeArrays:
    """Return the first spikes of recordings in the arrays ``x``, ``y``, ``polarity`` and ``t`` of ``events``.

    Other arguments and errors are as in ``SpikingDataset.from_events``.
    """
    reader = Reader(window)
    found = reader.checked(events)
    offsets = integers(offsets, OFFSET, "offsets", owned=True)
    require(len(offsets) >= 2, "offsets", "must be those of at least one recording", offsets.tolist(), DataError)
    n_recordings = len(offsets) - 1
    numbers, classes = number_classes(labels, n_recordings, "labels")
    check_indptr(offsets, n_recordings, len(found.t), "offsets", what="events")
    for recording in range(n_recordings):
        reader.add(found.part(offsets[recording], offsets[recording + 1]))
    return reader.finish(numbers, classes)


def from_tonic(recordings: object, window: Window, verbose: bool) -> SpikeArrays:
    """Return the first spikes of recordings; arguments and errors as in ``SpikingDataset.from_tonic``."""
    if window.sensor_size is None:
        window = window._replace(sensor_size=getattr(recordings, "sensor_size", None))
        rule = "must be given for recordings that do not have one"
        require(window.sensor_size is not None, "sensor_size", rule, None, DataError)
    reader = Reader(window)
    labels: list[Any] = []
    with Progress(length(recordings), "reading events", unit="recordings", show=verbose) as progress:
        for number, recording in enumerate(each(recordings)):
            place = f"sample {number}"
            pair = isinstance(recording, tuple | list) and len(recording) == 2
            rule = "must be a pair of events and label, or a structured array of events alone"
            require(pair or isinstance(recording, np.ndarray), place, rule, type(recording).__name__, DataError)
            found, label = recording if pair else (recording, None)
            reader.add(reader.checked(fields(found, reader.sensor, place), f"{place}: "))
            labels.append(label)
            rule = "must have a label as all others or none as all others"
            require((label is None) == (labels[0] is None), place, rule, label, DataError)
            progress.step()
    require(len(labels) >= 1, "recordings", "must be at least one", len(labels), DataError)
    return reader.finish(*number_classes(None if labels[0] is None else labels, len(labels), "labels"))


class Reader:
    """Collects recordings one after the other."""

    def __init__(self, window: Window) -> None:
        self.sensor = sensor_of(window.sensor_size)
        self.max_time = end_of_time(window.max_time, "max_time")
        self.duration = end_of_time(window.duration, "duration")
        self.starts = window_starts(window.start)
        latest = np.nextafter(STAMP.type(self.max_time), STAMP.type(0))
        self.collector = EventCollector(*self.sensor, self.duration, self.max_time, latest)
        self.ends = [0]
        self.n_events: list[int] = []  # of each recording
        self.longest = 0.0  # of all recordings: from first event to last

    def checked(self, given: Mapping[str, Any], place: str = "") -> Events:
        """Return arrays of equal length and fitting dtypes, whose values are still unchecked."""
        if given["polarity"] is None:
            rule = "may be left out only if the sensor has 1 polarity"
            require(self.sensor.n_polarities == 1, f"{place}polarity", rule, self.sensor.n_polarities, DataError)
        arrays = {
            name: vector(value, KINDS[name], WHAT[name], f"{place}{name}")
            for name, value in given.items()
            if name != "polarity" or value is not None
        }
        n_events = len(arrays["t"])
        for name, array in arrays.items():
            rule = f"must be as many as t, {n_events}"
            require(len(array) == n_events, f"{place}{name}", rule, len(array), DataError)
        return Events(arrays["x"], arrays["y"], arrays.get("polarity"), arrays["t"])

    def add(self, events: Events) -> None:
        """Add the next recording."""
        number = len(self.ends) - 1
        clock = self._clock(events.t, number)
        nothing = np.zeros(PART if events.polarity is None else 0, np.int64)
        for first in range(0, len(events.t), PART):
            x, y, polarity, t = events.part(first, first + PART)
            polarity = nothing[: len(t)] if polarity is None else signed(polarity)
            finding, event = self.collector.add(signed(x), signed(y), polarity, clock.read(t), clock.start)
            if finding != "sound":
                self._refuse(events, finding, number, first + event)
        if self.collector.zero_seen and self.collector.minus_seen:
            rule = "must be 0 and 1, or -1 and 1, in all recordings"
            require(False, f"sample {number}: polarity", rule, "-1 and 0", DataError)
        self.ends.append(self.collector.close())
        self.n_events.append(len(events.t))
        if len(events.t):
            self.longest = max(self.longest, float(events.t.max()) - float(events.t.min()))

    def _clock(self, t: np.ndarray, number: int) -> Clock:
        """Return how to compare the times of a recording."""
        if self.starts is None:
            with np.errstate(all="ignore"):  # an undefined time is refused where it stands
                start = t.min() if len(t) else 0
        elif self.starts.ndim == 0:
            start = self.starts[()]
        else:
            n_starts = len(self.starts)
            require(number < n_starts, "start", "must be one number or one for each recording", n_starts, DataError)
            start = self.starts[number]
        # Ticks stay whole, since a clock of nanoseconds since 1970 has more digits than a double.
        if t.dtype.kind == "f" or not float(start).is_integer():
            return Clock(np.float64, float(start))
        ticks = int(start)
        if t.dtype == np.uint64 and len(t) and t.max() > TICK_MAX:
            rule = f"must be in [0, {2 * TICK_MAX + 1}], in which whole numbers of t are"
            require(0 <= ticks <= 2 * TICK_MAX + 1, "start", rule, ticks, DataError)
            return Clock(np.int64, ticks - TICK_MAX - 1, lowered=True)
        return Clock(np.int64, ticks) if abs(ticks) <= TICK_MAX else Clock(np.float64, float(start))

    def _refuse(self, events: Events, finding: str, number: int, event: int) -> None:
        rule = {
            "x": f"must be in [0, {self.sensor.width}), the sensor's width",
            "y": f"must be in [0, {self.sensor.height}), the sensor's height",
            "polarity": "must be 0 or 1, or -1 or 1",
            "t": "must be a finite number",
        }[finding]
        found = getattr(events, finding)[event].item()
        require(False, f"sample {number}, event {event}: {finding}", rule, found, DataError)

    def finish(self, labels: np.ndarray | None, classes: np.ndarray) -> SpikeArrays:
        """Return the spikes of all recordings, which have these labels or none."""
        n_recordings = len(self.ends) - 1
        if self.starts is not None and self.starts.ndim == 1:
            rule = f"must be one number or one for each of {n_recordings} recordings"
            require(len(self.starts) == n_recordings, "start", rule, len(self.starts), DataError)
        indices, timestamps = self.collector.finish()
        slip = self._slip(np.frombuffer(timestamps, STAMP))
        if slip:
            text = f"{slip}; recordings last up to {self.longest:g}; is it in the unit of t?"
            warnings.warn(DataWarning(f"duration: {text}"), stacklevel=4)
        return SpikeArrays(
            np.array(self.ends, OFFSET),
            np.frombuffer(indices, INDEX),
            np.frombuffer(timestamps, STAMP),
            labels,
            self.sensor.n_inputs,
            self.max_time,
            classes,
            input_shape=self.sensor.input_shape,
        )

    def _slip(self, times: np.ndarray) -> str:
        """Return what makes a window of another unit likely, "" if nothing does."""
        n_recordings, window = len(self.n_events), f"its window, {self.duration:g} long"
        if not len(times):
            return f"none of {n_recordings} recordings has an event in {window}"
        full = np.array(self.n_events) >= SEVERAL
        lone = np.count_nonzero(full & (np.diff(self.ends) <= 1))
        if lone > np.count_nonzero(full) / 2:
            return f"{lone} of {n_recordings} recordings have one event at most in {window}"
        early = np.count_nonzero(times < self.max_time * BEGINNING)
        if self.longest > 0 and early >= MOST_AT_ONCE * len(times):
            share = f"{100 * early / len(times):.0f} % of {len(times):,} spikes"
            return f"{share} are in the first {times.max() / self.max_time:.1g} of {window}"
        return ""


def sensor_of(found: Any) -> Sensor:
    """Return a sensor's size as given by the user."""
    rule = "must be (width, height) or (width, height, polarities), whole numbers >= 1"
    try:
        size = [-1 if isinstance(n, bool | np.bool_) else operator.index(n) for n in found]
    except TypeError:
        size = []
    require(len(size) in (2, 3) and min(size) >= 1, "sensor_size", rule, found, DataError)
    sensor = Sensor(*[*size, 2][:3])
    require(sensor.n_polarities <= 2, "sensor_size", "must have 1 or 2 polarities", sensor.n_polarities, DataError)
    require(sensor.n_inputs <= COUNT_MAX, "sensor_size", f"must make at most {COUNT_MAX} inputs", found, DataError)
    return sensor


def window_starts(start: npt.ArrayLike | None) -> np.ndarray | None:
    """Return where windows start, an array of one number or of one a recording; None: at their first events."""
    if start is None:
        return None
    rule = "must be a number, one number a recording, or None"
    require_unmasked(start, "start", rule)
    try:
        starts = np.asarray(start)
    except ValueError:  # a ragged list
        starts = np.empty(0, dtype=object)
    ok = starts.dtype.kind in "iuf" and starts.ndim <= 1
    require(ok, "start", rule, start, DataError)
    finite = np.isfinite(starts)
    require(bool(finite.all()), "start", "must be finite", starts[~finite][:1].tolist(), DataError)
    return starts


def fields(events: Any, sensor: Sensor, place: str) -> dict[str, Any]:
    """Return the fields of tonic's structured arrays by the names used here.

    What says nothing on the sensor at hand, as ``y`` on one of a single row, may be missing.
    """
    found = getattr(getattr(events, "dtype", None), "fields", None)  # by their names, and by their titles too
    names = tuple(found or ())
    wanted = ["x", "t"] + ["y"] * (sensor.height > 1) + ["p"] * (sensor.n_polarities > 1)
    rule = f"must be a structured array with the fields {', '.join(sorted(wanted))}"
    require(found is not None, place, rule, type(events).__name__, DataError)
    require(set(wanted) <= set(names), place, rule, names, DataError)
    return {
        "x": events["x"],
        "y": events["y"] if "y" in names else np.zeros(len(events), np.int64),
        "polarity": events["p"] if "p" in names else None,
        "t": events["t"],
    }


def length(recordings: object) -> int | None:
    """Return the number of recordings, or None if only the end will tell."""
    return len(recordings) if hasattr(recordings, "__len__") else None


def each(recordings: Any) -> Iterator[Any]:
    """Yield the recordings of an iterable, or of an object that only has a length and items by number."""
    if isinstance(recordings, Iterable):
        return iter(recordings)
    indexed = hasattr(recordings, "__len__") and hasattr(recordings, "__getitem__")
    rule = "must be a data set or an iterable of pairs of events and label"
    require(indexed, "recordings", rule, type(recordings).__name__, DataError)
    return (recordings[number] for number in range(len(recordings)))


def signed(array: np.ndarray) -> np.ndarray:
    """Return whole numbers as int64; one that is too large for it stays out of every range."""
    if array.dtype == np.uint64:
        array = np.minimum(array, np.uint64(TICK_MAX))
    return np.require(array, np.int64, ["C", "A"])
