"""Many runs in one folder: done by any number of processes with the same bits, and gone on with, not mixed up."""

import dataclasses
import json
import os
import re
import resource

import numpy as np
import pytest
from processes import Family
from small_runs import ROOT
from small_runs import command
from small_runs import contents
from small_runs import dense
from small_runs import make_read_only
from small_runs import settings
from small_runs import write_data
from small_runs import write_settings

from spikenn_cy.cli.entry import main
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.errors import DataError
from spikenn_cy.errors import DataWarning
from spikenn_cy.errors import RunError
from spikenn_cy.experiments import RUNNERS
from spikenn_cy.experiments import batch
from spikenn_cy.experiments import data
from spikenn_cy.experiments import folds as kfolds
from spikenn_cy.experiments import grids
from spikenn_cy.experiments import single
from spikenn_cy.experiments.batch import run_batch
from spikenn_cy.experiments.single import DataFile
from spikenn_cy.experiments.single import RunJob
from spikenn_cy.experiments.single import run_single
from spikenn_cy.experiments.tables import folded_table

pytestmark = pytest.mark.processes

GRID = {"network": {"firing_threshold": [1.5, 2]}, "optimizer": {"ap": [0.1, 0.05]}, "trainer": {"epochs": 3}}
LONG = {"network": {"firing_threshold": [1.5, 2]}, "trainer": {"epochs": 3000}}
FILES = {"config.json", "metrics.jsonl", "model.npz", "readout_log.txt", "result.json"}


@pytest.fixture
def words(tmp_path):
    """Return the words of a grid search of four runs."""
    write_data(tmp_path / "in")
    return ["gridsearch", tmp_path / "in", tmp_path / "out", write_settings(tmp_path / "grid.json", **GRID)]


def folds(folder, n_folds):
    """Write data of several folds, which differ."""
    for fold in range(n_folds):
        write_data(folder / str(fold))
        SpikingDataset.from_numpy(*dense(90, seed=10 + fold)).save(folder / str(fold) / "trainset.npz")
    return folder


def arguments(name, tmp_path):
    """Return the words of a small command of each runner."""
    many, config = folds(tmp_path / "folds", 2), write_settings(tmp_path / "c.json", trainer={"epochs": 2})
    grid = write_settings(tmp_path / "grid.json", **GRID)
    return {
        "kfold": ["kfold", many, tmp_path / "out", config, "--K", "2"],
        "gridsearch": ["gridsearch", many / "0", tmp_path / "out", grid],
        "ablation": [
            *("ablation", "thresholds", many, tmp_path / "out", config),
            *("--K", "2", "--thr_lr", "0.1", "1", "--thr_anneal", "0.5"),
        ],
    }[name]


def call(capsys, *words):
    """Return exit status, stdout and stderr of a command in this process."""
    status = main([str(word) for word in words])
    return status, *capsys.readouterr()


@pytest.mark.parametrize("name", RUNNERS)
def test_one_and_two_processes_give_the_same_files_and_the_same_table(capsys, tmp_path, name):
    words = arguments(name, tmp_path)
    position = words.index(tmp_path / "out")
    found = []
    for n_proc in (1, 2):
        words[position] = tmp_path / f"out-{n_proc}"
        status, out, err = call(capsys, *words, "--n-proc", n_proc)
        assert (status, err) == (0, "")
        found.append((out, contents(tmp_path / f"out-{n_proc}")))
    assert found[0] == found[1]
    out, files = found[0]
    assert {path.rpartition("/")[2] for path in files} == FILES | {"manifest.json"}
    assert str(tmp_path) not in out + files["manifest.json"].decode()


@pytest.mark.parametrize("name", RUNNERS)
def test_a_complete_command_is_looked_up_and_changes_nothing(capsys, tmp_path, monkeypatch, name):
    words = [*arguments(name, tmp_path), "--n_proc", "1"]
    first = call(capsys, *words)
    before = contents(tmp_path / "out")
    monkeypatch.setattr(single.Readout, "fit", None)  # nothing is trained
    assert call(capsys, *words) == first
    assert contents(tmp_path / "out") == before


def test_a_run_of_a_batch_is_the_run_of_the_command_run(capsys, tmp_path):
    words = arguments("kfold", tmp_path)
    assert call(capsys, *words, "--n_proc", "1")[0] == 0
    run_single(RunJob(tmp_path / "alone", tmp_path / "folds" / "1", tmp_path / "c.json", seed=1))
    assert contents(tmp_path / "alone") == contents(tmp_path / "out" / "1")


