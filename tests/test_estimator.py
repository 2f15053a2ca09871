"""scikit-learn finds in these estimators what it expects of its own."""

import copy
import json
import math
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from tables import some

pytest.importorskip("sklearn")

from reference import first
from scipy.sparse import csc_matrix
from scipy.sparse import csr_array
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer
from sklearn.datasets import load_iris
from sklearn.datasets import load_wine
from sklearn.metrics import log_loss
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.model_selection import StratifiedKFold
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import spikenn_cy
from spikenn_cy.config import ExperimentConfig
from spikenn_cy.demo import CONFIG
from spikenn_cy.demo import demo_split
from spikenn_cy.demo import load_digits
from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import DataError
from spikenn_cy.estimator import LatencyEncoder
from spikenn_cy.estimator import SpikingClassifier
from spikenn_cy.network.deciding import class_scores
from spikenn_cy.network.readout import Readout
from spikenn_cy.rules import RULES
from spikenn_cy.utils.extras import wanted

pytestmark = pytest.mark.quick

IMAGES, LABELS = load_digits()
PIXELS = IMAGES.reshape(len(IMAGES), -1).astype(np.float64)
TRAIN, VAL, TEST = demo_split(LABELS)
DEEP_START = RULES["decision_time"].suggestions["decision_time"]
NAMES = [name for rule in RULES.values() for name in rule.suggestions]
DEEP = {"rule": "decision_time"}
SMALL = {"rule": "s2stdp", "neurons_per_class": 3, "epochs": 3, "random_state": 0}


def spikes_of(model, X):
    """Return samples encoded as the network of a classifier is given them."""
    return model._spikes(X, None, slice(0, len(X)))


def small(**parameters):
    """Return a classifier that is quick to train."""
    return SpikingClassifier(**SMALL | parameters)


# A rule that trains one layer, and one that trains them all.
either = pytest.mark.parametrize("rule", [{}, DEEP | {"hidden": (20,)}], ids=["one layer", "all layers"])


# scikit-learn's own demands


def listed(mark):
    """Return a mark of parametrize whose cases are a list, which pytest asks for and scikit-learn 1.7 does not give."""
    (names, cases), options = mark.args, mark.kwargs
    return pytest.mark.parametrize(names, list(cases), **options)


def not_meant(estimator):
    """Return checks that must fail, with the reasons."""
    if isinstance(estimator, LatencyEncoder):
        return {}
    # As of all of scikit-learn's own estimators that learn sample by sample, such as SGDClassifier.
    reason = "a sample of weight 2 is one step twice as long, and not two steps at two moments of an epoch"
    known = {f"check_sample_weight_equivalence_on_{kind}_data": reason for kind in ("dense", "sparse")}
    if estimator.scaling != "range":
        known["check_class_weight_classifiers"] = "its data are negative, whatever the tag positive_only says"
    return known


CHECKS = parametrize_with_checks(
    [
        LatencyEncoder(scaling="range", n_fields=4),
        SpikingClassifier(rule="s4nn", scaling="feature", n_fields=5, leak_tau=2.0),
    ],
    expected_failed_checks=not_meant,
)
MORE_CHECKS = parametrize_with_checks(
    [
        LatencyEncoder(),
        LatencyEncoder(scaling="max", n_fields=2, max_time=10),
        LatencyEncoder(scaling="sample"),
        SpikingClassifier(),
        SpikingClassifier(rule="sstdp", max_time=20),
        SpikingClassifier(rule="s2stdp"),
        SpikingClassifier(rule="rstdp"),
        SpikingClassifier(rule="decision_time", hidden=(), max_time=20),
        SpikingClassifier(rule="decision_time", hidden=(30, 20), neurons_per_class=1),
    ],
    expected_failed_checks=not_meant,
)


@listed(CHECKS)
def test_scikit_learn_has_nothing_against(estimator, check):
    check(estimator)


@pytest.mark.full
@listed(MORE_CHECKS)
def test_scikit_learn_has_nothing_against_other_settings(estimator, check):
    check(estimator)


# Spike times


def test_each_scaling_divides_by_its_own_greatest_value():
    X = np.array([[0.0, 4.0], [1.0, 2.0], [2.0, 8.0]])
    for scaling, scaled in {
        "feature": [[0, 0.5], [0.5, 0.25], [1, 1]],
        "max": [[0, 0.5], [0.125, 0.25], [0.25, 1]],
        "sample": [[0, 1], [0.5, 1], [0.25, 1]],
        "range": [[0, 1 / 3], [0.5, 0], [1, 1]],
    }.items():
        times = LatencyEncoder(scaling=scaling, max_time=10).fit(X).transform(X)
        np.testing.assert_array_equal(times, (10 * (1 - np.array(scaled))).astype(np.float32))


def test_fields_fire_by_the_distance_from_values_of_their_own():
    encoder = LatencyEncoder(scaling="range", n_fields=3).fit([[-1.0], [1.0]])
    want = [[0, 1, 1], [0.5, 0.5, 1], [1, 0, 1], [1, 0.25, 0.75], [1, 1, 0]]
    np.testing.assert_array_equal(encoder.transform([[-1.0], [-0.5], [0.0], [0.25], [1.0]]), want)
    on_and_off = LatencyEncoder(n_fields=2).fit([[4.0]])
    np.testing.assert_array_equal(on_and_off.transform([[0.0], [1.0], [4.0]]), [[0, 1], [0.25, 0.75], [1, 0]])


