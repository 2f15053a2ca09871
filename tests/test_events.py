"""Recordings of event cameras become the first spike of each pixel and polarity, and nothing wrong slips in."""

import re
import sys
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from spikenn_cy.data import events
from spikenn_cy.data._events import EventCollector
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.data.events import PART
from spikenn_cy.errors import DataError
from spikenn_cy.errors import DataWarning

pytestmark = pytest.mark.quick

TONIC = np.dtype([("x", np.int16), ("y", np.int16), ("t", np.int64), ("p", bool)])


def twin(x, y, polarity, t, offsets, sensor_size, duration, start, max_time):
    """The rule of `from_events` in plain Python: dense spike times, ``max_time`` for silence."""
    width, height, *rest = sensor_size
    n_polarities = rest[0] if rest else 2
    times = np.full((len(offsets) - 1, n_polarities, height, width), np.float32(max_time))
    latest = np.nextafter(np.float32(max_time), np.float32(0))
    for r in range(len(offsets) - 1):
        events = range(offsets[r], offsets[r + 1])
        begin = min((t[k] for k in events), default=0) if start is None else np.broadcast_to(start, len(times))[r]
        for k in events:
            since = t[k] - begin
            if 0 <= since < duration:
                spike = min(np.float32(float(since) / duration * max_time), latest)
                channel = int(polarity[k] == 1) if n_polarities == 2 else 0
                times[r, channel, y[k], x[k]] = min(times[r, channel, y[k], x[k]], spike)
    return times.reshape(len(times), -1)


