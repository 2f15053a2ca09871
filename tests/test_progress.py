"""A progress bar is seen on a terminal and nowhere else."""

import io
import subprocess
import sys

import pytest

from spikenn_cy.utils.progress import Progress

pytestmark = pytest.mark.quick


class Terminal(io.StringIO):
    def isatty(self):
        return True


def used(**options):
    with Progress(4, "training", unit="epoch", **options) as progress:
        progress.step(validation="97.3 %")
        progress.step(3)
    progress.step()  # a late step does no harm


def test_a_terminal_shows_label_count_and_figures(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    used()
    shown = sys.stderr.getvalue()
    assert "training: 100%" in shown
    assert "4/4" in shown
    assert "epoch/s" in shown
    assert "validation=97.3 %" in shown


def test_steps_done_before_are_counted(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with Progress(10, "training", done=7) as progress:
        progress.step()
    assert "8/10" in sys.stderr.getvalue()


@pytest.mark.parametrize(("stream", "show"), [(io.StringIO, True), (Terminal, False)], ids=["file", "not wanted"])
def test_nothing_is_shown_in_a_file_or_unwanted(monkeypatch, stream, show):
    monkeypatch.setattr(sys, "stderr", stream())
    used(show=show)
    assert sys.stderr.getvalue() == ""


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
    monkeypatch.setattr(sys, "stderr", Terminal())
    with Progress(4, "training") as progress:
        progress.step()
        progress.say("failed: here")
    assert "failed: here\n" in sys.stderr.getvalue().replace("\r", "\n").splitlines(keepends=True)


def test_what_is_said_where_no_bar_is_seen_is_said_all_the_same(capsys):
    with Progress(4, "training") as progress:
        progress.say("failed: here")
    assert capsys.readouterr().err == "failed: here\n"