@pytest.mark.parametrize("n_fields", [1, 2, 4])
def test_unseen_values_beyond_those_of_the_training_data_are_taken_for_the_nearest(n_fields):
    encoder = LatencyEncoder(scaling="range", n_fields=n_fields).fit([[-2.0], [3.0]])
    np.testing.assert_array_equal(encoder.transform([[-50.0], [50.0]]), encoder.transform([[-2.0], [3.0]]))


@pytest.mark.parametrize("n_fields", [1, 3])
def test_a_feature_without_a_scale_is_silent(n_fields):
    constant = LatencyEncoder(scaling="range", n_fields=n_fields).fit([[5.0, 1.0], [5.0, 2.0]])
    assert (constant.transform([[5.0, 1.0], [9.0, 1.0]])[:, :n_fields] == 1).all()
    for scaling in ("feature", "max", "sample"):
        empty = LatencyEncoder(scaling=scaling, n_fields=n_fields).fit([[0.0], [0.0]])
        assert (empty.transform([[0.0]]) == 1).all()


@pytest.mark.parametrize("container", [csr_matrix, csr_array, csc_matrix])
@pytest.mark.parametrize("scaling", ["range", "feature", "max", "sample"])
def test_sparse_features_have_the_times_of_dense_ones(scaling, container):
    X = np.where(PIXELS[:50] > 6, PIXELS[:50], 0)
    encoder = LatencyEncoder(scaling=scaling, n_fields=2)
    np.testing.assert_array_equal(encoder.fit_transform(container(X)), encoder.fit_transform(X))


def test_a_sparse_entry_that_is_given_twice_counts_as_the_sum():
    twice = csr_matrix((np.array([1.0, 3.0, 2.0]), np.array([0, 0, 0]), np.array([0, 2, 3])), shape=(2, 1))
    np.testing.assert_array_equal(LatencyEncoder().fit_transform(twice), [[0.0], [0.5]])
    assert twice.nnz == 3


def test_the_scale_widens_with_every_part_of_the_data():
    whole, parts = LatencyEncoder(scaling="range").fit(PIXELS), LatencyEncoder(scaling="range")
    for part in (PIXELS[:1], PIXELS[1:700], csr_matrix(PIXELS[700:])):
        parts.partial_fit(part)
    np.testing.assert_array_equal(parts.transform(PIXELS), whole.transform(PIXELS))
    parts.fit(PIXELS[:10])
    assert parts.data_max_.max() == PIXELS[:10].max()


def test_many_rows_are_encoded_as_few(monkeypatch):
    encoder = LatencyEncoder(scaling="sample", n_fields=2).fit(PIXELS)
    whole = encoder.transform(PIXELS)
    monkeypatch.setattr("spikenn_cy.estimator.encoder.CHUNK", 1000)
    np.testing.assert_array_equal(encoder.transform(PIXELS), whole)


def test_inputs_are_named_after_their_features():
    assert LatencyEncoder().fit([[1.0, 2.0]]).get_feature_names_out().tolist() == ["x0", "x1"]
    encoder = LatencyEncoder(n_fields=2).fit([[1.0, 2.0]])
    assert encoder.get_feature_names_out(["a", "b"]).tolist() == ["a_0", "a_1", "b_0", "b_1"]
    with pytest.raises(ValueError, match="input_features should have length equal to number of features"):
        encoder.get_feature_names_out(["a"])


def test_times_make_a_data_set():
    times = LatencyEncoder(scaling="max", max_time=16).fit_transform(PIXELS)
    dataset = spikenn_cy.SpikingDataset.from_numpy(times, LABELS, max_time=16)
    assert len(dataset.indices) == np.count_nonzero(PIXELS)


# Learning


@pytest.mark.full
def test_the_defaults_work_on_unseen_samples():
    cases = {
        "digits": (PIXELS[TRAIN], LABELS[TRAIN], PIXELS[VAL], LABELS[VAL], 0.94),
        **{
            loader.__name__: (X[::2], y[::2], X[1::2], y[1::2], least)
            for loader, least in ((load_iris, 0.9), (load_wine, 0.92), (load_breast_cancer, 0.93))
            for X, y in [loader(return_X_y=True)]
        },
    }
    for name, (X, y, X_test, y_test, least) in cases.items():
        assert SpikingClassifier(random_state=0).fit(X, y).score(X_test, y_test) >= least, name


def test_a_feature_may_decide_by_lying_in_the_middle():
    X = np.random.default_rng(0).normal(-3, 2, (400, 3))
    y = np.abs(X[:, 0] + 3) < 1.2
    one, eight = (SpikingClassifier(rule="s2stdp", n_fields=n, random_state=0).fit(X[:200], y[:200]) for n in (1, 8))
    assert one.score(X[200:], y[200:]) < 0.7
    assert eight.score(X[200:], y[200:]) > 0.85


