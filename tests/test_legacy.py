"""The reference's pickled files are read as what they say; nothing in any file is run."""

import copyreg
import io
import os
import pickle
import struct
import sys
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from tables import examples

from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.data.legacy import ADMITTED
from spikenn_cy.errors import DataError

pytestmark = pytest.mark.quick

SAMPLES = [([3, 1, 2], [0.25, 0.5, 0.5]), ([0], [0.0])]


def record(indices, times, index_type=np.int16, time_type=np.float32):
    return np.rec.fromarrays([np.array(indices, index_type), np.array(times, time_type)], names="indices,timestamps")


def content(**changes):
    fields = {"data": [record(*sample) for sample in SAMPLES], "labels": np.array([1, 0], np.int16), "shape": (2, 5)}
    return {name: value for name, value in (fields | changes).items() if value is not None}


def npy(program):
    """A pickle as the content of a .npy file of one object."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "|O", "fortran_order": False, "shape": ()})
    return file.getvalue() + program


def pickled(fields, protocol=4):
    return pickle.dumps(np.array(fields, dtype=object), protocol)


def read(tmp_path, program):
    (tmp_path / "set.npy").write_bytes(npy(program))
    return SpikingDataset.from_file(tmp_path / "set.npy")


def refusal(tmp_path, program):
    with pytest.raises(DataError) as caught:
        read(tmp_path, program)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'set.npy'}: ")
    assert "\n" not in message
    assert len(message) < len(str(tmp_path)) + 250
    return message.removeprefix(f"{tmp_path / 'set.npy'}: ")


def assert_is_samples(dataset):
    assert_array_equal(dataset.indptr, [0, 3, 4])
    assert_array_equal(dataset.indices, np.array([3, 1, 2, 0], np.int32), strict=True)
    assert_array_equal(dataset.timestamps, np.array([0.25, 0.5, 0.5, 0], np.float32), strict=True)
    assert_array_equal(dataset.labels, np.array([1, 0], np.int32), strict=True)
    assert_array_equal(dataset.classes, [0, 1])
    assert (dataset.n_inputs, dataset.max_time) == (5, 1.0)


# ---------------------------------------------------------------------------- what is read

# As NumPy 1 spelt its own names, in the pickle protocols that its `save` used: 2 up to NumPy 1.16, then 3.
NUMPY_1 = {
    2: b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x00cnumpy\nndarray\nq\x01K\x00\x85q\x02c_codecs\nencode\nq\x03"
    b"X\x01\x00\x00\x00bq\x04X\x06\x00\x00\x00latin1q\x05\x86q\x06Rq\x07\x87q\x08Rq\t(K\x01)cnumpy\ndtype\nq\n"
    b"X\x02\x00\x00\x00O8q\x0b\x89\x88\x87q\x0cRq\r(K\x03X\x01\x00\x00\x00|q\x0eNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?"
    b"tq\x0fb\x89]q\x10}q\x11(X\x04\x00\x00\x00dataq\x12]q\x13(h\x00cnumpy\nrecarray\nq\x14K\x00\x85q\x15h\x07\x87q\x16"
    b"Rq\x17(K\x01K\x03\x85q\x18h\ncnumpy\nrecord\nq\x19\x89\x88\x87q\x1aRq\x1b(K\x03h\x0eNX\x07\x00\x00\x00indicesq"
    b'\x1cX\n\x00\x00\x00timestampsq\x1d\x86q\x1e}q\x1f(h\x1ch\nX\x02\x00\x00\x00i2q \x89\x88\x87q!Rq"(K\x03X\x01\x00'
    b"\x00\x00<q#NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq$bK\x00\x86q%h\x1dh\nX\x02\x00\x00\x00f4q&\x89\x88\x87q'R"
    b"q((K\x03h#NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq)bK\x02\x86q*uK\x06K\x01K\x10tq+b\x89h\x03X\x13\x00\x00\x00"
    b"\x03\x00\x00\x00\xc2\x80>\x01\x00\x00\x00\x00?\x02\x00\x00\x00\x00?q,h\x05\x86q-Rq.tq/bh\x00h\x14K\x00\x85q0h\x07"
    b"\x87q1Rq2(K\x01K\x01\x85q3h\nh\x19\x89\x88\x87q4Rq5(K\x03h\x0eNX\x07\x00\x00\x00indicesq6X\n\x00\x00\x00timestamps"
    b'q7\x86q8}q9(h6h"K\x00\x86q:h7h(K\x02\x86q;uK\x06K\x01K\x10tq<b\x89h\x03X\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00'
    b'q=h\x05\x86q>Rq?tq@beX\x06\x00\x00\x00labelsqAh\x00h\x01K\x00\x85qBh\x07\x87qCRqD(K\x01K\x02\x85qEh"\x89h\x03'
    b"X\x04\x00\x00\x00\x01\x00\x00\x00qFh\x05\x86qGRqHtqIbX\x05\x00\x00\x00shapeqJK\x02K\x05\x86qK"
    b"X\x08\x00\x00\x00max_timeqLK\x01uatqMb.",
    3: b"\x80\x03cnumpy.core.multiarray\n_reconstruct\nq\x00cnumpy\nndarray\nq\x01K\x00\x85q\x02C\x01bq\x03\x87q\x04Rq"
    b"\x05(K\x01)cnumpy\ndtype\nq\x06X\x02\x00\x00\x00O8q\x07\x89\x88\x87q\x08Rq\t(K\x03X\x01\x00\x00\x00|q\nNNNJ\xff"
    b"\xff\xff\xffJ\xff\xff\xff\xffK?tq\x0bb\x89]q\x0c}q\r(X\x04\x00\x00\x00dataq\x0e]q\x0f(h\x00cnumpy\nrecarray\nq\x10"
    b"K\x00\x85q\x11h\x03\x87q\x12Rq\x13(K\x01K\x03\x85q\x14h\x06cnumpy\nrecord\nq\x15\x89\x88\x87q\x16Rq\x17(K\x03h\nN"
    b"X\x07\x00\x00\x00indicesq\x18X\n\x00\x00\x00timestampsq\x19\x86q\x1a}q\x1b(h\x18h\x06X\x02\x00\x00\x00i2q\x1c\x89"
    b"\x88\x87q\x1dRq\x1e(K\x03X\x01\x00\x00\x00<q\x1fNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq bK\x00\x86q!h\x19h"
    b'\x06X\x02\x00\x00\x00f4q"\x89\x88\x87q#Rq$(K\x03h\x1fNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tq%bK\x02\x86q&u'
    b"K\x06K\x01K\x10tq'b\x89C\x12\x03\x00\x00\x00\x80>\x01\x00\x00\x00\x00?\x02\x00\x00\x00\x00?q(tq)bh\x00h\x10K\x00"
    b"\x85q*h\x03\x87q+Rq,(K\x01K\x01\x85q-h\x06h\x15\x89\x88\x87q.Rq/(K\x03h\nNX\x07\x00\x00\x00indicesq0"
    b"X\n\x00\x00\x00timestampsq1\x86q2}q3(h0h\x1eK\x00\x86q4h1h$K\x02\x86q5uK\x06K\x01K\x10tq6b\x89C\x06\x00\x00\x00"
    b"\x00\x00\x00q7tq8beX\x06\x00\x00\x00labelsq9h\x00h\x01K\x00\x85q:h\x03\x87q;Rq<(K\x01K\x02\x85q=h\x1e\x89C\x04\x01"
    b"\x00\x00\x00q>tq?bX\x05\x00\x00\x00shapeq@K\x02K\x05\x86qAX\x08\x00\x00\x00max_timeqBK\x01uatqCb.",
}


@pytest.mark.parametrize("protocol", NUMPY_1)
@pytest.mark.parametrize("core", [b"numpy.core", b"numpy._core"])
@pytest.mark.parametrize("records", [b"numpy", b"numpy.rec", b"numpy.core.records", b"numpy._core.records"])
def test_the_names_of_every_numpy_are_known(tmp_path, protocol, core, records):
    program = NUMPY_1[protocol].replace(b"cnumpy.core.", b"c" + core + b".")
    for name in (b"recarray", b"record"):
        program = program.replace(b"cnumpy\n" + name, b"c" + records + b"\n" + name)
    assert_is_samples(read(tmp_path, program))


def test_the_file_that_numpy_saves_is_read(tmp_path):
    np.save(tmp_path / "set.npy", content(max_time=1), allow_pickle=True)
    dataset = SpikingDataset.from_file(tmp_path / "set.npy")
    assert_is_samples(dataset)
    assert dataset.source == str(tmp_path / "set.npy")
    assert dataset.classes_assumed
    assert dataset[:1].classes_assumed


def plain_records(samples):
    return [np.array(sample.tolist(), sample.dtype.descr) for sample in samples]


def object_array(samples):
    array = np.empty(len(samples), object)
    array[:] = samples
    return array


def one_dtype(samples):
    dtype = np.dtype((np.record, [("indices", "<i2"), ("timestamps", "<f4")]))
    return [sample.astype(dtype) for sample in samples]


def aligned(samples):
    return [sample.astype(np.dtype([("indices", "<i2"), ("timestamps", "<f4")], align=True)) for sample in samples]


def turned(samples):
    return [sample[["timestamps", "indices"]] for sample in samples]


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("form", [list, plain_records, object_array, one_dtype, aligned, turned])
def test_every_form_of_record_arrays_is_read_in_every_protocol(tmp_path, form, protocol):
    samples = [record(*sample) for sample in SAMPLES]
    assert_is_samples(read(tmp_path, pickled(content(data=form(samples)), protocol)))


@pytest.mark.parametrize("index_type", ["i1", "<i2", ">i2", "i4", "i8", "u1", "u2", ">u4"])
@pytest.mark.parametrize("time_type", ["f2", "<f4", ">f4", "f8"])
def test_every_number_dtype_is_read(tmp_path, index_type, time_type):
    samples = [record(*sample, index_type, time_type) for sample in SAMPLES]
    labels = np.array([1, 0], index_type)
    assert_is_samples(read(tmp_path, pickled(content(data=samples, labels=labels))))


@pytest.mark.parametrize(
    ("changes", "n_inputs", "max_time"),
    [
        ({}, 5, 1.0),
        ({"max_time": 2}, 5, 2.0),
        ({"max_time": np.float32(0.75)}, 5, 0.75),
        ({"max_time": np.int64(3)}, 5, 3.0),
        ({"shape": (np.int64(2), np.int32(7))}, 7, 1.0),
        ({"shape": [2, 5]}, 5, 1.0),
        ({"shape": (2, 2, 3, 4)}, 24, 1.0),
    ],
)
@pytest.mark.parametrize("protocol", [2, 4])
def test_sizes_and_time_may_be_numpys_or_pythons(tmp_path, changes, n_inputs, max_time, protocol):
    dataset = read(tmp_path, pickled(content(**changes), protocol))
    assert (dataset.n_inputs, dataset.max_time) == (n_inputs, max_time)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_samples_without_a_spike_are_read(tmp_path, protocol):
    dataset = read(tmp_path, pickled(content(data=[record([], []), record([], [])]), protocol))
    assert_array_equal(dataset.indptr, [0, 0, 0])


def test_equal_times_are_put_into_index_order(tmp_path):
    samples = [record([4, 2, 3, 1], [0.25, 0.5, 0.5, 0.5]), record([1, 0], [0, 0])]
    dataset = read(tmp_path, pickled(content(data=samples)))
    assert_array_equal(dataset.indices, [4, 1, 2, 3, 0, 1])


def test_numbers_of_labels_are_taken_as_they_are(tmp_path):
    dataset = read(tmp_path, pickled(content(labels=np.array([4, 2], np.int16))))
    assert_array_equal(dataset.labels, [4, 2])
    assert_array_equal(dataset.classes, np.arange(5))


def test_an_array_may_stand_for_two_samples_only_if_its_bytes_are_there_twice(tmp_path):
    empty = record([], [])
    assert len(read(tmp_path, pickled(content(data=[empty, empty])))) == 2
    long = record(np.arange(1000), np.linspace(0, 0.9, 1000))
    fields = content(data=[long] * 3, labels=np.zeros(3, np.int16), shape=(3, 1000))
    assert "must hold no more than the" in refusal(tmp_path, pickled(fields))


@pytest.mark.filterwarnings("ignore::spikenn_cy.errors.DataWarning")
@examples(25)
@given(data=st.data())
def test_random_data_sets_come_back(tmp_path_factory, data):
    n_samples, n_inputs = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 40))
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    X = (rng.integers(0, 8, (n_samples, n_inputs)) / 6).astype(np.float32)
    X[:, 0] = 1.5  # labels are drawn freely, and the last is there
    labels = np.append(rng.integers(0, 4, n_samples - 1), 3)
    samples = []
    for row in X:
        order = rng.permutation(n_inputs)
        order = order[np.argsort(row[order])]
        order = order[row[order] < 1]
        samples.append(record(order, row[order]))
    fields = content(data=samples, labels=labels.astype(np.int16), shape=X.shape)
    found = read(tmp_path_factory.mktemp("legacy"), pickled(fields, data.draw(st.integers(2, 5))))
    want = SpikingDataset.from_numpy(X, labels)
    for name in ("indptr", "indices", "timestamps"):
        assert_array_equal(getattr(found, name), getattr(want, name), strict=True)
    assert_array_equal(found.labels, labels)


# ---------------------------------------------------------------------------- what is wrong with a file


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": None}, "must have the keys data, labels, shape and perhaps max_time, got ['labels', 'shape']"),
        ({"labels": None}, "must have the keys data, labels, shape and perhaps max_time, got ['data', 'shape']"),
        ({"shape": None}, "must have the keys data, labels, shape and perhaps max_time, got ['data', 'labels']"),
        ({"extra": 1}, "must have the keys data, labels, shape and perhaps max_time, got ['data', 'extra', 'la"),
        ({"data": (1, 2)}, "data: must be a list of record arrays, got something else"),
        ({"data": {}}, "data: must be a list of record arrays, got something else"),
        ({"data": np.zeros((2, 2), "i2,f4")}, "data: must be a list of record arrays, got something else"),
        ({"data": []}, "data: must be 2 as in shape, got 0"),
        ({"data": [record([1], [0.5])]}, "data: must be 2 as in shape, got 1"),
        ({"data": [record([1], [0.5]), 3]}, "data, sample 1: must be an array with one axis, got something else"),
        ({"data": [record([1], [0.5]), np.zeros(3)]}, "data, sample 1: must be a record array, got dtype('float64')"),
        ({"data": [np.zeros((1, 1), "i2,f4")] * 2}, "data, sample 0: must be an array with one axis, got someth"),
        ({"data": [np.zeros(1, "i2,f4")] * 2}, "data, sample 0: must have the fields indices, whole numbers, and"),
        ({"data": [record([1], [0.5], "f4")] * 2}, "data, sample 0: must have the fields indices, whole numbers, and"),
        ({"data": [record([1], [0.5], "u8")] * 2}, "data, sample 0: must have the fields indices, whole numbers, and"),
        ({"data": [record([1], [0], "i2", "i4")] * 2}, "data, sample 0: must have the fields indices, whole number"),
        ({"data": [record([1], [0], "i2", "S4")] * 2}, "data, sample 0: must have a dtype of numbers, got something"),
        ({"data": [record([1], [0], "i2", "O")] * 2}, "data, sample 0: must have a dtype of numbers, got something"),
        ({"data": [record([1], [0], "i2", "f16")] * 2}, "data, sample 0: must have a dtype of numbers, got something"),
        ({"labels": [1, 0]}, "labels: must be an array with one axis, got something else"),
        ({"labels": np.array([1, 0, 0])}, "labels: must be 2 as in shape, got 3"),
        ({"labels": np.array([1.0, 0.0])}, "labels: must be whole numbers, got dtype('float64')"),
        ({"labels": np.array([True, False])}, "labels: must have a dtype of numbers, got something else"),
        ({"labels": np.array(["1", "0"])}, "labels: must have a dtype of numbers, got something else"),
        ({"labels": np.array([1, -1])}, "sample 1: label must be in [0, 65536), got -1"),
        ({"shape": (3, 5)}, "data: must be 3 as in shape, got 2"),
        ({"shape": (2,)}, "shape: must be (samples, inputs), got something else"),
        ({"shape": 2}, "shape: must be (samples, inputs), got something else"),
        ({"shape": (1,) * 33}, "shape: must be (samples, inputs), got something else"),
        ({"shape": (2, 5.0)}, "shape: must be whole numbers >= 0, got [2, 5.0]"),
        ({"shape": (2, -5)}, "shape: must be whole numbers >= 0, got [2, -5]"),
        ({"shape": (2, True)}, "shape: must be a number, got something else"),
        ({"shape": (2, "5")}, "shape: must be a number, got something else"),
        ({"shape": (2, 0)}, "n_inputs: must be a whole number in [1, 2147483647], got 0"),
        ({"shape": (2, 3)}, "sample 0, spike 0: input index must be in [0, 3), got 3"),
        ({"shape": (2, 2**33)}, "indices: dtype must number 8589934592 inputs without overflow, got dtype('int16')"),
        ({"max_time": -1}, "max_time: must be a finite number > 0, got -1"),
        ({"max_time": float("nan")}, "max_time: must be a finite number > 0, got nan"),
        ({"max_time": True}, "max_time: must be a number, got something else"),
        ({"max_time": "1"}, "max_time: must be a number, got something else"),
        ({"max_time": 0.5}, "sample 0, spike 1: time must be in [0, 0.5), got 0.5"),
        ({"data": [record([1, 2], [0.5, 0.25])] * 2}, "sample 0, spike 1: times must not fall, and 0.5 comes before"),
        ({"data": [record([1, 1], [0.5, 0.75])] * 2}, "sample 0, spike 1: an input must not spike twice, got 1"),
        ({"data": [record([1], [np.nan])] * 2}, "sample 0, spike 0: time must be in [0, 1.0), got nan"),
        ({"data": [record([1], [1e300], "i2", "f8")] * 2}, "sample 0, spike 0: time must be in [0, 1.0), got inf"),
        ({"data": [record([2**40], [0.5], "i8")] * 2, "shape": (2, 9)}, "indices: must fit int32, got 1099511627776"),
    ],
)
def test_content_that_breaks_a_rule_is_refused_by_its_name(tmp_path, changes, message):
    found = refusal(tmp_path, pickled(content(**changes)))
    assert found.startswith(message), found


def test_indices_that_overflowed_when_the_file_was_written_are_refused(tmp_path):
    with np.errstate(all="ignore"):
        wrapped = np.array([40_000, 3]).astype(np.int16)
    fields = content(data=[record(wrapped, [0, 0.5])] * 2, shape=(2, 50_000))
    message = "indices: dtype must number 50000 inputs without overflow, got dtype('int16')"
    assert refusal(tmp_path, pickled(fields)) == message
    fields["shape"] = (2, 32_768)
    assert refusal(tmp_path, pickled(fields)) == "sample 0, spike 0: input index must be in [0, 32768), got -25536"


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (
            np.zeros((3, 4)),
            "must be the reference's pickled dict (`convert` makes a data set of plain arrays), got 'float64",
        ),
        (np.array(1), "must be the reference's pickled dict (`convert` makes a data set of plain arrays), got 'int64"),
        (
            object_array([{}, {}]),
            "must be the reference's pickled dict (`convert` makes a data set of plain arrays), got",
        ),
        (np.array([1], object).reshape(()), "must hold one dict, got something else"),
        (np.array("text", object), "must hold one dict, got something else"),
    ],
)
def test_another_npy_file_is_told_from_a_data_set(tmp_path, array, message):
    np.save(tmp_path / "set.npy", array, allow_pickle=True)
    with pytest.raises(DataError) as caught:
        SpikingDataset.from_file(tmp_path / "set.npy")
    assert str(caught.value).startswith(f"{tmp_path / 'set.npy'}: {message}")


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "must be a sound .npy file, got "),
        (b"hello world", "must be a sound .npy file, got "),
        (pickle.dumps(content()), "must be a sound .npy file, got "),
        (npy(b""), "must be a sound pickle, got a wrong byte near 0"),
        (b"\x93NUMPY\x02\x00" + npy(pickled({}))[8:], "must be in .npy format 1.0, got (2, 0)"),
        (npy(pickled({}))[:60], "must be a sound .npy file, got "),
    ],
)
def test_what_is_no_npy_file_is_refused(tmp_path, raw, message):
    (tmp_path / "set.npy").write_bytes(raw)
    with pytest.raises(DataError) as caught:
        SpikingDataset.from_file(tmp_path / "set.npy")
    assert str(caught.value).startswith(f"{tmp_path / 'set.npy'}: {message}")
    assert "\n" not in str(caught.value)


@pytest.mark.full
def test_a_file_cut_anywhere_is_refused(tmp_path):
    for program in (pickled(content()), NUMPY_1[2], NUMPY_1[3]):
        for length in range(0, len(program), 7):
            refusal(tmp_path, program[:length])
        assert refusal(tmp_path, program + b"x") == "must be a pickle of plain arrays, got 1 bytes after its end"


@pytest.mark.full
@examples(300)
@given(place=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255), protocol=st.sampled_from([2, 3, 4, 5]))
def test_a_changed_byte_is_refused_or_leaves_every_rule_kept(tmp_path_factory, place, byte, protocol):
    program = bytearray(pickled(content(), protocol))
    program[int(place * len(program))] = byte
    path = tmp_path_factory.mktemp("flip") / "set.npy"
    path.write_bytes(npy(bytes(program)))
    try:
        found = SpikingDataset.from_file(path)
    except DataError as problem:
        found = str(problem)
    if isinstance(found, str):
        assert found.startswith(f"{path}: ")
        assert "\n" not in found
    else:
        SpikingDataset(found.indptr, found.indices, found.timestamps, found.labels, found.n_inputs, found.max_time)


# ---------------------------------------------------------------------------- hostile files


class Calls:
    """Pickles as a call of any function."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


