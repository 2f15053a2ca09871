"""A network's plain arrays decide as it does with nothing but NumPy, and the command says what it cannot do."""

import json
import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from small_runs import command
from small_runs import write_data
from small_runs import write_settings
from strategies import cases

from spikenn_cy.cli.entry import main
from spikenn_cy.config import ExperimentConfig
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.demo import CONFIG
from spikenn_cy.demo import demo_datasets
from spikenn_cy.errors import ConfigError
from spikenn_cy.experiments.single import RunJob
from spikenn_cy.experiments.single import run_single
from spikenn_cy.export import export
from spikenn_cy.network.readout import Readout
from spikenn_cy.utils.extras import wanted

pytestmark = pytest.mark.quick

PAGE = (Path(__file__).parent.parent / "docs" / "exchange.md").read_text(encoding="utf-8")
NIR_EXAMPLE, NUMPY_EXAMPLE, *_ = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = re.findall(r"^\$ (.*)$", PAGE, re.MULTILINE)


# Enough neurons for a wrong leak to change a decision.
MANY_LEAKY = {"neuron": "lif", "n_classes": 3, "neurons_per_class": 5, "n_samples": 20, "threshold": "middle"}


@pytest.fixture(scope="module")
def decide():
    """Return the page's function that decides with nothing but NumPy."""
    names = {}
    exec(compile(NUMPY_EXAMPLE[: NUMPY_EXAMPLE.index("network = ")], "docs/exchange.md", "exec"), names)
    return names["decide"]


# Untrained coarse weights make potentials that meet a threshold exactly; trained ones need every bit of a sum.
@pytest.mark.full
@given(made=cases(w_norm=False) | cases(**MANY_LEAKY, w_norm=False), trained=st.booleans())
def test_the_arrays_decide_to_the_bit_as_the_network(made, trained, tmp_path_factory, decide):
    model = Readout.from_config(made["config"], **made["shape"], seed=made["seed"] % 1000)
    for layer, weights in zip(model.layers, made["weights"], strict=True):
        layer.weights = weights
    data = SpikingDataset(
        **made["data"],
        n_inputs=model.n_inputs,
        max_time=model.max_time,
        classes=np.arange(model.n_classes),
    )
    if trained:
        model.fit(data, epochs=1)
    path = tmp_path_factory.mktemp("npz") / "model.npz"
    export(model, path)
    with np.load(path, allow_pickle=False) as file:
        network = dict(file)
    assert_array_equal([decide(network, inputs, times) for inputs, times, _ in data], model.predict(data))


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    """Return the folder of a small complete run."""
    folder = tmp_path_factory.mktemp("export")
    write_data(folder / "in", val=False, test=False)
    config = write_settings(folder / "config.json", trainer={"epochs": 2})
    run_single(RunJob(output=folder / "out", input=folder / "in", config=config))
    return folder / "out"


def test_the_arrays_are_those_of_the_page(run_dir, tmp_path):
    model = export(run_dir / "model.npz", tmp_path / "plain.npz")
    with np.load(tmp_path / "plain.npz", allow_pickle=False) as file:
        network = dict(file)
    table = PAGE[PAGE.index("| array |") :].split("\n\n")[0]
    rows = [re.findall(r"`(\w+)`", row.split("|")[1]) for row in table.splitlines()[2:]]
    assert set(network) == {name for row in rows for name in row} - {"weights_1"}
    assert_array_equal(network["weights_0"], model.layers[0].weights)
    assert_array_equal(network["thresholds_0"], model.layers[0].thresholds)
    assert {name: network[name].dtype.name for name in ("weights_0", "thresholds_0", "class_of_neuron")} == {
        "weights_0": "float32",
        "thresholds_0": "float32",
        "class_of_neuron": "int32",
    }
    assert network["leak_tau"].tolist() == [np.inf]
    assert network["max_time"].shape == ()
    assert network["class_of_neuron"].tolist() == [0, 0, 1, 1, 2, 2]
    assert network["classes"].tolist() == [0, 1, 2]
    assert network["format"] == "spikenn_cy first-spike network, version 1"


def test_the_command_takes_the_folder_of_a_run_or_a_file(run_dir, tmp_path, capsys):
    for source, output in ((run_dir, "a.npz"), (run_dir / "model.npz", "b.NPZ")):
        assert main(["export", str(source), str(tmp_path / output)]) == 0
        assert capsys.readouterr().out == f"12 -> 6 neurons, 3 classes: {tmp_path / output}\n"
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.NPZ").read_bytes()


