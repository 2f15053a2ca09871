"""Data sets become one, are shared out, and say of themselves what they hold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from tables import examples

from spikenn_cy import DataError
from spikenn_cy import SpikingDataset
from spikenn_cy.data.splitting import shared_out

pytestmark = pytest.mark.quick


def made(labels, seed=0, shape=(2, 3)):
    times = np.random.default_rng(seed).random((len(labels), *shape))
    return SpikingDataset.from_numpy(times, labels)


def named(dataset):
    return dataset.classes[dataset.labels].tolist()


# Joining


def test_joined_samples_keep_their_order_spikes_and_names():
    parts = made(["dog", "cat"]), made(["ape"], 1), made(["dog", "owl"], 2)[1:]
    whole = SpikingDataset.concatenate(parts)
    assert whole.classes.tolist() == ["ape", "cat", "dog", "owl"]
    assert named(whole) == ["dog", "cat", "ape", "owl"]
    assert whole.input_shape == (2, 3)
    assert_array_equal(whole.to_dense(), np.concatenate([part.to_dense() for part in parts]))
    assert named(whole[2:]) == ["ape", "owl"]


def test_whole_numbers_with_and_without_a_sign_are_joined_as_they_are():
    large = np.array([2**53, 2**53 + 1])
    whole = SpikingDataset.concatenate([made(large), made(large.astype(np.uint64)), made(np.array([3], np.uint64))])
    assert (whole.classes.dtype, named(whole)) == (np.int64, [2**53, 2**53 + 1] * 2 + [3])
    huge = made(np.array([2**63], np.uint64))
    assert named(SpikingDataset.concatenate([made([5]), huge])) == [5, 2**63]
    with pytest.raises(
        DataError, match=r"classes: must be whole numbers from -2\*\*63 .*, got -5 and 9223372036854775808"
    ):
        SpikingDataset.concatenate([made([-5]), huge])


def test_one_sample_a_class_goes_to_the_largest_part_and_that_is_said():
    finding = r"^shares\[1\]: must leave a sample of 30 \(the largest part gets one of each class first; .*, got 0.1"
    with pytest.raises(DataError, match=finding):
        made(np.arange(30)).split(0.8, 0.1, 0.1)


def test_what_was_cut_becomes_the_same_again(tmp_path):
    whole = made(np.arange(20) % 3 * 5)
    again = SpikingDataset.concatenate(whole[start : start + 7] for start in range(0, 20, 7))
    for name in ("indptr", "indices", "timestamps", "labels", "classes"):
        assert_array_equal(getattr(again, name), getattr(whole, name))
    whole.save(tmp_path / "one.npz")
    again.save(tmp_path / "two.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def test_sets_without_labels_are_joined_too():
    one, other = made([1, 2]), made([3])
    whole = SpikingDataset.concatenate([SpikingDataset.from_numpy(part.to_dense()) for part in (one, other)])
    assert whole.labels is None
    assert len(whole) == 3
    assert whole.n_classes == 0


@pytest.mark.parametrize(
    ("other", "finding"),
    [
        (lambda: made([0], shape=(2, 4)), r"^datasets\[1\]: must have 6 inputs like datasets\[0\], got 8$"),
        (lambda: made([0], shape=(3, 2)), r"^datasets\[1\]: must have input_shape \(2, 3\) like datasets\[0\]"),
        (lambda: made(["cat"]), r"^datasets\[1\]: must have classes of int64 like datasets\[0\], got dtype"),
        (lambda: SpikingDataset.from_numpy(np.ones((1, 2, 3))), r"must have labels like datasets\[0\], got 'none'$"),
        (
            lambda: SpikingDataset.from_numpy(np.ones((1, 2, 3)), [0], 2.0),
            r"must have max_time 1\.0 like .*, got 2\.0$",
        ),
        (lambda: np.ones((1, 6)), r"^datasets\[1\]: must be a SpikingDataset, got 'ndarray'$"),
    ],
)
def test_sets_that_do_not_go_together_are_refused(other, finding):
    with pytest.raises(DataError, match=finding):
        SpikingDataset.concatenate([made([0, 1]), other()])


@pytest.mark.parametrize("nothing", [[], made([0]), None, 3])
def test_nothing_to_join_is_refused(nothing):
    with pytest.raises(DataError, match=r"^datasets: must be a list of data sets, one at least"):
        SpikingDataset.concatenate(nothing)


def test_sets_without_a_sample_together_are_refused():
    with pytest.raises(DataError, match=r"must have 1 to \d+ samples together, got 0"):
        SpikingDataset.concatenate([made([0])[:0]])


# Sharing out


@examples(60)
@given(
    sizes=st.lists(st.integers(0, 40), min_size=1, max_size=6).filter(lambda sizes: sum(sizes) >= 40),
    shares=st.sampled_from(
        [(1.0,), (0.5, 0.5), (0.8, 0.1, 0.1), (0.1, 0.8, 0.1), (0.25, 0.25, 0.25, 0.25), (0.9, 0.1)]
    ),
    seed=st.integers(0, 9),
)
def test_every_sample_is_in_one_part_and_every_class_in_its_share(sizes, shares, seed):
    groups = np.repeat(np.arange(len(sizes)), sizes).astype(np.int32)
    groups = np.random.default_rng(seed).permutation(groups)
    parts = shared_out(len(groups), groups, shares, seed)
    assert_array_equal(np.sort(np.concatenate(parts)), np.arange(len(groups)))
    for number, (part, share) in enumerate(zip(parts, shares, strict=True)):
        counts = np.bincount(groups[part], minlength=len(sizes))
        assert (abs(counts - share * np.array(sizes)) <= 2 + 1e-6).all()
        if number == np.argmax(shares):
            assert (counts[np.array(sizes) > 0] > 0).all()


def test_parts_of_many_small_classes_are_of_the_size_that_the_shares_say():
    parts = shared_out(120, np.repeat(np.arange(40), 3).astype(np.int32), (0.8, 0.2), 0)
    assert [len(part) for part in parts] == [96, 24]  # each class by itself would give every third to the second


def test_parts_follow_from_the_seed_and_are_in_a_random_order():
    whole = made(np.repeat(["cat", "dog", "owl"], 40))
    train, val, test = whole.split(0.8, 0.1, 0.1, seed=3)
    assert [len(part) for part in (train, val, test)] == [96, 12, 12]
    assert [np.bincount(part.labels).tolist() for part in (train, val, test)] == [[32] * 3, [4] * 3, [4] * 3]
    assert sorted(named(train)) != named(train)
    assert train.input_shape == (2, 3)
    again = whole.split(0.8, 0.1, 0.1, seed=3)
    assert_array_equal(again[2].timestamps, test.timestamps)
    assert not np.array_equal(whole.split(0.8, 0.1, 0.1, seed=4)[2].timestamps, test.timestamps)
    assert train.classes.tolist() == test.classes.tolist() == ["cat", "dog", "owl"]


def test_parts_need_no_labels_and_no_strata():
    whole = SpikingDataset.from_numpy(np.random.default_rng(0).random((30, 4)))
    assert [len(part) for part in whole.split(0.5, 0.5)] == [15, 15]
    labelled = made(np.arange(30) // 15)
    assert sum(len(part) for part in labelled.split(0.5, 0.5, stratify=False)) == 30


@pytest.mark.parametrize(
    ("shares", "options", "finding"),
    [
        ((0.8, 0.1), {}, "^shares: must have the sum 1, got 0.9"),
        ((), {}, "^shares: must have the sum 1, got 0"),
        ((80, 10, 10), {}, r"^shares\[0\]: must be in \(0, 1\], got 80"),
        ((1.0, 0.0), {}, r"^shares\[1\]: must be in \(0, 1\], got 0.0"),
        ((1.5, -0.5), {}, r"^shares\[0\]: must be in \(0, 1\]"),
        ((0.5, "0.5"), {}, r"^shares\[1\]: must be in \(0, 1\], got '0.5'"),
        (([0.5, 0.5],), {}, r"^shares\[0\]: must be in \(0, 1\]"),
        ((0.99, 0.01), {}, r"^shares\[1\]: must leave a sample of 10, got 0.01"),
        ((0.5, 0.5), {"seed": -1}, "^seed: must be an integer >= 0"),
        ((0.5, 0.5), {"stratify": "yes"}, "^stratify: must be true or false, got 'yes'"),
    ],
)
def test_shares_that_make_no_sense_are_refused(shares, options, finding):
    with pytest.raises(DataError, match=finding):
        made(np.arange(10) % 2).split(*shares, **options)


# What a set says of itself


def test_a_summary_counts_what_there_is(tmp_path):
    times = np.array([[0.25, 0.5, 1, 1], [0.75, 1, 1, 1], [1, 1, 1, 1]])
    dataset = SpikingDataset.from_numpy(times, ["cat", "dog", "cat"])
    assert dataset.summary() == "\n".join(
        [
            "samples                 3",
            "inputs                  4",
            "classes                 2: cat (2), dog (1)",
            "spikes                  3; 75 % of the values are silent",
            "spikes a sample         mean 1, 0 to 2; 1 samples have none",
            "inputs that never fire  2",
            "spike times             first 0.25, median 0.5, last 0.75; a sample ends at 1",
        ]
    )
    dataset.save(tmp_path / "set.npz")
    assert SpikingDataset.from_file(tmp_path / "set.npz").summary().startswith("file   ")


@pytest.mark.parametrize("labels", [None, np.arange(30), ["<b>&\x1b[31m", "x" * 300] + ["y"] * 28])
def test_any_set_can_be_summed_up_and_shown_in_a_notebook(labels):
    dataset = SpikingDataset.from_numpy(np.random.default_rng(0).random((30, 2, 3)), labels)
    for part in (dataset, dataset[:1], dataset[:0]):
        text, page = part.summary(), part._repr_html_()
        assert max(map(len, text.splitlines())) < 2000
        assert "\x1b" not in text + page
        assert "<b>" not in page
        assert page.startswith("<table>")
        assert "2 x 3" in text
    assert ("unlabelled" in dataset.summary()) == (labels is None)
    assert ("and 10 more" in dataset.summary()) == (isinstance(labels, np.ndarray))
