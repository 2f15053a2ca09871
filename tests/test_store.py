"""A run's folder is taken by one process, gone on with by the same run, and refused to every other."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from small_runs import contents
from small_runs import moments
from tables import some

from spikenn_cy.config import ExperimentConfig
from spikenn_cy.errors import RunError
from spikenn_cy.experiments.store import describe
from spikenn_cy.experiments.store import open_run
from spikenn_cy.storage import output
from spikenn_cy.storage.folder import fingerprint
from spikenn_cy.version import __version__

pytestmark = pytest.mark.quick

CONFIG = ExperimentConfig.from_any(
    {
        "network": [{"n_neurons": 50, "firing_threshold": 10}],
        "optimizer": {"method": "s2stdp", "ap": 0.1, "am": -0.05, "t_gap": 0.01},
    }
)
RESULT = {
    **{f"{name}_accuracy": 0.9 for name in ("train", "val", "test")},
    **{f"n_{name}": 10 for name in ("train", "val", "test")},
    "n_epochs": 3,
    "seed": 0,
    "stopped": "epochs",
}


@dataclass
class Report:
    epoch: int
    train_accuracy: float = 0.123456
    val_accuracy: float | None = None
    test_accuracy: float | None = 0.9
    stopped: str | None = None


def described(seed=0, data="a", **settings):
    config = ExperimentConfig.from_any(CONFIG.to_dict() | settings)
    return describe(config, seed, {"train": {"file": "trainset.npz", "bytes": 1, "sha256": data}})


def run(folder, n_epochs=3, description=None, die_in=None, **options):
    """Stand in for training: a checkpoint after every epoch, which is gone on from."""
    with open_run(folder, description or described(), **options) as held:
        if held.result is not None:
            return held.result
        first = int(held.checkpoint.read_text()) if held.checkpoint.exists() else 0
        for epoch in range(first, n_epochs):
            held.append(Report(epoch))
            if epoch == die_in:
                raise KeyboardInterrupt
            held.checkpoint.write_text(str(epoch + 1))
        held.model.write_text("weights")
        held.finish([Report(epoch) for epoch in range(n_epochs)], RESULT, {})
        return held.result


def test_a_complete_run_leaves_its_records_and_nothing_else(tmp_path):
    folder = tmp_path / "deep" / "out"
    assert run(folder) == {"format": 1, **RESULT}
    assert sorted(contents(folder)) == ["config.json", "metrics.jsonl", "model.npz", "readout_log.txt", "result.json"]
    assert json.loads((folder / "config.json").read_text()) == described()
    assert [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()] == [
        {"epoch": epoch, "train_accuracy": 0.123456, "val_accuracy": None, "test_accuracy": 0.9} for epoch in range(3)
    ]
    assert (folder / "readout_log.txt").read_text() == "".join(
        f"Accuracy on train set after epoch {epoch}: 0.1235\nAccuracy on test set after epoch {epoch}: 0.9\n"
        for epoch in range(3)
    )


def test_the_reason_of_an_early_end_is_in_the_log(tmp_path):
    with open_run(tmp_path, described()) as held:
        held.finish([Report(0), Report(1, stopped="early_stopping")], RESULT, {})
    log = (tmp_path / "readout_log.txt").read_text().splitlines()
    assert log[-1] == "Early stopping after epoch 1: validation accuracy has not risen"


def test_a_complete_run_is_looked_up_and_left_alone(tmp_path):
    run(tmp_path)
    before = contents(tmp_path)
    with open_run(tmp_path, described()) as held:
        assert held.result == {"format": 1, **RESULT}
    assert contents(tmp_path) == before


@pytest.mark.parametrize("die_in", [1, 2])
@pytest.mark.parametrize("torn", [0, 1, 5])
def test_an_interrupted_run_ends_like_one_that_was_not(tmp_path, die_in, torn):
    run(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "out", die_in=die_in)
    metrics = tmp_path / "out" / "metrics.jsonl"
    assert len(metrics.read_text().splitlines()) == die_in + 1  # further than the checkpoint
    os.truncate(metrics, metrics.stat().st_size - torn)
    run(tmp_path / "out")
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_what_watchers_see_of_a_resumed_run_has_no_epoch_twice(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, die_in=2)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, die_in=2)
    epochs = [json.loads(line)["epoch"] for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert epochs == [0, 1, 2]
    assert len((tmp_path / "readout_log.txt").read_text().splitlines()) == 6


def test_half_of_a_file_that_a_killed_process_left_is_removed(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, die_in=1)
    (tmp_path / ".checkpoint.npz.0123abcd.tmp").write_text("half")
    (tmp_path / ".thesis.tmp").write_text("mine")
    run(tmp_path)
    left = {"config.json", "metrics.jsonl", "model.npz", "readout_log.txt", "result.json"}
    assert contents(tmp_path).keys() == left | {".thesis.tmp"}


@pytest.mark.parametrize("existing", [False, True])
def test_a_run_that_fails_before_its_first_epoch_leaves_nothing(tmp_path, existing):
    folder = tmp_path / "deep" / "out"
    if existing:
        folder.mkdir(parents=True)
    with pytest.raises(ValueError, match="nonsense"), open_run(folder, described()):
        raise ValueError("nonsense")
    assert (contents(folder) == {}) if existing else (contents(tmp_path) == {})


DIFFERENT = {
    "seed": (described(seed=1), "got one with seed 0 instead of 1"),
    "data": (described(data="b"), "got one with other train data"),
    "setting": (
        described(optimizer=CONFIG.optimizer.to_dict() | {"ap": 0.25}),
        "got one with optimizer.ap 0.1 instead of 0.25",
    ),
    "rule": (
        described(optimizer={"method": "s4nn", "lr": 0.1, "t_gap": 0.01}),
        'got one with optimizer.method "s2stdp" instead of "s4nn", optimizer.lr none instead of 0.1, '
        "optimizer.use_time_ranges false instead of true and 9 more differences",
    ),
    "validation set": (
        described() | {"data": described()["data"] | {"val": {"sha256": "c"}}},
        "got one with other val data",
    ),
    "version": (
        described() | {"versions": {"spikenn_cy": "0.0.0"}},
        'got one with versions.spikenn_cy "{version}" instead of "0.0.0"',
    ),
}


@pytest.mark.parametrize("complete", [False, True])
@pytest.mark.parametrize("case", DIFFERENT)
def test_another_run_is_refused_with_what_differs_and_left_alone(tmp_path, case, complete):
    description, difference = DIFFERENT[case]
    if complete:
        run(tmp_path)
    else:
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path, die_in=1)
    before = contents(tmp_path)
    if case == "version" and complete:  # its result is what it is
        assert run(tmp_path, description=description) == {"format": 1, **RESULT}
        return
    with pytest.raises(RunError) as refusal:
        run(tmp_path, description=description)
    rule = "must be a new folder or hold this very run (--overwrite replaces a run)"
    assert str(refusal.value) == f"{tmp_path}: {rule}, {difference.format(version=__version__)}"
    assert contents(tmp_path) == before


def test_python_and_numpy_may_be_newer_when_a_run_is_gone_on_with(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, die_in=1)
    versions = described()["versions"] | {"python": "9", "numpy": "9"}
    assert run(tmp_path, description=described() | {"versions": versions})["n_epochs"] == 3


def test_a_setting_that_came_up_later_has_its_default(tmp_path):
    run(tmp_path)
    record = json.loads((tmp_path / "config.json").read_text())
    del record["config"]["trainer"]["shuffle"]
    (tmp_path / "config.json").write_text(json.dumps(record))
    assert run(tmp_path) == {"format": 1, **RESULT}


@pytest.mark.parametrize("complete", [False, True])
def test_overwriting_begins_anew_and_spares_other_files(tmp_path, complete):
    if complete:
        run(tmp_path, description=described(seed=1))
    else:
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path, description=described(seed=1), die_in=1)
    (tmp_path / "notes.txt").write_text("mine")
    run(tmp_path, overwrite=True)
    run(tmp_path / "fresh")
    fresh = contents(tmp_path / "fresh")
    (tmp_path / "fresh" / "config.json").unlink()
    assert json.loads((tmp_path / "config.json").read_text()) == described()
    assert {name: (tmp_path / name).read_bytes() for name in fresh} == fresh
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.fixture(params=[False, True], ids=["unfinished", "complete"])
def old_run(request, tmp_path):
    """Leave a run of another seed and a file of the user's in a folder; return the folder."""
    folder = tmp_path / "out"
    if request.param:
        run(folder, description=described(seed=1))
    else:
        with pytest.raises(KeyboardInterrupt):
            run(folder, description=described(seed=1), die_in=1)
    (folder / "stats-000000.npz").write_text("old")
    (folder / "notes.txt").write_text("mine")
    return folder


