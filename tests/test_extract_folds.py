"""Folds are extracted side by side with the bytes of one process, whatever dies meanwhile."""

import json
import os
import signal

import pytest
from processes import Family
from small_runs import contents
from test_extract import write_images

from spikenn_cy.cli.entry import main
from spikenn_cy.errors import DataError
from spikenn_cy.features import STDPCSNN

pytestmark = pytest.mark.processes

SETTINGS = {"conv1_c": 16, "conv1_epochs": 2, "conv1_th": 3.0}
N_FOLDS = 3


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    """Return a function that gives the words of one and the same extraction of three folds for an output folder."""
    home = tmp_path_factory.mktemp("extraction")
    for fold in range(N_FOLDS):
        write_images(home / "folds" / str(fold), seed=fold)
    (home / "settings.json").write_text(json.dumps(SETTINGS))
    return lambda out, *more: ["extract", "stdp-csnn", home / "folds", out, home / "settings.json", *more]


@pytest.fixture(scope="module")
def whole(words, tmp_path_factory):
    """Return the files that one process writes."""
    out = tmp_path_factory.mktemp("whole") / "out"
    assert main([str(word) for word in words(out, "--n_proc", 1)]) == 0
    return contents(out)


def test_two_processes_write_the_same_bytes_and_tell_of_each_fold(words, whole, tmp_path, capsys):
    assert main([str(word) for word in words(tmp_path / "out", "--n-proc", 2)]) == 0
    out, err = capsys.readouterr()
    assert contents(tmp_path / "out") == whole
    assert err == ""
    for fold in range(N_FOLDS):
        assert f"{tmp_path / 'out' / str(fold)}: seed {fold}, " in out


def test_a_worker_that_is_killed_costs_nothing(words, whole, tmp_path):
    with Family(*words(tmp_path / "out", "--n_proc", 2)) as family:
        family.wait_until(lambda: list(tmp_path.glob("out/*/model.npz")))
        os.kill(family.workers()[0], signal.SIGKILL)
        status, _, err = family.end()
        assert family.gone_soon()
    assert (status, contents(tmp_path / "out")) == (0, whole)
    assert [line for line in err.splitlines() if not line.endswith("since the first one died")] == []


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_a_command_that_is_ended_is_gone_on_with(words, whole, tmp_path, end):
    out = tmp_path / "out"
    with Family(*words(out, "--n_proc", 2)) as family:
        family.wait_until(lambda: list(out.glob("*/trainset.npz")))
        os.kill(family.parent.pid, end)
        status, _, err = family.end()
        assert family.gone_soon()
    if end == signal.SIGINT:
        assert (status, err) == (130, f"interrupted; the same command goes on with {out}\n")
    assert main([str(word) for word in words(out, "--n_proc", 1)]) == 0
    assert contents(out) == whole


def test_a_fold_that_fails_is_reported_and_the_others_go_on(words, whole, tmp_path, capsys, monkeypatch):
    def fit(self, *arguments, fit=STDPCSNN.fit, **options):
        if self.seed == 1:
            raise DataError("images: must be better, got these")
        return fit(self, *arguments, **options)

    monkeypatch.setattr(STDPCSNN, "fit", fit)
    assert main([str(word) for word in words(tmp_path / "out", "--n_proc", 1)]) == 1
    assert capsys.readouterr().err == f"failed: {tmp_path / 'out' / '1'}: images: must be better, got these\n"
    assert contents(tmp_path / "out") == {name: text for name, text in whole.items() if not name.startswith("1/")}
    monkeypatch.undo()
    assert main([str(word) for word in words(tmp_path / "out", "--n_proc", 1)]) == 0
    assert contents(tmp_path / "out") == whole


def test_what_spoils_every_fold_is_told_once(words, tmp_path, capsys, monkeypatch):
    def refuse(*_, **__):
        raise DataError("images: must be better, got these")

    monkeypatch.setattr(STDPCSNN, "fit", refuse)
    assert main([str(word) for word in words(tmp_path / "out", "--n_proc", 1)]) == 2
    assert capsys.readouterr().err == "error: images: must be better, got these\n"
    assert not (tmp_path / "out").exists()
