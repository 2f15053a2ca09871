"""A quantised network decides in whole numbers exactly as plain NumPy does, and is a file that says what it is."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from integers_reference import decisions
from integers_reference import error_of
from integers_reference import in_units
from integers_reference import levels_of
from numpy.testing import assert_array_equal
from small_networks import network_settings
from tables import examples

from spikenn_cy import IntegerReadout
from spikenn_cy import Readout
from spikenn_cy import SpikingDataset
from spikenn_cy.cli.entry import main
from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import DataError
from spikenn_cy.network.integer.layer import require_room
from spikenn_cy.storage.model_archive import HEADER

pytestmark = pytest.mark.quick

MAX_TIME = 3.0  # no power of two


@st.composite
def networks(draw):
    """Networks of either kind with random weights, and samples of random times; ties and silence are frequent."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    every_layer = draw(st.booleans())
    hidden = [{"n_neurons": draw(st.integers(1, 12))} for _ in range(draw(st.integers(0, 2)))]
    shape = (draw(st.integers(1, 20)),)
    if every_layer and draw(st.booleans()):
        size, pool = draw(st.integers(1, 3)), draw(st.integers(1, 3))
        conv = {"type": "conv", "n_filters": draw(st.integers(1, 4)), "kernel_size": size, "pool": pool}
        conv["padding"] = draw(st.integers(0, size - 1))
        shape = tuple(draw(st.integers(size + pool - 1, 7)) for _ in range(2))
        shape += (draw(st.integers(1, 3)),) * draw(st.integers(0, 1))
        hidden = [conv, *hidden]
    n_classes, per_class = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    network = [*hidden, {"n_neurons": n_classes * per_class}]
    if every_layer:
        dropout = draw(st.sampled_from([0.0, 0.3]))
        config = {"network": [layer | {"dropout": dropout} for layer in network[:-1]] + network[-1:]}
        config["optimizer"] = {"method": "decision_time"}
    else:
        network = [layer | {"firing_threshold": 1} for layer in network]
        config = {"network": network, "optimizer": {"method": "s2stdp", "ap": 0.1, "am": -0.1, "t_gap": 0.1}}
    model = Readout.from_config(config, int(np.prod(shape)), n_classes, MAX_TIME, input_shape=shape)
    for layer in model.layers:
        size = 10.0 ** draw(st.integers(-6, 6))
        layer.weights = rng.normal(0.3, 0.6, layer.weights.shape) * size
        layer.thresholds = rng.uniform(0.01, 2, layer.thresholds.shape) * size
    times = rng.choice([rng.uniform(0, 1.5 * MAX_TIME), MAX_TIME], (5, *shape))
    times = np.minimum(rng.uniform(0, 1.5, (5, *shape)) * times, MAX_TIME)
    times[0] = MAX_TIME  # a sample without a spike
    return model, SpikingDataset.from_numpy(times, np.arange(5) % n_classes, max_time=MAX_TIME)


@examples(60)
@given(networks(), st.integers(2, 8), st.integers(1, 8))
def test_decisions_and_their_levels_are_those_of_the_plain_twin(made, bits, time_bits):
    model, data = made
    small = model.quantized(bits, time_bits)
    found = small.decisions(data)
    for array, expected in zip(found, decisions(small, data), strict=True):
        assert_array_equal(array, expected)
    assert_array_equal(small.levels(data), levels_of(data.timestamps, MAX_TIME, time_bits))
    assert_array_equal(small.predict(data), small.classes[found.numbers])
    assert_array_equal(small.decision_times(data), found.levels * (MAX_TIME / 2**time_bits))


@examples(60)
@given(networks(), st.integers(2, 8))
def test_weights_are_the_nearest_of_so_many_bits_and_no_other_unit_would_be_nearer(made, bits):
    model, _ = made
    dropout = [getattr(layer.config, "dropout", 0) for layer in model.layers]
    for layer, small, lost in zip(model.layers, model.quantized(bits).layers, [0, *dropout], strict=False):
        weights = layer.weights * np.float32(1 - lost)
        assert_array_equal(small.weights, in_units(weights, small.exponent, bits))
        found = error_of(weights, small.exponent, bits)
        assert all(error_of(weights, small.exponent + k, bits) >= found * (1 - 1e-9) for k in range(-3, 4))


