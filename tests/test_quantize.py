"""The command `quantize` counts what whole numbers of few bits cost, and writes the network that was asked for."""

import csv
import io
import json

import numpy as np
import pytest
from small_runs import settings
from small_runs import write_data

from spikenn_cy import IntegerReadout
from spikenn_cy import Readout
from spikenn_cy import SpikingDataset
from spikenn_cy.cli.entry import main
from spikenn_cy.experiments.quantization import tied

pytestmark = pytest.mark.quick


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return a network of a few epochs as a file, and the folder of its data."""
    folder = tmp_path_factory.mktemp("quantize")
    write_data(folder / "in")
    train = SpikingDataset.from_file(folder / "in" / "trainset.npz")
    model = Readout.from_config(settings(), train.n_inputs, train.n_classes)
    model.fit(train, epochs=3)
    model.save(folder / "model.npz")
    return folder / "model.npz", folder / "in"


def said(capsys, *words):
    """Return what the command prints."""
    assert main(["quantize", *map(str, words)]) == 0
    return capsys.readouterr().out


def test_each_pair_of_bits_has_a_row_that_says_what_the_network_does_on_the_test_set(trained, capsys):
    path, folder = trained
    found = json.loads(said(capsys, path, "--input", folder, "--bits", 8, 3, "--time_bits", 8, 2, "--json"))
    model, test = Readout.load(path), SpikingDataset.from_file(folder / "testset.npz")
    assert (found["set"], found["n_samples"]) == ("test set", 30)
    whole, *rows = found["rows"]
    assert (whole["bits"], whole["accuracy"], whole["same"], whole["inputs_tied"]) == (None, model.score(test), 1, 0)
    assert [(row["bits"], row["time_bits"]) for row in rows] == [(8, 8), (8, 2), (3, 8), (3, 2)]
    for row in rows:
        small = model.quantized(row["bits"], row["time_bits"])
        fired = small.decisions(test).n_fired
        assert row["accuracy"] == small.score(test)
        assert row["same"] == np.mean(small.decide(test) == model.decide(test))
        assert [row["by_spike"], row["by_tie"], row["by_potential"]] == [
            np.mean(fired == 1),
            np.mean(fired > 1),
            np.mean(fired == 0),
        ]
        assert row["n_bytes"] == small.n_bytes
    assert rows[1]["inputs_tied"] > rows[0]["inputs_tied"]


def test_ties_are_of_neighbours_in_a_sample_that_had_different_times(trained):
    model = Readout.load(trained[0])
    times = np.ones((3, 12))
    times[0, :4] = [0.0, 0.1, 0.1, 0.6]  # levels of one bit: 0 0 0 1
    times[2, :2] = [0.7, 0.9]
    data = SpikingDataset.from_numpy(times)
    assert tied(model.quantized(8, 1), data) == 2 / 3
    assert tied(model.quantized(8, 8), data) == 0


def test_the_text_has_a_line_for_each_pair_and_the_csv_too(trained, capsys):
    path, folder = trained
    lines = said(capsys, path, "--input", folder).splitlines()
    assert lines[0] == "30 samples of the test set"
    assert [line.split()[:2] for line in lines[2:5]] == [["float", "float"], ["8", "8"], ["8", "6"]]
    assert len(lines) == 2 + 1 + 15 + 1
    rows = list(csv.DictReader(io.StringIO(said(capsys, path, "--input", folder, "--bits", 4, "--csv"))))
    assert [row["time_bits"] for row in rows] == ["", "8", "6", "4"]


def test_the_network_of_the_first_pair_is_written(trained, tmp_path, capsys):
    path, folder = trained
    out = tmp_path / "small.npz"
    said(capsys, path, "--input", folder, "--bits", 4, 8, "--time-bits", 6, "--out", out)
    small = IntegerReadout.load(out)
    assert (small.bits, small.time_bits) == (4, 6)


@pytest.mark.parametrize(
    ("words", "finding"),
    [
        (["--bits", "9"], "bits: must be at most 8, got 9"),
        (["--bits", "1"], "bits: must be an integer >= 2, got 1"),
        (["--time_bits", "16"], "time_bits: must be at most 8, got 16"),
        (["--bits", "four"], "must be a whole number from 1"),
    ],
)
def test_bits_that_cannot_be_are_refused_in_one_line(trained, capsys, words, finding):
    path, folder = trained
    assert main(["quantize", str(path), "--input", str(folder), *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert finding in line


def test_data_of_another_size_and_a_quantised_network_are_refused(trained, tmp_path, capsys):
    path, folder = trained
    write_data(tmp_path / "wide", n_inputs=15)
    assert main(["quantize", str(path), "--input", str(tmp_path / "wide")]) == 2
    assert "must have the network's 12 inputs, got 15" in capsys.readouterr().err
    said(capsys, path, "--input", folder, "--out", tmp_path / "small.npz")
    assert main(["quantize", str(tmp_path / "small.npz"), "--input", str(folder)]) == 2
    assert "got a quantised network, which IntegerReadout.load reads" in capsys.readouterr().err