@pytest.mark.parametrize("n_fields", some([1, 2, 4], 1))
def test_the_defaults_work_where_most_values_are_0_too(n_fields):
    rng = np.random.default_rng(0)
    common, *own = rng.dirichlet(np.full(300, 0.1), 4)
    labels = rng.integers(3, size=600)
    counts = np.array([rng.multinomial(25, 0.5 * own[label] + 0.5 * common) for label in labels])
    assert (counts == 0).mean() > 0.9
    model = SpikingClassifier(n_fields=n_fields, random_state=0).fit(csr_matrix(counts[:400]), labels[:400])
    assert model.score(counts[400:], labels[400:]) > 0.85


def test_features_of_two_values_whose_spikes_all_come_at_once_are_learned_from():
    X = np.random.default_rng(0).integers(2, size=(600, 30)).astype(float)
    either_of_two, just_one = X[:, :2].max(axis=1), X[:, 0] != X[:, 1]
    for y, hidden in ((either_of_two, ()), (either_of_two, "auto"), (just_one, "auto")):
        model = SpikingClassifier(**DEEP, hidden=hidden, random_state=0).fit(X[:400], y[:400])
        assert model.score(X[400:], y[400:]) > 0.95


@pytest.mark.full
@pytest.mark.parametrize("rule", NAMES)
def test_every_rule_learns(rule):
    model = SpikingClassifier(rule=rule, random_state=0).fit(PIXELS[TRAIN], LABELS[TRAIN])
    assert model.score(PIXELS[VAL], LABELS[VAL]) > 0.85


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["hen", "ant", "cow"]),
        np.array(["hen", "ant", "cow"], dtype=object),
        np.array([7, -1, 3]),
        np.array([2.0, 0.0, 1.0]),
        np.array([True, False, True]),
    ],
    ids=["text", "objects", "integers", "floats", "bools"],
)
@either
def test_classes_of_any_kind_come_back(rule, labels):
    X, y = load_iris(return_X_y=True)
    model = small(**rule, epochs=20).fit(X, labels[y])
    np.testing.assert_array_equal(model.classes_, np.unique(labels))
    assert set(model.predict(X)) <= set(labels)
    assert model.score(X, labels[y]) > 0.8
    if labels.dtype.kind in "UiO":
        np.testing.assert_array_equal(model.readout_.classes, np.unique(labels))


def test_the_network_is_that_of_the_readout_with_the_same_settings():
    parameters = {"t_gap": 0.1, "firing_threshold": 15, "thr_lr": 0.2, "max_time": 2.0, "nt_neurons": 1}
    model = small(scaling="max", n_fields=1, **parameters).fit(PIXELS[TRAIN], LABELS[TRAIN])
    times = 2 * (1 - PIXELS / 16)
    train = spikenn_cy.SpikingDataset.from_numpy(times[TRAIN], LABELS[TRAIN], max_time=2.0)
    test = spikenn_cy.SpikingDataset.from_numpy(times[TEST], LABELS[TEST], max_time=2.0)
    readout = Readout.from_config(model.readout_.config, 64, 10, max_time=2.0, seed=model.readout_.seed)
    assert readout.fit(train).train_accuracy == model.history_.train_accuracy
    np.testing.assert_array_equal(readout.layers[-1].weights, model.readout_.layers[-1].weights)
    np.testing.assert_array_equal(readout.predict(test), model.predict(PIXELS[TEST]))
    config = model.readout_.config
    assert (config.network[0].firing_threshold, config.optimizer.t_gap, config.regularizer.thr_lr) == (15, 0.1, 0.2)
    assert config.trainer.nt_neurons == 1


@pytest.mark.parametrize("hidden", [(), (30,), [30, 20]], ids=["no", "one", "two"])
def test_a_network_of_hidden_layers_is_that_of_the_readout_with_the_same_settings(hidden):
    model = small(**DEEP, hidden=hidden, scaling="max", n_fields=1).fit(PIXELS[TRAIN], LABELS[TRAIN])
    train, test = (spikenn_cy.SpikingDataset.from_numpy(1 - PIXELS[part] / 16, LABELS[part]) for part in (TRAIN, TEST))
    start = DEEP_START.settings
    assert [layer.n_neurons for layer in model.readout_.layers] == [*hidden, 30]
    settings = {
        "network": [*({"n_neurons": n, **DEEP_START.hidden_settings} for n in hidden), {"n_neurons": 30}],
        "optimizer": {"method": "decision_time", **start},
        "trainer": {"epochs": 3, "shuffle": True},
    }
    assert model.readout_.config == ExperimentConfig.from_any(settings)
    readout = Readout.from_config(settings, 64, 10, seed=model.readout_.seed)
    assert readout.fit(train).train_accuracy == model.history_.train_accuracy
    for ours, theirs in zip(model.readout_.layers, readout.layers, strict=True):
        np.testing.assert_array_equal(ours.weights, theirs.weights)
    np.testing.assert_array_equal(readout.predict(test), model.predict(PIXELS[TEST]))
    np.testing.assert_array_equal(readout.class_scores(test), model.decision_function(PIXELS[TEST]))