def test_only_what_is_unfinished_is_done_again(capsys, words, tmp_path, monkeypatch):
    call(capsys, *words, "--n_proc", "1")
    whole = contents(tmp_path / "out")
    (first, second, *_) = sorted(path for path in (tmp_path / "out").iterdir() if path.is_dir())
    (first / "result.json").unlink()
    for path in second.iterdir():
        path.unlink()
    second.rmdir()
    trained = []
    fit = single.Readout.fit
    monkeypatch.setattr(single.Readout, "fit", lambda *a, **o: (trained.append(1), fit(*a, **o))[1])
    status, *_ = call(capsys, *words, "--resume", "--n_proc", "1")
    assert (status, len(trained)) == (0, 2)
    assert contents(tmp_path / "out") == whole


def test_resuming_what_is_not_there_starts_it(capsys, words, tmp_path):
    assert call(capsys, *words, "--resume", "--n_proc", "1")[0] == 0
    assert len(list((tmp_path / "out").iterdir())) == 5


@pytest.mark.parametrize("resume", [[], ["--resume"]])
@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ("value", "optimizer.ap[1] 0.05 instead of 0.06"),
        ("more values", "trainer.epochs[0] none instead of 3, trainer.epochs[1] none instead of 4, trainer.epochs 3 "),
        ("order", "its runs in another order"),
        ("data", "other val data"),
        ("command", 'command "gridsearch" instead of "kfold"'),
    ],
)
def test_a_folder_of_another_grid_is_refused(capsys, words, tmp_path, resume, change, difference):
    call(capsys, *words, "--n_proc", "1")
    before = contents(tmp_path / "out")
    if change == "value":
        write_settings(words[3], **GRID | {"optimizer": {"ap": [0.1, 0.06]}})
    elif change == "more values":
        write_settings(words[3], **GRID | {"trainer": {"epochs": [3, 4]}})
    elif change == "order":
        grid = settings(**GRID)
        grid["optimizer"]["am"] = [-0.05, -0.1]
        words[3].write_text(json.dumps(grid))
        words[2] = tmp_path / "other"
        call(capsys, *words, "--n_proc", "1")
        before = contents(tmp_path / "other")
        grid["optimizer"] = dict(reversed(grid["optimizer"].items()))
        words[3].write_text(json.dumps(grid))
    elif change == "data":
        SpikingDataset.from_numpy(*dense(30, seed=9)).save(tmp_path / "in" / "valset.npz")
    else:
        folds(tmp_path / "folds", 1)
        words[:] = ["kfold", tmp_path / "folds", *words[2:3], write_settings(tmp_path / "c.json"), "--K", "1"]
        resume = []
    status, out, err = call(capsys, *words, *resume, "--n_proc", "1")
    assert (status, out) == (2, "")
    assert err.startswith(f"error: {words[2]}: must be a new folder or the output folder of this very command, got ")
    assert difference in err
    assert contents(words[2]) == before


@pytest.mark.parametrize("name", ["thesis.txt", "manifest.json"])
def test_a_folder_with_something_else_is_refused_and_left_alone(capsys, words, tmp_path, name):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_text("{}")
    status, out, err = call(capsys, *words)
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert contents(tmp_path / "out") == {name: b"{}"}


def test_a_second_command_on_the_same_folder_is_refused_naming_the_first(capsys, words, tmp_path):
    write_settings(words[3], **LONG)
    with Family(*words, "--n_proc", "2") as first:
        first.wait_until(lambda: list((tmp_path / "out").rglob("checkpoint.npz")))
        status, out, err = call(capsys, *words, "--resume")
        assert first.parent.poll() is None
    assert (status, out) == (2, "")
    assert err.startswith(f"error: {tmp_path / 'out'}: must not be in use, got one by process {first.parent.pid} on ")
    assert first.gone_soon()


# Failures


@pytest.mark.parametrize("n_proc", [1, 2])
def test_a_run_that_fails_is_reported_and_the_others_go_on(capsys, tmp_path, n_proc):
    words = arguments("kfold", tmp_path)
    folds(tmp_path / "folds", 3)
    damaged = tmp_path / "folds" / "1" / "trainset.npz"
    damaged.write_bytes(damaged.read_bytes()[:1000])
    words[-1] = "3"
    status, out, err = call(capsys, *words, "--n_proc", n_proc)
    assert status == 1
    assert err.startswith(f"failed: {tmp_path / 'out' / '1'}: {damaged}: must be a sound .npz file, got ")
    assert len(err.splitlines()) == 1
    assert "missing: 1 (missing)" in out
    assert "2 of 3" in out
    assert sorted(path.parent.name for path in (tmp_path / "out").rglob("result.json")) == ["0", "2"]

    folds(tmp_path / "folds", 3)  # mended, it is another command: the data are not the same
    assert call(capsys, *words)[0] == 2