@pytest.mark.parametrize("die_in", [0, 1])
def test_what_is_overwritten_stays_until_there_is_a_checkpoint(old_run, tmp_path, die_in):
    before = contents(old_run)
    with pytest.raises(KeyboardInterrupt):
        run(old_run, overwrite=True, die_in=die_in)
    if die_in == 0:
        assert contents(old_run) == before
        return
    assert run(old_run)["n_epochs"] == 3
    run(tmp_path / "fresh")
    assert contents(old_run) == contents(tmp_path / "fresh") | {"notes.txt": b"mine"}


def test_a_run_that_replaced_another_stays_though_the_folder_it_came_from_cannot_be_removed(old_run, monkeypatch):
    moving, rmdir = old_run / output.MOVING, Path.rmdir

    def refused(folder):
        if folder == moving:
            raise OSError("Directory not empty")
        rmdir(folder)

    monkeypatch.setattr(Path, "rmdir", refused)
    assert run(old_run, overwrite=True)["n_epochs"] == 3
    assert moving.exists()
    assert run(old_run)["n_epochs"] == 3


@pytest.mark.parametrize("name", [output.NEW, output.MOVING])
@pytest.mark.parametrize("kind", ["link", "file", "folder"])
def test_what_only_has_the_name_of_a_folder_for_new_runs_is_left_alone(tmp_path, name, kind):
    folder, other = tmp_path / "out", tmp_path / "other"
    run(folder)
    other.mkdir()
    (other / "thesis.tex").write_text("mine")
    if kind == "link":
        (folder / name).symlink_to(other)
    elif kind == "file":
        (folder / name).write_text("mine")
    else:
        (folder / name).mkdir()
        (folder / name / "thesis.tex").write_text("mine")
    before = contents(folder)
    assert run(folder)["n_epochs"] == 3
    assert contents(folder) == before
    with pytest.raises(RunError, match="must be gone before a run is replaced, got one that holds something"):
        run(folder, overwrite=True)
    assert contents(folder) == before
    assert (other / "thesis.tex").read_text() == "mine"


