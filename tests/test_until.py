"""Answers at an earlier time are those of a simulation that stops there, on every kind of network."""

import numpy as np
import pytest
import reference
import test_network
import test_training
from hypothesis import given
from hypothesis import strategies as st
from network_reference import decided
from numpy.testing import assert_array_equal
from reference import REAL
from small_runs import dense
from small_runs import settings as small_settings
from strategies import cases
from tables import examples

from spikenn_cy import Readout
from spikenn_cy import SpikingDataset
from spikenn_cy.errors import DataError
from spikenn_cy.network import over_time as module
from spikenn_cy.network.cost import counts_of
from spikenn_cy.network.over_time import over_time

pytestmark = pytest.mark.quick

SHARES = st.sampled_from([0.0, 0.1, 0.25, 0.375, 0.5, 0.9, 1.0])  # of max_time


def answer_of_layers(network, indices, times, end):
    """By its spikes if the output has one by ``end``, else by its potentials as they stand there."""
    come = times <= REAL(end)
    _, spikes, potentials = network.run(indices[come], times[come])
    if not (spikes <= REAL(end)).any():
        spikes = np.zeros_like(spikes)  # so that potentials alone are compared
    winner = reference.first(np.arange(len(spikes)), spikes, potentials)
    return network.classes[winner]


def answer_of_network(network, indices, times, end):
    layers = network.layers
    for layer, share in zip(layers, [1.0, *(1 - layer.dropout for layer in layers[:-1])], strict=True):
        layer.begin(network.max_time, None, share)
    arriving = np.array([], int)
    for now in np.unique(times[times <= REAL(end)]):
        arriving = indices[times == now]
        for layer in layers:
            arriving = layer.advance(arriving, now)
        if len(arriving):
            break
    return decided(network.output.potentials, arriving, network.output.n_units // network.n_classes)


@given(cases(), SHARES)
@examples(60)
def test_answers_of_one_or_more_layers_are_those_of_the_simulation(case, share):
    model, dataset = test_training.model_of(case), test_training.dataset_of(case)
    network, samples = test_training.reference_of(case)
    end = share * model.max_time
    expected = [answer_of_layers(network, indices, times, end) for indices, times, _ in samples]
    assert_array_equal(model.decide(dataset, until=end), expected)


@given(test_network.cases(), st.booleans(), SHARES)
@examples(60)
def test_answers_of_a_network_that_learns_in_every_layer_are_those_of_the_simulation(case, rounds, end):
    model, dataset = test_network.model_of(case), test_network.data_of(case, 12)
    if rounds:
        test_network.round_off(model)
    network = test_network.twin_of(model)
    samples = [test_network.sample_of(dataset, i) for i in range(len(dataset))]
    expected = [answer_of_network(network, indices, times, end) for indices, times, _ in samples]
    assert_array_equal(model.decide(dataset, until=end), expected)


def network_and_data(kind):
    if kind == "one layer":
        return Readout.from_config(small_settings(), 12, 3), SpikingDataset.from_numpy(*dense(30, 0))
    case = test_network.fixed_case(kind)
    return test_network.model_of(case), test_network.data_of(case, 30)


KINDS = ["one layer", *test_network.KINDS]


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_at_the_end_is_the_decision_and_one_after_it_too(kind):
    model, dataset = network_and_data(kind)
    assert_array_equal(model.predict(dataset, until=model.max_time), model.predict(dataset))
    counts = counts_of(model, dataset)
    middle = float(np.median(counts.times))
    decided = counts.times <= middle
    assert_array_equal(model.decide(dataset, until=middle)[decided], model.decide(dataset)[decided])


@pytest.mark.parametrize("kind", KINDS)
def test_accuracy_over_time_is_that_of_answers_at_each_time(kind):
    model, dataset = network_and_data(kind)
    found, counts = over_time(model, dataset), counts_of(model, dataset)
    expected = [np.mean(model.decide(dataset, until=float(time)) == dataset.labels) for time in found.times]
    assert_array_equal(found.accuracy, expected)
    assert found.accuracy[-1] == model.score(dataset)
    decided = [((counts.times <= time) & (counts.times < 1)).mean() for time in found.times]
    assert_array_equal(found.decided, decided)
    assert found.right_by_spike[-1] == model.cost(dataset).first_spike_accuracy


def test_times_are_those_of_the_spikes_if_they_are_few(monkeypatch):
    dataset = SpikingDataset.from_numpy(np.array([[0.25, 0.5], [0.125, 0.5]]))
    monkeypatch.setattr(module, "SPIKES_AT_ONCE", 1)
    assert_array_equal(module.times_of(dataset), [0.125, 0.25, 0.5, 1])
    many = SpikingDataset.from_numpy(np.random.default_rng(0).random((10, 20)))
    assert len(module.times_of(many)) == module.MOST


def test_samples_as_far_as_a_time_keep_the_rest():
    dataset = SpikingDataset.from_numpy(*dense(9, 0))
    part = dataset.until(0.25)
    kept = dataset.timestamps <= np.float32(0.25)
    assert_array_equal(part.timestamps, dataset.timestamps[kept])
    assert_array_equal(part.indices, dataset.indices[kept])
    assert_array_equal(part.to_dense(), np.where(dataset.to_dense() <= 0.25, dataset.to_dense(), 1))
    assert (part.max_time, part.n_inputs, part.n_classes) == (1.0, 12, 3)
    assert_array_equal(part.labels, dataset.labels)


@pytest.mark.parametrize("time", [-0.1, 1.5, float("nan"), True, "0.5", None])
def test_a_time_outside_of_a_sample_is_refused(time):
    dataset = SpikingDataset.from_numpy(*dense(9, 0))
    model = Readout.from_config(small_settings(), 12, 3)
    with pytest.raises(DataError, match="time: must be a number from 0 to 1, got"):
        dataset.until(time)
    if time is not None:
        with pytest.raises(DataError, match="until: must be a number from 0 to 1, got"):
            model.predict(dataset, until=time)
    with pytest.raises(DataError, match=r"times\[1\]: must be a number from 0 to 1, got"):
        over_time(model, dataset, [0.5, time])
