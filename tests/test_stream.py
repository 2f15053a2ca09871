"""What is decided while spikes come is what is decided on whole samples, however they are cut into pushes."""

import numpy as np
import pytest
import test_network
import test_training
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from small_runs import dense
from small_runs import settings as small_settings
from strategies import cases
from tables import examples

from spikenn_cy import Readout
from spikenn_cy import SpikingDataset
from spikenn_cy.errors import DataError

pytestmark = pytest.mark.quick


def pushed(stream, sample, rng):
    """Push a sample in parts of any size, spikes of one time in any order; return what each push says."""
    inputs, times, _ = sample
    order = np.lexsort((rng.random(len(times)), times))
    cuts = np.sort(rng.integers(0, len(times) + 1, rng.integers(0, 6)))
    return [stream.push(inputs[part], times[part]) for part in np.split(order, cuts)]


def assert_it_decides_as_whole_samples(model, dataset, seed):
    rng, stream, predicted = np.random.default_rng(seed), model.stream(), model.predict(dataset)
    first = model.first_spikes(dataset)[0].min(axis=1)
    for i, sample in enumerate(dataset):
        said = pushed(stream, sample, rng)
        decided = [decision for decision in said if decision is not None]
        assert all(decision == predicted[i] for decision in decided)
        assert stream.end() == predicted[i]
        assert stream.decision == predicted[i]
        assert stream.decision_time == (first[i] if first[i] < np.float32(model.max_time) else None)
        later = len(sample[1]) and sample[1][-1] > first[i]  # so that the group of the decision was seen to be whole
        assert len(decided) > 0 or not later


@given(cases(), st.integers(0, 9))
@examples(60)
def test_networks_of_one_or_more_layers_decide_as_on_whole_samples(case, seed):
    assert_it_decides_as_whole_samples(test_training.model_of(case), test_training.dataset_of(case), seed)


@given(test_network.cases(), st.booleans(), st.integers(0, 9))
@examples(60)
def test_networks_that_learn_in_every_layer_decide_as_on_whole_samples(case, rounds, seed):
    model = test_network.model_of(case)
    if rounds:
        test_network.round_off(model)
    assert_it_decides_as_whole_samples(model, test_network.data_of(case, 12), seed)


@given(cases(), st.integers(0, 9))
@examples(30)
def test_learning_from_a_stream_is_learning_online(case, seed):
    model, other = test_training.model_of(case), test_training.model_of(case)
    dataset, rng, stream = test_training.dataset_of(case), np.random.default_rng(seed), model.stream()
    for i, sample in enumerate(dataset):
        pushed(stream, sample, rng)
        assert stream.end() == other.predict(dataset[i : i + 1])[0]
        stream.learn(dataset.classes[sample[2]])
        other.partial_fit(dataset[i : i + 1])
        assert model.layers[-1].weights.tobytes() == other.layers[-1].weights.tobytes()


@pytest.mark.parametrize("kind", test_network.KINDS)
def test_learning_from_a_stream_in_every_layer_is_learning_online(kind):
    case = test_network.fixed_case(kind)
    del case[3]["trainer"]["augment"]
    model, other, dataset = test_network.model_of(case), test_network.model_of(case), test_network.data_of(case, 20)
    rng, stream = np.random.default_rng(0), model.stream()
    for i, sample in enumerate(dataset):
        pushed(stream, sample, rng)
        assert stream.end() == other.predict(dataset[i : i + 1])[0]
        stream.learn(dataset.classes[sample[2]])
        other.partial_fit(dataset[i : i + 1])
    for layer, twin in zip(model.layers, other.layers, strict=True):
        assert layer.weights.tobytes() == twin.weights.tobytes()


@pytest.fixture
def model():
    model = Readout.from_config(small_settings(network={"n_neurons": 2}), 4, 2)
    model.layers[0].weights = [[2, 0, 0, 0], [0, 1, 1, 0]]
    return model


def test_a_decision_waits_for_the_last_spike_of_its_time(model):
    stream = model.stream()
    assert stream.push(0, 0.25) is None
    assert stream.push([1], [0.5]) == 0
    assert stream.decision_time == 0.25
    assert stream.end() == 0
    assert stream.push(0, 0.25) is None
    assert stream.advance(0.25) is None
    assert stream.advance(0.3) == 0
    assert "under way, decision np.int64(0)" in repr(stream)


def test_the_first_spike_of_an_input_counts(model):
    stream = model.stream()
    stream.push([1, 1, 1], [0.1, 0.2, 0.3])
    stream.push(1, 0.4)
    assert stream.advance(1.0) is None  # 1 is not over the threshold of 1.5
    assert stream.end() == 1
    assert stream.decision_time is None


def test_a_sample_without_spikes_has_a_decision(model):
    stream = model.stream()
    assert stream.end() == model.predict(SpikingDataset([0, 0], [], [], None, 4))[0]
    stream.learn(1)


