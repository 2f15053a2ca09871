"""Training, compiled, against the mathematics in plain NumPy: the same bits on every network, or a kernel is wrong."""

import numpy as np
import pytest
import reference
from hypothesis import given
from numpy.testing import assert_array_equal
from strategies import TRAITS
from strategies import case
from strategies import cases
from strategies import crossed_cases
from tables import examples

from spikenn_cy import Readout
from spikenn_cy import SpikingDataset
from spikenn_cy.errors import ConfigError
from spikenn_cy.network.forward import FORWARDS

pytestmark = pytest.mark.quick


def dataset_of(case):
    shape = case["shape"]
    classes = np.arange(shape["n_classes"])  # a small data set may lack some
    return SpikingDataset(**case["data"], n_inputs=shape["n_inputs"], max_time=shape["max_time"], classes=classes)


def model_of(case, seed=None):
    model = Readout.from_config(case["config"], **case["shape"], seed=case["seed"] if seed is None else seed)
    for layer, weights in zip(model.layers, case["weights"], strict=True):
        layer.weights = weights
    return model


def reference_of(case):
    network = reference.Network(case["config"], **case["shape"], seed=case["seed"])
    for depth, weights in enumerate(case["weights"]):
        network.assign(weights, depth)
    return network, reference.samples_of(**case["data"])


def assert_same_state(model, network):
    for layer, twin in zip(model.layers, network.layers, strict=True):
        assert_array_equal(layer.weights, twin.weights)
        assert_array_equal(layer.thresholds, twin.thresholds)
    assert_array_equal(model.training_thresholds, network.training_thresholds)


def assert_same_answers(model, network, dataset, samples):
    times, potentials = model.first_spikes(dataset)
    expected_times, expected_potentials = network.first_spikes(samples)
    assert_array_equal(times, expected_times)
    assert_array_equal(potentials, expected_potentials)
    predicted = network.predict(samples)
    assert_array_equal(model.predict(dataset), predicted)
    assert model.score(dataset) == np.mean(predicted == dataset.labels)


@given(cases())
def test_initial_weights_are_drawn_layer_by_layer_from_the_seed(case):
    model = Readout.from_config(case["config"], **case["shape"], seed=case["seed"])
    assert_same_state(model, reference.Network(case["config"], **case["shape"], seed=case["seed"]))


@given(cases())
def test_an_untrained_network_answers_like_the_reference(case):
    network, samples = reference_of(case)
    assert_same_answers(model_of(case), network, dataset_of(case), samples)


@pytest.mark.parametrize(("seed", "traits"), crossed_cases())
def test_every_combination_learns_like_the_reference(seed, traits):
    drawn = case(seed, **traits)
    model, (network, samples) = model_of(drawn), reference_of(drawn)
    history = model.fit(dataset_of(drawn))
    assert list(history.train_accuracy) == network.fit(samples)
    assert_same_state(model, network)


@pytest.mark.parametrize(("seed", "traits"), crossed_cases())
def test_every_combination_learns_to_the_same_bits_in_every_way_to_find_first_spikes(seed, traits):
    drawn = case(seed, **traits)
    models = {way: model_of(drawn) for way in ("auto", *FORWARDS)}
    for way, model in models.items():
        model.fit(dataset_of(drawn), forward=way)
    for model in models.values():
        assert model.layers[-1].weights.tobytes() == models["exact"].layers[-1].weights.tobytes()
        assert model.training_thresholds.tobytes() == models["exact"].training_thresholds.tobytes()


@pytest.mark.full
@given(cases())
@examples(300)
def test_epochs_learn_like_the_reference_when_neurons_are_screened(case):
    model, dataset, (network, samples) = model_of(case), dataset_of(case), reference_of(case)
    history = model.fit(dataset, forward="screening")
    assert list(history.train_accuracy) == network.fit(samples)
    assert_same_state(model, network)


def test_an_unknown_way_to_find_first_spikes_is_refused():
    config = {
        "network": [{"n_neurons": 2, "firing_threshold": 1}],
        "optimizer": {"method": "s2stdp", "ap": 0.1, "am": -0.1, "t_gap": 0.1},
    }
    model, data = Readout.from_config(config, 4, 2), SpikingDataset.from_numpy(np.eye(4)[:2], [0, 1])
    for learn in (model.fit, model.partial_fit):
        with pytest.raises(ConfigError, match=r"forward: must be one of auto, exact, .*, got 'often'"):
            learn(data, forward="often")


@pytest.mark.full
@given(cases())
@examples(200)
def test_epochs_learn_like_the_reference(case):
    model, dataset, (network, samples) = model_of(case), dataset_of(case), reference_of(case)
    history = model.fit(dataset)
    assert list(history.train_accuracy) == network.fit(samples)
    assert_same_state(model, network)
    assert_same_answers(model, network, dataset, samples)


@given(cases(n_samples=1))
def test_one_step_learns_like_the_reference(case):
    model, (network, samples) = model_of(case), reference_of(case)
    model.partial_fit(dataset_of(case))
    network.partial_fit(samples)
    assert_same_state(model, network)


@pytest.mark.full
@given(cases())
def test_learning_online_goes_on_with_the_rates_and_thresholds_of_the_last_epoch(case):
    model, dataset, (network, samples) = model_of(case), dataset_of(case), reference_of(case)
    model.fit(dataset, epochs=1)
    network.fit(samples, epochs=1)
    for _ in range(2):
        model.partial_fit(dataset)
        network.partial_fit(samples)
    assert_same_state(model, network)
    model.fit(dataset, epochs=1)
    network.fit(samples, epochs=1)
    assert_same_state(model, network)