def text(value):
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def named(module, name):
    return text(module) + text(name) + b"\x93"


@pytest.mark.parametrize("protocol", range(0, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("where", ["alone", "data", "labels", "shape", "max_time", "sample"])
def test_a_command_in_a_file_is_not_run(tmp_path, where, protocol):
    bomb = Calls(os.system, f"touch {tmp_path / 'ran'}")
    fields = {
        "alone": bomb,
        "sample": content(data=[record([1], [0.5]), bomb]),
    }.get(where) or content(**{where: bomb})
    message = refusal(tmp_path, pickled(fields, protocol))
    assert not (tmp_path / "ran").exists()
    if protocol >= 2:
        assert message == "must be a pickle of plain arrays, got the name 'posix.system'"


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("builtins", "eval"), ("builtins", "exec"), ("builtins", "getattr"), ("builtins", "__import__"),
        ("builtins", "open"), ("builtins", "bytes"), ("builtins", "bytearray"), ("builtins", "list"),
        ("__builtin__", "eval"), ("os", "system"), ("posix", "system"), ("subprocess", "Popen"),
        ("operator", "attrgetter"), ("operator", "methodcaller"), ("functools", "partial"), ("types", "FunctionType"),
        ("importlib", "import_module"), ("pickle", "loads"), ("_pickle", "loads"), ("copyreg", "_reconstructor"),
        ("copyreg", "add_extension"), ("codecs", "decode"), ("_codecs", "decode"), ("_codecs", "register"),
        ("ctypes", "CDLL"), ("numpy", "load"), ("numpy", "save"), ("numpy", "fromfile"), ("numpy", "memmap"),
        ("numpy", "frombuffer"), ("numpy", "zeros"), ("numpy", "vectorize"), ("numpy", "apply_along_axis"),
        ("numpy.core.multiarray", "fromfile"), ("numpy._core.multiarray", "frompyfunc"),
        ("numpy.f2py", "compile"), ("numpy.f2py.crackfortran", "getlincoef"), ("numpy.testing", "runstring"),
        ("numpy.testing._private.utils", "runstring"), ("numpy.distutils.exec_command", "exec_command"),
        ("numpy.ctypeslib", "load_library"), ("numpy.lib.npyio", "DataSource"), ("numpy.rec", "fromfile"),
        ("numpy", "ndarray.tofile"), ("numpy", "dtype.__reduce__"), ("numpy", "core.multiarray._reconstruct"),
        ("numpy.core", "multiarray._reconstruct"), ("antigravity", "webbrowser.open"), ("", ""),
        ("numpy", "ndarray\u200b"), ("numpy ", "dtype"),
    ],
)  # fmt: skip
def test_a_name_that_no_array_needs_is_refused_and_not_imported(tmp_path, module, name):
    before = set(sys.modules)
    for program in (
        b"\x80\x04" + named(module, name) + b".",
        b"\x80\x02c" + f"{module}\n{name}\n".encode() + b".",
        b"\x80\x04" + named(module, name) + text("x") + b"\x85R.",
    ):
        refusal(tmp_path, program)
    assert "the name" in refusal(tmp_path, b"\x80\x04" + named(module, name) + b".")
    assert set(sys.modules) == before


