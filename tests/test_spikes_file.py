"""A saved data set comes back bit for bit, mapped; a file that is anything else is refused in one line."""

import io
import os
import re
import shutil
import struct
import subprocess
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from tables import examples

from spikenn_cy.data import archive
from spikenn_cy.data import spikes
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.errors import DataError

pytestmark = pytest.mark.quick

ARRAYS = ("indptr", "indices", "timestamps", "labels", "classes")
MEMBERS = (*ARRAYS, "n_inputs", "max_time", "format_version")


def some_dataset(y=None, max_time=0.7):
    X = np.random.default_rng(0).random((10, 20))
    return SpikingDataset.from_numpy(X, np.arange(10) % 3 * 10 if y is None else y, max_time=max_time)


def assert_same(one, other):
    for name in ARRAYS:
        assert_array_equal(getattr(one, name), getattr(other, name), strict=True)
    assert (one.n_inputs, one.max_time) == (other.n_inputs, other.max_time)


def contents(dataset, **changes):
    arrays = {name: getattr(dataset, name) for name in (*ARRAYS, "n_inputs", "max_time")} | changes
    return {name: array for name, array in arrays.items() if array is not None}


def refusal(path):
    """The one line that from_file raises, without the file's name in front."""
    with pytest.raises(DataError) as caught:
        SpikingDataset.from_file(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message.removeprefix(str(path))


@pytest.fixture
def saved(tmp_path):
    some_dataset().save(tmp_path / "set.npz")
    return tmp_path / "set.npz"


# ---------------------------------------------------------------------------- what save writes


@pytest.mark.parametrize("y", [None, list("abcabcabca"), np.arange(10, dtype=np.uint8), ["ä", "b"] * 5])
@pytest.mark.parametrize("max_time", [1, 0.7, 1e30])
def test_a_data_set_comes_back_bit_for_bit(tmp_path, y, max_time):
    dataset = some_dataset(y, max_time)
    for part in (dataset, dataset[3:7], dataset[::-2], dataset[[4]]):
        part.save(tmp_path / "set.npz")
        back = SpikingDataset.from_file(tmp_path / "set.npz")
        assert_same(back, part)
        assert back.source == str(tmp_path / "set.npz")


@pytest.mark.filterwarnings("ignore::spikenn_cy.errors.DataWarning")
def test_samples_without_any_spike_come_back(tmp_path):
    dataset = SpikingDataset.from_numpy(np.ones((3, 4)), [0, 1, 2])
    dataset.save(tmp_path / "set.npz")
    assert_same(SpikingDataset.from_file(tmp_path / "set.npz"), dataset)


def test_numpy_opens_the_file_without_pickle(saved):
    dataset = some_dataset()
    with np.load(saved, allow_pickle=False) as file:
        assert set(file.files) == set(MEMBERS)
        for name in ARRAYS:
            assert_array_equal(file[name], getattr(dataset, name), strict=True)
        assert (file["n_inputs"], file["max_time"], file["format_version"]) == (20, 0.7, 1)


def test_the_archive_is_sound_and_stored_plain(saved):
    with zipfile.ZipFile(saved) as archive:
        assert archive.testzip() is None
        assert all(info.compress_type == zipfile.ZIP_STORED for info in archive.infolist())
    if shutil.which("unzip"):
        subprocess.run(["unzip", "-tqq", str(saved)], check=True)


@pytest.mark.filterwarnings("ignore::spikenn_cy.errors.DataWarning")
@pytest.mark.parametrize("n_samples", [1, 7, 64, 300])
def test_every_members_data_begins_on_a_cache_line(tmp_path, n_samples):
    X = np.random.default_rng(n_samples).random((n_samples, 11)) * 2
    SpikingDataset.from_numpy(X, [f"class {n}" for n in range(n_samples)]).save(tmp_path / "set.npz")
    raw = (tmp_path / "set.npz").read_bytes()
    with zipfile.ZipFile(tmp_path / "set.npz") as archive:
        for info in archive.infolist():
            with archive.open(info) as member:
                array = np.lib.format.read_array(member)
            assert raw.count(array.tobytes()) >= 1
            name_length, extra_length = struct.unpack_from("<HH", raw, info.header_offset + 26)
            start = info.header_offset + 30 + name_length + extra_length
            assert start % 64 == 0
            assert raw[start : start + 6] == b"\x93NUMPY"
            header_length = 10 + struct.unpack_from("<H", raw, start + 8)[0]
            assert header_length % 64 == 0
            assert raw[start + header_length :].startswith(array.tobytes())


def test_the_same_data_set_makes_the_same_bytes(tmp_path):
    for name in ("one.npz", "two.npz"):
        some_dataset().save(tmp_path / name)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def test_a_read_data_set_is_mapped_and_read_only(saved):
    dataset = SpikingDataset.from_file(saved)
    for name in ("indptr", "labels"):  # which kernels take for positions: copies, so that nobody else can change them
        assert not isinstance(getattr(dataset, name), np.memmap)
        assert not getattr(dataset, name).flags.writeable
    for name in ("indices", "timestamps"):
        array = getattr(dataset, name)
        assert isinstance(array, np.memmap)
        assert not array.flags.writeable
        assert array.ctypes.data % 64 == 0
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.flags.writeable = True


def test_a_file_may_be_replaced_while_it_is_mapped(saved):
    dataset = SpikingDataset.from_file(saved)
    before = dataset.to_dense()
    dataset[:2].save(saved)
    assert_array_equal(dataset.to_dense(), before)
    assert len(SpikingDataset.from_file(saved)) == 2


def test_a_save_that_fails_leaves_the_old_file(saved, monkeypatch):
    before = saved.read_bytes()

    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive.npy, "write_array", full)
    with pytest.raises(DataError, match=r"set\.npz: must be writable, got No space left on device$"):
        some_dataset()[:3].save(saved)
    assert saved.read_bytes() == before
    assert os.listdir(saved.parent) == ["set.npz"]


