"""The public face of a network: what may be assigned, what is refused, what comes back."""

import copy
import json
import pickle

import numpy as np
import pytest

from spikenn_cy import ConfigError
from spikenn_cy import DataError
from spikenn_cy import Readout
from spikenn_cy import RunError
from spikenn_cy import SpikingDataset
from spikenn_cy.network.history import EpochReport
from spikenn_cy.network.history import reason_to_stop

pytestmark = pytest.mark.quick

CONFIG = {
    "network": [{"n_neurons": 6, "firing_threshold": 1.5, "w_init_normal": True, "w_norm": True}],
    "optimizer": {"method": "s2stdp", "ap": 0.1, "am": -0.1, "t_gap": 0.1, "class_inhib": True},
    "regularizer": {"thr_lr": 0.05, "thr_anneal": 0.5},
    "trainer": {"epochs": 3},
}


def with_(**sections):
    """Return CONFIG with some keys of some sections changed."""
    changed = {name: dict(section) for name, section in CONFIG.items() if name != "network"}
    changed["network"] = [dict(CONFIG["network"][0])]
    for name, keys in sections.items():
        (changed[name][0] if name == "network" else changed[name]).update(keys)
    return changed


def dataset(labels=("cat", "dog"), n_samples=60, n_inputs=10, seed=0):
    """Return samples whose class decides which half of the inputs is early."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_samples) % len(labels)
    early = np.arange(n_inputs) * len(labels) // n_inputs == y[:, None]
    return SpikingDataset.from_numpy(
        rng.random((n_samples, n_inputs)) * np.where(early, 0.25, 1.2), np.array(labels)[y]
    )


@pytest.fixture
def model():
    return Readout.from_config(CONFIG, n_inputs=10, n_classes=2)


def test_a_network_learns_to_tell_early_halves_apart(model):
    history = model.fit(dataset(n_samples=300), val=dataset(seed=1), test=dataset(seed=2), epochs=10)
    assert model.score(dataset(seed=3)) > 0.9
    assert history.val_accuracy[-1] > 0.9
    assert [report.epoch for report in history.epochs] == list(range(10))
    assert history.stopped == "epochs"


def test_weights_and_thresholds_are_read_as_copies_that_cannot_be_written(model):
    weights, thresholds = model.layers[-1].weights, model.layers[-1].thresholds
    before = weights.copy()
    model.fit(dataset())
    np.testing.assert_array_equal(weights, before)
    assert not np.array_equal(model.layers[-1].weights, before)
    for array in (weights, thresholds):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_assigned_weights_are_copied_as_they_are_and_set_the_target_norms(model):
    given = np.linspace(-3, 5, 60).reshape(6, 10)
    model.layers[-1].weights = given
    given[:] = 0
    np.testing.assert_array_equal(model.layers[-1].weights, np.linspace(-3, 5, 60).reshape(6, 10).astype(np.float32))
    model.fit(dataset(), epochs=1)
    norms = np.abs(np.linspace(-3, 5, 60).reshape(6, 10)).sum(1)
    np.testing.assert_allclose(np.abs(model.layers[-1].weights).sum(1), norms, rtol=1e-6)


def test_assigned_thresholds_restart_the_training_thresholds(model):
    model.fit(dataset())
    assert not np.array_equal(model.training_thresholds, model.layers[-1].thresholds)
    model.layers[-1].thresholds = np.arange(1, 7)
    np.testing.assert_array_equal(model.training_thresholds, np.arange(1, 7, dtype=np.float32))
    model.partial_fit(dataset())
    assert not np.array_equal(model.training_thresholds, np.arange(1, 7))


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("weights", np.full((6, 10), np.nan), r"weights\[0, 0\]: must be finite, got nan"),
        ("weights", np.ones((10, 6)), r"weights: must have shape \(6, 10\), got \(10, 6\)"),
        ("weights", np.full((6, 10), "a"), "weights: must be real numbers"),
        ("weights", np.full((6, 10), True), "weights: must be real numbers, got dtype"),
        ("weights", np.full((6, 10), 1e300), r"weights\[0, 0\]: must be finite, got 1e\+300"),
        ("weights", np.zeros((6, 10)), r"weights\[0\]: must not all be 0 with w_norm"),
        ("weights", np.eye(6, 10)[[0, 1, 2, 3, 4, 4]] * [[1], [1], [1], [1], [1], [0]], r"weights\[5\]: must not"),
        ("weights", [[1, 2], [3]], "weights: must be an array"),
        ("thresholds", [1, 2, 3, 4, 5, 0], "thresholds: must be > 0"),
        ("thresholds", [1, 2, 3, 4, 5, -1], "thresholds: must be > 0"),
        ("thresholds", [1, 2, 3, 4, 5, np.inf], r"thresholds\[5\]: must be finite"),
        ("thresholds", 3.0, r"thresholds: must have shape \(6,\)"),
    ],
)
def test_a_nonsensical_assignment_is_refused_and_changes_nothing(model, name, values, message):
    before = getattr(model.layers[-1], name)
    with pytest.raises(DataError, match=message):
        setattr(model.layers[-1], name, values)
    np.testing.assert_array_equal(getattr(model.layers[-1], name), before)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_inputs": 0}, "n_inputs: must be an integer >= 1, got 0"),
        ({"n_inputs": 2.5}, "n_inputs: must be an integer >= 1, got 2.5"),
        ({"n_inputs": True}, "n_inputs: must be an integer >= 1, got True"),
        ({"n_inputs": 2**62}, "n_inputs: must be at most 2147483647, got 4611686018427387904"),
        ({"n_classes": 4}, r"network\[0\].n_neurons: must be a multiple of the 4 classes, got 6"),
        ({"seed": -1}, "seed: must be an integer >= 0, got -1"),
        ({"max_time": 0}, "max_time: must be a finite number > 0, got 0"),
        ({"max_time": np.inf}, "max_time: must be a finite number > 0, got inf"),
        (
            {"config": with_(trainer={"nt_neurons": 3})},
            "trainer.nt_neurons: must be less than the 3 neurons of a class",
        ),
        ({"config": with_(network={"firing_threshold": 0})}, r"network\[0\].firing_threshold: must be > 0"),
        ({"config": with_(network={"firing_threshold": 1e-60})}, r"network\[0\].firing_threshold: must be > 0"),
        ({"config": with_(network={"w_max": 1e-60})}, r"network\[0\].w_min: must be below w_max"),
        ({"max_time": 1e-50}, "max_time: must be a finite number > 0"),
        ({"max_time": 1e39}, "max_time: must be a finite number > 0"),
    ],
)
def test_a_nonsensical_network_is_refused(arguments, message):
    with pytest.raises(ConfigError, match=message):
        Readout.from_config(**({"config": CONFIG, "n_inputs": 10, "n_classes": 2} | arguments))


def test_weights_drawn_as_zeros_cannot_be_normalised():
    with pytest.raises(ConfigError, match=r"initial weights\[0\]: must not all be 0 with w_norm"):
        Readout.from_config(with_(network={"w_init_mean": 0, "w_init_std": 0}), 10, 2)


def test_data_that_do_not_suit_are_refused(model):
    for call in (model.fit, model.partial_fit, model.predict, model.first_spikes, model.score):
        with pytest.raises(DataError, match="must have the network's 10 inputs, got 7"):
            call(dataset(n_inputs=7))
        with pytest.raises(DataError, match=r"must be a SpikingDataset .*, got ndarray"):
            call(np.zeros((3, 10)))
    with pytest.raises(DataError, match=r"must have the network's max_time 1\.0, got 2\.0"):
        model.predict(SpikingDataset.from_numpy(np.ones((4, 10)), [0, 1, 0, 1], max_time=2.0))
    with pytest.raises(DataError, match="must have 2 classes, got 3"):
        model.fit(dataset(labels=("ape", "cat", "dog")))
    with pytest.raises(DataError, match="must hold at least one sample, got 0"):
        model.fit(dataset()[:0])


def test_other_data_are_matched_by_the_names_of_the_classes(model):
    model.fit(dataset())
    dogs = dataset()[dataset().labels == 1]
    only_dogs = SpikingDataset.from_numpy(dogs.to_dense(silent=9), ["dog"] * len(dogs))
    assert only_dogs.labels.max() == 0
    assert model.score(only_dogs) == np.mean(model.predict(dogs) == "dog")
    with pytest.raises(DataError, match=r"must have no class that the training set has not, got \['cow'\]"):
        model.score(SpikingDataset.from_numpy(dogs.to_dense(), ["cow"] * len(dogs)))


def test_predictions_of_no_sample_are_empty(model):
    assert model.predict(dataset()[:0]).shape == (0,)
    assert model.first_spikes(dataset()[:0])[0].shape == (0, 6)


def test_a_sample_without_a_spike_goes_to_the_first_class(model):
    silent = SpikingDataset.from_numpy(np.ones((1, 10)), [0])
    times, potentials = model.first_spikes(silent)
    assert model.decide(silent).tolist() == [0]
    assert (times == 1).all()
    assert (potentials == 0).all()


def test_numbers_of_any_width_are_taken():
    model = Readout.from_config(CONFIG, n_inputs=np.int8(10), n_classes=np.uint8(2), seed=np.int16(7))
    assert len(model.fit(dataset(), epochs=np.int8(3), n_threads=np.uint8(2)).epochs) == 3


def test_a_neuron_model_is_the_same_by_name_and_by_its_leak_alone():
    weights = {}
    for name, chosen in {"short": {"leak_tau": 0.3}, "named": {"neuron": {"model": "lif", "leak_tau": 0.3}}}.items():
        model = Readout.from_config(with_(network=chosen), n_inputs=10, n_classes=2)
        model.fit(dataset(), epochs=2)
        weights[name] = model.layers[-1].weights
    np.testing.assert_array_equal(weights["named"], weights["short"])


def test_a_later_fit_goes_on_where_the_last_one_ended():
    once, twice = (Readout.from_config(CONFIG, 10, 2) for _ in range(2))
    whole = once.fit(dataset(), epochs=5)
    parts = [twice.fit(dataset(), epochs=2), twice.fit(dataset(), epochs=3)]
    np.testing.assert_array_equal(once.layers[-1].weights, twice.layers[-1].weights)
    assert whole.train_accuracy == [accuracy for part in parts for accuracy in part.train_accuracy]
    assert [report.epoch for report in parts[1].epochs] == [2, 3, 4]


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    path = tmp_path / "checkpoint.npz"
    Readout.from_config(CONFIG, 10, 2).fit(dataset(), checkpoint=path)
    for model, data, epochs, differing in [
        (Readout.from_config(CONFIG, 10, 2, seed=1), dataset(), 3, "seed"),
        (Readout.from_config(with_(optimizer={"ap": 0.2}), 10, 2), dataset(), 3, "config"),
        (Readout.from_config(CONFIG, 10, 2), dataset(n_samples=50), 3, "data"),
        (Readout.from_config(CONFIG, 10, 2), dataset(seed=1), 3, "data"),
        (Readout.from_config(CONFIG, 10, 2), dataset(), 4, "epochs"),
    ]:
        with pytest.raises(ConfigError, match=f"must be a checkpoint of this training, got another {differing}"):
            model.fit(data, epochs=epochs, checkpoint=path)


def test_a_finished_checkpoint_trains_no_further(tmp_path):
    path = tmp_path / "checkpoint.npz"
    first = Readout.from_config(CONFIG, 10, 2)
    history = first.fit(dataset(), checkpoint=path)
    again = Readout.from_config(CONFIG, 10, 2)
    assert again.fit(dataset(), checkpoint=path) == history
    np.testing.assert_array_equal(again.layers[-1].weights, first.layers[-1].weights)


@pytest.mark.parametrize("copied", [copy.deepcopy, copy.copy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_network_that_waits_for_its_first_data_is_copied_as_it_was_asked_for(copied):
    config = {
        "network": [{"n_neurons": 4, "firing_threshold": "auto"}],
        "optimizer": {"method": "s2stdp", "ap": 0.1, "am": -0.1, "t_gap": 0.1},
    }
    data = SpikingDataset.from_numpy(np.random.default_rng(0).random((20, 6)), np.arange(20) % 2)
    model = Readout.from_config(config, 6, 2, seed=3)
    twin = copied(model)
    for one in (model, twin):
        one.fit(data, epochs=1)
    np.testing.assert_array_equal(twin.layers[0].weights, model.layers[0].weights)
    np.testing.assert_array_equal(twin.layers[0].thresholds, model.layers[0].thresholds)


def test_training_goes_on_alike_in_a_pickle_and_in_a_copy_and_apart_from_the_original(model):
    model.fit(dataset())
    before = model.layers[-1].weights
    for twin in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model), copy.copy(model)):
        np.testing.assert_array_equal(twin.classes, model.classes)
        np.testing.assert_array_equal(twin.predict(dataset(seed=1)), model.predict(dataset(seed=1)))
        twin.fit(dataset(), epochs=2)
        np.testing.assert_array_equal(model.layers[-1].weights, before)
        trained = twin.layers[-1].weights
    model.fit(dataset(), epochs=2)
    np.testing.assert_array_equal(model.layers[-1].weights, trained)
    np.testing.assert_array_equal(model.training_thresholds, twin.training_thresholds)


def test_the_state_of_a_network_is_text_and_arrays_from_which_it_comes_back(model):
    model.fit(dataset())
    state = model.__getstate__()
    assert [type(state["header"]), {type(array) for array in state["arrays"].values()}] == [str, {np.ndarray}]
    twin = Readout.__new__(Readout)
    twin.__setstate__(json.loads(json.dumps({"header": state["header"]})) | {"arrays": state["arrays"]})
    np.testing.assert_array_equal(twin.predict(dataset(seed=1)), model.predict(dataset(seed=1)))
    with pytest.raises(DataError, match="pickle: must hold a whole model"):
        twin.__setstate__(state | {"header": "{}"})


def test_a_pickle_of_another_format_is_refused(model, monkeypatch):
    pickled = pickle.dumps(model)
    monkeypatch.setattr("spikenn_cy.network.model_file.MODEL_FORMAT", 2)
    with pytest.raises(DataError, match="pickle: must be of format 2, got 1"):
        pickle.loads(pickled)


def test_a_damaged_model_is_refused_in_one_line(model, tmp_path):
    path = tmp_path / "model.npz"
    model.save(path)
    whole = path.read_bytes()
    for content in (b"", b"PK", whole[: len(whole) // 2], whole[:-30], b"\x80\x04." + whole):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"model\.npz: must be a file that Readout\.save wrote") as error:
            Readout.load(path)
        assert "\n" not in str(error.value)
    with pytest.raises(DataError, match="No such file"):
        Readout.load(tmp_path / "nothing.npz")


def test_a_model_with_an_array_missing_or_misshapen_is_refused(model, tmp_path):
    path = tmp_path / "model.npz"
    model.save(path)
    with np.load(path) as file:
        arrays = dict(file)
    for change in ({"weights_0": np.ones((2, 2), np.float32)}, {"thresholds_0": None}):
        changed = {name: array for name, array in (arrays | change).items() if array is not None}
        np.savez(path, **changed)
        with pytest.raises(DataError, match="must hold a whole model"):
            Readout.load(path)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("config", {"k" * 17_000: 1}),
        ("regulator", []),
        ("regulator", [0.1]),
        ("regulator", [0.1, 3.0, 3.0]),
        ("regulator", [0.1] + [1e300] * 6),
        ("rule", [0.1]),
        ("n_classes", 0),
        ("n_inputs", -3),
        ("seed", -1),
        ("max_time", -1.0),
        ("n_epochs", -7),
        ("generator", '{"bit_generator": "PCG64", "state": {"state": 1, "inc": -1}, "has_uint32": 0, "uinteger": 0}'),
        ("generator", "[]"),
        ("config", {}),
    ],
)
def test_a_model_with_a_nonsensical_header_is_refused_with_its_name(model, tmp_path, member, value):
    path = tmp_path / "model.npz"
    model.save(path)
    with np.load(path) as file:
        arrays = dict(file)
    header = json.loads(str(arrays["header"])) | {member: value}
    np.savez(path, **arrays | {"header": np.array(json.dumps(header))})
    rule = r"model\.npz: must (hold a whole model|be a file that Readout\.save wrote)"
    with pytest.raises(DataError, match=rule) as refusal:
        Readout.load(path)
    assert len(str(refusal.value)) < 600


@pytest.mark.parametrize(
    ("name", "array"),
    [("classes", np.array(3)), ("classes", np.arange(5)), ("target_norms_0", np.zeros(6, np.float32))],
)
def test_a_model_with_a_nonsensical_array_is_refused(model, tmp_path, name, array):
    path = tmp_path / "model.npz"
    model.fit(dataset(), epochs=1)
    model.save(path)
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **arrays | {name: array})
    with pytest.raises(DataError, match=r"model\.npz: must hold a whole model"):
        Readout.load(path)


def test_a_rate_of_0_leaves_weights_far_outside_of_the_soft_range_finite(tmp_path):
    soft = {"stdp": "multiplicative", "beta": 1000, "am": 0, "w_max": 0.5}
    model = Readout.from_config(with_(optimizer=soft, network={"w_norm": False, "w_init_mean": 0.95}), 10, 2)
    model.fit(dataset())
    assert np.isfinite(model.layers[-1].weights).all()
    model.save(tmp_path / "model.npz")


def test_weights_whose_sum_is_infinite_cannot_be_normalised(model):
    with pytest.raises(DataError, match=r"weights\[0\]: must have a finite sum with w_norm"):
        model.layers[-1].weights = np.full((6, 10), 3e38)


def test_a_fit_that_is_refused_leaves_the_classes_open(model):
    with pytest.raises(DataError, match="must have no class"):
        model.fit(dataset(), val=dataset(labels=("cow", "hen")))
    model.fit(dataset(labels=("cow", "hen")), epochs=1)


def test_a_checkpoint_does_not_take_a_network_back(tmp_path):
    path, model = tmp_path / "checkpoint.npz", Readout.from_config(CONFIG, 10, 2)
    model.fit(dataset(), epochs=2, checkpoint=path)
    model.fit(dataset(), epochs=5)
    with pytest.raises(ConfigError, match="got one of epoch 2 for a network of epoch 7"):
        model.fit(dataset(), epochs=2, checkpoint=path)


def test_a_model_that_cannot_be_written_leaves_nothing(model, tmp_path):
    with pytest.raises(RunError, match="must be writable"):
        model.save(tmp_path / "missing" / "model.npz")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("n_threads", [0, -1, 1.5, True, 10**6])
@pytest.mark.parametrize("method", ["predict", "first_spikes", "score", "partial_fit", "fit"])
def test_a_nonsensical_number_of_threads_is_refused(model, method, n_threads):
    with pytest.raises(ConfigError, match="n_threads: must be an integer from 1 to 1024"):
        getattr(model, method)(dataset(), n_threads=n_threads)


class Trainer:
    """The settings that decide when training stops."""

    def __init__(self, early_stopping=0, gridsearch_stop_acc=0.0):
        self.early_stopping = early_stopping
        self.gridsearch_stop_acc = gridsearch_stop_acc


def reports(*val_accuracies, train=0.9):
    """Return reports of as many epochs."""
    return [EpochReport(epoch, train, accuracy) for epoch, accuracy in enumerate(val_accuracies)]


def test_training_stops_after_so_many_epochs_without_a_new_best():
    trainer = Trainer(early_stopping=2)
    assert reason_to_stop(reports(0.5, 0.6, 0.6), trainer) is None  # not strictly better, once
    assert reason_to_stop(reports(0.5, 0.6, 0.6, 0.5), trainer) == "early_stopping"
    assert reason_to_stop(reports(0.5, 0.6, 0.6, 0.7, 0.6), trainer) is None
    assert reason_to_stop(reports(0.0, 0.0), trainer) == "early_stopping"  # the best starts at 0
    assert reason_to_stop(reports(None, None, None), trainer) is None


def test_a_bad_run_is_given_up_after_epoch_index_2():
    trainer = Trainer(gridsearch_stop_acc=0.5)
    assert reason_to_stop(reports(0.1, 0.1, 0.1), trainer) is None
    assert reason_to_stop(reports(0.1, 0.1, 0.1, 0.1), trainer) == "gridsearch_stop_acc"
    assert reason_to_stop(reports(0.1, 0.1, 0.1, 0.5), trainer) is None
    assert reason_to_stop(reports(0.9, 0.9, 0.9, 0.9, train=0.4), trainer) == "gridsearch_stop_acc"
    assert reason_to_stop(reports(None, None, None, None), trainer) is None


def test_the_test_accuracy_is_measured_at_the_epoch_at_which_training_stops():
    model = Readout.from_config(with_(trainer={"early_stopping": 1, "epochs": 50}), 10, 2)
    history = model.fit(dataset(), val=dataset(seed=1), test=dataset(seed=2))
    assert history.stopped == "early_stopping"
    assert len(history.epochs) < 50
    assert history.test_accuracy[-1] is not None


def test_a_network_that_is_brought_to_another_state_decides_by_that_one(model):
    """Also where it has decided before, and keeps what it made of its weights for that."""
    other, data = Readout.from_config(CONFIG, 10, 2, seed=5), dataset(seed=1)
    other.fit(dataset())
    for layer in (model.layers[-1], other.layers[-1]):
        layer.thresholds = np.full(layer.n_neurons, 0.75)
    _, before = model.first_spikes(data)
    for _ in range(3):
        model.decide(data)
    model.layers[-1].set_state({name: array.copy() for name, array in other.layers[-1].state().items()})
    times, potentials = model.first_spikes(data)
    assert not np.array_equal(potentials, before)
    for found, expected in zip((times, potentials), other.first_spikes(data), strict=True):
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(model.decide(data), other.decide(data))
