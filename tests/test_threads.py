"""Asking for many threads starts no more than there are processors, and nobody waits for a thread that comes late."""

import _thread
import math
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from spikenn_cy import Readout
from spikenn_cy import SpikingDataset
from spikenn_cy.network import sharing
from spikenn_cy.network.forward import choice
from spikenn_cy.utils import processors
from spikenn_cy.utils.autotune import Autotuner

pytestmark = pytest.mark.quick

TASKS = "/proc/self/task"  # a folder for each thread of this process
CONFIG = {
    "network": [{"n_neurons": 40, "firing_threshold": 25, "w_init_normal": True}],
    "optimizer": {"method": "s2stdp", "ap": 0.1, "am": -0.1, "t_gap": 0.1},
}


def data(n_samples=60):
    times = np.random.default_rng(0).integers(0, 500, (n_samples, 500)) / 256
    return SpikingDataset.from_numpy(times, np.arange(n_samples) % 4)


def network():
    return Readout.from_config(CONFIG, 500, 4, seed=1)


def groups(folder, **files):
    """Write files of control groups, by their path with ``__`` for a slash; return the folder."""
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("cpu_", "cpu.")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.mark.parametrize(
    ("own", "files", "expected"),
    [
        ("0::/\n", {"cpu_max": "150000 100000\n"}, 1.5),
        ("0::/\n", {"cpu_max": "max 100000\n"}, math.inf),
        ("0::/a/b\n", {"a__cpu_max": "200000 100000\n", "a__b__cpu_max": "max 100000\n"}, 2),
        ("0::/outside/of/here\n", {"cpu_max": "50000 100000"}, 0.5),
        ("3:cpuset:/\n1:cpu,cpuacct:/\n", {"cpu__cpu_cfs_quota_us": "300000", "cpu__cpu_cfs_period_us": "100000"}, 3),
        ("1:cpu:/x\n", {"cpu__x__cpu_cfs_quota_us": "-1", "cpu__x__cpu_cfs_period_us": "100000"}, math.inf),
        ("nonsense\n", {"cpu_max": "of another kind"}, math.inf),
    ],
)
def test_a_quota_is_that_of_the_narrowest_group(own, files, expected, tmp_path):
    (tmp_path / "own").write_text(own)
    assert processors.quota(groups(tmp_path / "groups", **files), tmp_path / "own") == expected


def test_there_is_no_quota_where_there_are_no_control_groups(tmp_path):
    assert processors.quota(tmp_path, tmp_path / "none") == math.inf


@pytest.mark.parametrize(("quota", "expected"), [(0.2, 1), (1.0, 1), (1.1, 2), (math.inf, 3)])
def test_processors_are_those_that_a_process_may_use(quota, expected, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 5, 7}, raising=False)
    monkeypatch.setattr(processors, "quota", lambda *_: quota)
    assert processors.available_processors() == expected
    assert processors.threads_that_run(64) == expected
    assert processors.threads_that_run(1) == 1


@pytest.mark.skipif(not os.path.isdir(TASKS), reason="counts threads as Linux lists them")
@pytest.mark.usefixtures("threads_as_asked")
@pytest.mark.parametrize("call", ["fit", "predict", "first_spikes"])
def test_no_more_threads_run_than_there_are_processors(call, monkeypatch):
    monkeypatch.setattr(processors, "available_processors", lambda: 3)
    model, samples = network(), data()
    counts, helpers, ended = [], [], threading.Event()

    def watch():
        while not ended.is_set():
            counts.append(len(os.listdir(TASKS)))
            helpers.append(len(sharing._alive))

    watcher = threading.Thread(target=watch)
    before = len(os.listdir(TASKS)) + 1  # the watcher
    watcher.start()
    for _ in range(20):
        if call == "fit":
            model.fit(samples, epochs=2, n_threads=64)
        else:
            getattr(model, call)(samples, n_threads=64)
    ended.set()
    watcher.join()
    # Two beside the caller; on a busy machine Linux still lists some that have ended.
    assert max(helpers) <= 2
    assert max(counts) < before + 2 + 8


def test_threads_are_as_many_as_the_work_and_the_processors_are_worth(monkeypatch):
    monkeypatch.setattr(processors, "available_processors", lambda: 8)
    assert [sharing.threads_in_a_sample(n * sharing.WEIGHTS_A_THREAD, 64) for n in (0, 1, 2, 7, 100)] == [1, 1, 2, 7, 8]
    assert sharing.threads_in_a_sample(10**9, 3) == 3
    assert sharing.threads_for(data(), 64) == 1
    monkeypatch.setattr(sharing, "SPIKES_A_THREAD", 1)
    assert sharing.threads_for(data(), 64) == 8


