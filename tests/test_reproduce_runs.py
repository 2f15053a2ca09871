"""A table is made again with the same figures however often it is ended, and by whomever its steps are done."""

import json
import os
import signal

import pytest

pytest.importorskip("sklearn")

from processes import Family
from small_runs import contents

from spikenn_cy.cli.entry import main
from spikenn_cy.errors import DataError
from spikenn_cy.reproduction import runner

pytestmark = pytest.mark.processes

SPIKES = "features/**/*set.npz"


def call(home, *words):
    return main(["reproduce", "digits", str(home), *map(str, words)])


def figures(home):
    """Return all of a results' record but durations."""
    results = json.loads((home / "results.json").read_text())
    del results["stages"]
    for cell in results["cells"]:
        del cell["extraction"], cell["training"]
    return results


def files(home):
    """Return the bytes of all that does not tell of durations."""
    return {name: text for name, text in contents(home).items() if not name.startswith(("results", "stages"))}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return the folder of the table, made by one process without any disturbance."""
    home = tmp_path_factory.mktemp("whole") / "out"
    assert call(home, "--n_proc", 1) == 0
    return home


def check(home, whole):
    assert figures(home) == figures(whole)
    assert files(home) == files(whole)


def test_the_table_is_made_from_images_to_a_page(whole):
    one, two = figures(whole)["cells"]
    assert [cell["title"] for cell in (one, two)] == ["S2-STDP", "S2-STDP+NCG"]
    for cell in (one, two):
        assert abs(cell["difference_in_published_std"]) < 3
        assert [fold["seed"] for fold in cell["folds"]] == [0, 1]
    assert {"results.html", "results.md", "results.json", "stages.jsonl", "reproduction.json"} <= set(os.listdir(whole))
    assert not list(whole.glob(SPIKES))
    assert len(list(whole.glob("features/**/model.npz"))) == 2
    stages = [json.loads(line)["stage"] for line in (whole / "stages.jsonl").read_text().splitlines()]
    assert stages == ["data", *2 * ["extraction", "training", "training"]]


def test_two_processes_make_the_same_table(whole, tmp_path, capsys):
    assert call(tmp_path / "out", "--n_proc", 2) == 0
    assert capsys.readouterr().err == ""
    check(tmp_path / "out", whole)


@pytest.mark.parametrize("noted", [True, False], ids=["between steps", "before a step is noted"])
def test_a_table_that_is_ended_after_any_number_of_steps_is_gone_on_with(whole, tmp_path, capsys, monkeypatch, noted):
    home, left = tmp_path / "out", []

    def take(step, take=runner.take):
        if noted and not left:
            raise KeyboardInterrupt
        left.pop()
        taken = take(step)
        if not noted and not left:
            raise KeyboardInterrupt
        return taken

    monkeypatch.setattr(runner, "take", take)
    for n_steps in range(1, 4):  # the first of them looks up the features that are there
        left[:] = range(n_steps)
        assert call(home, "--n_proc", 1) == 130
        assert f"the same command goes on with {home}" in capsys.readouterr().err
    assert len(list(home.glob("runs/**/result.json"))) == 2
    monkeypatch.undo()
    assert call(home, "--n_proc", 1) == 0
    check(home, whole)


@pytest.mark.parametrize("event", ["data/*/dataset.json", "features/**/extraction.json", "runs/**/result.json"])
def test_a_command_that_is_killed_leaves_no_process_and_loses_nothing(whole, tmp_path, event):
    home = tmp_path / "out"
    with Family("reproduce", "digits", home, "--n_proc", 2) as family:
        family.wait_until(lambda: list(home.glob(event)))
        os.kill(family.parent.pid, signal.SIGKILL)
        family.parent.wait()
        assert family.gone_soon()
    assert call(home, "--n_proc", 1) == 0
    check(home, whole)


def test_a_complete_table_is_looked_up_and_a_rule_that_comes_later_finds_its_features_again(
    whole, tmp_path, capsys, monkeypatch
):
    home = tmp_path / "out"
    assert call(home, "--rule", "s2stdp", "--n_proc", 1) == 0
    assert [cell["method"] for cell in figures(home)["cells"]] == ["s2stdp"]
    assert call(home, "--rule", "s2stdp+ncg", "--n_proc", 1) == 0  # features anew, by the extractors that were kept
    check(home, whole)
    monkeypatch.setattr(runner, "take", None)
    capsys.readouterr()
    assert call(home, "--n_proc", 1) == 0
    assert "complete since an earlier call" in capsys.readouterr().out
    assert call(home, "--list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "pixels/digits/s2stdp      2 of 2 folds  published 86.47 ± 0.86"
    assert lines[-1] == "complete since an earlier call"
    check(home, whole)


def test_features_stay_if_they_are_to_be_kept_and_go_with_the_next_call(whole, tmp_path):
    home = tmp_path / "out"
    assert call(home, "--keep", "--n_proc", 1) == 0
    assert len(list(home.glob(SPIKES))) == 6
    assert figures(home) == figures(whole)
    assert call(home, "--n_proc", 1) == 0
    check(home, whole)


def test_what_fails_is_reported_and_done_by_the_next_call(whole, tmp_path, capsys, monkeypatch):
    def take(step, take=runner.take):
        if step.place == "pixels/digits/s2stdp+ncg/0":
            raise DataError("digits: must be better, got these")
        return take(step)

    home = tmp_path / "out"
    monkeypatch.setattr(runner, "take", take)
    assert call(home, "--n_proc", 1) == 1
    place = home / "runs" / "pixels" / "digits" / "s2stdp+ncg" / "0"
    assert capsys.readouterr().err == f"failed: {place}: digits: must be better, got these\n"
    assert "S2-STDP+NCG: fold 0 is missing and does not enter." in (home / "results.md").read_text()
    assert not list(home.glob(SPIKES))
    monkeypatch.undo()
    assert call(home, "--n_proc", 1) == 0
    check(home, whole)


def test_without_published_images_nothing_is_left(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    words = ["reproduce", "table1", tmp_path / "out", "--data", tmp_path / "empty", "--dataset", "mnist", "--K", "1"]
    assert main(list(map(str, words))) == 2
    assert "must hold train-images-idx3-ubyte.gz" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_other_folders_and_other_tables_are_refused(whole, tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("mine")
    assert call(tmp_path, "--n_proc", 1) == 2
    assert "must be a new folder or hold this very table, got a folder with notes.txt" in capsys.readouterr().err
    before = contents(whole)
    assert main(["reproduce", "table1", str(whole), "--rule", "s2stdp", "--dataset", "mnist"]) == 2
    assert 'must be a new folder or hold this very table, got one of "digits"' in capsys.readouterr().err
    assert contents(whole) == before