def test_settings_of_the_layer_are_those_of_the_output_where_there_are_others():
    layers = {"firing_threshold": 2.5, "w_init_mean": 0.25, "w_init_std": 0.125}
    network = small(**DEEP, **layers, hidden=(7,)).fit(PIXELS[:100], LABELS[:100]).readout_.config.network
    assert {name: getattr(network[1], name) for name in layers} == layers
    assert (network[0].firing_threshold, network[0].w_init_mean, network[0].w_init_std) == (1, None, None)


def test_the_order_of_samples_is_new_every_epoch_unless_shuffle_is_false():
    def weights(order, shuffle):
        model = small(**DEEP, shuffle=shuffle).fit(PIXELS[order], LABELS[order])
        return model.readout_.layers[-1].weights

    whole, back = np.arange(100), np.arange(100)[::-1]
    assert (weights(whole, False) != weights(whole, True)).any()
    assert (weights(whole, False) != weights(back, False)).any()
    model = small(**DEEP, shuffle=False, epochs=1).fit(PIXELS[:100], LABELS[:100])
    part = small(**DEEP).partial_fit(PIXELS[:100], LABELS[:100], classes=range(10))
    np.testing.assert_array_equal(part.readout_.layers[-1].weights, model.readout_.layers[-1].weights)


def test_automatic_settings_follow_the_units_of_the_data():
    one = small(n_fields=2).fit(PIXELS, LABELS).readout_.config
    two = small(n_fields=2, max_time=8.0, w_init_mean=0.25).fit(np.hstack([PIXELS, PIXELS]), LABELS).readout_.config
    assert two.optimizer.t_gap == pytest.approx(8 * one.optimizer.t_gap)
    assert two.network[0].firing_threshold == pytest.approx(one.network[0].firing_threshold)
    assert two.regularizer.thr_lr == pytest.approx(one.regularizer.thr_lr)


def test_a_configuration_replaces_the_parameters_of_the_network(tmp_path):
    settings = json.loads(CONFIG.read_text())
    settings["trainer"]["epochs"] = 2
    (tmp_path / "config.json").write_text(json.dumps(settings))
    for config in (settings, tmp_path / "config.json", ExperimentConfig.from_any(settings)):
        model = clone(SpikingClassifier(config=config, scaling="max", n_fields=1, random_state=0))
        model.fit(PIXELS[TRAIN], LABELS[TRAIN])
        assert model.readout_.config == ExperimentConfig.from_any(settings)
        assert model.n_iter_ == 2


@either
def test_early_stopping_holds_samples_back_and_ends_a_training(rule):
    model = small(**rule, epochs=100, early_stopping=True, n_iter_no_change=2, validation_fraction=0.3)
    model.fit(PIXELS[TRAIN], LABELS[TRAIN])
    assert model.n_iter_ == len(model.history_.epochs) < 100
    assert model.history_.stopped == "early_stopping"
    held_back = math.ceil(0.3 * len(TRAIN))
    assert all(round(accuracy * held_back, 6) % 1 == 0 for accuracy in model.history_.val_accuracy)
    config = model.readout_.config
    again = SpikingClassifier(config=config, validation_fraction=0.3, random_state=0).fit(PIXELS[TRAIN], LABELS[TRAIN])
    assert again.history_.val_accuracy == model.history_.val_accuracy
    without = small(**rule).fit(PIXELS[TRAIN], LABELS[TRAIN])
    assert without.history_.val_accuracy == [None] * 3


@either
def test_the_same_random_state_gives_the_same_bits_and_another_one_others(rule):
    def weights(random_state):
        model = small(**rule, random_state=random_state).fit(PIXELS[:200], LABELS[:200])
        return model.readout_.layers[-1].weights

    np.testing.assert_array_equal(weights(3), weights(3))
    np.testing.assert_array_equal(weights(np.random.RandomState(3)), weights(3))
    assert (weights(4) != weights(3)).any()
    assert (weights(None) != weights(None)).any()


# Learning part by part


@pytest.mark.full
@pytest.mark.parametrize("rule", [{"rule": "s2stdp"}, DEEP], ids=["one layer", "all layers"])
def test_learning_part_by_part_comes_near_to_learning_at_once(rule):
    model = SpikingClassifier(**rule, random_state=0)
    order = np.random.default_rng(0)
    for _ in range(10):
        for part in np.array_split(order.permutation(TRAIN), 4):
            assert model.partial_fit(PIXELS[part], LABELS[part], classes=range(10)) is model
    assert model.score(PIXELS[VAL], LABELS[VAL]) > 0.9
    assert (model.n_iter_, model.history_.epochs) == (40, [])


@pytest.mark.full
@pytest.mark.parametrize("rule", [{"rule": "s2stdp"}, DEEP], ids=["one layer", "all layers"])
def test_a_first_part_may_lack_classes_and_be_one_sample(rule):
    model = SpikingClassifier(**rule, random_state=0)
    X, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])
    order = np.random.default_rng(0).permutation(150)
    for sample in np.tile(order, 2):
        model.partial_fit(X[[sample]], names[y[[sample]]], classes=names)
    assert model.score(X, names[y]) > 0.8


@either
def test_part_by_part_goes_on_from_a_fit(rule):
    model = small(**rule).fit(PIXELS[TRAIN], LABELS[TRAIN])
    before = model.readout_.layers[-1].weights
    model.partial_fit(PIXELS[VAL], LABELS[VAL])
    assert (model.readout_.layers[-1].weights != before).any()
    assert model.n_iter_ == 4
    assert len(model.fit(PIXELS[TRAIN], LABELS[TRAIN]).history_.epochs) == model.n_iter_ == 3