@pytest.mark.parametrize("name", ["set", "set.npy", "set.npz.gz", ".npz"])
def test_a_file_that_could_not_be_read_again_is_not_written(tmp_path, name):
    with pytest.raises(DataError, match=r"suffix must be \.npz"):
        some_dataset().save(tmp_path / name)
    assert os.listdir(tmp_path) == []


def test_a_place_that_takes_no_file_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"set\.npz: must be writable, got No such file"):
        some_dataset().save(tmp_path / "no" / "set.npz")


# ---------------------------------------------------------------------------- what numpy writes


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("left_out", [(), ("format_version",), ("classes", "format_version")])
def test_a_file_of_numpys_own_is_read(tmp_path, save, left_out):
    dataset = some_dataset()
    members = contents(dataset, format_version=1)
    save(tmp_path / "set.npz", **{name: array for name, array in members.items() if name not in left_out})
    back = SpikingDataset.from_file(tmp_path / "set.npz")
    for name in ("indptr", "indices", "timestamps", "labels"):
        assert_array_equal(getattr(back, name), getattr(dataset, name), strict=True)
    assert_array_equal(back.classes, [0, 1, 2] if "classes" in left_out else [0, 10, 20])
    assert not any(getattr(back, name).flags.writeable for name in ARRAYS)


def test_other_dtypes_and_orders_are_put_right(tmp_path):
    dataset = some_dataset()
    n_spikes = len(dataset.indices)
    turn = np.concatenate([np.arange(a, b)[::-1] for a, b in zip(dataset.indptr, dataset.indptr[1:], strict=False)])
    members = contents(
        dataset,
        indptr=dataset.indptr.astype(np.uint16),
        indices=dataset.indices.astype(">i8")[turn],  # all spikes at one time, in falling order of the inputs
        timestamps=np.zeros(n_spikes, np.float64),
        labels=dataset.labels.astype(np.int8),
        classes=np.array(["c", "d", "e"]),
    )
    np.savez(tmp_path / "set.npz", **members)
    back = SpikingDataset.from_file(tmp_path / "set.npz")
    for s, (indices, timestamps, label) in enumerate(back):
        assert_array_equal(indices, np.sort(dataset[s][0]))
        assert not timestamps.any()
        assert label == dataset[s][2]
    assert back.classes.tolist() == ["c", "d", "e"]


