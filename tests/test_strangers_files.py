"""Files, names and folders from strangers: no more memory or time than their size warrants, and nothing obeyed."""

import json
import os
import zipfile
from urllib.parse import urlsplit

import numpy as np
import pytest
from numpy.lib import format as npy
from small_runs import write_data
from small_runs import write_settings

from spikenn_cy.cli.entry import main
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.data.published import SOURCES
from spikenn_cy.errors import DataError
from spikenn_cy.storage.arrays import refusing
from spikenn_cy.utils import atomic
from spikenn_cy.utils.atomic import atomic_file

pytestmark = pytest.mark.quick

NAME = "a\x1b[31m\x07\x9b b"  # that a terminal obeys: colour, bell, and the beginning of another order


def refused(capsys, *words):
    """Return the one line with which a command refuses."""
    capsys.readouterr()
    assert main([str(word) for word in words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_packed_arrays_of_more_than_their_file_warrants_are_refused_before_they_are_unpacked(tmp_path, monkeypatch):
    path, n = tmp_path / "bomb.npz", 17_000_000
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in ("indptr", "indices", "timestamps", "n_inputs", "max_time"):
            with archive.open(f"{name}.npy", "w") as member:
                header = {"shape": (n,) if name == "indices" else (), "fortran_order": False, "descr": "<i4"}
                npy.write_array_header_1_0(member, header)
                for _ in range(68 if name == "indices" else 1):
                    member.write(bytes(1_000_000 if name == "indices" else 4))
    assert path.stat().st_size < 2_000_000
    monkeypatch.setattr(zipfile.ZipFile, "open", None)  # no member is looked at
    with pytest.raises(DataError, match="must unpack to at most 67108864 bytes, as its size warrants, got 6800"):
        SpikingDataset.from_file(path)


def test_a_data_set_that_is_packed_as_data_are_is_read(tmp_path):
    path = write_data(tmp_path / "in") / "trainset.npz"
    with np.load(path) as file:
        np.savez_compressed(path, **dict(file))
    assert len(SpikingDataset.from_file(path)) == 90


def test_no_name_of_a_file_a_folder_a_key_or_a_class_reaches_the_terminal_as_it_is(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_data(tmp_path / "in")
    config = write_settings(tmp_path / "c.json")
    (tmp_path / "bad.json").write_text(json.dumps({NAME: 1, "network": NAME}))
    cells = "".join(f"{n % 7},{n % 5},{NAME if n % 3 else 'b'}\n" for n in range(60))
    (tmp_path / "t.csv").write_text(f"a,{NAME}1,{NAME}\n{cells}")
    os.mkdir(NAME)
    for words in (
        ["run", NAME, "out", config],
        ["run", f"{NAME}/none", "out", config],
        ["run", "in", "out", f"{NAME}.json"],
        ["run", "in", "out", "bad.json"],
        ["run", "in", "out", config, "--trainer.epochs", NAME],
        ["run", f"--{NAME}"],
        ["run", "in", NAME, config],
        [NAME],
        ["score", NAME],
        ["convert", f"{NAME}.npy", "y.npy", "o.npz"],
        ["encode", "t.csv", NAME, "--label", "2"],
        ["encode", "t.csv", "encoded", "--label", NAME],
        ["encode", "t.csv", "other", "--label", f"{NAME}9"],
        ["dataset", NAME, "out"],
    ):
        main([str(word) for word in words])
    said = "".join(capsys.readouterr())
    assert "\\x1b[31m\\x07" in said
    assert all(c.isprintable() or c in "\n\t" for c in said), [c for c in said if not c.isprintable()]


def test_a_pipe_in_place_of_settings_is_refused_at_once(tmp_path, capsys):
    write_data(tmp_path / "in")
    os.mkfifo(tmp_path / "c.json")
    line = refused(capsys, "run", tmp_path / "in", tmp_path / "out", tmp_path / "c.json")
    assert line == f"error: {tmp_path / 'c.json'}: must be a JSON file, got something else"


def test_more_folds_than_there_are_are_refused_before_there_is_a_run_for_each(tmp_path, capsys):
    write_data(tmp_path / "folds" / "0")
    config = write_settings(tmp_path / "c.json")
    line = refused(capsys, "kfold", tmp_path / "folds", tmp_path / "out", config, "--K", "900000000")
    assert f"{tmp_path / 'folds' / '1'}: must " in line


def test_no_finding_in_a_file_makes_a_long_message():
    with pytest.raises(DataError) as caught, refusing("place", "must be whole"):
        raise DataError("x" * 20_000)
    assert len(str(caught.value)) < 400


def test_every_mirror_is_asked_in_a_way_that_nobody_between_can_read_or_change():
    for source in SOURCES.values():
        assert {urlsplit(mirror).scheme for mirror in source.mirrors} <= {"https"}


# What killed writers leave


def test_what_a_killed_writer_had_begun_goes_with_the_next_file_of_that_name(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic, "JUST_BEGUN", -1)
    litter = tmp_path / ".set.npz.0123abcd.tmp"
    others = [".other.npz.0123abcd.tmp", ".set.npz.tmp", ".set.npz.0123abcd.tmp.txt", "set.npz.0123abcd.tmp"]
    for name in (litter.name, *others):
        (tmp_path / name).write_bytes(b"half")
    with atomic_file(tmp_path / "set.npz") as file:
        file.write(b"whole")
    assert sorted(os.listdir(tmp_path)) == sorted([*others, "set.npz"])


def test_what_a_living_writer_has_begun_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic, "JUST_BEGUN", -1)
    with atomic_file(tmp_path / "set.npz") as one:
        one.write(b"one")
        with atomic_file(tmp_path / "set.npz") as other:
            other.write(b"other")
        assert (tmp_path / "set.npz").read_bytes() == b"other"
    assert (tmp_path / "set.npz").read_bytes() == b"one"


def test_a_link_or_a_pipe_by_the_name_of_litter_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic, "JUST_BEGUN", -1)
    (tmp_path / "victim").write_text("precious")
    (tmp_path / ".set.npz.0123abcd.tmp").symlink_to(tmp_path / "victim")
    with atomic_file(tmp_path / "set.npz") as file:
        file.write(b"whole")
    assert (tmp_path / "victim").read_text() == "precious"
    assert (tmp_path / ".set.npz.0123abcd.tmp").is_symlink()
