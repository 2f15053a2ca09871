"""Records that are damaged, or say what cannot be, are refused in one line by every command that reads them."""

import json
import os
import re
import shutil
import zipfile

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from small_images import write_mnist
from small_runs import contents
from small_runs import write_data
from small_runs import write_settings

from spikenn_cy.cli.entry import main
from spikenn_cy.errors import RunError
from spikenn_cy.experiments.batch import run_states
from spikenn_cy.experiments.store import RunFolder
from spikenn_cy.experiments.store import read_epochs
from spikenn_cy.experiments.store import read_result
from spikenn_cy.images import extract as extraction
from spikenn_cy.storage.kinds import BATCH
from spikenn_cy.storage.kinds import KINDS
from spikenn_cy.storage.kinds import RUN
from spikenn_cy.storage.records import read_record

pytestmark = pytest.mark.quick

DEEP = 200_000
PLACES = ("run", "kfold", "spikes", "images", "encoded", "table")  # of outputs of each kind
EXTRACTOR = {"conv1_c": 4, "conv1_epochs": 1, "conv1_th": 3.0}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Return a folder with an output of each kind, complete."""
    home = tmp_path_factory.mktemp("records")
    write_data(home / "in")
    for fold in "01":
        write_data(home / "folds" / fold)
    config = write_settings(home / "config.json", trainer={"epochs": 3})
    write_mnist(home / "downloads")
    (home / "extractor.json").write_text(json.dumps(EXTRACTOR))
    (home / "table.csv").write_text("a,b,kind\n" + "".join(f"{n % 7},{n % 5},{'xyz'[n % 3]}\n" for n in range(60)))
    for words in (
        ["run", home / "in", home / "run", config, "--save_stats"],
        ["kfold", home / "folds", home / "kfold", config, "--K", "2", "--n_proc", "1"],
        ["dataset", "mnist", home / "images", "--from", home / "downloads"],
        ["extract", "stdp-csnn", home / "images" / "gs", home / "spikes", home / "extractor.json"],
        ["encode", home / "table.csv", home / "encoded", "--label", "kind"],
        ["reproduce", "digits", home / "table", "--rule", "s2stdp", "--K", "1", "--n_proc", "1"],
    ):
        assert main([str(word) for word in words]) == 0
    return home


@pytest.fixture
def here(home, tmp_path, monkeypatch):
    """Return a copy of that folder, which is the current one."""
    monkeypatch.chdir(shutil.copytree(home, tmp_path / "here"))
    return tmp_path / "here"


COMMANDS = {
    "run": ["run", "in", "run", "config.json", "--save_stats"],
    "report": ["run", "in", "run", "config.json", "--save_stats", "--report"],
    "plot": ["plot", "run", "--out", "pictures"],
    "kfold": ["kfold", "folds", "kfold", "config.json", "--K", "2", "--n_proc", "1"],
    "score": ["score", "kfold"],
    "plot kfold": ["plot", "kfold", "--out", "pictures"],
    "dataset": ["dataset", "mnist", "images", "--from", "downloads"],
    "extract": ["extract", "stdp-csnn", "images/gs", "spikes", "extractor.json"],
    "encode": ["encode", "table.csv", "encoded", "--label", "kind"],
}
WHOLE = {  # that replace a record
    "brackets": "[" * DEEP,
    "braces": '{"a":' * DEEP,
    "some brackets": f'{{"a": {"[" * 900}{"]" * 900}}}',
    "a list": "[]",
    "null": "null",
    "empty": "",
    "half": '{"format": 1, "con',
    "a surrogate": '{"\\ud800": 1}',
    "digits": '{"format": ' + "9" * 5000 + "}",
}
MEMBERS = {  # that replace a member
    "null": None,
    "a list": [1],
    "lists": [[0.5]],
    "true": True,
    "text": "7",
    "a surrogate": "\ud800",
    "a large number": 1e200,
    "infinity": float("inf"),
    "NaN": float("nan"),
    "a negative number": -7,
    "a half": 0.5,
    "an object": {"a": {"b": []}},
    "nothing": "MISSING",
}


RECORDS = {
    "run/config.json": ["run", "plot"],
    "run/result.json": ["run"],
    "run/metrics.jsonl": ["report", "plot"],
    "kfold/manifest.json": ["kfold", "score", "plot kfold"],
    "kfold/0/result.json": ["score", "kfold"],
    "images/dataset.json": ["dataset"],
    "spikes/extraction.json": ["extract"],
    "encoded/encoding.json": ["encode"],
}


def refused(capsys, name, file):
    """Return the one line with which a command refuses a record, which names the file or its folder."""
    capsys.readouterr()
    assert main(COMMANDS[name]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert re.match(rf"error: ({file}: (line \d+(, column \d+)?: )?|{file.partition('/')[0]}: )must ", line), line
    assert len(line) < 400
    return line


@pytest.mark.parametrize(("file", "command"), [(file, name) for file, names in RECORDS.items() for name in names])
def test_a_command_refuses_what_is_no_record_in_one_line_and_leaves_all_as_it_is(here, capsys, file, command):
    end = "\n" if file.endswith("l") else ""  # a line that has no end is being written
    for damage in ("brackets", "half", "a surrogate"):
        (here / file).write_text(WHOLE[damage] + end)
        before = contents(here)
        refused(capsys, command, file)
        assert contents(here) == before


@pytest.mark.parametrize("damage", WHOLE)
def test_what_is_no_record_is_refused_in_one_line(tmp_path, damage):
    path = tmp_path / "record.json"
    for kind in KINDS:
        path.write_text(WHOLE[damage])
        with pytest.raises(RunError, match=rf"^{path}: ") as caught:
            read_record(path, kind.shape, "must be a record")
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < len(str(path)) + 200


SHARES = ("train_accuracy", "val_accuracy", "test_accuracy")
FITTING = {
    **{name: {"null", "a half"} for name in SHARES},
    "stopped": set(),
    "seed": set(),
    **{name: set() for name in ("n_epochs", "n_train", "n_val", "n_test")},
}


def spoilt(record, member, damage):
    """Return a record with a member replaced, in JSON."""
    value = MEMBERS[damage]
    changed = {key: value if key == member else found for key, found in record.items()}
    if value == "MISSING":
        del changed[member]
    return json.dumps(changed)


@pytest.mark.parametrize("member", FITTING)
def test_a_result_of_figures_that_cannot_be_is_refused_in_one_line(home, tmp_path, member):
    whole, path = json.loads((home / "run" / "result.json").read_text()), tmp_path / "result.json"
    for damage in MEMBERS:
        path.write_text(spoilt(whole, member, damage))
        if damage in FITTING[member]:
            assert read_result(tmp_path) is not None
            continue
        with pytest.raises(RunError) as caught:
            read_result(tmp_path)
        rule = "must be the result of a run (--overwrite replaces it)"
        assert str(caught.value).startswith(f"{path}: {rule}, got {{"), damage
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("member", ["epoch", *SHARES])
def test_metrics_of_figures_that_cannot_be_are_refused_in_one_line(home, tmp_path, member):
    first, second, third = (home / "run" / "metrics.jsonl").read_text().splitlines()
    path = tmp_path / "metrics.jsonl"
    for damage in MEMBERS:
        path.write_text("\n".join([first, spoilt(json.loads(second), member, damage), third]) + "\n")
        if damage in FITTING.get(member, ()):
            assert len(list(read_epochs(tmp_path))) == 3
            continue
        with pytest.raises(RunError) as caught:
            list(read_epochs(tmp_path))
        assert str(caught.value).startswith(f"{path}: line 2: must be the record of an epoch, got "), damage
        assert "\n" not in str(caught.value)


def test_no_command_takes_a_share_that_is_none(here, capsys):
    path = here / "kfold" / "0" / "result.json"
    path.write_text(spoilt(json.loads(path.read_text()), "test_accuracy", "NaN"))
    refused(capsys, "score", "kfold/0/result.json")
    path = here / "run" / "metrics.jsonl"
    path.write_text(spoilt(json.loads(path.read_text().splitlines()[0]), "test_accuracy", "lists") + "\n")
    refused(capsys, "plot", "run/metrics.jsonl")


@pytest.mark.parametrize("member", ["command", "options", "config", "data", "runs", "versions"])
def test_a_manifest_of_other_members_is_refused_in_one_line(home, tmp_path, member):
    whole = json.loads((home / "kfold" / "manifest.json").read_text())
    for damage in MEMBERS:
        (tmp_path / "manifest.json").write_text(spoilt(whole, member, damage))
        if damage not in {"command": ("text", "a surrogate"), "data": (), "runs": ()}.get(member, ("an object",)):
            assert BATCH.record_in(tmp_path) is None, damage
            with pytest.raises(
                RunError, match=rf"^{tmp_path / 'manifest.json'}: must be the output folder of kfold, got "
            ):
                run_states(tmp_path, "kfold")


@pytest.mark.parametrize("member", ["folder", "input", "seed", "varied"])
def test_a_manifest_of_runs_of_other_members_is_refused_in_one_line(home, tmp_path, member):
    whole = json.loads((home / "kfold" / "manifest.json").read_text())
    for damage in MEMBERS:
        if damage in {"varied": ("an object",), "seed": ()}.get(member, ("text", "a surrogate")):
            continue
        runs = [whole["runs"][0], json.loads(spoilt(whole["runs"][1], member, damage))]
        (tmp_path / "manifest.json").write_text(json.dumps(whole | {"runs": runs}))
        with pytest.raises(RunError, match="must be the output folder of kfold, got "):
            run_states(tmp_path, "kfold")


def test_a_record_that_is_whole_and_nested_without_end_is_refused(home, tmp_path):
    path = tmp_path / "result.json"
    path.write_text(json.dumps(json.loads((home / "run" / "result.json").read_text()) | {"more": "DEEP"}))
    assert read_result(tmp_path) is not None
    path.write_text(path.read_text().replace('"DEEP"', f"{'[' * 60}{']' * 60}"))
    with pytest.raises(RunError, match=r"must be the result of a run .*, got too many nested brackets$"):
        read_result(tmp_path)


def test_names_that_no_text_can_hold_are_refused_in_one_line(here, capsys):
    path = here / "run" / "config.json"
    record = json.loads(path.read_text())
    record["config"]["\ud800"] = "\ud800"
    path.write_text(json.dumps(record))
    assert "\\ud800" in refused(capsys, "run", "run/config.json")


def test_a_record_of_another_format_is_none_of_this_one(here, capsys):
    for file, command in (
        ("kfold/manifest.json", "score"),
        ("run/config.json", "run"),
        ("kfold/0/result.json", "score"),
    ):
        path = here / file
        before = path.read_text()
        path.write_text(json.dumps(json.loads(before) | {"format": 2}))
        refused(capsys, command, file)
        path.write_text(before)


@pytest.mark.parametrize("damage", ["brackets", "a surrogate"])
def test_metrics_that_are_damaged_do_not_hinder_a_run_that_goes_on(here, damage):
    for name in ("result.json", "model.npz", "stats.npz"):
        (here / "run" / name).unlink()
    (here / "run" / "metrics.jsonl").write_text(f"{WHOLE[damage]}\n")
    assert main(COMMANDS["run"]) == 0
    assert len(list(read_epochs(here / "run"))) == 3


# Statistics


def without_votes(path):
    with np.load(path) as file:
        arrays = dict(file)
    del arrays["votes"]
    np.savez(path, **arrays)


def of_lists(path):
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **arrays | {"votes": np.array([[1], [2]]), "labels": np.array(["a"]), "target_updates": np.array(3)})


def with_damaged_compression(method):
    def change(path):
        with np.load(path) as file:
            arrays = dict(file)
        np.savez_compressed(path, **arrays)
        content = bytearray(path.read_bytes())
        with zipfile.ZipFile(path) as archive:
            starts = [info.header_offset for info in archive.infolist()]
        for start in starts:
            content[start + 8] = method
        place = -1
        while (place := content.find(b"PK\1\2", place + 1)) >= 0:
            content[place + 10] = method
        path.write_bytes(content)

    change.__name__ = f"with compression {method}"
    return change


def cut_off(path):
    path.write_bytes(path.read_bytes()[:-2000])


def flipped(path):
    content = bytearray(path.read_bytes())
    for place in range(200, len(content) - 200, 97):
        content[place] ^= 255
    path.write_bytes(content)


DAMAGES = [without_votes, of_lists, cut_off, flipped, *map(with_damaged_compression, (8, 12, 14, 99))]


@pytest.mark.parametrize("change", DAMAGES, ids=lambda change: change.__name__)
def test_damaged_statistics_of_an_epoch_end_a_run_in_one_line(here, capsys, monkeypatch, change):
    append = RunFolder.append

    def changed(folder, report, remark):
        append(folder, report, remark)
        if report.epoch == 2:
            change(folder.file("stats-000001.npz"))

    monkeypatch.setattr(RunFolder, "append", changed)
    capsys.readouterr()
    assert main(["run", "in", "new", "config.json", "--save_stats"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: new/stats-000001.npz: must hold the statistics of epoch 1, got ")
    assert not (here / "new" / "result.json").exists()


@pytest.mark.parametrize("change", DAMAGES[1:], ids=lambda change: change.__name__)
def test_damaged_statistics_of_a_run_are_not_drawn_and_end_in_one_line(here, capsys, change):
    change(here / "run" / "stats.npz")
    assert "run/stats.npz: must " in refused(capsys, "plot", "run/stats.npz")


# One table of kinds


def test_every_kind_names_its_record_last_and_shares_none(home):
    for kind in KINDS:
        assert kind.files[-1] == kind.record
        assert all(kind.record not in other.files for other in KINDS if other is not kind)
        assert set(kind.passing) <= set(kind.files)


def test_records_of_each_kind_are_known_for_what_they_are(home):
    for kind, folder in zip(KINDS, PLACES, strict=True):
        for other, place in zip(KINDS, PLACES, strict=True):
            assert (kind.record_in(home / place) is not None) == (kind is other), (folder, place)


@pytest.mark.full
def test_a_file_that_only_has_the_name_of_a_record_makes_no_run_of_a_folder(here, capsys):
    """So the settings beside which an extraction is written are no run whose network would be lost."""
    (here / "new").mkdir()
    shutil.copy(here / "extractor.json", here / "new" / RUN.record)
    assert main(["extract", "stdp-csnn", "images/gs", "new", f"new/{RUN.record}", "--overwrite"]) == 0
    assert extraction.spikes_of(extraction.Extraction("stdp-csnn", here, here / "new")).keys() == {"train", "val"}


@pytest.mark.parametrize(("make", "finding"), [(os.mkdir, "a folder"), (os.mkfifo, "something else")])
def test_what_is_no_file_is_refused_at_once(tmp_path, make, finding):
    make(tmp_path / "result.json")
    make(tmp_path / "metrics.jsonl")
    with pytest.raises(RunError, match=rf"result.json: must be the result of a run .*, got {finding}$"):
        read_result(tmp_path)
    with pytest.raises(RunError, match=rf"metrics.jsonl: must be the record of an epoch, got {finding}$"):
        list(read_epochs(tmp_path))
