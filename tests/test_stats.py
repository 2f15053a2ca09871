"""Statistics of a training: true, complete, and without an effect on the training."""

import json

import numpy as np
import pytest
from small_runs import contents
from small_runs import settings
from small_runs import write_data

from spikenn_cy.config import ExperimentConfig
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.errors import RunError
from spikenn_cy.experiments.single import RunJob
from spikenn_cy.experiments.single import run_single
from spikenn_cy.network.model_file import Checkpoint
from spikenn_cy.network.readout import Readout

pytestmark = pytest.mark.quick

N_EPOCHS, N_SAMPLES, N_NEURONS, N_INPUTS, PER_CLASS = 6, 90, 6, 12, 2


@pytest.fixture
def data(tmp_path):
    return write_data(tmp_path / "data")


def run(data, folder, save_stats=True, **sections):
    """Run the small settings; return the folder."""
    config = ExperimentConfig.from_any(settings(**sections))
    run_single(RunJob(output=folder, input=data, config=config, save_stats=save_stats))
    return folder


def stats(folder):
    """Return the arrays of a finished run's statistics."""
    with np.load(folder / "stats.npz") as file:
        return dict(file)


def test_every_key_has_an_axis_of_epochs_and_the_documented_shape(data, tmp_path):
    found = {key: array.shape for key, array in stats(run(data, tmp_path / "run")).items()}
    of_neurons = (N_EPOCHS, N_NEURONS)
    assert found == {
        "labels": (N_EPOCHS, N_SAMPLES),
        "training_thresholds": (N_EPOCHS, N_SAMPLES, PER_CLASS),
        "target_updates": of_neurons,
        "non_target_updates": of_neurons,
        "votes": of_neurons,
        "right_votes": of_neurons,
        "precision": of_neurons,
        "weights": (N_EPOCHS, N_NEURONS, N_INPUTS),
        "firing_time_mean": of_neurons,
        "firing_time_std": of_neurons,
        "silent_share": of_neurons,
    }


def test_votes_make_up_the_training_accuracy(data, tmp_path):
    folder = run(data, tmp_path / "run")
    found = stats(folder)
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    accuracies = [json.loads(line)["train_accuracy"] for line in lines]
    assert (found["votes"].sum(1) == N_SAMPLES).all()
    np.testing.assert_allclose(found["right_votes"].sum(1) / N_SAMPLES, accuracies)
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(found["precision"], found["right_votes"] / found["votes"], rtol=1e-6)


def test_one_neuron_of_each_class_is_updated_a_sample(data, tmp_path):
    found = stats(run(data, tmp_path / "run", trainer={"nt_neurons": 0, "dropout_out": 0}))
    assert (found["target_updates"].sum(1) == N_SAMPLES).all()
    assert (found["non_target_updates"].sum(1) == 2 * N_SAMPLES).all()


def test_a_non_target_neuron_has_no_target_update(data, tmp_path):
    found = stats(run(data, tmp_path / "run", trainer={"nt_neurons": 1}))
    assert (found["target_updates"][:, ::PER_CLASS] == 0).all()
    assert found["target_updates"][:, 1::PER_CLASS].sum() > 0


@pytest.mark.parametrize("shuffle", [False, True])
def test_the_last_weights_and_thresholds_are_the_networks(data, tmp_path, shuffle):
    folder = run(data, tmp_path / "run", trainer={"shuffle": shuffle})
    found, model = stats(folder), Readout.load(folder / "model.npz")
    np.testing.assert_array_equal(found["weights"][-1], model.layers[-1].weights)
    labels = found["labels"][-1]
    for label in range(3):
        last = found["training_thresholds"][-1][np.flatnonzero(labels == label)[-1]]
        np.testing.assert_array_equal(last, model.training_thresholds.reshape(3, PER_CLASS)[label])


@pytest.mark.parametrize("shuffle", [False, True])
def test_labels_are_those_of_the_samples_in_the_order_of_training(data, tmp_path, shuffle):
    found = stats(run(data, tmp_path / "run", trainer={"shuffle": shuffle}))["labels"]
    labels = SpikingDataset.from_file(data / "trainset.npz").labels
    for epoch in found:
        assert np.array_equal(epoch, labels) != shuffle
        np.testing.assert_array_equal(np.sort(epoch), np.sort(labels))


def test_firing_times_are_those_of_the_trained_network(data, tmp_path):
    folder = run(data, tmp_path / "run")
    found, train = stats(folder), SpikingDataset.from_file(data / "trainset.npz")
    times, _ = Readout.load(folder / "model.npz").first_spikes(train)
    fired = np.ma.masked_equal(times, 1.0)
    np.testing.assert_allclose(found["firing_time_mean"][-1], fired.mean(0).filled(np.nan), rtol=1e-5)
    np.testing.assert_allclose(found["firing_time_std"][-1], fired.std(0).filled(np.nan), atol=1e-5)
    np.testing.assert_allclose(found["silent_share"][-1], (times == 1).mean(0), atol=1e-6)
    assert "Mean firing time on train set after epoch 5: " in (folder / "readout_log.txt").read_text()


def test_statistics_change_nothing_else(data, tmp_path):
    without = contents(run(data, tmp_path / "without", save_stats=False))
    with_them = contents(run(data, tmp_path / "with"))
    assert sorted(with_them.keys() - without.keys()) == ["stats.npz"]
    for name in ("model.npz", "metrics.jsonl", "result.json"):
        assert with_them[name] == without[name]


def test_an_interrupted_run_ends_with_the_statistics_of_a_whole_one(data, tmp_path, monkeypatch):
    whole = stats(run(data, tmp_path / "whole"))
    write = Checkpoint.write

    def interrupted(checkpoint, reports):
        write(checkpoint, reports)
        if len(reports) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoint, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(data, tmp_path / "run")
    assert not (tmp_path / "run" / "stats.npz").exists()
    monkeypatch.setattr(Checkpoint, "write", write)
    again = stats(run(data, tmp_path / "run"))
    for key, array in whole.items():
        np.testing.assert_array_equal(again[key], array)


def test_a_run_without_statistics_is_not_taken_for_one_with_them(data, tmp_path):
    run(data, tmp_path / "run", save_stats=False)
    with pytest.raises(RunError, match="save_stats"):
        run(data, tmp_path / "run")
