"""A NIR file says what the network does: read back and simulated step by step, it spikes and decides the same."""

import json

import numpy as np
import pytest
from tables import examples

pytest.importorskip("nir")

import nir
from hypothesis import given
from hypothesis import strategies as st
from nir_simulator import chain
from nir_simulator import simulate
from numpy.testing import assert_array_equal
from strategies import TRAITS
from strategies import case

from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.errors import DataError
from spikenn_cy.export import export
from spikenn_cy.export import to_nir
from spikenn_cy.network.readout import Readout

# Drawn data may be silent.
pytestmark = [pytest.mark.full, pytest.mark.filterwarnings("ignore::spikenn_cy.errors.DataWarning")]

N_STEPS = 16
SEEDS = st.integers(0, 2**32 - 1)
NETWORKS = {name: st.sampled_from(TRAITS[name]) for name in ("hidden", "n_inputs", "spikes", "max_time", "n_classes")}
PLAIN = {"w_norm": False, "regulator": None, "dropout": None, "shuffle": False}


def network(seed, **traits):
    """Return a network and data whose spikes lie on the grid of steps, as ``(model, data, steps)``.

    ``steps`` of shape (n_samples, n_inputs) are those of the input spikes, N_STEPS for a silent input.
    """
    made = case(seed, **PLAIN, **traits)
    model = Readout.from_config(made["config"], **made["shape"], seed=0)
    for layer, weights in zip(model.layers, made["weights"], strict=True):
        layer.weights = weights
    data, max_time = made["data"], made["shape"]["max_time"]
    dense = SpikingDataset(**data, n_inputs=model.n_inputs, max_time=max_time).to_dense(silent=np.inf)
    steps = np.where(np.isinf(dense), N_STEPS, np.floor(np.minimum(dense, max_time) / max_time * N_STEPS)).astype(int)
    times = np.where(steps < N_STEPS, steps * (max_time / N_STEPS), np.inf)
    return model, SpikingDataset.from_numpy(times, data["labels"], max_time=max_time), steps


def simulated(model, steps, path):
    """Return the traces of all samples by way of a file."""
    export(model, path)
    graph = nir.read(path)
    assert chain(graph)  # it has no branches
    dt = model.max_time / N_STEPS
    return graph, [simulate(graph, np.arange(N_STEPS)[:, None] == row, dt) for row in steps]


def on_grid(model, times):
    """Return spike times as steps, -1 for silence."""
    steps = np.rint(times.astype(float) / model.max_time * N_STEPS).astype(int)
    return np.where(times < np.float32(model.max_time), steps, -1)


def decided(graph, trace):
    """Return the class as the metadata say."""
    silent = trace.steps < 0
    order = np.lexsort((-trace.potentials, trace.steps, silent))
    return graph.metadata["class_of_neuron"][order[0]]


@examples(25)
@given(seed=SEEDS, threshold=st.sampled_from(TRAITS["threshold"]), **NETWORKS)
def test_if_neurons_spike_and_decide_exactly_as_here(tmp_path_factory, seed, **traits):
    # Quarters have exact sums in any order; ties of potentials and potentials that meet a threshold are frequent.
    model, data, steps = network(seed, neuron="if", weights="coarse", **traits)
    times, potentials = model.first_spikes(data)
    graph, traces = simulated(model, steps, tmp_path_factory.mktemp("nir") / "model.nir")
    for sample, trace in enumerate(traces):
        assert_array_equal(trace.steps, on_grid(model, times[sample]))
        assert_array_equal(trace.potentials.astype(np.float32), potentials[sample])
        assert decided(graph, trace) == model.predict(data)[sample]


@examples(25)
@given(
    seed=SEEDS,
    neuron=st.sampled_from(["lif", "if"]),
    weights=st.sampled_from(["positive", "mixed", "unclipped"]),
    **NETWORKS,
)
def test_neurons_of_any_weight_spike_and_decide_as_here_up_to_rounding(tmp_path_factory, seed, neuron, **traits):
    model, data, steps = network(seed, neuron=neuron, threshold="middle", **traits)
    times, potentials = model.first_spikes(data)
    predicted = model.predict(data)
    graph, traces = simulated(model, steps, tmp_path_factory.mktemp("nir") / "model.nir")
    compared = 0
    for sample, trace in enumerate(traces):
        # A potential that all but meets its threshold may be on either side of it: here sums are of single precision.
        if trace.margin < 1e-4:
            continue
        compared += 1
        assert_array_equal(trace.steps, on_grid(model, times[sample]))
        fired = trace.steps >= 0
        np.testing.assert_allclose(trace.potentials[fired], potentials[sample][fired], rtol=1e-3, atol=1e-4)
        if neuron == "if":  # a leak goes on after the last input spike, at which potentials are taken here
            np.testing.assert_allclose(trace.potentials, potentials[sample], rtol=1e-3, atol=1e-4)
        earliest = trace.steps == (trace.steps[fired].min() if fired.any() else -1)
        contenders = np.sort(trace.potentials[earliest])
        if len(contenders) == 1 or contenders[-1] - contenders[-2] > 1e-4:
            assert decided(graph, trace) == predicted[sample]
    assert compared >= len(traces) // 2 or len(traces) == 1


