"""The files that data sets are handed out in come back as images; every broken one is refused with its name."""

import gzip
import os
import pickle
import re
import tarfile
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from small_images import BATCHES
from small_images import cifar_files
from small_images import cifar_pickle
from small_images import digits
from small_images import tar_gz
from small_images import write_mnist
from small_images import write_relative
from test_idx import idx_bytes

from spikenn_cy.data import cifar
from spikenn_cy.data.published import SOURCES
from spikenn_cy.errors import DataError

pytestmark = pytest.mark.quick

FILES = {name: cifar_files(batches) for name, batches in BATCHES.items()}


def read(name, folder):
    source = SOURCES[name]
    return source.read(source.find(folder))


def refusal(name, folder):
    with pytest.raises(DataError) as caught:
        read(name, folder)
    message = str(caught.value)
    assert message.startswith(str(folder))
    assert "\n" not in message
    return message.removeprefix(str(folder))


def assert_parts(found, wanted):
    for (images, labels), (wanted_images, wanted_labels) in zip(found, wanted, strict=True):
        assert_array_equal(images, wanted_images, strict=True)
        assert_array_equal(labels, wanted_labels.astype(np.int32), strict=True)
        assert images.flags.c_contiguous


def test_the_table_is_what_was_published():
    for source in SOURCES.values():
        assert len(set(source.class_names)) == len(source.class_names)
        assert all(mirror.startswith("https://") and mirror.endswith("/") for mirror in source.mirrors)
        assert bool(source.mirrors) == bool(source.files)
        assert all(re.fullmatch("[0-9a-f]{32}", file.md5) for file in source.files)
    sizes = {name: len(source.class_names) for name, source in SOURCES.items()}
    assert sizes == {
        **dict.fromkeys(["mnist", "fmnist", "cifar10", "kmnist", "qmnist"], 10),
        "cifar100": 100,
        **{f"emnist-{split}": n for split, n in [("balanced", 47), ("bymerge", 47), ("byclass", 62)]},
        **{f"emnist-{split}": n for split, n in [("letters", 26), ("digits", 10), ("mnist", 10)]},
    }
    names = SOURCES["cifar100"].class_names
    assert list(names) == sorted(names)  # as its fine labels are numbered


# ---------------------------------------------------------------------------- IDX


@pytest.mark.parametrize("name", ["mnist", "fmnist"])
@pytest.mark.parametrize("separator", ["-", "."])
@pytest.mark.parametrize(("compress", "suffix"), [(gzip.compress, ".gz"), (bytes, ""), (gzip.compress, "")])
def test_idx_files_are_read_under_all_their_names(tmp_path, name, separator, compress, suffix):
    parts = write_mnist(tmp_path, compress, suffix, separator)
    assert_parts(read(name, tmp_path), parts)


@pytest.mark.parametrize("stem", [f"{p}-{k}" for p in ("train", "t10k") for k in ("images-idx3", "labels-idx1")])
def test_a_missing_idx_file_is_named(tmp_path, stem):
    write_mnist(tmp_path)
    (tmp_path / f"{stem}-ubyte.gz").unlink()
    assert refusal("mnist", tmp_path) == f": must hold {stem}-ubyte.gz, as it is or unpacked, got no such file"


def test_what_is_no_folder_is_refused(tmp_path):
    assert refusal("mnist", tmp_path / "no") == ": must be a folder, got no such folder"
    assert refusal("cifar10", tmp_path / "no").endswith(", got no such folder")
    (tmp_path / "file").touch()
    assert refusal("fmnist", tmp_path / "file") == ": must be a folder, got a file"