def test_a_point_of_a_grid_that_does_not_suit_the_data_fails_alone(capsys, words, tmp_path):
    write_settings(words[3], network={"n_neurons": [6, 7]}, trainer={"epochs": 2})
    status, out, err = call(capsys, *words)
    assert status == 1
    assert re.match(
        r"failed: .*/out/1-n_neurons=7-\w{8}: .*/grid\.json: network\[0\].n_neurons: must be a multiple of the 3 "
        r"classes, got 7\n",
        err,
    )
    assert "1 of 2 runs complete" in out


@pytest.mark.parametrize("mistake", ["classes", "data", "no data", "config", "missing fold", "K", "n_proc"])
def test_a_mistake_that_spoils_every_run_is_one_line_and_writes_nothing(capsys, tmp_path, mistake):
    words = arguments("kfold", tmp_path)
    if mistake == "classes":
        write_settings(words[3], network={"n_neurons": 7})
    elif mistake == "data":
        for fold in "01":
            (tmp_path / "folds" / fold / "trainset.npz").write_bytes(b"")
    elif mistake == "no data":
        words[1] = tmp_path / "nowhere"
    elif mistake == "config":
        write_settings(words[3], optimizer={"ap": [0.1, 0.2]})
    elif mistake == "missing fold":
        words[-1] = "3"
    else:
        words += [f"--{mistake}", "0"]
    status, out, err = call(capsys, *words)
    assert (status, out, len(err.splitlines())) == (2, "", 1), err
    assert not (tmp_path / "out").exists()


def test_data_that_change_meanwhile_fail_the_run(tmp_path):
    path = write_data(tmp_path / "in") / "trainset.npz"
    job = RunJob(tmp_path / "out", tmp_path / "in", write_settings(tmp_path / "c.json"))
    job = dataclasses.replace(job, data={"train": DataFile.of(path)})
    SpikingDataset.from_numpy(*dense(90, seed=5)).save(path)
    with pytest.raises(DataError, match=r"trainset.npz: must stay as it is while a command uses it"):
        run_single(job)
    assert not (tmp_path / "out").exists()


def test_data_of_the_same_size_that_change_meanwhile_are_noticed_too(tmp_path):
    path = write_data(tmp_path / "in") / "trainset.npz"
    file = DataFile.of(path).known().elsewhere()  # where nobody knows more of it than size and time
    content, found = bytearray(path.read_bytes()), path.stat()
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns + 1))
    assert path.stat().st_size == found.st_size
    with pytest.raises(
        DataError, match=r"trainset.npz: must stay as it is while a command uses it, got a changed file"
    ):
        file.check()


def test_a_file_that_changes_while_it_is_read_is_not_known(tmp_path, monkeypatch):
    path = write_data(tmp_path / "in") / "trainset.npz"
    file = DataFile.of(path)
    whole = data.fingerprint(path)

    def changing(path):
        os.utime(path, ns=(0, 0))
        return whole

    monkeypatch.setattr(data, "fingerprint", changing)
    with pytest.raises(DataError, match="got a changed file"):
        file.known()


def test_no_spike_is_looked_at_before_the_runs_begin(tmp_path, monkeypatch, capsys):
    """Those that do the runs look at all of them, and read what others had read for its fingerprint."""
    words = arguments("kfold", tmp_path)
    monkeypatch.setattr(SpikingDataset, "from_file", None)  # of this process, not of workers
    assert call(capsys, *words, "--n_proc", "2")[0] == 0
    monkeypatch.undo()
    write_settings(tmp_path / "seven.json", network={"n_neurons": 7})
    monkeypatch.setattr(SpikingDataset, "from_file", None)
    status, out, err = call(capsys, *words[:2], tmp_path / "other", tmp_path / "seven.json", *words[4:])
    assert (status, out) == (2, "")
    seven = tmp_path / "seven.json"
    assert err == f"error: {seven}: network[0].n_neurons: must be a multiple of the 3 classes, got 7\n"
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("n_proc", [1, 2])
def test_spikes_that_are_damaged_in_every_fold_are_told_once_and_leave_no_folder(tmp_path, capsys, n_proc):
    words = arguments("kfold", tmp_path)
    for fold in "01":
        path = tmp_path / "folds" / fold / "trainset.npz"
        with np.load(path) as file:
            arrays = dict(file)
        arrays["timestamps"][0] = np.nan
        np.savez(path, **arrays)
    status, out, err = call(capsys, *words, "--n_proc", n_proc)
    assert (status, out) == (2, "")
    assert re.fullmatch(r"error: .*/folds/[01]/trainset.npz: sample 0, spike 0: time must be in .*, got nan\n", err)
    assert not (tmp_path / "out").exists()


