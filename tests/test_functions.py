"""Cross-validations and grid searches as calls in Python: the bits that commands give, for data in memory as well."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from small_runs import contents
from small_runs import dense
from small_runs import settings
from small_runs import write_data

import spikenn_cy
from spikenn_cy.cli.entry import main
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import ConfigWarning
from spikenn_cy.errors import DataError
from spikenn_cy.errors import DataWarning
from spikenn_cy.errors import RunError
from spikenn_cy.errors import SpikennError
from spikenn_cy.experiments import gridsearch
from spikenn_cy.experiments import kfold

pytestmark = pytest.mark.quick

SHORT = settings(trainer={"epochs": 2})
GRID = settings(optimizer={"ap": [0.1, 0.05]}, trainer={"epochs": 2})


def datasets(fold=0):
    """Return training, validation and test set of a fold."""
    return tuple(SpikingDataset.from_numpy(*dense(n, seed=10 * fold + i)) for i, n in enumerate((60, 30, 30)))


UNLABELLED = SpikingDataset.from_numpy(dense(60, seed=0)[0])
OTHER = SpikingDataset.from_numpy([[0.5, 0.25]], [0])


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Return a folder with the data of two folds."""
    folder = tmp_path_factory.mktemp("folds")
    for fold in range(2):
        (folder / str(fold)).mkdir()
        for stem, dataset in zip(("trainset", "valset", "testset"), datasets(fold), strict=True):
            dataset.save(folder / str(fold) / f"{stem}.npz")
    return folder


def test_folds_in_memory_give_the_files_of_the_command(many, tmp_path, capsys):
    config = tmp_path / "c.json"
    config.write_text(str(SHORT).replace("'", '"').replace("True", "true"))
    assert main(["kfold", str(many), str(tmp_path / "command"), str(config), "--K", "2", "--n_proc", "1"]) == 0
    printed = capsys.readouterr().out
    result = kfold([datasets(0), datasets(1)], SHORT, tmp_path / "call")
    assert contents(tmp_path / "call") == contents(tmp_path / "command")
    assert f"{result!r}\n" == printed
    mixed = [many / "0", dict(zip(("train", "val", "test"), datasets(1), strict=True))]
    assert repr(kfold(mixed, SHORT)) == repr(kfold(many, SHORT)) == repr(result)


def test_a_result_has_what_was_measured(many):
    result = kfold(many, SHORT)
    assert result.failed == {}
    assert [len(history.epochs) for history in result.histories] == [2, 2]
    assert set(result.accuracies) == {"train", "val", "test"}
    last = [history.test_accuracy[-1] for history in result.histories]
    np.testing.assert_array_equal(result.accuracies["test"], last)
    assert (result.measured_on, result.mean, result.std) == ("test", np.mean(last), np.std(last))
    without = kfold([datasets(0)[:1]], SHORT)
    assert without.measured_on == "train"
    assert np.isnan(without.accuracies["test"]).all()


def test_a_data_set_is_split_so_that_each_sample_is_tested_once(tmp_path):
    dataset = datasets()[0]
    result = kfold(dataset, SHORT, tmp_path / "out", K=4, seed=3)
    assert [run.seed for run in result.runs] == [3, 4, 5, 6]
    assert result.accuracies["test"].shape == (4,)
    assert sum(len(history.epochs) for history in result.histories) == 8
    again = contents(tmp_path / "out")
    assert repr(kfold(dataset, SHORT, tmp_path / "out", K=4, seed=3)) == repr(result)
    assert contents(tmp_path / "out") == again
    with pytest.raises(RunError, match="must be a new folder"):
        kfold(dataset, SHORT, tmp_path / "out", K=4, seed=4)