def test_ties_out_of_order_in_a_mapped_file_are_put_right_in_a_copy(tmp_path):
    arrays = some_dataset()._arrays
    swapped = np.array(arrays.indices)
    swapped[[0, 1]] = swapped[[1, 0]]
    timestamps = np.array(arrays.timestamps)
    timestamps[:2] = 0
    spikes.write(tmp_path / "set.npz", arrays._replace(indices=swapped, timestamps=timestamps))
    before = (tmp_path / "set.npz").read_bytes()
    back = SpikingDataset.from_file(tmp_path / "set.npz")
    assert_array_equal(back[0][0][:2], np.sort(swapped[:2]))
    assert (tmp_path / "set.npz").read_bytes() == before


# ---------------------------------------------------------------------------- broken files


def npy_bytes(array=None, header=None, version=(1, 0)):
    """A member's bytes; with a header of one's own the data are those of ``array``."""
    buffer = io.BytesIO()
    if header is None:
        np.lib.format.write_array(buffer, np.asarray(array), version=version, allow_pickle=True)
    else:
        np.lib.format.write_array_header_1_0(buffer, header)
        buffer.write(np.asarray(array).tobytes())
    return buffer.getvalue()


def write_archive(path, changes, compression=zipfile.ZIP_STORED):
    """A data set's archive with other bytes for some members, or None to leave one out."""
    dataset = some_dataset()
    members = {f"{name}.npy": npy_bytes(array) for name, array in contents(dataset, format_version=1).items()}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in (members | changes).items():
            if data is not None:
                archive.writestr(name, data)


def huge(count):
    return npy_bytes(np.zeros(3, np.int32), header={"descr": "<i4", "fortran_order": False, "shape": (count,)})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"indptr.npy": None}, ": must hold the arrays indptr, indices, timestamps, n_inputs, max_time, got "),
        ({"labels.npy": None}, ": classes: must come with labels, got "),
        ({"n_inputs.npy": None}, ": must hold the arrays indptr, .*, got .*n_inputs"),
        ({"max_time.npy": None}, ": must hold the arrays indptr, .*, got .*max_time"),
        (
            {"weights.npy": npy_bytes([1.0])},
            r": may hold besides them labels, classes, format_version, input_shape, got \['weights'\]",
        ),
        ({"readme.txt": b"hello"}, r": may hold besides them .* got \['readme\.txt'\]"),
        ({"format_version.npy": npy_bytes(2)}, ": format_version: must be 1, got 2$"),
        ({"format_version.npy": npy_bytes("1")}, ": format_version: must be 1, got '1'$"),
        ({"n_inputs.npy": npy_bytes([20])}, r": n_inputs: must be a single number, got \(1,\)$"),
        ({"n_inputs.npy": npy_bytes(20.0)}, ": n_inputs: must be a whole number in .* got 20.0$"),
        ({"n_inputs.npy": npy_bytes(3)}, r": sample 0, spike \d+: input index must be in \[0, 3\), got \d+$"),
        ({"n_inputs.npy": npy_bytes(2**40)}, ": n_inputs: must be a whole number in .* got 1099511627776$"),
        ({"max_time.npy": npy_bytes(np.nan)}, ": max_time: must be a finite number > 0, got nan$"),
        ({"max_time.npy": npy_bytes("1")}, ": max_time: must be a finite number > 0, got '1'$"),
        ({"labels.npy": npy_bytes(np.zeros(10))}, ": labels: must be whole numbers, got dtype"),
        ({"labels.npy": npy_bytes(np.zeros((10, 1), int))}, r": labels: must have one axis at most, got \(10, 1\)$"),
        ({"labels.npy": npy_bytes(3)}, r": labels: must have one axis, got \(\)$"),
        ({"labels.npy": npy_bytes(np.zeros(9, int))}, ": indptr: must be one more than labels, 10, got 11$"),
        ({"labels.npy": npy_bytes(np.full(10, 3))}, r": sample 0: label must be in \[0, 3\), got 3$"),
        ({"labels.npy": npy_bytes(np.zeros(10, bool))}, ": labels: must hold numbers or strings, got dtype"),
        ({"labels.npy": npy_bytes(np.zeros(10, object))}, ": labels: must hold numbers or strings, got dtype"),
        ({"labels.npy": npy_bytes(np.zeros(10, complex))}, ": labels: must hold numbers or strings, got dtype"),
        ({"labels.npy": npy_bytes(np.zeros(10, "i4,i4"))}, ": labels: must hold numbers or strings, got dtype"),
        (
            {"labels.npy": npy_bytes(np.zeros(10, int), version=(2, 0))},
            r": labels: must be in \.npy format 1\.0, got \(2",
        ),
        ({"labels.npy": b""}, ": must be a sound .npz file, got "),
        ({"labels.npy": b"labels"}, ": must be a sound .npz file, got "),
        ({"labels.npy": npy_bytes(np.zeros(10, int))[:-1]}, r": labels: must fill its 207 bytes, got 'int64 \(10,\)'"),
        ({"labels.npy": npy_bytes(np.zeros(10, int)) + b"x"}, r": labels: must fill its 209 bytes"),
        ({"labels.npy": huge(10**15)}, r": labels: must fill its 140 bytes, got 'int32 \(1000000000000000,\)'$"),
        ({"labels.npy": huge(-3)}, ": labels: must fill its 140 bytes"),
        ({"indptr.npy": npy_bytes(np.arange(11))}, ": indptr: must end at the number of spikes"),
        ({"timestamps.npy": npy_bytes(np.zeros(3))}, ": timestamps: must be as many as indices"),
        ({"classes.npy": npy_bytes([3, 2, 1])}, ": classes: must be sorted, each once"),
        ({"classes.npy": npy_bytes([1.5, 2.5, 3.5])}, ": classes: must be whole numbers or strings"),
    ],
)
@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_wrong_member_is_refused_by_name(tmp_path, changes, message, compression):
    write_archive(tmp_path / "set.npz", {}, compression)
    SpikingDataset.from_file(tmp_path / "set.npz")  # so that it is the change that is refused
    write_archive(tmp_path / "set.npz", changes, compression)
    assert re.match(message, refusal(tmp_path / "set.npz"))