def test_what_stands_against_a_run_is_told_before_the_others_are_done(tmp_path, capsys, monkeypatch):
    words, done = arguments("kfold", tmp_path), []
    damaged = tmp_path / "folds" / "1" / "trainset.npz"
    damaged.write_bytes(damaged.read_bytes()[:1000])
    monkeypatch.setattr(batch, "run_single", lambda job: (done.append(job.output.name), run_single(job))[1])
    status, _, err = call(capsys, *words, "--n_proc", "1")
    assert (status, done) == (1, ["0"])
    assert err.startswith(f"failed: {tmp_path / 'out' / '1'}: {damaged}: must be a sound .npz file, got ")


def test_paths_are_told_as_they_were_given(tmp_path, monkeypatch, capsys):
    words = [str(word).replace(f"{tmp_path}/", "") for word in arguments("kfold", tmp_path)]
    monkeypatch.chdir(tmp_path)
    truncated = tmp_path / "folds" / "1" / "valset.npz"
    truncated.write_bytes(truncated.read_bytes()[:1000])
    for n_proc in (1, 2):
        words[2] = f"out-{n_proc}"
        status, _, err = call(capsys, *words, "--n_proc", n_proc)
        assert status == 1
        assert err.startswith(f"failed: out-{n_proc}/1: folds/1/valset.npz: must be a sound .npz file, got ")


def test_a_complete_command_is_looked_up_where_nothing_can_be_written(tmp_path, monkeypatch, capsys):
    words = [*arguments("kfold", tmp_path), "--n_proc", "1"]
    first = call(capsys, *words)
    make_read_only(monkeypatch, tmp_path / "out")
    assert call(capsys, *words) == first
    (tmp_path / "out" / "1" / "result.json").unlink()
    status, _, err = call(capsys, *words)
    assert (status, err) == (
        2,
        f"error: {tmp_path / 'out'}: must be a folder that can be written to, got Read-only file system\n",
    )


def test_a_setting_that_came_up_after_a_command_has_its_default(tmp_path, capsys):
    words = [*arguments("kfold", tmp_path), "--n_proc", "1"]
    first = call(capsys, *words)
    for path in (tmp_path / "out").rglob("*.json"):
        record = json.loads(path.read_text())
        if "config" in record:
            del record["config"]["trainer"]["dropout_in"]
            record["versions"] = {"spikenn_cy": record["versions"]["spikenn_cy"]}  # as manifests had
            path.write_text(json.dumps(record))
    (tmp_path / "out" / "1" / "result.json").unlink()
    assert call(capsys, *words) == first


def test_a_full_disk_is_an_error_of_the_run_and_leaves_no_truncated_result(capsys, tmp_path):
    write_data(tmp_path / "in")
    grid = write_settings(tmp_path / "grid.json", network={"n_neurons": [6, 3000]}, trainer={"epochs": 2})
    out = tmp_path / "out"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))  # as if that were all there is
    try:
        done = command("gridsearch", tmp_path / "in", out, grid, "--n_proc", "2")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert done.returncode == 1
    assert re.fullmatch(r"failed: .*/1-n_neurons=3000-\w+: .*checkpoint.npz: must be writable, got .*\n", done.stderr)
    assert "1 of 2 runs complete" in done.stdout
    assert not list(out.glob("1-*/result.json"))
    status, *_ = call(capsys, "gridsearch", tmp_path / "in", out, grid, "--resume")
    assert status == 0
    call(capsys, "gridsearch", tmp_path / "in", tmp_path / "whole", grid)
    assert contents(out) == contents(tmp_path / "whole")


def test_a_warning_that_all_runs_have_is_given_once(tmp_path):
    times, labels = dense(90, seed=0)
    times[3] = 1
    (tmp_path / "in").mkdir()
    SpikingDataset.from_numpy(times, labels).save(tmp_path / "in" / "trainset.npz")
    done = command("gridsearch", tmp_path / "in", tmp_path / "out", write_settings(tmp_path / "g.json", **GRID))
    assert done.returncode == 0
    _, line = done.stderr.splitlines()  # the first is about the missing valset
    assert line.endswith("1 of 90 training samples have no spike")


# Runners