@pytest.mark.parametrize("name", [output.NEW, output.MOVING])
def test_a_folder_of_something_else_is_left_alone_whatever_lies_beside_it(tmp_path, name):
    folder = tmp_path / "out"
    (folder / name).mkdir(parents=True)
    (folder / name / "config.json").write_text("{}")
    (folder / name / "result.json").write_text("{}")
    (folder / "model.npz").write_text("precious")
    before = contents(folder)
    with pytest.raises(RunError, match="must be a new folder or hold this very run"):
        run(folder)
    assert contents(folder) == before


@pytest.mark.parametrize("die_in", some([None, 0, 1], 1))
def test_a_process_may_be_killed_at_any_moment_while_it_overwrites(old_run, tmp_path, monkeypatch, die_in):
    before = contents(old_run)
    with monkeypatch.context() as patch:
        copies = moments(old_run, tmp_path, patch)
        if die_in is None:
            run(old_run, overwrite=True)
        else:
            with pytest.raises(KeyboardInterrupt):
                run(old_run, overwrite=True, die_in=die_in)
    run(tmp_path / "fresh")
    fresh = contents(tmp_path / "fresh") | {"notes.txt": b"mine"}
    n_old = 0
    for folder in copies:
        (folder / ".lock").unlink(missing_ok=True)
        try:
            run(folder)
        except RunError as refused:
            n_old += "got one with seed 1 instead of 0" in str(refused)
            assert contents(folder) == before
        else:
            assert contents(folder) == fresh
    assert n_old > 5
    assert (n_old == len(copies)) == (die_in == 0)


def test_an_old_run_is_what_others_see_until_the_new_one_has_a_checkpoint(old_run):
    seen = []
    with open_run(old_run, described(), overwrite=True) as held:
        for epoch in range(3):
            held.append(Report(epoch))
            seen.append(json.loads((old_run / "config.json").read_text())["seed"])
            held.checkpoint.write_text(str(epoch + 1))
        held.finish([Report(epoch) for epoch in range(3)], RESULT, {})
    assert seen == [1, 0, 0]


def test_a_place_follows_the_run_when_it_replaces_another(old_run):
    with open_run(old_run, described(), overwrite=True) as held:
        checkpoint = held.place("checkpoint.npz")
        assert os.path.dirname(checkpoint) == str(old_run / output.NEW)
        held.append(Report(0))
        Path(checkpoint).write_text("1")
        held.append(Report(1))
        assert os.fspath(checkpoint) == str(old_run / "checkpoint.npz")
        assert Path(checkpoint).read_text() == "1"


