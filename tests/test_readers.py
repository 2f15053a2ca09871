"""A graph that is written for a simulator makes that simulator compute what the network does."""

import numpy as np
import pytest
from tables import some

pytest.importorskip("nir")

import nir
from nir_readers import STEPS
from nir_readers import first_spikes
from nir_simulator import simulate
from numpy.testing import assert_array_equal
from small_networks import network_settings

from spikenn_cy import Readout
from spikenn_cy import SpikingDataset
from spikenn_cy.cli.entry import main
from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import DataError
from spikenn_cy.export import GRAPH_READERS
from spikenn_cy.export import export
from spikenn_cy.export import to_nir

pytestmark = pytest.mark.quick

N_STEPS, MAX_TIME = 16, 2.0
DT = MAX_TIME / N_STEPS


def network(seed, *, leak_tau=None, exact=False, thresholds=(0.5, 1.0, 2.0)):
    """Return a network, and samples whose spikes lie on the grid of steps as a data set and as steps."""
    rng = np.random.default_rng(seed)
    layer = {"n_neurons": 6, "firing_threshold": 1, "leak_tau": leak_tau}
    config = {"network": [layer], "optimizer": {"method": "s4nn", "lr": 1, "t_gap": 0.1}}
    model = Readout.from_config(config, 12, 3, MAX_TIME)
    weights = rng.normal(0.2, 0.5, (6, 12))
    model.layers[0].weights = np.round(weights * 4) / 4 if exact else weights
    model.layers[0].thresholds = rng.choice(thresholds, 6)
    steps = rng.integers(0, N_STEPS * 3 // 2, (50, 12))
    times = np.where(steps < N_STEPS, steps * DT, MAX_TIME)
    return model, SpikingDataset.from_numpy(times, max_time=MAX_TIME), steps


def trains(steps):
    return np.arange(N_STEPS)[:, None] == steps[:, None, :]


def expected(model, data):
    """Return the step of each neuron's first spike, -1 for none."""
    times, _ = model.first_spikes(data)
    return np.where(times < MAX_TIME, np.rint(times / DT), -1)


@pytest.mark.parametrize("reader", GRAPH_READERS)
def test_neurons_without_a_leak_spike_in_the_same_steps_even_where_a_potential_meets_its_threshold(reader, tmp_path):
    for seed in range(5):
        # Quarters and powers of two have exact sums in any order, in any unit.
        model, data, steps = network(seed, exact=True)
        export(model, tmp_path / "model.nir", reader=reader, dt=DT)
        graph = nir.read(tmp_path / "model.nir")
        assert_array_equal(first_spikes(graph, reader, trains(steps)), expected(model, data))


@pytest.mark.parametrize("reader", GRAPH_READERS)
@pytest.mark.parametrize("leak_tau", some([0.4, 0.03, 3.0, 1e9], 1))
def test_leaky_neurons_of_any_time_constant_spike_in_the_same_steps(reader, leak_tau, tmp_path):
    model, data, steps = network(1, leak_tau=leak_tau, thresholds=(0.3, 0.7, 1.1))
    export(model, tmp_path / "model.nir", reader=reader, dt=DT)
    found = first_spikes(nir.read(tmp_path / "model.nir"), reader, trains(steps))
    plain, wanted = to_nir(model), expected(model, data)
    clear = [simulate(plain, sample, DT).margin > 1e-4 for sample in trains(steps)]
    assert np.mean(clear) > 0.5  # of the others a potential all but meets its threshold
    assert_array_equal(found[clear], wanted[clear])


def test_every_reader_has_its_rules_in_the_tests():
    assert set(STEPS) == set(GRAPH_READERS)


@pytest.mark.parametrize("reader", GRAPH_READERS)
def test_the_file_says_who_reads_it_and_holds_no_reset_potential_which_older_nir_refuses(reader, tmp_path):
    h5py = pytest.importorskip("h5py")
    model, _, _ = network(0)
    export(model, tmp_path / "model.nir", reader=reader, dt=DT)
    graph = nir.read(tmp_path / "model.nir")
    assert graph.metadata["reader"] == GRAPH_READERS[reader].title
    assert GRAPH_READERS[reader].title in graph.metadata["impulses"]
    thresholds = model.layers[0].thresholds
    unit = graph.metadata["unit_of_potential"] * graph.nodes["neurons_0"].v_threshold
    np.testing.assert_allclose(unit, thresholds, rtol=1e-6)
    with h5py.File(tmp_path / "model.nir") as file:
        assert "v_reset" not in file["node/nodes/neurons_0"]
    for array in (graph.nodes["weights_0"].weight, unit.astype(np.float32)):
        assert array.dtype == np.float32


def test_what_a_reader_would_read_as_something_else_is_refused(tmp_path):
    deep = Readout.from_config(network_settings("dense"), 36, 3)
    conv = Readout.from_config(network_settings("conv"), 36, 3, input_shape=(6, 6))
    model, _, _ = network(0)
    rule = r"network\[0\]: must be the only layer to be written for norse, in which hidden neurons would spike more"
    with pytest.raises(DataError, match=rule):
        export(deep, tmp_path / "model.nir", reader="norse", dt=DT)
    with pytest.raises(DataError, match=r"network\[0\]: must be dense to be written for norse, got a convolution"):
        export(conv, tmp_path / "model.nir", reader="norse", dt=DT)
    with pytest.raises(ConfigError, match="dt: must be given for sinabs, as what one of its steps is here, got None"):
        export(model, tmp_path / "model.nir", reader="sinabs")
    with pytest.raises(ConfigError, match=r"reader: must be one of snntorch, .*, got 'nors' \(did you mean norse\?\)"):
        export(model, tmp_path / "model.nir", reader="nors", dt=DT)
    with pytest.raises(ConfigError, match=r"reader: must be left out unless a \.nir file is written, got 'norse'"):
        export(model, tmp_path / "model.npz", reader="norse")
    model.layers[0].inference_thresholds[:] = 0, 1, 1, 1, 1, 1
    with pytest.raises(DataError, match=r"thresholds\[0\]: must be > 0 to be written for snnTorch 1.0, got 0"):
        export(model, tmp_path / "model.nir", reader="snntorch", dt=DT)
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_for_a_reader(tmp_path, capsys):
    model, _, _ = network(0)
    model.save(tmp_path / "model.npz")
    words = ["export", str(tmp_path / "model.npz"), str(tmp_path / "model.nir"), "--reader"]
    assert main([*words, "norse", "--dt", str(DT)]) == 0
    assert nir.read(tmp_path / "model.nir").metadata["reader"] == "Norse 1.1"
    assert main([*words, "norse"]) == 2
    assert "dt: must be given for norse" in capsys.readouterr().err
