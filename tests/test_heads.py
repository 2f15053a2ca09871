"""What is refused of a data file before its spikes are read is the same as afterwards, and spikes are not looked at."""

import numpy as np
import pytest
from small_runs import dense

from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.data.heads import head_of
from spikenn_cy.errors import DataError

pytestmark = pytest.mark.quick


@pytest.fixture
def path(tmp_path):
    times, labels = dense(30, 0)
    SpikingDataset.from_numpy(times, np.array(["ant", "bee", "cat"])[labels]).save(tmp_path / "set.npz")
    return tmp_path / "set.npz"


def changed(path, **members):
    with np.load(path) as file:
        arrays = dict(file) | members
    np.savez(path, **arrays)


def test_a_head_is_the_data_set_without_its_spikes(path):
    head, whole = head_of(path), SpikingDataset.from_file(path)
    for name in ("labels", "classes"):
        np.testing.assert_array_equal(getattr(head, name), getattr(whole, name))
    assert (head.n_inputs, head.max_time, head.source) == (whole.n_inputs, whole.max_time, whole.source)
    assert len(head.indices) == 0


def test_spikes_are_not_looked_at(path):
    with np.load(path) as file:
        changed(path, timestamps=np.full_like(file["timestamps"], np.nan))
    head_of(path)
    with pytest.raises(DataError, match="time must be in"):
        SpikingDataset.from_file(path)


@pytest.mark.parametrize(
    "members", [{"labels": np.full(30, 7)}, {"n_inputs": -1}, {"max_time": np.nan}, {"classes": np.arange(2)}]
)
def test_what_is_not_about_spikes_is_refused_alike(path, members):
    changed(path, **members)
    said = []
    for read in (head_of, SpikingDataset.from_file):
        with pytest.raises(DataError) as caught:
            read(path)
        said.append(str(caught.value))
    assert said[0] == said[1]


def test_formats_that_let_nothing_be_known_before_have_no_head(tmp_path):
    assert head_of(tmp_path / "set.npy") is None
    assert head_of(tmp_path / "set.txt") is None
