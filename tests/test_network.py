"""Networks that learn in every layer follow golden arrays and their twin, to the same bits in every way."""

import copy
import json
import pickle
import re
from concurrent.futures import ThreadPoolExecutor

import network_reference as reference
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from network_golden_files import NAMES
from network_golden_files import SETTINGS
from network_golden_files import NetworkGolden
from numpy.testing import assert_allclose
from numpy.testing import assert_array_equal
from tables import examples
from ways import instruction_set

from spikenn_cy import Readout
from spikenn_cy import SpikingDataset
from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import DataError
from spikenn_cy.errors import RunError
from spikenn_cy.kernels.dropout import draw_mask
from spikenn_cy.kernels.primitives import available_instructions
from spikenn_cy.layers import LAYERS
from spikenn_cy.layers.feedbacks import FEEDBACKS
from spikenn_cy.network.deep.figures import mean_patch_spikes
from spikenn_cy.network.deep.figures import quantile
from spikenn_cy.network.training import Pass

pytestmark = pytest.mark.quick

SPIKES, AUGMENTATION = 2, 3  # streams of the counter-based generator
GOOD = {"network": [{"n_neurons": 4}, {"n_neurons": 2}], "optimizer": {"method": "decision_time"}}
CONV = {"type": "conv", "n_filters": 2, "kernel_size": 3}


# Golden arrays


def golden_model(golden):
    starts, rates, feedback = golden.weights("start"), golden.settings["rates"], golden.feedback("start")
    network = [{"n_neurons": len(weights), "rate": rate} for weights, rate in zip(starts, rates, strict=True)]
    shape = tuple(golden.settings["input_shape"]) if golden.convolves else (784,)
    if golden.convolves:
        sizes = {key: golden.settings[key] for key in ("padding", "pool")}
        n_filters, size, _, _ = starts[0].shape
        network[0] = {"type": "conv", "n_filters": n_filters, "kernel_size": size, "rate": rates[0], **sizes}
    optimizer = {key: golden.settings[key] for key in SETTINGS}
    config = {
        "network": network,
        "optimizer": {"method": "decision_time", "decision_at": golden.settings["T0"], **optimizer},
        "trainer": {"epochs": golden.settings["epochs"]},
    }
    model = Readout.from_config(config, int(np.prod(shape)), golden.n_classes, golden.max_time, input_shape=shape)
    for layer, weights, own in zip(model.layers, starts, feedback, strict=True):
        layer.weights = weights
        if own is not None:
            layer.feedback_weights = own
    return model


def golden_data(golden, model):
    spikes = golden.indptr, golden.indices, golden.timestamps, golden.labels
    return SpikingDataset(*spikes, model.n_inputs, golden.max_time, np.arange(10), model.input_shape)