IMAGES, LABELS = np.zeros((30, 28, 28), np.uint8), np.zeros(30, np.uint8)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("images-idx3", b"\x89PNG" + bytes(99), "must begin with an IDX magic number, got '89504e47'"),
        ("images-idx3", idx_bytes(LABELS), r"must hold bytes, 28 x 28 for each image, got 'uint8 \(30,\)'"),
        (
            "images-idx3",
            idx_bytes(IMAGES[:, 1:]),
            r"must hold bytes, 28 x 28 for each image, got 'uint8 \(30, 27, 28\)'",
        ),
        ("images-idx3", idx_bytes(IMAGES[:0]), r"must hold bytes, 28 x 28 for each image, got 'uint8 \(0, 28, 28\)'"),
        ("images-idx3", idx_bytes(IMAGES.astype("i1")), r"must hold bytes, 28 x 28 for each image, got 'int8"),
        ("images-idx3", idx_bytes(IMAGES)[:-1], "must be a sound IDX file, got an end after 23519 of 23520 bytes"),
        ("images-idx3", idx_bytes(IMAGES) + b"x", "must end after 23520 bytes of data, got 'more'"),
        ("labels-idx1", idx_bytes(IMAGES), r"must hold bytes, one for each label, got 'uint8 \(30, 28, 28\)'"),
        (
            "labels-idx1",
            idx_bytes(LABELS[:29]),
            "must hold a label for each of the 30 images in t10k-images-.*, got 29",
        ),
        ("labels-idx1", idx_bytes(LABELS + np.uint8(10)), r"labels\[0\]: must be in \[0, 10\), got 10"),
    ],
)
@pytest.mark.parametrize("compress", [gzip.compress, bytes])
def test_a_wrong_idx_file_is_refused_by_name(tmp_path, file, content, message, compress):
    write_mnist(tmp_path)
    (tmp_path / f"t10k-{file}-ubyte.gz").write_bytes(compress(content))
    assert re.fullmatch(f"/t10k-{file}-ubyte.gz: {message}.*", refusal("mnist", tmp_path))


# ---------------------------------------------------------------------------- CIFAR


@pytest.mark.parametrize("name", BATCHES)
@pytest.mark.parametrize("place", ["archive", "here", "below"])
def test_cifar_is_read_from_its_archive_and_from_loose_batches(tmp_path, name, place):
    train, test, files = FILES[name]
    if place == "archive":
        extra = [("readme.html", b"<html>"), ("batches.meta.txt", b"cat\n")]
        backwards = [*reversed(files.items()), *extra]
        (tmp_path / BATCHES[name].archive).write_bytes(tar_gz(backwards, f"{BATCHES[name].folder}/"))
    else:
        folder = tmp_path / BATCHES[name].folder if place == "below" else tmp_path
        folder.mkdir(exist_ok=True)
        for file, content in files.items():
            (folder / file).write_bytes(content)
    before = sorted(tmp_path.rglob("*"))
    assert_parts(read(name, tmp_path), (train, test))
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (b"", "must hold 3073 bytes for each image, got '0 bytes'"),
        (bytes(3072), "must hold 3073 bytes for each image, got '3072 bytes'"),
        (bytes(3073) + b"x", "must hold 3073 bytes for each image, got '3074 bytes'"),
        (bytes(3073) + b"\x0a" + bytes(3072), "labels[1]: must be in [0, 10), got 10"),
    ],
)
@pytest.mark.parametrize("loose", [True, False])
def test_a_wrong_batch_is_refused_by_name(tmp_path, broken, message, loose):
    files = FILES["cifar10"][2] | {"data_batch_4.bin": broken}
    if loose:
        for file, content in files.items():
            (tmp_path / file).write_bytes(content)
        assert refusal("cifar10", tmp_path) == f"/data_batch_4.bin: {message}"
    else:
        (tmp_path / "cifar-10-binary.tar.gz").write_bytes(tar_gz(files.items()))
        assert refusal("cifar10", tmp_path) == f"/cifar-10-binary.tar.gz: data_batch_4.bin: {message}"


@pytest.mark.parametrize(("labels", "message"), [([20, 0], "[0, 20), got 20"), ([19, 100], "[0, 100), got 100")])
def test_both_labels_of_a_cifar_100_image_are_checked(tmp_path, labels, message):
    for file, content in (FILES["cifar100"][2] | {"test.bin": bytes(labels) + bytes(3072)}).items():
        (tmp_path / file).write_bytes(content)
    assert refusal("cifar100", tmp_path) == f"/test.bin: labels[0]: must be in {message}"