@examples(40)
@given(networks(), st.data())
def test_weights_that_are_whole_numbers_of_units_decide_as_the_network_does_where_levels_tell_times_apart(made, draw):
    model, _ = made
    rng = np.random.default_rng(draw.draw(st.integers(0, 2**32 - 1)))
    for layer in model.layers:
        layer.weights = rng.integers(-3, 8, layer.weights.shape) / 4
        layer.thresholds = rng.integers(1, 8, layer.thresholds.shape) / 4
    if any(getattr(layer.config, "dropout", 0) for layer in model.layers):
        return  # whose factor makes other numbers of them
    times = rng.integers(0, 48, (6, *model.input_shape)) * (MAX_TIME / 32)
    data = SpikingDataset.from_numpy(np.minimum(times, MAX_TIME), max_time=MAX_TIME)
    small = model.quantized(8, 5)
    assert_array_equal(small.decide(data), model.decide(data))


@given(networks(), st.integers(2, 8), st.integers(1, 8))
@examples(20)
def test_a_file_holds_the_network(tmp_path_factory, made, bits, time_bits):
    model, data = made
    small, path = model.quantized(bits, time_bits), tmp_path_factory.mktemp("model") / "small.npz"
    small.save(path)
    read = IntegerReadout.load(path)
    assert repr(read) == repr(small)
    assert_array_equal(read.classes, small.classes)
    for one, other in zip(read.layers, small.layers, strict=True):
        assert_array_equal(one.weights, other.weights)
        assert_array_equal(one.thresholds, other.thresholds)
        assert (one.exponent, one.scale) == (other.exponent, other.scale)
    assert all(map(np.array_equal, read.decisions(data), small.decisions(data)))


def dense_model(**settings):
    config = {"network": [{"n_neurons": 4} | settings], "optimizer": {"method": "decision_time"}}
    model = Readout.from_config(config, 6, 2)
    model.layers[0].weights = np.random.default_rng(0).normal(0.3, 0.3, (4, 6))
    return model


def samples(n_samples=8, n_inputs=6, **options):
    times = np.random.default_rng(1).random((n_samples, n_inputs))
    return SpikingDataset.from_numpy(times, np.arange(n_samples) % 2, **options)


def test_names_of_classes_and_scores_are_those_of_the_training_set():
    train = SpikingDataset.from_numpy(samples().to_dense(), np.array(["cat", "dog"])[np.arange(8) % 2])
    model = dense_model()
    model.fit(train, epochs=1)
    small = model.quantized()
    assert set(small.predict(train)) <= {"cat", "dog"}
    assert small.score(train) == np.mean(small.predict(train) == train.classes[train.labels])
    of_one = train[train.labels == 1]
    assert small.score(of_one) == np.mean(small.decide(of_one) == 1)
    with pytest.raises(DataError, match="must have labels"):
        small.score(SpikingDataset.from_numpy(samples().to_dense()))


@pytest.mark.usefixtures("threads_as_asked")
def test_threads_share_samples_and_change_nothing():
    small, data = dense_model().quantized(), samples(50)
    assert all(map(np.array_equal, small.decisions(data, n_threads=3), small.decisions(data)))


def test_bits_and_kinds_of_neurons_that_cannot_be_are_refused_in_one_line():
    model = dense_model()
    for bits, found in ((1, "bits: must be an integer >= 2, got 1"), (9, "bits: must be at most 8, got 9")):
        with pytest.raises(ConfigError, match=found):
            model.quantized(bits)
    for time_bits in (0, 9, 2.0, True):
        with pytest.raises(ConfigError, match="time_bits: must be"):
            model.quantized(8, time_bits)
    leaky = [{"n_neurons": 2, "firing_threshold": 1, "neuron": {"model": "lif", "leak_tau": 1.0}}]
    stdp = {"method": "s2stdp", "ap": 0.1, "am": -0.1, "t_gap": 0.1}
    with pytest.raises(DataError, match=r"network\[0\].neuron: must be integrate-and-fire neurons.*got lif"):
        Readout.from_config({"network": leaky, "optimizer": stdp}, 6, 2).quantized()
    untrained = Readout.from_config(network_settings("dense"), 36, 3)
    with pytest.raises(DataError, match=r"network\[0\]: must have weights.* to be quantised, got none yet"):
        untrained.quantized()


