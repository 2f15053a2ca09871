"""A user's script passes strict type checking, and stubs say of compiled modules what these are."""

import ast
import os
import re
import shutil
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

import spikenn_cy

pytestmark = pytest.mark.full

pytest.importorskip("mypy")

PACKAGE = Path(spikenn_cy.__file__).parent
COMPILED = {
    ".".join((path.parent / path.name.partition(".")[0]).relative_to(PACKAGE.parent).parts): path
    for suffix in EXTENSION_SUFFIXES
    for path in PACKAGE.rglob(f"*{suffix}")
}
HOME = {"PYTHONPATH": str(PACKAGE.parent)}
if "site-packages" not in PACKAGE.parts:  # where type checkers look by themselves
    HOME["MYPYPATH"] = HOME["PYTHONPATH"]

SCRIPT = """
import numpy as np
from numpy.typing import NDArray

from spikenn_cy import ConfigError
from spikenn_cy import DataError
from spikenn_cy import EpochReport
from spikenn_cy import ExperimentConfig
from spikenn_cy import History
from spikenn_cy import Readout
from spikenn_cy import RunError
from spikenn_cy import SpikennError
from spikenn_cy import SpikingDataset
from spikenn_cy import __version__


def accuracy(model: Readout, dataset: SpikingDataset) -> float:
    times, potentials = model.first_spikes(dataset)
    print(times.shape, potentials.dtype, model.predict(dataset, n_threads=2), model.classes[model.decide(dataset)])
    return model.score(dataset)


def learn(config: ExperimentConfig, dataset: SpikingDataset) -> History:
    model = Readout.from_config(config, n_inputs=dataset.n_inputs, n_classes=dataset.n_classes, seed=0)
    model.layers[-1].weights = np.full((10, dataset.n_inputs), 0.5)
    weights: NDArray[np.float32] = model.layers[-1].weights
    model.layers[-1].thresholds = weights.sum(axis=1) / 2
    half: SpikingDataset = dataset[: len(dataset) // 2]
    chosen: SpikingDataset = dataset[np.arange(3)]
    inputs, times, label = dataset[0]
    print(inputs[times < 0.5], label + 1, [len(i) for i, t, n in chosen])
    history = model.fit(half, val=chosen, epochs=3, checkpoint="checkpoint.npz", on_epoch=said)
    model.partial_fit(dataset).save("model.npz")
    print(Readout.load("model.npz").training_thresholds, accuracy(model, dataset))
    return history


def said(report: EpochReport) -> None:
    print(report.epoch + 1, 100 * report.train_accuracy, report.val_accuracy, report.stopped or "goes on")


try:
    data = SpikingDataset.from_numpy(np.zeros((20, 4)), ["a", "b"] * 10, max_time=1.0)
    data.save("trainset.npz")
    settings = ExperimentConfig.from_any({"network": []})
    print(settings.network[-1].n_neurons, settings.optimizer.ap, settings.trainer.epochs)
    if settings.regularizer is not None:
        print(settings.regularizer.thr_lr)
    best = max(learn(settings, SpikingDataset.from_file("trainset.npz")).train_accuracy)
    print(f"{best:.3f}", data.to_dense().max(), __version__.upper())
except (ConfigError, DataError, RunError) as refusal:
    error: SpikennError = refusal
    print(error)
"""
MISTAKES = {
    "data = SpikingDataset.from_numpy(np.zeros((2, 2)), [0, 1], max_tme=1.0)": "call-arg",
    "wrong: str = SpikingDataset.from_file('x.npz')[:3]": "assignment",
    "Readout.load('model.npz').predict(np.zeros(3))": "arg-type",
    "ExperimentConfig.from_any({}).trainer.epoch": "attr-defined",
    "wrong: int = Readout.load('model.npz').score(SpikingDataset.from_file('x.npz'))": "assignment",
}


def checked(script, folder):
    """Return the errors that a strict check of a script finds."""
    (folder / "script.py").write_text(script)
    said = subprocess.run(
        # As for an installed package, of which a checker reports no errors, only follows its types.
        [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--no-error-summary", "script.py"],
        cwd=folder,
        env=os.environ | HOME,
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    return [line for line in said.splitlines() if ": note: " not in line]


def test_a_users_script_passes_strict_checking_and_mistakes_in_it_do_not(tmp_path):
    mistakes = [f"def f{number}() -> None:\n    {line}\n" for number, line in enumerate(MISTAKES)]
    found = checked(SCRIPT + "\n\n" + "\n\n".join(mistakes), tmp_path)
    first = SCRIPT.count("\n") + 1
    lines = [int(re.match(r"script\.py:(\d+): error", line)[1]) for line in found]
    assert min(lines) > first, found  # none in what is right
    assert [re.search(r"\[([\w-]+)\]$", line)[1] for line in found] == list(MISTAKES.values())


def test_the_package_says_that_it_is_typed():
    assert (PACKAGE / "py.typed").exists()


def test_every_compiled_module_that_python_imports_has_a_stub():
    imported = set()
    for path in PACKAGE.rglob("*.py"):
        imported |= {node.module for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)}
    wanted = [name for name in COMPILED if name in imported]
    assert "spikenn_cy.network._inference" in wanted
    assert [name for name in wanted if not (PACKAGE.parent / f"{name.replace('.', '/')}.pyi").exists()] == []


def test_stubs_agree_with_the_compiled_modules(tmp_path):
    # Apart from the rest of the package, whose own types are not the question here.
    stubs = [path.relative_to(PACKAGE.parent) for path in PACKAGE.rglob("*.pyi")]
    for stub in stubs:
        (tmp_path / stub).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PACKAGE.parent / stub, tmp_path / stub)
        for folder in stub.parents[:-1]:
            (tmp_path / folder / "__init__.pyi").touch()
    # What Cython adds to a module, and constants that it imports.
    (tmp_path / "allowed").write_text(r".*\.(__(reduce|setstate)_cython__|__test__|__pyx_capi__|[A-Z][A-Z_]*)" + "\n")
    done = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "--concise", "--ignore-disjoint-bases", "--ignore-unused-allowlist"]
        + ["--allowlist", "allowed"]
        + [".".join(stub.with_suffix("").parts) for stub in stubs],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(PACKAGE.parent), "MYPYPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("", 0), done.stderr