def test_the_admitted_names_are_these_few_and_none_is_ever_called():
    functions = {("_codecs", "encode"), ("__builtin__", "bytes")}
    assert {module.split(".")[0] for module, _ in ADMITTED.keys() - functions} == {"numpy"}
    assert {name for _, name in ADMITTED.keys() - functions} == {
        "ndarray", "dtype", "record", "recarray", "_reconstruct", "scalar", "_frombuffer",
    }  # fmt: skip


NDARRAY = named("numpy", "ndarray")
DTYPE = named("numpy", "dtype")
ARRAY = named("numpy.core.multiarray", "_reconstruct")
SCALAR = named("numpy.core.multiarray", "scalar")
FROMBUFFER = named("numpy.core.numeric", "_frombuffer")
ENCODE = named("_codecs", "encode")
BYTES = named("__builtin__", "bytes")


@pytest.mark.parametrize(
    "instructions",
    [
        b"Pposix.system\n.",  # a persistent identity, which the reader's owner would look up
        text("x") + b"Q.",
        b"]" + text("x") + b"Qa.",
        b"\x82\x01.", b"\x83\x01\x00.", b"\x84\x01\x00\x00\x00.",  # the extension registry
        b"(iposix\nsystem\n.", b"(" + NDARRAY + b"o.",  # instances of old
        NDARRAY + b")\x81.", NDARRAY + b")}\x92.",  # calls of __new__
        b"\x97.", b"\x98.",  # buffers from elsewhere
        b"\x8f.", b"(\x91.", b"\x8f(K\x01\x90.",  # sets, whose items are hashed
        b"S'x'\n.", b"U\x01x.", b"T\x01\x00\x00\x00x.", b"I1\n.", b"L1L\n.", b"F1\n.", b"Vx\n.",  # of old
        b"\x8b\x01\x00\x00\x00\x01.",  # a number as long as one likes
        b"K\x012.", b"K\x01K\x020.", b"(1K\x01.", b"(l.", b"(d.", b"(K\x01p0\n.", b"g0\n.",
        NDARRAY + b"}" + text("shape") + b"K\x01sb.",  # attributes set on a class
        NDARRAY + b"N}" + text("x") + b"K\x01s\x86b.",
        b"}}b.", b"]}b.", text("x") + b"}b.", b"K\x01}b.",  # a state for what is no array
        ARRAY + b")R(tb(tb.",  # two states
        text("x") + b")R.", b"K\x01)R.", b"))R.", ARRAY + b")R)R.", ARRAY + b"]R.", ARRAY + b"K\x01R.",
        b"N" + text("x") + b"\x93.", text("x") + b"N\x93.", text("x") + b"\x93.", b"\x93.", b")]\x93.",
        b")K\x01a.", b"}K\x01a.", b"K\x01(K\x01e.", b"]K\x01K\x01s.", b")(K\x01K\x01u.",
        b"}K\x01K\x01s.", b"})K\x01s.", b"}(K\x01K\x01u.", b"}(" + text("x") + b"u.",  # keys that are no strings
        b"h\x05.", b"j\x05\x00\x00\x00.", b"q\x00.", b"r\xff\xff\xff\xff.", b"\x94.",  # memo
        b".", b"", b"(.", b"K\x01K\x01.", b"t.", b"u.", b"e.", b"a.", b"s.", b"R.", b"b.", b"\x85.", b"K\x01\x86.",
        b"(K\x01t", b"K", b"J\x00", b"G\x00", b"X\x05\x00\x00\x00ab.", b"cnumpy\nndarray.",
        b"c" + b"x" * 5000 + b"\n\n.",
        b"X\x01\x00\x00\x00\xff.", b"cnump\xff\nndarray\n.",
        b"\x95\xff\xff\xff\xff\xff\xff\xff.", b"\xff.", b"\x00.",
    ],
)  # fmt: skip
def test_an_instruction_that_no_array_needs_is_refused(tmp_path, instructions):
    refusal(tmp_path, b"\x80\x04" + instructions)