def test_the_result_is_written_when_all_else_is(tmp_path, monkeypatch):
    replace, whole = os.replace, []

    def watched(source, target):
        if Path(target).name == "result.json":
            whole.append(contents(tmp_path))
        replace(source, target)

    with open_run(tmp_path, described()) as held, monkeypatch.context() as patch:
        patch.setattr(os, "replace", watched)
        held.model.write_text("weights")
        held.finish([Report(epoch) for epoch in range(3)], RESULT, {})
    (before,) = whole
    complete = contents(tmp_path)
    for name in ("config.json", "metrics.jsonl", "readout_log.txt", "model.npz"):
        assert before[name] == complete[name]


def test_what_only_an_unfinished_run_has_is_removed_from_a_complete_one(tmp_path):
    run(tmp_path)
    before = contents(tmp_path)
    for name in ("checkpoint.npz", "stats-000002.npz", ".stats-000003.npz.0123abcd.tmp"):
        (tmp_path / name).write_text("of a process that was stopped before it was rid of this")
    (tmp_path / "stats-of-mine.npz").write_text("mine")
    run(tmp_path)
    assert contents(tmp_path) == before | {"stats-of-mine.npz": b"mine"}


def test_a_new_folder_is_on_the_disk_and_what_is_told_to_watchers_waits_for_no_disk(tmp_path, monkeypatch):
    synced, fsync = [], os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda handle: (synced.append(os.readlink(f"/proc/self/fd/{handle}")), fsync(handle))
    )
    folder = tmp_path / "deep" / "out"
    with open_run(folder, described()) as held:
        assert {str(tmp_path), str(tmp_path / "deep"), str(folder)} <= set(synced)
        held.append(Report(0))
        synced.clear()
        held.append(Report(1))
        assert synced == []
        assert len((folder / "metrics.jsonl").read_text().splitlines()) == 2


@pytest.mark.parametrize("record", [None, "{", "[]", '{"network": []}', '{"format": 1}'])
def test_a_folder_of_something_else_is_refused_and_left_alone(tmp_path, record):
    (tmp_path / "thesis.tex").write_text("mine")
    if record is not None:
        (tmp_path / "config.json").write_text(record)
    before = contents(tmp_path)
    with pytest.raises(RunError, match=r"must be a new folder or .*, got a folder with .*thesis\.tex$"):
        run(tmp_path)
    assert contents(tmp_path) == before
    run(tmp_path, overwrite=True)
    assert (tmp_path / "thesis.tex").read_text() == "mine"


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "out").write_text("mine")
    for path in (tmp_path / "out", tmp_path / "out" / "deeper"):
        with pytest.raises(RunError, match=rf"^{path}: must be a folder"):
            run(path)
    assert (tmp_path / "out").read_text() == "mine"


def test_a_folder_in_use_is_refused_naming_its_user(tmp_path):
    with open_run(tmp_path, described()):
        with pytest.raises(RunError, match=rf"^{tmp_path}: must not be in use, got one by process {os.getpid()} on "):
            run(tmp_path)
        assert (tmp_path / "config.json").exists()


HOLD = """
import sys, time
from pathlib import Path
from spikenn_cy.storage.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.mark.processes
def test_the_folder_of_a_killed_process_is_free(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout.readline() == "held\n"
            with pytest.raises(RunError, match=rf"got one by process {holder.pid} on "):
                run(tmp_path)
        finally:
            holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert (tmp_path / ".lock").exists()
    run(tmp_path)
    assert not (tmp_path / ".lock").exists()


def test_a_fingerprint_tells_one_changed_byte(tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    content = bytearray(3 * 2**20 + 5)
    a.write_bytes(content)
    content[2**20 + 17] = 1
    b.write_bytes(content)
    assert fingerprint(a)["sha256"] != fingerprint(b)["sha256"]
    assert fingerprint(a)["bytes"] == 3 * 2**20 + 5
    assert fingerprint(a) == fingerprint(str(a))
    assert fingerprint(a)["file"] == "a"


def test_the_sum_is_that_of_other_programs(tmp_path):
    path = Path(tmp_path / "abc")
    path.write_bytes(b"abc")
    assert fingerprint(path)["sha256"].startswith("ba7816bf8f01cfea414140de5dae2223b00361a396177a9c")
