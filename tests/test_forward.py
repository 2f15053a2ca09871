"""Every way to find first spikes has the same outcome, and rules are given nothing that depends on the way."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import spikenn_cy
from spikenn_cy import Readout
from spikenn_cy import SpikingDataset
from spikenn_cy.network.forward import FORWARDS

pytestmark = pytest.mark.full

# Moves every neuron by its own potential, so that weights tell what potentials the rule was given.
READS_POTENTIALS = """
from spikenn_cy.kernels.layout cimport ALL, FIRST_OF_CLASS, LayerOutput
from spikenn_cy.kernels.stdp cimport RowUpdate
from spikenn_cy.rules._base cimport Rule

cdef class ByPotential(Rule):
    def __init__(self, scope, config, *args):
        super().__init__(config, *args)
        self.scope = ALL if scope == "ALL" else FIRST_OF_CLASS
        self.needs_potentials = True

    cdef Py_ssize_t learn(self, const LayerOutput *output, RowUpdate *updates) noexcept nogil:
        cdef int j, n = self.layout.n_classes * self.layout.n_per_class
        for j in range(n):
            updates[j].neuron, updates[j].error = j, output.potentials[j]
            updates[j].causal, updates[j].anticausal = 1, 1
        return n
"""
BUILD = """
from Cython.Build import cythonize
from setuptools import Extension, setup

extension = Extension("{name}", ["{name}.pyx"], include_dirs=[{package!r} + "/spikenn_cy/kernels/src"])
modules = cythonize([extension], include_path=[{package!r}], language_level=3, quiet=True)
setup(name="compiled", ext_modules=modules, script_args=["-q", "build_ext", "--inplace"])
"""


def compiled(folder, name, source):
    """Return a module compiled from Cython source."""
    package = str(Path(spikenn_cy.__file__).parent.parent)
    (folder / f"{name}.pyx").write_text(source)
    subprocess.run(
        [sys.executable, "-c", BUILD.format(name=name, package=package)],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    spec = importlib.util.spec_from_file_location(name, next(folder.glob(f"{name}*.so")))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def by_potential(tmp_path_factory):
    """Return the rule."""
    return compiled(tmp_path_factory.mktemp("rule"), "by_potential", READS_POTENTIALS).ByPotential


@pytest.mark.parametrize("scope", ["ALL", "FIRST_OF_CLASS"])
def test_a_rule_that_needs_potentials_is_given_exact_ones(by_potential, scope, monkeypatch):
    rng = np.random.default_rng(0)
    times = rng.integers(0, 60, (1, 300)) / 64
    data = SpikingDataset(*SpikingDataset.from_numpy(times, [0])._arrays[:3], [0], 300, 1.0, np.arange(3))
    config = {
        "network": [{"n_neurons": 12, "firing_threshold": 40, "w_init_normal": True, "w_init_mean": 0.4, "w_max": 999}],
        "optimizer": {"method": "s2stdp", "ap": 0.1, "am": -0.1, "t_gap": 0.1, "class_inhib": True},
    }
    kind = type(Readout.from_config(config, 300, 3).config.optimizer)
    monkeypatch.setattr(kind, "build", lambda config, *args: by_potential(scope, config, *args))
    found = set()
    for way in ("auto", *FORWARDS):
        model = Readout.from_config(config, 300, 3, seed=1)
        before, (_, potentials) = model.layers[0].weights, model.first_spikes(data)
        model.partial_fit(data, forward=way)
        moved = model.layers[0].weights - before
        found.add(model.layers[0].weights.tobytes())
        if scope == "ALL":
            np.testing.assert_allclose(moved, np.repeat(potentials.T, 300, axis=1), rtol=1e-5)
    assert len(found) == 1