@st.composite
def recordings(draw):
    """Arguments of `from_events` but the labels, from few events on few pixels to many on many."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    width, height, n_polarities = (draw(st.integers(1, n)) for n in (12, 9, 2))
    counts = draw(st.lists(st.sampled_from([0, 1, 2, 30, 300]), min_size=1, max_size=5))
    n_events = sum(counts)
    span = draw(st.sampled_from([1, 10, 1000, 10**6]))
    since_when = draw(st.sampled_from([0, -500, 1_700_000_000_000_000_000]))
    t = since_when + generator.integers(0, span, n_events)
    if draw(st.booleans()):
        t = np.sort(t)
    if since_when <= 0 and draw(st.booleans()):
        t = (t + generator.random(n_events)).astype(draw(st.sampled_from([np.float32, np.float64])))
    on = generator.integers(0, 2, n_events)
    polarity = {"bits": on, "signs": 2 * on - 1, "truths": on == 1}[draw(st.sampled_from(["bits", "signs", "truths"]))]
    starts = [None, since_when + 3, since_when + generator.integers(-20, 20, len(counts))]
    if since_when <= 0:
        starts.append(since_when + 0.5)
    kind = draw(st.sampled_from([np.int8, np.uint8, np.int16, np.int64, np.uint64]))
    return {
        "x": generator.integers(0, width, n_events).astype(kind),
        "y": generator.integers(0, height, n_events).astype(kind),
        "polarity": polarity,
        "t": t,
        "offsets": np.concatenate([[0], np.cumsum(counts)]),
        "sensor_size": (width, height, n_polarities),
        "duration": draw(st.sampled_from([1, 7.5, 400, 10**6, 1e-3])),
        "start": draw(st.sampled_from(starts)),
        "max_time": draw(st.sampled_from([1.0, 0.1, 25.0])),
    }


@given(arguments=recordings())
def test_every_data_set_is_the_one_of_the_plain_rule(arguments):
    n_recordings = len(arguments["offsets"]) - 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        dataset = SpikingDataset.from_events(**arguments, labels=np.zeros(n_recordings, int))
    # Times of float32 are subtracted as doubles.
    if arguments["t"].dtype.kind == "f":
        arguments["t"] = arguments["t"].astype(float)
    assert_array_equal(dataset.to_dense(), twin(**arguments))
    canonical(dataset)


def canonical(dataset):
    """Check by the public door that the arrays are those of a data set, sorted by time and then by input."""
    again = SpikingDataset(
        dataset.indptr, dataset.indices, dataset.timestamps, dataset.labels, dataset.n_inputs, dataset.max_time
    )
    assert_array_equal(again.indices, dataset.indices)
    for inputs, times, _ in dataset:
        assert_array_equal(np.lexsort((inputs, times)), np.arange(len(inputs)))


# Two recordings on 3 x 2 pixels, a window of 100 ticks from 1000 on in the first and from 2000 on in the second.
HAND_MADE = {
    "x": [2, 0, 2, 2, 1, 0, 1, 1],
    "y": [1, 0, 1, 1, 0, 1, 0, 1],
    "polarity": [1, 0, 1, 0, 1, 1, 0, 0],
    "t": [1050, 1000, 1025, 1099, 1100, 2000, 1999, 2010],
    "offsets": [0, 5, 8],
    "labels": ["wave", "clap"],
    "sensor_size": (3, 2),
    "duration": 100,
    "start": [1000, 2000],
    "max_time": 2.0,
}


def test_a_hand_made_example_comes_out_as_on_paper():
    dataset = SpikingDataset.from_events(**HAND_MADE)
    off, on = 0, 6  # first input of each polarity; then row by row, three pixels each
    # The event at 1050 comes after another of its pixel, those at 1100 and 1999 are outside the windows.
    assert dataset.indices.tolist() == [off + 0, on + 5, off + 5, on + 3, off + 4]
    assert dataset.timestamps.tolist() == [0.0, 0.5, np.float32(1.98), 0.0, np.float32(0.2)]
    assert dataset.indptr.tolist() == [0, 3, 5]
    assert dataset.classes[dataset.labels].tolist() == ["wave", "clap"]
    assert (dataset.n_inputs, dataset.max_time) == (12, 2.0)
    assert dataset.to_dense().reshape(2, 2, 2, 3)[0, 1, 1, 2] == 0.5


def test_without_a_start_each_window_starts_at_the_first_event_wherever_it_stands():
    late_first = HAND_MADE | {"start": None, "t": [1050, 1001, 1025, 1099, 1100, 2005, 2001, 2010]}
    dataset = SpikingDataset.from_events(**late_first)
    assert dataset[0][1].tolist() == [0.0, np.float32(0.48), np.float32(1.96), np.float32(1.98)]
    assert dataset[1][1].min() == 0


def test_one_polarity_makes_one_input_a_pixel():
    dataset = SpikingDataset.from_events(**HAND_MADE | {"sensor_size": (3, 2, 1)})
    assert (dataset.n_inputs, dataset[0][0].tolist()) == (6, [0, 5])
    unknown = SpikingDataset.from_events(**HAND_MADE | {"sensor_size": (3, 2, 1), "polarity": None})
    assert_array_equal(dataset.indices, unknown.indices)


def test_a_clock_of_nanoseconds_since_1970_loses_no_tick():
    t = np.array([0, 1, 2, 3]) + 1_700_000_000_000_000_001
    dataset = SpikingDataset.from_events(
        [0, 1, 2, 3], [0] * 4, [1] * 4, t, [0, 4], [0], sensor_size=(4, 1), duration=4, start=t[0]
    )
    assert dataset.timestamps.tolist() == [0, 0.25, 0.5, 0.75]


def test_an_event_just_before_the_end_of_a_long_window_is_a_spike_and_not_silence():
    duration = 2**40
    dataset = SpikingDataset.from_events(
        [0], [0], [1], [duration - 1], [0, 1], [0], sensor_size=(1, 1), duration=duration, start=0
    )
    assert dataset.timestamps.tolist() == [np.nextafter(np.float32(1), np.float32(0))]


def test_recordings_longer_than_a_part_are_read_as_a_whole():
    n_events = 3 * PART + 17
    generator = np.random.default_rng(0)
    x, y = generator.integers(0, 40, (2, n_events))
    polarity, t = generator.integers(0, 2, n_events), generator.permutation(n_events)
    options = {"sensor_size": (40, 40), "duration": n_events / 2, "start": None, "max_time": 1.0}
    dataset = SpikingDataset.from_events(x, y, polarity, t, [0, n_events], [0], **options)
    assert_array_equal(dataset.to_dense(), twin(x, y, polarity, t, [0, n_events], **options))
    x[-1] = 40
    with pytest.raises(DataError, match=f"sample 0, event {n_events - 1}: x: must be in"):
        SpikingDataset.from_events(x, y, polarity, t, [0, n_events], [0], **options)


def test_a_window_in_the_wrong_unit_is_suspected():
    with pytest.warns(DataWarning, match=r"duration: none of 2 recordings has an event in its window, 0\.001 long"):
        SpikingDataset.from_events(**HAND_MADE | {"duration": 1e-3, "start": 0})


def changed(name, position, value):
    values = list(HAND_MADE[name])
    values[position] = value
    return {name: values}


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (changed("x", 6, 3), "sample 1, event 1: x: must be in [0, 3), the sensor's width, got 3"),
        (changed("x", 0, -1), "sample 0, event 0: x: must be in [0, 3), the sensor's width, got -1"),
        (changed("y", 4, 2), "sample 0, event 4: y: must be in [0, 2), the sensor's height, got 2"),
        (changed("polarity", 7, 2), "sample 1, event 2: polarity: must be 0 or 1, or -1 or 1, got 2"),
        (changed("polarity", 7, -1), "sample 1: polarity: must be 0 and 1, or -1 and 1, in all recordings, got"),
        (changed("t", 5, np.nan), "sample 1, event 0: t: must be a finite number, got nan"),
        (changed("t", 3, -np.inf), "sample 0, event 3: t: must be a finite number, got -inf"),
        ({"x": np.uint64([2**64 - 1] * 8)}, "sample 0, event 0: x: must be in [0, 3), the sensor's width, got 1844"),
        ({"t": np.uint64([2**63] * 8), "start": -1}, "start: must be in [0, 18446744073709551615], in which whole"),
        ({"x": [0.0] * 8}, "x: must be whole numbers, got dtype('float64')"),
        ({"x": [True] * 8}, "x: must be whole numbers, got dtype('bool')"),
        ({"y": [0] * 7}, "y: must be as many as t, 8, got 7"),
        ({"x": [[0] * 8]}, "x: must have one axis, got (1, 8)"),
        ({"polarity": ["on"] * 8}, "polarity: must be 0 and 1, -1 and 1, or truth values, got dtype('<U2')"),
        ({"polarity": None}, "polarity: may be left out only if the sensor has 1 polarity, got 2"),
        ({"x": None}, "x: must be whole numbers, got dtype('O')"),
        ({"t": None}, "t: must be real numbers, got dtype('O')"),
        ({"t": np.zeros(8, "M8[us]")}, "t: must be real numbers, got dtype('<M8[us]')"),
        ({"offsets": [0, 5]}, "labels: must have a label for each of 1 samples, got 2"),
        ({"offsets": [0, 9, 8]}, "offsets, sample 1: must not fall below 9, got 8"),
        ({"offsets": [1, 5, 8]}, "offsets: must start at 0, got 1"),
        ({"offsets": [0, 5, 7]}, "offsets: must end at the number of events, 8, got 7"),
        ({"offsets": [0], "labels": []}, "offsets: must be those of at least one recording, got [0]"),
        ({"offsets": [0.0, 5.0, 8.0]}, "offsets: must be whole numbers, got dtype('float64')"),
        ({"labels": [1, 2, 3]}, "labels: must have a label for each of 2 samples, got 3"),
        ({"labels": [0.5, 1.5]}, "labels: must be whole numbers or strings, got dtype('float64')"),
        ({"sensor_size": (3,)}, "sensor_size: must be (width, height) or (width, height, polarities), whole numbers"),
        ({"sensor_size": (3, 0)}, "sensor_size: must be (width, height) or (width, height, polarities), whole numbers"),
        ({"sensor_size": (3, 2.0)}, "sensor_size: must be (width, height) or (width, height, polarities), whole"),
        ({"sensor_size": 6}, "sensor_size: must be (width, height) or (width, height, polarities), whole numbers >= 1"),
        ({"sensor_size": (3, 2, 3)}, "sensor_size: must have 1 or 2 polarities, got 3"),
        ({"sensor_size": (2**16, 2**16)}, "sensor_size: must make at most 2147483647 inputs, got (65536, 65536)"),
        ({"duration": 0}, "duration: must be a finite number > 0, got 0"),
        ({"duration": np.inf}, "duration: must be a finite number > 0, got inf"),
        ({"duration": True}, "duration: must be a finite number > 0, got True"),
        ({"max_time": -1}, "max_time: must be a finite number > 0, got -1"),
        ({"start": "now"}, "start: must be a number, one number a recording, or None, got 'now'"),
        ({"start": np.nan}, "start: must be finite, got [nan]"),
        ({"start": [1000]}, "start: must be one number or one for each recording, got 1"),
        ({"start": [1000, 2000, 3000]}, "start: must be one number or one for each of 2 recordings, got 3"),
        ({"start": [[1000, 2000]]}, "start: must be a number, one number a recording, or None, got [[1000, 2000]]"),
    ],
    ids=lambda part: None if isinstance(part, dict) else re.sub(r"\W+", "-", part)[:60],
)
def test_what_makes_no_sense_is_refused_with_its_place(change, finding):
    with pytest.raises(DataError) as refusal:
        SpikingDataset.from_events(**HAND_MADE | change)
    assert str(refusal.value).startswith(finding)


# Structured arrays


class Tonic:
    """As tonic's data sets are: a length, items by number, and a size; no iterator."""

    sensor_size = (3, 2, 2)

    def __init__(self, recordings):
        self._recordings = recordings

    def __len__(self):
        return len(self._recordings)

    def __getitem__(self, number):
        return self._recordings[number]