def test_parts_must_keep_to_the_classes_that_were_announced():
    model = small()
    with pytest.raises(ValueError, match="classes must be passed on the first call to partial_fit"):
        model.partial_fit(PIXELS, LABELS)
    with pytest.raises(ValueError, match=r"y: must hold classes among \[0, 1\], got \[2, 3"):
        model.partial_fit(PIXELS, LABELS, classes=[0, 1])
    model.partial_fit(PIXELS, LABELS, classes=range(10))
    with pytest.raises(ValueError, match="is not the same as on last call"):
        model.partial_fit(PIXELS, LABELS, classes=[0, 1])
    with pytest.raises(ValueError, match="expecting 64 features"):
        model.partial_fit(PIXELS[:, 1:], LABELS)


# Deciding


def tied(rng, n_samples, n_classes, n_neurons, max_time):
    """Return times and potentials of few distinct values, so that all sorts of ties are among them."""
    shape = (n_samples, n_classes, n_neurons)
    times = rng.choice(np.array([0, 1e-45, 0.5, np.nextafter(np.float32(0.5), np.float32(1)), 1], np.float32), shape)
    return times * np.float32(max_time), rng.choice(np.array([-1, 0, 1, 2], np.float32), shape)


@pytest.mark.parametrize("n_classes", [1, 2, 3, 40])
@pytest.mark.parametrize("max_time", [1.0, 3e38])
def test_the_greatest_score_is_the_class_that_fires_first(n_classes, max_time):
    times, potentials = tied(np.random.default_rng(0), 2000, n_classes, 3, max_time)
    scores = class_scores(times, potentials)
    for sample in range(len(times)):
        winner = first(range(3 * n_classes), times[sample].ravel(), potentials[sample].ravel())
        assert scores[sample].argmax() == winner // 3
    assert (scores.astype(np.float32) == -times.min(axis=2)).all()


@either
def test_scores_of_two_classes_are_positive_for_the_second(rule):
    X, y = load_breast_cancer(return_X_y=True)
    model = small(**rule).fit(X, y)
    scores = model.decision_function(X)
    assert scores.shape == (len(X),)
    np.testing.assert_array_equal(scores > 0, model.predict(X) == 1)
    assert roc_auc_score(y, scores) > 0.9


@pytest.mark.parametrize("threshold", [1e-6, 1e6], ids=["all at once", "all silent"])
@pytest.mark.parametrize("n_classes", [2, 10])
def test_scores_agree_with_the_decision_where_no_time_tells(threshold, n_classes):
    these = n_classes > LABELS
    X, y = PIXELS[these], LABELS[these]
    model = small(firing_threshold=threshold, epochs=0).fit(X, y)
    scores = model.decision_function(X)
    decided = (scores > 0) if n_classes == 2 else scores.argmax(axis=1)
    np.testing.assert_array_equal(decided, model.predict(X))
    assert len(np.unique(model.predict(X))) > 1
    times, _ = model.readout_.first_spikes(spikes_of(model, X))
    assert (times == times[:, :1]).all()


