"""One training run, from data files to a complete folder, whatever comes between."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from small_runs import PATIENCE
from small_runs import ROOT
from small_runs import command
from small_runs import contents
from small_runs import dense
from small_runs import make_read_only
from small_runs import settings
from small_runs import write_data
from small_runs import write_settings

from spikenn_cy.cli.entry import main
from spikenn_cy.config import ExperimentConfig
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.errors import ConfigWarning
from spikenn_cy.errors import DataWarning
from spikenn_cy.errors import RunError
from spikenn_cy.experiments.single import RunJob
from spikenn_cy.experiments.single import run_single
from spikenn_cy.experiments.store import RunFolder
from spikenn_cy.network.model_file import Checkpoint
from spikenn_cy.network.readout import Readout

pytestmark = pytest.mark.processes

COMPLETE = ["config.json", "metrics.jsonl", "model.npz", "readout_log.txt", "result.json"]


@pytest.fixture
def job(tmp_path):
    """Return a job on small data with a validation and a test set."""
    return RunJob(tmp_path / "out", write_data(tmp_path / "in"), write_settings(tmp_path / "config.json"))


def interrupt_after(job, n_epochs):
    """Begin a run and interrupt it in the epoch after so many."""
    append = RunFolder.append

    def interrupted(folder, report, *remark):
        append(folder, report, *remark)
        if report.epoch == n_epochs:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunFolder, "append", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run_single(job)


def redirected(job, **changes):
    return RunJob(**{name: getattr(job, name) for name in job.__dataclass_fields__} | changes)


def test_a_run_leaves_records_that_agree_with_its_network(job):
    result = run_single(job)
    assert sorted(contents(job.output)) == COMPLETE
    assert json.loads((job.output / "result.json").read_text()) == result
    assert (result["n_epochs"], result["stopped"], result["seed"]) == (6, "epochs", 0)
    assert (result["n_train"], result["n_val"], result["n_test"]) == (90, 30, 30)

    metrics = [json.loads(line) for line in (job.output / "metrics.jsonl").read_text().splitlines()]
    assert [record["epoch"] for record in metrics] == list(range(6))
    accuracies = ("train_accuracy", "val_accuracy", "test_accuracy")
    assert {key: metrics[-1][key] for key in accuracies} == {key: result[key] for key in accuracies}

    model = Readout.load(job.output / "model.npz")
    assert model.score(SpikingDataset.from_file(job.input / "valset.npz")) == result["val_accuracy"]
    assert model.score(SpikingDataset.from_file(job.input / "testset.npz")) == result["test_accuracy"]
    assert result["test_accuracy"] > 0.8  # chance is 1/3

    log = (job.output / "readout_log.txt").read_text().splitlines()
    assert len(log) == 18
    assert log[-1] == f"Accuracy on test set after epoch 5: {round(result['test_accuracy'], 4)}"


def test_the_record_says_what_was_run_in_full(job):
    run_single(redirected(job, seed=7))
    record = json.loads((job.output / "config.json").read_text())
    assert record["config"] == ExperimentConfig.from_any(settings()).to_dict()
    assert record["seed"] == 7
    assert sorted(record["versions"]) == ["numpy", "python", "spikenn_cy"]
    assert {name: file["file"] for name, file in record["data"].items()} == {
        "train": "trainset.npz",
        "val": "valset.npz",
        "test": "testset.npz",
    }
    assert str(job.input) not in (job.output / "config.json").read_text()


def test_the_same_seed_gives_the_same_files_in_another_process(job, tmp_path):
    run_single(job)
    done = command(job.input, tmp_path / "again", job.config, module="spikenn_cy.run")
    assert (done.returncode, done.stderr) == (0, "")
    assert contents(tmp_path / "again") == contents(job.output)


def test_another_seed_gives_another_network(job, tmp_path):
    run_single(job)
    run_single(redirected(job, output=tmp_path / "other", seed=1))
    one, other = (Readout.load(folder / "model.npz").layers[-1].weights for folder in (job.output, tmp_path / "other"))
    assert (one != other).any()


def test_sets_that_are_not_there_have_no_accuracy(tmp_path):
    job = RunJob(
        tmp_path / "out", write_data(tmp_path / "in", val=False, test=False), write_settings(tmp_path / "c.json")
    )
    result = run_single(job)
    assert (result["val_accuracy"], result["test_accuracy"], result["n_val"], result["n_test"]) == (None, None, 0, 0)
    log = (tmp_path / "out" / "readout_log.txt").read_text().splitlines()
    assert [line.split(":")[0] for line in log] == [f"Accuracy on train set after epoch {epoch}" for epoch in range(6)]


def test_an_epoch_waits_for_the_disk_once(tmp_path, monkeypatch):
    waited, fsync = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (waited.append(handle), fsync(handle)))
    counts = []
    data = write_data(tmp_path / "in")
    for n_epochs in (3, 8):
        waited.clear()
        config = write_settings(tmp_path / f"{n_epochs}.json", trainer={"epochs": n_epochs})
        run_single(RunJob(tmp_path / str(n_epochs), data, config))
        counts.append(len(waited))
    assert counts[1] - counts[0] == 5


def test_no_epoch_at_all_is_a_run(job, tmp_path):
    result = run_single(redirected(job, config=write_settings(tmp_path / "c.json", trainer={"epochs": 0})))
    assert (result["n_epochs"], result["train_accuracy"], result["stopped"]) == (0, None, "epochs")
    assert sorted(contents(job.output)) == COMPLETE


def test_early_stopping_ends_a_run_and_is_said(job, tmp_path):
    config = write_settings(tmp_path / "c.json", trainer={"epochs": 500, "early_stopping": 2})
    result = run_single(redirected(job, config=config))
    assert result["stopped"] == "early_stopping"
    assert result["n_epochs"] < 500
    last = (job.output / "readout_log.txt").read_text().splitlines()[-1]
    assert last.startswith(
        f"Early stopping after epoch {result['n_epochs'] - 1}: validation accuracy has not risen, best "
    )


def test_a_run_that_is_given_up_is_complete_and_says_so(job, tmp_path):
    config = write_settings(
        tmp_path / "c.json",
        network={"firing_threshold": 1e6},  # nobody ever fires
        trainer={"gridsearch_stop_acc": 0.99},
    )
    result = run_single(redirected(job, config=config))
    assert (result["stopped"], result["n_epochs"]) == ("gridsearch_stop_acc", 4)
    assert (
        (job.output / "readout_log.txt")
        .read_text()
        .endswith("Given up after epoch 3: accuracy below gridsearch_stop_acc\n")
    )


# Interruptions


@pytest.mark.parametrize("epoch", [0, 2, 5])
def test_a_run_that_was_interrupted_ends_with_the_bits_of_one_that_was_not(job, tmp_path, monkeypatch, epoch):
    def interrupted(folder, report, remark):
        append(folder, report, remark)
        if report.epoch == epoch:
            raise KeyboardInterrupt

    run_single(redirected(job, output=tmp_path / "whole"))
    append = RunFolder.append
    with monkeypatch.context() as patched:
        patched.setattr(RunFolder, "append", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run_single(job)
    assert (job.output / "checkpoint.npz").exists() == (epoch > 0)
    run_single(job)
    assert contents(job.output) == contents(tmp_path / "whole")


@pytest.mark.parametrize("step", ["model.npz", "result.json"])
def test_a_run_that_was_interrupted_at_its_end_is_completed(job, tmp_path, monkeypatch, step):
    run_single(redirected(job, output=tmp_path / "whole"))
    with monkeypatch.context() as patched:
        if step == "model.npz":
            patched.setattr(Readout, "save", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        else:
            patched.setattr(RunFolder, "finish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run_single(job)
    assert not (job.output / "result.json").exists()
    run_single(job)
    assert contents(job.output) == contents(tmp_path / "whole")


def start(job):
    return subprocess.Popen(
        [sys.executable, "-m", "spikenn_cy.run", job.input, job.output, job.config] + ["--overwrite"] * job.overwrite,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(path, process):
    deadline = time.monotonic() + PATIENCE
    while not path.exists():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """Return a run of so many epochs that it is surely under way when a signal comes, and the files that it leaves."""
    folder = tmp_path_factory.mktemp("long")
    config = write_settings(folder / "config.json", trainer={"epochs": 400})
    job = RunJob(folder / "out", write_data(folder / "in"), config)
    run_single(job)
    return job, contents(job.output)


@pytest.mark.parametrize(
    ("with_signal", "overwrite", "status", "said"),
    [
        (signal.SIGKILL, False, -9, ""),
        (signal.SIGINT, False, 130, "interrupted; the same command goes on with {output}\n"),
        (signal.SIGINT, True, 130, "interrupted; the same command without --overwrite goes on with {output}\n"),
    ],
    ids=["killed", "Ctrl-C", "Ctrl-C while replacing"],
)
def test_a_process_that_was_stopped_is_gone_on_with_to_the_same_bits(
    long, tmp_path, with_signal, overwrite, status, said
):
    job, whole = redirected(long[0], output=tmp_path / "out"), long[1]
    with start(redirected(job, overwrite=overwrite)) as process:
        wait_for(job.output / "checkpoint.npz", process)
        process.send_signal(with_signal)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (status, "", said.format(output=job.output))
    assert (job.output / "checkpoint.npz").exists()
    assert not (job.output / "result.json").exists()
    run_single(job)
    assert contents(job.output) == whole


@pytest.mark.parametrize("complete", [False, True])
def test_a_run_that_was_not_replaced_after_all_is_not_said_to_go_on(job, complete, monkeypatch, capsys):
    def interrupted(self, report, remark):
        append(self, report, remark)
        if report.epoch == 2:
            raise KeyboardInterrupt

    append = RunFolder.append
    words = [str(job.input), str(job.output), str(job.config)]
    with monkeypatch.context() as patched:
        if not complete:
            patched.setattr(RunFolder, "append", interrupted)
        assert main(words, command="run") == (0 if complete else 130)
    before = contents(job.output)
    capsys.readouterr()
    with monkeypatch.context() as patched:
        patched.setattr(Checkpoint, "write", lambda *_: _interrupt())
        assert main([*words, "--seed", "1", "--overwrite"], command="run") == 130
    assert capsys.readouterr().err == "interrupted\n"
    assert contents(job.output) == before


def _interrupt():
    raise KeyboardInterrupt


@pytest.mark.parametrize("torn", ["\ufeff{", "{}", "3", '{"epoch": 0}'])
def test_a_run_goes_on_whatever_its_metrics_have_become(job, tmp_path, monkeypatch, torn):
    run_single(redirected(job, output=tmp_path / "whole"))
    append = RunFolder.append

    def interrupted(folder, report, remark):
        append(folder, report, remark)
        if report.epoch == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(RunFolder, "append", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run_single(job)
    (job.output / "metrics.jsonl").write_text(torn, encoding="utf-16")
    run_single(job)
    assert contents(job.output) == contents(tmp_path / "whole")


@pytest.mark.parametrize("epoch", [0, 2, 5])
def test_a_run_whose_data_change_meanwhile_ends_in_one_line_and_without_a_result(job, monkeypatch, epoch, capsys):
    append = RunFolder.append

    def changing(folder, report, remark):
        append(folder, report, remark)
        if report.epoch == epoch:
            os.utime(job.input / "testset.npz", ns=(0, 0))  # as if it were written anew

    monkeypatch.setattr(RunFolder, "append", changing)
    assert main([str(job.input), str(job.output), str(job.config)], command="run") == 2
    rule = "must stay as it is while a command uses it, got a changed file"
    assert capsys.readouterr().err == f"error: {job.input / 'testset.npz'}: {rule}\n"
    assert not (job.output / "result.json").exists()
    assert not (job.output / "model.npz").exists()


def test_ctrl_c_while_the_package_is_being_imported_is_one_line(tmp_path):
    code = (
        "import sys, runpy, importlib.abc\n"
        "class Stop(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'spikenn_cy.cli.entry': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Stop())\n"
        "runpy.run_module('spikenn_cy.run', run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")


def test_a_folder_that_the_terminal_cannot_print_does_not_spoil_a_run(job, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "spikenn_cy.run", job.input, tmp_path / "oü", job.config],
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "o\\xfc" in done.stdout


def test_two_processes_cannot_write_to_one_folder(tmp_path):
    config = write_settings(tmp_path / "config.json", trainer={"epochs": 2000})
    job = RunJob(tmp_path / "out", write_data(tmp_path / "in"), config)
    with start(job) as process:
        try:
            wait_for(job.output / "config.json", process)
            second = command(job.input, job.output, job.config, module="spikenn_cy.run")
        finally:
            process.kill()
    assert second.returncode == 2
    assert second.stderr.startswith(f"error: {job.output}: must not be in use, got one by process {process.pid} on ")


# Again


def test_a_complete_run_is_looked_up(job, capsys):
    words = [str(job.input), str(job.output), str(job.config)]
    assert main(words, command="run") == 0
    first, before = capsys.readouterr().out, contents(job.output)
    modified = (job.output / "result.json").stat().st_mtime_ns
    (job.output / "checkpoint.npz").write_bytes(b"of a process that was stopped before it was rid of this")
    assert main(words, command="run") == 0
    second = capsys.readouterr().out
    assert second.splitlines()[:-2] == first.splitlines()[:-2]
    assert "complete since an earlier run" in second
    assert contents(job.output) == before
    assert (job.output / "result.json").stat().st_mtime_ns == modified


@pytest.mark.parametrize("change", ["seed", "setting", "data", "less data"])
def test_a_folder_of_another_run_is_refused_unless_overwritten(job, tmp_path, capsys, change):
    run_single(job)
    words = [str(job.input), str(job.output), str(job.config)]
    difference = {
        "seed": "seed 0 instead of 1",
        "setting": "optimizer.ap 0.1 instead of 0.2",
        "data": "other val data",
        "less data": "other test data",
    }[change]
    if change == "seed":
        words += ["--seed", "1"]
    elif change == "setting":
        write_settings(job.config, optimizer={"ap": 0.2})
    elif change == "data":
        SpikingDataset.from_numpy(*dense(30, seed=9)).save(job.input / "valset.npz")
    else:
        (job.input / "testset.npz").unlink()
    before = contents(job.output)
    assert main(words, command="run") == 2
    assert capsys.readouterr().err.rstrip().endswith(f"got one with {difference}")
    assert contents(job.output) == before
    assert main([*words, "--overwrite"], command="run") == 0
    changed = contents(job.output)
    assert changed != before
    assert main([*words[:1], str(tmp_path / "fresh"), *words[2:]], command="run") == 0
    assert contents(tmp_path / "fresh") == changed


@pytest.mark.parametrize("stop_at", [None, 2])
@pytest.mark.parametrize("save_stats", [False, True])
def test_a_run_goes_on_to_more_epochs_with_the_bits_of_a_straight_one(job, tmp_path, save_stats, stop_at):
    more = write_settings(tmp_path / "more.json", trainer={"epochs": 9})
    job = redirected(job, save_stats=save_stats)
    if stop_at is None:
        run_single(job)
    else:
        interrupt_after(job, stop_at)
    if stop_at is None and save_stats:
        with pytest.raises(RunError, match=r"got one with trainer.epochs 6 instead of 9, and the statistics of its"):
            run_single(redirected(job, config=more))
        return
    straight = run_single(redirected(job, config=more, output=tmp_path / "straight"))
    assert run_single(redirected(job, config=more)) == straight
    assert contents(job.output) == contents(tmp_path / "straight")
    with pytest.raises(RunError, match=r"got one with trainer.epochs 9 instead of 6$"):
        run_single(job)


def test_a_run_that_stopped_early_is_that_of_more_epochs_too(job, tmp_path):
    stopping = {"early_stopping": 1}
    before = run_single(redirected(job, config=write_settings(tmp_path / "a.json", trainer=stopping | {"epochs": 30})))
    assert before["stopped"] == "early_stopping"
    more = write_settings(tmp_path / "b.json", trainer=stopping | {"epochs": 60})
    straight = run_single(redirected(job, config=more, output=tmp_path / "straight"))
    assert run_single(redirected(job, config=more)) == straight
    assert contents(job.output) == contents(tmp_path / "straight")


@pytest.mark.parametrize(("final_rate", "refused"), [(0.1, True), (1, False)])
def test_more_epochs_of_rates_that_fall_by_their_number_are_another_run(job, tmp_path, final_rate, refused):
    network = {"network": [{"n_neurons": 6}], "optimizer": {"method": "decision_time", "final_rate": final_rate}}
    for epochs in (1, 2):
        (tmp_path / f"{epochs}.json").write_text(json.dumps(network | {"trainer": {"epochs": epochs}}))
    run_single(redirected(job, config=tmp_path / "1.json"))
    before, more = contents(job.output), redirected(job, config=tmp_path / "2.json")
    if refused:
        with pytest.raises(RunError, match=r"trainer.epochs 1 instead of 2, and its rates have fallen by the number"):
            run_single(more)
        assert contents(job.output) == before
    else:
        assert run_single(more) == run_single(redirected(more, output=tmp_path / "straight"))
        assert contents(job.output) == contents(tmp_path / "straight")


def test_a_run_may_be_moved_and_its_data_too(job, tmp_path):
    before = run_single(job)
    (tmp_path / "elsewhere").mkdir()
    job.input.rename(tmp_path / "elsewhere" / "data")
    job.output.rename(tmp_path / "elsewhere" / "run")
    moved = redirected(job, input=tmp_path / "elsewhere" / "data", output=tmp_path / "elsewhere" / "run")
    assert run_single(moved) == before


def test_a_complete_run_is_looked_up_where_nothing_can_be_written(job, monkeypatch, capsys):
    result = run_single(job)
    make_read_only(monkeypatch, job.output)
    assert run_single(job) == result
    for changes in ({"overwrite": True}, {"seed": 1}):
        with pytest.raises(RunError, match=f"^{job.output}: must be a folder that can be written to, got Read-only"):
            run_single(redirected(job, **changes))


# Warnings


def test_samples_without_a_spike_are_counted_in_a_warning(tmp_path):
    times, labels = dense(90, seed=0)
    times[[3, 50]] = 1
    folder = tmp_path / "in"
    folder.mkdir()
    SpikingDataset.from_numpy(times, labels).save(folder / "trainset.npz")
    job = RunJob(tmp_path / "out", folder, write_settings(tmp_path / "c.json"))
    with pytest.warns(DataWarning, match=r"trainset\.npz: 2 of 90 training samples have no spike$"):
        run_single(job)


def test_early_stopping_without_a_validation_set_draws_a_warning(tmp_path):
    data = write_data(tmp_path / "in", val=False)
    config = write_settings(tmp_path / "c.json", trainer={"early_stopping": 2})
    with pytest.warns(ConfigWarning, match=r"c\.json: trainer\.early_stopping: has no effect without a valset$"):
        assert run_single(RunJob(tmp_path / "out", data, config))["n_epochs"] == 6


def test_a_doubtful_setting_is_one_line_on_stderr_and_no_error(job):
    write_settings(job.config, optimizer={"am": 0.05})
    done = command(job.input, job.output, job.config, module="spikenn_cy.run")
    assert done.returncode == 0
    assert done.stderr.startswith(f"warning: {job.config}: optimizer.am: ")
    assert len(done.stderr.splitlines()) == 1


# The chain and the demo


def test_convert_and_run_make_a_network_of_two_arrays(tmp_path):
    (tmp_path / "in").mkdir()
    for name, size_and_seed in {"trainset": (90, 0), "testset": (30, 1)}.items():
        times, labels = dense(*size_and_seed)
        np.save(tmp_path / "X.npy", (10 * times).reshape(-1, 3, 4))
        np.save(tmp_path / "y.npy", np.array(["ant", "bee", "cat"])[labels])
        before = {name: (tmp_path / name).read_bytes() for name in ("X.npy", "y.npy")}
        done = command("convert", "X.npy", "y.npy", f"in/{name}.npz", "--max-time", "10", folder=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(f"{len(labels)} samples, 12 inputs, 3 classes, ")
        assert {name: (tmp_path / name).read_bytes() for name in before} == before
        dataset = SpikingDataset.from_file(tmp_path / "in" / f"{name}.npz")
        assert_array_equal(dataset.classes[dataset.labels], np.load(tmp_path / "y.npy"))
        assert dataset.max_time == 10
    write_settings(tmp_path / "config.json", optimizer={"t_gap": 0.5})
    done = command("run", "in", "out", "config.json", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "network and records: out"
    assert json.loads((tmp_path / "out" / "result.json").read_text())["test_accuracy"] > 0.8


def write_reference_file(path, times, labels):
    """Write spikes as the reference does: a pickled dict of record arrays, labels numbered within the file."""
    samples = []
    for row in times:
        order = np.argsort(row, kind="stable")
        order = order[row[order] < 1]
        samples.append(np.rec.fromarrays([order.astype(np.int16), row[order]], names="indices,timestamps"))
    labels = np.unique(labels, return_inverse=True)[1].astype(np.int16)
    np.save(path, {"data": samples, "labels": labels, "shape": times.shape, "max_time": 1}, allow_pickle=True)


def test_the_files_of_the_reference_give_the_bits_of_ours(job, tmp_path):
    run_single(job)
    (tmp_path / "reference").mkdir()
    for name, size_and_seed in {"trainset": (90, 0), "valset": (30, 1), "testset": (30, 2)}.items():
        write_reference_file(tmp_path / "reference" / f"{name}.npy", *dense(*size_and_seed))
    run_single(redirected(job, input=tmp_path / "reference", output=tmp_path / "again"))
    ours, theirs = contents(job.output), contents(tmp_path / "again")
    assert ours.pop("config.json") != theirs.pop("config.json")  # it names other files
    assert ours == theirs


def test_a_file_of_the_reference_that_may_lack_a_class_draws_one_warning(tmp_path):
    (tmp_path / "in").mkdir()
    times, labels = dense(90, 0)
    write_reference_file(tmp_path / "in" / "trainset.npy", times, labels)
    write_reference_file(tmp_path / "in" / "testset.npy", times[labels < 2], labels[labels < 2])
    write_settings(tmp_path / "config.json")
    done = command("run", "in", "out", "config.json", folder=tmp_path)
    assert done.returncode == 0
    (line,) = done.stderr.splitlines()
    assert line.startswith("warning: in/testset.npy: has 2 classes and in/trainset.npy ")
    assert json.loads((tmp_path / "out" / "result.json").read_text())["n_test"] == 60


def test_without_arguments_the_demo_is_trained_and_shown(tmp_path):
    done = command(module="spikenn_cy.run", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert "1,797 handwritten digits" in lines[0]
    assert [line.split()[:2] for line in lines[2:5]] == [["training", "1,197"], ["validation", "300"], ["test", "300"]]
    assert sorted(contents(tmp_path / "spikenn-demo")) == COMPLETE
    assert json.loads((tmp_path / "spikenn-demo" / "result.json").read_text())["test_accuracy"] > 0.94
    again = command("run", folder=tmp_path)
    assert (again.returncode, again.stdout.splitlines()[:5]) == (0, lines[:5])


def test_the_second_demo_learns_in_every_layer(tmp_path):
    done = command("run", "--demo", "network", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "A network that learns in every layer on 1,797" in done.stdout
    assert json.loads((tmp_path / "spikenn-demo-network" / "result.json").read_text())["test_accuracy"] > 0.94
