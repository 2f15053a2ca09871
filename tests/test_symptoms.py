"""Warnings of a network that is about to learn nothing: when they come, what they say, and that it helps."""

import pickle
import re
import warnings

import numpy as np
import pytest
from small_runs import dense
from small_runs import settings
from small_runs import write_data
from small_runs import write_settings

from spikenn_cy import Readout
from spikenn_cy import SpikingDataset
from spikenn_cy import TrainingWarning
from spikenn_cy.cli.entry import main
from spikenn_cy.experiments import folds
from spikenn_cy.experiments.batch import run_batch

pytestmark = pytest.mark.quick

DEEP = {"network": [{"n_neurons": 20}, {"n_neurons": 3}], "optimizer": {"method": "decision_time"}}


def data(n_samples=150):
    return SpikingDataset.from_numpy(*dense(n_samples, 0), max_time=1.0)


def deep(position, **layer):
    network = [dict(layer) for layer in DEEP["network"]]
    network[position] |= layer
    return DEEP | {"network": network}


def told(config, train=None, epochs=1, **options):
    """Return what `fit` warns of, and the network."""
    train = data() if train is None else train
    model = Readout.from_config(config, train.n_inputs, 3, train.max_time)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", TrainingWarning)
        model.fit(train, epochs=epochs, **options)
    return [warning.message for warning in caught], model


@pytest.mark.parametrize(
    ("config", "with_threshold", "subject"),
    [
        (settings(network={"firing_threshold": 300}), lambda t: settings(network={"firing_threshold": t}), "silent 0"),
        (settings(network={"firing_threshold": 300, "leak_tau": 0.3}),
         lambda t: settings(network={"firing_threshold": t, "leak_tau": 0.3}), "silent 0"),
        (settings(network={"firing_threshold": 0.01}),
         lambda t: settings(network={"firing_threshold": t}), "saturated 0"),
        (deep(0, firing_threshold=300), lambda t: deep(0, firing_threshold=t), "silent 0"),
        (deep(1, firing_threshold=300), lambda t: deep(1, firing_threshold=t), "silent 1"),
    ],
    ids=["silent", "leaky", "saturated", "hidden", "output"],
)  # fmt: skip
def test_a_layer_that_cannot_learn_is_told_with_a_threshold_that_helps(config, with_threshold, subject):
    (warning,), _ = told(config)
    assert warning.subject == subject
    assert str(warning).startswith(f"network[{subject[-1]}]: after the first epoch ")
    assert "\n" not in str(warning)
    to_try = float(re.search(r'try "firing_threshold": ([\d.]+), or "auto"$', str(warning))[1])
    assert told(with_threshold(to_try))[0] == []


def test_the_potentials_that_are_told_are_those_that_samples_reach():
    (warning,), model = told(settings(network={"firing_threshold": 300}))
    reached = model.first_spikes(data())[1].max(axis=1)
    median, largest = map(float, re.search(r"are ([\d.]+) \(median\) and ([\d.]+) \(largest\)", str(warning)).groups())
    assert median == pytest.approx(np.median(reached), rel=0.02)
    assert largest == pytest.approx(reached.max(), rel=0.01)


@pytest.mark.parametrize("config", [settings(), DEEP], ids=["one layer", "all layers"])
def test_a_network_that_learns_is_not_warned_of(config):
    assert told(config, epochs=3)[0] == []


def test_a_silent_output_is_no_symptom_where_the_end_of_time_is_wanted():
    late = DEEP | {"optimizer": {"method": "decision_time", "decision_at": 1}}
    assert told(late | {"network": [{"n_neurons": 20}, {"n_neurons": 3, "firing_threshold": 300}]})[0] == []


def test_weights_that_let_no_potential_rise_are_told():
    (warning,), _ = told(deep(0, w_init_mean=-5, rate=0))
    assert str(warning).endswith("none raises a potential above 0; larger initial weights may help")


def test_hidden_layers_that_stay_random_are_told_unless_their_weights_were_given():
    config = settings()
    config["network"] = [{"n_neurons": 10, "firing_threshold": 1.5}, *config["network"]]
    (warning,), model = told(config)
    assert warning.subject == "random layers"
    assert '"method": "decision_time" train all' in str(warning)
    other = Readout.from_config(config, 12, 3)
    other.layers[0].weights = model.layers[0].weights
    with warnings.catch_warnings():
        warnings.simplefilter("error", TrainingWarning)
        other.fit(data(), epochs=1)


@pytest.mark.filterwarnings("ignore::spikenn_cy.errors.DataWarning")  # which tells earlier, here
def test_samples_without_spikes_are_told_and_not_taken_for_a_fault_of_the_threshold():
    times, labels = dense(90, 0)
    times[:60] = 2
    found = [warning.subject for warning in told(settings(), SpikingDataset.from_numpy(times, labels, max_time=1.0))[0]]
    assert found == ["silent samples"]
    times[:] = 2
    found = [warning.subject for warning in told(settings(), SpikingDataset.from_numpy(times, labels, max_time=1.0))[0]]
    assert found == ["silent samples"]


def test_looking_changes_no_bit(monkeypatch):
    looked = told(settings(), epochs=2)[1]
    monkeypatch.setattr("spikenn_cy.network.readout.symptoms", lambda *_: [])
    blind = told(settings(), epochs=2)[1]
    assert np.array_equal(looked.layers[0].weights, blind.layers[0].weights)
    assert np.array_equal(looked.training_thresholds, blind.training_thresholds)


def test_a_training_that_goes_on_is_warned_of_no_second_time(tmp_path):
    config = settings(network={"firing_threshold": 300})
    assert len(told(config, epochs=3, checkpoint=tmp_path / "c.npz")[0]) == 1
    assert told(config, epochs=3, checkpoint=tmp_path / "c.npz")[0] == []


def test_a_warning_keeps_its_subject_on_its_way_from_another_process():
    again = pickle.loads(pickle.dumps(TrainingWarning.about("silent 0", "text")))
    assert (again.subject, str(again)) == ("silent 0", "text")


def test_a_command_says_it_in_one_line_once(tmp_path, capsys):
    data = write_data(tmp_path / "data")
    config = write_settings(tmp_path / "c.json", network={"firing_threshold": 300}, trainer={"epochs": 2})
    assert main(["run", str(data), str(tmp_path / "run"), str(config)]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert [line.startswith(f"warning: {config}: network[0]: after the first epoch") for line in lines] == [True]


def test_folds_say_it_once(tmp_path):
    for fold in range(3):
        write_data(tmp_path / "data" / str(fold))
    config = write_settings(tmp_path / "c.json", network={"firing_threshold": 300}, trainer={"epochs": 1})
    with pytest.warns(TrainingWarning) as caught:
        assert run_batch(folds.jobs(tmp_path / "data", tmp_path / "out", config, 3)) == []
    assert len(caught) == 1