def test_a_member_that_is_there_twice_is_refused(tmp_path):
    write_archive(tmp_path / "set.npz", {})
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(tmp_path / "set.npz", "a") as archive:
        archive.writestr("labels.npy", npy_bytes(np.zeros(10, int)))
    assert refusal(tmp_path / "set.npz").startswith(": must hold each array once, got ")


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_refused(tmp_path, compression):
    write_archive(tmp_path / "set.npz", {}, compression)
    assert refusal(tmp_path / "set.npz").startswith(": indptr: must be stored or deflated, got ")


def test_an_encrypted_member_is_refused(saved):
    raw = bytearray(saved.read_bytes())
    start = raw.index(b"PK\x01\x02")  # the first entry of the directory
    raw[start + 8] |= 1
    saved.write_bytes(raw)
    assert "encrypted" in refusal(saved)


def folder(path):
    path.mkdir()


def pipe(path):
    os.mkfifo(path)


def link_to_nothing(path):
    path.symlink_to(path.with_name("nothing"))


def missing(_path):
    pass


def file_of(data):
    def make(path):
        path.write_bytes(data)

    make.__name__ = repr(data[:9])
    return make


def archive_of(**files):
    def make(path):
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in files.items():
                archive.writestr(name, data)

    return make


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (missing, ": must be a readable file, got No such file or directory"),
        (link_to_nothing, ": must be a readable file, got No such file or directory"),
        (folder, ": must be a readable file, got Is a directory"),
        (pipe, ": must be a file, got something else"),
        (file_of(b""), ": must be a sound .npz file, got File is not a zip file"),
        (file_of(b"hello"), ": must be a sound .npz file, got File is not a zip file"),
        (file_of(npy_bytes([1, 2])), ": must be a sound .npz file, got File is not a zip file"),
        (file_of(b"PK\x05\x06" + bytes(18)), ": must hold the arrays indptr, indices"),
        (archive_of(), ": must hold the arrays indptr, indices"),
        (archive_of(document="text"), ": must hold the arrays indptr, indices"),
        (archive_of(**{"../labels.npy": b"x"}), ": must hold the arrays indptr, indices"),
    ],
)
def test_what_is_no_data_set_at_all_is_refused(tmp_path, make, message):
    make(tmp_path / "set.npz")
    assert refusal(tmp_path / "set.npz").startswith(message)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_one_may_not_read_is_refused(saved):
    saved.chmod(0)
    assert refusal(saved) == ": must be a readable file, got Permission denied"


