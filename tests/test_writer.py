"""A data set file written block by block has the bytes of one that was saved whole, or is not there at all."""

import os
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikenn_cy.data import writer as module
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.data.writer import DatasetWriter
from spikenn_cy.errors import DataError

pytestmark = pytest.mark.quick


def some_dataset(n_samples=10, y=None, max_time=0.7, n_inputs=20):
    X = np.random.default_rng(n_samples).random((n_samples, n_inputs))
    return SpikingDataset.from_numpy(X, np.arange(n_samples) % 3 * 10 if y is None else y, max_time=max_time)


def write_in_blocks(path, blocks):
    with DatasetWriter(path) as writer:
        for block in blocks:
            writer.append(block)
    return path.read_bytes()


def saved(path, dataset):
    dataset.save(path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("blocks")


@pytest.mark.filterwarnings("ignore::spikenn_cy.errors.DataWarning")
@given(sizes=st.lists(st.integers(0, 5), min_size=1, max_size=8), density=st.sampled_from([1.0, 0.3, 0.0]))
def test_blocks_of_any_sizes_make_the_bytes_of_save(folder, sizes, density):
    n_samples = sum(sizes) or 1
    X = np.random.default_rng(n_samples).random((n_samples, 7)) / max(density, 1e-9)
    dataset = SpikingDataset.from_numpy(X, np.arange(n_samples) % 2)
    ends = np.cumsum([0, *sizes[:-1]]).tolist()
    blocks = [dataset[start:stop] for start, stop in zip(ends, [*ends[1:], n_samples], strict=True)]
    assert write_in_blocks(folder / "blocks.npz", blocks) == saved(folder / "whole.npz", dataset)


@pytest.mark.parametrize(
    "y",
    [
        np.arange(10)[::-1],
        np.arange(10, dtype=np.uint8) // 2,
        ["b", "a", "ccc", "a", "dd", "b", "a", "ä", "b", "a"],
        [b"b", b"a"] * 5,
    ],
)
def test_each_block_may_number_its_own_classes(tmp_path, y):
    whole = some_dataset(y=y)
    blocks = [
        SpikingDataset.from_numpy(whole[i : i + 2].to_dense(), y[i : i + 2], max_time=0.7) for i in range(0, 10, 2)
    ]
    assert write_in_blocks(tmp_path / "blocks.npz", blocks) == saved(tmp_path / "whole.npz", whole)


def test_classes_of_no_sample_are_kept(tmp_path):
    part = some_dataset()[[0, 3]]
    assert part.n_classes == 3
    assert write_in_blocks(tmp_path / "blocks.npz", [part[:1], part[1:]]) == saved(tmp_path / "whole.npz", part)


def test_what_a_written_file_held_before_is_replaced_only_at_the_end(tmp_path):
    old = saved(tmp_path / "set.npz", some_dataset(4))
    with DatasetWriter(tmp_path / "set.npz") as writer:
        writer.append(some_dataset(10))
        assert len(writer) == 10
        assert (tmp_path / "set.npz").read_bytes() == old
    assert len(SpikingDataset.from_file(tmp_path / "set.npz")) == 10
    assert os.listdir(tmp_path) == ["set.npz"]


def test_a_writing_that_is_broken_off_leaves_nothing(tmp_path):
    def broken_off():
        yield some_dataset()
        assert os.listdir(tmp_path) == []
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_in_blocks(tmp_path / "set.npz", broken_off())
    assert os.listdir(tmp_path) == []


def test_a_closed_writer_takes_nothing_more(tmp_path):
    writer = DatasetWriter(tmp_path / "set.npz")
    writer.append(some_dataset())
    writer.discard()
    assert os.listdir(tmp_path) == []
    with pytest.raises(ValueError, match="closed, nothing can be appended"):
        writer.append(some_dataset())
    writer.close()
    assert os.listdir(tmp_path) == []


def test_a_disk_that_is_full_is_told_and_leaves_nothing(tmp_path, monkeypatch):
    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    writer = DatasetWriter(tmp_path / "set.npz")
    monkeypatch.setattr(writer._spools[1], "write", full, raising=False)
    with pytest.raises(DataError, match=r"set\.npz: must be writable, got No space left on device$"):
        writer.append(some_dataset())
    writer = DatasetWriter(tmp_path / "set.npz")
    writer.append(some_dataset())
    monkeypatch.setattr(np.lib.format, "write_array", full)
    with pytest.raises(DataError, match=r"set\.npz: must be writable, got No space left on device$"):
        writer.close()
    monkeypatch.setattr(module.tempfile, "TemporaryFile", full)
    with pytest.raises(DataError, match=r"set\.npz: must be writable, got No space left on device$"):
        DatasetWriter(tmp_path / "set.npz")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("blocks", [[], [some_dataset()[:0]]])
def test_no_sample_at_all_is_refused_as_save_does(tmp_path, blocks):
    with pytest.raises(DataError, match="a data set must have at least one sample to be saved, got 0"):
        write_in_blocks(tmp_path / "set.npz", blocks)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (some_dataset(n_inputs=21), "block 1: must have 20 inputs like block 0, got 21"),
        (some_dataset(max_time=0.8), "block 1: must have max_time 0.7 like block 0, got 0.8"),
        (some_dataset(y=["a"] * 10), "block 1: must have classes of int64 like block 0, got dtype('<U1')"),
    ],
)
def test_a_block_that_does_not_go_with_the_first_is_refused(tmp_path, block, message):
    with pytest.raises(DataError) as caught:
        write_in_blocks(tmp_path / "set.npz", [some_dataset(), block])
    assert str(caught.value) == f"{tmp_path / 'set.npz'}: {message}"
    assert os.listdir(tmp_path) == []


def test_a_place_that_takes_no_file_is_refused_before_anything_is_computed(tmp_path):
    with pytest.raises(DataError, match=r"set\.npz: must be writable, got No such file"):
        DatasetWriter(tmp_path / "no" / "set.npz")
    with pytest.raises(DataError, match=r"suffix must be \.npz, got '\.npy'"):
        DatasetWriter(tmp_path / "set.npy")
    (tmp_path / "set.npz").mkdir()
    with pytest.raises(DataError, match=r"set\.npz: must be a regular file or a new name, got a folder"):
        DatasetWriter(tmp_path / "set.npz")


def test_memory_does_not_grow_with_the_blocks(tmp_path):
    block = some_dataset(2_000, n_inputs=200)
    block_bytes = block.indices.nbytes + block.timestamps.nbytes
    tracemalloc.start()
    with DatasetWriter(tmp_path / "set.npz") as writer:
        for _ in range(25):
            writer.append(block)
        _, peak_of_appending = tracemalloc.get_traced_memory()
    _, peak_of_writing = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (tmp_path / "set.npz").stat().st_size > 25 * block_bytes
    assert peak_of_appending < block_bytes
    assert peak_of_writing < 20 << 20  # numpy's steps of 16 MiB
