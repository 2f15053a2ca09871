"""Data in the forms in which people have them: taken as they are meant, or refused in a line that says the way out."""

import os

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from small_runs import contents

from spikenn_cy import DataError
from spikenn_cy import Readout
from spikenn_cy import SpikingDataset
from spikenn_cy.cli.entry import main
from spikenn_cy.data.convert import read_labels
from spikenn_cy.features import STDPCSNN
from spikenn_cy.images.predict import read_inputs

pytestmark = pytest.mark.quick

TIMES = np.array([[0.5, 0.25], [0.0, 0.75]])
MASKED = np.ma.masked_greater(TIMES, 0.6)
SHALLOW = {
    "network": [{"n_neurons": 2, "firing_threshold": 1}],
    "optimizer": {"method": "s2stdp", "ap": 0.1, "am": -0.1, "t_gap": 0.1},
}
FORMS = {
    "strings": (["b", "a"], ["a", "b"]),
    "strings as objects": (np.array(["b", "a"], dtype=object), ["a", "b"]),
    "strings of NumPy as objects": (np.array([np.str_("b"), "a"], dtype=object), ["a", "b"]),
    "bytes": (np.array([b"b", b"a"]), [b"a", b"b"]),
    "bytes as objects": (np.array([b"b", b"a"], dtype=object), [b"a", b"b"]),
    "numbers as objects": (np.array([np.int64(7), np.uint8(3)], dtype=object), [3, 7]),
    "numbers without a sign as objects": (np.array([2**63, 1], dtype=object), [1, 2**63]),
    "numbers of mixed widths": ([np.uint8(200), np.int16(-5)], [-5, 200]),
    "numbers of the other byte order": (np.array([300, 2], dtype=">i2"), [2, 300]),
}


@pytest.mark.parametrize("form", FORMS)
def test_labels_come_back_as_they_were_given(form, tmp_path):
    given, classes = FORMS[form]
    dataset = SpikingDataset.from_numpy(TIMES, given)
    assert dataset.classes.tolist() == classes
    assert dataset.classes[dataset.labels].tolist() == list(given)
    dataset.save(tmp_path / "set.npz")
    assert SpikingDataset.from_file(tmp_path / "set.npz").classes.tolist() == classes


@pytest.mark.parametrize(
    ("given", "finding"),
    [
        (np.array(["a", np.nan], dtype=object), r"y\[1\]: must be a string like those before, got nan"),
        (np.array([None, "a"], dtype=object), r"y\[0\]: must be a whole number or a string, got None"),
        (np.array([1, "a"], dtype=object), r"y\[1\]: must be a whole number like those before, got 'a'"),
        (np.array([True, False], dtype=object), r"y\[0\]: must be a whole number or a string, got True"),
        (np.array([2**70, 1], dtype=object), r"y: must be whole numbers from -2\*\*63 .*, got 1180591620717411303424"),
        (
            np.array([2**63, -1], dtype=object),
            r"y: must be whole numbers from -2\*\*63 .*, got -1 and 9223",
        ),
        ([0.5, 1.5], "y: must be whole numbers or strings, got dtype"),
        (np.eye(2, dtype=int), r"y: must have one axis \(y\.argmax\(axis=1\), if one-hot\?\), got \(2, 2\)"),
        (np.array([["a"], ["b"]]), r"y: must have one axis \(y\.ravel\(\)\?\), got \(2, 1\)"),
    ],
)
def test_what_is_no_label_is_named_with_its_place(given, finding):
    with pytest.raises(DataError, match=f"^{finding}"):
        SpikingDataset.from_numpy(TIMES, given)


@pytest.mark.parametrize(
    "labels", [["cat", "größe"], [3, 70000], [np.int64(2**40), np.int16(-1)], [b"cat", b"dog"]], ids=repr
)
def test_files_of_objects_are_read_as_labels(labels, tmp_path):
    np.save(tmp_path / "X.npy", TIMES)
    np.save(tmp_path / "y.npy", np.array(labels, dtype=object), allow_pickle=True)
    assert read_labels(tmp_path / "y.npy").tolist() == labels
    assert main(["convert", *(str(tmp_path / name) for name in ("X.npy", "y.npy", "set.npz"))]) == 0
    dataset = SpikingDataset.from_file(tmp_path / "set.npz")
    assert dataset.classes[dataset.labels].tolist() == labels


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("thing", ["bomb", 0.5, None, True, ("a", "b"), np.array([1])], ids=repr)
def test_files_of_other_objects_are_refused_and_nothing_in_them_is_run(thing, tmp_path, capsys):
    things = np.empty(2, dtype=object)
    things[:] = ["cat", Bomb(tmp_path / "run") if thing == "bomb" else "dog"]
    if not isinstance(thing, str):
        things[1] = thing
    np.save(tmp_path / "X.npy", TIMES)
    np.save(tmp_path / "y.npy", things, allow_pickle=True)
    before = contents(tmp_path)
    assert main(["convert", *(str(tmp_path / name) for name in ("X.npy", "y.npy", "set.npz"))]) == 2
    error = capsys.readouterr().err
    assert f"{tmp_path}/y.npy" in error
    assert error.count("\n") == 1
    assert contents(tmp_path) == before


def test_labels_beside_images_may_be_objects_and_bytes(tmp_path):
    np.save(tmp_path / "images.npy", np.zeros((2, 4, 4), np.uint8))
    for labels in (np.array(["cat", "dog"], dtype=object), np.array([b"cat", b"dog"])):
        np.save(tmp_path / "labels.npy", labels, allow_pickle=True)
        assert read_inputs(tmp_path / "images.npy", tmp_path / "labels.npy").labels.tolist() == labels.tolist()


