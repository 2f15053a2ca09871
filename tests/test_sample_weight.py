"""Factors on the errors of samples: what they mean for each rule, what is refused, and that they mend imbalance."""

import numpy as np
import pytest
from sklearn.ensemble import AdaBoostClassifier
from sklearn.metrics import balanced_accuracy_score
from small_networks import images
from small_networks import network_settings
from small_runs import dense
from small_runs import settings

from spikenn_cy import ConfigError
from spikenn_cy import DataError
from spikenn_cy import Readout
from spikenn_cy import SpikingClassifier
from spikenn_cy import SpikingDataset

pytestmark = pytest.mark.quick


def one_layer(optimizer, **layer):
    config = settings(network={"w_norm": False} | layer, trainer={"dropout_out": 0})
    return config | {"optimizer": optimizer}


def two_layers(factor):
    config = one_layer({"method": "s2stdp", "ap": 0.1 * factor, "am": -0.05 * factor, "t_gap": 0.05})
    return config | {"network": [{"n_neurons": 15, "firing_threshold": 1.5}, *config["network"]]}


def network(kind, **optimizer):
    config = network_settings(kind, optimizer=optimizer)
    return config | {"network": [config["network"][0] | {"dropout": 0}, config["network"][1]], "trainer": {"epochs": 3}}


# Settings of which the rates are as given times a factor.
CASES = {
    "s2stdp": lambda f: one_layer({"method": "s2stdp", "ap": 0.1 * f, "am": -0.05 * f, "t_gap": 0.05}),
    "rstdp": lambda f: one_layer({"method": "rstdp", "ap": 0.02 * f, "am": -0.01 * f}),
    "s4nn": lambda f: one_layer({"method": "s4nn", "lr": 0.1 * f, "t_gap": 0.05}, w_min=-1),
    "two layers": two_layers,
    "decision_time": lambda f: network("dense", rate=f),
    "mirrored": lambda f: network("dense", rate=f, feedback="mirrored"),
    "conv": lambda f: network("conv", rate=f),
    "s4nn_layers": lambda f: network("dense", method="s4nn_layers", rate=f),
}


def data(name, n_samples=60):
    of_layers = name in ("decision_time", "mirrored", "conv", "s4nn_layers")
    return SpikingDataset.from_numpy(*(images(n_samples, 0) if of_layers else dense(n_samples, 0)), max_time=1.0)


def new(config, train):
    return Readout.from_config(config, train.n_inputs, 3, train.max_time, input_shape=train.input_shape)


def weights_of(model):
    return np.concatenate([array.ravel() for layer in model.layers for array in layer.state().values()])


@pytest.mark.parametrize("name", CASES)
def test_a_weight_of_all_samples_is_a_factor_on_the_rates(name):
    train = data(name)
    weighted, faster, plain = new(CASES[name](1), train), new(CASES[name](2), train), new(CASES[name](1), train)
    weighted.fit(train, epochs=3, sample_weight=np.full(60, 2))
    faster.fit(train, epochs=3)
    plain.fit(train, epochs=3, sample_weight=np.ones(60))
    assert np.array_equal(weights_of(weighted), weights_of(faster))
    again = new(CASES[name](1), train)
    again.fit(train, epochs=3)
    assert np.array_equal(weights_of(plain), weights_of(again))
    assert not np.array_equal(weights_of(plain), weights_of(weighted))


@pytest.mark.parametrize("name", CASES)
def test_each_sample_has_its_own_weight(name):
    train, factors = data(name), np.random.default_rng(0).choice([0.5, 1, 4], 60)
    whole, single = new(CASES[name](1), train), new(CASES[name](1), train)
    for model in (whole, single):
        model.partial_fit(train)
    whole.partial_fit(train, sample_weight=factors)
    for i in range(60):
        single.partial_fit(train[i : i + 1], sample_weight=factors[i : i + 1])
    assert np.array_equal(weights_of(whole), weights_of(single))


@pytest.mark.parametrize("name", ["s2stdp", "two layers", "decision_time"])
def test_a_weight_goes_with_its_sample_through_a_shuffled_epoch_and_0_leaves_it_out(name):
    train, factors = data(name), np.random.default_rng(0).choice([0, 0.5, 4], 60)
    config = CASES[name](1)
    config["trainer"] = config["trainer"] | {"shuffle": True}
    model, less = new(config, train), new(config, train)
    model.fit(train, epochs=3, sample_weight=factors)
    less.fit(train[np.flatnonzero(factors)], epochs=3, sample_weight=factors[factors > 0])
    assert np.array_equal(weights_of(model), weights_of(less))
    moved = np.random.default_rng(1).permutation(60)
    other = new(config, train)
    other.fit(train, epochs=3, sample_weight=factors[moved])
    assert not np.array_equal(weights_of(model), weights_of(other))


