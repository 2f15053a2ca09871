"""Data that are legal and look like a slip are told once, where they are made, with numbers and what to try."""

import itertools
import warnings

import numpy as np
import pytest

from spikenn_cy import SpikingDataset
from spikenn_cy.cli.entry import main
from spikenn_cy.data.suspicion import most_frequent
from spikenn_cy.demo import load_digits
from spikenn_cy.errors import DataWarning
from spikenn_cy.features import Pixels

pytestmark = pytest.mark.quick

IMAGES, LABELS = load_digits()
PIXELS = IMAGES[:200].reshape(200, -1).astype(float)
RAW = np.random.default_rng(0).gamma(2.0, 3.0, (60, 13))  # features in units of their own

SILENT = r"^X: \d\d(\.\d)? % of the values are silent, at max_time 1 or after it"
AT_ONCE = r"^X: \d+(\.\d)? % of 780 spikes are at one time, "
SLIPS = {
    "raw features": (RAW, SILENT + r" \(they are from 0\.\d+ to \d"),
    "no spike": (PIXELS + 1, r"^X: no input fires: all values are at max_time 1 or after it \(they are from 1 to 17\)"),
    "mostly infinite": (np.where(RAW > 4, np.inf, 0.5 * RAW / RAW.max()), SILENT),
    "two values": (np.zeros(RAW.shape), AT_ONCE + "0, so that times tell little"),
    "nearly all at one time": (np.where(RAW > 15, 0.3, 0.5), AT_ONCE + r"0\.5, so"),
}


@pytest.mark.parametrize("blocks", [False, True])
@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_told_once_with_numbers_and_what_to_try(slip, blocks):
    X, finding = SLIPS[slip]
    if blocks:
        finding = finding.partition(r" \(")[0]
    with pytest.warns(DataWarning, match=finding) as caught:
        SpikingDataset.from_blocks([X[:50], X[50:]]) if blocks else SpikingDataset.from_numpy(X)
    assert len(caught) == 1
    assert "LatencyEncoder" in str(caught[0].message)
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    "X",
    [
        np.random.default_rng(0).random((60, 13)),
        np.random.default_rng(0).random((60, 13)) * 1.8,  # just under half silent
        np.full((1, 8), 3.0),  # one sample to decide on
        np.where(np.eye(4), 0.5, np.inf),  # a handful, built by hand
        RAW / RAW.max() * 0.999,
    ],
)
def test_spike_times_are_not_suspected(X):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SpikingDataset.from_numpy(X)


def test_images_that_an_extractor_made_are_not_suspected():
    extractor = Pixels.from_config({"levels": "quantile", "n_levels": 16, "keep": 0.2}).fit(np.uint8(IMAGES[:40] * 15))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dataset = extractor.transform(np.uint8(IMAGES[:40] * 15), LABELS[:40])
    assert len(dataset.indices) < 0.25 * len(dataset) * dataset.n_inputs


def test_convert_prints_the_same_with_its_file(tmp_path, capsys):
    np.save(tmp_path / "X.npy", RAW)
    np.save(tmp_path / "y.npy", np.arange(60) % 3)
    assert main(["convert", *(str(tmp_path / name) for name in ("X.npy", "y.npy", "set.npz"))]) == 0
    said = capsys.readouterr()
    assert f"warning: {tmp_path}/X.npy: 9" in said.err
    assert "of the values are silent" in said.err
    assert said.err.count("\n") == 1
    assert said.out.startswith("60 samples, 13 inputs")


@pytest.mark.parametrize("share", [0.6, 0.96, 1.0])
def test_the_most_frequent_time_is_found_whatever_the_order(share):
    generator = np.random.default_rng(0)
    times = generator.random(100_000, dtype=np.float32)
    times[: int(share * len(times))] = 0.25
    generator.shuffle(times)
    moment, found = most_frequent(times)
    assert moment == 0.25
    assert found == pytest.approx(share, abs=1e-4)


def test_no_time_is_the_most_frequent_of_many():
    assert most_frequent(np.random.default_rng(0).random(10_000, dtype=np.float32))[1] == 0


# Units of time


def recordings(n_recordings=8, n_events=40, length=1_000_000):
    """Return arrays of recordings whose times are microseconds."""
    generator = np.random.default_rng(0)
    t = np.sort(generator.integers(0, length, (n_recordings, n_events)), axis=1).ravel()
    x, y = generator.integers(0, 16, (2, len(t)))
    return x, y, generator.integers(0, 2, len(t)), t, np.arange(0, len(t) + 1, n_events)


def made(events, arrays, tonic, options):
    """Make a data set of recordings in one of the two ways."""
    if tonic:
        return SpikingDataset.from_tonic([np.array(events[a:b]) for a, b in itertools.pairwise(arrays[4])], **options)
    return SpikingDataset.from_events(*arrays, **options)


WINDOWS = {
    "a second in milliseconds": (1e3, r"8 of 8 recordings have one event at most in its window, 1000 long"),
    "a second in seconds": (1.0, r"8 of 8 recordings have one event at most in its window, 1 long"),
    "a second in nanoseconds": (1e9, r"100 % of \d+ spikes are in the first 0\.001 of its window, 1e\+09 long"),
    "a second in picoseconds": (1e12, r"100 % of \d+ spikes are in the first 1e-06 of its window, 1e\+12 long"),
}


@pytest.mark.parametrize("tonic", [False, True])
@pytest.mark.parametrize("window", WINDOWS)
def test_a_duration_in_another_unit_is_told(window, tonic):
    duration, finding = WINDOWS[window]
    x, y, p, t, offsets = recordings()
    options = {"sensor_size": (16, 16), "duration": duration}
    events = np.rec.fromarrays([x, y, t, p], names=["x", "y", "t", "p"])
    with pytest.warns(DataWarning, match=rf"^duration: {finding}; recordings last .* the unit of t\?$") as caught:
        made(events, (x, y, p, t, offsets), tonic, options)
    assert len(caught) == 1


@pytest.mark.parametrize("duration", [1e4, 1e5, 1e6, 1e7])
def test_a_duration_in_the_right_unit_is_not_suspected(duration):
    x, y, p, t, offsets = recordings(n_events=400)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SpikingDataset.from_events(x, y, p, t, offsets, sensor_size=(16, 16), duration=duration)
