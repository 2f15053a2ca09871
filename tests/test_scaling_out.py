"""What the page about many machines shows works as it is written."""

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("distributed")

from dask_processes import dask
from dask_processes import free_port
from dask_processes import known
from dask_processes import until
from small_runs import ROOT
from small_runs import command
from small_runs import contents

import spikenn_cy
from spikenn_cy.demo import CONFIG

pytestmark = pytest.mark.processes

PAGE = (ROOT / "docs" / "scaling-out.md").read_text(encoding="utf-8")
PACKAGE = Path(spikenn_cy.__file__).parent
COMMANDS = re.findall(r"^\$ (.*)$", PAGE, re.MULTILINE)


@pytest.fixture
def here(tmp_path):
    """Return a folder with the page's files of settings and data."""
    config = json.loads(CONFIG.read_text())
    config["trainer"]["epochs"] = 2
    (tmp_path / "config.json").write_text(json.dumps(config))
    config["optimizer"]["ap"] = [0.1, 0.05]
    (tmp_path / "grid.json").write_text(json.dumps(config))
    run("digits scaling-data", tmp_path)
    return tmp_path


def line(start):
    """Return the one command on the page that begins like this."""
    (found,) = (line for line in COMMANDS if line.startswith(start))
    return found


def run(start, folder, **replaced):
    """Do the command of the page that begins like this, with some of its words replaced, and return what it prints."""
    words = line(f"spikenn-cy {start}")
    for old, new in replaced.items():
        assert old in words
        words = words.replace(old, new)
    done = command(*shlex.split(words)[1:], folder=folder)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_two_machines_by_hand_have_the_results_of_one(here):
    run("kfold scaling-data/kfold scaling-out/kfold", here)
    run("gridsearch scaling-data/gs scaling-out/gs", here)
    shown, address = "127.0.0.1:8786", f"127.0.0.1:{free_port()}"
    scheduler, worker = ([*shlex.split(line(f"dask {name}"))[1:]] for name in ("scheduler", "worker"))
    scheduler[scheduler.index("8786")] = address.partition(":")[2]
    worker[worker.index(f"tcp://{shown}")] = f"tcp://{address}"
    with dask(*scheduler, folder=here), dask(*worker, folder=here):
        until(lambda: len(known(f"tcp://{address}")) == 2)
        run("kfold scaling-data/kfold scaling-out/cluster", here, **{shown: address})
    assert contents(here / "scaling-out" / "cluster") == contents(here / "scaling-out" / "kfold")
    assert run("score scaling-out/cluster", here) == command("score", "scaling-out/kfold", folder=here).stdout


def test_the_slurm_script_starts_workers_for_a_grid_search(here):
    pytest.importorskip("dask_jobqueue")
    (script,) = (block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "SLURMCluster" in block)
    small = {'"ib0"': '"lo"', ":8787": ":0", "cores=32": "cores=2", "processes=32": "processes=2", "jobs=4": "jobs=1"}
    for old, new in small.items():
        assert script.count(old) == 1
        script = script.replace(old, new)
    (here / "workers.py").write_text(script)
    # Slurm, in as far as it is asked here: runs a script later and says its number.
    (here / "bin").mkdir()
    for name, lines in {"sbatch": 'cp "$1" job; sh job >log 2>&1 & echo Submitted batch job 7', "scancel": ":"}.items():
        (here / "bin" / name).write_text(f"#!/bin/sh\n{lines}\n")
        (here / "bin" / name).chmod(0o755)
    more = {"PATH": f"{here / 'bin'}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "workers.py"],
        cwd=here,
        env=os.environ | more,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        address = process.stdout.readline().strip()
        assert address.startswith("tcp://127.0.0.1:")
        until(lambda: len(known(address)) == 2)
        assert "--memory-limit 0" in (here / "job").read_text()
        run("gridsearch scaling-data/gs scaling-out/slurm", here, **{"tcp://10.1.2.3:40000": address})
        assert run("best scaling-out/slurm", here).count("\n") >= 2
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_every_reason_on_the_page_is_one_that_is_given():
    sources = [path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")]
    reasons = re.findall(r"`(must .*?)`", PAGE)
    assert len(reasons) > 8
    for reason in reasons:
        pieces = [piece.strip(" ,") for piece in re.split(r"…|, got (?:none|one)", reason)]
        assert any(all(piece in source for piece in pieces) for source in sources), reason


def test_every_option_on_the_page_exists():
    for words in map(shlex.split, COMMANDS):
        if words[0] == "spikenn-cy":
            usage = command(words[1], "--help").stdout
            assert all(word in usage for word in words if word.startswith("--")), words