def test_folders_have_names_that_people_find(tmp_path):
    batch = grids.jobs(tmp_path, tmp_path, settings(**GRID))
    assert [re.sub(r"-\w{8}$", "", run.folder) for run in batch.runs] == [
        "0-firing_threshold=1.5,ap=0.1",
        "1-firing_threshold=1.5,ap=0.05",
        "2-firing_threshold=2,ap=0.1",
        "3-firing_threshold=2,ap=0.05",
    ]
    other = grids.jobs(tmp_path, tmp_path, settings(**GRID | {"trainer": {"epochs": 4}}))
    assert not {run.folder for run in batch.runs} & {run.folder for run in other.runs}


def test_a_grid_of_many_dimensions_has_folders_of_bearable_length(tmp_path):
    layer = {"firing_threshold": [1, 2], "w_min": [-0.123456789, 0.1], "w_max": [1.5, 2], "leak_tau": [None, 1]}
    grid = settings(network=layer, optimizer={"class_inhib": [True, False], "stdp": ["additive"]})
    folders = [run.folder for run in grids.jobs(tmp_path, tmp_path, grid).runs]
    assert len(set(folders)) == 32
    assert max(map(len, folders)) <= 100
    assert folders[0].startswith("00-firing_threshold=1,w_min=-0.123456789,w_max=1.5,leak_tau=,class_inhib=true-")


def test_two_layers_that_vary_in_the_same_setting_are_told_apart(tmp_path):
    grid = settings()
    grid["network"] = [grid["network"][0] | {"firing_threshold": [1, 2]}] * 2
    folder = grids.jobs(tmp_path, tmp_path, grid).runs[1].folder
    assert folder.startswith("1-network[0].firing_threshold=1,network[1].firing_threshold=2-")


def test_a_fold_is_seeded_by_its_number(capsys, tmp_path):
    assert call(capsys, *arguments("kfold", tmp_path), "--n_proc", "1")[0] == 0
    for fold in (0, 1):
        assert json.loads((tmp_path / "out" / str(fold) / "config.json").read_text())["seed"] == fold


def test_an_ablation_of_neurons_trains_200_epochs(tmp_path):
    batch = RUNNERS["ablation"].jobs("neurons", tmp_path, tmp_path, settings(), neurons=[30, 60], K=2)
    assert [run.folder for run in batch.runs] == ["neurons=30/0", "neurons=30/1", "neurons=60/0", "neurons=60/1"]
    assert [run.config.network[-1].n_neurons for run in batch.runs] == [30, 30, 60, 60]
    assert {run.config.trainer.epochs for run in batch.runs} == {200}
    assert [(run.seed, run.input) for run in batch.runs] == [(0, "0"), (1, "1")] * 2


def test_an_ablation_of_thresholds_tries_the_published_values(tmp_path):
    batch = RUNNERS["ablation"].jobs("thresholds", tmp_path, tmp_path, settings())
    assert len(batch.runs) == 8 * 4 * 10
    tried = {(run.config.regularizer.thr_lr, run.config.regularizer.thr_anneal) for run in batch.runs}
    assert tried == {(a, b) for a in (15, 10, 5, 1, 0.5, 0.1, 0.05, 0.01) for b in (1, 0.9, 0.5, 0.1)}
    assert batch.runs[-1].folder == "thr_lr=0.01,thr_anneal=0.1/9"


def test_thresholds_cannot_be_varied_where_nothing_regulates_them(capsys, tmp_path):
    words = arguments("ablation", tmp_path)
    config = settings()
    del config["regularizer"]
    words[4].write_text(json.dumps(config))
    status, _, err = call(capsys, *words)
    assert (status, err) == (2, f"error: {words[4]}: regularizer: must be there to be varied, got None\n")


# Findings


def forge(folder, **result):
    """Write a result as a run leaves it."""
    folder.mkdir(parents=True)
    accuracies = {"train_accuracy": 0.5, "val_accuracy": None, "test_accuracy": None}
    counts = {"n_epochs": 10, "seed": 0, "n_train": 90, "n_val": 0, "n_test": 30}
    (folder / "result.json").write_text(json.dumps(accuracies | counts | {"stopped": "epochs"} | result))