def network():
    return Readout.from_config(SHALLOW, n_inputs=2, n_classes=2)


DOORS = {
    "X": lambda: SpikingDataset.from_numpy(MASKED, [0, 1]),
    "X, a list of rows": lambda: SpikingDataset.from_numpy(list(MASKED), [0, 1]),
    "X, a block": lambda: SpikingDataset.from_blocks([MASKED], [0, 1]),
    "y": lambda: SpikingDataset.from_numpy(TIMES, np.ma.array([0, 1], mask=[False, True])),
    "indptr": lambda: SpikingDataset(np.ma.array([0, 1], mask=[0, 1]), [0], [0], [0], 2),
    "timestamps": lambda: SpikingDataset([0, 1], [0], np.ma.array([0.5], mask=True), [0], 2),
    "labels": lambda: SpikingDataset([0, 1], [0], [0], np.ma.array([0], mask=True), 2),
    "classes": lambda: SpikingDataset([0, 1], [0], [0], [0], 2, classes=np.ma.array([4, 5], mask=[0, 1])),
    "t": lambda: SpikingDataset.from_events(
        [0], [0], [0], np.ma.array([5], mask=True), [0, 1], [0], sensor_size=(1, 1), duration=9
    ),
    "start": lambda: SpikingDataset.from_events(
        [0], [0], [0], [5], [0, 1], [0], sensor_size=(1, 1), duration=9, start=np.ma.array([5], mask=True)
    ),
    "weights": lambda: setattr(network().layers[0], "weights", MASKED),
    "thresholds": lambda: setattr(network().layers[0], "thresholds", MASKED[1]),
    "images": lambda: STDPCSNN.from_config({}).fit(np.ma.array(np.zeros((2, 9, 9), np.uint8), mask=True)),
}


@pytest.mark.parametrize("door", DOORS)
def test_a_mask_is_never_dropped(door):
    with pytest.raises(DataError, match=rf"^{door.split(',')[0]}.*: must not be masked: .*, got '\d+ masked'$"):
        DOORS[door]()


def test_a_mask_of_nothing_is_no_matter():
    dataset = SpikingDataset.from_numpy(np.ma.array(TIMES, mask=False), np.ma.array([0, 1]))
    assert_array_equal(dataset.to_dense(), TIMES.astype(np.float32))


def test_masked_features_are_refused_by_the_estimators():
    estimator = pytest.importorskip("sklearn") and __import__("spikenn_cy.estimator", fromlist=["_"])
    model = estimator.SpikingClassifier(epochs=1).fit(TIMES, [0, 1])
    for call in (
        lambda: model.fit(MASKED, [0, 1]),
        lambda: model.fit(TIMES, np.ma.array([0, 1], mask=[0, 1])),
        lambda: model.partial_fit(MASKED, [0, 1]),
        lambda: model.predict(MASKED),
        lambda: estimator.LatencyEncoder().fit(MASKED),
    ):
        with pytest.raises(DataError, match="must not be masked"):
            call()


@pytest.mark.parametrize("labels", [[0, 1], ["cat", "dog"]])
def test_times_and_labels_in_each_others_place_are_told(labels, tmp_path, capsys):
    with pytest.raises(DataError, match=r"^X: must be times and y labels; are they swapped\?, got '1 and 2 axes'$"):
        SpikingDataset.from_numpy(np.array(labels), TIMES)
    np.save(tmp_path / "X.npy", TIMES)
    np.save(tmp_path / "y.npy", labels)
    assert main(["convert", *(str(tmp_path / name) for name in ("y.npy", "X.npy", "set.npz"))]) == 2
    assert "are they swapped?" in capsys.readouterr().err


def test_one_sample_without_its_axis_is_told_how_to_get_it():
    with pytest.raises(
        DataError, match=r"^X: must have an axis of samples .* \(X\[None\] is one sample\), got \(2,\)$"
    ):
        SpikingDataset.from_numpy(TIMES[0])


@pytest.mark.parametrize("call", ["fit", "predict", "score", "partial_fit"])
def test_arrays_in_place_of_a_data_set_are_told_how_to_become_one(call):
    with pytest.raises(
        DataError, match=r"must be a SpikingDataset \(from_numpy makes one of spike times\), got ndarray"
    ):
        getattr(network(), call)(TIMES)


def test_fields_of_events_are_known_by_their_titles_too():
    titled = np.dtype([("x", "u2"), ("y", "u2"), ("t", "i8"), (("p", "on"), "?")])
    named = np.dtype([("x", "u2"), ("y", "u2"), ("t", "i8"), ("p", "?")])
    events = [(1, 0, 5, True), (0, 1, 7, False)]
    options = {"sensor_size": (3, 2), "duration": 10}
    one, other = (SpikingDataset.from_tonic([(np.array(events, kind), 0)], **options) for kind in (titled, named))
    assert_array_equal(one.indices, other.indices)
    assert_array_equal(one.timestamps, other.timestamps)


@pytest.mark.parametrize("start", [None, 2**63 + 5, [2**63 + 5]])
def test_ticks_above_what_has_a_sign_keep_their_differences(start):
    late = {"t": np.uint64(2**63 + 5) + np.arange(4, dtype=np.uint64), "start": start}
    early = {"t": np.arange(4), "start": None if start is None else 0}
    one, other = (
        SpikingDataset.from_events(
            range(4), [0] * 4, [0] * 4, case["t"], [0, 4], sensor_size=(4, 1), duration=3, start=case["start"]
        )
        for case in (late, early)
    )
    assert_array_equal(one.indices, other.indices)
    assert_array_equal(one.timestamps, other.timestamps)
    assert len(one.indices) == 3
