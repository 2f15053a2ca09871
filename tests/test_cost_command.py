"""The command ``cost`` says of a run what `Readout.cost` counts, and what is wrong with its words in one line."""

import json

import numpy as np
import pytest
from small_runs import dense
from small_runs import settings
from small_runs import write_data

from spikenn_cy import Readout
from spikenn_cy import SpikingDataset
from spikenn_cy.cli.entry import main

pytestmark = pytest.mark.quick


@pytest.fixture
def model(tmp_path, monkeypatch):
    """A network in ``m.npz``, and ``data`` with all three sets."""
    monkeypatch.chdir(tmp_path)
    write_data(tmp_path / "data")
    model = Readout.from_config(settings(), 12, 3)
    model.save("m.npz")
    return model


def told(capsys, *words):
    assert main(["cost", "m.npz", *words]) == 0
    return capsys.readouterr().out


def test_json_has_what_python_counts(model, capsys):
    found = json.loads(told(capsys, "--input", "data", "--json"))
    expected = model.cost(SpikingDataset.from_file("data/testset.npz"))
    assert found == {"data": "testset.npz", **json.loads(json.dumps(expected.to_dict()))}


def test_text_is_the_table_of_python(model, capsys):
    expected = model.cost(SpikingDataset.from_file("data/testset.npz"))
    assert told(capsys, "--input", "data") == f"testset.npz: {expected}\n"
    assert "energy" not in told(capsys, "--input", "data")


def test_energies_are_in_both_forms(model, capsys):
    prices = {"mac": 4.6, "add": 0.9, "byte": 1.25}
    words = ["--input", "data", "--energy", *(f"{name}={price}" for name, price in prices.items())]
    found = json.loads(told(capsys, *words, "--json"))["energy_pj"]
    energy = model.cost(SpikingDataset.from_file("data/testset.npz")).energy(**prices)
    assert found["prices"] == prices
    assert found["until_decision"]["median"] == energy.until_decision.median
    assert found["multiply_adds"] == energy.multiply_adds
    assert "energy of one sample (nJ)" in told(capsys, *words)


@pytest.mark.parametrize(("sets", "taken"), [({"test": False}, "valset"), ({"val": False, "test": False}, "trainset")])
def test_of_a_folder_the_set_is_taken_that_is_farthest_from_training(model, capsys, tmp_path, sets, taken):
    write_data(tmp_path / "fewer", **sets)
    assert told(capsys, "--input", "fewer").startswith(f"{taken}.npz: ")
    assert told(capsys, "--input", "fewer/trainset.npz").startswith("trainset.npz: ")


def test_unlabelled_samples_are_counted(model, capsys):
    SpikingDataset.from_numpy(dense(20, 5)[0]).save("new.npz")
    found = json.loads(told(capsys, "--input", "new.npz", "--json"))
    assert found["n_samples"] == 20
    assert found["accuracy"] is None


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--energy", "mc=1"], "--energy: must be mac=PJ, add=PJ, byte=PJ, got 'mc=1' (did you mean mac?)"),
        (["--energy", "mac=1"], "--energy: must have add too, got 'mac=1'"),
        (["--energy", "mac=1", "add=-2"], "--energy: add must be a number of pJ >= 0, got '-2'"),
        (["--energy", "mac=1", "add"], "--energy: add must be a number of pJ >= 0, got ''"),
        (["--energy", "mac=1", "add=inf"], "--energy: add must be a number of pJ >= 0, got 'inf'"),
        (["--energy", "mac=1", "mac=2"], "--energy: must have mac once, got 'mac=2' as well"),
        (["--input", ""], "input: must be a path, got an empty one"),
        (["--input", "nowhere"], "nowhere: must be a readable file, got No such file or directory"),
        (["--input", "other.npz"], "other.npz: must have the network's 12 inputs, got 2"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(model, capsys, words, line):
    SpikingDataset.from_numpy(np.array([[0.1, 0.2]]), [0]).save("other.npz")
    words = words if "--input" in words else [*words, "--input", "data"]
    assert main(["cost", "m.npz", *words]) == 2
    assert capsys.readouterr().err == f"error: {line}\n"