def test_a_cross_validation_goes_on_to_more_folds_and_more_epochs(capsys, tmp_path):
    many, config = folds(tmp_path / "folds", 3), write_settings(tmp_path / "c.json", trainer={"epochs": 2})
    more = write_settings(tmp_path / "more.json", trainer={"epochs": 4})
    words = ["kfold", many, tmp_path / "out", config, "--n_proc", "1", "--K"]
    assert call(capsys, *words, "1")[0] == 0
    assert call(capsys, *words, "3")[0] == 0
    status, _, err = call(capsys, *words, "2")
    assert (status, "K 3 instead of 2" in err) == (2, True)
    straight = call(capsys, "kfold", many, tmp_path / "straight", config, "--n_proc", "1", "--K", "3")
    assert contents(tmp_path / "out") == contents(tmp_path / "straight")
    words[3] = more
    grown = call(capsys, *words, "3")
    assert grown == call(capsys, "kfold", many, tmp_path / "longer", more, "--n_proc", "1", "--K", "3") != straight
    assert contents(tmp_path / "out") == contents(tmp_path / "longer")


def test_more_folds_are_no_difference_and_what_is_one_is_told_with_its_reason(capsys, tmp_path):
    many = folds(tmp_path / "folds", 2)
    config = write_settings(tmp_path / "c.json", trainer={"epochs": 1, "keep": "best"})
    words = ["kfold", many, tmp_path / "out", config, "--n_proc", "1", "--K"]
    assert call(capsys, *words, "1")[0] == 0
    status, _, err = call(capsys, *words, "2", "--set", "trainer.epochs=3")
    reason = "its network is that of the best epoch, from which training does not go on"
    assert (status, err.endswith(f", got one with trainer.epochs 1 instead of 3, and {reason}\n")) == (2, True)
    status, _, err = call(capsys, *words, "2", "--set", "optimizer.ap=0.25")
    assert (status, "got one with optimizer.ap " in err, ", " in err.partition("got one with ")[2]) == (2, True, False)
    assert call(capsys, *words, "2")[0] == 0


def test_an_ablation_goes_on_to_more_folds(capsys, tmp_path):
    words = [*arguments("ablation", tmp_path), "--n_proc", "1"]
    words[words.index("--K") + 1] = "1"
    assert call(capsys, *words)[0] == 0
    words[words.index("--K") + 1] = "2"
    grown = call(capsys, *words)
    words[words.index(tmp_path / "out")] = tmp_path / "straight"
    assert grown == call(capsys, *words)
    assert contents(tmp_path / "out") == contents(tmp_path / "straight")


def test_the_score_of_an_ablation_is_its_table_again(capsys, tmp_path):
    words = arguments("ablation", tmp_path)
    for form in ([], ["--json"], ["--csv"]):
        _, table, _ = call(capsys, *words, *form, "--n_proc", "1")
        assert call(capsys, "score", tmp_path / "out", *form) == (0, table, "")


def test_one_fold_has_no_deviation(tmp_path):
    forge(tmp_path / "0", test_accuracy=0.9)
    assert kfolds.summarise(tmp_path).lines[2] == "test              90.00"


def test_a_score_is_mean_and_population_deviation_over_complete_folds(tmp_path):
    accuracies = [0.9, 0.8, 0.95, 0.1]
    for fold, accuracy in enumerate(accuracies):
        stopped = "gridsearch_stop_acc" if fold == 3 else "early_stopping"
        forge(tmp_path / str(fold), test_accuracy=accuracy, n_epochs=10 + fold, stopped=stopped)
    (tmp_path / "5").mkdir()
    summary = kfolds.summarise(tmp_path)
    found = summary.record["test_accuracy"]
    np.testing.assert_allclose(found["mean"], np.mean(accuracies[:3]), rtol=1e-15)
    np.testing.assert_allclose(found["std"], np.std(accuracies[:3]), rtol=1e-15)
    assert summary.record["n_epochs"] == {"mean": 11}
    assert summary.record["val_accuracy"] is None
    assert summary.record["missing"] == [
        {"folder": "3", "state": "given up"},
        {"folder": "4", "state": "missing"},
        {"folder": "5", "state": "unfinished"},
    ]
    assert summary.lines == (
        "set       accuracy in %",
        "training   50.00 ± 0.00",
        "test       88.33 ± 6.24",
        "epochs             11.0",
        "folds            3 of 6",
        "missing: 3 (given up)",
        "missing: 4 (missing)",
        "missing: 5 (unfinished)",
    )
    rows = [line.split(",") for line in summary.text("csv").splitlines()]
    assert rows[0] == ["fold", "train_accuracy", "val_accuracy", "test_accuracy", "n_epochs", "stopped"]
    assert rows[1] == ["0", "0.5", "", "0.9", "10", "early_stopping"]
    assert [row[0] for row in rows[1:]] == ["0", "1", "2", "3", "4", "5", "mean", "std"]
    assert json.loads(summary.text("json")) == json.loads(json.dumps(summary.record))


