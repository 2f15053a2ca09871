"""Worker processes do what they are given, lose nothing but their own life, and never outlive their parent."""

import contextlib
import multiprocessing
import os
import signal
import time
from concurrent.futures import CancelledError
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest
import worker_tasks
from processes import Family

from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.execution.pool import Outcome
from spikenn_cy.execution.pool import _problem
from spikenn_cy.execution.pool import run_jobs
from spikenn_cy.execution.workers import WorkerDied
from spikenn_cy.execution.workers import Workers
from spikenn_cy.utils.processors import available_processors

pytestmark = pytest.mark.processes


@pytest.mark.parametrize("n_proc", [1, 2])
def test_every_job_has_its_outcome(n_proc):
    outcomes = list(run_jobs(worker_tasks.square, range(20), n_proc))
    assert sorted((outcome.job, outcome.result) for outcome in outcomes) == [(n, n * n) for n in range(20)]
    assert all(outcome.error is None for outcome in outcomes)


def test_one_process_is_this_one_and_keeps_the_order():
    outcomes = list(run_jobs(worker_tasks.process, range(5), 1))
    assert [(outcome.job, outcome.result) for outcome in outcomes] == [(n, os.getpid()) for n in range(5)]


def test_several_processes_are_others_and_are_used_again():
    found = {outcome.result for outcome in run_jobs(worker_tasks.process, range(30), 2)}
    assert os.getpid() not in found
    assert 1 <= len(found) <= 2


def test_any_executor_does_the_work():
    def executor():
        return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))

    outcomes = list(run_jobs(worker_tasks.square, range(5), executor=executor))
    assert sorted(outcome.result for outcome in outcomes) == [0, 1, 4, 9, 16]


def test_no_jobs_have_no_outcomes():
    assert list(run_jobs(worker_tasks.square, [], 2)) == []


def test_libraries_in_workers_have_one_thread_and_the_parent_keeps_its_own_settings(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    names = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"]
    assert [outcome.result for outcome in run_jobs(worker_tasks.environment, names, 2)] == ["1", "1"]
    assert [os.environ.get(name) for name in names] == ["7", None]


@pytest.mark.parametrize("n_proc", [1, 2])
@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("user", "here: must be\nthis, got that"),
        ("disk", "x.npz: must be usable, got No space left on device"),
        ("memory", "memory: must suffice for network and data, got Unable to allocate 9 TiB"),
        ("bug", "a mistake in the program: KeyError: 'bug'"),
    ],
)
def test_a_failure_is_an_outcome_and_the_others_go_on(n_proc, kind, error):
    outcomes = {outcome.job: outcome for outcome in run_jobs(worker_tasks.fail, [kind, "user"], n_proc)}
    assert outcomes[kind].error == error
    assert (outcomes[kind].details is None) == (kind != "bug")
    assert outcomes["user"].error == "here: must be\nthis, got that"


def test_what_cannot_be_sent_back_is_an_outcome_too():
    jobs = ["unpicklable", "exit", "user"]
    outcomes = {outcome.job: outcome.error for outcome in run_jobs(worker_tasks.fail, jobs, 2)}
    assert "JobResult cannot be sent back" in outcomes["unpicklable"]
    assert outcomes["exit"] == (
        "worker: must live until the run is complete, got one that ended with exit status 3, 2 times"
    )
    assert outcomes["user"].startswith("here:")


@pytest.mark.parametrize("n_proc", [1, 2])
def test_warnings_come_with_the_outcome(n_proc):
    for outcome in run_jobs(worker_tasks.warn, ["a", "b"], n_proc):
        assert [str(warning) for warning in outcome.warnings] == [outcome.job]


def test_a_job_whose_worker_is_killed_is_tried_once_more(tmp_path):
    (outcome,) = run_jobs(worker_tasks.die_once, [tmp_path / "mark"], 2)
    assert outcome == Outcome(tmp_path / "mark", "alive", n_attempts=2)
    (outcome,) = run_jobs(worker_tasks.die, [tmp_path / "trace"], 2)
    assert outcome.error == "worker: must live until the run is complete, got one that ended by SIGKILL, 2 times"
    assert (tmp_path / "trace").read_text() == "xx"


def test_a_dying_worker_takes_no_other_job_with_it(tmp_path):
    with Workers(2) as workers:
        others = [workers.submit(worker_tasks.note, tmp_path / str(number)) for number in range(3)]
        dying = workers.submit(worker_tasks.die_once, tmp_path / "mark")
        with pytest.raises(WorkerDied, match="ended by SIGKILL"):
            dying.result()
        assert [other.result() for other in others] == ["noted"] * 3
    assert [(tmp_path / str(number)).read_text() for number in range(3)] == ["x"] * 3


def test_a_worker_killed_while_it_had_no_work_is_not_missed():
    with Workers(1) as workers:
        first = workers.submit(worker_tasks.process, None).result()
        os.kill(first, signal.SIGKILL)
        time.sleep(0.2)
        assert workers.submit(worker_tasks.process, None).result() != first


def test_workers_leave_ctrl_c_to_their_parent():
    (outcome,) = run_jobs(worker_tasks.interrupt_itself, [None], 2)
    assert outcome.result == "still there"


def test_who_stops_listening_ends_work_under_way_at_once():
    with contextlib.suppress(ZeroDivisionError), Workers(2) as workers:
        futures = [workers.submit(worker_tasks.sleep, number) for number in range(4)]
        time.sleep(0.5)
        raise ZeroDivisionError
    # Work that was waited for would have ended well, after a minute.
    assert all(isinstance(_problem(future), (CancelledError, WorkerDied)) for future in futures)
    with pytest.raises(RuntimeError, match="after shutdown"):
        workers.submit(worker_tasks.sleep, 0)


def test_a_worker_ends_with_its_parent_without_the_systems_help(tmp_path):
    with Family(tmp_path / "spinning", file=worker_tasks.__file__) as family:
        family.wait_until((tmp_path / "spinning").exists)
        assert len(family.workers()) == 1
        os.kill(family.parent.pid, signal.SIGKILL)
        family.parent.wait()
        assert family.gone_soon()


def test_workers_share_the_memory_of_a_data_set(tmp_path):
    n_samples, n_spikes = 1500, 5000
    SpikingDataset(
        np.arange(n_samples + 1) * n_spikes,
        np.tile(np.arange(n_spikes, dtype=np.int32), n_samples),
        np.tile(np.linspace(0, 0.9, n_spikes, dtype=np.float32), n_samples),
        np.arange(n_samples) % 10,
        n_inputs=n_spikes,
    ).save(tmp_path / "data.npz")
    grown = {}
    for n_workers in (1, 4):
        folder = tmp_path / f"{n_workers}"
        folder.mkdir()
        with Workers(n_workers) as workers:
            task = worker_tasks.growth_with_data, tmp_path / "data.npz", n_workers, folder
            futures = [workers.submit(*task) for _ in range(n_workers)]
            grown[n_workers] = sum(future.result() for future in futures)
    n_bytes = (tmp_path / "data.npz").stat().st_size
    assert n_bytes > 60e6
    assert grown[1] > 0.9 * n_bytes  # all of it was looked at
    assert grown[4] < 1.3 * grown[1]


def test_as_many_processors_as_this_process_may_use():
    assert available_processors() == len(os.sched_getaffinity(0))
