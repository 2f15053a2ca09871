"""A folder is held by one process, and taking hold of it harms no file that only has the name of its lock."""

import fcntl
import os

import pytest

from spikenn_cy.errors import RunError
from spikenn_cy.storage.lock import LOCK
from spikenn_cy.storage.lock import locked

pytestmark = pytest.mark.processes


def test_a_link_in_place_of_the_lock_is_refused_and_its_target_left_alone(tmp_path):
    folder, victim = tmp_path / "out", tmp_path / "victim"
    folder.mkdir()
    victim.write_text("precious")
    (folder / LOCK).symlink_to(victim)
    with pytest.raises(RunError, match=rf"^{folder / LOCK}: .*, got a symbolic link$"), locked(folder):
        pass
    assert victim.read_text() == "precious"
    assert (folder / LOCK).is_symlink()


def test_a_link_that_comes_in_the_last_moment_is_not_followed(tmp_path, monkeypatch):
    folder, victim = tmp_path / "out", tmp_path / "victim"
    folder.mkdir()
    victim.write_text("precious")
    opened = os.open

    def planted(path, flags, *mode):
        if os.fspath(path) == os.fspath(folder / LOCK):
            (folder / LOCK).symlink_to(victim)
        return opened(path, flags, *mode)

    monkeypatch.setattr(os, "open", planted)
    with pytest.raises(RunError), locked(folder):
        pass
    assert victim.read_text() == "precious"


def test_another_name_of_a_file_in_place_of_the_lock_is_refused_and_the_file_left_alone(tmp_path):
    folder, victim = tmp_path / "out", tmp_path / "victim"
    folder.mkdir()
    victim.write_text("precious")
    os.link(victim, folder / LOCK)
    with pytest.raises(RunError, match="got one with another name"), locked(folder):
        pass
    assert victim.read_text() == "precious"


def test_a_pipe_in_place_of_the_lock_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / LOCK)
    with pytest.raises(RunError, match="got something else"), locked(tmp_path):
        pass


def test_a_lock_of_any_content_is_told_in_one_line(tmp_path):
    (tmp_path / LOCK).write_bytes(b"\xff\n" * 3000)
    with open(tmp_path / LOCK) as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(RunError) as caught, locked(tmp_path):
            pass
    assert str(caught.value).startswith(f"{tmp_path}: must not be in use, got one by ")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < len(str(tmp_path)) + 150


def test_who_waited_for_a_lock_that_is_removed_does_not_hold_the_next_one(tmp_path, monkeypatch):
    """One holder lets go and another takes hold between the opening of the lock and its locking."""
    lock, holders, flock = tmp_path / LOCK, [], fcntl.flock
    lock.write_text("of the first holder")

    def meanwhile(handle, operation):
        if not holders:
            lock.unlink()
            holders.append(open(lock, "w"))  # noqa: SIM115
            flock(holders[0], fcntl.LOCK_EX)
        return flock(handle, operation)

    monkeypatch.setattr(fcntl, "flock", meanwhile)
    with pytest.raises(RunError, match="must not be in use"), locked(tmp_path):
        pass
    assert lock.exists()
    holders[0].close()
    with locked(tmp_path):
        pass
    assert not lock.exists()
