"""Data sets numbered apart mean the same class by the same number, or are refused."""

import pickle
import warnings

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from spikenn_cy.data.arrays import SpikeArrays
from spikenn_cy.data.arrays import checked
from spikenn_cy.data.classes import match_classes
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.errors import DataError

pytestmark = pytest.mark.quick


def dataset(y, n_inputs=3, max_time=1.0):
    X = np.random.default_rng(0).random((len(y), n_inputs))
    return SpikingDataset.from_numpy(X, y, max_time=max_time)


def file_without_originals(labels):
    """A data set as a reader gives it whose file has numbers for classes and nothing else."""
    indptr = np.arange(len(labels) + 1)
    arrays = SpikeArrays(indptr, np.zeros(len(labels), int), np.zeros(len(labels)), labels, 3, 1.0, None, True)
    return SpikingDataset._trusted(checked(arrays), "valset.npy")


def test_the_same_classes_change_nothing():
    val = dataset([5, 3, 7])
    assert match_classes(val, dataset([3, 5, 7, 3])) is val


@pytest.mark.parametrize(
    ("train", "val", "labels"),
    [
        ([3, 5, 7], [7, 3], [2, 0]),
        (["ant", "bee", "cat"], ["cat", "bee"], [2, 1]),
        (np.array([3, 5, 7], np.uint8), np.array([7, 5], ">i8"), [2, 1]),
        (["a", "longer"], np.array(["longer"], "<U50"), [1]),
        ([0, 1, 2], [2], [2]),
    ],
)
def test_fewer_classes_get_the_numbers_of_the_training_set(train, val, labels):
    train, val = dataset(train), dataset(val)
    matched = match_classes(val, train)
    assert_array_equal(matched.labels, np.array(labels, np.int32), strict=True)
    assert_array_equal(matched.classes, train.classes, strict=True)
    assert_array_equal(matched.classes[matched.labels], val.classes[val.labels])
    assert matched.n_classes == train.n_classes
    assert np.shares_memory(matched.indices, val.indices)
    assert np.shares_memory(matched.timestamps, val.timestamps)
    assert not matched.labels.flags.writeable


def test_a_part_of_the_training_set_matches_it():
    train = dataset(["a", "b", "c"] * 3)
    part = train[[0, 3]]
    assert match_classes(part, train) is part


@pytest.mark.parametrize(
    ("train", "val", "unknown"),
    [
        ([3, 5, 7], [3, 4], r"\[4\]"),
        ([3, 5], [3, 5, 7, 9], r"\[7, 9\]"),
        (["a", "b"], ["b", "c"], r"\['c'\]"),
        ([1, 2], ["1", "2"], r"\['1', '2'\]"),
        (["1", "2"], [1, 2], r"\[1, 2\]"),
        ([b"a"], ["a"], r"\['a'\]"),
        ([2**63], np.array([2**63 + 1], np.uint64), r"\[9223372036854775809\]"),  # one float64
    ],
)
def test_a_class_the_training_set_has_not_is_refused(train, val, unknown):
    with pytest.raises(DataError, match=rf"^dataset: must have no class that the training set has not, got {unknown}$"):
        match_classes(dataset(val), dataset(train))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_inputs": 4}, "valset.npz: must have 3 inputs like trainset.npz, got 4"),
        ({"max_time": 2.0}, "valset.npz: must have max_time 1.0 like trainset.npz, got 2.0"),
    ],
)
def test_files_of_other_inputs_or_time_are_refused_naming_both(tmp_path, monkeypatch, change, message):
    monkeypatch.chdir(tmp_path)
    dataset([0, 1]).save("trainset.npz")
    dataset([0, 1], **change).save("valset.npz")
    with pytest.raises(DataError) as caught:
        match_classes(SpikingDataset.from_file("valset.npz"), SpikingDataset.from_file("trainset.npz"))
    assert str(caught.value) == message


def test_times_that_are_one_in_float32_are_the_same():
    val = dataset([0, 1], max_time=0.7)
    assert match_classes(val, dataset([0, 1], max_time=float(np.float32(0.7)))) is val


def test_a_file_without_originals_and_with_fewer_classes_draws_a_warning():
    train = file_without_originals([0, 1, 2, 3])
    val = file_without_originals([1, 0])
    for part in (val, val[:1], val[[1]], pickle.loads(pickle.dumps(val))):
        with pytest.warns(
            UserWarning, match=r"^valset\.npy: has 2 classes and valset\.npy has 4; .* 0 to 1 are assumed$"
        ):
            matched = match_classes(part, train)
        assert_array_equal(matched.labels, part.labels)
        assert_array_equal(matched.classes, train.classes)


def test_no_warning_is_drawn_where_all_classes_are_known():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        match_classes(file_without_originals([1, 0]), file_without_originals([0, 1, 1]))
        match_classes(dataset([0, 1]), dataset([0, 1, 2]))
        match_classes(SpikingDataset([0, 0], [], [], [0], n_inputs=3), dataset([0, 1, 2]))


def test_a_file_without_originals_cannot_be_matched_to_other_names():
    with pytest.raises(DataError, match=r"must have no class that the training set has not, got \[0\]$"):
        match_classes(file_without_originals([1, 0]), dataset([1, 2]))