def test_a_missing_batch_is_named(tmp_path):
    files = dict(FILES["cifar10"][2])
    del files["data_batch_2.bin"]
    for file, content in files.items():
        (tmp_path / file).write_bytes(content)
    assert refusal("cifar10", tmp_path) == ": must hold all batches, got 'no data_batch_2.bin'"
    (tmp_path / "cifar-10-binary.tar.gz").write_bytes(tar_gz(files.items()))
    message = refusal("cifar10", tmp_path)
    assert message.startswith("/cifar-10-binary.tar.gz: must hold the files data_batch_1.bin, ")
    assert message.endswith(", got 'no data_batch_2.bin'")


@pytest.mark.parametrize("name", BATCHES)
@pytest.mark.parametrize("place", ["archive", "here", "below"])
def test_the_python_version_is_read_as_well(tmp_path, name, place):
    train, test, files = FILES[name]
    batches = BATCHES[name].pickled
    pickles = {file.removesuffix(".bin"): cifar_pickle(content, BATCHES[name]) for file, content in files.items()}
    if place == "archive":
        (tmp_path / batches.archive).write_bytes(tar_gz(pickles.items(), f"{batches.folder}/"))
    else:
        folder = tmp_path / batches.folder if place == "below" else tmp_path
        folder.mkdir(exist_ok=True)
        for file, content in pickles.items():
            (folder / file).write_bytes(content)
    assert_parts(read(name, tmp_path), (train, test))


def test_pickles_of_the_python_version_are_what_python_reads_too():
    content = FILES["cifar10"][2]["test_batch.bin"]
    found = pickle.loads(cifar_pickle(content, cifar.CIFAR10), encoding="bytes")
    assert found[b"data"].shape == (20, 3072)
    assert found[b"labels"] == FILES["cifar10"][1][1].tolist()


HOSTILE = b"cposix\nsystem\n(S'touch exploded'\ntR."


@pytest.mark.parametrize(
    ("content", "finding"),
    [
        (HOSTILE, "must be a pickle of plain arrays, got the name 'posix.system'"),
        (b"\x80\2}.", "must be a pickled dict with data and labels, got 'something else'"),
        (b"", "must be a sound pickle, got a wrong byte near 0"),
    ],
)
def test_a_batch_of_the_python_version_runs_nothing(tmp_path, content, finding):
    for file in cifar.CIFAR10.pickled.names:
        (tmp_path / file).write_bytes(content)
    assert refusal("cifar10", tmp_path) == f"/data_batch_1: {finding}"
    assert not list(tmp_path.rglob("exploded"))


def test_the_python_version_under_the_binary_ones_name_is_refused_unopened(tmp_path):
    archive = tar_gz([("data_batch_1", HOSTILE)], "cifar-10-batches-py/")
    (tmp_path / "cifar-10-binary.tar.gz").write_bytes(archive)
    rule = (
        "/cifar-10-binary.tar.gz: must be the binary version, as its name cifar-10-binary.tar.gz says, got 'the python"
    )
    assert refusal("cifar10", tmp_path).startswith(rule)


@pytest.mark.parametrize("name", ["qmnist", *(name for name in SOURCES if name.startswith("emnist"))])
def test_relatives_of_mnist_are_read_upright_and_numbered_from_0(tmp_path, name):
    parts = write_relative(tmp_path / "raw", SOURCES[name])
    assert_parts(read(name, tmp_path), parts)


def test_labels_of_emnist_s_letters_begin_at_1(tmp_path):
    write_relative(tmp_path, SOURCES["emnist-letters"])
    (tmp_path / "emnist-letters-train-labels-idx1-ubyte").write_bytes(idx_bytes(np.zeros(12 * 26, np.uint8)))
    message = refusal("emnist-letters", tmp_path)
    assert message == "/emnist-letters-train-labels-idx1-ubyte: labels: must be in [1, 26], got [0]"


@pytest.mark.parametrize(("name", "place"), [("mnist", "MNIST/raw"), ("fmnist", "FashionMNIST/raw"), ("mnist", "raw")])
def test_idx_files_are_found_where_torchvision_has_them(tmp_path, name, place):
    parts = write_mnist(tmp_path / place)
    assert_parts(read(name, tmp_path), parts)


def write_table(path, images, labels=None):
    columns = ([] if labels is None else [labels[:, None]]) + [images.reshape(len(images), -1)]
    names = ["label"] * (labels is not None) + [f"pixel{k}" for k in range(784)]
    np.savetxt(path, np.hstack(columns), "%d", ",", header=",".join(names), comments="")


