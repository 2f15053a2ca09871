"""A graph becomes the network that it stands for; one that stands for anything else is refused with node and rule."""

import itertools
import json
import math

import numpy as np
import pytest
from tables import examples

pytest.importorskip("nir")

import nir
from hypothesis import given
from hypothesis import strategies as st
from nir_simulator import simulate
from numpy.testing import assert_array_equal
from strategies import TRAITS
from strategies import case
from test_network_export import networks

from spikenn_cy import Readout
from spikenn_cy import SpikingDataset
from spikenn_cy.cli.entry import main
from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import DataError
from spikenn_cy.export import from_nir
from spikenn_cy.export import to_nir

pytestmark = [pytest.mark.quick, pytest.mark.filterwarnings("ignore::spikenn_cy.errors.DataWarning")]

RNG = np.random.default_rng(0)


def graph_of(*nodes, inputs=(5,), outputs=None, edges=None):
    """Return the graph of nodes in a row; names are their types, numbered."""
    named = {"input": nir.Input(input_type={"input": np.array(inputs)})}
    named |= {f"{type(node).__name__}_{number}": node for number, node in enumerate(nodes)}
    last = nodes[-1].output_type["output"] if outputs is None else np.array(outputs)
    named["output"] = nir.Output(output_type={"output": last})
    names = list(named)
    edges = list(itertools.pairwise(names)) if edges is None else edges
    return nir.NIRGraph(nodes=named, edges=edges, type_check=False)


def synapses(n_neurons=4, n_inputs=5):
    return nir.Linear(weight=RNG.normal(0.3, 0.4, (n_neurons, n_inputs)).astype(np.float32))


def if_neurons(n=4, **parameters):
    named = {"r": np.ones(n), "v_threshold": np.full(n, 0.7)} | parameters
    return nir.IF(**named)


def lif_neurons(n=4, **parameters):
    named = {"tau": np.full(n, 0.4), "r": np.full(n, 0.4), "v_leak": np.zeros(n), "v_threshold": np.full(n, 0.7)}
    return nir.LIF(**(named | parameters))


# There and back


def same(model, back, data):
    """Assert that two networks spike and decide to the same bits."""
    for one, other in zip(model.first_spikes(data), back.first_spikes(data), strict=True):
        assert_array_equal(one, other)
    assert_array_equal(model.predict(data), back.predict(data))
    assert (model.n_inputs, model.n_classes, model.max_time) == (back.n_inputs, back.n_classes, back.max_time)


@examples(20)
@given(
    seed=st.integers(0, 2**32 - 1),
    neuron=st.sampled_from(["if", "lif"]),
    weights=st.sampled_from(["coarse", "mixed", "unclipped"]),
    dt=st.sampled_from([None, 0.01]),
    **{name: st.sampled_from(TRAITS[name]) for name in ("hidden", "max_time", "n_classes")},
)
def test_a_network_comes_back_from_its_graph_to_the_bit(seed, dt, **traits):
    made = case(seed, w_norm=False, regulator=None, dropout=None, shuffle=False, **traits)
    model = Readout.from_config(made["config"], **made["shape"], seed=0)
    for layer, weights in zip(model.layers, made["weights"], strict=True):
        layer.weights = weights
    data = SpikingDataset(**made["data"], n_inputs=model.n_inputs, max_time=model.max_time)
    back = from_nir(to_nir(model, dt=None if dt is None else dt * model.max_time))
    same(model, back, data)
    assert back.config.to_dict() == model.config.to_dict()


@examples(20)
@given(networks(exact=False))
def test_a_network_of_which_every_layer_learns_comes_back_less_its_dropout(made):
    model, data, _ = made
    if len(model.input_shape) > 1:
        with pytest.raises(DataError, match="node weights_0: must be Linear or Affine"):
            from_nir(to_nir(model))
        return
    back = from_nir(to_nir(model))
    same(model, back, data)
    assert all(layer.config.dropout == 0 for layer in back.layers)


