"""Published tables as data, and what of them is asked for; nothing is trained here."""

import json
from pathlib import Path

import pytest
from small_runs import ROOT

from spikenn_cy.cli.entry import main
from spikenn_cy.experiments.folds import summary_of
from spikenn_cy.reproduction import space
from spikenn_cy.reproduction.datasets import folder_of
from spikenn_cy.reproduction.page import markdown
from spikenn_cy.reproduction.page import page
from spikenn_cy.reproduction.results import results_of
from spikenn_cy.reproduction.runner import Reproduction
from spikenn_cy.reproduction.space import shown
from spikenn_cy.reproduction.tables import TABLES
from spikenn_cy.reproduction.tables import cells_of
from spikenn_cy.reproduction.tables import chosen
from spikenn_cy.reproduction.tables import read_table
from spikenn_cy.reproduction.tables import settings
from spikenn_cy.storage.kinds import RESULT

pytestmark = pytest.mark.quick

FOLDERS = {"stdp-csnn": "STDP-CSNN", "softhebb": "SoftHebb-CNN"}
DATASETS = {"mnist": "MNIST", "fmnist": "F-MNIST", "cifar10": "CIFAR10", "cifar100": "CIFAR100"}
ACCURACIES = dict.fromkeys(("train_accuracy", "val_accuracy"), 0.9)
SIZES = {"n_epochs": 40, "stopped": "early_stopping", "n_train": 1, "n_val": 1, "n_test": 1, "format": 1}


def test_settings_are_those_of_the_published_files_to_the_letter():
    for extractor, folder in FOLDERS.items():
        assert settings()[extractor].keys() == DATASETS.keys()
        for dataset, methods in settings()[extractor].items():
            for method, found in methods.items():
                path = ROOT / "configs" / folder / DATASETS[dataset] / f"{method}.json"
                assert found == json.loads(path.read_text()), path


@pytest.mark.parametrize("name", TABLES)
def test_every_published_figure_and_every_note_is_of_a_cell(name):
    table = read_table(name)
    keys = [cell.key for cell in cells_of(table)]
    assert len(set(keys)) == len(keys)
    for found in (*table.published, *table.notes):
        assert f"{found.extractor}/{found.dataset}/{found.method}" in keys
    for found in table.published:
        assert 0 < found.mean < 1
        assert found.std is None or 0 < found.std < 0.02


def test_the_tables_have_the_cells_of_the_paper():
    assert len(cells_of(read_table("table1"))) == 8 * 8
    assert len(cells_of(read_table("ablation"))) == 7 * 4