def test_a_registered_extension_is_not_looked_up(tmp_path, monkeypatch):
    copyreg.add_extension("posix", "system", 77)
    try:
        program = b"\x80\x02\x82\x4d" + text(f"touch {tmp_path / 'ran'}") + b"\x85R."
        assert refusal(tmp_path, program) == "must be a pickle of plain arrays, got instruction b'\\x82' at byte 2"
    finally:
        copyreg.remove_extension("posix", "system", 77)
    assert not (tmp_path / "ran").exists()


# A file's parts in the reader's own terms, to be put together wrongly.


def long(value):
    return b"\x8a\x09" + value.to_bytes(9, "little", signed=True)


def tuple_of(*parts):
    return b"(" + b"".join(parts) + b"t"


def list_of(*parts):
    return b"](" + b"".join(parts) + b"e"


def dict_of(**parts):
    return b"}(" + b"".join(text(name) + part for name, part in parts.items()) + b"u"


def raw(value):
    return b"B" + struct.pack("<I", len(value)) + value


def dtype_of(kind, order="<", names=b"N", fields=b"N", size=-1):
    state = tuple_of(long(3), text(order), b"N", names, fields, long(size), long(1), long(0))
    return DTYPE + tuple_of(text(kind), b"\x89", b"\x88") + b"R" + state + b"b"