@pytest.mark.full
def test_scores_of_a_network_are_the_largest_potentials_of_classes_at_the_decision():
    """A network that stops at the decision is asked for them; one that goes on to the end tells when that was."""
    model = small(**DEEP, hidden=(), n_fields=1).fit(PIXELS[TRAIN], LABELS[TRAIN])
    spikes, output = spikes_of(model, PIXELS[TEST]), model.readout_.layers[-1]
    times, _ = model.readout_.first_spikes(spikes)
    assert len(np.unique(times.min(axis=1))) > 5
    for sample, decided_at in enumerate(times.min(axis=1)):
        indices, stamps, _ = spikes[sample]
        potentials = output.weights[:, indices[stamps <= decided_at]].sum(axis=1, dtype=np.float64)
        want = potentials.reshape(10, 3).max(axis=1)
        np.testing.assert_allclose(model.decision_function(PIXELS[TEST[[sample]]])[0], want, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(model.decision_function(PIXELS[TEST]).argmax(axis=1), model.predict(PIXELS[TEST]))


@pytest.mark.parametrize("load", [load_breast_cancer, load_wine])
def test_probabilities_are_what_learning_compares_with_the_labels(load):
    X, y = load(return_X_y=True)
    model = SpikingClassifier(**DEEP, random_state=0).fit(X[::2], y[::2])
    probabilities = model.predict_proba(X[1::2])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_array_equal(probabilities.argmax(axis=1), model.predict(X[1::2]))
    scores, temperature = model.decision_function(X[1::2]), model.readout_.config.optimizer.temperature
    if scores.ndim == 1:
        np.testing.assert_allclose(probabilities[:, 1], 1 / (1 + np.exp(-scores / temperature)))
    assert log_loss(y[1::2], probabilities) < 0.25


def test_only_a_rule_that_trains_probabilities_has_them():
    hinge = {"network": [{"n_neurons": 10}], "optimizer": {"method": "decision_time", "error": "hinge"}}
    softmax = hinge | {"optimizer": {"method": "decision_time"}}
    for parameters in (DEEP, {"config": softmax}):
        assert hasattr(SpikingClassifier(**parameters), "predict_proba")
    for parameters in ({"rule": "s2stdp"}, {"rule": "s4nn"}, {"rule": "no such"}, {"config": hinge}):
        assert not hasattr(SpikingClassifier(**parameters), "predict_proba")
    model = small(**DEEP).fit(PIXELS[:100], LABELS[:100])
    assert hasattr(model.set_params(rule="s2stdp"), "predict_proba")  # it was trained by the other


def test_scores_are_minus_the_time_of_each_class_s_first_spike():
    model = small(max_time=50.0).fit(PIXELS[TRAIN], LABELS[TRAIN])
    times, _ = model.readout_.first_spikes(spikes_of(model, PIXELS[TEST]))
    first = times.reshape(len(TEST), 10, 3).min(axis=2)
    np.testing.assert_array_equal(model.decision_function(PIXELS[TEST]).astype(np.float32), -first)


@either
def test_threads_and_blocks_do_not_change_what_is_decided(rule, monkeypatch):
    model = small(**rule).fit(PIXELS[TRAIN], LABELS[TRAIN])
    predicted, scores = model.predict(PIXELS[TEST]), model.decision_function(PIXELS[TEST])
    monkeypatch.setattr("spikenn_cy.estimator.classifier.CHUNK", 2000)
    monkeypatch.setattr("spikenn_cy.network.readout.SCORED", 1000)
    for n_jobs in (2, -1):
        model.set_params(n_jobs=n_jobs)
        np.testing.assert_array_equal(model.predict(PIXELS[TEST]), predicted)
        np.testing.assert_array_equal(model.decision_function(PIXELS[TEST]), scores)


@pytest.mark.parametrize("parameters", some([{"scaling": "max", "n_fields": 1}, {}, DEEP | {"hidden": (20,)}], 1))
def test_sparse_features_train_the_network_of_dense_ones(parameters, monkeypatch):
    dense = small(**parameters).fit(PIXELS[TRAIN], LABELS[TRAIN])
    monkeypatch.setattr("spikenn_cy.estimator.classifier.CHUNK", 5000)  # the samples come in parts
    sparse = small(**parameters).fit(csr_matrix(PIXELS[TRAIN]), LABELS[TRAIN])
    np.testing.assert_array_equal(sparse.readout_.layers[-1].weights, dense.readout_.layers[-1].weights)
    np.testing.assert_array_equal(sparse.predict(csr_matrix(PIXELS[TEST])), dense.predict(PIXELS[TEST]))


# Among scikit-learn's tools


def test_it_works_in_a_pipeline_and_in_a_cross_validation():
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    model = make_pipeline(StandardScaler(), SpikingClassifier(random_state=0, epochs=15))
    assert cross_val_score(model, *load_wine(return_X_y=True), cv=folds).mean() > 0.93


@pytest.mark.processes
def test_a_grid_search_takes_parameters_of_code_and_rule_in_processes_too():
    search = GridSearchCV(
        small(), {"n_fields": [1, 3], "rule": ["s2stdp", "rstdp"]}, cv=2, n_jobs=2, error_score="raise"
    )
    search.fit(*load_iris(return_X_y=True))
    assert len(search.cv_results_["params"]) == 4
    assert search.best_score_ > 0.6
    assert search.predict(load_iris().data).shape == (150,)


def test_the_encoder_can_stand_in_front_of_any_classifier():
    late = FunctionTransformer(lambda times: 1 - times)
    model = make_pipeline(LatencyEncoder(scaling="max"), late, small(scaling="max", n_fields=1))
    assert model.fit(PIXELS[TRAIN], LABELS[TRAIN]).score(PIXELS[VAL], LABELS[VAL]) > 0.7


@either
def test_a_pickle_decides_and_goes_on_learning_as_the_original(rule):
    model = small(**rule).fit(PIXELS[TRAIN], LABELS[TRAIN])
    for twin in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        np.testing.assert_array_equal(twin.predict(PIXELS[TEST]), model.predict(PIXELS[TEST]))
        twin.partial_fit(PIXELS[VAL], LABELS[VAL])
        after = twin.readout_.layers[-1].weights
    model.partial_fit(PIXELS[VAL], LABELS[VAL])
    np.testing.assert_array_equal(model.readout_.layers[-1].weights, after)


def test_names_of_features_are_kept_and_asked_for():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(PIXELS[:200], columns=[f"pixel {i}" for i in range(64)])
    model = small().fit(frame, LABELS[:200])
    assert model.feature_names_in_.tolist() == frame.columns.tolist()
    assert model.n_features_in_ == 64
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame.iloc[:, ::-1])
    encoder = LatencyEncoder().set_output(transform="pandas").fit(frame)
    assert encoder.transform(frame).columns.tolist() == frame.columns.tolist()


# What is refused


