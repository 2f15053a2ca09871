"""Networks that learn in every layer mean the same in other software: the same first spikes, the same decisions."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from numpy.testing import assert_array_equal
from pages import ROOT
from pages import blocks
from small_networks import network_settings
from small_networks import write_images
from tables import examples

from spikenn_cy import Readout
from spikenn_cy import SpikingDataset
from spikenn_cy.cli.entry import main
from spikenn_cy.errors import DataError
from spikenn_cy.export import export
from spikenn_cy.export import to_arrays
from spikenn_cy.layers import LAYERS

pytestmark = pytest.mark.quick

N_STEPS = 16


@st.composite
def networks(draw, exact=True):
    """Networks and samples whose spikes lie on a grid of steps, as ``(model, data, steps)``.

    ``exact`` weights are quarters, which have exact sums in any order; ties and potentials that meet a threshold are
    frequent. A dropout of a half keeps them exact.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dropout = draw(st.sampled_from([0.0, 0.5] if exact else [0.0, 0.3]))
    hidden = [{"n_neurons": draw(st.integers(1, 12))} for _ in range(draw(st.integers(0, 2)))]
    shape = (draw(st.integers(1, 20)),)
    if draw(st.booleans()):
        size, pool = draw(st.integers(1, 3)), draw(st.integers(1, 3))
        conv = {"type": "conv", "n_filters": draw(st.integers(1, 4)), "kernel_size": size, "pool": pool}
        conv["padding"] = draw(st.integers(0, size - 1))
        shape = tuple(draw(st.integers(size + pool - 1, 7)) for _ in range(2))
        shape += (draw(st.integers(1, 3)),) * draw(st.integers(0, 1))
        hidden = [conv, *hidden]
    n_classes, per_class = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    network = [*(layer | {"dropout": dropout} for layer in hidden), {"n_neurons": n_classes * per_class}]
    config = {"network": network, "optimizer": {"method": "decision_time"}}
    model = Readout.from_config(config, int(np.prod(shape)), n_classes, 2.0, input_shape=shape)
    for layer in model.layers:
        weights = rng.normal(0.2, 0.6, layer.weights_shape)
        layer.weights = np.round(weights * 4) / 4 if exact else weights
        layer.thresholds = rng.choice([0.5, 1.0], layer.n_thresholds)
    steps = rng.integers(0, 2 * N_STEPS, (6, *shape))
    times = np.where(steps < N_STEPS, steps * (2 / N_STEPS), 2)
    return model, SpikingDataset.from_numpy(times, np.arange(6) % n_classes, max_time=2.0), steps


# As graphs


def simulated(model, steps, path):
    """Return the graph and the traces of all samples by way of a file."""
    nir = pytest.importorskip("nir")
    from nir_simulator import simulate

    export(model, path)
    graph = nir.read(path)
    if len(graph.nodes["input"].input_type["input"]) == 3:  # channels come first
        steps = steps.reshape(len(steps), *(*model.input_shape, 1)[:3]).transpose(0, 3, 1, 2)
    counted = np.arange(N_STEPS).reshape(-1, *(1,) * (steps.ndim - 1))
    return graph, [simulate(graph, counted == sample, 2 / N_STEPS) for sample in steps]


def on_grid(times):
    """Return spike times as steps, -1 for silence."""
    return np.where(times < 2, np.rint(times / 2 * N_STEPS), -1)


def decided(graph, trace):
    """Return the class as the metadata say."""
    order = np.lexsort((-trace.potentials, trace.steps, trace.steps < 0))
    return graph.metadata["class_of_neuron"][order[0]]


@pytest.mark.full
@examples(40)
@given(networks())
def test_a_graph_spikes_and_decides_exactly_as_here_and_each_hidden_neuron_once(tmp_path_factory, made):
    model, data, steps = made
    times, potentials = model.first_spikes(data)
    graph, traces = simulated(model, steps, tmp_path_factory.mktemp("nir") / "model.nir")
    hidden = [name for name in traces[0].n_spikes if name != f"neurons_{len(model.layers) - 1}"]
    for sample, trace in enumerate(traces):
        assert_array_equal(trace.steps, on_grid(times[sample]))
        fired = trace.steps >= 0
        assert_array_equal(trace.potentials[~fired], potentials[sample][~fired])
        assert decided(graph, trace) == model.predict(data)[sample]
        assert all(trace.n_spikes[name].max() <= 1 for name in hidden)
    for k, layer in enumerate(model.layers[:-1]):
        # Units of a convolution are in another order here.
        name = "units_0" if "units_0" in hidden and k == 0 else f"neurons_{k}"
        counts = np.array([trace.n_spikes[name] for trace in traces])
        if counts.ndim == 4:
            counts = counts.transpose(0, 2, 3, 1)
        first = model.first_spikes(data, layer=k)[0]
        assert_array_equal(counts.reshape(len(data), layer.n_neurons), first < 2)


@pytest.mark.full
@examples(30)
@given(networks(exact=False))
def test_weights_of_any_value_give_the_same_spikes_up_to_rounding(tmp_path_factory, made):
    model, data, steps = made
    times, _ = model.first_spikes(data)
    _, traces = simulated(model, steps, tmp_path_factory.mktemp("nir") / "model.nir")
    for sample, trace in enumerate(traces):
        if trace.margin > 1e-4:
            assert_array_equal(trace.steps, on_grid(times[sample]))


def conv_model(**settings):
    config = network_settings("conv", network={"dropout": 0.5, **settings})
    model = Readout.from_config(config, 36, 3, input_shape=(6, 6))
    for layer in model.layers:
        layer.weights = np.random.default_rng(1).normal(0.2, 0.5, layer.weights_shape)
    return model