def test_a_grid_in_memory_is_that_of_the_command(tmp_path, capsys):
    result = gridsearch(datasets()[:2], GRID)
    accuracies = [run.val_accuracy for run in result.runs]
    assert accuracies == sorted(accuracies, reverse=True)
    assert result.best.settings == {"optimizer.ap": result.best.config.optimizer.ap}
    assert result.best.history.val_accuracy[-1] == result.best.val_accuracy
    assert repr(result).splitlines()[0].split() == ["rank", "run", "training", "validation", "epochs", "ap"]
    folder = write_data(tmp_path / "in", test=False)
    kept = gridsearch(folder, GRID, out=tmp_path / "out")
    assert main(["best", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out.startswith(repr(kept))
    assert kfold([datasets()], result.best.config).mean > 0


def test_runs_that_fail_are_in_the_result(capsys):
    result = gridsearch(datasets()[:2], settings(network={"n_neurons": [6, 7]}, trainer={"epochs": 1}))
    assert len(result.runs) == 1
    ((folder, why),) = result.failed.items()
    assert folder.startswith("1-n_neurons=7")
    assert "must be a multiple of the 3 classes" in why
    assert "failed: " in capsys.readouterr().err


def test_a_grid_that_cannot_tell_what_is_better_warns():
    with pytest.warns(DataWarning, match="has no valset, so that runs are ranked by training accuracy"):
        assert gridsearch(datasets()[0], GRID).ranked_by == "train_accuracy"
    with pytest.warns(ConfigWarning, match="no setting has several values to try"):
        gridsearch(datasets()[:2], SHORT)


@pytest.mark.parametrize(
    ("data", "options", "error", "finding"),
    [
        (3, {}, DataError, "data: must be a folder, a data set, or a list of what each fold has, got 3"),
        ([], {}, DataError, "data: must be a folder"),
        (datasets(), {}, DataError, r"data\[0\]: must be a folder, or training, validation and test set"),
        ([(None, *datasets()[1:])], {}, DataError, r"data\[0\]: must be"),
        ([{"trian": datasets()[0]}], {}, DataError, r"data\[0\]: must be"),
        (datasets()[0], {"K": 1}, ConfigError, "K: must be from 2 to 20, the samples of the smallest class, got 1"),
        ([datasets()], {"K": 2}, ConfigError, "K: must be from 1 to the 1 folds that are given, got 2"),
        ([datasets()], {"n_proc": 0}, ConfigError, "n_proc: must be an integer >= 1, got 0"),
        ([datasets()], {"seed": -1}, ConfigError, "seed: must be"),
        ([datasets()], {"out": 3}, RunError, "out: must be a path or None, got 3"),
        ([datasets()], {"config": {"network": []}}, ConfigError, "must"),
        (UNLABELLED, {}, DataError, "^data: must have labels"),
        (datasets()[0][:0], {"K": 2}, DataError, "^data: must hold two samples of each class or more, got 0"),
        (datasets()[0][:1], {"K": 2}, DataError, "^data: must hold two samples of each class or more, got 1"),
        ([(UNLABELLED, None, datasets()[2])], {}, DataError, r"^data\[0\]: train: must have labels"),
        (
            [datasets(), {"train": datasets()[0], "val": UNLABELLED}],
            {},
            DataError,
            r"^data\[1\]: val: must have labels",
        ),
        ([(datasets()[0], datasets()[1][:0])], {}, DataError, r"^data\[0\]: val: must hold at least one sample, got 0"),
        (
            [(datasets()[0], OTHER)],
            {},
            DataError,
            r"^data\[0\]: val: must have 12 inputs like the training set, got 2$",
        ),
        (["nowhere"], {}, DataError, "^nowhere: must be a folder with a trainset, got no such folder"),
        ("nowhere", {}, DataError, "nowhere: must hold the data of folds in folders 0, 1, ..."),
    ],
)
def test_what_does_not_suit_is_refused_in_one_line(data, options, error, finding):
    with pytest.raises(error, match=finding) as refusal:
        kfold(data, **{"config": SHORT} | options)
    assert isinstance(refusal.value, SpikennError)
    assert "\n" not in str(refusal.value)


def test_a_part_of_a_set_that_lacks_a_class_is_split_too():
    train = datasets()[0]
    result = kfold(train[train.labels != 2], SHORT, K=2)
    assert len(result.histories) == 2


def test_a_grid_search_names_the_set_that_does_not_suit():
    with pytest.raises(DataError, match=r"^data: val: must have labels"):
        gridsearch((datasets()[0], UNLABELLED), GRID)


@pytest.mark.processes
def test_a_script_without_a_guard_is_told_what_to_write(many, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(f"from spikenn_cy.experiments import kfold\nkfold({str(many)!r}, {SHORT!r}, n_proc=2)\n")
    found = os.environ | {"PYTHONPATH": os.fspath(Path(spikenn_cy.__file__).parent.parent)}
    done = subprocess.run([sys.executable, script], env=found, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f'spikenn_cy.errors.RunError: {script}: must start several processes below `if __name__ == "__main__":`, '
        "got a call that each repeats"
    )
    assert done.stderr.count("Traceback") == 1  # the script's own