def refused(capsys, *words):
    """Return the one line with which the command ends that is given wrong words."""
    assert main(["export", *map(str, words)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    return line


@pytest.mark.parametrize(
    ("words", "finding"),
    [
        (["out", "model.onnx"], "model.onnx: suffix must be one of .nir, .npz, .h, got '.onnx'"),
        (["out", "model"], "model: suffix must be one of .nir, .npz, .h, got ''"),
        (["nowhere", "model.npz"], "nowhere: must be a file that Readout.save wrote, got No such file or directory"),
        (["empty", "model.npz"], "empty: must be the folder of a complete run, with model.npz, got another folder"),
        (["begun", "model.npz"], "begun: must be the folder of a complete run, with model.npz, got an unfinished one"),
        (["torn.npz", "model.npz"], "torn.npz: must be a file that Readout.save wrote, got BadZipFile: File is not"),
        (
            ["plain.npz", "model.npz"],
            "plain.npz: must be a file that Readout.save wrote, got plain arrays for other software",
        ),
        (["out", "out/model.npz"], "out/model.npz: must be another file than the network's own, got the same"),
        (["out", "nowhere/model.npz"], "nowhere/model.npz: must be writable, got No such file or directory"),
        (["out", "model.npz", "--dt", "0.1"], "dt: must be left out unless a .nir file is written, got 0.1"),
    ],
)
def test_what_cannot_be_written_is_refused_in_one_line(run_dir, tmp_path, monkeypatch, capsys, words, finding):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    whole = (run_dir / "model.npz").read_bytes()
    (tmp_path / "out" / "model.npz").write_bytes(whole)
    (tmp_path / "torn.npz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty").mkdir()
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / "config.json").write_text("{}")
    export(run_dir / "model.npz", "plain.npz")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert refused(capsys, *words).startswith(f"error: {finding}")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_without_nir_one_line_says_what_to_install(run_dir, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "nir", None)
    line = refused(capsys, run_dir, tmp_path / "model.nir")
    assert line == f"error: export: needs the package nir, which python -m pip install {wanted('nir')} brings"
    assert list(tmp_path.iterdir()) == []
    assert main(["export", str(run_dir), str(tmp_path / "model.npz")]) == 0


def test_a_step_that_is_none_is_refused(run_dir, tmp_path):
    pytest.importorskip("nir")
    for dt, rule in ((0, "must be a finite number > 0"), (2.0, "must be at most max_time = 1.0")):
        with pytest.raises(ConfigError, match=f"dt: {rule}, got {dt}"):
            export(run_dir / "model.npz", tmp_path / "model.nir", dt=dt)


# The page


@pytest.fixture(scope="module")
def page_folder(tmp_path_factory):
    """Return a folder in which the page's first command was given, with fewer epochs."""
    assert COMMANDS[0] == "spikenn-cy run --overwrite"
    folder = tmp_path_factory.mktemp("page")
    settings = json.loads(CONFIG.read_text())
    settings["trainer"]["epochs"] = 2
    run_single(RunJob(output=folder / "spikenn-demo", config=ExperimentConfig.from_any(settings)))
    return folder


@pytest.mark.processes
def test_the_commands_on_the_page_work(page_folder):
    pytest.importorskip("nir")
    for line in COMMANDS[1:]:
        done = command(*shlex.split(line)[1:], folder=page_folder)
        assert (done.returncode, done.stderr) == (0, "")
    assert {path.name for path in page_folder.glob("*.*")} == {"model.nir", "model.npz", "snntorch.nir", "back.npz"}


def test_the_graph_is_as_the_page_shows(page_folder, monkeypatch, capsys):
    pytest.importorskip("nir")
    monkeypatch.chdir(page_folder)
    export("spikenn-demo/model.npz", "model.nir")
    exec(compile(NIR_EXAMPLE, "docs/exchange.md", "exec"), {})
    shown, *_ = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    assert capsys.readouterr().out == shown


def test_the_numpy_example_classifies_the_digits_as_the_network(page_folder, monkeypatch, capsys):
    monkeypatch.chdir(page_folder)
    model = export("spikenn-demo/model.npz", "model.npz")
    names = {}
    exec(compile(NUMPY_EXAMPLE, "docs/exchange.md", "exec"), names)
    assert re.fullmatch(r"class \d\n", capsys.readouterr().out)
    test = demo_datasets()[2]
    found = [names["decide"](names["network"], inputs, times) for inputs, times, _ in test]
    assert_array_equal(found, model.predict(test))
    assert np.mean(found == test.labels) > 0.8