def test_a_checkpoint_of_other_weights_is_refused(tmp_path):
    train = data("s2stdp")
    new(CASES["s2stdp"](1), train).fit(train, epochs=2, checkpoint=tmp_path / "c.npz", sample_weight=np.full(60, 2))
    for weights in (None, np.full(60, 3)):
        with pytest.raises(ConfigError, match="must be a checkpoint of this training, got another data"):
            new(CASES["s2stdp"](1), train).fit(train, epochs=2, checkpoint=tmp_path / "c.npz", sample_weight=weights)


@pytest.mark.parametrize(
    ("weights", "finding"),
    [
        (np.ones(59), "must have shape (60,)"),
        (np.full(60, np.nan), "must be"),
        (np.full(60, -1.0), "must be >= 0"),
        (np.zeros(60), "must not all be 0"),
        ("balanced", "must be real numbers"),
    ],
)
def test_other_weights_are_refused(weights, finding):
    train = data("s2stdp")
    with pytest.raises(DataError) as raised:
        new(CASES["s2stdp"](1), train).fit(train, sample_weight=weights)
    assert str(raised.value).startswith("sample_weight")
    assert finding in str(raised.value)


def test_samples_without_weight_teach_a_stream_nothing():
    train = data("s2stdp")
    model = new(CASES["s2stdp"](1), train)
    before = model.layers[0].weights
    model.partial_fit(train, sample_weight=np.zeros(60))
    assert np.array_equal(model.layers[0].weights, before)


# The classifier


def rare(n_samples, seed):
    """Return samples of two classes that overlap, one in 99 of the second."""
    generator = np.random.default_rng(seed)
    y = (np.arange(n_samples) % 100 == 0).astype(int)
    return generator.normal(y[:, None] * 1.0, 1.0, (n_samples, 12)), y


def test_a_rare_class_is_found_with_balanced_weights():
    X, y = rare(2000, 0)
    X_test, y_test = rare(4000, 1)
    found = {}
    for class_weight in (None, "balanced"):
        model = SpikingClassifier(class_weight=class_weight, epochs=10, random_state=0).fit(X, y)
        found[class_weight] = balanced_accuracy_score(y_test, model.predict(X_test))
    assert found["balanced"] > max(0.85, found[None] + 0.1)


def test_class_weights_are_sample_weights_and_equal_ones_are_none():
    X, y = rare(300, 0)
    own = SpikingClassifier(rule="s2stdp", class_weight={1: 20.0}, epochs=2, random_state=0).fit(X, y)
    given = SpikingClassifier(rule="s2stdp", epochs=2, random_state=0).fit(X, y, sample_weight=np.where(y, 20.0, 1.0))
    assert np.array_equal(own.readout_.layers[0].weights, given.readout_.layers[0].weights)
    plain = SpikingClassifier(rule="s2stdp", epochs=2, random_state=0).fit(X, y)
    equal = SpikingClassifier(rule="s2stdp", epochs=2, random_state=0).fit(X, y, sample_weight=np.full(300, 7.0))
    assert np.array_equal(plain.readout_.layers[0].weights, equal.readout_.layers[0].weights)
    assert not np.array_equal(plain.readout_.layers[0].weights, own.readout_.layers[0].weights)


def test_boosting_weighs_samples():
    X, y = rare(300, 0)
    y = (X[:, 0] + X[:, 1] > 0).astype(int)
    base = SpikingClassifier(rule="s2stdp", epochs=3, random_state=0)
    model = AdaBoostClassifier(base, n_estimators=4, random_state=0).fit(X[:200], y[:200])
    assert len(model.estimators_) > 1
    assert model.score(X[200:], y[200:]) > 0.7


def test_a_stream_has_no_balance():
    X, y = rare(200, 0)
    with pytest.raises(ConfigError, match="class_weight: must be a dict or None with partial_fit, got 'balanced'"):
        SpikingClassifier(class_weight="balanced").partial_fit(X, y, classes=[0, 1])


@pytest.mark.parametrize(
    ("given", "finding"),
    [
        ("balance", "^class_weight: must be a dict, .balanced. or None, got 'balance'"),
        (1.0, "^class_weight: must be a dict"),
        ([1, 2], "^class_weight: must be a dict"),
        (np.ones(2), "^class_weight: must be a dict"),
        ({0: -1}, r"^class_weight\[0\]: must be a finite number >= 0, got -1"),
        ({0: 1, 1: np.nan}, r"^class_weight\[1\]: must be a finite number >= 0, got nan"),
        ({0: "1"}, r"^class_weight\[0\]: must be a finite number"),
        ({0: None}, r"^class_weight\[0\]: must be a finite number"),
        ({0: 0, 1: 0}, "^class_weight: must not be 0 for all samples"),
    ],
)
@pytest.mark.parametrize("learn", ["fit", "partial_fit"])
def test_a_class_weight_that_is_none_is_refused_under_its_own_name(given, finding, learn):
    X, y = rare(200, 0)
    classes = {"classes": [0, 1]} if learn == "partial_fit" else {}
    finding = "^class_weight: must be a dict or None" if classes and isinstance(given, str) else finding
    with pytest.raises(ConfigError, match=finding):
        getattr(SpikingClassifier(class_weight=given, hidden=(), epochs=1), learn)(X, y, **classes)