@pytest.mark.parametrize("pool", [1, 2, 4])
def test_a_convolution_is_nodes_that_other_software_knows(tmp_path, pool):
    nir = pytest.importorskip("nir")
    model = conv_model(pool=pool)
    export(model, tmp_path / "model.nir")
    graph = nir.read(tmp_path / "model.nir")
    pooling = ["pool_0", "units_0"] if pool > 1 else []
    names = ["input", "weights_0", "neurons_0", *pooling, "flatten_0", "weights_1", "neurons_1", "output"]
    assert [graph.edges[0][0], *(after for _, after in graph.edges)] == names
    nodes = graph.nodes
    side = 6 // pool
    assert nodes["input"].input_type["input"].tolist() == [1, 6, 6]
    assert_array_equal(nodes["weights_0"].weight, model.layers[0].weights.transpose(0, 3, 1, 2))
    assert nodes["neurons_0"].v_threshold.shape == (5, 6, 6)
    assert nodes["flatten_0"].output_type["output"].tolist() == [5 * side * side]
    assert (nodes["neurons_0"].v_reset < 0).all()
    weights = nodes["weights_1"].weight.reshape(3, 5, side, side).transpose(0, 2, 3, 1)
    assert_array_equal(weights.reshape(3, -1), model.layers[1].weights / 2)  # half of the spikes were lost
    assert "units_0" in graph.metadata["units"]
    assert json.loads(graph.metadata["settings"]) == model.config.to_dict()
    assert {nodes[name].weight.dtype for name in ("weights_0", "weights_1")} == {np.dtype(np.float32)}


def test_for_steps_in_which_a_spike_is_a_current_of_1_all_neurons_make_up_for_their_length(tmp_path):
    nir = pytest.importorskip("nir")
    export(conv_model(), tmp_path / "model.nir", dt=0.25)
    graph = nir.read(tmp_path / "model.nir")
    for name in ("neurons_0", "units_0", "neurons_1"):
        assert (graph.nodes[name].r == 4).all()


# As plain arrays


@pytest.fixture(scope="module")
def page():
    """Return the functions of the page, which need nothing but NumPy."""
    examples = [block.text for block in blocks((ROOT / "docs" / "exchange.md").read_text(encoding="utf-8"))]
    names = {}
    for example in examples:
        if "import numpy" in example or "def units" in example:
            exec(compile(example.split("network = ")[0], "docs/exchange.md", "exec"), names)
    return names


@pytest.mark.full
@examples(40)
@given(networks() | networks(exact=False))
def test_the_arrays_decide_to_the_bit_as_the_network(tmp_path_factory, page, made):
    model, data, _ = made
    path = tmp_path_factory.mktemp("npz") / "model.npz"
    export(model, path)
    with np.load(path, allow_pickle=False) as file:
        network = dict(file)
    found = []
    for inputs, times, _ in data:
        if "convolution" in network:
            found.append(page["decide"](network, *page["units"](network, inputs, times), first=1))
        else:
            found.append(page["decide"](network, inputs, times))
    assert_array_equal(found, model.predict(data))


def test_dropout_is_in_the_weights_of_the_layer_above():
    arrays = to_arrays(conv_model(dropout=0.25))
    assert_allclose(arrays["weights_1"], conv_model().layers[1].weights * 0.75, rtol=1e-7)
    assert_array_equal(arrays["weights_0"], conv_model().layers[0].weights)
    assert (arrays["input_shape"].tolist(), arrays["padding"], arrays["pool"]) == ([6, 6, 1], 1, 2)


# What cannot be


@pytest.mark.parametrize("suffix", ["nir", "npz"])
@pytest.mark.parametrize("kind", LAYERS)
def test_an_output_that_spikes_before_anything_reaches_it_is_refused(tmp_path, kind, suffix):
    if suffix == "nir":
        pytest.importorskip("nir")
    data = write_images(tmp_path / "in")
    train = SpikingDataset.from_file(data / "trainset.npz")
    settings = network_settings(kind, optimizer={"decision_at": 0.0, "threshold_rate": 0.1})
    model = Readout.from_config(settings, 36, 3, input_shape=(6, 6))
    model.fit(train, epochs=2)
    assert model.layers[-1].thresholds[0] < 0
    rule = r"thresholds\[0\] of network\[1\]: must be >= 0 for a neuron to wait for its input"
    with pytest.raises(DataError, match=rule):
        export(model, tmp_path / f"model.{suffix}")
    assert not (tmp_path / f"model.{suffix}").exists()


@pytest.mark.parametrize("suffix", ["nir", "npz"])
def test_a_network_that_was_not_trained_has_nothing_to_export(tmp_path, suffix):
    if suffix == "nir":
        pytest.importorskip("nir")
    model = Readout.from_config(network_settings("dense"), 36, 3)
    with pytest.raises(DataError, match=r"network\[0\]: must have weights, which the first fit draws, to be exported"):
        export(model, tmp_path / f"model.{suffix}")


@pytest.mark.parametrize("kind", LAYERS)
def test_the_command_exports_the_run_of_a_network(tmp_path, kind, capsys):
    pytest.importorskip("nir")
    data, config = write_images(tmp_path / "in"), tmp_path / "config.json"
    config.write_text(json.dumps(network_settings(kind, trainer={"epochs": 1})))
    assert main(["run", str(data), str(tmp_path / "out"), str(config)]) == 0
    for suffix in ("nir", "npz"):
        assert main(["export", str(tmp_path / "out"), str(tmp_path / f"model.{suffix}")]) == 0
    n_hidden = Readout.load(tmp_path / "out" / "model.npz").layers[0].n_neurons
    assert f"36 -> {n_hidden} -> 3 neurons, 3 classes: " in capsys.readouterr().out
