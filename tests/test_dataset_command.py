"""``dataset`` writes images and the papers' splits, as scikit-learn makes them, whole or not at all."""

import dataclasses
import hashlib
import json
import os
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.model_selection import StratifiedKFold
from sklearn.model_selection import StratifiedShuffleSplit
from small_images import BATCHES
from small_images import cifar_files
from small_images import tar_gz
from small_images import write_mnist
from small_images import write_relative
from small_runs import make_read_only
from small_runs import moments
from test_download import server as server
from test_idx import idx_bytes

from spikenn_cy.cli.entry import main
from spikenn_cy.data.imagefiles import ImageArrays
from spikenn_cy.data.imagesets import read_image_sets
from spikenn_cy.data.published import SOURCES
from spikenn_cy.data.published import PublishedFile
from spikenn_cy.images import prepare as imagesets
from spikenn_cy.images.prepare import make_splits

pytestmark = pytest.mark.full

# Of 200 labels 0 to 9 in turn, by scikit-learn 1.9.1.
GS_VAL = [71, 142, 120, 149, 192, 35, 150, 9, 177, 144, 43, 37, 53, 138, 136, 166, 4, 155, 88, 61]
GS_TRAIN_BEGIN = [60, 98, 115, 6, 105]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a folder, now the current one, with a small MNIST in ``in``."""
    monkeypatch.chdir(tmp_path)
    write_mnist(tmp_path / "in")
    return tmp_path


def dataset(*words):
    return main(["dataset", *words])


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# ---------------------------------------------------------------------------- what is written


def test_the_command_says_what_is_where(folder, capsys):
    assert dataset("mnist", "out", "--from", "in") == 0
    found = capsys.readouterr()
    folds = "".join(f"out/kfold/{fold}: 108 + 12 + 30 images\n" for fold in range(10))
    assert found.out == f"out: MNIST, 120 + 30 images, 28 x 28, 10 classes\nout/gs: 108 + 12 images\n{folds}"
    assert found.err == ""
    splits = [f"kfold/{fold}/split.npz" for fold in range(10)]
    assert sorted(contents(folder / "out")) == ["dataset.json", "gs/split.npz", "images.npz", *splits]


@pytest.mark.parametrize("name", SOURCES)
def test_images_and_labels_are_those_of_the_files(tmp_path, name):
    if name in BATCHES:
        train, test, files = cifar_files(BATCHES[name])
        (tmp_path / BATCHES[name].archive).write_bytes(tar_gz(files.items()))
    elif name in ("mnist", "fmnist", "kmnist"):
        train, test = write_mnist(tmp_path)
    else:
        train, test = write_relative(tmp_path, SOURCES[name])
    assert dataset(name, str(tmp_path / "out"), "--from", str(tmp_path)) == 0
    found = read_image_sets(tmp_path / "out")
    assert found.name == name
    for part, (images, labels) in ((found.train, train), (found.test, test)):
        assert_array_equal(part.images, images, strict=True)
        assert_array_equal(part.labels, labels.astype(np.int32), strict=True)
        assert part.class_names == SOURCES[name].class_names


def test_splits_are_those_of_scikit_learn(folder):
    (images, labels), test = write_mnist(folder / "in")
    dataset("mnist", "out", "--from", "in")
    ((train, val),) = StratifiedShuffleSplit(n_splits=1, test_size=0.1, random_state=0).split(images, labels)
    gs = read_image_sets("out/gs")
    assert gs.test is None
    assert_array_equal(gs.train.images, images[train])
    assert_array_equal(gs.val.images, images[val])
    assert_array_equal(gs.val.labels, labels[val])
    folds = StratifiedKFold(n_splits=10, shuffle=False, random_state=None).split(images, labels)
    for fold, (train, val) in enumerate(folds):
        found = read_image_sets(f"out/kfold/{fold}")
        assert_array_equal(found.train.images, images[train])
        assert_array_equal(found.val.images, images[val])
        assert_array_equal(found.test.images, test[0])


def test_splits_stay_what_they_were_with_other_versions_of_scikit_learn():
    labels = np.arange(200) % 10
    arrays = ImageArrays("some", np.zeros((200, 1, 1), np.uint8), labels, None, labels, tuple("0123456789"))
    splits = make_splits(arrays, "here")
    assert splits["gs"].val.tolist() == GS_VAL
    assert splits["gs"].train[:5].tolist() == GS_TRAIN_BEGIN
    for fold in range(10):
        val = list(range(20 * fold, 20 * fold + 20))
        assert splits[f"kfold/{fold}"].val.tolist() == val
        assert splits[f"kfold/{fold}"].train.tolist() == sorted(set(range(200)) - set(val))


def test_the_record_tells_what_the_images_are_and_come_from(folder):
    dataset("mnist", "out", "--from", "in")
    record = json.loads((folder / "out" / "dataset.json").read_text())
    assert (record["dataset"], record["train"], record["test"], record["image"]) == ("mnist", 120, 30, [28, 28])
    assert record["published_checksums_hold"] is False
    assert [file["file"] for file in record["files"]] == sorted(
        os.listdir("in"), key=lambda name: (name.startswith("t10k"), name)
    )
    content = (folder / "in" / record["files"][0]["file"]).read_bytes()
    assert record["files"][0]["sha256"] == hashlib.sha256(content).hexdigest()


def test_the_same_files_make_the_same_bytes(folder):
    for out in ("one", "two"):
        dataset("mnist", out, "--from", "in")
    assert contents(folder / "one") == contents(folder / "two")


# ---------------------------------------------------------------------------- folders that are there already


def test_a_finished_folder_with_the_same_images_is_left_as_it_is(folder, capsys):
    dataset("mnist", "out", "--from", "in")
    said, before = capsys.readouterr().out, (folder / "out" / "images.npz").stat()
    shutil.rmtree(folder / "in")
    write_mnist(folder / "in", bytes, "", ".")
    assert dataset("mnist", "out", "--from", "in") == 0
    assert capsys.readouterr().out == said
    after = (folder / "out" / "images.npz").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def change_an_image(folder):
    (folder / "in" / "t10k-images-idx3-ubyte.gz").unlink()
    (folder / "in" / "t10k-images-idx3-ubyte").write_bytes(idx_bytes(np.zeros((30, 28, 28), np.uint8)))
    return "mnist", "other test images"


def ask_for_another(_folder):
    return "fmnist", "mnist instead of fmnist"


def change_a_split(folder):
    shutil.copy(folder / "out" / "kfold" / "3" / "split.npz", folder / "out" / "kfold" / "4" / "split.npz")
    return "mnist", "another split in kfold/4"


def lose_a_split(folder):
    (folder / "out" / "gs" / "split.npz").unlink()
    return "mnist", "a damaged file (out/gs/split.npz: must be a readable file, got No such file or directory)"


def damage_the_images(folder):
    os.truncate(folder / "out" / "images.npz", 5000)
    return "mnist", "a damaged file (out/images.npz: must be a sound .npz file, got File is not a zip file)"


@pytest.mark.parametrize(
    "change",
    [change_an_image, ask_for_another, change_a_split, lose_a_split, damage_the_images],
    ids=lambda f: f.__name__,
)
def test_another_data_set_in_the_folder_is_refused_unless_it_may_be_overwritten(folder, capsys, change):
    dataset("mnist", "out", "--from", "in")
    name, finding = change(folder)
    before = contents(folder / "out")
    capsys.readouterr()
    assert dataset(name, "out", "--from", "in") == 2
    found = capsys.readouterr()
    rule = "must be a new folder or hold this very data set (--overwrite replaces a data set)"
    assert found.err == f"error: out: {rule}, got one with {finding}\n"
    assert found.out == ""
    assert contents(folder / "out") == before
    (folder / "out" / "notes.txt").touch()
    assert dataset(name, "out", "--from", "in", "--overwrite") == 0
    assert dataset(name, "out", "--from", "in") == 0
    assert (folder / "out" / "notes.txt").exists()


def test_a_folder_of_other_things_is_refused(folder, capsys):
    assert dataset("mnist", "in", "--from", "in") == 2
    assert "got a folder with t10k-images-idx3-ubyte.gz, " in capsys.readouterr().err
    assert len(os.listdir("in")) == 4


def test_a_write_that_fails_leaves_nothing(folder, capsys, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(imagesets, "write_images", full)
    assert dataset("mnist", "new/out", "--from", "in") == 2
    assert "No space left on device" in capsys.readouterr().err
    assert os.listdir() == ["in"]


def test_a_write_that_fails_leaves_what_it_was_to_replace(folder, capsys, monkeypatch):
    def full(path, _):
        path.with_name(f".{path.name}.0123abcd.tmp").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    dataset("mnist", "out", "--from", "in")
    before = contents(folder / "out")
    with monkeypatch.context() as patch:
        patch.setattr(imagesets, "write_images", full)
        assert dataset("fmnist", "out", "--from", "in", "--overwrite") == 2
    assert "No space left on device" in capsys.readouterr().err
    assert contents(folder / "out") == before
    assert dataset("fmnist", "out", "--from", "in", "--overwrite") == 0
    dataset("fmnist", "new", "--from", "in")
    assert contents(folder / "out") == contents(folder / "new")


def test_what_a_killed_command_left_is_written_anew(folder):
    dataset("mnist", "out", "--from", "in")
    whole = contents(folder / "out")
    (folder / "out" / "images.npz").unlink()
    (folder / "out" / ".images.npz.0123.tmp").write_bytes(b"half")
    (folder / "out" / "kfold" / "9" / "split.npz").rename(folder / "out" / "kfold" / "9" / ".split.npz.0123.tmp")
    assert dataset("mnist", "out", "--from", "in") == 0
    assert contents(folder / "out") == whole


def test_a_finished_folder_is_looked_up_where_nothing_can_be_written(folder, capsys, monkeypatch):
    dataset("mnist", "out", "--from", "in")
    said, before = capsys.readouterr().out, contents(folder / "out")
    make_read_only(monkeypatch, "out")
    assert dataset("mnist", "out", "--from", "in") == 0
    assert capsys.readouterr().out == said
    (folder / "out" / "gs" / "split.npz").unlink()
    assert dataset("mnist", "out", "--from", "in", "--overwrite") == 2
    assert capsys.readouterr().err == "error: out: must be a folder that can be written to, got Read-only file system\n"
    del before["gs/split.npz"]
    assert contents(folder / "out") == before


def test_what_an_earlier_version_left_of_the_images_is_removed(folder):
    dataset("mnist", "new", "--from", "in")
    (folder / "out").mkdir()
    (folder / "out" / ".images.npz.coming.tmp").write_bytes(b"whole")
    assert dataset("mnist", "out", "--from", "in") == 0
    assert contents(folder / "out") == contents(folder / "new")


def test_a_command_may_be_killed_at_any_moment_while_it_replaces_a_data_set(folder, monkeypatch):
    dataset("mnist", "out", "--from", "in")
    (folder / "out" / "kfold" / "notes.txt").write_text("mine")
    before = contents(folder / "out")
    with monkeypatch.context() as patch:
        copies = moments(folder / "out", folder / "copies", patch)
        assert dataset("fmnist", "out", "--from", "in", "--overwrite") == 0
    whole = contents(folder / "out")
    assert whole["kfold/notes.txt"] == b"mine"
    n_old = 0
    for copy in copies:
        (copy / ".lock").unlink(missing_ok=True)
        if dataset("fmnist", str(copy), "--from", "in") == 0:
            assert contents(copy) == whole
        else:
            n_old += 1
            assert contents(copy) == before
    assert 5 < n_old < len(copies)


# ---------------------------------------------------------------------------- refusals


def test_too_few_images_of_a_class_for_ten_folds_are_refused(folder, capsys):
    labels = np.arange(120).astype(np.uint8) % 10
    labels[[7, 17, 27]] = 8
    (folder / "in" / "train-labels-idx1-ubyte.gz").unlink()
    (folder / "in" / "train-labels-idx1-ubyte").write_bytes(idx_bytes(labels))
    assert dataset("fmnist", "out", "--from", "in") == 2
    rule = "must hold at least 10 training images of each class for 10 folds"
    assert capsys.readouterr().err == f"error: in: {rule}, got '9 of class 7 (Sneaker)'\n"
    assert not os.path.exists("out")


def test_a_broken_file_is_refused_in_one_line_and_nothing_is_written(folder, capsys):
    os.truncate(folder / "in" / "train-images-idx3-ubyte.gz", 5000)
    assert dataset("mnist", "out", "--from", "in") == 2
    said = capsys.readouterr().err
    assert said.startswith("error: in/train-images-idx3-ubyte.gz: must be a sound IDX file, got ")
    assert said.count("\n") == 1
    assert not os.path.exists("out")


def test_an_unknown_data_set_is_refused_by_the_known_ones(capsys):
    assert dataset("imagenet", "out") == 2
    said = capsys.readouterr().err
    assert all(name in said for name in SOURCES)
    assert said.count("\n") == 1


def test_without_scikit_learn_it_is_said_what_to_install(folder, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.model_selection", None)
    assert dataset("mnist", "out", "--from", "in") == 2
    assert "needs the package sklearn" in capsys.readouterr().err


@pytest.mark.parametrize("words", [("mnist", "", "--from", "in"), ("mnist", "out", "--from", "")])
def test_an_empty_path_is_refused(folder, capsys, words):
    assert dataset(*words) == 2
    assert capsys.readouterr().err == "error: dataset: must be given paths, got an empty one\n"
    assert os.listdir() == ["in"]


def test_a_folder_and_a_cache_together_are_refused(capsys):
    assert dataset("mnist", "out", "--from", "in", "--cache", "cache") == 2
    assert "not allowed with" in capsys.readouterr().err


# ---------------------------------------------------------------------------- the page about it


def test_the_example_on_the_page_runs(folder, capsys):
    page = (Path(__file__).parent.parent / "docs" / "datasets.md").read_text(encoding="utf-8")
    dataset("mnist", "data/mnist", "--from", "in")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(compile(example, "datasets.md", "exec"), names := {})
    assert capsys.readouterr().out.endswith("(108, 28, 28) (12, 28, 28) (30, 28, 28)\n")
    assert names["pixels"].shape == (100, 28, 28)
    for name, source in SOURCES.items():
        if not source.files:
            continue
        (row,) = re.findall(rf"^\| `{name}` .*", page, re.MULTILINE)
        n_bytes = sum(file.n_bytes for file in source.files)
        assert f"{n_bytes / 1e6:.0f} MB" in row


# ---------------------------------------------------------------------------- from the network


def published(folder, *mirrors):
    """MNIST's row of the table, with the files in ``folder`` as its own."""
    files = [(file.name, (folder / file.name).read_bytes()) for file in SOURCES["mnist"].files]
    files = tuple(PublishedFile(name, len(data), hashlib.md5(data).hexdigest()) for name, data in files)
    return dataclasses.replace(SOURCES["mnist"], files=files, mirrors=mirrors)