def test_a_hidden_neuron_spikes_once_although_nothing_but_its_reset_forbids_a_second_spike(tmp_path):
    n_spikes = {"low": 0, "deep": 0}
    for seed in range(20):
        for neuron in ("if", "lif"):
            model, _, steps = network(seed, neuron=neuron, hidden=(17, 3), threshold="low", n_inputs=40, n_samples=20)
            graph, traces = simulated(model, steps, tmp_path / "model.nir")
            counts = np.array([np.concatenate([trace.n_spikes[f"neurons_{k}"] for k in (0, 1)]) for trace in traces])
            n_spikes["deep"] = max(n_spikes["deep"], counts.max())
            for k in (0, 1):
                graph.nodes[f"neurons_{k}"].v_reset[:] = 0
            dt = model.max_time / N_STEPS
            counts = [simulate(graph, np.arange(N_STEPS)[:, None] == row, dt).n_spikes["neurons_0"] for row in steps]
            n_spikes["low"] = max(n_spikes["low"], np.max(counts))
    assert n_spikes["deep"] == 1
    assert n_spikes["low"] > 1  # so the reset is what does it


def trained():
    """Return a network with names of classes, and its data."""
    generator = np.random.default_rng(0)
    labels = generator.choice(["left", "right"], size=60)
    times = generator.random((60, 8)) * np.where((np.arange(8) < 4) == (labels == "left")[:, None], 0.5, 1)
    data = SpikingDataset.from_numpy(times, labels)
    model = Readout.from_config(
        {
            "network": [{"n_neurons": 4, "firing_threshold": 1.5, "w_norm": True, "leak_tau": 0.7}],
            "optimizer": {"method": "s2stdp", "ap": 0.1, "am": -0.1, "t_gap": 0.1, "class_inhib": True},
        },
        n_inputs=8,
        n_classes=2,
        seed=5,
    )
    model.fit(data, epochs=3)
    return model, data


def test_the_graph_holds_the_network_and_the_metadata_how_to_read_it(tmp_path):
    model, _ = trained()
    model.layers[0].thresholds = [1, 2, 3, 4]
    export(model, tmp_path / "model.nir")
    graph = nir.read(tmp_path / "model.nir")
    assert [name for name, _ in chain(graph)] == ["input", "weights_0", "neurons_0", "output"]
    assert_array_equal(graph.nodes["weights_0"].weight, model.layers[0].weights)
    neurons = graph.nodes["neurons_0"]
    assert_array_equal(neurons.v_threshold, [1, 2, 3, 4])
    assert_array_equal(neurons.tau, np.float32([0.7] * 4))
    assert_array_equal(neurons.r, neurons.tau)
    assert_array_equal(neurons.v_leak, [0] * 4)
    assert_array_equal(neurons.v_reset, [0] * 4)
    for node in (graph.nodes["weights_0"].weight, neurons.tau, neurons.r, neurons.v_leak, neurons.v_threshold):
        assert node.dtype == np.float32  # or PyTorch would refuse to mix them
    assert graph.metadata["max_time"] == 1.0
    assert graph.metadata["class_of_neuron"].tolist() == [0, 0, 1, 1]
    assert json.loads(graph.metadata["classes"]) == ["left", "right"]
    assert json.loads(graph.metadata["settings"]) == model.config.to_dict()
    assert graph.metadata["seed"] == 5
    assert set(json.loads(graph.metadata["versions"])) == {"spikenn_cy", "numpy", "nir"}
    for said in ("format", "time", "input", "impulses", "one_spike", "read_out"):
        assert isinstance(graph.metadata[said], str)


def test_for_steps_in_which_a_spike_is_a_current_of_1_r_makes_up_for_their_length(tmp_path):
    for leak_tau, r in ((None, 1), (0.7, 0.7)):
        settings = {
            "network": [{"n_neurons": 4, "firing_threshold": 2, "leak_tau": leak_tau}],
            "optimizer": {"method": "s4nn", "lr": 1, "t_gap": 0.1},
        }
        model = Readout.from_config(settings, n_inputs=8, n_classes=2)
        export(model, tmp_path / "model.nir", dt=0.25)
        graph = nir.read(tmp_path / "model.nir")
        assert_array_equal(graph.nodes["neurons_0"].r, np.float32([r] * 4) * 4)
        assert_array_equal(graph.nodes["neurons_0"].v_threshold, model.layers[0].thresholds)
        assert "a current of 1 for one step of 0.25" in graph.metadata["impulses"]


def test_the_same_network_makes_the_same_bytes(tmp_path):
    for name in ("a.nir", "b.nir"):
        export(trained()[0], tmp_path / name)
    assert (tmp_path / "a.nir").read_bytes() == (tmp_path / "b.nir").read_bytes()


def test_a_network_that_has_met_no_labels_has_their_numbers():
    model = Readout.from_config(trained()[0].config, n_inputs=8, n_classes=2)
    assert json.loads(to_nir(model).metadata["classes"]) == [0, 1]


def test_a_threshold_below_0_is_refused(tmp_path):
    model, _ = trained()
    model.layers[0].inference_thresholds[:] = 1, -0.5, 1, -1  # as one-compartment regulation may
    with pytest.raises(DataError) as refusal:
        export(model, tmp_path / "model.nir")
    rule = "must be >= 0 for a neuron to wait for its input"
    assert str(refusal.value) == f"thresholds[1] of network[0]: {rule}, got -0.5"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("leak_tau", [1e-60, 1e-3, 1e38])
def test_time_constants_out_of_the_ordinary_stay_finite(tmp_path, leak_tau):
    layer = {"n_neurons": 2, "firing_threshold": 1, "leak_tau": leak_tau}
    settings = {"network": [layer, layer], "optimizer": {"method": "s4nn", "lr": 1, "t_gap": 0.1}}
    graph = to_nir(Readout.from_config(settings, n_inputs=3, n_classes=2))
    for number in (0, 1):
        neurons = graph.nodes[f"neurons_{number}"]
        for values in (neurons.tau, neurons.r, neurons.v_reset):
            assert np.isfinite(values).all()
        assert (neurons.r / neurons.tau == 1).all()