def structured(dtype=TONIC):
    """Return the hand-made recordings as tonic gives them."""
    events = np.zeros(8, dtype)
    for name, field in (("x", "x"), ("y", "y"), ("p", "polarity"), ("t", "t")):
        if name in dtype.names:
            events[name] = HAND_MADE[field]
    return [(events[:5], "wave"), (events[5:], "clap")]


OPTIONS = {name: HAND_MADE[name] for name in ("duration", "start", "max_time")}


@pytest.mark.parametrize(
    "recordings",
    [
        Tonic(structured()),
        structured(),
        iter(structured()),
        structured(np.dtype([("t", "f8"), ("p", "i1"), ("y", "u2"), ("x", "u2"), ("more", "f4")])),
        structured(np.dtype([("x", ">i4"), ("y", ">i4"), ("t", ">i8"), ("p", ">i4")])),
    ],
    ids=["data set", "list", "generator", "other order and types", "other byte order"],
)
def test_structured_arrays_make_the_same_data_set(recordings):
    size = {} if isinstance(recordings, Tonic) else {"sensor_size": (3, 2)}
    dataset, wanted = SpikingDataset.from_tonic(recordings, **OPTIONS, **size), SpikingDataset.from_events(**HAND_MADE)
    for name in ("indptr", "indices", "timestamps", "labels", "classes"):
        assert_array_equal(getattr(dataset, name), getattr(wanted, name))