def test_processors_are_not_counted_for_work_that_is_not_shared(monkeypatch):
    monkeypatch.setattr(processors, "available_processors", lambda: pytest.fail("counted"))
    model, samples = network(), data(4)
    model.partial_fit(samples, n_threads=8)
    assert len(model.predict(samples, n_threads=8)) == 4


@pytest.mark.usefixtures("threads_as_asked")
@pytest.mark.parametrize("refused", [False, True])
def test_a_thread_that_never_begins_is_not_waited_for(refused, monkeypatch):
    def start(*_):
        if refused:
            raise RuntimeError("can't start new thread")

    model, samples = network(), data()
    expected = model.predict(samples)
    monkeypatch.setattr(_thread, "start_new_thread", start)
    np.testing.assert_array_equal(model.predict(samples, n_threads=4), expected)
    sharing._alive.clear()


def no_thread_is_left():
    deadline = time.monotonic() + 60
    while sharing._alive and time.monotonic() < deadline:
        time.sleep(0.001)
    return not sharing._alive


def test_what_a_thread_raises_the_caller_does():
    assert no_thread_is_left()
    met = threading.Barrier(2)
    caller = threading.get_ident()

    def share():
        met.wait()
        if threading.get_ident() != caller:
            raise ValueError("in the other thread")

    with pytest.raises(ValueError, match="in the other thread"):
        sharing.over_threads(2, share)


def test_the_caller_waits_for_a_thread_that_has_begun():
    assert no_thread_is_left()
    met, done = threading.Barrier(2), []
    caller = threading.get_ident()

    def share():
        met.wait()
        if threading.get_ident() != caller:
            threading.Event().wait(0.05)
            done.append(True)

    sharing.over_threads(2, share)
    assert done == [True]


def test_threads_that_have_not_begun_yet_count(monkeypatch):
    assert no_thread_is_left()
    started = []
    monkeypatch.setattr(_thread, "start_new_thread", lambda _, arguments: started.append(arguments[0]))
    for n_threads in (3, 3, 5):
        sharing.over_threads(n_threads, lambda: None)
    assert len(started) == len(sharing._alive) == 4
    assert all(helper.cancelled() for helper in started)
    sharing._alive.clear()


@pytest.mark.usefixtures("many_processors")
def test_callers_that_ask_the_same_at_the_same_time_share_no_choice(monkeypatch):
    monkeypatch.setattr(sharing, "SPIKES_A_THREAD", 1)
    monkeypatch.setattr(sharing, "SPIKES_A_BLOCK", 10)
    model, samples = network(), data()
    expected = model.predict(samples)
    with ThreadPoolExecutor(3) as pool:
        for found in pool.map(lambda _: model.predict(samples, n_threads=3), range(60)):
            np.testing.assert_array_equal(found, expected)


def clocked(seconds, monkeypatch):
    """Have each way take so many seconds an item; return a list that each way will be written to when it was taken."""
    noted, genuine = [], Autotuner.note

    def note(tuner, n_items, _):
        noted.append(tuner.way)
        genuine(tuner, n_items, n_items * seconds[tuner.way])

    monkeypatch.setattr(Autotuner, "note", note)
    return noted


@pytest.mark.usefixtures("many_processors")
@pytest.mark.parametrize("seconds", [(1.0, 3.0), (1.0, 0.6)])
def test_the_clock_chooses_between_one_thread_and_all_in_training(seconds, monkeypatch):
    monkeypatch.setattr(sharing, "WEIGHTS_A_THREAD", 1)
    monkeypatch.setattr(choice, "_found", {})
    noted = clocked(seconds, monkeypatch)
    network().fit(data(300), epochs=2, n_threads=3, forward="exact")
    assert set(noted) == {0, 1}
    assert seconds[noted[-1]] == min(seconds)


@pytest.mark.usefixtures("many_processors")
@pytest.mark.parametrize("seconds", [(1.0, 3.0), (1.0, 0.6)])
def test_the_clock_chooses_between_one_thread_and_all_in_deciding(seconds, monkeypatch):
    monkeypatch.setattr(sharing, "SPIKES_A_THREAD", 1)
    monkeypatch.setattr(sharing, "SPIKES_A_BLOCK", 50)
    monkeypatch.setattr(sharing, "_tuners", {})
    noted = clocked(seconds, monkeypatch)
    network().predict(data(), n_threads=3)
    assert set(noted) == {0, 1}
    assert seconds[noted[-1]] == min(seconds)