def array_of(data, dtype, *shape, base=NDARRAY, function=ARRAY):
    state = tuple_of(long(1), tuple_of(*map(long, shape)), dtype, b"\x89", data)
    return function + tuple_of(base, tuple_of(long(0)), raw(b"b")) + b"R" + state + b"b"


def spike_dtype(indices=("i2", 0), times=("f4", 2), size=6):
    fields = dict_of(
        indices=tuple_of(dtype_of(indices[0]), long(indices[1])),
        timestamps=tuple_of(dtype_of(times[0]), long(times[1])),
    )
    return dtype_of("V6", "|", tuple_of(text("indices"), text("timestamps")), fields, size)


SPIKE = struct.pack("<hf", 1, 0.5)


def file_of(sample=None, **changes):
    fields = {
        "data": list_of(array_of(raw(SPIKE), spike_dtype(), 1) if sample is None else sample),
        "labels": array_of(raw(b"\x00\x00"), dtype_of("i2"), 1),
        "shape": tuple_of(long(1), long(5)),
    }
    return b"\x80\x04" + array_of(list_of(dict_of(**(fields | changes))), dtype_of("O8", "|")) + b"."


def test_the_parts_make_a_file(tmp_path):
    dataset = read(tmp_path, file_of())
    assert_array_equal(dataset.indices, [1])
    assert_array_equal(dataset.timestamps, np.array([0.5], np.float32))