@pytest.mark.parametrize("name", ["set", "set.csv", "set.npz.gz", "set.txt", "npz"])
def test_an_unknown_suffix_is_refused_by_the_known_ones(tmp_path, name):
    assert refusal(tmp_path / name) == f": suffix must be one of .npy, .npz, got {(tmp_path / name).suffix!r}"


@pytest.mark.parametrize("name", ["SET.NPZ", "set.v1.npz"])
def test_a_suffix_may_be_in_capitals_and_follow_other_dots(saved, name):
    saved.rename(saved.with_name(name))
    assert_same(SpikingDataset.from_file(str(saved.with_name(name))), some_dataset())


def test_a_file_cut_anywhere_is_refused(saved):
    raw = saved.read_bytes()
    for length in range(0, len(raw), 31):
        saved.write_bytes(raw[:length])
        refusal(saved)


@pytest.fixture(scope="module")
def sound_files(tmp_path_factory):
    """The bytes of a file of ours and of one that numpy compressed, and a place for a damaged one."""
    path = tmp_path_factory.mktemp("damaged") / "set.npz"
    some_dataset().save(path)
    ours = path.read_bytes()
    np.savez_compressed(path, **contents(some_dataset()))
    return ours, path.read_bytes(), path


@pytest.mark.full
@examples(300)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), compressed=st.booleans())
def test_a_flipped_bit_is_refused_or_leaves_every_rule_kept(sound_files, place, bit, compressed):
    raw, path = bytearray(sound_files[compressed]), sound_files[2]
    raw[int(place * len(raw))] ^= 1 << bit
    path.write_bytes(raw)
    try:
        found = SpikingDataset.from_file(path)
    except DataError as problem:
        found = str(problem)
    if isinstance(found, str):
        assert found.startswith(f"{path}: ")
        assert "\n" not in found
    else:
        again = SpikingDataset(
            found.indptr, found.indices, found.timestamps, found.labels, found.n_inputs, found.max_time, found.classes
        )
        assert_same(again, found)


def patched_sizes(path, size):
    """Announce ``size`` bytes for every member, in the directory and in the members' own headers."""
    raw = bytearray(path.read_bytes())
    for signature, field in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        header = raw.find(signature)
        while header >= 0:
            struct.pack_into("<I", raw, header + field, size)
            header = raw.find(signature, header + 1)
    path.write_bytes(raw)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("size", [50_000, 10**6, 2**32 - 4])
def test_sizes_that_are_not_true_cost_no_memory(tmp_path, compression, size):
    shape = {"descr": "<i4", "fortran_order": False, "shape": ((size - 128) // 4,)}
    member = npy_bytes(np.zeros(3, np.int32), header=shape)
    write_archive(tmp_path / "set.npz", dict.fromkeys([f"{name}.npy" for name in ARRAYS], member), compression)
    patched_sizes(tmp_path / "set.npz", size)
    tracemalloc.start()
    try:
        refusal(tmp_path / "set.npz")
        assert tracemalloc.get_traced_memory()[1] < 2_500_000
    finally:
        tracemalloc.stop()


def test_a_deflated_member_is_read_no_further_than_it_says(tmp_path):
    bomb = npy_bytes(np.zeros(3, np.int32)) + bytes(50_000_000)
    write_archive(tmp_path / "set.npz", {"labels.npy": bomb}, zipfile.ZIP_DEFLATED)
    tracemalloc.start()
    try:
        assert refusal(tmp_path / "set.npz").startswith(": labels: must fill its 50000140 bytes")
        assert tracemalloc.get_traced_memory()[1] < 2_500_000
    finally:
        tracemalloc.stop()


def test_a_stray_label_does_not_make_a_class_of_every_number_below(tmp_path):
    np.savez(tmp_path / "set.npz", **contents(some_dataset(), classes=None, labels=np.full(10, 2**31 - 1)))
    assert refusal(tmp_path / "set.npz") == ": sample 0: label must be in [0, 65536), got 2147483647"
