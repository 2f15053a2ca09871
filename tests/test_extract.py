"""From a folder of images to spikes, an extractor and predictions, by command."""

import gzip
import json
import os
import shutil
import struct
import sys
from pathlib import Path

import numpy as np
import pages
import pytest
from processes import Family
from small_images import fetched
from small_images import write_mnist
from small_runs import contents
from small_runs import make_read_only
from small_runs import moments
from small_runs import write_settings
from small_runs import write_short
from test_idx import idx_bytes

from spikenn_cy import Readout
from spikenn_cy import SpikingDataset
from spikenn_cy.cli.entry import main
from spikenn_cy.cli.extract import draw
from spikenn_cy.data.imagesets import read_image_sets
from spikenn_cy.errors import SpikennError
from spikenn_cy.features import STDPCSNN
from spikenn_cy.features import load_extractor
from spikenn_cy.images import extract as extraction
from spikenn_cy.plots import feature_activity
from spikenn_cy.plots import filters
from spikenn_cy.plots import rendered
from spikenn_cy.storage.lock import locked
from spikenn_cy.utils.extras import wanted
from spikenn_cy.version import __version__

pytestmark = pytest.mark.full

SETTINGS = {"conv1_c": 16, "conv1_epochs": 2, "conv1_th": 3.0}
FILES = {"trainset.npz", "valset.npz", "testset.npz", "model.npz", "extraction.json"}
PICTURES = ("filters.png", "activity.png")


