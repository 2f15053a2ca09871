"""Thresholds that are left to the data: which number they become, when, and where it is kept."""

import copy
import json

import numpy as np
import pytest
from small_runs import dense
from small_runs import settings
from small_runs import write_data
from small_runs import write_settings

from spikenn_cy import ConfigError
from spikenn_cy import DataError
from spikenn_cy import ExperimentConfig
from spikenn_cy import Readout
from spikenn_cy import SpikingClassifier
from spikenn_cy import SpikingDataset
from spikenn_cy.cli.entry import main
from spikenn_cy.experiments import grids
from spikenn_cy.experiments.batch import run_batch
from spikenn_cy.experiments.single import RunJob
from spikenn_cy.experiments.single import run_single

pytestmark = pytest.mark.quick

AUTO = settings(network={"firing_threshold": "auto"})


def data(n_samples=90, seed=0):
    return SpikingDataset.from_numpy(*dense(n_samples, seed), max_time=1.0)


def two_layers(first="auto", last="auto"):
    hidden = {"n_neurons": 20, "firing_threshold": first, "w_init_normal": True, "w_init_std": 0.1}
    return AUTO | {"network": [hidden, settings(network={"firing_threshold": last})["network"][0]]}


def fitted(config, train=None, **options):
    model = Readout.from_config(config, 12, 3, seed=3)
    model.fit(data() if train is None else train, epochs=2, **options)
    return model


def test_it_is_sixty_percent_of_what_an_average_sample_gives_to_initial_weights():
    train = data()
    model = fitted(AUTO, train)
    n_spikes = len(train.indices) / len(train)
    assert model.config.network[0].firing_threshold == pytest.approx(0.6 * 0.5 * n_spikes, rel=1e-6)
    uniform = fitted(settings(network={"firing_threshold": "auto", "w_init_normal": False, "w_max": 0.5}), train)
    assert uniform.config.network[0].firing_threshold == pytest.approx(0.6 * 0.25 * n_spikes, rel=1e-6)


@pytest.mark.parametrize("config", [AUTO, two_layers(), two_layers(first=2)], ids=["one layer", "both", "the last"])
def test_a_network_with_the_number_has_the_same_bits(config, tmp_path):
    chosen = fitted(config)
    numbers = [layer.firing_threshold for layer in chosen.config.network]
    given = copy.deepcopy(config)
    for layer, number in zip(given["network"], numbers, strict=True):
        layer["firing_threshold"] = number
    model = fitted(given)
    for one, other in zip(chosen.layers, model.layers, strict=True):
        assert np.array_equal(one.weights, other.weights)
        assert np.array_equal(one.thresholds, other.thresholds)
    chosen.save(tmp_path / "m.npz")
    assert [layer.firing_threshold for layer in Readout.load(tmp_path / "m.npz").config.network] == numbers


def test_a_layer_above_others_counts_what_they_answer():
    model = fitted(two_layers(first=2))
    hidden = (model.first_spikes(data(), layer=0)[0] < 1).sum(axis=1).mean()
    assert model.config.network[1].firing_threshold == pytest.approx(0.6 * 0.5 * hidden, rel=1e-6)


def test_a_network_without_data_has_no_layers_and_says_so(tmp_path):
    model = Readout.from_config(AUTO, 12, 3)
    asks = (
        lambda: model.layers,
        lambda: model.predict(data()),
        lambda: model.first_spikes(data()),
        lambda: model.save(tmp_path / "m.npz"),
    )
    for ask in asks:
        with pytest.raises(DataError, match=r'firing_threshold must be a number, or be chosen .*, got "auto"$'):
            ask()
    assert "not made yet" in repr(model)


def test_a_training_set_that_is_refused_chooses_nothing():
    model = Readout.from_config(AUTO, 12, 3, seed=3)
    times, _ = dense(30, 0)
    strange = SpikingDataset.from_numpy(times, np.arange(30) % 4, max_time=1.0)
    with pytest.raises(DataError):
        model.fit(data(30, seed=7), val=strange)
    model.fit(data(), epochs=2)
    assert np.array_equal(model.layers[0].weights, fitted(AUTO).layers[0].weights)


