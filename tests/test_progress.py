"""Progress is a bar that fits where somebody watches, a line a minute in a log, and nothing in what is kept."""

import io
import os
import pty
import re
import subprocess
import sys
import time
import types

import numpy as np
import pytest
from small_runs import settings

from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.network.readout import Readout
from spikenn_cy.utils import progress as module
from spikenn_cy.utils.progress import Progress
from spikenn_cy.utils.progress import in_notebook

pytestmark = pytest.mark.quick


class Terminal(io.StringIO):
    def isatty(self):
        return True


def terminal_in(monkeypatch, columns=80):
    """Put a terminal in the place of stderr and return it; not a fixture, since pytest sets stderr after those."""
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(sys, "stderr", Terminal())
    return sys.stderr


def frames(shown):
    return [frame.strip() for frame in re.split(r"[\r\n]", shown.getvalue()) if frame.strip()]


def used(**options):
    with Progress(4, "trainset", unit="images", **options) as progress:
        progress.tell(figures="97.3 %")
        progress.step()
        progress.step(3)
    progress.step()  # a late step does no harm


def test_a_terminal_shows_label_count_figures_and_time(monkeypatch):
    terminal = terminal_in(monkeypatch)
    used()
    assert re.fullmatch(r"trainset 4/4 images ━{40,} 97\.3 % 0:0\d", frames(terminal)[-1])


def test_steps_done_before_are_counted(monkeypatch):
    terminal = terminal_in(monkeypatch)
    with Progress(10, "runs", unit="runs", done=7) as progress:
        progress.step()
    assert frames(terminal)[0].startswith("runs 7/10 runs ━")
    assert frames(terminal)[-1].startswith("runs 8/10 runs ━")


def test_bytes_are_counted_in_a_larger_unit(monkeypatch):
    terminal = terminal_in(monkeypatch)
    with Progress(30_100_000, "file.gz", unit="MB", scale=1_000_000) as progress:
        progress.step(9_900_000)
    assert frames(terminal)[-1].startswith("file.gz 9.9/30.1 MB ━")


@pytest.mark.parametrize("columns", [80, 60, 40])
def test_no_text_takes_the_room_of_the_bar(monkeypatch, columns):
    terminal = terminal_in(monkeypatch, columns)
    with Progress(100, "softhebb", unit="images") as progress:
        progress.tell(figures="norms " + " ".join(["25.1"] * 20) + " {}")
        progress.step(50)
    assert all(len(frame) < columns for frame in frames(terminal))
    assert frames(terminal)[-1].count("━") >= 5  # half of ten columns


def test_a_terminal_without_such_signs_gets_plain_ones(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    stream.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", stream)
    used()
    assert b"####" in stream.buffer.getvalue()


@pytest.mark.parametrize(("stream", "show"), [(io.StringIO, True), (Terminal, False)], ids=["file", "not wanted"])
def test_a_short_loop_writes_nothing_to_a_file_or_unwanted(monkeypatch, stream, show):
    monkeypatch.setattr(sys, "stderr", stream())
    used(show=show)
    assert sys.stderr.getvalue() == ""


def test_a_long_loop_writes_a_line_each_minute_and_one_in_the_end_even_while_a_step_lasts(monkeypatch):
    monkeypatch.setattr(module, "A_LINE", 0.02)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with Progress(10, "kfold", unit="runs") as progress:
        progress.step(3)
        progress.tell(figures="1 failed")
        while len(lines := frames(sys.stderr)) < 2:
            time.sleep(0.005)
        progress.step(7)
    assert re.fullmatch(r"kfold 3/10 runs, 1 failed, 0:00 left", lines[-1])
    assert re.fullmatch(r"kfold 10/10 runs, 1 failed, 0:0\d", frames(sys.stderr)[-1])


def test_a_process_without_stderr_runs_on(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    used()


@pytest.mark.processes
def test_the_bar_library_is_imported_only_when_a_bar_is_shown():
    program = (
        "from spikenn_cy.utils.progress import Progress; import sys; Progress(1, ''); assert 'tqdm' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], stderr=subprocess.PIPE, check=True)


def test_what_is_said_meanwhile_is_a_line_of_its_own(monkeypatch):
    terminal = terminal_in(monkeypatch)
    with Progress(4, "training") as progress:
        progress.step()
        progress.say("failed: here")
    assert "failed: here\n" in terminal.getvalue().replace("\r", "\n").splitlines(keepends=True)


def test_what_is_said_where_no_bar_is_seen_is_said_all_the_same(capsys):
    with Progress(4, "training") as progress:
        progress.say("failed: here")
    assert capsys.readouterr().err == "failed: here\n"


def test_a_notebook_shows_a_bar_without_a_terminal(monkeypatch):
    assert not in_notebook()
    kernel = types.SimpleNamespace(kernel=object(), config={})
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: kernel))
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert in_notebook()
    used()
    assert "trainset 4/4 images ━" in sys.stderr.getvalue()  # widgets are not installed here, so a bar of text


@pytest.mark.parametrize(
    ("validated", "figures"), [(True, r"val [\d.]+ % \(best [\d.]+\)"), (False, r"train [\d.]+ %")]
)
def test_training_shows_its_epoch_and_its_last_and_best_accuracy(monkeypatch, validated, figures):
    terminal = terminal_in(monkeypatch)
    generator = np.random.default_rng(0)
    data = SpikingDataset.from_numpy(generator.random((30, 16)), np.arange(30) % 3)
    model = Readout.from_config(settings(), n_inputs=16, n_classes=3)
    model.fit(data, data if validated else None, epochs=3, verbose=True)
    assert frames(terminal)[0].startswith("epoch 1/3 ")
    assert re.fullmatch(rf"epoch 3/3 ━{{20,}} {figures} 0:\d\d", frames(terminal)[-1])


@pytest.mark.processes
def test_the_command_draws_its_bar_on_a_terminal_of_80_columns_and_its_results_elsewhere(tmp_path):
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "spikenn_cy.run", "--seed", "1"]
    environment = {**os.environ, "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, cwd=tmp_path, env=environment)
    os.close(theirs)
    shown = b""
    while part := _read(ours):
        shown += part
    os.close(ours)
    printed = process.communicate()[0].decode()
    assert process.returncode == 0
    drawn = [frame for frame in re.split(r"[\r\n]+", shown.decode()) if frame.strip()]
    assert all(len(frame) <= 80 for frame in drawn)
    assert re.match(r"epoch 60/60 ━{20,} val [\d.]+ % \(best [\d.]+\) 0:\d\d", drawn[-1])
    assert "epoch " not in printed
    assert "validation" in printed


def _read(descriptor):
    try:
        return os.read(descriptor, 65536)
    except OSError:  # what Linux says where others say that the end is reached
        return b""