def test_a_potential_that_32_bits_might_not_hold_is_refused():
    wide = np.broadcast_to(np.int8(-128), (1, 2**24))  # of which the sum is one too many
    require_room(wide[:, 1:])
    with pytest.raises(DataError, match=r"weights\[0\]: must have absolute values whose sum is at most 2147483647"):
        require_room(wide)


def test_data_of_another_shape_are_refused():
    small = dense_model().quantized()
    with pytest.raises(DataError, match="must have the network's 6 inputs, got 5"):
        small.predict(samples(n_inputs=5))
    with pytest.raises(DataError, match=r"must have the network's max_time 1.0, got 2.0"):
        small.predict(samples(max_time=2.0))
    with pytest.raises(DataError, match="must be a SpikingDataset"):
        small.predict(np.zeros((2, 6)))


def test_each_kind_of_model_file_says_what_reads_it(tmp_path, capsys):
    model, path, other = dense_model(), tmp_path / "small.npz", tmp_path / "model.npz"
    model.quantized().save(path)
    model.save(other)
    with pytest.raises(DataError, match=r"got a quantised network, which IntegerReadout.load reads"):
        Readout.load(path)
    with pytest.raises(DataError, match=r"got a trained network, which Readout.load reads"):
        IntegerReadout.load(other)
    samples().save(tmp_path / "data.npz")
    assert main(["predict", str(tmp_path / "data.npz"), "--readout", str(tmp_path / "data.npz")]) == 2
    assert "must be a trained network, got a data set of spikes" in capsys.readouterr().err
    np.save(tmp_path / "x.npy", np.zeros((1, 8, 8), np.uint8))
    assert main(["predict", str(tmp_path / "x.npy"), "--readout", str(other), "--extractor", str(path)]) == 2
    assert "must be an extractor, got a quantised network, which predict" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"integers": {"bits": 3, "time_bits": 8}}, "weights_0: must be whole numbers of 3 bits"),
        ({"integers": {"bits": 9, "time_bits": 8}}, "bits: must be from 2 to 8, got 9"),
        ({"integers": {"bits": 8, "time_bits": 0}}, "time_bits: must be from 1 to 8, got 0"),
        ({"n_classes": 3}, "divide the 4 output neurons, got 3"),
        ({"n_classes": 0}, "n_classes: must be 1 or more"),
        ({"max_time": -1.0}, "max_time: must be"),
        ({"input_shape": [5]}, r"weights_0: must have shape \(4, 5\), got \(4, 6\)"),
        ({"input_shape": []}, "input_shape: must number"),
        ({"layers": []}, "layers: must be one or more"),
        ({"format": 2}, "format: must be 1, got 2"),
        (
            {"layers": [{"type": "conv", "exponent": 0, "n_filters": 1, "kernel_size": 1, "padding": 0, "pool": 1}]},
            "dense",
        ),
    ],
)
def test_a_header_that_lies_is_refused(tmp_path, change, finding):
    path = tmp_path / "small.npz"
    dense_model().quantized().save(path)
    with np.load(path) as file:
        members = dict(file)
    header = json.loads(str(members[HEADER])) | change
    np.savez(path, **(members | {HEADER: np.array(json.dumps(header))}))
    with pytest.raises(DataError, match=finding) as refusal:
        IntegerReadout.load(path)
    assert str(refusal.value).startswith(str(path))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", ["weights_0", "thresholds_0", "classes"])
def test_an_array_of_another_kind_is_refused(tmp_path, name):
    path = tmp_path / "small.npz"
    dense_model().quantized().save(path)
    with np.load(path) as file:
        members = dict(file)
    for array in (members[name].astype(np.int16)[:-1], members[name].astype(np.float64)):
        np.savez(path, **(members | {name: array}))
        with pytest.raises(DataError, match=name):
            IntegerReadout.load(path)
    if name != "classes":
        np.savez(path, **(members | {name: members[name].astype(np.int64)}))
        with pytest.raises(DataError, match="arrays of layer 0: must be int"):
            IntegerReadout.load(path)


def test_weights_of_few_bits_share_bytes():
    small = {bits: dense_model().quantized(bits).n_bytes for bits in range(2, 9)}
    assert small == {2: 6 + 16, 3: 12 + 16, 4: 12 + 16, 5: 24 + 16, 6: 24 + 16, 7: 24 + 16, 8: 24 + 16}