def test_it_is_chosen_by_the_first_samples_of_a_stream():
    model = Readout.from_config(AUTO, 12, 3).partial_fit(data(10))
    before = model.config.network[0].firing_threshold
    model.partial_fit(data(90, seed=2))
    assert model.config.network[0].firing_threshold == before


def test_a_checkpoint_goes_on_to_the_same_bits(tmp_path):
    class Interrupt(Exception):
        pass

    def stop(report):
        if report.epoch == 1:
            raise Interrupt

    path = tmp_path / "c.npz"
    with pytest.raises(Interrupt):
        fitted(AUTO, checkpoint=path, on_epoch=stop)
    assert np.array_equal(fitted(AUTO, checkpoint=path).layers[0].weights, fitted(AUTO).layers[0].weights)


def test_where_every_layer_learns_it_is_one():
    layers = [{"n_neurons": 5, "firing_threshold": "auto"}, {"n_neurons": 3, "firing_threshold": "auto"}]
    config = ExperimentConfig.from_any({"network": layers, "optimizer": {"method": "decision_time"}})
    assert [layer.firing_threshold for layer in config.network] == [1, 1]
    assert config.to_dict()["network"][0]["firing_threshold"] == 1


def test_weights_that_are_not_above_zero_on_average_are_refused():
    config = settings(network={"firing_threshold": "auto", "w_init_normal": False, "w_min": -1})
    with pytest.raises(ConfigError, match=r"network\[0\]\.firing_threshold: must be a number where .*, got 'auto'$"):
        fitted(config)


@pytest.mark.parametrize("word", ["atuo", "Auto", ""])
def test_another_word_is_refused(word):
    with pytest.raises(ConfigError, match=r'network\[0\]\.firing_threshold: must be a number or "auto", got'):
        ExperimentConfig.from_any(settings(network={"firing_threshold": word}))


@pytest.mark.parametrize("n_fields", [1, 4])
def test_the_classifier_chooses_alike_for_settings_in_full(n_fields):
    times, labels = dense(90, 0)
    parameters = {"n_fields": n_fields, "epochs": 1, "random_state": 0, "shuffle": False, "dropout_out": 0.0}
    own = SpikingClassifier(rule="s2stdp", **parameters).fit(times, labels)
    config = own.readout_.config.to_dict()
    number, config["network"][0]["firing_threshold"] = config["network"][0]["firing_threshold"], "auto"
    full = SpikingClassifier(config=config, n_fields=n_fields, random_state=0).fit(times, labels)
    assert full.readout_.config.network[0].firing_threshold == number
    assert np.array_equal(full.readout_.layers[0].weights, own.readout_.layers[0].weights)


def test_a_run_keeps_the_number_and_is_looked_up_by_the_word(tmp_path, capsys):
    folder = write_data(tmp_path / "data")
    job = RunJob(tmp_path / "run", folder, write_settings(tmp_path / "c.json", network={"firing_threshold": "auto"}))
    result = run_single(job)
    config = json.loads((tmp_path / "run" / "config.json").read_text())["config"]
    number = config["network"][0]["firing_threshold"]
    assert number == Readout.load(tmp_path / "run" / "model.npz").config.network[0].firing_threshold
    before = (tmp_path / "run" / "model.npz").stat().st_mtime_ns
    assert run_single(job) == result
    assert main(["run", str(folder), str(tmp_path / "run"), str(tmp_path / "c.json")]) == 0
    assert (tmp_path / "run" / "model.npz").stat().st_mtime_ns == before


def test_a_grid_tries_the_word_beside_numbers_and_looks_up_what_is_complete(tmp_path, monkeypatch):
    folder = write_data(tmp_path / "data")
    config = write_settings(tmp_path / "c.json", network={"firing_threshold": ["auto", 1.5]}, trainer={"epochs": 1})
    batch = grids.jobs(folder, tmp_path / "out", config)
    assert run_batch(batch) == []
    monkeypatch.setattr("spikenn_cy.experiments.batch.run_jobs", lambda *_: pytest.fail("must be complete"))
    assert run_batch(batch) == []
    assert {best["settings"]["network[0].firing_threshold"] for best in grids.summarise(tmp_path / "out")
        .record["best"]} == {"auto", 1.5}  # fmt: skip