@pytest.mark.full
@given(cases())
def test_the_same_seed_gives_the_same_bits(case):
    dataset, models = dataset_of(case), (model_of(case), model_of(case))
    for model in models:
        model.fit(dataset)
    first, second = (model.layers[-1] for model in models)
    assert first.weights.tobytes() == second.weights.tobytes()
    assert first.thresholds.tobytes() == second.thresholds.tobytes()


@given(cases())
def test_two_epochs_at_once_are_two_epochs_one_by_one(case):
    dataset, at_once, one_by_one = dataset_of(case), model_of(case), model_of(case)
    together = at_once.fit(dataset, epochs=2).train_accuracy
    apart = [one_by_one.fit(dataset, epochs=1).train_accuracy[0] for _ in range(2)]
    assert list(together) == apart
    assert at_once.layers[-1].weights.tobytes() == one_by_one.layers[-1].weights.tobytes()
    assert at_once.training_thresholds.tobytes() == one_by_one.training_thresholds.tobytes()


@pytest.mark.parametrize("dropout", ["inputs", "outputs"])
def test_another_seed_drops_others(dropout):
    drawn = case(3, dropout=dropout, n_samples=20, n_inputs=40, hidden=(), spikes="distinct", threshold="middle")
    first, second = model_of(drawn, seed=0), model_of(drawn, seed=1)
    for model in (first, second):
        model.fit(dataset_of(drawn))
    assert not np.array_equal(first.layers[-1].weights, second.layers[-1].weights)


@pytest.mark.full
@given(cases(hidden=TRAITS["hidden"][-1]))
def test_only_the_last_layer_learns(case):
    model = model_of(case)
    model.fit(dataset_of(case))
    for layer, weights in zip(model.layers[:-1], case["weights"][:-1], strict=True):
        assert_array_equal(layer.weights, weights)


@given(cases(regulator="two thresholds"))
def test_assigned_thresholds_are_those_that_training_starts_from(case):
    model, (network, samples) = model_of(case), reference_of(case)
    last = model.layers[-1]
    thresholds = last.thresholds * np.linspace(0.5, 1.5, len(last.thresholds), dtype=np.float32)
    last.thresholds = thresholds
    assert_array_equal(model.training_thresholds, thresholds)
    network.last.thresholds = network.training_thresholds = thresholds
    model.partial_fit(dataset_of(case))
    network.partial_fit(samples)
    assert_same_state(model, network)


@pytest.mark.parametrize("n_inputs", [40, 400])  # spikes are forgotten all at once, or one by one
@pytest.mark.parametrize("way", ["auto", *FORWARDS])
def test_what_one_sample_told_is_forgotten_before_the_next(n_inputs, way):
    times = np.full((2, n_inputs), np.inf)
    times[0, :12] = np.arange(12) / 16  # half of them after the neurons have fired
    times[1, 12:24] = np.arange(12) / 16
    data = SpikingDataset.from_numpy(times, [0, 1])
    config = {
        "network": [{"n_neurons": 2, "firing_threshold": 2.2, "w_init_mean": 0.4, "w_init_normal": True}],
        "optimizer": {"method": "s2stdp", "ap": 0.1, "am": -0.1, "t_gap": 0.3, "ignore_silent": True},
    }
    model = Readout.from_config(config, n_inputs, 2, seed=0)
    model.partial_fit(data[:1], forward=way)
    before = model.layers[-1].weights
    model.partial_fit(data[1:], forward=way)
    moved = (model.layers[-1].weights != before).all(axis=0)
    np.testing.assert_array_equal(np.flatnonzero(moved), np.arange(12, 24))


@pytest.mark.parametrize("place", range(21))  # in a register's lane, or in the rest of the row
def test_no_weight_comes_past_its_bound_wherever_it_is(place, instructions):
    data = SpikingDataset.from_numpy(np.arange(42).reshape(2, 21) % 21 / 64, [0, 1])
    config = {  # whose neurons stay silent, so that all weights of those that should fire rise
        "network": [{"n_neurons": 2, "firing_threshold": 99, "w_init_mean": 0.4, "w_init_normal": True}],
        "optimizer": {"method": "s2stdp", "ap": 0.1, "am": -0.1, "t_gap": 0.5},
    }
    model = Readout.from_config(config, 21, 2, seed=0)
    weights = np.full((2, 21), 0.2, np.float32)
    weights[:, place] = 0.97
    model.layers[-1].weights = weights
    for _ in range(4):
        model.partial_fit(data)
        weights = model.layers[-1].weights
        assert weights.max() <= 1
    np.testing.assert_array_equal(weights[:, place], 1)


@pytest.mark.parametrize("place", [0, 7, 15, 16, 20])
def test_a_weight_that_becomes_the_highest_is_screened_rightly_wherever_it_is(place, instructions):
    times = np.arange(42).reshape(2, 21) % 21 / 64
    times[:, [0, place]] = times[:, [place, 0]]
    data, found = SpikingDataset.from_numpy(times, [0, 1]), set()
    config = {
        "network": [{"n_neurons": 4, "firing_threshold": 1.2, "w_init_mean": 0.4, "w_init_normal": True}],
        "optimizer": {"method": "s2stdp", "ap": 0.3, "am": -0.1, "t_gap": 0.3},
    }
    weights = np.full((4, 21), 0.1, np.float32)
    weights[:, place] = 0.3
    for way in ("auto", *FORWARDS):
        model = Readout.from_config(config, 21, 2, seed=0)
        model.layers[-1].weights = weights
        for _ in range(6):
            model.partial_fit(data, forward=way)
        found.add(model.layers[-1].weights.tobytes())
        assert model.layers[-1].weights.max() > 0.4
    assert len(found) == 1
