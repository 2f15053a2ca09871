"""Decisions bear the names of the classes that the network learned, whatever set the samples are in."""

import json

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from small_runs import settings

from spikenn_cy import Readout
from spikenn_cy import SpikingDataset
from spikenn_cy.data.labels import plain_names
from spikenn_cy.export import export

pytestmark = pytest.mark.quick

N_INPUTS = 30
KINDS = {
    "text": ["frost", "rain", "snow"],
    "bytes": [b"frost", b"rain", b"snow"],
    "objects": np.array(["frost", "rain", "snow"], dtype=object),
    "numbers": [-3, 7, 400],
    "numbers that look like indices": [1, 2, 3],
}
DEEP = {
    "network": [{"n_neurons": 20}, {"n_neurons": 3}],
    "optimizer": {"method": "decision_time"},
    "trainer": {"epochs": 1},
}
SHALLOW = settings(network={"n_neurons": 15, "firing_threshold": 6}, trainer={"epochs": 10})


def samples(kind, n_samples, seed):
    """Return spike times of samples in which the inputs of one class of three are early."""
    times = np.random.default_rng(seed).random((n_samples, N_INPUTS))
    times[:, 10 * kind : 10 * kind + 10] *= 0.3
    return times


def trained(names, config):
    """Return a network that knows three classes by these names."""
    times = np.concatenate([samples(kind, 100, kind) for kind in range(3)])
    train = SpikingDataset.from_numpy(times, np.repeat(names, 100))
    model = Readout.from_config(config, train.n_inputs, train.n_classes)
    model.fit(train, epochs=10 if config is SHALLOW else 1)
    return model


@pytest.mark.parametrize("config", [SHALLOW, DEEP], ids=["one layer", "every layer"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_test_set_that_lacks_a_class_is_named_by_the_classes_of_the_network(kind, config):
    names = np.asarray(KINDS[kind])
    model = trained(names, config)
    test = SpikingDataset.from_numpy(samples(1, 6, 5), names[[1, 1, 1, 1, 1, 2]])
    numbers, labels = model.decide(test), model.predict(test)
    assert numbers.dtype == np.int32
    assert labels.dtype == model.classes.dtype
    assert_array_equal(labels, names[numbers])
    assert np.mean(labels == test.classes[test.labels]) == model.score(test)
    assert config is DEEP or np.mean(labels == names[1]) > 0.5
    assert_array_equal(model.predict(test, n_threads=2), labels)
    assert_array_equal(model.predict(SpikingDataset.from_numpy(test.to_dense())), labels)


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_file_keeps_the_names(kind, tmp_path):
    model = trained(np.asarray(KINDS[kind]), SHALLOW)
    model.save(tmp_path / "model.npz")
    again = Readout.load(tmp_path / "model.npz")
    test = SpikingDataset.from_numpy(samples(1, 6, 5))
    assert again.classes.dtype == model.classes.dtype
    assert_array_equal(again.predict(test), model.predict(test))


@pytest.mark.parametrize("config", [SHALLOW, DEEP], ids=["one layer", "every layer"])
def test_a_network_that_never_saw_labels_names_classes_by_their_numbers(config):
    model = Readout.from_config(config, N_INPUTS, 3)
    for layer in model.layers:
        layer.weights = np.random.default_rng(0).random(layer.weights.shape)
    test = SpikingDataset.from_numpy(samples(2, 6, 5))
    assert model.classes.tolist() == [0, 1, 2]
    assert_array_equal(model.predict(test), model.decide(test))


def test_the_first_labels_name_the_classes_of_a_network_that_had_only_numbers():
    model = Readout.from_config(SHALLOW, N_INPUTS, 3)
    train = SpikingDataset.from_numpy(samples(0, 3, 0), ["frost", "rain", "snow"])
    model.partial_fit(train)
    assert model.classes.tolist() == ["frost", "rain", "snow"]


def test_names_of_bytes_are_text_where_only_text_can_stand():
    names = np.array(["größe".encode(), b"\xff", b"plain"])
    assert plain_names(names) == ["größe", "ÿ", "plain"]
    assert json.loads(json.dumps(plain_names(np.arange(2)))) == [0, 1]


@pytest.mark.parametrize("kind", KINDS)
def test_exports_carry_the_names(kind, tmp_path):
    nir = pytest.importorskip("nir")
    names = np.asarray(KINDS[kind])
    model = trained(names, SHALLOW)
    export(model, tmp_path / "model.nir")
    export(model, tmp_path / "arrays.npz")
    wanted = [name.decode() if isinstance(name, bytes) else name for name in names.tolist()]
    assert json.loads(nir.read(tmp_path / "model.nir").metadata["classes"]) == wanted
    with np.load(tmp_path / "arrays.npz") as arrays:
        assert_array_equal(arrays["classes"], model.classes)