def test_the_best_are_ranked_by_validation_and_shown_with_what_the_grid_varies(capsys, words, tmp_path):
    call(capsys, *words, "--n_proc", "1")
    folders = sorted(path for path in (tmp_path / "out").iterdir() if path.is_dir())
    figures = [(0.9, "epochs"), (0.95, "epochs"), (0.95, "gridsearch_stop_acc"), None]
    for folder, figure in zip(folders, figures, strict=True):
        found = json.loads((folder / "result.json").read_text())
        (folder / "result.json").unlink()
        if figure:
            forged = {"train_accuracy": 0.99, "val_accuracy": figure[0], "test_accuracy": None}
            (folder / "result.json").write_text(json.dumps(found | forged | {"n_epochs": 7, "stopped": figure[1]}))
    record = json.loads(call(capsys, "best", tmp_path / "out", "--json")[1])
    assert record["ranked_by"] == "val_accuracy"
    assert [run["folder"] for run in record["best"]] == [folders[n].name for n in (1, 2, 0)]
    assert record["best"][0]["settings"] == {"network[0].firing_threshold": 1.5, "optimizer.ap": 0.05}
    assert record["unfinished"] == [folders[3].name]
    assert (record["n_runs"], record["n_complete"], record["n_given_up"]) == (4, 3, 1)

    _, out, _ = call(capsys, "best", tmp_path / "out", "--N", "2")
    lines = out.splitlines()
    assert lines[0].split() == ["rank", "run", "training", "validation", "epochs", "firing_threshold", "ap"]
    assert lines[1].split() == ["1", "1", "99.00", "95.00", "7", "1.5", "0.05"]
    assert lines[2].split() == ["2", "2", "99.00", "95.00", "7", "2", "0.1", "given", "up"]
    assert lines[3:] == [
        "3 of 4 runs complete, 1 of them given up; ranked by validation accuracy in % at the end of training",
        f"next: spikenn-cy best {tmp_path / 'out'} --save best.json, which writes the settings of rank 1",
    ]
    assert call(capsys, "best", tmp_path / "out", "--verbose")[1].splitlines()[1].split()[1] == folders[1].name
    (folders[2] / "result.json").unlink()  # the two that are left differ in one setting only
    _, out, _ = call(capsys, "best", tmp_path / "out", "--csv")
    assert out.splitlines()[0].endswith(",stopped,network[0].firing_threshold,optimizer.ap")


def test_without_validation_data_the_training_accuracy_ranks_and_that_is_said(capsys, words, tmp_path):
    (tmp_path / "in" / "valset.npz").unlink()
    _, out, err = call(capsys, *words, "--n_proc", "1")
    assert err.startswith(f"warning: {tmp_path / 'in'}: has no valset, so that runs are ranked by training accuracy")
    assert "ranked by training accuracy in % at the end of training\n" in out
    best = json.loads(call(capsys, "best", tmp_path / "out", "--json")[1])["best"]
    found = [run["train_accuracy"] for run in best]
    assert found == sorted(found, reverse=True)


def test_a_grid_of_one_run_is_said_to_be_one(capsys, tmp_path):
    config = write_settings(tmp_path / "c.json", trainer={"epochs": 1})
    status, _, err = call(capsys, "gridsearch", write_data(tmp_path / "in"), tmp_path / "out", config, "--n_proc", "1")
    assert (status, len(err.splitlines())) == (0, 1)
    assert err.startswith(f"warning: {config}: no setting has several values to try")


def test_the_best_settings_are_kept_for_the_next_command(capsys, words, tmp_path):
    output, file = tmp_path / "out", tmp_path / "winner.json"
    call(capsys, *words, "--n_proc", "1")
    status, out, err = call(capsys, "best", output, "--save", file)
    assert (status, err) == (0, "")
    assert out.splitlines()[-1].startswith(f"next: spikenn-cy kfold IN OUT {file}, ")
    first = json.loads(call(capsys, "best", output, "--json")[1])["best"][0]
    assert json.loads(file.read_text()) == json.loads((output / first["folder"] / "config.json").read_text())["config"]
    many = folds(tmp_path / "folds", 1)
    for number, config in enumerate([file, output / first["folder"], output / first["folder"] / "config.json"]):
        words = ["kfold", many, tmp_path / str(number), config, "--K", "1", "--n_proc", "1"]
        assert call(capsys, *words)[0] == 0
    assert contents(tmp_path / "0") == contents(tmp_path / "1") == contents(tmp_path / "2")