def test_fetched_files_make_the_same_images_as_those_of_a_folder(folder, server, capsys, monkeypatch):
    monkeypatch.setitem(SOURCES, "mnist", published(folder / "in", server.mirror("missing"), server.mirror("in")))
    server.folder = folder / "in"
    assert dataset("mnist", "out", "--cache", "cache") == 0
    assert sorted(os.listdir("cache/mnist")) == sorted(os.listdir("in"))
    assert json.loads((folder / "out" / "dataset.json").read_text())["published_checksums_hold"] is True
    asked = len(server.asked)
    assert dataset("mnist", "out", "--from", "in") == 0
    assert dataset("mnist", "out", "--cache", "cache") == 0
    assert len(server.asked) == asked
    assert capsys.readouterr().err == ""


def test_a_file_that_cannot_be_fetched_is_told_in_one_line(folder, server, capsys, monkeypatch):
    monkeypatch.setitem(SOURCES, "mnist", published(folder / "in", server.mirror("missing"), server.mirror("other")))
    assert dataset("mnist", "out", "--cache", "cache") == 2
    said = capsys.readouterr().err
    assert said.startswith("error: train-images-idx3-ubyte.gz: must be at one of its addresses (--from DIR takes ")
    assert "/missing/: status 404; " in said
    assert said.count("\n") == 1
    assert not os.path.exists("out")