def test_fields_that_say_nothing_on_the_sensor_may_be_missing():
    cochlea = np.array([(5, 10), (2, 40), (5, 3)], dtype=[("x", int), ("t", int)])
    dataset = SpikingDataset.from_tonic([(cochlea, 0)], sensor_size=(6, 1, 1), duration=100, start=0)
    assert list(zip(dataset.indices, dataset.timestamps, strict=True)) == [(5, np.float32(0.03)), (2, np.float32(0.4))]


@pytest.mark.parametrize(
    ("recordings", "change", "finding"),
    [
        (structured(), {"sensor_size": None}, "sensor_size: must be given for recordings that do not have one"),
        ([], {}, "recordings: must be at least one, got 0"),
        (7, {}, "recordings: must be a data set or an iterable of pairs of events and label, got 'int'"),
        (
            ["clap"],
            {},
            "sample 0: must be a pair of events and label, or a structured array of events alone, got 'str'",
        ),
        ([np.zeros(3)], {}, "sample 0: must be a structured array with the fields p, t, x, y, got 'ndarray'"),
        ([([1, 2], 0)], {}, "sample 0: must be a structured array with the fields p, t, x, y, got 'list'"),
        (
            structured(np.dtype([("x", int), ("y", int), ("ts", int), ("p", int)])),
            {},
            "sample 0: must be a structured array with the fields p, t, x, y, got ('x', 'y', 'ts', 'p')",
        ),
        (
            [structured()[0], (structured(np.dtype([(name, float) for name in "xytp"]))[0][0], "clap")],
            {},
            "sample 1: x: must be whole numbers, got dtype('float64')",
        ),
        (structured(), {"sensor_size": (3, 1)}, "sample 0, event 0: y: must be in [0, 1), the sensor's height, got 1"),
        (structured(), {"start": [1000]}, "start: must be one number or one for each recording, got 1"),
        ([(structured()[0][0], 0.5)] * 2, {}, "labels: must be whole numbers or strings"),
    ],
)
def test_other_things_than_recordings_are_refused(recordings, change, finding):
    with pytest.raises(DataError) as refusal:
        SpikingDataset.from_tonic(recordings, **{"sensor_size": (3, 2)} | OPTIONS | change)
    assert str(refusal.value).startswith(finding)


def test_a_terminal_sees_how_far_the_reading_is(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    SpikingDataset.from_tonic(Tonic(structured()), **OPTIONS, verbose=True)
    assert re.search(r"reading events 2/2 recordings ━+ ", capsys.readouterr().err)
    SpikingDataset.from_tonic(Tonic(structured()), **OPTIONS)
    assert capsys.readouterr().err == ""


def test_events_at_odd_places_in_memory_are_read_from_even_ones(monkeypatch):
    """A processor may refuse a number of 8 bytes that begins anywhere."""

    def odd(values, dtype=np.int64):
        return np.frombuffer(b"\0" + np.asarray(values, dtype).tobytes(), dtype, offset=1)

    taken = []

    class Looking:
        def __init__(self, *arguments):
            self._collector = EventCollector(*arguments)

        def __getattr__(self, name):
            return getattr(self._collector, name)

        def add(self, *arrays_and_start):
            taken.extend(arrays_and_start[:4])
            return self._collector.add(*arrays_and_start)

    monkeypatch.setattr(events, "EventCollector", Looking)
    for dtype in (np.int64, np.float64):
        x, y, t = odd([0, 1, 1]), odd([1, 0, 1]), odd([5, 6, 7], dtype)
        assert not x.flags.aligned
        assert not t.flags.aligned
        found = SpikingDataset.from_events(x, y, None, t, [0, 3], sensor_size=(2, 2, 1), duration=10)
        assert found.indices.tolist() == [2, 1, 3]
    assert all(array.flags.aligned for array in taken)