@pytest.mark.parametrize(
    ("inputs", "times", "finding"),
    [
        (4, 0.6, r"inputs\[0\]: must be from 0 to 3, got 4"),
        ([0, -1], [0.6, 0.7], r"inputs\[1\]: must be from 0 to 3, got -1"),
        (True, 0.6, "inputs: must be whole numbers, got bool"),
        (0.0, 0.6, "inputs: must be whole numbers, got float64"),
        (0, "0.6", "times: must be real numbers"),
        ([[0], [1, 2]], [0.6, 0.7], "inputs, times: must be arrays of one axis"),
        ([0, 1], [0.6], "times: must be 2, one for each input, got 1"),
        (0, 1.0, r"times\[0\]: must be in \[0, 1\), got 1.0"),
        (0, float("nan"), r"times\[0\]: must be in \[0, 1\), got nan"),
        (0, 0.25, r"times\[0\]: must not be before 0.5"),
        ([0, 2], [0.7, 0.6], r"times\[1\]: must not be before 0.7"),
    ],
)
def test_what_is_no_next_spike_is_refused_and_not_taken(model, inputs, times, finding):
    stream = model.stream()
    stream.push(1, 0.5)
    with pytest.raises(DataError, match=finding):
        stream.push(inputs, times)
    assert stream.push(2, 0.6) is None
    assert stream.advance(0.7) == 1
    assert stream.decision_time == pytest.approx(0.6)


def test_what_cannot_be_done_now_is_refused(model):
    stream = model.stream()
    with pytest.raises(DataError, match="learn: must come after end"):
        stream.learn(0)
    stream.push(1, 0.5)
    with pytest.raises(DataError, match="learn: must come after end"):
        stream.learn(0)
    with pytest.raises(DataError, match=r"time: must not be before 0\.5, got 0\.25"):
        stream.advance(0.25)
    with pytest.raises(DataError, match="time: must be a number from 0 to 1, got True"):
        stream.advance(True)
    stream.end()
    with pytest.raises(DataError, match=r"label: must be one of \[0, 1\], got 7"):
        stream.learn(7)
    stream.learn(0)
    with pytest.raises(DataError, match="learn: must come after end"):
        stream.learn(0)


def test_a_network_must_not_learn_in_the_middle_of_a_sample(model):
    stream = model.stream()
    stream.push(1, 0.5)
    model.partial_fit(SpikingDataset.from_numpy(*dense(6, 0, n_inputs=4, n_classes=2)))
    with pytest.raises(DataError, match="network: must not change while a sample is under way, which is given up"):
        stream.push(2, 0.6)
    with pytest.raises(DataError, match="learn: must come after end"):
        stream.learn(0)
    assert stream.push(2, 0.1) is None
    assert stream.end() == model.predict(SpikingDataset([0, 1], [2], [0.1], None, 4))[0]


def test_a_network_without_weights_has_no_stream():
    with pytest.raises(DataError, match="must have weights"):
        Readout.from_config(test_network.GOOD, 4, 2).stream()


def test_a_threshold_below_0_is_that_of_whole_samples():
    for case in (test_network.fixed_case("dense"), test_network.fixed_case("conv")):
        model, dataset = test_network.model_of(case), test_network.data_of(case, 8)
        model.layers[-1].kernel_thresholds[:6] = -0.5
        assert_it_decides_as_whole_samples(model, dataset, 0)
    layers = [{**small_settings()["network"][0], "n_neurons": n, "w_norm": False} for n in (5, 6)]
    model = Readout.from_config({**small_settings(), "network": layers}, 12, 3)
    model.layers[-1].inference_thresholds[:] = -0.5
    dataset = SpikingDataset.from_numpy(*dense(20, 1))
    assert_array_equal(model.decide(dataset), [model.classes.tolist().index(label) for label in model.predict(dataset)])
    assert_it_decides_as_whole_samples(model, dataset, 0)


@pytest.mark.parametrize("kind", ["lists", "strided", "big-endian", "half", "long double"])
def test_spikes_may_be_arrays_of_any_layout(kind):
    rng = np.random.default_rng(0)
    config = {"network": [{"n_neurons": 4}], "optimizer": {"method": "decision_time"}}
    data = SpikingDataset.from_numpy(rng.random((6, 20)).astype(np.float16), np.arange(6) % 2)
    model = Readout.from_config(config, 20, 2)
    model.fit(data, epochs=1)
    stream = model.stream()
    for sample, expected in zip(data, model.predict(data), strict=True):
        order = np.argsort(sample[1], kind="stable")
        inputs, times = sample[0][order], sample[1][order]
        if kind == "lists":
            inputs, times = inputs.tolist(), times.tolist()
        elif kind == "strided":
            inputs, times = (np.repeat(array, 3)[::3] for array in (inputs, times))
        elif kind == "big-endian":
            inputs, times = inputs.astype(">i8"), times.astype(">f8")
        elif kind == "half":
            inputs, times = inputs.astype(np.uint8), times.astype(np.float16)
        else:
            times = times.astype(np.longdouble)
        stream.push(inputs, times)
        assert stream.end() == expected