@pytest.mark.parametrize("name", NAMES)
def test_training_follows_the_golden_trajectory(name):
    golden, epochs = NetworkGolden(name), []
    model = golden_model(golden)
    model.fit(golden_data(golden, model), on_statistics=lambda _, counted: epochs.append(counted))
    votes = np.concatenate([counted.votes for counted in epochs])
    assert_array_equal(votes // (model.layers[-1].n_neurons // 10), golden.predictions)
    assert_array_equal(np.concatenate([counted.decision_times for counted in epochs]), golden.decision_times)
    assert_array_equal(np.concatenate([counted.learned for counted in epochs]), golden.learned)
    assert model.layers[-1].thresholds[0] == golden.theta_out[0]
    for layer, weights, feedback in zip(model.layers, golden.weights("end"), golden.feedback("end"), strict=True):
        assert_allclose(layer.weights, weights, rtol=0, atol=1e-6)
        if feedback is not None:
            assert_allclose(layer.feedback_weights, feedback, rtol=0, atol=1e-6)


# The twin


@st.composite
def cases(draw):
    """Networks of any depth and width, and samples with ties, silence and spikes that cancel."""
    seed = draw(st.integers(0, 2**32 - 1))
    convolves = draw(st.booleans())
    n_classes, per_class = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    optimizer = {
        "method": "decision_time",
        "error": draw(st.sampled_from(["softmax", "hinge"])),
        "feedback": draw(st.sampled_from(sorted(FEEDBACKS))),
        "skip": draw(st.sampled_from([0.0, 0.1])),
        "margin": draw(st.sampled_from([0.0, 0.5])),
        "window": draw(st.sampled_from([0.25, 0.5])),
        "rate": draw(st.sampled_from([1.0, 3.0])),
        "threshold_rate": draw(st.sampled_from([0.01, 0.5])),
        "decision_at": draw(st.sampled_from([0.1, 0.7])),
    }
    dropout = draw(st.sampled_from([0.0, 0.0, 0.4]))
    hidden = [{"n_neurons": draw(st.integers(1, 40))} for _ in range(draw(st.integers(0, 1 if convolves else 3)))]
    shape = (draw(st.integers(1, 60)),)
    if convolves:
        size = draw(st.integers(1, 4))
        conv = {"type": "conv", "n_filters": draw(st.sampled_from([1, 3, 16, 19])), "kernel_size": size}
        conv |= {"padding": draw(st.integers(0, size - 1)), "pool": draw(st.integers(1, 3))}
        shape = tuple(draw(st.integers(size + conv["pool"], 9)) for _ in range(2))
        shape += (draw(st.integers(1, 3)),) * draw(st.integers(0, 1))
        hidden = [conv, *hidden]
    firing_threshold = draw(st.sampled_from([1.0, 1.0, 0.5]))
    layers = [layer | {"rate": 0.1, "dropout": dropout, "firing_threshold": firing_threshold} for layer in hidden]
    network = [*layers, {"n_neurons": n_classes * per_class, "rate": 0.05}]
    return seed, shape, n_classes, {"network": network, "optimizer": optimizer}


def fixed_case(kind, **optimizer):
    """A small network of each kind, with all that draws numbers."""
    network = [{"n_neurons": 21, "rate": 0.1, "dropout": 0.2}, {"n_neurons": 6, "rate": 0.05}]
    if kind == "conv":
        conv = {"type": "conv", "n_filters": 5, "kernel_size": 3, "padding": 1, "pool": 2, "rate": 0.1, "dropout": 0.2}
        network[0] = conv
    config = {"network": network, "optimizer": {"method": "decision_time", **optimizer}}
    config["trainer"] = {"shuffle": True, "augment": {"shift": 1, "flip": True}}
    return 5, (8, 7, 2), 3, config


KINDS = list(LAYERS)


def model_of(case):
    seed, shape, n_classes, config = case
    rng = np.random.default_rng(seed)
    model = Readout.from_config(config, int(np.prod(shape)), n_classes, 1.0, seed % 1000, shape)
    for layer in model.layers:
        n = np.prod(layer.weights_shape[1:])
        layer.weights = rng.normal(2 / n, 1 / np.sqrt(n), layer.weights_shape)
        if layer.feedback_weights is not None:
            layer.feedback_weights = rng.normal(0, 0.3, layer.feedback_weights.shape)
    return model


def data_of(case, n=6):
    seed, shape, n_classes, _ = case
    rng = np.random.default_rng(seed + 1)
    times = rng.integers(0, 9, (n, *shape)) / 8  # 1 is silence
    times[0], times[1] = 0.5, 1
    return SpikingDataset.from_numpy(times, rng.integers(0, n_classes, n).tolist()).renumbered(
        rng.integers(0, n_classes, n).astype(np.int32), np.arange(n_classes)
    )


def twin_of(model):
    layers, settings, output = [], model.config.optimizer, model.layers[-1]
    for layer in model.layers:
        config, feedback = layer.config, layer.feedback_weights if layer is not output else None
        others = {
            "threshold": layer.thresholds[0],
            "rate": config.rate,
            "dropout": config.dropout,
            "feedback": feedback,
        }
        if layer.weights.ndim == 4:
            shape = (*model.input_shape, 1)[:3]
            layers.append(reference.Convolution(layer.weights, shape, config.padding, config.pool, **others))
        else:
            layers.append(reference.Dense(layer.weights, **others))
    keys = ("error", "temperature", "margin", "skip", "window", "threshold_rate", "feedback", "rate")
    chosen = {key: getattr(settings, key) for key in keys}
    sizes = {"n_classes": model.n_classes, "max_time": model.max_time}
    return reference.Network(layers, **sizes, decision_at=settings.decision_at, **chosen)


def sample_of(dataset, i):
    spikes = slice(dataset.indptr[i], dataset.indptr[i + 1])
    return dataset.indices[spikes], dataset.timestamps[spikes], int(dataset.labels[i])


def lost(model, key, sample):
    """The masks of a sample's dropout, as the kernels draw them."""
    return [
        draw_mask(key, SPIKES, sample, position, layer.config.dropout, layer.n_neurons)
        for position, layer in enumerate(model.layers)
    ]


def round_off(model):
    """Make weights and the output's threshold quarters, so that potentials equal each other and thresholds."""
    for layer in model.layers:
        layer.weights = np.round(4 * layer.weights) / 4
    model.layers[-1].thresholds = np.maximum(np.round(4 * model.layers[-1].thresholds) / 4, 0.25)


@given(cases(), st.booleans())
@examples(150)
def test_every_sample_teaches_what_the_twin_learns(case, rounds):
    model, dataset = model_of(case), data_of(case)
    for i in range(len(dataset)):
        if rounds:
            round_off(model)
        twin = twin_of(model)  # of the weights as they are, so that roundings do not add up
        key = copy.deepcopy(model._trainer.generator).bit_generator.random_raw()
        counted = model._trainer.statistics(1)
        model._trainer.learn(dataset[i : i + 1], Pass(statistics=counted))
        decision = twin.learn(*sample_of(dataset, i), lost(model, key, 0))
        assert counted.votes[0] // (model.layers[-1].n_neurons // model.n_classes) == decision.predicted
        assert counted.decision_times[0] == decision.time
        assert counted.learned[0] == decision.learned
        assert model.layers[-1].thresholds[0] == twin.output.threshold
        for position, (layer, mine) in enumerate(zip(model.layers, twin.layers, strict=True)):
            assert_allclose(layer.weights, mine.weights, rtol=1e-5, atol=1e-6)
            if layer.feedback_weights is not None:
                assert_allclose(layer.feedback_weights, mine.feedback, rtol=1e-5, atol=1e-6)
            if not layer.config.dropout:
                assert counted.n_spikes[0, position] == decision.n_spikes[position]


@given(cases(), st.booleans())
@examples(60)
def test_decisions_are_those_of_the_twin(case, rounds):
    model, dataset = model_of(case), data_of(case, 20)
    if rounds:
        round_off(model)
    decisions = twin_of(model).decide([sample_of(dataset, i) for i in range(len(dataset))])
    assert_array_equal(model.predict(dataset), [decision.predicted for decision in decisions])


@given(cases())
@examples(40)
def test_first_spikes_of_every_layer_are_those_of_the_twin_that_goes_on_to_the_end(case):
    model, dataset = model_of(case), data_of(case, 8)
    samples = [sample_of(dataset, i) for i in range(len(dataset))]
    for position, layer in enumerate(model.layers):
        times, _ = model.first_spikes(dataset, layer=position)
        twin = twin_of(model)
        if position < len(model.layers) - 1:  # the twin stops at the first output spike, unless there is none
            twin.output.threshold = np.float32(np.inf)
            assert_array_equal(times, twin.first_spikes(samples, position))
        assert times.shape == (len(dataset), layer.n_neurons)


@pytest.mark.parametrize("kind", KINDS)
def test_potentials_are_those_of_the_spike_or_of_the_end(kind):
    case = fixed_case(kind)
    case[3]["network"][0] |= {"dropout": 0.0, "pool": 1} if kind == "conv" else {"dropout": 0.0}
    model, dataset, twin = model_of(case), data_of(case, 20), twin_of(model_of(case))
    for position in (0, 1):
        found = model.first_spikes(dataset, layer=position)[1]
        for i in range(len(dataset)):
            indices, times, _ = sample_of(dataset, i)
            for layer in twin.layers:
                layer.begin(1.0)
            wanted = twin.layers[position]
            expected = np.zeros(wanted.n_units, np.float32)
            for now in np.unique(times):
                silent, arriving = ~wanted.fired, indices[times == now]
                for layer in twin.layers:
                    arriving = layer.advance(arriving, now)
                expected[silent] = wanted.potentials.ravel()[silent]
            assert_array_equal(found[i], expected)


# The same bits


def trained(case, **options):
    model, dataset = model_of(case), data_of(case, 60)
    model.fit(dataset, epochs=2, **options)
    return b"".join(
        layer.weights.tobytes() + (b"" if layer.feedback_weights is None else layer.feedback_weights.tobytes())
        for layer in model.layers
    )


@pytest.mark.parametrize("feedback", FEEDBACKS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_instruction_set_computes_the_same_bits(kind, feedback):
    found = set()
    for name in available_instructions():
        with instruction_set(name):
            found.add(trained(fixed_case(kind, feedback=feedback)))
    assert len(found) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_an_interrupted_fit_goes_on_from_its_checkpoint_to_the_same_bits(kind, tmp_path):
    case, found = fixed_case(kind, feedback="mirrored", schedule="samples"), set()
    dataset = data_of(case, 60)

    def stop(report):
        if report.epoch == 1:
            raise KeyboardInterrupt

    for interrupted in (False, True):
        path, options = tmp_path / f"{interrupted}.npz", {"epochs": 4}
        make = lambda: Readout.from_config(case[3], 112, 3, seed=3)  # noqa: E731
        model = make()
        if interrupted:
            with pytest.raises(KeyboardInterrupt):
                model.fit(dataset, checkpoint=path, on_epoch=stop, **options)
            model = make()
        history = model.fit(dataset, checkpoint=path, **options)
        found.add(b"".join(layer.weights.tobytes() for layer in model.layers))
        assert len(history.epochs) == 4
    assert len(found) == 1


@pytest.mark.parametrize("way", ["file", "pickle"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_network_goes_on_learning_as_if_it_had_not_been_saved(kind, way, tmp_path):
    case = fixed_case(kind, feedback="mirrored")
    dataset = data_of(case, 60)
    model = Readout.from_config(case[3], 112, 3, seed=3)
    model.fit(dataset, epochs=1)
    if way == "file":
        model.save(tmp_path / "model.npz")
        other = Readout.load(tmp_path / "model.npz")
    else:
        other = pickle.loads(pickle.dumps(model))
    assert_array_equal(model.predict(dataset), other.predict(dataset))
    for network in (model, other):
        network.fit(dataset, epochs=2)
        network.partial_fit(dataset)
    for one, two in zip(model.layers, other.layers, strict=True):
        assert_array_equal(one.weights, two.weights)
        assert_array_equal(one.thresholds, two.thresholds)


@pytest.mark.parametrize("feedback", FEEDBACKS)
@pytest.mark.parametrize("kind", KINDS)
def test_an_untrained_network_can_be_saved_and_is_drawn_by_its_first_fit(kind, feedback, tmp_path):
    case, found = fixed_case(kind, feedback=feedback), set()
    dataset = data_of(case, 60)
    for saved in (False, True):
        model = Readout.from_config(case[3], 112, 3, seed=3, input_shape=case[1])
        if saved:
            model.save(tmp_path / "model.npz")
            model = Readout.load(tmp_path / "model.npz")
        model.fit(dataset, epochs=1)
        found.add(b"".join(layer.weights.tobytes() for layer in model.layers))
    assert len(found) == 1


@pytest.mark.parametrize("way", ["file", "pickle"])
def test_weights_of_0_that_were_assigned_are_not_drawn_after_a_file(way, tmp_path):
    case = fixed_case("dense", feedback="mirrored", rate=0.0)
    model = Readout.from_config(case[3], 112, 3, seed=3, input_shape=case[1])
    model.layers[1].weights = np.zeros((6, 21))
    model.layers[0].feedback_weights = np.zeros((21, 3))
    if way == "file":
        model.save(tmp_path / "model.npz")
        model = Readout.load(tmp_path / "model.npz")
    else:
        model = pickle.loads(pickle.dumps(model))
    model.fit(data_of(case, 60), epochs=1)
    assert model.layers[0].weights.any()
    assert not model.layers[1].weights.any()
    assert not model.layers[0].feedback_weights.any()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stopped_at", ["weights", "feedback_weights"])
def test_a_first_fit_that_was_stopped_while_it_drew_begins_again(kind, stopped_at, monkeypatch):
    case, found = fixed_case(kind, feedback="mirrored"), set()
    dataset = data_of(case, 60)
    for stops in (False, True):
        model = Readout.from_config(case[3], 112, 3, seed=3, input_shape=case[1])
        if stops:
            owner = model.layers[1] if stopped_at == "weights" else model.layers[0]
            name = "_set_weights" if stopped_at == "weights" else "_set_feedback"
            with monkeypatch.context() as patch:
                patch.setattr(owner, name, interrupted)
                with pytest.raises(KeyboardInterrupt):
                    model.fit(dataset, epochs=1)
            with pytest.raises(DataError, match="must have weights"):
                model.predict(dataset)
        model.fit(dataset, epochs=1)
        found.add(b"".join(layer.weights.tobytes() for layer in model.layers))
    assert len(found) == 1


def interrupted(*_):
    raise KeyboardInterrupt


def test_a_checkpoint_goes_on_to_the_same_bits_on_a_network_that_has_seen_other_data(tmp_path):
    case, found = fixed_case("dense"), set()
    del case[3]["network"][0]["rate"]
    dataset, path = data_of(case, 60), tmp_path / "checkpoint.npz"
    late = SpikingDataset.from_numpy(np.random.default_rng(1).integers(6, 9, (9, *case[1])) / 8, np.arange(9) % 3)

    def stop(report):
        if report.epoch == 1:
            raise KeyboardInterrupt

    for other_data in (False, True):
        model = Readout.from_config(case[3], 112, 3, seed=3, input_shape=case[1])
        with pytest.raises(KeyboardInterrupt):
            model.fit(dataset, epochs=4, checkpoint=path, on_epoch=stop)
        model = Readout.from_config(case[3], 112, 3, seed=3, input_shape=case[1])
        if other_data:
            model.partial_fit(late)
        model.fit(dataset, epochs=4, checkpoint=path)
        found.add(b"".join(layer.weights.tobytes() + layer.thresholds.tobytes() for layer in model.layers))
        path.unlink()
    assert len(found) == 1


def test_a_checkpoint_of_images_of_another_shape_is_refused(tmp_path):
    times, labels = np.random.default_rng(0).integers(0, 9, (20, 24)) / 8, np.arange(20) % 2
    config = GOOD | {"network": [CONV | {"kernel_size": 1}, {"n_neurons": 2}]}
    for shape in ((4, 6), (4, 6), (6, 4)):
        model = Readout.from_config(config, 24, 2)
        dataset = SpikingDataset.from_numpy(times.reshape(20, *shape), labels)
        if shape == (4, 6):
            model.fit(dataset, epochs=1, checkpoint=tmp_path / "checkpoint.npz")
            continue
        with pytest.raises(ConfigError, match="got another input_shape"):
            model.fit(dataset, epochs=1, checkpoint=tmp_path / "checkpoint.npz")


class Interrupted:
    """A loop over samples after which Ctrl-C is heard before anything else is done."""

    def __init__(self, loop):
        self.loop = loop

    def run(self, *options):
        self.loop.run(*options)
        raise KeyboardInterrupt


@pytest.mark.parametrize("kind", KINDS)
def test_decisions_are_of_the_weights_that_an_interrupted_fit_left(kind):
    case = fixed_case(kind, skip=0.0)
    case[3]["network"][0]["dropout"] = 0.7
    model, dataset = model_of(case), data_of(case, 60)
    model.partial_fit(dataset)
    model.predict(dataset)
    model._trainer._loop = Interrupted(model._trainer._loop)
    for _ in range(5):
        with pytest.raises(KeyboardInterrupt):
            model.partial_fit(dataset)
        new = pickle.loads(pickle.dumps(model))
        for one, two in zip(model.first_spikes(dataset), new.first_spikes(dataset), strict=True):
            assert_array_equal(one, two)
        assert_array_equal(model.predict(dataset), new.predict(dataset))


@pytest.mark.parametrize("array", ["thresholds", "feedback_weights"])
def test_what_could_not_be_loaded_is_not_saved(array, tmp_path):
    case = fixed_case("dense", feedback="mirrored", threshold_rate=3e38, decision_at=0.0)
    model, dataset = model_of(case), data_of(case)
    if array == "feedback_weights":
        model.layers[0].kernel_feedback[0, 0] = np.inf
    else:
        for _ in range(4):  # each lowers the threshold by half its rate
            model.partial_fit(dataset[:1])
    for save in (lambda: model.save(tmp_path / "model.npz"), lambda: pickle.dumps(model)):
        with pytest.raises(RunError, match=rf": {array} of network\[\d\] must be finite to be saved"):
            save()


@pytest.mark.usefixtures("threads_as_asked")
@pytest.mark.parametrize("kind", KINDS)
def test_any_number_of_threads_decides_alike(kind):
    case = fixed_case(kind)
    model, dataset = model_of(case), data_of(case, 60)
    model.fit(dataset, epochs=1)
    for n_threads in range(2, 10):
        assert_array_equal(model.predict(dataset, n_threads), model.predict(dataset))
        for layer in (0, 1):
            for one, two in zip(
                model.first_spikes(dataset, n_threads, layer), model.first_spikes(dataset, layer=layer), strict=True
            ):
                assert_array_equal(one, two)


def rewritten(path, change, **arrays):
    """Save a model file again with another header, and with other arrays."""
    with np.load(path) as file:
        members = dict(file)
    header = json.loads(str(members["header"]))
    change(header)
    np.savez(path, **{**members, "header": np.array(json.dumps(header)), **arrays})


@pytest.mark.parametrize(
    ("kind", "lie", "finding"),
    [
        ("dense", {"figures": {"decision_at": 0.5}}, "figures: must be decision_at, mean_spikes, mean_patch_spikes"),
        ("dense", {"figures": {"decision_at": 2, "mean_spikes": 1, "mean_patch_spikes": 0}}, "figures: must be of"),
        ("dense", {"figures": {"decision_at": 0, "mean_spikes": 0, "mean_patch_spikes": 0}}, "figures: must be of"),
        ("dense", {"figures": {"decision_at": 0, "mean_spikes": -1, "mean_patch_spikes": 0}}, "figures: must be of"),
        ("conv", {"figures": {"decision_at": 0, "mean_spikes": 1, "mean_patch_spikes": 0}}, "figures: must be of"),
        ("dense", {"figures": {"x": 0}}, "figures: must be decision_at"),
        ("dense", {"undrawn": ["weights_0"]}, "undrawn: must be empty once"),
        ("dense", {"undrawn": ["weights_2"], "figures": {}}, "undrawn: must be among weights_0, feedback_weights_0"),
        ("dense", {"undrawn": ["feedback_weights_1"], "figures": {}}, "undrawn: must be among"),
        ("conv", {"input_shape": [8, 7]}, "input_shape: must number the 112 inputs"),
        ("conv", {"input_shape": [16, 7, 1]}, "weights_0: must have shape"),
        ("conv", {"input_shape": [8, 7, 2, 1]}, "must be given for images alone"),
        ("conv", {"input_shape": []}, "must be given for images alone"),
        ("conv", {"n_classes": 2}, "feedback_weights_0: must have shape"),
    ],
)
def test_a_file_of_figures_that_cannot_be_is_refused_in_one_line(kind, lie, finding, tmp_path):
    case, path = fixed_case(kind, feedback="mirrored"), tmp_path / "model.npz"
    if kind == "conv":
        case[3]["network"][0]["pool"] = 3
    model = Readout.from_config(case[3], 112, 3, input_shape=case[1])
    model.partial_fit(data_of(case, 60))
    model.save(path)
    rewritten(path, lambda header: header.update(lie))
    with pytest.raises(DataError, match=re.escape(finding)) as raised:
        Readout.load(path)
    assert "\n" not in str(raised.value)


def test_a_file_of_a_hidden_neuron_that_fires_without_a_spike_is_refused(tmp_path):
    case, path = fixed_case("dense"), tmp_path / "model.npz"
    model = model_of(case)
    model.save(path)
    rewritten(path, lambda header: None, thresholds_1=np.zeros(6, np.float32))
    Readout.load(path)
    rewritten(path, lambda header: None, thresholds_0=np.zeros(21, np.float32))
    with pytest.raises(DataError, match="thresholds: must be > 0"):
        Readout.load(path)


@pytest.mark.parametrize("kind", KINDS)
def test_decisions_are_of_weights_that_were_assigned_since(kind):
    model, dataset = model_of(fixed_case(kind)), data_of(fixed_case(kind), 60)
    for factor in (1.0, 2.0, 0.5, None):
        if factor is None:
            model.layers[-1].thresholds = np.full(6, 0.25)
        else:
            model.layers[-1].weights = factor * model.layers[-1].weights  # of which decisions have a copy
        new = pickle.loads(pickle.dumps(model))
        for one, two in zip(model.first_spikes(dataset), new.first_spikes(dataset), strict=True):
            assert_array_equal(one, two)


@pytest.mark.parametrize("kind", KINDS)
def test_callers_in_several_threads_do_not_disturb_each_other(kind):
    model, dataset = model_of(fixed_case(kind)), data_of(fixed_case(kind), 1000)
    expected = model.first_spikes(dataset)[1]
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: model.first_spikes(dataset)[1], range(12)):
            assert_array_equal(found, expected)


@pytest.mark.parametrize("kind", KINDS)
def test_parts_of_any_size_teach_alike(kind, monkeypatch):
    found = {trained(fixed_case(kind))}
    monkeypatch.setattr("spikenn_cy.network.parts.FIRST_PART", 7)
    monkeypatch.setattr("spikenn_cy.network.parts.TICK", 0)
    assert found == {trained(fixed_case(kind))}


def test_the_unit_of_time_is_of_no_consequence():
    found, times = set(), np.random.default_rng(0).integers(0, 9, (60, 20)) / 8
    for unit in (0.25, 1, 4):
        dataset = SpikingDataset.from_numpy(times * unit, np.arange(60) % 2, unit)
        model = Readout.from_config(GOOD, 20, 2, unit)
        model.fit(dataset, epochs=2)
        found.add(b"".join(layer.weights.tobytes() + layer.thresholds.tobytes() for layer in model.layers))
    assert len(found) == 1


def test_a_shuffled_epoch_is_in_the_order_that_the_generator_draws():
    case = fixed_case("dense")
    model, dataset, seen = model_of(case), data_of(case, 60), []
    model.fit(dataset, epochs=1)
    generator = copy.deepcopy(model._trainer.generator)
    generator.bit_generator.random_raw()
    model.fit(dataset, epochs=1, on_statistics=lambda _, counted: seen.append(counted.labels))
    assert_array_equal(seen[0], dataset.labels[generator.permutation(60)])


class Watched:
    """A loop over samples that notes how many it is given."""

    def __init__(self, loop):
        self.loop, self.sizes = loop, []

    def run(self, batch, statistics):
        self.sizes.append(batch.n_samples)
        return self.loop.run(batch, statistics)


@pytest.mark.parametrize("schedule", ["epochs", "samples"])
def test_rates_of_each_sample_are_those_of_the_twin(schedule, monkeypatch):
    case, factors = fixed_case("dense", schedule=schedule, final_rate=0.1), []
    model, dataset = model_of(case), data_of(case, 60)
    model.partial_fit(dataset)
    trainer = model._trainer
    trainer._loop, set_rates = Watched(trainer._loop), trainer._set_rates
    monkeypatch.setattr("spikenn_cy.network.deep.training.SAMPLES_A_STEP", 16)
    monkeypatch.setattr("spikenn_cy.rules.network.SAMPLES_A_STEP", 16)
    monkeypatch.setattr(trainer, "_set_rates", lambda factor: (factors.append(factor), set_rates(factor)))
    model.fit(dataset, epochs=3)
    if schedule == "samples":
        expected = [reference.rate_factor_by_samples(k, 180, 0.1, 16) for k in range(180)]
    else:
        expected = [reference.rate_factor(k // 60, 3, 0.1) for k in range(180)]
    assert_allclose(np.repeat(factors, trainer._loop.sizes), expected, rtol=1e-12)


# What data decide


def test_an_epoch_of_partial_fits_is_one_at_the_first_rates():
    case = fixed_case("dense")
    case[3]["trainer"] = {}
    case[3]["network"][0]["dropout"] = 0.0
    dataset, found = data_of(case, 30), set()
    for size in (1, 7, 30):
        model = model_of(case)
        for first in range(0, 30, size):
            model.partial_fit(dataset[first : first + size])
        found.add(model.layers[0].weights.tobytes())
    model = model_of(case)
    model.fit(dataset, epochs=1)  # of which the only epoch has the first rates
    found.add(model.layers[0].weights.tobytes())
    assert len(found) == 1


@given(st.integers(0, 2**32 - 1), st.integers(1, 3000), st.floats(0, 1))
def test_quantiles_are_numpys(seed, n, share):
    times = (np.random.default_rng(seed).integers(0, 50, n) / 32).astype(np.float32)
    assert_allclose(quantile(times, share), np.quantile(times.astype(np.float64), share), rtol=1e-12)


@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(1, 4), st.integers(0, 3))
def test_spikes_of_patches_are_those_of_the_twin(seed, n_channels, size, padding):
    times = np.random.default_rng(seed).integers(0, 3, (9, 6, 5, n_channels)) / 2
    dataset = SpikingDataset.from_numpy(times, np.arange(9) % 2)
    expected = reference.mean_patch_spikes([sample_of(dataset, i) for i in range(9)], times.shape[1:], size, padding)
    assert_allclose(mean_patch_spikes(dataset, size, padding), expected, rtol=1e-12)


@pytest.mark.filterwarnings("ignore::spikenn_cy.errors.DataWarning")
def test_a_convolution_starts_on_data_whose_first_samples_are_silent():
    times = np.ones((510, 4, 5))
    times[505, 1, 1] = times[507] = 0.5
    config = GOOD | {"network": [CONV, {"n_neurons": 2}]}
    model = Readout.from_config(config, 20, 2).partial_fit(SpikingDataset.from_numpy(times, np.arange(510) % 2))
    assert model._trainer.figures.mean_patch_spikes == 1


def test_layers_start_as_the_page_says_and_where_settings_say():
    times = np.random.default_rng(0).integers(0, 9, (40, 300)) / 8
    dataset = SpikingDataset.from_numpy(times, np.arange(40) % 4)
    mean_spikes = reference.mean_spikes([sample_of(dataset, i) for i in range(40)])
    config = {
        "network": [{"n_neurons": 200}, {"n_neurons": 300, "w_init_mean": 0.5, "w_init_std": 0.0}, {"n_neurons": 4}],
        "optimizer": {"method": "decision_time", "rate": 0.0},
    }
    model = Readout.from_config(config, 300, 4)
    model.layers[2].weights = np.full((4, 300), 0.25)
    model.fit(dataset, epochs=1)
    mean, std, _ = reference.defaults("first", mean_spikes)
    assert_allclose(model.layers[0].weights.mean(), mean, rtol=0.05)
    assert_allclose(model.layers[0].weights.std(), std, rtol=0.05)
    assert (model.layers[1].weights == 0.5).all()
    assert (model.layers[2].weights == 0.25).all()
    figures = model._trainer.figures
    assert_allclose([figures.mean_spikes, figures.decision_at], [mean_spikes, np.quantile(times[times < 1], 0.7)])


@pytest.mark.parametrize(
    ("sizes", "kinds"),
    [
        ([40, 30, 2], ["first", "further", "output"]),
        ([4], ["only"]),
        ([CONV, 2], ["convolution", "output on pooled units"]),
    ],
)
def test_rates_and_draws_of_every_layer_are_those_of_the_twin(sizes, kinds):
    dataset = SpikingDataset.from_numpy(np.random.default_rng(0).integers(0, 9, (40, 7, 6)) / 8, np.arange(40) % 2)
    samples = [sample_of(dataset, i) for i in range(40)]
    network = [size if isinstance(size, dict) else {"n_neurons": size} for size in sizes]
    model = Readout.from_config(GOOD | {"network": network}, 42, 2, input_shape=(7, 6)).partial_fit(dataset)
    below = [reference.mean_spikes(samples), *(layer.n_neurons for layer in model.layers)]
    if kinds[0] == "convolution":
        below[0] = reference.mean_patch_spikes(samples, (7, 6, 1), 3, 0)
    expected = [reference.defaults(kind, n) for kind, n in zip(kinds, below, strict=False)]
    assert_allclose(model._trainer._starts(), expected)


@pytest.mark.parametrize(("feedback", "stds"), [("mirrored", (0.03, 0.01)), ("random", (1, 1))])
@pytest.mark.parametrize("kind", KINDS)
def test_own_weights_of_a_feedback_are_drawn_around_0(kind, feedback, stds):
    layer = {"n_neurons": 900} if kind == "dense" else CONV | {"n_filters": 60}
    optimizer = {"method": "decision_time", "feedback": feedback, "rate": 0.0}
    config = {"network": [layer, {"n_neurons": 2}], "optimizer": optimizer}
    model = Readout.from_config(config, 42, 2, input_shape=(7, 6))
    model.partial_fit(SpikingDataset.from_numpy(np.zeros((2, 7, 6)), [0, 1]))
    own, std = model.layers[0].feedback_weights, stds[kind == "conv"]
    assert_allclose([own.mean(), own.std()], [0, std], atol=0.1 * std)


# Augmentation


@given(st.integers(0, 2**32 - 1), st.integers(0, 2), st.booleans(), st.integers(1, 2))
@examples(40)
def test_a_changed_image_teaches_what_the_same_image_changed_before_does(seed, shift, flip, n_channels):
    rng, shape = np.random.default_rng(seed), (5, 6, n_channels)
    times = rng.permutation(np.arange(30 * n_channels)).reshape(1, *shape) / 64  # no ties, whose order a flip changes
    times[rng.random(times.shape) < 0.4] = 1
    dataset = SpikingDataset.from_numpy(times, [1]).renumbered(np.array([1], np.int32), np.arange(2))
    config = {
        "network": [{"n_neurons": 9, "rate": 0.1}, {"n_neurons": 2, "rate": 0.1}],
        "optimizer": {"method": "decision_time", "decision_at": 0.5, "skip": 0.0},
    }
    found = []
    for augment in (None, {"shift": shift, "flip": flip}):
        model = model_of((seed, shape, 2, config | {"trainer": {"augment": augment}}))
        key = copy.deepcopy(model._trainer.generator).bit_generator.random_raw()
        seen = dataset if augment else SpikingDataset.from_numpy(changed(times, key, shift, flip), [1])
        model.partial_fit(seen.renumbered(np.array([1], np.int32), np.arange(2)))
        found.append(model.layers[0].weights)
    assert_array_equal(*found)


def changed(times, key, shift, flip):
    """The first of some images, shifted and flipped as the words of the generator say."""
    words = philox(key, 0)
    down, right = (int(word * (2 * shift + 1)) - shift for word in words[:2])
    image = times[0, :, ::-1] if flip and words[2] < 0.5 else times[0]
    rows, columns = image.shape[:2]
    moved = np.ones_like(image)
    for y in range(rows):
        for x in range(columns):
            if 0 <= y + down < rows and 0 <= x + right < columns:
                moved[y + down, x + right] = image[y, x]
    return moved[None]


def philox(key, sample):
    """Numbers of [0, 1) of the block with counter (0, 0, sample, 3)."""
    counter = sum(int(word) << (64 * i) for i, word in enumerate((0, 0, sample, AUGMENTATION)))
    generator = np.random.Philox(key=key, counter=(counter - 1) % 2**256)
    return (generator.random_raw(4) >> np.uint64(11)) * 2.0**-53


# S4NN in every layer


def s4nn_epoch(weights, samples, rate, t_gap):
    """The rule, word by word: neurons spike at the first group after which their potential is above 1."""
    weights = [layer.astype(np.float64) for layer in weights]
    for inputs, input_times, label in samples:
        times = [np.full(layer.shape[0], 1.0) for layer in weights]
        potentials = [np.zeros(layer.shape[0]) for layer in weights]
        for now in np.unique(input_times):
            arriving = inputs[input_times == now]
            for depth, (layer, when) in enumerate(zip(weights, times, strict=True)):
                potentials[depth] += layer[:, arriving].sum(axis=1)
                arriving = np.flatnonzero((potentials[depth] > 1) & (when == 1.0))
                when[arriving] = now
        base = min(times[-1].min(), 1 - t_gap)
        own = np.arange(len(times[-1])) == label
        desired = np.where(own, np.minimum(times[-1], base), np.maximum(times[-1], base + t_gap))
        errors = [unit((times[-1] - desired).astype(np.float32))]
        if not errors[0].any():
            continue
        for layer, above, below in zip(weights[:0:-1], times[:0:-1], times[-2::-1], strict=True):
            in_time = above[:, None] >= below[None, :]
            credit = (layer * in_time * errors[0][:, None]).sum(axis=0)
            errors.insert(0, unit(np.where(below < 1, credit, 0)))
        every = np.ones(weights[0].shape[1])
        every[inputs] = input_times
        causes = [every, *times[:-1]]
        for depth, (error, when, cause) in enumerate(zip(errors, times, causes, strict=True)):
            fired = (cause < 1)[None, :] & (cause[None, :] <= when[:, None])
            weights[depth] += rate * error[:, None] * fired
    return weights


def unit(errors):
    norm = np.linalg.norm(errors)
    return errors / norm if norm else errors


@pytest.mark.parametrize("seed", range(8))
def test_s4nn_of_every_layer_learns_as_its_equations_say(seed):
    rng, sizes = np.random.default_rng(seed), [30, 17, 9, 4]
    times = rng.integers(0, 9, (12, 30)) / 8
    dataset = SpikingDataset.from_numpy(times, np.arange(12) % 4)
    network = [{"n_neurons": n, "rate": 0.05} for n in sizes[1:]]
    model = Readout.from_config({"network": network, "optimizer": {"method": "s4nn_layers", "t_gap": 0.1}}, 30, 4)
    for layer in model.layers:
        layer.weights = rng.normal(3 / layer.n_inputs, 1 / np.sqrt(layer.n_inputs), layer.weights_shape)
    expected = s4nn_epoch(
        [layer.weights for layer in model.layers], [sample_of(dataset, i) for i in range(12)], 0.05, 0.1
    )
    model.partial_fit(dataset)
    for layer, weights in zip(model.layers, expected, strict=True):
        assert_allclose(layer.weights, weights, atol=1e-5)


def test_s4nn_draws_hidden_neurons_anew_that_never_fire():
    dataset = SpikingDataset.from_numpy(np.random.default_rng(0).integers(0, 9, (40, 30)) / 8, np.arange(40) % 4)
    network = [{"n_neurons": 20}, {"n_neurons": 4}]
    model = Readout.from_config({"network": network, "optimizer": {"method": "s4nn_layers"}}, 30, 4)
    weights = np.full((20, 30), -1.0)
    weights[5:] = 0.1
    model.layers[0].weights = weights
    model.fit(dataset, epochs=1)
    assert (model.layers[0].weights[:5] > 0).any(axis=1).all()
    network = [CONV, {"n_neurons": 4}]
    with pytest.raises(ConfigError, match=r"network\[0\]\.type: must not be given with method s4nn_layers"):
        Readout.from_config({"network": network, "optimizer": {"method": "s4nn_layers"}}, 30, 4)


# Refusals


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"network": [{"n_neurons": 2, "w_norm": True}]}, r"network\[0\].w_norm: must not be given \(sums of weights"),
        ({"network": [{"n_neurons": 2, "w_min": -1}]}, r"network\[0\].w_min: must not be given \(weights of"),
        ({"network": [{"n_neurons": 2, "leak_tau": 1}]}, r"network\[0\].leak_tau: must not be given \(.*without leak"),
        ({"network": [{"n_neurons": 2, "neuron": {}}]}, r"network\[0\].neuron: must not be given"),
        ({"network": [{"n_neurons": 2, "w_init_normal": True}]}, r"network\[0\].w_init_normal: must not be given"),
        ({"network": [CONV]}, r'network\[0\].type: must be dense in the last layer, got "conv"'),
        ({"network": [{"n_neurons": 2}, CONV, {"n_neurons": 2}]}, r"network\[1\].type: must be dense above the first"),
        ({"network": [{"n_neurons": 2, "dropout": 0.5}]}, r"network\[0\].dropout: must be 0 in the last layer"),
        ({"network": [{"n_neurons": 2, "type": "cnv"}]}, r'network\[0\].type: must be "dense" or "conv", got "cnv"'),
        ({"regularizer": {"thr_lr": 1}}, "regularizer: must not be given with method decision_time"),
        ({"trainer": {"nt_neurons": 1}}, "trainer.nt_neurons: must not be given with method decision_time"),
        ({"trainer": {"dropout_in": 0.1}}, "trainer.dropout_in: must not be given with method decision_time"),
        ({"trainer": {"dropout_out": 0.1}}, "trainer.dropout_out: .* a dropout of their own"),
        ({"optimizer": {"method": "decision_time", "window": 1e-50}}, "optimizer.window: must be > 0"),
        ({"optimizer": {"method": "decision_time", "feedback": "x"}}, 'must be "transport", "mirrored" or "random"'),
    ],
)
def test_what_cannot_apply_is_refused_with_the_reason(change, message):
    with pytest.raises(ConfigError, match=message):
        Readout.from_config(GOOD | change, 9, 2)


