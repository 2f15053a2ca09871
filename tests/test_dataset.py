"""A data set holds what it was given, in one order, and nothing that breaks its rules."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.testing import assert_array_equal
from tables import examples

from spikenn_cy.data import dense
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.dtypes import INDEX
from spikenn_cy.dtypes import OFFSET
from spikenn_cy.dtypes import STAMP
from spikenn_cy.errors import DataError

pytestmark = pytest.mark.quick

ARRAYS = ("indptr", "indices", "timestamps", "labels", "classes")
DTYPES = {"indptr": OFFSET, "indices": INDEX, "timestamps": STAMP, "labels": INDEX}


def spikes_of(X, max_time):
    """The rules in plain NumPy: round, drop the silent, sort by time and keep ties in index order."""
    with np.errstate(all="ignore"):
        rows = np.asarray(X).reshape(len(X), -1).astype(STAMP) + STAMP.type(0)  # -0 + 0 is 0
    indices, timestamps = [], []
    for row in rows:
        order = np.argsort(row, kind="stable")
        order = order[row[order] < STAMP.type(max_time)]
        indices.append(order.astype(INDEX))
        timestamps.append(row[order])
    return indices, timestamps


def assert_holds(dataset, indices, timestamps, labels):
    assert len(dataset) == len(indices)
    assert_array_equal(dataset.indptr, np.cumsum([0, *map(len, indices)]))
    assert_array_equal(dataset.indices, np.concatenate(indices))
    assert_array_equal(dataset.timestamps.view(np.int32), np.concatenate(timestamps).view(np.int32))  # to the bit
    assert_array_equal(dataset.labels, labels)


def assert_same(one, other):
    for name in ARRAYS:
        assert_array_equal(getattr(one, name), getattr(other, name), strict=True)
    assert (one.n_inputs, one.max_time, one.n_classes) == (other.n_inputs, other.max_time, other.n_classes)


def random_dataset(n_samples=12, n_inputs=9, seed=0):
    rng = np.random.default_rng(seed)
    X = np.round(rng.random((n_samples, n_inputs)) * 1.4, 1)
    X[n_samples // 2] = np.inf  # a sample without a spike
    return SpikingDataset.from_numpy(X, np.arange(n_samples) % 3 + 5)


# Two samples, a tie in index order in each: 0.1: 3 | 0.5: 1 2 || 0.0: 0 4
GOOD = {
    "indptr": [0, 3, 5],
    "indices": [3, 1, 2, 0, 4],
    "timestamps": [0.1, 0.5, 0.5, 0.0, 0.0],
    "labels": [1, 0],
    "n_inputs": 5,
    "max_time": 1.0,
}


# ---------------------------------------------------------------------------- from dense times


@pytest.mark.filterwarnings("ignore::spikenn_cy.errors.DataWarning")
@given(
    X=npst.array_shapes(min_dims=2, max_dims=4, max_side=7).flatmap(
        lambda shape: st.one_of(
            npst.arrays(np.float32, shape, elements=st.sampled_from([0.0, -0.0, 0.25, 0.5, 0.75, 1.0, 2.0, np.inf])),
            npst.arrays(np.float64, shape, elements=st.floats(0, 1.5, allow_subnormal=False)),
            npst.arrays(np.float16, shape, elements=st.floats(0, 2, width=16)),
            npst.arrays(np.uint8, shape),
            npst.arrays(">i4", shape, elements=st.integers(0, 5)),
        )
    ),
    max_time=st.sampled_from([1.0, 0.7, 3, 100, 1e30]),
)
def test_dense_times_become_the_spikes_of_the_reference(X, max_time):
    y = np.arange(len(X)) % 3
    dataset = SpikingDataset.from_numpy(X, y, max_time=max_time)
    assert_holds(dataset, *spikes_of(X, max_time), y)
    assert (dataset.n_inputs, dataset.max_time) == (X[0].size, max_time)


@pytest.mark.parametrize("levels", [1, 3, 256, 1 << 24])
@pytest.mark.parametrize("max_time", [1e-40, 1.0, 1e38])
@pytest.mark.parametrize("n_inputs", [39, 40, 41, 3000])
def test_long_samples_are_sorted_stably_at_every_scale_of_time(n_inputs, max_time, levels):
    rng = np.random.default_rng(n_inputs)
    X = (rng.integers(0, levels, (8, n_inputs)) / levels * 1.25 * max_time).astype(STAMP)
    assert_holds(SpikingDataset.from_numpy(X, np.zeros(8, int), max_time), *spikes_of(X, max_time), np.zeros(8))


@pytest.mark.parametrize("chunk_bytes", [1, 100, 1000])
def test_chunks_do_not_show(monkeypatch, chunk_bytes):
    X = np.random.default_rng(1).random((50, 13)) * 1.5
    whole = SpikingDataset.from_numpy(X, np.arange(50))
    monkeypatch.setattr(dense, "CHUNK_BYTES", chunk_bytes)
    assert_same(SpikingDataset.from_numpy(X, np.arange(50)), whole)


@pytest.mark.parametrize(
    ("time", "max_time", "spikes"),
    [
        (0.7, 0.7, False),  # float32(0.7) lies below 0.7, and is the end all the same
        (np.nextafter(1.0, 0), 1.0, False),  # rounds to 1 in float32
        (np.nextafter(STAMP.type(1), STAMP.type(0)), 1.0, True),
        (np.inf, 1.0, False),
        (1e300, 1e30, False),
        (-1e-300, 1.0, True),  # rounds to a zero
        (-0.0, 1.0, True),
        (np.longdouble(1) / 3, 1.0, True),
    ],
)
def test_an_input_spikes_if_its_rounded_time_is_before_the_rounded_end(time, max_time, spikes):
    dataset = SpikingDataset.from_numpy(np.array([[time]]), [0], max_time=max_time)
    assert len(dataset.indices) == spikes
    assert not np.signbit(dataset.timestamps).any()


@pytest.mark.parametrize("layout", ["fortran", "strided", "reversed", "read-only", "big-endian", "unaligned", "list"])
def test_any_layout_of_dense_times_gives_the_same_data_set(layout):
    X = np.random.default_rng(2).random((6, 4, 5)).astype(np.float32) * 2
    unaligned = np.frombuffer(b"x" + X.tobytes(), np.uint8)[1:].view(np.float32).reshape(X.shape)
    given_X = {
        "fortran": np.asfortranarray(X),
        "strided": np.repeat(X, 2, axis=1)[:, ::2],
        "reversed": X[::-1, ::-1].copy()[::-1, ::-1],
        "read-only": X.copy(),
        "big-endian": X.astype(">f4"),
        "unaligned": unaligned,
        "list": X.tolist(),
    }[layout]
    if layout == "read-only":
        given_X.flags.writeable = False
    y = ["b", "a"] * 3
    assert_same(SpikingDataset.from_numpy(given_X, y), SpikingDataset.from_numpy(X, y))


@pytest.mark.filterwarnings("ignore::spikenn_cy.errors.DataWarning")
@pytest.mark.parametrize(
    ("y", "classes", "labels"),
    [
        ([7, 3, 7], [3, 7], [1, 0, 1]),
        (["cat", "ant", "cat"], ["ant", "cat"], [1, 0, 1]),
        (np.array([200, 0, 3], np.uint8), [0, 3, 200], [2, 0, 1]),
        (np.array([-1, 2**40, -1], ">i8"), [-1, 2**40], [0, 1, 0]),
        (np.array([b"b", b"a", b"b"]), [b"a", b"b"], [1, 0, 1]),
        (np.array(["b", "a", "b"], object), ["a", "b"], [1, 0, 1]),
        (np.array([5, 4, 5], object), [4, 5], [1, 0, 1]),
    ],
)
def test_labels_are_numbered_in_sorted_order_and_classes_keep_the_originals(y, classes, labels):
    dataset = SpikingDataset.from_numpy(np.ones((3, 2)), y)
    assert dataset.classes.tolist() == classes
    assert dataset.classes.dtype.isnative
    assert_array_equal(dataset.labels, labels)
    assert dataset.n_classes == len(classes)


@pytest.mark.parametrize(
    ("X", "y", "max_time", "message"),
    [
        ([[0.5, np.nan]], [0], 1, r"^X\[0, 1\]: a time must be a number >= 0, got nan$"),
        ([[[0.5, 0.5], [0.5, -1e-3]]], [0], 1, r"^X\[0, 1, 1\]: a time must be a number >= 0, got -0\.001$"),
        ([[0.5], [-np.inf]], [0, 1], 1, r"^X\[1, 0\]: a time must be a number >= 0, got -inf$"),
        (np.array([[3, -1]]), [0], 1, r"^X\[0, 1\]: .* got -1\.0$"),
        (np.full((1, 2), -np.nan, np.float32), [0], 1, r"^X\[0, 0\]: .* got nan$"),
        (np.ones(3), [0, 1, 2], 1, r"^X: must have an axis of samples"),
        (np.ones((0, 3)), [], 1, r"^X: must have at least one sample"),
        (np.ones((3, 0)), [0, 1, 2], 1, r"^X: must have 1 to 2147483647 inputs a sample, got 0$"),
        (np.ones((2, 2), bool), [0, 1], 1, r"^X: must be real numbers, got dtype\('bool'\)$"),
        (np.ones((2, 2), complex), [0, 1], 1, r"^X: must be real numbers"),
        (np.ones((2, 2), object), [0, 1], 1, r"^X: must be real numbers"),
        ([["0.5"]], [0], 1, r"^X: must be real numbers"),
        ([[0.5], [0.5, 0.5]], [0, 1], 1, r"^X: must be an array of real numbers, got list$"),
        (np.ones((2, 2)), [0], 1, r"^y: must have a label for each of 2 samples, got 1$"),
        (np.ones((2, 2)), [0.0, 1.0], 1, r"^y: must be whole numbers or strings, got dtype\('float64'\)$"),
        (np.ones((2, 2)), [True, False], 1, r"^y: must be whole numbers or strings, got dtype\('bool'\)$"),
        (np.ones((2, 2)), np.array([1, "a"], object), 1, r"^y\[1\]: must be a whole number like those before"),
        (np.ones((2, 2)), [[0], [1]], 1, r"^y: must have one axis .*, got \(2, 1\)$"),
        (np.ones((2, 2)), [0, 1], 0, r"^max_time: must be a finite number > 0, got 0$"),
        (np.ones((2, 2)), [0, 1], -1.0, r"^max_time: "),
        (np.ones((2, 2)), [0, 1], np.nan, r"^max_time: "),
        (np.ones((2, 2)), [0, 1], np.inf, r"^max_time: "),
        (np.ones((2, 2)), [0, 1], 1e-60, r"^max_time: "),
        (np.ones((2, 2)), [0, 1], 1e60, r"^max_time: "),
        (np.ones((2, 2)), [0, 1], True, r"^max_time: "),
        (np.ones((2, 2)), [0, 1], "1", r"^max_time: "),
        (np.ones((2, 2)), [0, 1], None, r"^max_time: "),
        (np.ones((2, 2)), [0, 1], [1.0, 2.0], r"^max_time: "),
    ],
)
def test_dense_times_that_make_no_sense_are_refused_by_name_and_place(X, y, max_time, message):
    with pytest.raises(DataError, match=message) as caught:
        SpikingDataset.from_numpy(X, y, max_time=max_time)
    assert "\n" not in str(caught.value)


def test_a_wrong_time_in_a_later_chunk_is_named_by_its_place_in_the_whole(monkeypatch):
    monkeypatch.setattr(dense, "CHUNK_BYTES", 4 * 12 * 2)
    X = np.ones((7, 3, 4))
    X[5, 2, 1] = np.nan
    with pytest.raises(DataError, match=r"^X\[5, 2, 1\]: "):
        SpikingDataset.from_numpy(X, np.zeros(7, int))


MEMORY = """
import resource, sys
import numpy as np
from spikenn_cy.data.dataset import SpikingDataset