def test_names_choose_cells_and_unknown_ones_are_refused(tmp_path, capsys):
    table = read_table("table1")
    found = chosen(table, ["stdp-csnn"], ["fmnist", "cifar10"], ["s2stdp+ncg"])
    assert [cell.key for cell in found] == ["stdp-csnn/fmnist/s2stdp+ncg", "stdp-csnn/cifar10/s2stdp+ncg"]
    assert found[0].published.mean == 0.8872
    for words, error in (
        (("table1", tmp_path / "out", "--rule", "s2stdp-ncg"), "got 's2stdp-ncg' (did you mean s2stdp+ncg?)"),
        (
            ("ablation", tmp_path / "out", "--dataset", "mnist"),
            "--dataset: must be one of fmnist, cifar10, got 'mnist'",
        ),
        (("table1", tmp_path / "out", "--K", "11"), "--K: must be from 1 to 10, got 11"),
        (("table1", ""), "output: must be a path, got an empty one"),
        (("table2", tmp_path / "out"), "must be one of table1, ablation, digits, got 'table2'"),
    ):
        assert main(["reproduce", *map(str, words)]) == 2
        assert error in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_list_tells_cells_published_figures_and_space_and_writes_nothing(tmp_path, capsys):
    assert main(["reproduce", "table1", str(tmp_path / "out"), "--dataset", "fmnist", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "stdp-csnn/fmnist/s2stdp+ncg  0 of 10 folds  published 88.72 ± 0.23" in lines
    assert lines[-1].startswith("one fold after the other takes about ")
    assert not list(tmp_path.iterdir())


def test_a_disk_without_room_is_refused_before_anything_is_written(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(space, "free_bytes", lambda _: 300_000_000)
    words = ["reproduce", "table1", str(tmp_path / "out"), "--extractor", "stdp-csnn", "--dataset", "mnist"]
    assert main([*words, "--rule", "s2stdp", "--data", str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {tmp_path / 'out'}: must be on a disk with about ")
    assert "features of a fold 840.0 MB" in line
    assert line.endswith(", got 300.0 MB")
    assert not list(tmp_path.iterdir())


def test_as_many_folds_are_at_work_as_the_disk_has_room_for(tmp_path, monkeypatch):
    cells = tuple(chosen(read_table("table1"), ["stdp-csnn"], ["mnist"], ["s2stdp"]))
    asked = Reproduction(table="table1", home=tmp_path, cells=cells, n_folds=10)
    left, images = asked.left(), asked.images
    assert len(left) == 10
    for free, n_at_once in ((10e9, 4), (2e9, 2), (1e9, 1)):
        monkeypatch.setattr(space, "free_bytes", lambda _, free=free: free)
        assert space.that_fits(tmp_path, left, images, 4, keep=False).n_at_once == n_at_once
    monkeypatch.setattr(space, "free_bytes", lambda _: 100e9)
    kept = space.that_fits(tmp_path, left, images, 4, keep=True)
    assert kept.features == 10 * 840_000_000
    assert shown(kept.features) == "8.4 GB"


def written(home, key, *accuracies):
    """Write the results of runs, without their networks."""
    for fold, accuracy in enumerate(accuracies):
        folder = home / "runs" / key / str(fold)
        folder.mkdir(parents=True)
        result = ACCURACIES | SIZES | {"test_accuracy": accuracy, "seed": fold}
        (folder / RESULT).write_text(json.dumps(result))


def test_a_cell_stands_beside_what_was_published_with_the_difference_in_its_deviations(tmp_path):
    written(tmp_path, "stdp-csnn/fmnist/s2stdp+ncg", 0.8850, 0.8870)
    written(tmp_path, "stdp-csnn/fmnist/rstdp-5n", 0.80)
    results = results_of(tmp_path, "table1", {"stdp-csnn/fmnist/s2stdp+ncg": 3, "stdp-csnn/fmnist/rstdp-5n": 1})
    unknown, known = results["cells"]
    assert known["here"] == pytest.approx({"mean": 0.8860, "std": 0.001})
    assert known["published"] == {"mean": 0.8872, "std": 0.0023}
    assert known["difference_in_published_std"] == pytest.approx(-0.0012 / 0.0023)
    assert known["missing"] == [{"folder": "2", "state": "missing"}]
    assert (unknown["published"], unknown["difference"]) == (None, None)
    text = markdown(results)
    assert "| S2-STDP+NCG | 88.60 ± 0.10 (88.72 ± 0.23, -0.5 sd) |" in text
    assert "| R-STDP, 5 neurons a class | 80.00 (-) |" in text
    assert "* stdp-csnn, Fashion-MNIST, S2-STDP+NCG: fold 2 is missing and does not enter." in text
    shown_page = page(results)
    assert '<td class="number">88.60 ± 0.10 (88.72 ± 0.23, -0.5 sd)</td>' in shown_page
    record = shown_page.split('id="results">')[1].split("</script>")[0]
    assert json.loads(record) == results


def test_no_cell_is_scored_otherwise_than_by_the_command_score(tmp_path):
    written(tmp_path, "stdp-csnn/fmnist/s2stdp", 0.85, 0.86)
    assert main(["score", str(tmp_path / "runs" / "stdp-csnn" / "fmnist" / "s2stdp")]) == 0
    assert summary_of([]).record["test_accuracy"] is None


def test_images_are_found_in_a_folder_of_the_name_of_their_data_set_or_in_that_of_all(tmp_path):
    for name, folder in (("mnist", "MNIST"), ("fmnist", "Fashion-MNIST"), ("cifar10", "CIFAR-10")):
        (tmp_path / folder).mkdir()
        assert folder_of(name, tmp_path) == tmp_path / folder
    assert folder_of("cifar100", tmp_path) == Path(tmp_path)
