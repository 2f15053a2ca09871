"""IDX files come back as the arrays they were made of; others are refused in one line."""

import gzip
import os
import struct
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from spikenn_cy.data.images import read_idx
from spikenn_cy.errors import DataError

pytestmark = pytest.mark.quick

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx_bytes(array):
    header = struct.pack(">HBB", 0, CODES[array.dtype.str[1:]], array.ndim) + struct.pack(
        f">{array.ndim}I", *array.shape
    )
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
SOUND = idx_bytes(IMAGES)


def refusal(path):
    with pytest.raises(DataError) as caught:
        read_idx(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
@pytest.mark.parametrize("shape", [(5,), (2, 3, 4), (1, 1, 1, 2), (0, 28, 28)])
@pytest.mark.parametrize("dtype", CODES)
def test_an_array_comes_back(tmp_path, dtype, shape, compress):
    array = (np.arange(np.prod(shape)) * 37 - 100).astype("i8").astype(dtype).reshape(shape)
    (tmp_path / "file").write_bytes(compress(idx_bytes(array)))
    found = read_idx(tmp_path / "file")
    assert_array_equal(found, array, strict=True)
    assert found.dtype.isnative


def test_an_array_of_more_than_one_read_comes_back(tmp_path):
    array = np.random.default_rng(0).integers(0, 256, (3_000, 28, 28), dtype=np.uint8)
    (tmp_path / "file.gz").write_bytes(gzip.compress(idx_bytes(array), 1))
    assert_array_equal(read_idx(tmp_path / "file.gz"), array, strict=True)


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "must be a sound IDX file, got an end after 0 of 4 bytes"),
        (SOUND[:3], "must be a sound IDX file, got an end after 3 of 4 bytes"),
        (SOUND[:9], "must be a sound IDX file, got an end after 5 of 12 bytes"),
        (b"\x89PNG" + SOUND, "must begin with an IDX magic number, got '89504e47'"),
        (b"\x00\x00\x0a\x03" + SOUND[4:], "must begin with an IDX magic number, got '00000a03'"),
        (b"\x00\x00\x08\x00" + SOUND[4:], "must begin with an IDX magic number, got '00000800'"),
        (b"\x00\x01\x08\x03" + SOUND[4:], "must begin with an IDX magic number, got '00010803'"),
        (SOUND + b"x", "must end after 24 bytes of data, got 'more'"),
    ],
)
def test_what_is_no_idx_file_is_refused(tmp_path, data, message, compress):
    (tmp_path / "file").write_bytes(compress(data))
    assert refusal(tmp_path / "file") == message


def test_a_cut_file_is_refused(tmp_path):
    for compress in (bytes, gzip.compress):
        (tmp_path / "file").write_bytes(compress(SOUND[:-1]))
        assert refusal(tmp_path / "file") == "must be a sound IDX file, got an end after 23 of 24 bytes"


@pytest.mark.parametrize("length", [3, 15, -9, -1])
def test_a_cut_gzip_file_is_refused(tmp_path, length):
    (tmp_path / "file.gz").write_bytes(gzip.compress(SOUND)[:length])
    refusal(tmp_path / "file.gz")


def test_a_gzip_file_with_a_wrong_checksum_is_refused(tmp_path):
    data = bytearray(gzip.compress(SOUND))
    data[-5] ^= 1
    (tmp_path / "file.gz").write_bytes(data)
    assert "CRC" in refusal(tmp_path / "file.gz")


@pytest.mark.parametrize("shape", [(2**32 - 1,) * 3, (20_000,)])
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_sizes_that_are_not_true_cost_no_memory(tmp_path, shape, compress):
    header = struct.pack(">HBB", 0, 8, len(shape)) + struct.pack(f">{len(shape)}I", *shape)
    (tmp_path / "file").write_bytes(compress(header + bytes(100)))
    tracemalloc.start()
    try:
        refusal(tmp_path / "file")
        assert tracemalloc.get_traced_memory()[1] < 1_500_000
    finally:
        tracemalloc.stop()


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    assert refusal(tmp_path / "no") == "must be a readable file, got No such file or directory"
    assert refusal(tmp_path) == "must be a readable file, got Is a directory"
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path / "pipe") == "must be a file, got something else"