def test_tables_of_pixels_are_read_as_kaggle_hands_them_out(tmp_path):
    parts = digits(30), digits(20, seed=1)
    for name, part in zip(("fashion-mnist_train", "fashion-mnist_test"), parts, strict=True):
        write_table(tmp_path / f"{name}.csv", *part)
    assert_parts(read("fmnist", tmp_path), parts)
    write_table(tmp_path / "fashion-mnist_test.csv", parts[1][0])
    assert refusal("fmnist", tmp_path).endswith(
        "must have a column label, got none (it can be predicted, not measured)"
    )


def member(name, kind=tarfile.REGTYPE, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([("", member("/etc/passwd"))], "must have members with plain names, got '/etc/passwd'"),
        ([("", member("a/../../b"))], "must have members with plain names, got 'a/../../b'"),
        ([("../data_batch_1.bin", b"")], "must have members with plain names, got 'cifar/../data_batch_1.bin'"),
        (
            [("", member("data_batch_1.bin", tarfile.SYMTYPE, "/etc/passwd"))],
            "must have files and folders only, got 'a link",
        ),
        (
            [("", member("test_batch.bin", tarfile.LNKTYPE, "x"))],
            "must have files and folders only, got 'a link or device",
        ),
        (
            [("", member("data_batch_1.bin", tarfile.CHRTYPE))],
            "must have files and folders only, got 'a link or device",
        ),
        ([("", member("pipe", tarfile.FIFOTYPE))], "must have files and folders only, got 'a link or device pipe'"),
        ([("huge", bytes(1 << 20))], "must hold less than 1048576 bytes besides data_batch_1.bin, "),
        ([("data_batch_1.bin", bytes(3073))] * 2, "data_batch_1.bin: must be there once, got 'another one'"),
        ([(f"{n}", b"") for n in range(1001)], "must have at most 1000 members, got 'more'"),
        ([("test.bin", bytes(3074))], "must hold the files data_batch_1.bin, "),
    ],
)
def test_a_hostile_archive_is_refused(tmp_path, members, message):
    (tmp_path / "cifar-10-binary.tar.gz").write_bytes(tar_gz(members))
    assert refusal("cifar10", tmp_path).startswith(f"/cifar-10-binary.tar.gz: {message}")
    assert os.listdir(tmp_path) == ["cifar-10-binary.tar.gz"]


def test_an_archive_that_would_fill_the_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(cifar, "UNPACKED_MAX", 1 << 20)
    announced = member("data_batch_1.bin")
    announced.size = 3073 * 10**9
    long_name = member("././@LongLink", tarfile.GNUTYPE_LONGNAME)
    long_name.size = 1 << 40
    for info in (announced, long_name):
        bomb = info.tobuf(tarfile.GNU_FORMAT) + bytes(1 << 24)
        (tmp_path / "cifar-10-binary.tar.gz").write_bytes(gzip.compress(bomb, 1))
        tracemalloc.start()
        try:
            assert refusal("cifar10", tmp_path).endswith(": must unpack to at most 1048576 bytes, got 'more'")
            assert tracemalloc.get_traced_memory()[1] < 6_000_000
        finally:
            tracemalloc.stop()


def test_an_archive_that_is_cut_or_damaged_anywhere_is_refused(tmp_path):
    path = tmp_path / "cifar-10-binary.tar.gz"
    rule = r"/cifar-10-binary\.tar\.gz: must be a (sound tar\.gz archive|readable file), got "
    sound = tar_gz(FILES["cifar10"][2].items())
    for length in [0, 1, 9, 100, *range(1000, len(sound), 40_001), len(sound) - 8, len(sound) - 1]:
        path.write_bytes(sound[:length])
        assert re.match(rule, refusal("cifar10", tmp_path))
    for place in (len(sound) - 6, len(sound) // 2):  # gzip's checksum, and a pixel
        damaged = bytearray(sound)
        damaged[place] ^= 1
        path.write_bytes(damaged)
        assert re.match(rule, refusal("cifar10", tmp_path))
    path.write_bytes(gzip.decompress(sound))
    assert "Not a gzipped file" in refusal("cifar10", tmp_path)