@pytest.mark.parametrize("key", ["rate", "dropout"])
def test_settings_of_every_layer_are_refused_where_the_last_one_learns(key):
    optimizer = {"method": "s2stdp", "ap": 0.1, "am": -0.1, "t_gap": 0.1}
    network, trainer = [{"n_neurons": 2, "firing_threshold": 1}], {"augment": {"shift": 1}}
    with pytest.raises(ConfigError, match=rf"network\[0\].{key}: must not be given \(only rules that train every"):
        Readout.from_config({"network": [network[0] | {key: 0.1}], "optimizer": optimizer}, 4, 2)
    with pytest.raises(ConfigError, match=r"trainer\.augment: must not be given with method s2stdp"):
        Readout.from_config({"network": network, "optimizer": optimizer, "trainer": trainer}, 4, 2)


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (CONV, (9,), r"network\[0\].type: must stand on images"),
        (CONV | {"kernel_size": 5}, (4, 4), r"network\[0\].kernel_size: must fit into images of 4 x 4"),
        (CONV | {"pool": 3}, (4, 4), r"network\[0\].pool: must be at most the 2 positions"),
    ],
)
def test_a_convolution_is_refused_where_it_does_not_fit(layer, shape, message):
    with pytest.raises(ConfigError, match=message):
        Readout.from_config(GOOD | {"network": [layer, {"n_neurons": 2}]}, int(np.prod(shape)), 2, input_shape=shape)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"n_filters": 40, "kernel_size": 1, "padding": 4095}, "must have at most 2147483647 units, got 2686976640"),
        (
            {"n_filters": 1, "kernel_size": 1, "padding": 4095, "pool": 4095},
            "must have at most 2147483647 positions, got 2213990010",
        ),
    ],
)
def test_a_convolution_of_more_units_than_kernels_can_number_is_refused(sizes, message):
    shape = (6, 6) if sizes["n_filters"] > 1 else (8199, 126900)
    config = GOOD | {"network": [{"type": "conv", **sizes}, {"n_neurons": 2}]}
    with pytest.raises(ConfigError, match=rf"network\[0\].type: {message}"):
        Readout.from_config(config, int(np.prod(shape)), 2, input_shape=shape)


