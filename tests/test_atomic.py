"""Files appear whole or not at all."""

import errno
import os
import stat

import numpy as np
import pytest

from spikenn_cy.errors import DataError
from spikenn_cy.errors import RunError
from spikenn_cy.utils.atomic import atomic_file

pytestmark = pytest.mark.quick


def test_a_file_gets_its_name_only_when_the_block_ends(tmp_path):
    path = tmp_path / "result.json"
    with atomic_file(path, "w") as file:
        file.write("{}")
        file.flush()
        assert not path.exists()
    assert path.read_text() == "{}"
    assert os.listdir(tmp_path) == ["result.json"]


@pytest.mark.parametrize("problem", [ValueError("no"), KeyboardInterrupt(), DataError("no")])
def test_a_block_that_raises_leaves_what_was_there(tmp_path, problem):
    path = tmp_path / "result.json"
    path.write_text("old")

    def interrupted():
        with atomic_file(path, "w") as file:
            file.write("new")
            file.flush()
            assert path.read_text() == "old"
            raise problem

    with pytest.raises(type(problem)):
        interrupted()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["result.json"]


def test_text_is_utf_8_with_line_feeds_everywhere(tmp_path):
    with atomic_file(tmp_path / "log.txt", "w") as file:
        file.write("θ = 1\n")
    assert (tmp_path / "log.txt").read_bytes() == "θ = 1\n".encode()


def test_numpy_writes_arrays_through_it(tmp_path):
    with atomic_file(tmp_path / "model.npz") as file:
        np.savez(file, weights=np.arange(3))
    with np.load(tmp_path / "model.npz") as model:
        assert model["weights"].tolist() == [0, 1, 2]


def test_permissions_are_those_of_a_file_opened_plainly(tmp_path):
    with atomic_file(tmp_path / "atomic") as file:
        file.write(b"x")
    (tmp_path / "plain").write_bytes(b"x")
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("atomic", "plain")}
    assert len(modes) == 1


def test_a_symbolic_link_stays_one_and_its_file_is_replaced(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere" / "file")
    for text in ("first", "second"):
        with atomic_file(tmp_path / "link", "w") as file:
            file.write(text)
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "elsewhere" / "file").read_text() == text
    assert os.listdir(tmp_path / "elsewhere") == ["file"]


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    path = tmp_path / "result"
    with atomic_file(path, "w") as first, atomic_file(path, "w") as second:
        first.write("1" * 10)
        second.write("2" * 5)
    assert path.read_text() == "1" * 10  # the block that ends last has the last word


def test_a_name_may_be_as_long_as_the_system_allows(tmp_path):
    path = tmp_path / ("é" * 127)
    with atomic_file(path, "w") as file:
        file.write("x")
    assert path.read_text() == "x"


def folder(tmp_path):
    return tmp_path


def pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


def in_no_folder(tmp_path):
    return tmp_path / "no" / "file"


def below_a_file(tmp_path):
    (tmp_path / "file").write_text("x")
    return tmp_path / "file" / "file"


@pytest.mark.parametrize("error", [RunError, DataError])
@pytest.mark.parametrize("place", [folder, pipe, in_no_folder, below_a_file])
def test_a_place_that_takes_no_file_is_named_on_one_line(tmp_path, place, error):
    path = place(tmp_path)
    with pytest.raises(error) as caught, atomic_file(path, error=error) as file:
        file.write(b"x")
    assert str(caught.value).startswith(f"{path}: must be ")
    assert "\n" not in str(caught.value)


def test_a_full_disk_is_the_error_asked_for_and_leaves_nothing(tmp_path):
    refusal = pytest.raises(DataError, match=r"set\.npz: must be writable, got No space left")
    with refusal, atomic_file(tmp_path / "set.npz", error=DataError):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert os.listdir(tmp_path) == []


def test_bytes_are_on_the_disk_before_the_name_changes(tmp_path, monkeypatch):
    steps = []
    monkeypatch.setattr(os, "fsync", lambda handle, fsync=os.fsync: (steps.append("fsync"), fsync(handle)))
    monkeypatch.setattr(os, "replace", lambda *names, replace=os.replace: (steps.append("replace"), replace(*names)))
    with atomic_file(tmp_path / "result", "w") as file:
        file.write("x")
    assert steps == ["fsync", "replace", "fsync"]  # the file, its name, the folder


def interrupted_in_an_archive(path):
    with atomic_file(path):
        try:
            raise KeyboardInterrupt
        finally:
            raise ValueError("write to closed file")


def test_an_interruption_is_not_hidden_by_what_fails_while_an_archive_is_tidied_up(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        interrupted_in_an_archive(tmp_path / "x")
    assert list(tmp_path.iterdir()) == []