X = np.memmap(sys.argv[1], np.{dtype}, "r", shape=(500, 24_576))
X[:1].sum()
used = int(next(line for line in open("/proc/self/status") if line.startswith("VmData")).split()[1]) * 1024
resource.setrlimit(resource.RLIMIT_DATA, (used + 32_000_000, resource.RLIM_INFINITY))
dataset = SpikingDataset.from_numpy(X, np.arange(500) % 10)
assert len(dataset.indices) == 50_000
"""


@pytest.mark.processes
@pytest.mark.skipif(sys.platform != "linux", reason="limits the data segment")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_mapped_array_is_read_without_a_second_dense_copy(tmp_path, dtype):
    X = np.memmap(tmp_path / "X", dtype, "w+", shape=(500, 24_576))  # 49 or 98 MB; the limit is 32
    X[:] = 2
    X[:, :100] = 0.5
    X.flush()
    subprocess.run([sys.executable, "-c", MEMORY.format(dtype=dtype), str(tmp_path / "X")], check=True)


# ---------------------------------------------------------------------------- CSR at the door


def test_the_constructor_keeps_what_it_is_given():
    dataset = SpikingDataset(**GOOD)
    for name in ("indptr", "indices", "labels"):
        assert_array_equal(getattr(dataset, name), GOOD[name])
    assert_array_equal(dataset.timestamps, np.array(GOOD["timestamps"], STAMP))
    dtypes = [getattr(dataset, name).dtype for name in ARRAYS]
    assert dtypes == [OFFSET, INDEX, STAMP, INDEX, np.int64]
    assert (dataset.n_inputs, dataset.max_time, dataset.n_classes, len(dataset)) == (5, 1.0, 2, 2)
    assert_array_equal(dataset.classes, [0, 1])
    assert dataset.source is None
    assert repr(dataset) == "SpikingDataset(2 samples, 5 inputs, 2 classes, 5 spikes, max_time=1.0)"


@pytest.mark.parametrize(
    "kind", ["int8", "uint8", "int16", ">i4", "uint32", "int64", ">u8", "list", "strided", "fixed"]
)
def test_any_whole_number_dtype_and_layout_gives_the_same_data_set(kind):
    def as_kind(values):
        values = np.array(values)
        if kind == "list":
            return values.tolist()
        if kind == "strided":
            return np.repeat(values, 3)[::3]
        if kind == "fixed":
            values.flags.writeable = False
            return values
        return values.astype(kind)

    arrays = dict(GOOD, **{name: as_kind(GOOD[name]) for name in ("indptr", "indices", "labels")})
    assert_same(SpikingDataset(**arrays), SpikingDataset(**GOOD))


@pytest.mark.parametrize("kind", ["float16", "float32", ">f4", "float64", "longdouble", "int8", "uint64"])
def test_any_real_dtype_of_times_gives_the_same_data_set(kind):
    times = np.array([0, 2, 2, 1, 1], kind)
    dataset = SpikingDataset(**dict(GOOD, timestamps=times, max_time=3))
    assert_array_equal(dataset.timestamps, np.array([0, 2, 2, 1, 1], STAMP), strict=True)


@given(data=st.data())
def test_equal_times_in_any_order_come_out_in_index_order(data):
    shape = st.tuples(st.integers(1, 4), st.integers(1, 90))
    X = data.draw(npst.arrays(np.float32, shape, elements=st.sampled_from([0, 0.5, 1])))
    indices, timestamps = spikes_of(X, 1)
    rng = np.random.default_rng(data.draw(st.integers(0, 100)))
    turns = [rng.permutation(len(sample)) for sample in indices]
    turns = [turn[np.argsort(times[turn], kind="stable")] for turn, times in zip(turns, timestamps, strict=True)]
    turned = np.concatenate([sample[turn] for sample, turn in zip(indices, turns, strict=True)])
    times = np.concatenate(timestamps)
    times[(times == 0) & (rng.random(len(times)) < 0.5)] = -0.0  # 0 and -0 are one time
    indptr = np.cumsum([0, *map(len, indices)])
    dataset = SpikingDataset(indptr, turned, times, np.zeros(len(X), int), n_inputs=X.shape[1])
    assert_holds(dataset, indices, timestamps, np.zeros(len(X)))


def test_minus_zero_is_zero():
    dataset = SpikingDataset(**dict(GOOD, timestamps=[-0.0, 0.0, 0.5, 0.0, -0.0]))
    assert not np.signbit(dataset.timestamps).any()
    assert_array_equal(dataset.indices, [1, 3, 2, 0, 4])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"indptr": [1, 3, 5]}, "indptr: must start at 0, got 1"),
        ({"indptr": [0, 6, 5]}, "indptr, sample 1: must not fall below 6, got 5"),
        ({"indptr": [0, -1, 5]}, "indptr, sample 0: must not fall below 0, got -1"),
        ({"indptr": [0, 3, 4]}, "indptr: must end at the number of spikes, 5, got 4"),
        ({"indptr": [0, 3, 6]}, "indptr: must end at the number of spikes, 5, got 6"),
        ({"indptr": [0, 5]}, "indptr: must be one more than labels, 3, got 2"),
        ({"indptr": [0.0, 3.0, 5.0]}, "indptr: must be whole numbers, got dtype('float64')"),
        ({"indptr": np.array([0, 3, 2**63], np.uint64)}, "indptr: must fit int64, got 9223372036854775808"),
        ({"indptr": [[0, 3, 5]]}, "indptr: must have one axis, got (1, 3)"),
        ({"indices": [3, 1, 2, 0]}, "indptr: must end at the number of spikes, 4, got 5"),
        ({"indices": [3, 1, 2, 0, 5]}, "sample 1, spike 1: input index must be in [0, 5), got 5"),
        ({"indices": [3, -1, 2, 0, 4]}, "sample 0, spike 1: input index must be in [0, 5), got -1"),
        ({"indices": [3, 1, 2, 0, 2**31 - 1]}, "sample 1, spike 1: input index must be in [0, 5), got 2147483647"),
        ({"indices": [3, 1, 2, 0, 2**32 + 4]}, "indices: must fit int32, got 4294967300"),
        ({"indices": [3, 1, 2, 0, -(2**31) - 1]}, "indices: must fit int32, got -2147483649"),
        ({"indices": np.array([3, 1, 2, 0, 2**32], np.uint64)}, "indices: must fit int32, got 4294967296"),
        ({"indices": np.ones(5, bool)}, "indices: must be whole numbers, got dtype('bool')"),
        ({"indices": np.ones(5, complex)}, "indices: must be whole numbers, got dtype('complex128')"),
        ({"indices": np.array([3, 1, 2, 0, 4], object)}, "indices: must be whole numbers, got dtype('O')"),
        ({"indices": [[3], [1, 2]]}, "indices: must be an array of whole numbers, got list"),
        ({"timestamps": [0.1, 0.5, 0.5, 0.0]}, "timestamps: must be as many as indices, 5, got 4"),
        (
            {"timestamps": [0.5, 0.1, 0.5, 0, 0]},
            "sample 0, spike 1: times must not fall, and 0.5 comes before, got 0.1",
        ),
        ({"timestamps": [0.1, 0.5, 0.5, 0, 1.0]}, "sample 1, spike 1: time must be in [0, 1.0), got 1.0"),
        ({"timestamps": [0.1, 0.5, 0.5, 0, 1 - 1e-9]}, "sample 1, spike 1: time must be in [0, 1.0), got 1.0"),
        ({"timestamps": [0.1, 0.5, 0.5, 0, np.inf]}, "sample 1, spike 1: time must be in [0, 1.0), got inf"),
        ({"timestamps": [0.1, 0.5, 0.5, 0, 1e300]}, "sample 1, spike 1: time must be in [0, 1.0), got inf"),
        ({"timestamps": [-0.5, 0.5, 0.5, 0, 0]}, "sample 0, spike 0: time must be in [0, 1.0), got -0.5"),
        ({"timestamps": [-np.inf, 0.5, 0.5, 0, 0]}, "sample 0, spike 0: time must be in [0, 1.0), got -inf"),
        ({"timestamps": [np.nan, 0.5, 0.5, 0, 0]}, "sample 0, spike 0: time must be in [0, 1.0), got nan"),
        ({"timestamps": [0.1, np.nan, 0.5, 0, 0]}, "sample 0, spike 1: time must be in [0, 1.0), got nan"),
        ({"timestamps": [0.1, 0.5, -np.nan, 0, 0]}, "sample 0, spike 2: time must be in [0, 1.0), got nan"),
        ({"timestamps": np.zeros(5, bool)}, "timestamps: must be real numbers, got dtype('bool')"),
        ({"timestamps": np.zeros(5, complex)}, "timestamps: must be real numbers, got dtype('complex128')"),
        ({"timestamps": np.zeros(5, object)}, "timestamps: must be real numbers, got dtype('O')"),
        ({"timestamps": np.zeros((5, 1))}, "timestamps: must have one axis, got (5, 1)"),
        ({"indices": [3, 1, 3, 0, 4]}, "sample 0, spike 2: an input must not spike twice, got 3"),
        ({"indices": [3, 1, 1, 0, 4]}, "sample 0, spike 2: an input must not spike twice, got 1"),
        ({"indices": [3, 1, 2, 4, 4]}, "sample 1, spike 1: an input must not spike twice, got 4"),
        ({"labels": [1, -1]}, "sample 1: label must be in [0, 65536), got -1"),
        ({"labels": [65536, 0]}, "sample 0: label must be in [0, 65536), got 65536"),
        ({"labels": [1, 2**31]}, "labels: must fit int32, got 2147483648"),
        ({"labels": [1.0, 0.0]}, "labels: must be whole numbers, got dtype('float64')"),
        ({"labels": [True, False]}, "labels: must be whole numbers, got dtype('bool')"),
        ({"labels": ["b", "a"]}, "labels: must be whole numbers, got dtype('<U1')"),
        ({"labels": [1]}, "indptr: must be one more than labels, 2, got 3"),
        ({"labels": [1, 2], "classes": [4, 9]}, "sample 1: label must be in [0, 2), got 2"),
        ({"classes": [9, 4]}, "classes: must be sorted, each once, at least one, got [9, 4]"),
        ({"classes": [4, 4]}, "classes: must be sorted, each once, at least one, got [4, 4]"),
        ({"classes": np.array([], int)}, "classes: must be sorted, each once, at least one, got []"),
        ({"classes": [0.5, 1.5]}, "classes: must be whole numbers or strings, got dtype('float64')"),
        ({"n_inputs": 0}, "n_inputs: must be a whole number in [1, 2147483647], got 0"),
        ({"n_inputs": 2**31}, "n_inputs: must be a whole number in [1, 2147483647], got 2147483648"),
        ({"n_inputs": 5.0}, "n_inputs: must be a whole number in [1, 2147483647], got 5.0"),
        ({"n_inputs": True}, "n_inputs: must be a whole number in [1, 2147483647], got True"),
        ({"n_inputs": None}, "n_inputs: must be a whole number in [1, 2147483647], got None"),
        ({"max_time": 0.5}, "sample 0, spike 1: time must be in [0, 0.5), got 0.5"),
        ({"max_time": np.nan}, "max_time: must be a finite number > 0, got nan"),
        (
            {"indptr": [0], "indices": [], "timestamps": [], "labels": []},
            "labels: must be 1 to 2147483647 samples, got 0",
        ),
    ],
)
def test_arrays_that_break_a_rule_are_refused_with_place_rule_and_finding(change, message):
    with pytest.raises(DataError) as caught:
        SpikingDataset(**dict(GOOD, **change))
    assert str(caught.value) == message


@pytest.mark.parametrize("n_inputs", [1 << 22, (1 << 22) + 1, 2**31 - 1])  # by a table of inputs, by sorting
def test_a_repeated_input_is_found_among_few_or_many_inputs(n_inputs):
    rng = np.random.default_rng(3)
    indices = rng.choice(n_inputs, 200, replace=False)
    rest = {"indptr": [0, 0, 100, 200], "timestamps": np.tile(np.linspace(0, 0.9, 100), 2), "labels": [0, 0, 0]}
    SpikingDataset(indices=indices, n_inputs=n_inputs, **rest)
    indices[[170, 190]] = indices[[120, 130]]
    with pytest.raises(DataError, match=rf"^sample 2, spike 70: an input must not spike twice, got {indices[120]}$"):
        SpikingDataset(indices=indices, n_inputs=n_inputs, **rest)


def test_one_input_may_spike_in_every_sample():
    dataset = SpikingDataset([0, 1, 2], [0, 0], [0.5, 0.5], [0, 0], n_inputs=1)
    assert_array_equal(dataset.indices, [0, 0])


@examples(200)
@given(data=st.data())
def test_the_check_finds_exactly_what_a_slow_one_finds(data):
    n = data.draw(st.integers(1, 70))
    times = np.sort(data.draw(npst.arrays(STAMP, n, elements=st.sampled_from([0, 0.25, 0.5, 0.75]))))
    indices = np.array(data.draw(st.permutations(range(n + 5))))[:n]
    for array, values in ((times, [np.nan, -1, 1, 0.5, -0.0, np.inf]), (indices, [-1, n + 5, 0, 2**31 - 1, -(2**31)])):
        if data.draw(st.booleans()):
            array[data.draw(st.integers(0, n - 1))] = data.draw(st.sampled_from(values))
    fine = (
        bool(np.all((times >= 0) & (times < 1)))
        and bool(np.all(np.diff(times) >= 0))
        and bool(np.all((indices >= 0) & (indices < n + 5)))
        and len(set(indices.tolist())) == n
    )
    arrays = [0, n], indices, times, [0]
    if fine:
        SpikingDataset(*arrays, n_inputs=n + 5)
    else:
        with pytest.raises(DataError, match=r"^sample 0, spike \d+: "):
            SpikingDataset(*arrays, n_inputs=n + 5)


# ---------------------------------------------------------------------------- immutable


def test_nothing_in_a_data_set_can_be_changed():
    dataset = SpikingDataset(**GOOD)
    for part in (dataset, dataset[:1], dataset[[0]], SpikingDataset.from_numpy(dataset.to_dense(), [0, 1])):
        for name in ARRAYS:
            with pytest.raises(ValueError, match="read-only"):
                getattr(part, name)[0] = 0
            with pytest.raises(AttributeError):
                setattr(part, name, None)
    with pytest.raises(AttributeError):
        dataset.n_inputs = 3


def test_an_array_that_the_caller_can_still_write_to_is_copied():
    indices = np.array(GOOD["indices"], INDEX)
    seemingly_fixed = indices[:]
    seemingly_fixed.flags.writeable = False
    for array in (indices, seemingly_fixed):
        dataset = SpikingDataset(**dict(GOOD, indices=array))
        assert not np.shares_memory(dataset.indices, indices)
        assert array.flags.writeable == (array is indices)


def test_an_array_that_nobody_can_write_to_is_shared():
    fixed = {name: np.array(GOOD[name], dtype) for name, dtype in DTYPES.items()}
    for array in fixed.values():
        array.flags.writeable = False
    dataset = SpikingDataset(**dict(GOOD, **fixed))
    for name, array in fixed.items():
        assert np.shares_memory(getattr(dataset, name), array)


def test_kernels_can_view_every_array():
    for dataset in (SpikingDataset(**GOOD), random_dataset(), random_dataset()[3:7], random_dataset()[::-2]):
        for name, dtype in DTYPES.items():
            array = getattr(dataset, name)
            assert array.dtype == dtype
            assert array.flags.c_contiguous
            assert array.flags.aligned


# ---------------------------------------------------------------------------- samples


def test_a_sample_is_its_inputs_times_and_label():
    indices, timestamps, label = SpikingDataset(**GOOD)[0]
    assert_array_equal(indices, [3, 1, 2])
    assert_array_equal(timestamps, np.array([0.1, 0.5, 0.5], STAMP))
    assert label == 1
    assert type(label) is int


def test_iteration_gives_the_samples_in_order():
    dataset = random_dataset()
    samples = list(dataset)
    assert len(samples) == len(dataset)
    for s, (indices, timestamps, label) in enumerate(samples):
        assert_array_equal(indices, dataset[s][0])
        assert_array_equal(timestamps, dataset[s][1])
        assert label == dataset[s][2]


@given(
    key=st.one_of(
        st.slices(12),
        npst.arrays(np.int64, st.integers(0, 20), elements=st.integers(-12, 11)),
        npst.arrays(np.int8, st.integers(0, 20), elements=st.integers(-12, 11)),
        npst.arrays(np.uint64, st.integers(0, 20), elements=st.integers(0, 11)),
        npst.arrays(bool, 12),
        st.lists(st.integers(-12, 11)),
        st.lists(st.booleans(), min_size=12, max_size=12),
    )
)
def test_a_slice_or_array_chooses_samples_like_numpy(key):
    dataset = random_dataset()
    numbers = np.arange(12)[key]
    chosen = dataset[key]
    assert chosen.indptr[0] == 0
    assert chosen.indptr[-1] == len(chosen.indices) == len(chosen.timestamps)
    assert len(chosen) == len(numbers)
    assert_array_equal(chosen.labels, dataset.labels[numbers])
    for (indices, timestamps, label), number in zip(chosen, numbers, strict=True):
        assert_array_equal(indices, dataset[number][0])
        assert_array_equal(timestamps, dataset[number][1])
        assert label == dataset[number][2]
    assert_array_equal(chosen.classes, dataset.classes)
    assert chosen.n_inputs == dataset.n_inputs


@pytest.mark.parametrize("number", [-12, -1, 0, 11, np.int8(3), np.uint64(3), np.array(3)])
def test_any_whole_number_chooses_a_sample(number):
    dataset = random_dataset()
    assert_array_equal(dataset[number][0], dataset[int(number) % 12][0])


@pytest.mark.parametrize(
    "key",
    [12, -13, 2**70, 1.0, True, np.True_, "0", None, ..., (0, 1), (), [0.5], [[0]], [[0], [0, 1]], [12], [-13],
     [0, 2**70], np.array([0.0]), np.array([]), np.array(1.0), np.ones(11, bool), np.ones((12, 1), bool), [True],
     np.array(["0"]), slice("a", None), slice(0, 1, 0.5), slice(None, None, 0), np.array([2**63], np.uint64)],
)  # fmt: skip
def test_a_bad_index_is_an_index_error(key):
    with pytest.raises(IndexError) as caught:
        random_dataset()[key]
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", [slice(5, 3), slice(12, 0), slice(-1, 2), slice(40, 20), slice(3, 5, -1)], ids=str)
def test_a_slice_that_ends_before_it_begins_has_no_sample(key):
    chosen = random_dataset()[key]
    assert len(chosen) == len(chosen.indices) == len(chosen.timestamps) == 0
    assert chosen.indptr.tolist() == [0]
    assert len(pickle.loads(pickle.dumps(chosen))) == 0


def test_a_slice_without_a_step_shares_its_parents_memory():
    dataset = random_dataset()
    assert np.shares_memory(dataset[3:9].indices, dataset.indices)
    assert np.shares_memory(dataset[3:9].timestamps, dataset.timestamps)


def test_no_samples_can_be_taken_but_not_made_or_saved(tmp_path):
    empty = random_dataset()[0:0]
    assert len(empty) == 0
    assert list(empty) == []
    assert empty.n_classes == 3
    assert empty.to_dense().shape == (0, 9)
    assert len(empty[[]]) == 0
    with pytest.raises(DataError, match="at least one sample"):
        empty.save(tmp_path / "empty.npz")
    assert not list(tmp_path.iterdir())


# ---------------------------------------------------------------------------- back to dense, to other processes


@pytest.mark.parametrize("silent", [None, np.inf, np.nan, 7, np.float32(2)])
def test_dense_times_come_back(silent):
    X = np.random.default_rng(4).random((9, 4, 3)).astype(STAMP) * 2
    dataset = SpikingDataset.from_numpy(X, np.arange(9), max_time=1.5)
    want = np.where(X < 1.5, X, 1.5 if silent is None else silent).astype(STAMP).reshape(9, -1)
    assert_array_equal(dataset.to_dense(silent=silent), want, strict=True)


def test_a_part_comes_back_dense_too():
    dataset = random_dataset()
    assert_array_equal(dataset[4:8].to_dense(), dataset.to_dense()[4:8])


@pytest.mark.parametrize("silent", ["1", True, 1j, [1.0]])
def test_a_silent_time_must_be_a_number(silent):
    with pytest.raises(DataError, match=r"^silent: must be a real number"):
        random_dataset().to_dense(silent=silent)


def test_a_pickled_data_set_comes_back_equal_and_immutable(tmp_path):
    random_dataset().save(tmp_path / "set.npz")
    for dataset in (random_dataset(), random_dataset()[2:5], SpikingDataset.from_file(tmp_path / "set.npz")[2:5]):
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
            pickled = pickle.dumps(dataset, protocol)
            assert b"memmap" not in pickled
            back = pickle.loads(pickled)
            assert_same(back, dataset)
            assert back.source == dataset.source
            assert not any(getattr(back, name).flags.writeable for name in ARRAYS)