def test_each_output_neuron_fires_by_its_own_threshold():
    rng = np.random.default_rng(0)
    dataset = SpikingDataset.from_numpy(rng.integers(1, 9, (20, 5)) / 8, np.arange(20) % 2)
    config = GOOD | {"optimizer": {"method": "decision_time", "decision_at": 0.0, "threshold_rate": 0.5, "rate": 0.0}}
    model = Readout.from_config(config, 5, 2)
    model.layers[0].weights = np.zeros((4, 5))  # no spike ever charges the output
    model.layers[1].weights = np.ones((2, 4))
    model.layers[1].thresholds = [1, 0.01]
    model.partial_fit(dataset[:1])
    assert model.layers[1].thresholds[0] > 0 > model.layers[1].thresholds[1]
    times, _ = model.first_spikes(dataset)
    first = [sample_of(dataset, i)[1][0] for i in range(20)]
    assert_array_equal(times[:, 1], first)
    assert (times[:, 0] == 1).all()
    assert (model.predict(dataset) == 1).all()


def test_of_the_neurons_that_fired_the_largest_potential_decides_not_of_all():
    model = Readout.from_config(GOOD | {"network": [{"n_neurons": 3}]}, 2, 3)
    model.layers[0].weights = [[4, 4], [1, 1], [2, 2]]
    model.layers[0].thresholds = [9, 0.5, 1.5]
    dataset = SpikingDataset.from_numpy(np.array([[0.5, 0.5], [0.5, 1], [1, 1]]), [0, 1, 2])
    assert_array_equal(model.predict(dataset), [2, 2, 0])
    model.layers[0].thresholds = [9, 0.5, 2.5]
    assert_array_equal(model.predict(dataset), [2, 1, 0])


