"""A Dask cluster does the same runs to the same bits, survives its workers, and is refused if it could not."""

import concurrent.futures
import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("distributed")

import cluster_tasks
from dask_processes import TESTS
from dask_processes import free_port
from dask_processes import known
from dask_processes import scheduler
from dask_processes import unfinished
from dask_processes import until
from dask_processes import workers
from processes import Family
from small_runs import PATIENCE
from small_runs import ROOT
from small_runs import command
from small_runs import contents
from small_runs import dense
from small_runs import settings
from small_runs import write_data
from small_runs import write_settings
from test_extract import write_images

import spikenn_cy
from spikenn_cy.cli.entry import main
from spikenn_cy.config import ExperimentConfig
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.errors import MissingExtra
from spikenn_cy.errors import RunError
from spikenn_cy.execution import cluster
from spikenn_cy.execution.cluster import cluster_executor
from spikenn_cy.execution.liveness import is_alive
from spikenn_cy.execution.liveness import liveness_file
from spikenn_cy.execution.pool import run_jobs
from spikenn_cy.experiments.single import RunJob
from spikenn_cy.experiments.single import run_single
from spikenn_cy.utils.extras import wanted

pytestmark = pytest.mark.processes

PACKAGE = Path(spikenn_cy.__file__).parent
KERNEL = PACKAGE / "network" / "_readout_trainer.pyx"
LONG = {"trainer": {"epochs": 150}}  # half a second or so
ENDLESS = {"trainer": {"epochs": 100_000}}


@pytest.fixture(scope="module")
def dask_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("dask")


@pytest.fixture(scope="module")
def there(dask_folder):
    """Return the address of a cluster of two workers, where a job that has killed two is given up."""
    with (
        scheduler(dask_folder, DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="1") as (address, _),
        workers(address, dask_folder / "workers", n=2),
    ):
        yield address


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def folds(folder, n_folds):
    """Write data of several folds, which differ, and return their folder."""
    for fold in range(n_folds):
        write_data(folder / str(fold))
        SpikingDataset.from_numpy(*dense(90, seed=10 + fold)).save(folder / str(fold) / "trainset.npz")
    return folder


def owner_of(run):
    """Return the id of the process that holds a run's folder, once it has written a checkpoint."""
    try:
        assert (run / "checkpoint.npz").exists()
        return int(re.match(r"process (\d+)", (run / ".lock").read_text())[1])
    except (AssertionError, OSError, TypeError):
        return None


def test_all_results_are_those_of_one_machine_though_a_worker_is_killed(there, tmp_path):
    data, config = folds(tmp_path / "in", 4), write_settings(tmp_path / "c.json", **LONG)
    assert command("kfold", data, tmp_path / "local", config, "--K", 4, "--n_proc", 1).returncode == 0
    with Family("kfold", data, tmp_path / "out", config, "--K", "4", "--cluster", there) as family:
        runs = [tmp_path / "out" / str(fold) for fold in range(4)]
        family.wait_until(lambda: any(map(owner_of, runs)))
        number, run = next((number, run) for run in runs if (number := owner_of(run)))
        os.kill(number, signal.SIGKILL)
        began = (run / "config.json").stat().st_mtime_ns
        assert not (run / "result.json").exists()
        status, _, err = family.end()
    assert (status, err) == (0, "")
    assert contents(tmp_path / "out") == contents(tmp_path / "local")
    assert (run / "config.json").stat().st_mtime_ns == began, "the run was not gone on with, but begun anew"


def test_folds_are_extracted_as_on_one_machine(there, tmp_path):
    for fold in "012":
        write_images(tmp_path / "folds" / fold, seed=int(fold))
    config = tmp_path / "settings.json"
    config.write_text(json.dumps({"conv1_c": 16, "conv1_epochs": 2, "conv1_th": 3.0}))
    for out, *where in (("local", "--n_proc", "1"), ("cluster", "--cluster", there)):
        words = ("extract", "stdp-csnn", "folds", out, config, *where)
        assert command(*words, folder=tmp_path).returncode == 0
    assert contents(tmp_path / "cluster") == contents(tmp_path / "local")


def test_a_table_is_made_again_as_on_one_machine(there, tmp_path):
    pytest.importorskip("sklearn")
    for out, *where in (("local", "--n_proc", "1"), ("cluster", "--cluster", there)):
        assert command("reproduce", "digits", out, *where, folder=tmp_path).returncode == 0
    made = [contents(tmp_path / out) for out in ("cluster", "local")]
    made = [{name: text for name, text in found.items() if "/" in name} for found in made]  # but for durations
    assert made[0] == made[1]


