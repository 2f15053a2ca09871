"""A data set keeps the axes that number its inputs, wherever it goes; no network could find them out again."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.testing import assert_array_equal

from spikenn_cy.cli.entry import main
from spikenn_cy.data.archive import write_arrays
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.data.heads import head_of
from spikenn_cy.data.writer import DatasetWriter
from spikenn_cy.errors import DataError

pytestmark = pytest.mark.quick

FLAT = np.round(np.random.default_rng(0).random((6, 24)) * 1.4, 1)
SHAPE = (2, 4, 3)
LABELS = np.arange(6) % 2


def images():
    return SpikingDataset.from_numpy(FLAT.reshape(6, *SHAPE), LABELS)


def flat():
    return SpikingDataset.from_numpy(FLAT, LABELS)


def saved(dataset, folder):
    dataset.save(folder / "set.npz")
    return folder / "set.npz"


@pytest.mark.filterwarnings("ignore::spikenn_cy.errors.DataWarning")
@given(X=npst.array_shapes(min_dims=2, max_dims=5, max_side=4).flatmap(lambda shape: npst.arrays(np.float32, shape)))
def test_the_axes_after_the_first_are_those_of_the_inputs(X):
    X = np.where(X >= 0, X, 0)
    labels = np.zeros(len(X), int)
    dataset = SpikingDataset.from_numpy(X, labels)
    assert dataset.input_shape == X.shape[1:]
    assert_array_equal(dataset.to_dense().reshape(X.shape), np.where(X < 1, X, 1))
    assert SpikingDataset.from_blocks([X[:1], X[1:]], labels).input_shape == X.shape[1:]


def test_the_channel_is_what_runs_fastest():
    X = np.ones((1, 5, 7, 3))
    y, x, c = 2, 6, 1
    X[0, y, x, c] = 0
    assert SpikingDataset.from_numpy(X, [0]).indices.tolist() == [(y * 7 + x) * 3 + c]


def test_inputs_of_no_shape_are_one_axis():
    assert flat().input_shape == (24,)
    assert SpikingDataset([0, 1], [0], [0.5], [0], n_inputs=24).input_shape == (24,)


@pytest.mark.parametrize("shape", [SHAPE, list(SHAPE), np.array(SHAPE), (24,), (1, 24, 1)])
def test_spikes_can_be_given_a_shape(shape):
    axes = tuple(int(side) for side in shape)
    dataset = flat().reshaped(shape)
    assert dataset.input_shape == axes
    assert all(type(side) is int for side in dataset.input_shape)
    assert_array_equal(dataset.to_dense(), flat().to_dense())
    made = SpikingDataset(dataset.indptr, dataset.indices, dataset.timestamps, LABELS, 24, input_shape=shape)
    assert made.input_shape == axes


def test_a_shape_costs_no_memory():
    dataset = flat()
    assert dataset.reshaped(SHAPE).indices is dataset.indices
    assert dataset.input_shape == (24,)


RULE = "must be whole numbers >= 1 whose product is 24, the number of inputs"


@pytest.mark.parametrize(
    ("shape", "found"),
    [
        ((2, 4, 4), "(2, 4, 4)"),
        ((), "()"),
        (24, "24"),
        ("24", "'24'"),
        ((-1,), "(-1,)"),
        ((-4, -6), "(-4, -6)"),
        ((24, True), "(24, True)"),
        ((24.0,), "(24.0,)"),
        ((0, 24), "(0, 24)"),
        ((1,) * 63 + (24,), str((1,) * 63 + (24,))),
    ],
)
def test_a_shape_of_other_inputs_is_refused(shape, found):
    with pytest.raises(DataError) as caught:
        flat().reshaped(shape)
    assert str(caught.value).startswith(f"input_shape: {RULE}, got {found[:20]}")
    assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match=r"^input_shape: must be whole numbers >= 1"):
        SpikingDataset([0, 1], [0], [0.5], [0], n_inputs=24, input_shape=shape)


@pytest.mark.parametrize(
    "gone",
    [
        lambda dataset, _: dataset[2:5],
        lambda dataset, _: dataset[::-2],
        lambda dataset, _: dataset[[4, 4, 0]],
        lambda dataset, _: dataset[:0],
        lambda dataset, _: dataset[np.arange(6) > 2],
        lambda dataset, _: dataset.renumbered(1 - dataset.labels, np.array(["cat", "dog"])),
        lambda dataset, _: pickle.loads(pickle.dumps(dataset)),
        lambda dataset, folder: SpikingDataset.from_file(saved(dataset, folder)),
        lambda dataset, folder: SpikingDataset.from_file(saved(dataset, folder))[1:].reshaped(SHAPE)[::2],
        lambda dataset, folder: head_of(saved(dataset, folder)),
    ],
)
def test_a_shape_is_kept(gone, tmp_path):
    assert gone(images(), tmp_path).input_shape == SHAPE
    assert gone(flat(), tmp_path).input_shape in [(24,), SHAPE]


def test_a_file_has_the_shape_as_a_member(tmp_path):
    with np.load(saved(images(), tmp_path)) as file:
        assert_array_equal(file["input_shape"], np.array(SHAPE, np.int64), strict=True)
        assert file["format_version"] == 1


def test_a_file_of_one_axis_has_the_bytes_that_it_had_before_there_were_shapes(tmp_path):
    dataset = flat()
    members = {name: getattr(dataset, name) for name in ("indptr", "indices", "timestamps", "labels", "classes")}
    numbers = {"n_inputs": np.array(24), "max_time": np.array(1.0), "format_version": np.array(1)}
    write_arrays(tmp_path / "before.npz", members | numbers)
    assert saved(dataset, tmp_path).read_bytes() == (tmp_path / "before.npz").read_bytes()
    assert SpikingDataset.from_file(tmp_path / "before.npz").input_shape == (24,)


@pytest.mark.parametrize("shape", [(2, 12), np.int8([4, 6]), 24])
def test_a_file_of_numpys_own_may_have_a_shape(tmp_path, shape):
    with np.load(saved(flat(), tmp_path)) as file:
        members = dict(file)
    np.savez(tmp_path / "own.npz", **members, input_shape=shape)
    assert SpikingDataset.from_file(tmp_path / "own.npz").input_shape == tuple(np.ravel(shape))


@pytest.mark.parametrize(
    ("shape", "finding"),
    [
        ([4, 5], f"{RULE}, got (4, 5)"),
        ([4.0, 6.0], f"{RULE}, got (4.0, 6.0)"),
        (["4", "6"], f"{RULE}, got ('4', '6')"),
        (np.zeros(0, int), f"{RULE}, got ()"),
        ([[4, 6]], "must have one axis at most, got (1, 2)"),
    ],
)
def test_a_file_with_a_wrong_shape_is_refused(tmp_path, shape, finding):
    path = saved(flat(), tmp_path)
    with np.load(path) as file:
        members = dict(file)
    np.savez(path, **members, input_shape=np.array(shape))
    for read in (SpikingDataset.from_file, head_of):
        with pytest.raises(DataError) as caught:
            read(path)
        assert str(caught.value) == f"{path}: input_shape: {finding}"


def test_a_shape_of_a_million_axes_is_refused_at_once(tmp_path):
    path = saved(flat(), tmp_path)
    with np.load(path) as file:
        members = dict(file)
    np.savez(path, **members, input_shape=np.full(1 << 20, 2**62))
    with pytest.raises(DataError, match="input_shape: must be whole numbers"):
        SpikingDataset.from_file(path)


@given(cut=st.integers(1, 5))
def test_blocks_that_are_written_one_by_one_make_the_bytes_of_save(cut, tmp_path_factory):
    folder = tmp_path_factory.mktemp("blocks")
    dataset = images()
    with DatasetWriter(folder / "blocks.npz") as writer:
        writer.append(dataset[:cut])
        writer.append(dataset[cut:])
    assert (folder / "blocks.npz").read_bytes() == saved(dataset, folder).read_bytes()


def test_a_block_of_another_shape_is_refused(tmp_path):
    with DatasetWriter(tmp_path / "blocks.npz") as writer:
        writer.append(images())
        with pytest.raises(DataError, match=r"block 1: must have input_shape \(2, 4, 3\) like block 0, got \(24,\)$"):
            writer.append(flat())


@pytest.mark.parametrize(("n_polarities", "shape"), [(1, (2, 3)), (2, (12,))])
def test_events_of_one_polarity_make_images(n_polarities, shape):
    events = {"x": [1], "y": [0], "polarity": [1], "t": [0], "offsets": [0, 1], "labels": [0]}
    dataset = SpikingDataset.from_events(**events, sensor_size=(3, 2, n_polarities), duration=1)
    assert dataset.input_shape == shape


def test_a_data_set_shows_its_shape():
    assert (
        repr(images())
        == f"SpikingDataset(6 samples, 2 x 4 x 3 inputs, 2 classes, {len(flat().indices)} spikes, max_time=1.0)"
    )


def test_convert_keeps_the_axes_of_an_array(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("X.npy", FLAT.reshape(6, *SHAPE))
    np.save("y.npy", LABELS)
    assert main(["convert", "X.npy", "y.npy", "set.npz"]) == 0
    assert SpikingDataset.from_file("set.npz").input_shape == SHAPE