@pytest.mark.parametrize(
    "sample",
    [
        array_of(raw(SPIKE), spike_dtype(), 2),  # more spikes than bytes
        array_of(raw(SPIKE), spike_dtype(), 0),
        array_of(raw(SPIKE), spike_dtype(), -1),
        array_of(raw(SPIKE), spike_dtype(), 2**62),
        array_of(raw(SPIKE), spike_dtype(), 1, 1),
        array_of(raw(SPIKE), spike_dtype()),
        array_of(raw(SPIKE), spike_dtype(size=5), 1),
        array_of(raw(SPIKE), spike_dtype(size=0), 1),
        array_of(raw(SPIKE), spike_dtype(size=-6), -1),
        array_of(raw(b""), spike_dtype(size=0), 2**62),
        array_of(raw(SPIKE), spike_dtype(size=2**62), 1),
        array_of(raw(SPIKE), spike_dtype(times=("f4", 3)), 1),  # beyond the record
        array_of(raw(SPIKE), spike_dtype(times=("f4", 2**40)), 1),
        array_of(raw(SPIKE), spike_dtype(times=("f4", -2)), 1),
        array_of(raw(SPIKE), spike_dtype(indices=("O8", 0)), 1),  # pointers
        array_of(raw(SPIKE), spike_dtype(times=("O4", 2)), 1),
        array_of(raw(SPIKE), spike_dtype(times=("f4,f4", 2)), 1),
        array_of(raw(SPIKE), spike_dtype(times=("(2,)f2", 2)), 1),
        array_of(raw(SPIKE), spike_dtype(times=("M8[s]", 2)), 1),
        array_of(raw(SPIKE), spike_dtype(times=("V4", 2)), 1),
        array_of(raw(SPIKE), spike_dtype(times=("f1", 2)), 1),
        array_of(raw(SPIKE), dtype_of("O8", "|"), 1),
        array_of(list_of(long(1)), dtype_of("O8", "|"), 1),
        array_of(list_of(raw(SPIKE)), spike_dtype(), 1),
        array_of(text("123456"), spike_dtype(), 1),
        array_of(long(1), spike_dtype(), 1),
        array_of(NDARRAY, spike_dtype(), 1),
        array_of(raw(SPIKE), DTYPE, 1),
        array_of(raw(SPIKE), NDARRAY, 1),
        array_of(raw(SPIKE), text("i2"), 1),
        array_of(raw(SPIKE), DTYPE + tuple_of(spike_dtype()) + b"R", 1),
        array_of(raw(SPIKE), spike_dtype(), 1, base=DTYPE),
        array_of(raw(SPIKE), spike_dtype(), 1, base=ARRAY),
        array_of(raw(SPIKE), spike_dtype(), 1, function=NDARRAY),
        array_of(raw(SPIKE), spike_dtype(), 1, function=DTYPE),
        ARRAY + tuple_of(NDARRAY, tuple_of(long(0)), raw(b"b")) + b"R",  # no state
        array_of(ENCODE + tuple_of(text("123456"), text("rot13")) + b"R", spike_dtype(), 1),
        array_of(ENCODE + tuple_of(text("12345\u0600"), text("latin1")) + b"R", spike_dtype(), 1),
        array_of(ENCODE + tuple_of(raw(SPIKE), text("latin1")) + b"R", spike_dtype(), 1),
        array_of(BYTES + tuple_of(long(2**40)) + b"R", spike_dtype(), 1),
        array_of(BYTES + tuple_of(list_of(long(1))) + b"R", spike_dtype(), 1),
        FROMBUFFER + tuple_of(raw(SPIKE), spike_dtype(), tuple_of(long(2)), text("C")) + b"R",
        FROMBUFFER + tuple_of(raw(SPIKE), spike_dtype()) + b"R",
        SCALAR + tuple_of(spike_dtype(), raw(SPIKE)) + b"R",
    ],
)  # fmt: skip
def test_an_array_that_numpy_would_have_to_be_trusted_with_is_refused(tmp_path, sample):
    refusal(tmp_path, file_of(sample))