def test_the_best_settings_are_kept_over_nothing_that_a_command_needs(capsys, words, tmp_path):
    output = tmp_path / "out"
    call(capsys, *words, "--n_proc", "1")
    before = contents(output)
    first = json.loads(call(capsys, "best", output, "--json")[1])["best"][0]["folder"]
    for file, finding in [
        (output / "manifest.json", "must be another file than those of many runs"),
        (output / first / "config.json", "must be another file than those of a run"),
        (output, "must be a file, got a folder"),
        ("", "must be a path"),
    ]:
        status, _, err = call(capsys, "best", output, "--save", file)
        assert (status, len(err.splitlines())) == (2, 1)
        assert finding in err
    assert contents(output) == before


def test_a_table_of_many_settings_is_folded_for_terminals():
    header = ["rank", *(f"a_rather_long_setting_{number}" for number in range(9))]
    lines = folded_table([header, ["1", *map(str, range(9))]])
    assert max(map(len, lines)) <= 100
    assert [word for line in lines for word in line.split() if "_" in word] == header[1:]
    assert sum(line.startswith("rank") for line in lines) == 3


@pytest.mark.parametrize("name", ["score", "best"])
def test_findings_about_another_folder_are_refused(capsys, tmp_path, name):
    for folder in (tmp_path / "nowhere", tmp_path):
        status, out, err = call(capsys, name, folder)
        assert (status, out, len(err.splitlines())) == (2, "", 1)
    other = {"score": "gridsearch", "best": "kfold"}[name]
    call(capsys, *arguments(other, tmp_path), "--n_proc", "1")
    status, out, err = call(capsys, name, tmp_path / "out")
    assert (status, out) == (2, "")
    assert err.rstrip().endswith(f"got one of {other}")


def test_nothing_can_be_asked_for_in_two_forms(capsys, tmp_path):
    status, _, err = call(capsys, "best", tmp_path, "--json", "--csv")
    assert status == 2
    assert "not allowed with" in err


def test_a_batch_can_be_done_from_python(tmp_path):
    batch = grids.jobs(write_data(tmp_path / "in"), tmp_path / "out", settings(**GRID))
    assert run_batch(batch) == []
    assert len(grids.summarise(tmp_path / "out").rows) == 4
    with pytest.raises(RunError, match="must be the output folder of kfold, got one of gridsearch"):
        kfolds.summarise(tmp_path / "out")


def test_the_bundled_digits_become_data_for_many_runs(capsys, tmp_path):
    status, out, err = call(capsys, "digits", tmp_path / "digits", "--K", "5")
    assert (status, err) == (0, "")
    assert out.splitlines()[0] == f"{tmp_path / 'digits'}/gs: 1197 + 300 samples"
    assert len(out.splitlines()) == 6
    assert not (tmp_path / "digits" / "gs" / "testset.npz").exists()
    sizes = []
    for fold in range(5):
        folder = tmp_path / "digits" / "kfold" / str(fold)
        train, val, test = (SpikingDataset.from_file(folder / f"{stem}set.npz") for stem in ("train", "val", "test"))
        sizes.append(len(val))
        assert (len(train) + len(val), len(test), train.n_classes) == (1497, 300, 10)
        assert np.ptp(np.bincount(val.labels)) <= 4
    assert sum(sizes) == 1497
    assert max(sizes) - min(sizes) <= 1
    assert call(capsys, "digits", tmp_path / "digits")[0] == 2


def test_warnings_reach_callers_in_python(tmp_path):
    times, labels = dense(90, seed=0)
    times[3] = 1
    (tmp_path / "in").mkdir()
    SpikingDataset.from_numpy(times, labels).save(tmp_path / "in" / "trainset.npz")
    batch = grids.jobs(tmp_path / "in", tmp_path / "out", settings(**GRID))
    with pytest.warns(DataWarning, match="1 of 90"):
        run_batch(batch)


def test_the_grid_for_the_digits_has_a_few_hundred_runs_that_suit_them(tmp_path):
    batch = grids.jobs(tmp_path, tmp_path, ROOT / "configs" / "digits" / "gs" / "s2stdp+ncg.json")
    assert len(batch.runs) == 432
    for run in batch.runs:
        run.config.check_against(10)


def test_what_a_killed_worker_left_whose_run_was_complete_is_removed(capsys, words, tmp_path):
    call(capsys, *words, "--n_proc", "1")
    before = contents(tmp_path / "out")
    folder = next(path for path in (tmp_path / "out").iterdir() if path.is_dir())
    (folder / ".lock").write_text("process 1 on nowhere\n")
    (folder / "checkpoint.npz").write_bytes(b"of its last epoch")
    call(capsys, *words, "--n_proc", "1")
    assert contents(tmp_path / "out") == before