def test_a_command_that_is_killed_leaves_its_runs_to_the_next_one(there, tmp_path):
    data, config = folds(tmp_path / "in", 2), write_settings(tmp_path / "c.json", **ENDLESS)
    words = ["kfold", data, tmp_path / "out", config, "--K", "2", "--cluster", there]
    runs = [tmp_path / "out" / str(fold) for fold in range(2)]
    with Family(*words) as family:
        family.wait_until(lambda: all(map(owner_of, runs)))
    # Nobody can end a run on a worker but the run.
    until(lambda: not any((run / ".lock").exists() for run in runs))
    assert all((run / "checkpoint.npz").exists() for run in runs)
    with Family(*words) as family:
        family.wait_until(lambda: all(map(owner_of, runs)))
        assert len(list((tmp_path / "out").glob(".command-*"))) == 1, "what the killed one left is still there"
        family.parent.send_signal(signal.SIGINT)
        status, _, err = family.end()
    assert status == 130
    assert err.count("\n") == 1
    until(lambda: not any((run / ".lock").exists() for run in runs))


def test_a_run_waits_for_its_folder(there, tmp_path, out):
    write_data(tmp_path / "in")
    job = RunJob(out / "run", tmp_path / "in", ExperimentConfig.from_any(settings()))
    (out / "run").mkdir()
    with cluster_executor(there, out) as executor, open(out / "run" / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        future = executor.submit(run_single, job)
        with pytest.raises(concurrent.futures.TimeoutError):
            future.result(timeout=1)
        os.unlink(lock.name)
        lock.close()
        assert future.result(timeout=PATIENCE) == run_single(job)


def test_a_run_whose_folder_is_never_let_go_of_is_refused(there, tmp_path, out):
    write_data(tmp_path / "in")
    job = RunJob(out / "run", tmp_path / "in", ExperimentConfig.from_any(settings()))
    (out / "run").mkdir()
    with cluster_executor(there, out, patience=0.1) as executor, open(out / "run" / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(RunError, match="must not be in use"):
            executor.submit(run_single, job).result(timeout=PATIENCE)


def test_paths_are_those_of_this_process(there, tmp_path, out, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_data(tmp_path / "in")
    write_settings(tmp_path / "c.json")
    job = RunJob("out/run", "in", "c.json")
    with cluster_executor(there, "out", ["in/trainset.npz"]) as executor:
        result = executor.submit(run_single, job).result()
    assert (out / "run" / "result.json").exists()
    assert result == run_single(job)


def test_equal_jobs_are_done_each(there, out):
    with cluster_executor(there, out) as executor:
        futures = [executor.submit(cluster_tasks.another_name) for _ in range(3)]
        assert len({future.result() for future in concurrent.futures.as_completed(futures, timeout=PATIENCE)}) == 3


def test_an_error_comes_back_as_it_is(there, out):
    with cluster_executor(there, out) as executor, pytest.raises(ValueError, match="this text"):
        executor.submit(cluster_tasks.fail, "this text").result(timeout=PATIENCE)


def test_a_job_that_kills_its_workers_is_reported_and_the_others_are_done(there, out):
    def start():
        return cluster_executor(there, out)

    jobs = [cluster_tasks.die, cluster_tasks.another_name]
    died, done = sorted(run_jobs(cluster_tasks.call, jobs, executor=start), key=lambda outcome: jobs.index(outcome.job))
    assert re.fullmatch(
        rf"{there}: must have workers that live, got 2 that died doing this, the last of them tcp://\S+", died.error
    )
    assert died.details is None
    assert len(done.result) == 32


def test_a_block_that_is_left_cancels_what_waits(there, tmp_path, out):
    end = tmp_path / "end"
    with cluster_executor(there, out) as executor:
        futures = [executor.submit(cluster_tasks.hold, tmp_path / f"begun-{number}", end) for number in range(6)]
    end.touch()
    concurrent.futures.wait(futures, timeout=PATIENCE)
    assert all(future.cancelled() for future in futures)
    assert list(out.iterdir()) == []


def test_a_job_that_is_cancelled_while_it_waits_is_not_done(there, tmp_path, out):
    others = unfinished(there)  # workers may still have what an earlier test has cancelled
    begun, end = [tmp_path / f"begun-{number}" for number in range(4)], tmp_path / "end"
    with cluster_executor(there, out) as executor:
        futures = [executor.submit(cluster_tasks.hold, path, end) for path in begun]
        until(lambda: sum(path.exists() for path in begun) == 2 and len(unfinished(there) - others) == 4)
        late = max(number for number, path in enumerate(begun) if not path.exists())
        assert futures[late].cancel()
        until(lambda: len(unfinished(there) - others) == 3)
        end.touch()
        concurrent.futures.wait(futures, timeout=PATIENCE)
    assert [number for number, path in enumerate(begun) if not path.exists()] == [late]


def test_a_lost_scheduler_is_reported_for_every_run(tmp_path):
    data, config = folds(tmp_path / "in", 3), write_settings(tmp_path / "c.json", **ENDLESS)
    with (
        scheduler(tmp_path / "dask") as (address, process),
        workers(address, tmp_path / "workers"),
        Family("kfold", data, tmp_path / "out", config, "--K", "3", "--cluster", address) as family,
    ):
        runs = [tmp_path / "out" / str(fold) for fold in range(3)]
        family.wait_until(lambda: any(map(owner_of, runs)))
        process.kill()
        status, _, err = family.end()
        until(lambda: not any((run / ".lock").exists() for run in runs))
    assert status == 1
    finding = f"{address}: must stay within reach until all is done, got a lost connection"
    assert sorted(err.splitlines()) == [f"failed: {run}: {finding}" for run in runs]


@pytest.fixture
def joined(there, tmp_path):
    """Return a function that starts a worker beside those that are there, until the end of the test."""
    with contextlib.ExitStack() as stack:
        before = known(there)

        def join(*options, **more):
            return stack.enter_context(workers(there, tmp_path / "worker", *options, **more))

        yield join
        stack.close()
        until(lambda: not known(there) - before)


def package(folder, **changes):
    """Make a package like this one, but for what is appended to some of its files; return the folder it is in."""
    for path in PACKAGE.rglob("*"):
        copy = folder / "spikenn_cy" / path.relative_to(PACKAGE)
        if path.is_dir() or path.suffix not in (".py", ".pxd", ".h", ".pyx", ".so", ".npz", ".json"):
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path.name in changes:
            copy.write_text(path.read_text() + changes[path.name])
        else:
            copy.symlink_to(path)
    return folder


def refusal(address, output, inputs=()):
    """Return what a cluster is refused with, after the name of the one to blame, which is returned first."""
    with pytest.raises((RunError, MissingExtra)) as caught, cluster_executor(address, output, inputs):
        raise AssertionError("not refused")
    assert os.listdir(output) == []
    who, _, what = str(caught.value).partition(": ")
    return who, what


def test_an_address_where_nobody_listens_is_refused_in_one_line_after_a_wait_of_our_own(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr("spikenn_cy.execution.cluster.GREETING", 0.5)  # Dask by itself waits 30 s
    data, config = folds(tmp_path / "in", 1), write_settings(tmp_path / "c.json")
    address = f"tcp://127.0.0.1:{free_port()}"
    words = ["kfold", data, tmp_path / "out", config, "--K", 1, "--cluster", address]
    assert main([*map(str, words)]) == 2
    line = f"error: {address}: must be the address of a Dask scheduler, got no answer within 0.5 s\n"
    assert capfd.readouterr() == ("", line)
    assert not (tmp_path / "out").exists()


def test_an_address_where_something_else_listens_is_refused(out, monkeypatch):
    monkeypatch.setattr(cluster, "GREETING", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        rule = "must be the address of a Dask scheduler, got no answer within 0.5 s"
        assert refusal(address, out) == (address, rule)


def test_the_address_of_a_worker_is_refused(there, out):
    worker = min(known(there))
    assert refusal(worker, out) == (worker, "must be the address of a Dask scheduler, got a Dask worker")


@pytest.mark.parametrize("address", ["cluster", "http://127.0.0.1:1", "tcp://127.0.0.1"])
def test_what_is_no_address_is_refused(out, address):
    who, what = refusal(address, out)
    assert f"{who}: {what}".startswith(f"{address}: must be the address of a Dask scheduler, got ")


def test_a_cluster_without_workers_is_refused(tmp_path, out, monkeypatch):
    monkeypatch.setattr(cluster, "GREETING", 0.5)
    with scheduler(tmp_path / "dask") as (address, _):
        assert refusal(address, out) == (address, "must have workers, got none within 0.5 s")


def test_without_dask_the_extra_is_named(out, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert refusal("tcp://127.0.0.1:8786", out)[1] == (
        f"needs the package distributed, which python -m pip install {wanted('dask')} brings"
    )


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"version.py": '__version__ = "0.0.7"\n'}, r"got 0\.0\.7 with sources \w{8}"),
        ({"single.py": "\n"}, r"got \d\S* with sources \w{8}"),
        pytest.param(
            {KERNEL.name: "\n"},
            r"got \d\S* with sources \w{8} and other kernels",
            marks=pytest.mark.skipif(not KERNEL.exists(), reason="a wheel has no sources of kernels"),
        ),
    ],
    ids=["version", "source", "kernel"],
)
def test_a_worker_with_another_package_is_refused(there, tmp_path, out, joined, changes, finding):
    _, (worker,) = joined(path=[package(tmp_path / "package", **changes), TESTS])
    who, what = refusal(there, out)
    assert who == worker
    assert re.fullmatch(rf"must have spikenn_cy \S+ with sources \w{{8}}, {finding}", what)


def test_a_worker_without_the_package_is_refused(there, tmp_path, out, joined):
    (tmp_path / "none").mkdir()
    # Hides one that is installed.
    (tmp_path / "none" / "spikenn_cy.py").write_text("raise ModuleNotFoundError(\"No module named 'spikenn_cy'\")")
    _, (worker,) = joined(path=[tmp_path / "none"])
    who, what = refusal(there, out)
    assert who == worker
    assert re.fullmatch(r"must have spikenn_cy \S+ with sources \w{8}, got .*No module named 'spikenn_cy'\W*", what)


def test_a_worker_that_comes_later_is_looked_at_too(there, tmp_path, out, joined):
    with cluster_executor(there, out) as executor:
        _, (worker,) = joined(path=[package(tmp_path / "package", **{"single.py": "\n"}), TESTS])
        futures = [executor.submit(cluster_tasks.sleep, 0.2) for _ in range(9)]
        errors = [error for future in futures if (error := future.exception(timeout=PATIENCE))]
    assert 0 < len(errors) < 9
    assert {str(error).partition(": ")[0] for error in errors} == {worker}


# What this path means depends on who asks, as that of a disk of each machine's own does.
OWN = "/proc/self/cwd"


needs_own = pytest.mark.skipif(not os.path.exists(OWN), reason="a path that differs between processes is Linux's")


@needs_own
def test_workers_that_do_not_see_the_output_folder_are_refused(there, tmp_path, out, monkeypatch):
    monkeypatch.chdir(tmp_path)
    who, what = refusal(there, f"{OWN}/out")
    assert who == ", ".join(sorted(known(there)))
    assert what == f"must share the folder {OWN}/out with {socket.gethostname()}, got no such folder"


@needs_own
def test_workers_that_see_another_output_folder_are_refused(there, dask_folder, tmp_path, out, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (dask_folder / "workers" / "out").mkdir()
    try:
        what = refusal(there, f"{OWN}/out")[1]
        assert what == f"must share the folder {OWN}/out with {socket.gethostname()}, got another folder"
    finally:
        (dask_folder / "workers" / "out").rmdir()


@needs_own
def test_workers_that_do_not_see_an_input_file_are_refused(there, dask_folder, tmp_path, out, monkeypatch):
    monkeypatch.chdir(tmp_path)
    here, elsewhere = write_data(tmp_path / "in") / "trainset.npz", dask_folder / "workers" / "in" / "trainset.npz"
    path = f"{OWN}/in/trainset.npz"
    assert refusal(there, out, [path])[1] == f"must see the file {path}, got No such file or directory"
    elsewhere.parent.mkdir()
    shutil.copy2(here, elsewhere)
    with cluster_executor(there, out, [path]):  # an exact copy is as good
        pass
    os.utime(elsewhere)
    assert refusal(there, out, [path])[1] == f"must see the same file {path}, got another size or time of change"


def test_a_worker_that_does_not_answer_is_refused(there, out, joined, monkeypatch):
    monkeypatch.setattr(cluster, "ANSWER", 5.0)  # which the other workers keep to on a busy machine
    process, (worker,) = joined("--no-nanny")
    process.send_signal(signal.SIGSTOP)
    assert refusal(there, out) == (worker, "must answer, got nothing within 5 s")


def test_locks_that_stay_on_one_machine_are_noticed(out):
    with liveness_file(out) as path:
        expected = {"build": cluster._build(), "owner": str(path), "text": path.read_text()}
        assert cluster._missing(expected, {}) is None
        copy = out / "copy"
        shutil.copy(path, copy)
        finding = "got one where files locked by one machine are not locked on another"
        assert cluster._missing(expected | {"owner": str(copy)}, {}).endswith(finding)


def test_liveness_ends_with_its_process(out):
    lines = (
        "from spikenn_cy.execution.liveness import liveness_file\n"
        f"with liveness_file({str(out)!r}) as path:\n    print(path, flush=True)\n    input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", lines], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        path = process.stdout.readline().strip()
        assert is_alive(path)
        process.kill()
        process.wait()
        assert not is_alive(path)
        assert os.path.exists(path)
    with liveness_file(out) as another:
        assert list(out.iterdir()) == [another]
        assert is_alive(another)
    assert not is_alive(another)
    assert list(out.iterdir()) == []


def test_a_run_that_nobody_wants_any_more_ends(tmp_path, out):
    write_data(tmp_path / "in")
    job = RunJob(out / "run", tmp_path / "in", ExperimentConfig.from_any(settings()), owner=out / "gone")
    with pytest.raises(RunError, match="must be wanted by a command, got one that has ended"):
        run_single(job)
    assert list(out.iterdir()) == []