@pytest.mark.parametrize(
    "number",
    [
        SCALAR + tuple_of(dtype_of("f4"), raw(b"")) + b"R",
        SCALAR + tuple_of(dtype_of("f4"), raw(bytes(8))) + b"R",
        SCALAR + tuple_of(dtype_of("O8", "|"), raw(bytes(8))) + b"R",
        SCALAR + tuple_of(dtype_of("O8", "|"), list_of()) + b"R",
        SCALAR + tuple_of(dtype_of("i8")) + b"R",
        SCALAR + tuple_of(dtype_of("i8"), raw(bytes(8))) + b"R}b",
        b"\x8a\xff" + b"\x7f" * 255,
    ],
)
def test_a_number_that_is_none_is_refused(tmp_path, number):
    refusal(tmp_path, file_of(max_time=number))
    refusal(tmp_path, file_of(shape=tuple_of(long(1), number)))


def nested(levels):
    """A tuple of twice itself, twice itself, …: 2 ** levels leaves in 4 * levels bytes."""
    return b")" + b"".join(b"q" + bytes([level]) + b"h" + bytes([level]) + b"\x86" for level in range(levels))


BOMBS = {
    "bytes that are not there": b"\x8e" + struct.pack("<Q", 2**62) + b".",
    "bytes that are nearly there": b"B" + struct.pack("<I", 2**32 - 1) + bytes(100) + b".",
    "text that is not there": b"\x8d" + struct.pack("<Q", 2**62) + b".",
    "an array of bytes that are not there": b"\x96" + struct.pack("<Q", 2**62) + b".",
    "a memo of 2**32 entries": b"Nr\xff\xff\xff\xff.",
    "a key that takes for ever to hash": b"}" + nested(100) + b"Ns.",
    "a name that takes for ever to show": text("x") + nested(100) + b"\x93.",
    "a module that takes for ever to show": nested(100) + text("x") + b"\x93.",
    "a tuple that takes for ever to show": nested(100) + b".",
    "data that take for ever to show": file_of(data=nested(100))[2:],
    "a shape that takes for ever to show": file_of(shape=nested(100))[2:],
    "a time that takes for ever to show": file_of(max_time=nested(100))[2:],
    "a shape that takes for ever to multiply": file_of(shape=b"(" + (b"\x8a\xff" + b"\x7f" * 255) * 5_000 + b"t")[2:],
    "a list in itself": b"]q\x00h\x00a.",
    "a list in itself for samples": file_of(data=b"]q\x00h\x00a")[2:],
    "a dict in itself": file_of(data=b"}q\x00" + text("x") + b"h\x00s")[2:],
    "a dtype in itself": file_of(
        array_of(
            raw(SPIKE),
            DTYPE + tuple_of(text("V6")) + b"Rq\x00"
            + tuple_of(long(3), text("|"), b"N", tuple_of(text("indices"), text("timestamps")),
                       dict_of(indices=tuple_of(b"h\x00", long(0)), timestamps=tuple_of(b"h\x00", long(0))), long(6))
            + b"b",
            1,
        )
    )[2:],
    "nesting deeper than the stack of calls": b"(" * 100_000 + b"t" * 100_000 + b".",
    "lists deeper than the stack of calls": b"]" * 100_000 + b"a" * 99_999 + b".",
    "one array a hundred thousand times": file_of(
        data=b"]" + array_of(raw(SPIKE * 100_000), spike_dtype(), 100_000) + b"q\x00(" + b"h\x00" * 100_000 + b"e",
    )[2:],
}  # fmt: skip


@pytest.mark.full
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_does_not_go_off(tmp_path, bomb):
    program = b"\x80\x04" + BOMBS[bomb]
    tracemalloc.start()
    try:
        refusal(tmp_path, program)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000 + 200 * len(program)
    finally:
        tracemalloc.stop()


@pytest.mark.bench
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_takes_no_time_either(tmp_path, bomb):
    start = time.process_time()
    refusal(tmp_path, b"\x80\x04" + BOMBS[bomb])
    assert time.process_time() - start < 5