@pytest.mark.parametrize(
    ("parameters", "refusal"),
    [
        ({"scaling": "mean"}, "scaling: must be one of range, feature, max, sample, got 'mean'"),
        ({"n_fields": 0}, "n_fields: must be an integer >= 1, got 0"),
        ({"n_fields": 10**9}, "n_fields: must give at most 2147483647 inputs for 64 features, got 1000000000"),
        ({"n_fields": 1.5}, "n_fields: must be an integer >= 1, got 1.5"),
        ({"max_time": 0}, "max_time: must be a finite number > 0, got 0"),
        ({"max_time": True}, "max_time: must be a finite number > 0, got True"),
        ({"w_norm": "yes"}, "network[0].w_norm: must be"),
        ({"ap": "big"}, "ap: must be a number or \"auto\", got 'big'"),
        ({"rule": "hebb"}, f"rule: must be one of {', '.join(NAMES)}, got 'hebb'"),
        ({"rule": "sstpd"}, f"rule: must be one of {', '.join(NAMES)}, got 'sstpd' (did you mean sstdp?)"),
        ({"neurons_per_class": 0}, "neurons_per_class: must be an integer >= 1, got 0"),
        ({"neurons_per_class": True}, "neurons_per_class: must be an integer >= 1, got True"),
        ({"nt_neurons": 3}, "trainer.nt_neurons: must be less than the 3 neurons of a class, got 3"),
        ({"firing_threshold": "low"}, "firing_threshold: must be a number or \"auto\", got 'low'"),
        ({"firing_threshold": None}, 'firing_threshold: must be a number or "auto", got None'),
        ({"firing_threshold": -1}, r"network[0].firing_threshold: must be > 0, got -1"),
        ({"w_init_mean": "half"}, "w_init_mean: must be a number or \"auto\", got 'half'"),
        ({"t_gap": True}, 't_gap: must be a number or "auto", got True'),
        ({"thr_lr": "fast"}, "thr_lr: must be a number or \"auto\", got 'fast'"),
        ({"early_stopping": True, "n_iter_no_change": 0}, "n_iter_no_change: must be an integer >= 1, got 0"),
        ({"early_stopping": True, "validation_fraction": 2}, "validation_fraction: must be > 0 and < 1, got 2"),
        ({"hidden": (20,)}, "hidden: must not be given with rule s2stdp (it trains one layer), got (20,)"),
        ({"lr": 0.1}, "lr: must not be given with rule s2stdp (it has no such setting), got 0.1"),
        (DEEP | {"hidden": (20, 0)}, 'hidden: must be a tuple of integers >= 1 or "auto", got (20, 0)'),
        (DEEP | {"hidden": 20}, 'hidden: must be a tuple of integers >= 1 or "auto", got 20'),
        (DEEP | {"hidden": "wide"}, "hidden: must be a tuple of integers >= 1 or \"auto\", got 'wide'"),
        (DEEP | {"ap": 0.1}, "ap: must not be given with rule decision_time (it has no such setting), got 0.1"),
        (DEEP | {"use_two_thr": True}, "use_two_thr: must not be given with rule decision_time"),
        (DEEP | {"w_norm": False}, "network[1].w_norm: must not be given (sums of weights are what"),
        (DEEP | {"w_max": 1.0}, "network[1].w_max: must not be given (weights of a network that learns in every"),
        (DEEP | {"leak_tau": 1.0}, "network[1].leak_tau: must not be given (a network that learns in every layer"),
        (DEEP | {"nt_neurons": 1}, "trainer.nt_neurons: must not be given with method decision_time"),
        (DEEP | {"dropout_in": 0.1}, "trainer.dropout_in: must not be given with method decision_time"),
        (DEEP | {"dropout_out": 0.1}, "trainer.dropout_out: must not be given with method decision_time"),
        (DEEP | {"firing_threshold": -1}, "network[1].firing_threshold: must be > 0, got -1"),
        ({"config": {"network": []}}, "optimizer: must be given, got nothing"),
    ],
)
def test_a_parameter_that_is_nonsense_is_refused_in_one_line(parameters, refusal):
    with pytest.raises(ConfigError) as raised:
        small(**parameters).fit(PIXELS, LABELS)
    assert str(raised.value).startswith(refusal)


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (None, "must be usable, got No such file or directory"),
        (
            os.mkdir,
            "must be settings, or the folder or record of a run or an extraction, got a folder without config.json",
        ),
        ("no JSON", "line 1, column 1: must be JSON (expecting value), got 'no JSON'"),
        ("{}", "network: must be given, got nothing"),
        (
            CONFIG.read_text().replace("200", "201"),
            "network[0].n_neurons: must be a multiple of the 10 classes, got 201",
        ),
    ],
    ids=["missing", "folder", "text", "empty", "other classes"],
)
def test_a_file_that_holds_no_settings_is_refused_in_one_line(content, refusal, tmp_path):
    path = tmp_path / "config.json"
    if isinstance(content, str):
        path.write_text(content)
    elif content:
        content(path)
    model = SpikingClassifier(config=path, random_state=0)
    for learn in (model.fit, lambda X, y: model.partial_fit(X, y, classes=range(10))):
        with pytest.raises(ConfigError) as raised:
            learn(PIXELS[:100], LABELS[:100])
        assert str(raised.value) == f"{path}: {refusal}"


