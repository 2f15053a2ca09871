"""Whatever is killed, and whenever: nothing is left running, nothing is lost, and the results are the same."""

import functools
import json
import os
import signal
import time

import numpy as np
import pytest
from processes import Family
from small_runs import contents
from small_runs import write_data
from small_runs import write_settings

from spikenn_cy.cli.entry import main
from spikenn_cy.network.readout import Readout

pytestmark = pytest.mark.processes

N_KILLS = 8
N_RUNS = 6


@pytest.fixture(scope="module")
def search(tmp_path_factory):
    """Return a function that gives the words of one and the same grid search for an output folder."""
    folder = tmp_path_factory.mktemp("search")
    data = write_data(folder / "in")
    grid = write_settings(
        folder / "grid.json",
        network={"firing_threshold": [1.5, 2]},
        optimizer={"ap": [0.1, 0.05, 0.02]},
        trainer={"epochs": 60},
    )
    return lambda output: ["gridsearch", data, output, grid, "--n_proc", "2", "--resume"]


@pytest.fixture(scope="module")
def whole(search, tmp_path_factory):
    """Return the folder of the grid search, done without any disturbance."""
    folder = tmp_path_factory.mktemp("whole") / "out"
    with Family(*search(folder)) as family:
        assert family.end()[0] == 0
    return folder


@pytest.fixture
def undisturbed(whole):
    return contents(whole)


def best(capsys, output):
    assert main(["best", str(output), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def has_workers(family, output, n_done):
    """Return whether there are workers and that many runs are done, or the command has ended."""
    n_results = len(list(output.rglob("result.json")))
    return (n_results >= n_done and family.workers()) or family.parent.poll() is not None


def check_that_every_file_parses(output):
    for path in output.rglob("*"):
        # What begins with a dot is a lock, or half a file that never took its name.
        if path.is_dir() or path.name.startswith("."):
            continue
        if path.suffix == ".json":
            json.loads(path.read_text())
        elif path.name in ("model.npz", "checkpoint.npz"):
            assert Readout.load(path).n_classes == 3
        elif path.suffix == ".jsonl":
            # It grows by whole lines while a run is watched, and is written anew by the run that goes on.
            lines = path.read_text().splitlines()
            assert [json.loads(line)["epoch"] for line in lines] == list(range(len(lines)))


def test_a_parent_killed_at_any_moment_leaves_no_worker_and_loses_nothing(search, whole, undisturbed, tmp_path, capsys):
    generator = np.random.default_rng(20)
    n_kills, n_folders, n_with_workers = 0, 0, 0
    while n_kills < N_KILLS:
        output = tmp_path / f"out-{n_folders}"
        n_folders += 1
        complete = False
        while not complete:
            with Family(*search(output)) as family:
                if n_kills < N_KILLS:
                    if n_kills % 2:  # while there are workers, however slow the machine is
                        n_done = generator.integers(N_RUNS)
                        family.wait_until(functools.partial(has_workers, family, output, n_done))
                    else:
                        time.sleep(generator.uniform(0.2, 1.2))
                    complete = family.parent.poll() is not None
                    if not complete:
                        n_with_workers += bool(family.workers())
                        os.kill(family.parent.pid, signal.SIGKILL)
                        family.parent.wait()
                        assert family.gone_soon()
                        n_kills += 1
                        check_that_every_file_parses(output)
                        continue
                status, _, err = family.end()
                assert (status, err) == (0, "")
                complete = True
        assert contents(output) == undisturbed
        assert best(capsys, output) == best(capsys, whole)
    assert n_with_workers >= N_KILLS / 4  # else the moments were badly chosen


def test_a_worker_killed_in_mid_run_costs_nothing(search, undisturbed, tmp_path):
    output = tmp_path / "out"
    with Family(*search(output)) as family:
        family.wait_until(lambda: list(output.rglob("checkpoint.npz")))
        os.kill(family.workers()[0], signal.SIGKILL)
        status, out, err = family.end()
        assert family.gone_soon()
    assert status == 0
    (line,) = err.splitlines()
    assert line.startswith(f"note: {output}/")
    assert line.endswith(": done by another worker, since the first one died")
    assert f"{N_RUNS} of {N_RUNS} runs complete" in out
    assert contents(output) == undisturbed


@pytest.mark.parametrize("moment", ["manifest.json", "checkpoint.npz", "result.json"])
def test_ctrl_c_leaves_no_process_and_a_folder_to_go_on_with(search, undisturbed, tmp_path, moment):
    output = tmp_path / "out"
    with Family(*search(output)) as family:
        family.wait_until(lambda: list(output.rglob(moment)))
        os.killpg(family.parent.pid, signal.SIGINT)
        status, out, err = family.end()
        assert family.gone_soon()
    assert (status, out, err) == (130, "", f"interrupted; the same command goes on with {output}\n")
    if output.exists():
        check_that_every_file_parses(output)
    with Family(*search(output)) as family:
        assert family.end()[0] == 0
    assert contents(output) == undisturbed