def write_images(folder, n=40, seed=0):
    """Write a folder in the reference's layout: bars in three places, 28 x 28 pixels."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    for part, size in (("train", n), ("val", n // 4), ("test", n // 4)):
        labels = (np.arange(size) % 3).astype(np.uint8)
        images = rng.integers(40, size=(size, 28, 28), dtype=np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[:, 4 + 8 * label : 8 + 8 * label] += 200
        images.tofile(folder / f"X_{part}.bin")
        labels.tofile(folder / f"y_{part}.bin")
    return folder


def hide_matplotlib(monkeypatch):
    for name in ("matplotlib", "matplotlib.figure"):  # the second, if a test before this one has imported it
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "spikenn_cy.plots.figure", raising=False)


@pytest.fixture(autouse=True)
def no_pictures(request, monkeypatch):
    """Draw only where a test is about pictures, which take longer than these extractions."""
    if "pictures" not in request.node.name:
        hide_matplotlib(monkeypatch)


@pytest.fixture
def images(tmp_path):
    return write_images(tmp_path / "images")


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "settings.json"
    path.write_text(json.dumps(SETTINGS))
    return path


def run(*arguments):
    return main(["extract", "stdp-csnn", *map(str, arguments)])


def test_a_folder_of_images_becomes_a_folder_of_spikes(images, config, tmp_path, capsys):
    out = tmp_path / "spikes"
    assert run(images, out, config, "--seed", 3, "--n-threads", 2) == 0
    assert {path.name for path in out.iterdir()} == FILES
    said = capsys.readouterr().out
    sets, extractor = read_image_sets(images), STDPCSNN.from_config(SETTINGS, seed=3)
    extractor.fit(sets.train.images)
    for part, found in sets.parts.items():
        want = extractor.transform(found.images, found.labels)
        dataset = SpikingDataset.from_file(out / f"{part}set.npz")
        for name in ("indptr", "indices", "timestamps", "labels", "classes"):
            np.testing.assert_array_equal(getattr(dataset, name), getattr(want, name))
        assert f"{part}set.npz: {len(found)} samples" in said
    np.testing.assert_array_equal(load_extractor(out / "model.npz").weights, extractor.weights)
    assert json.loads((out / "extraction.json").read_text())["config"]["conv1_c"] == 16


def test_published_settings_are_the_default(images, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(STDPCSNN, "fit", lambda self, *_, **__: asked.append(self.config) or _stop())
    assert run(images, tmp_path / "spikes") == 2
    assert asked == [STDPCSNN.from_config({"dataset": "MNIST", "conv1_k": 5}).config]
    assert not (tmp_path / "spikes").exists()


def _stop():
    raise SpikennError("enough: must not go on")


def test_a_finished_extraction_is_looked_up(images, config, tmp_path, capsys, monkeypatch):
    out = tmp_path / "spikes"
    run(images, out, config)
    before = contents(out)
    monkeypatch.setattr(STDPCSNN, "fit", lambda *_, **__: _stop())
    assert run(images, out, config) == 0
    assert "complete since an earlier call" in capsys.readouterr().out
    assert contents(out) == before


def test_a_finished_extraction_is_looked_up_where_nothing_can_be_written(images, config, tmp_path, capsys, monkeypatch):
    out = tmp_path / "spikes"
    run(images, out, config)
    before = contents(out)
    make_read_only(monkeypatch, out)
    capsys.readouterr()
    assert run(images, out, config) == 0
    assert "complete since an earlier call" in capsys.readouterr().out
    refused = f"error: {out}: must be a folder that can be written to, got Read-only file system\n"
    assert run(images, out, config, "--overwrite") == 2
    assert capsys.readouterr().err == refused
    (out / "testset.npz").unlink()
    assert run(images, out, config) == 2
    assert capsys.readouterr().err == refused
    (out / "valset.npz").write_bytes(b"changed")
    assert run(images, out, config) == 2
    assert "valset.npz: must be as the extraction wrote it" in capsys.readouterr().err
    del before["testset.npz"]
    assert contents(out) == before | {"valset.npz": b"changed"}


def test_pictures_that_cannot_be_written_are_named_as_not_drawn(images, config, tmp_path, capsys, monkeypatch):
    pytest.importorskip("matplotlib")
    out = tmp_path / "spikes"
    run(images, out, config)
    (out / "filters.png").unlink()
    make_read_only(monkeypatch, out)
    capsys.readouterr()
    assert run(images, out, config) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == f"not drawn: filters.png: {out / 'filters.png'}: must be writable, got Read-only file system"


@pytest.mark.parametrize("event", ["fit", "_write"])
def test_an_interrupted_extraction_goes_on_to_the_same_bytes(event, images, config, tmp_path, monkeypatch, capsys):
    whole, out = tmp_path / "whole", tmp_path / "spikes"
    run(images, whole, config)
    place = STDPCSNN if event == "fit" else extraction
    original, calls = getattr(place, event), []

    def interrupted(*arguments, **options):
        calls.append(arguments)
        if len(calls) == (1 if event == "fit" else 2):
            raise KeyboardInterrupt
        return original(*arguments, **options)

    monkeypatch.setattr(place, event, interrupted)
    assert run(images, out, config) == 130
    assert "the same command goes on with" in capsys.readouterr().err
    assert out.exists() == (event == "_write")
    assert run(images, out, config) == 0
    assert contents(out) == contents(whole)


@pytest.mark.parametrize(
    ("seed", "settings", "others", "finding"),
    [
        (1, {}, False, "got one with seed 0 instead of 1"),
        (0, {"conv1_c": 17}, False, "got one with conv1_c 16 instead of 17"),
        (0, {}, True, "got one with other train data"),
    ],
    ids=["seed", "setting", "images"],
)
def test_another_extraction_is_refused_unless_it_is_to_be_replaced(
    seed, settings, others, finding, images, config, tmp_path, capsys
):
    out, new = tmp_path / "spikes", tmp_path / "new"
    run(images, out, config)
    before = contents(out)
    config.write_text(json.dumps(SETTINGS | settings))
    images = write_images(tmp_path / "others", seed=1) if others else images
    assert run(images, out, config, "--seed", seed) == 2
    rule = "must be a new folder or hold this very extraction (--overwrite replaces one)"
    assert f"error: {out}: {rule}, {finding}" in capsys.readouterr().err
    assert contents(out) == before
    assert run(images, out, config, "--seed", seed, "--overwrite") == 0
    run(images, new, config, "--seed", seed)
    assert contents(out) == contents(new)


def break_images(folder):
    os.truncate(folder / "images" / "X_train.bin", 28 * 28 * 7)
    return "must hold 784 or 3072 bytes for each of the 40 labels"


def lose_labels(folder):
    (folder / "images" / "y_val.bin").unlink()
    return "y_val.bin: must be a readable file"


def misspell(folder):
    (folder / "settings.json").write_text(json.dumps(SETTINGS | {"conv1_ch": 3}))
    return "conv1_ch: must be one of the keys"


def lose_settings(folder):
    (folder / "settings.json").unlink()
    return "settings.json: must be usable, got No such file"


def ask_for_too_much(folder):
    (folder / "settings.json").write_text(json.dumps(SETTINGS | {"conv1_k": 28}))
    return "images: must be large enough for one pooling window"


def ask_for_colours(folder):
    (folder / "settings.json").write_text(json.dumps(SETTINGS | {"dataset": "CIFAR10"}))
    return "images: must have the (32, 32, 3) rows, columns and channels of CIFAR10"


@pytest.mark.parametrize(
    "spoil",
    [break_images, lose_labels, misspell, lose_settings, ask_for_too_much, ask_for_colours],
    ids=lambda f: f.__name__,
)
@pytest.mark.parametrize("folds", [False, True], ids=["one", "folds"])
def test_what_cannot_be_extracted_replaces_nothing(spoil, folds, images, config, tmp_path, capsys):
    place, out = images, tmp_path / "spikes"
    if folds:  # of which the last will be in the way
        place = tmp_path / "folds"
        write_images(place / "0", n=20)
        (place / "1").symlink_to(images)
    assert run(place, out, config) == 0
    before = contents(out)
    finding = spoil(tmp_path)
    capsys.readouterr()
    assert run(place, out, config, "--overwrite", *([] if folds else ["--seed", 1])) == 2
    said = capsys.readouterr()
    assert finding in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""
    assert contents(out) == before


def test_features_that_never_fire_are_warned_of_once(images, config, tmp_path, capsys):
    config.write_text(json.dumps(SETTINGS | {"conv1_min_th": 1000, "conv1_th": 1000}))
    assert run(images, tmp_path / "spikes", config) == 0
    said = capsys.readouterr()
    (line,) = said.err.splitlines()
    assert line.startswith(
        "warning: images: no feature fires for any of them; thresholds (conv1_th, conv1_min_th) may be"
    )
    assert said.out.count("samples, 0 spikes a sample") == 3


def test_without_pytorch_softhebb_replaces_nothing(images, config, tmp_path, monkeypatch, capsys):
    out = tmp_path / "spikes"
    run(images, out, config)
    before = contents(out)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert main(["extract", "softhebb", str(images), str(out), "--overwrite"]) == 2
    assert "SoftHebbCNN: needs the package torch" in capsys.readouterr().err
    assert main(["extract", "softhebb", str(images), str(tmp_path / "new")]) == 2
    assert contents(out) == before
    assert not (tmp_path / "new").exists()


def cut_off(path):
    os.truncate(path, path.stat().st_size // 2)


def change_a_byte(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def empty(path):
    path.write_bytes(b"")


def take_another_extraction_s(path):
    path.write_bytes((path.parent.parent / "others" / path.name).read_bytes())


@pytest.mark.parametrize("name", ["model.npz", "trainset.npz", "testset.npz"])
@pytest.mark.parametrize("change", [cut_off, change_a_byte, empty, take_another_extraction_s], ids=lambda f: f.__name__)
def test_a_changed_file_of_a_finished_extraction_is_refused(change, name, images, config, tmp_path, capsys):
    out = tmp_path / "spikes"
    run(images, out, config)
    whole = contents(out)
    if change is take_another_extraction_s:
        run(images, tmp_path / "others", config, "--seed", 1)
    change(out / name)
    before = contents(out)
    capsys.readouterr()
    assert run(images, out, config) == 2
    rule = "must be as the extraction wrote it (--overwrite makes all anew)"
    said = capsys.readouterr()
    assert said.err == f"error: {out / name}: {rule}, got a changed file\n"
    assert said.out == ""
    assert contents(out) == before
    assert run(images, out, config, "--overwrite") == 0
    assert contents(out) == whole


def unfinished(images, config, folder, monkeypatch):
    """Leave an extraction that was interrupted after its extractor was saved."""
    with monkeypatch.context() as patch:
        patch.setattr(extraction, "_write", lambda *_: _stop())
        assert run(images, folder, config) == 2
    assert set(contents(folder)) == {"model.npz", "extraction.json"}


def test_an_extraction_goes_on_from_no_extractor_but_its_own(images, config, tmp_path, monkeypatch, capsys):
    whole, others, out = (tmp_path / name for name in ("whole", "others", "spikes"))
    run(images, whole, config)
    run(images, others, config, "--seed", 1)
    unfinished(images, config, out, monkeypatch)
    (out / "model.npz").write_bytes((others / "model.npz").read_bytes())
    capsys.readouterr()
    assert run(images, out, config) == 2
    assert "model.npz: must be as the extraction wrote it" in capsys.readouterr().err
    # If it is not even listed, it was saved in the moment before the end, or comes from somewhere else.
    record = json.loads((out / "extraction.json").read_text())
    (out / "extraction.json").write_text(json.dumps(record | {"files": {}}))
    assert run(images, out, config) == 0
    assert contents(out) == contents(whole)


def test_an_extraction_goes_on_with_the_version_that_began_it_only(images, config, tmp_path, monkeypatch, capsys):
    def began_with(version):
        record = json.loads((out / "extraction.json").read_text())
        record["versions"] = {"spikenn_cy": version}
        (out / "extraction.json").write_text(json.dumps(record))

    out = tmp_path / "spikes"
    unfinished(images, config, out, monkeypatch)
    began_with("0.0.1")
    capsys.readouterr()
    assert run(images, out, config) == 2
    assert 'got one with versions.spikenn_cy "0.0.1" instead of ' in capsys.readouterr().err
    began_with(__version__)
    assert run(images, out, config) == 0
    began_with("0.0.1")
    assert run(images, out, config) == 0
    assert "complete since an earlier call" in capsys.readouterr().out


def test_spikes_of_an_extractor_that_comes_out_otherwise_are_made_anew(images, config, tmp_path):
    """As SoftHebb does on another machine."""
    whole, others, out = (tmp_path / name for name in ("whole", "others", "spikes"))
    run(images, whole, config)
    run(images, others, config, "--seed", 1)
    run(images, out, config, "--seed", 1)
    record = json.loads((out / "extraction.json").read_text()) | {"seed": 0}
    (out / "extraction.json").write_text(json.dumps(record))
    (out / "model.npz").unlink()
    assert run(images, out, config) == 0
    assert contents(out) == contents(whole)


@pytest.mark.parametrize("record", ["", "[]", "{}", '{"format": 1, "extractor": "stdp-csnn", "files": []}'])
def test_a_damaged_record_is_refused(record, images, config, tmp_path, capsys):
    out = tmp_path / "spikes"
    run(images, out, config)
    (out / "extraction.json").write_text(record)
    assert run(images, out, config) == 2
    assert "got a folder with extraction.json, model.npz" in capsys.readouterr().err
    assert run(images, out, config, "--overwrite") == 0


@pytest.mark.processes
def test_a_killed_extraction_goes_on_to_the_same_bytes(images, config, tmp_path):
    out, whole = tmp_path / "spikes", tmp_path / "whole"
    config.write_text(json.dumps(SETTINGS | {"conv1_c": 512}))
    run(images, whole, config)
    for name in ("model.npz", "trainset.npz"):
        with Family("extract", "stdp-csnn", images, out, config) as family:
            family.wait_until((out / name).exists)
            family.parent.kill()
    assert run(images, out, config) == 0
    assert contents(out) == contents(whole)


@pytest.mark.parametrize(("event", "hint"), [("fit", ""), ("_write", "; the same command without --overwrite goes on")])
def test_an_interrupted_replacement_says_how_it_goes_on(event, hint, images, config, tmp_path, monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    whole, out = tmp_path / "whole", tmp_path / "spikes"
    run(images, whole, config, "--seed", 1)
    run(images, out, config)
    with monkeypatch.context() as patch:
        patch.setattr(STDPCSNN if event == "fit" else extraction, event, interrupted)
        assert run(images, out, config, "--seed", 1, "--overwrite") == 130
    assert capsys.readouterr().err == f"interrupted{hint and f'{hint} with {out}'}\n"
    assert run(images, out, config, "--seed", 1) == (0 if hint else 2)
    assert (contents(out) == contents(whole)) == bool(hint)


@pytest.mark.parametrize("end", [KeyboardInterrupt, MemoryError])
def test_what_is_replaced_stays_until_the_new_extractor_is_fitted(end, images, config, tmp_path, monkeypatch):
    out = tmp_path / "spikes"
    run(images, out, config)
    before = contents(out)

    def ended(*_, **__):
        raise end

    with monkeypatch.context() as patch:
        patch.setattr(STDPCSNN, "fit", ended)
        assert run(images, out, config, "--seed", 1, "--overwrite") != 0
    assert contents(out) == before
    assert run(images, out, config, "--seed", 1, "--overwrite") == 0
    run(images, tmp_path / "new", config, "--seed", 1)
    assert contents(out) == contents(tmp_path / "new")


def test_an_extraction_may_be_killed_at_any_moment_while_it_replaces_another(images, config, tmp_path, monkeypatch):
    out, whole = tmp_path / "spikes", tmp_path / "whole"
    run(images, whole, config, "--seed", 1)
    run(images, out, config)
    (out / "notes.txt").write_text("mine")
    before = contents(out)
    with monkeypatch.context() as patch:
        copies = moments(out, tmp_path / "copies", patch)
        assert run(images, out, config, "--seed", 1, "--overwrite") == 0
    n_old = 0
    for copy in copies:
        (copy / ".lock").unlink(missing_ok=True)
        if run(images, copy, config, "--seed", 1) == 0:
            assert contents(copy) == contents(whole) | {"notes.txt": b"mine"}
        else:
            n_old += 1
            assert contents(copy) == before
    assert 5 < n_old < len(copies)


def test_a_folder_in_use_is_refused_before_anything_takes_long(images, config, tmp_path, monkeypatch, capsys):
    out = tmp_path / "spikes"
    out.mkdir()
    monkeypatch.setattr(STDPCSNN, "fit", lambda *_, **__: _stop())
    with locked(out):
        assert run(images, out, config) == 2
    assert f"error: {out}: must not be in use, got one by process {os.getpid()} on " in capsys.readouterr().err


def test_settings_in_place_of_a_picture_are_refused_and_left_alone(images, config, tmp_path, capsys):
    out = tmp_path / "spikes"
    run(images, out, config)
    config.rename(out / "filters.png")
    before = contents(out)
    assert run(images, out, out / "filters.png", "--overwrite") == 2
    rule = f"must be another file than those of an extraction in {out}"
    assert capsys.readouterr().err == f"error: {out / 'filters.png'}: {rule}, got its filters.png\n"
    assert contents(out) == before


def test_foreign_folders_are_left_alone(images, config, tmp_path, capsys):
    out = tmp_path / "thesis"
    out.mkdir()
    (out / "chapter.txt").write_text("1")
    assert run(images, out, config) == 2
    assert "got a folder with chapter.txt" in capsys.readouterr().err
    assert run(images, images, config) == 2
    assert "must be another folder than one of images" in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == ["chapter.txt"]


def test_a_folder_of_images_gets_no_folds_of_features(images, config, tmp_path, capsys):
    write_images(tmp_path / "folds" / "0", n=20)
    before = contents(images)
    for place in (tmp_path / "folds", tmp_path / "folds" / "0"):
        assert run(place, images, config, "--overwrite") == 2
        assert capsys.readouterr().err == f"error: {images}: must be another folder than one of images, got one\n"
    assert contents(images) == before
    (images / "0").mkdir()  # of whatever: the images beside it are meant
    assert run(images, tmp_path / "spikes", config) == 0


def test_neither_a_run_nor_an_extraction_replaces_the_model_of_the_other(images, config, tmp_path, capsys):
    spikes, logs = tmp_path / "spikes", tmp_path / "logs"
    run(images, spikes, config)
    settings = write_settings(tmp_path / "run.json", trainer={"epochs": 1})
    train = ["run", str(spikes)], str(settings)
    assert main([*train[0], str(logs), train[1]]) == 0
    before = contents(tmp_path)
    capsys.readouterr()
    assert main([*train[0], str(spikes), train[1], "--overwrite"]) == 2
    rule = "must be another folder than that of an extraction, whose model.npz would be lost, got one"
    assert capsys.readouterr().err == f"error: {spikes}: {rule}\n"
    assert run(images, logs, config, "--overwrite") == 2
    rule = "must be another folder than that of a run, whose model.npz would be lost, got one"
    assert capsys.readouterr().err == f"error: {logs}: {rule}\n"
    assert contents(tmp_path) == before


def test_folds_go_each_to_its_folder_with_its_number_as_seed(config, tmp_path, capsys):
    for fold in range(3):
        write_images(tmp_path / "folds" / str(fold), n=20, seed=fold)
    out = tmp_path / "spikes"
    assert run(tmp_path / "folds", out, config, "--n_proc", 1) == 0
    before = [contents(out / str(fold)) for fold in range(3)]
    assert [json.loads(files["extraction.json"])["seed"] for files in before] == [0, 1, 2]
    (out / "1" / "model.npz").unlink()
    (out / "1" / "testset.npz").unlink()
    capsys.readouterr()
    assert run(tmp_path / "folds", out, config, "--n_proc", 1) == 0
    assert capsys.readouterr().out.count("complete since an earlier call") == 2
    assert [contents(out / str(fold)) for fold in range(3)] == before
    assert run(tmp_path / "folds", out, config, "--seed", 1) == 2
    assert "seed: must not be given for folds" in capsys.readouterr().err
    (tmp_path / "folds" / "1").rename(tmp_path / "folds" / "7")
    assert run(tmp_path / "folds", out, config) == 2
    assert "must hold the folds 0, 1, ... without a gap" in capsys.readouterr().err


def test_pictures_show_the_filters_and_the_activity_that_were_written(images, config, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    out = tmp_path / "spikes"
    assert run(images, out, config) == 0
    drawn = {name: (out / name).read_bytes() for name in PICTURES}
    assert capsys.readouterr().out.splitlines()[-2:] == [str(out / "activity.png"), str(out / "filters.png")]
    assert drawn == {
        "filters.png": rendered(filters(load_extractor(out / "model.npz").weights)),
        "activity.png": rendered(feature_activity(SpikingDataset.from_file(out / "trainset.npz"))),
    }
    (out / "filters.png").unlink()
    assert run(images, out, config) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(out / "filters.png")
    assert {name: (out / name).read_bytes() for name in PICTURES} == drawn
    assert run(images, out, config, "--overwrite", "--seed", 1) == 0
    assert all((out / name).read_bytes() != drawn[name] for name in PICTURES)


def test_without_matplotlib_one_line_says_how_to_get_pictures(images, config, tmp_path, capsys, monkeypatch):
    hide_matplotlib(monkeypatch)
    out = tmp_path / "spikes"
    write_images(tmp_path / "folds" / "0", n=20)
    write_images(tmp_path / "folds" / "1", n=20)
    assert run(tmp_path / "folds", out, config, "--n_proc", 1) == 0
    said = capsys.readouterr()
    assert said.out.count(f"python -m pip install {wanted('plot')}") == 1
    assert said.out.splitlines()[-1].startswith("no pictures were drawn: plot: needs the package matplotlib")
    assert said.err == ""
    assert {path.name for path in (out / "1").iterdir()} == FILES


def test_pictures_of_a_replaced_extraction_go_with_it(images, config, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    out = tmp_path / "spikes"
    run(images, out, config)
    hide_matplotlib(monkeypatch)
    assert run(images, out, config, "--overwrite", "--seed", 1) == 0
    assert {path.name for path in out.iterdir()} == FILES


def test_pictures_of_filters_with_too_many_channels_are_named_as_not_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    images = np.random.default_rng(0).integers(256, size=(6, 12, 12, 7), dtype=np.uint8)
    extractor = STDPCSNN.from_config(SETTINGS, seed=0).fit(images)
    extractor.save(tmp_path / "model.npz")
    extractor.transform(images, np.arange(6)).save(tmp_path / "trainset.npz")
    activity, colours = draw(extraction.Extraction("stdp-csnn", tmp_path, tmp_path))
    assert activity == str(tmp_path / "activity.png")
    assert colours == "not drawn: filters.png: weights: must have a D of at most 12, got 14"


@pytest.mark.parametrize(
    ("arguments", "finding"),
    [
        (["missing", "OUT"], "missing: must be an image folder"),
        (["IMAGES", "OUT", "none.json"], "none.json: must be usable, got No such file"),
        (["", "OUT"], "input: must be a path, got an empty one"),
        (["IMAGES", "OUT", "--n_threads", "999999999"], "n_threads: must be an integer from 1 to 1024"),
    ],
)
def test_wrong_arguments_end_in_one_line(arguments, finding, images, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(*(str(images) if word == "IMAGES" else word for word in arguments)) == 2
    said = capsys.readouterr().err
    assert finding in said
    assert said.count("\n") == 1
    assert not (tmp_path / "OUT").exists()


# Prediction


def test_what_the_page_shows_is_what_happens(tmp_path, monkeypatch):
    pytest.importorskip("sklearn")
    monkeypatch.chdir(tmp_path)
    write_mnist(tmp_path / "downloads")
    published = "configs/STDP-CSNN/MNIST/s2stdp+ncg.json"
    write_short(tmp_path / published, pages.ROOT / published)
    names = pages.done(pages.ROOT / "docs" / "extraction.md", tmp_path, fetched)
    assert np.mean(names["predicted"] == names["labels"][names["test"]]) > 0.85
    assert {path.name for path in Path("features", "mnist", "0").iterdir()} >= FILES
    assert json.loads(Path("logs", "mnist-0", "result.json").read_text())["n_epochs"] == 1


@pytest.fixture
def models(images, config, tmp_path):
    """Write an extraction and a network trained on it; return the options that name them."""
    out = tmp_path / "spikes"
    run(images, out, config)
    train = SpikingDataset.from_file(out / "trainset.npz")
    settings = {
        "network": [{"n_neurons": 3, "firing_threshold": 20, "w_norm": True}],
        "optimizer": {"method": "s2stdp", "ap": 0.1, "am": -0.1, "t_gap": 0.05},
    }
    network = Readout.from_config(settings, train.n_inputs, train.n_classes)
    network.fit(train, epochs=3)
    network.save(tmp_path / "network.npz")
    return ["--extractor", str(out / "model.npz"), "--readout", str(tmp_path / "network.npz")]


def want(models, found):
    extractor, network = load_extractor(models[1]), Readout.load(models[3])
    return network.predict(extractor.transform(found))


def write_idx(path, array):
    with gzip.open(path, "wb") as file:
        file.write(struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes())


@pytest.mark.parametrize("form", ["folder", "npy", "idx"])
def test_raw_images_are_classified(form, images, models, tmp_path, capsys):
    test = read_image_sets(images).test
    place, options = images, []
    if form == "npy":
        place, options = tmp_path / "x.npy", ["--labels", str(tmp_path / "y.npy")]
        np.save(place, test.images)
        np.save(options[1], test.labels)
    elif form == "idx":
        place, options = tmp_path / "x.gz", ["--labels", str(tmp_path / "y.gz")]
        write_idx(place, np.asarray(test.images))
        write_idx(tmp_path / "y.gz", test.labels.astype(np.uint8))
    capsys.readouterr()
    assert main(["predict", str(place), *models, *options]) == 0
    head, *lines, accuracy = capsys.readouterr().out.splitlines()
    assert head == "sample\tclass\tdecision_time"
    samples, classes, times = zip(*(line.split("\t") for line in lines), strict=True)
    assert list(samples) == [str(number) for number in range(len(test))]
    classified = want(models, test.images)
    assert list(classes) == [str(name) for name in classified]
    share = np.mean(classified == test.labels)
    assert accuracy == f"accuracy {100 * share:.2f} %"
    assert share > 0.8
    assert main(["predict", str(place), *models, *options, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["samples"], found["classes"], found["accuracy"]) == (list(samples), classified.tolist(), share)
    shown = ["-" if time is None else f"{time:.4g}" for time in found["decision_times"]]
    assert shown == list(times)


def test_without_labels_there_is_no_accuracy(images, models, tmp_path, capsys):
    np.save(tmp_path / "x.npy", read_image_sets(images).test.images[:4])
    capsys.readouterr()
    assert main(["predict", str(tmp_path / "x.npy"), *models]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1 + 4


@pytest.mark.parametrize(
    ("array", "labels", "finding"),
    [
        (
            np.full((2, 28, 28), -0.5),
            None,
            "x.npy: must hold uint8, whole numbers from 0 to 255 or real",
        ),
        (np.zeros(28, np.uint8), None, "x.npy: must hold images of shape"),
        (np.zeros((2, 28, 28), np.uint8), np.zeros(3, int), "y.npy: must hold 2 labels"),
        (np.zeros((2, 28, 28), np.uint8), np.array([0, 9]), "must have labels among the classes of"),
        (np.zeros((2, 20, 28), np.uint8), None, "images: must be as those of fit"),
    ],
)
def test_wrong_images_and_labels_are_refused(array, labels, finding, models, tmp_path, capsys):
    np.save(tmp_path / "x.npy", array)
    options = []
    if labels is not None:
        np.save(tmp_path / "y.npy", labels)
        options = ["--labels", str(tmp_path / "y.npy")]
    capsys.readouterr()
    assert main(["predict", str(tmp_path / "x.npy"), *models, *options]) == 2
    said = capsys.readouterr()
    assert finding in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_a_folder_without_test_images_is_refused(images, models, capsys):
    for kind in "Xy":
        (images / f"{kind}_test.bin").unlink()
    capsys.readouterr()
    assert main(["predict", str(images), *models]) == 2
    assert capsys.readouterr().err == f"error: {images}: must hold test images, got none\n"


@pytest.mark.parametrize("option", ["DATA", "--extractor", "--readout", "--labels"])
@pytest.mark.parametrize(("path", "finding"), [("", ": must be a path, got an empty one"), ("pipe", "pipe: must be ")])
def test_a_path_that_leads_to_no_file_is_refused_at_once(path, finding, option, models, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")  # which has no other end
    np.save("x.npy", np.zeros((2, 28, 28), np.uint8))
    words = ["x.npy", *models, "--labels", "y.npy"]
    np.save("y.npy", np.zeros(2, int))
    words[0 if option == "DATA" else words.index(option) + 1] = path
    capsys.readouterr()
    assert main(["predict", *words]) == 2
    said = capsys.readouterr()
    assert finding in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_a_network_for_other_features_is_refused(images, models, tmp_path, capsys):
    settings = {
        "network": [{"n_neurons": 3, "firing_threshold": 20}],
        "optimizer": {"method": "s2stdp", "ap": 0.1, "am": -0.1, "t_gap": 0.05},
    }
    Readout.from_config(settings, 10, 3).save(tmp_path / "network.npz")
    assert main(["predict", str(images), *models]) == 2
    assert "must take the 576 features that" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--extractor", "--readout"])
@pytest.mark.parametrize(
    ("content", "finding"),
    [
        (idx_bytes(np.zeros(4, np.uint8)), "a file of another kind"),
        (b"\x93NUMPY\1\0 and so on", "one array without a name, as .npy files hold"),
        (b"", "an empty file"),
    ],
    ids=["another", "npy", "empty"],
)
def test_a_model_that_is_no_archive_is_said_to_be_what_it_is(
    content, finding, option, images, models, tmp_path, capsys
):
    (tmp_path / "other").write_bytes(content)
    models[models.index(option) + 1] = str(tmp_path / "other")
    capsys.readouterr()
    assert main(["predict", str(images), *models]) == 2
    rule = {"--extractor": "must be the file of an extractor", "--readout": "must be a file that Readout.save wrote"}
    assert capsys.readouterr().err == f"error: {tmp_path / 'other'}: {rule[option]}, got {finding}\n"


@pytest.mark.parametrize("max_time", [0.5, 2.0])
def test_a_network_of_another_max_time_is_refused(max_time, images, models, capsys):
    network = Readout.load(models[3])
    Readout.from_config(network.config, network.n_inputs, network.n_classes, max_time).save(models[3])
    capsys.readouterr()
    assert main(["predict", str(images), *models]) == 2
    said = capsys.readouterr()
    rule = "must be a network of max_time 1, when features fall silent"
    assert said.err == f"error: {models[3]}: {rule}, got {max_time}\n"
    assert said.out == ""


def test_files_that_are_swapped_are_refused(images, models, capsys):
    swapped = ["--extractor", models[3], "--readout", models[1]]
    assert main(["predict", str(images), *swapped]) == 2
    said = f"error: {models[1]}: must be a trained network, got an extractor, which --extractor takes\n"
    assert capsys.readouterr().err == said


def test_folders_stand_for_the_models_in_them(images, models, tmp_path, capsys):
    (tmp_path / "run").mkdir()
    shutil.copy(models[3], tmp_path / "run" / "model.npz")
    folders = ["--extractor", str(tmp_path / "spikes"), "--readout", str(tmp_path / "run")]
    printed = []
    for words in (models, folders):
        capsys.readouterr()
        assert main(["predict", str(images), *words]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