def test_names_of_classes_and_the_ability_to_learn_come_back(tmp_path, capsys):
    times = RNG.random((40, 8))
    data = SpikingDataset.from_numpy(times, np.where(times[:, 0] < 0.5, "left", "right"))
    config = {
        "network": [{"n_neurons": 4, "firing_threshold": 1.5, "leak_tau": 1 / 3}],
        "optimizer": {"method": "s2stdp", "ap": 0.1, "am": -0.1, "t_gap": 0.1},
    }
    model = Readout.from_config(config, 8, 2, seed=5)
    model.fit(data, epochs=2)
    model.save(tmp_path / "model.npz")
    assert main(["export", str(tmp_path / "model.npz"), str(tmp_path / "model.nir")]) == 0
    assert main(["import", str(tmp_path / "model.nir"), str(tmp_path / "back.npz")]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"8 -> 4 neurons, 2 classes: {tmp_path / 'back.npz'}"
    back = Readout.load(tmp_path / "back.npz")
    same(model, back, data)
    assert back.predict(data).dtype.kind == "U"
    assert back.score(data) == model.score(data)
    back.fit(data, epochs=1)


# From elsewhere


@pytest.mark.parametrize("neurons", [if_neurons, lif_neurons])
def test_a_graph_of_other_software_spikes_as_the_equations_of_nir_say(neurons):
    # Bias of 0, one number for all neurons, a resistance and a Flatten are all one can meet.
    rng = np.random.default_rng(3)
    weights = rng.normal(0.3, 0.4, (4, 6)).astype(np.float32)
    affine = nir.Affine(weight=weights, bias=np.zeros(4, np.float32))
    resistance = rng.uniform(0.5, 2, 4) * (1 if neurons is if_neurons else 0.4)
    nodes = nir.Flatten(input_type={"input": np.array([2, 3])}, start_dim=0), affine, neurons(r=resistance)
    graph = graph_of(*nodes, inputs=(2, 3))
    model = from_nir(graph, max_time=2, n_classes=2)
    steps = rng.integers(0, 24, (30, 6))
    times, _ = model.first_spikes(SpikingDataset.from_numpy(np.where(steps < 16, steps / 8, 2), max_time=2))
    plain = graph_of(affine, neurons(r=resistance), inputs=(6,))
    plain.nodes["Affine_0"] = nir.Linear(weight=weights)
    traces = [simulate(plain, np.arange(16)[:, None] == sample, 1 / 8).steps for sample in steps]
    assert_array_equal(np.where(times < 2, np.rint(times * 8), -1), traces)
    assert model.classes.tolist() == [0, 1]
    assert model.layers[0].config.w_min <= weights.min()


def test_currents_of_one_step_are_weights_times_the_step():
    weights = synapses()
    model = from_nir(graph_of(weights, lif_neurons(r=np.full(4, 400.0))), dt=0.001)
    assert_array_equal(model.layers[0].weights, weights.weight)
    model = from_nir(graph_of(weights, if_neurons(r=np.full(4, 2000.0))), dt=0.001)
    assert_array_equal(model.layers[0].weights, weights.weight * 2)


def test_hidden_neurons_that_may_spike_again_are_refused_unless_asked_for():
    hidden = lif_neurons(v_reset=np.full(4, -0.1))
    graph = graph_of(synapses(), hidden, synapses(2, 4), if_neurons(2))
    rule = r"graph: node LIF_1: v_reset\[0\]: must be at most -\S+, since a neuron spikes once at most here"
    with pytest.raises(DataError, match=rule):
        from_nir(graph)
    model = from_nir(graph, once=True)
    assert [layer.n_neurons for layer in model.layers] == [4, 2]
    assert model.layers[0].config.leak_tau == 0.4
    lift = np.maximum(graph.nodes["Linear_0"].weight, 0).sum(axis=1) * math.exp(1 / 0.4)
    hidden.v_reset[:] = -lift * 1.01
    same(model, from_nir(graph), SpikingDataset.from_numpy(RNG.random((20, 5))))


# What cannot be


def recurrent():
    nodes = synapses(), if_neurons(), synapses(4, 4)
    chain = [("input", "Linear_0"), ("Linear_0", "IF_1"), ("IF_1", "output")]
    return graph_of(*nodes, edges=[*chain, ("IF_1", "Linear_2"), ("Linear_2", "IF_1")])


def two_inputs():
    graph = graph_of(synapses(), if_neurons())
    graph.nodes["other"] = nir.Input(input_type={"input": np.array([5])})
    graph.edges.append(("other", "Linear_0"))
    return graph


def skipping():
    nodes = synapses(5), if_neurons(5), synapses(5), if_neurons(5)
    names = ["input", "Linear_0", "IF_1", "Linear_2", "IF_3", "output"]
    return graph_of(*nodes, edges=[*itertools.pairwise(names), ("input", "Linear_2")])


def convolution():
    weight = np.ones((2, 1, 3, 3), np.float32)
    conv = nir.Conv2d((5, 5), weight, 1, 0, 1, 1, np.zeros(2, np.float32))
    return graph_of(conv, if_neurons((2, 3, 3)), inputs=(1, 5, 5))


def current_based():
    ones = np.ones(4)
    return nir.CubaLIF(tau_syn=ones, tau_mem=ones, r=ones, v_leak=ones, v_threshold=ones)


BIASED = nir.Affine(weight=np.ones((4, 5)), bias=np.array([0, 0.5, 0, 0]))
REFUSED = {
    "a recurrence": (recurrent, "node IF_1: must have one node behind it, no branch and no recurrence"),
    "several inputs": (two_inputs, "must have one Input, got ['input', 'other']"),
    "a branch": (skipping, "node input: must have one node behind it, no branch"),
    "a convolution": (convolution, "node Conv2d_0: must be Linear or Affine, of a network of fully connected layers"),
    "a bias": (
        lambda: graph_of(BIASED, if_neurons()),
        "node Affine_0: bias[1]: must be 0, since nothing but spikes raises",
    ),
    "a bias of words": (
        lambda: graph_of(nir.Affine(weight=np.ones((4, 5)), bias=np.array(["a"] * 4)), if_neurons()),
        "node Affine_0: bias: must be real numbers",
    ),
    "no inputs": (
        lambda: graph_of(nir.Linear(weight=np.ones((4, 0))), if_neurons(), inputs=(0,)),
        "node Linear_0: weight must have the shape (neurons, 0), got (4, 0)",
    ),
    "a threshold too small for single precision": (
        lambda: graph_of(synapses(), if_neurons(v_threshold=np.full(4, 1e-60))),
        "node IF_1: v_threshold[0]: must be > 0, got 1e-60",
    ),
    "currents": (lambda: graph_of(synapses(), current_based()), "node CubaLIF_1: must be IF or LIF"),
    "no neurons": (lambda: graph_of(synapses()), "node output: must be IF or LIF"),
    "weights on weights": (lambda: graph_of(synapses(), synapses(4, 4)), "node Linear_1: must be IF or LIF"),
    "a graph inside": (
        lambda: graph_of(graph_of(synapses(), if_neurons()), outputs=(4,)),
        "node NIRGraph_0: must be Linear or Affine",
    ),
    "several leaks": (
        lambda: graph_of(synapses(), lif_neurons(tau=np.array([1, 1, 2, 1.0]))),
        "node LIF_1: tau[2]: must be one for all neurons of a layer, got 2",
    ),
    "no time to leak": (
        lambda: graph_of(synapses(), lif_neurons(tau=np.zeros(4))),
        "node LIF_1: tau[0]: must be > 0, got 0",
    ),
    "a leak to elsewhere": (
        lambda: graph_of(synapses(), lif_neurons(v_leak=np.full(4, 0.1))),
        "node LIF_1: v_leak[0]: must be 0, to which all potentials leak here, got 0.1",
    ),
    "no threshold": (
        lambda: graph_of(synapses(), if_neurons(v_threshold=np.array([1, 1, 0, 1.0]))),
        "node IF_1: v_threshold[2]: must be > 0, got 0",
    ),
    "nan": (
        lambda: graph_of(synapses(), if_neurons(r=np.array([1, np.nan, 1, 1]))),
        "node IF_1: r",
    ),
    "other inputs": (
        lambda: graph_of(synapses(), if_neurons(), inputs=(6,)),
        "node Linear_0: weight must have the shape (neurons, 6), got (4, 5)",
    ),
    "inputs of several axes": (
        lambda: graph_of(synapses(), if_neurons(), inputs=(1, 5)),
        "node Linear_0: must be behind a Flatten, since inputs have several axes, got (1, 5)",
    ),
    "other neurons": (
        lambda: graph_of(synapses(), if_neurons(3)),
        "node IF_1: r: must be one number, or one for each of 4, got (3,)",
    ),
    "a node apart": (
        lambda: apart(graph_of(synapses(), if_neurons())),
        "node alone: must be between the Input and the Output, a network has no other node, got 'IF'",
    ),
}


def apart(graph):
    graph.nodes["alone"] = if_neurons()
    return graph


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_network_of_this_kind_is_refused_in_one_line_with_node_and_rule(what):
    make, finding = REFUSED[what]
    with pytest.raises(DataError) as refusal:
        from_nir(make(), once=True)
    assert str(refusal.value).startswith(f"graph: {finding}")
    assert len(str(refusal.value).splitlines()) == 1


def test_files_that_are_no_graph_and_options_that_contradict_it_are_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    nir.write("other.nir", graph_of(synapses(), if_neurons()))
    model = from_nir("other.nir")
    nir.write("ours.nir", to_nir(model, dt=0.1))
    nir.write("norse.nir", to_nir(model, dt=0.1, reader="norse"))
    (tmp_path / "text.nir").write_text("no graph")
    (tmp_path / "torn.nir").write_bytes((tmp_path / "ours.nir").read_bytes()[:3000])
    rule = "must be a file with a graph in the Neuromorphic Intermediate Representation, got"
    capsys.readouterr()
    for words, finding in (
        (["none.nir", "a.npz"], f"none.nir: {rule} No such file or directory"),
        (["text.nir", "a.npz"], f"text.nir: {rule} "),
        (["torn.nir", "a.npz"], f"torn.nir: {rule} "),
        ([".", "a.npz"], f".: {rule} Is a directory"),
        (["other.nir", "a.nir"], "a.nir: suffix must be one of .npz, got '.nir'"),
        (["norse.nir", "a.npz"], "norse.nir: must be a graph that is for any reader, of export without --reader, got"),
        (["ours.nir", "a.npz", "--dt", "0.2"], "dt: must be left out, since ours.nir says 0.1, got 0.2"),
        (["ours.nir", "a.npz", "--max_time", "2"], "max_time: must be left out, since ours.nir says 1.0, got 2"),
        (["other.nir", "a.npz", "--n_classes", "3"], "n_classes: must be a divisor of the 4 output neurons, got 3"),
    ):
        assert main(["import", *words]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"error: {finding}")
    assert not (tmp_path / "a.npz").exists()
    with pytest.raises(ConfigError, match="max_time: must be"):
        from_nir("other.nir", max_time=0)
    with pytest.raises(DataError, match="graph: must be a file or an NIRGraph, got int"):
        from_nir(3)


def test_metadata_that_export_would_not_write_are_refused():
    model = from_nir(graph_of(synapses(), if_neurons()))
    for key, value in (("classes", "[0, 1"), ("settings", "[]"), ("class_of_neuron", np.zeros(4, int)), ("seed", "x")):
        graph = to_nir(model)
        graph.metadata[key] = value
        with pytest.raises(DataError, match="graph: m") as refusal:
            from_nir(graph)
        assert "metadata" in str(refusal.value)


def test_a_graph_that_was_changed_since_keeps_its_numbers_and_gets_settings_that_hold_them():
    model = from_nir(graph_of(synapses(), if_neurons()))
    graph = to_nir(model)
    settings = json.loads(graph.metadata["settings"])
    settings["network"][0]["leak_tau"] = 0.5
    graph.metadata["settings"] = json.dumps(settings)
    assert from_nir(graph).layers[0].config.leak_tau is None
    same(model, from_nir(graph), SpikingDataset.from_numpy(RNG.random((20, 5))))


def test_classes_can_be_named():
    model = from_nir(graph_of(synapses(), if_neurons()), n_classes=2)
    model.classes = ["low", "high"]
    assert model.predict(SpikingDataset.from_numpy(RNG.random((3, 5)))).dtype.kind == "U"
    for names, rule in ((["a"], "must be 2, got 1"), (["a", "a"], "must be distinct"), ([0.5, 1], "must be whole")):
        with pytest.raises(DataError, match=f"classes: {rule}"):
            model.classes = names