def test_a_network_without_weights_does_not_decide():
    dataset = SpikingDataset.from_numpy(np.eye(4).reshape(4, 2, 2), [0, 1, 0, 1])
    with pytest.raises(DataError, match=r"network\[0\]: must have weights, which the first fit draws"):
        Readout.from_config(GOOD, 4, 2).predict(dataset)
    model = Readout.from_config(GOOD | {"network": [CONV | {"kernel_size": 2}, {"n_neurons": 2}]}, 4, 2)
    assert "not made yet" in repr(model)
    with pytest.raises(DataError, match="shape of images must be given as input_shape"):
        model.predict(dataset)
    model.partial_fit(dataset)
    assert model.layers[0].weights.shape == (2, 2, 2, 1)
    with pytest.raises(DataError, match=r"input_shape \(2, 2\), got \(4,\)"):
        model.predict(SpikingDataset.from_numpy(np.eye(4), [0, 1, 0, 1]))


@pytest.mark.parametrize("first", [{"n_neurons": 30}, CONV | {"kernel_size": 2}], ids=["dense", "conv"])
def test_a_network_whose_first_samples_are_silent_takes_every_input_to_fire(first):
    X, y = np.random.default_rng(0).random((200, 4, 4)), np.arange(200) % 2
    X[y == 0, :2], X[y == 1, 2:] = 1, 1
    model = Readout.from_config(GOOD | {"network": [first, {"n_neurons": 2}]}, 16, 2, input_shape=(4, 4))
    model.partial_fit(SpikingDataset.from_numpy(np.ones((1, 4, 4)), [0]))
    assert abs(model.layers[0].weights.mean() - 1 / model.layers[0].weights[0].size) < 0.1
    data = SpikingDataset.from_numpy(X, y)
    for _ in range(5):
        model.partial_fit(data)
    assert model.score(data) > 0.95


def test_feedback_that_has_no_weights_takes_none():
    model = Readout.from_config(GOOD, 4, 2)
    assert model.layers[0].feedback_weights is None
    with pytest.raises(DataError, match="feedback_weights: must not be given"):
        model.layers[0].feedback_weights = np.zeros((4, 2))