@pytest.mark.parametrize("name", sorted(SpikingClassifier().get_params()))
def test_every_parameter_meets_nonsense_once(name):
    nonsense = {"random_state": "seed", "verbose": None, "early_stopping": None, "class_inhib": 7}
    if name in ("verbose", "early_stopping"):
        pytest.skip("anything that is true or false is taken")
    X, y = PIXELS[:100], LABELS[:100]
    needed = {
        "lr": {"rule": "s4nn"},
        "validation_fraction": {"early_stopping": True},
        "n_iter_no_change": {"early_stopping": True},
    }
    with pytest.raises((ValueError, TypeError)):
        small(**needed.get(name, {})).set_params(**{name: nonsense.get(name, "nonsense")}).fit(X, y).predict(X)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("form", some(["sparse", "array", "map", "whole numbers"], 1))
def test_samples_that_come_in_blocks_give_the_same_bits(form, early_stopping, monkeypatch, tmp_path):
    X, y = PIXELS[:200], LABELS[:200]
    if form == "map":
        np.save(tmp_path / "x.npy", X.astype(np.float32))
    given = {
        "array": lambda: X,
        "map": lambda: np.load(tmp_path / "x.npy", mmap_mode="r"),
        "sparse": lambda: csr_matrix(X),
        "whole numbers": lambda: X.astype(np.uint8),
    }[form]()
    found = []
    for chunk in (1 << 22, 3000):
        monkeypatch.setattr("spikenn_cy.estimator.classifier.CHUNK", chunk)
        model = small(early_stopping=early_stopping).fit(given, y)
        found.append([model.readout_.layers[0].weights, model.predict(given), model.decision_function(given)])
    for whole, in_blocks in zip(*found, strict=True):
        np.testing.assert_array_equal(whole, in_blocks)
    np.testing.assert_array_equal(
        found[0][0], small(early_stopping=early_stopping).fit(X, y).readout_.layers[0].weights
    )


@pytest.mark.parametrize("n_jobs", ["two", 0, 2.5, True, [1]])
def test_a_number_of_threads_that_is_none_is_refused_before_anything_is_learnt(n_jobs):
    model = small(n_jobs=n_jobs)
    for learn in (model.fit, lambda X, y: model.partial_fit(X, y, classes=range(10))):
        with pytest.raises(ConfigError, match=r"^n_jobs: must be an integer other than 0, or None, got "):
            learn(PIXELS[:100], LABELS[:100])


@pytest.mark.parametrize("features", ["two bits", "one hot"])
def test_tables_of_two_values_are_learnt_without_a_setting(features):
    generator = np.random.default_rng(0)
    if features == "two bits":
        X = generator.integers(0, 2, (300, 30)).astype(float)
        y = X[:, :2].any(axis=1)
    else:
        X = np.eye(8)[generator.integers(0, 8, 300)]
        y = X.argmax(axis=1) % 3
    assert SpikingClassifier(random_state=0, epochs=30).fit(X[:200], y[:200]).score(X[200:], y[200:]) > 0.95


def test_values_that_have_no_latency_are_refused():
    with pytest.raises(ValueError, match="Negative values in data passed to LatencyEncoder"):
        LatencyEncoder().fit([[-1.0]])
    with pytest.raises(DataError, match=r"X: a feature's values must have a finite range, got -1e\+308 to 1e\+308"):
        LatencyEncoder(scaling="range").fit([[-1e308], [1e308]])
    encoder = LatencyEncoder(scaling="range").fit([[-8e307], [8e307]])
    np.testing.assert_array_equal(encoder.transform([[-1.7e308], [1.7e308]]), [[1.0], [0.0]])


# The extra


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.processes
def test_without_scikit_learn_one_line_says_what_to_install():
    said = f"spikenn_cy.estimator: needs the package sklearn, which python -m pip install {wanted('sklearn')} brings"
    for code in (
        "from spikenn_cy.estimator import SpikingClassifier",
        "from spikenn_cy import SpikingClassifier",
    ):
        done = run(f"import sys; sys.modules['sklearn'] = None\n{code}")
        assert done.stderr.strip().splitlines()[-1] == f"spikenn_cy.errors.MissingExtra: {said}"


@pytest.mark.processes
def test_the_package_itself_is_imported_without_scikit_learn():
    assert run("import spikenn_cy, sys; dir(spikenn_cy); assert 'sklearn' not in sys.modules").returncode == 0
    assert run("import sys; sys.modules['sklearn'] = None\nfrom spikenn_cy import *; Readout").returncode == 0
    assert spikenn_cy.SpikingClassifier is SpikingClassifier
    assert spikenn_cy.LatencyEncoder is LatencyEncoder
    with pytest.raises(AttributeError, match="module 'spikenn_cy' has no attribute 'SpikingRegressor'"):
        _ = spikenn_cy.SpikingRegressor


@pytest.mark.processes
def test_the_package_lists_every_public_name_also_those_that_are_imported_late():
    assert {"LatencyEncoder", "SpikingClassifier", "Readout", "DataWarning"} <= {*spikenn_cy.__all__}
    assert {*spikenn_cy.__all__, "experiments", "features", "plots"} <= {*dir(spikenn_cy)}
    assert all(hasattr(spikenn_cy, name) for name in dir(spikenn_cy))
    assert run("import spikenn_cy as s; s.plots.accuracy; s.features.STDPCSNN; s.experiments.kfold").returncode == 0
