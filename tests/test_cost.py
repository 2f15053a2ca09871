"""What a decision costs is what a plain simulation counts, addition by addition, on every kind of network."""

import json

import cost_reference
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
from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import DataError
from spikenn_cy.network import cost
from spikenn_cy.network.cost import counts_of

pytestmark = pytest.mark.quick

WAYS = ["spike", "tie", "potential"]


def assert_same_counts(model, dataset, tallies):
    counts = counts_of(model, dataset)
    for i, tally in enumerate(tallies):
        assert (counts.classes[i], counts.times[i]) == (tally.predicted, tally.time)
        assert WAYS[counts.ways[i]] == tally.way
        assert_array_equal(counts.inputs[i], tally.inputs)
        assert_array_equal(counts.spikes[i], tally.spikes)
        assert_array_equal(counts.operations[i], tally.additions)
    assert_array_equal(counts.classes, model.decide(dataset))


def assert_same_record(model, dataset, tallies):
    found, operations = model.cost(dataset), np.array([tally.additions for tally in tallies]).sum(axis=1)
    for spread, values in (
        (found.decision_time, np.array([tally.time for tally in tallies], float)),
        (found.input_spikes_until_decision, np.array([tally.inputs[0] for tally in tallies])),
        (found.input_spikes, np.array([tally.inputs[1] for tally in tallies])),
        (found.synaptic_operations_until_decision, operations[:, 0]),
        (found.synaptic_operations, operations[:, 1]),
        (found.weight_bytes_until_decision, 4 * operations[:, 0]),
        (found.weight_bytes, 4 * operations[:, 1]),
    ):
        expected = values.mean(), np.median(values), np.percentile(values, 95)
        assert (spread.mean, spread.median, spread.p95) == pytest.approx(expected, rel=1e-6)
    right = np.array([tally.predicted for tally in tallies]) == dataset.labels
    for way, decided in zip(WAYS, (found.by_spike, found.by_tie, found.by_potential), strict=True):
        among = np.array([tally.way == way for tally in tallies])
        assert decided.share == among.mean()
        assert decided.accuracy == (right[among].mean() if among.any() else None)
    assert found.accuracy == model.score(dataset)
    assert found.first_spike_accuracy == np.mean([tally.way == "spike" for tally in tallies] & right)


@given(cases())
@examples(60)
def test_counts_of_one_or_more_layers_are_those_of_the_simulation(case):
    model, dataset = test_training.model_of(case), test_training.dataset_of(case)
    tallies = cost_reference.tallies_of_layers(*test_training.reference_of(case))
    assert_same_counts(model, dataset, tallies)
    assert_same_record(model, dataset, tallies)


@given(test_network.cases(), st.booleans())
@examples(60)
def test_counts_of_a_network_that_learns_in_every_layer_are_those_of_the_simulation(case, rounds):
    model, dataset = test_network.model_of(case), test_network.data_of(case, 12)
    if rounds:  # potentials equal each other and thresholds
        test_network.round_off(model)
    samples = [test_network.sample_of(dataset, i) for i in range(len(dataset))]
    tallies = cost_reference.tallies_of_network(test_network.twin_of(model), samples)
    assert_same_counts(model, dataset, tallies)
    assert_same_record(model, dataset, tallies)


@pytest.mark.parametrize("kind", test_network.KINDS)
def test_multiply_adds_are_what_a_sample_would_cost_in_which_all_spike(kind):
    model = test_network.model_of(test_network.fixed_case(kind))
    first = model.layers[0]
    everywhere = SpikingDataset.from_numpy(np.linspace(0, 0.9, model.n_inputs).reshape(1, *model.input_shape))
    found = model.cost(everywhere)
    assert found.layers[0].synaptic_operations.mean == first.fan_out.sum() == found.layers[0].multiply_adds
    assert found.multiply_adds == sum(layer.multiply_adds for layer in found.layers)
    if kind == "dense":
        assert found.multiply_adds == sum(layer.weights.size for layer in model.layers)


def small(labelled=True):
    model = test_network.model_of(test_network.fixed_case("dense"))
    dataset = test_network.data_of(test_network.fixed_case("dense"), 20)
    arrays = dataset.indptr, dataset.indices, dataset.timestamps
    return model, dataset if labelled else SpikingDataset(
        *arrays, None, dataset.n_inputs, input_shape=dataset.input_shape
    )


def test_blocks_of_any_size_count_alike(monkeypatch):
    model, dataset = small()
    expected = model.cost(dataset)
    monkeypatch.setattr(cost, "AT_ONCE", 3 * model.n_inputs)
    assert model.cost(dataset) == expected


@pytest.mark.usefixtures("threads_as_asked")
@pytest.mark.parametrize("kind", ["one layer", *test_network.KINDS])
def test_any_number_of_threads_counts_alike(kind, monkeypatch):
    if kind == "one layer":
        model, dataset = Readout.from_config(small_settings(), 12, 3), SpikingDataset.from_numpy(*dense(40, 0))
    else:
        case = test_network.fixed_case(kind)
        model, dataset = test_network.model_of(case), test_network.data_of(case, 40)
    expected, answers = model.cost(dataset), model.decide(dataset, until=0.5)
    monkeypatch.setattr(cost, "AT_ONCE", 10 * model.n_inputs)
    assert model.cost(dataset, n_threads=3) == expected
    assert_array_equal(model.decide(dataset, n_threads=3, until=0.5), answers)
    with pytest.raises(ConfigError, match="n_threads: must be an integer"):
        model.decide(dataset, n_threads=0, until=0.5)


def test_unlabelled_data_have_counts_and_no_accuracy():
    found, labelled = small(labelled=False), small()
    found, expected = found[0].cost(found[1]), labelled[0].cost(labelled[1])
    assert found.accuracy is found.first_spike_accuracy is found.by_spike.accuracy is None
    assert found.synaptic_operations_until_decision == expected.synaptic_operations_until_decision
    assert found.by_spike.share == expected.by_spike.share
    assert "accuracy" in str(found)


def test_a_record_is_plain_numbers_a_table_and_html():
    model, dataset = small()
    found = model.cost(dataset)
    told = json.loads(json.dumps(found.to_dict()))
    assert told["synaptic_operations_until_decision"]["mean"] == found.synaptic_operations_until_decision.mean
    assert len(told["layers"]) == 2
    assert "synaptic operations until the decision" in str(found)
    assert found._repr_html_().count("<table>") == 2
    assert max(map(len, str(found).splitlines())) <= 80


def test_energies_are_counts_times_prices():
    model, dataset = small()
    found = model.cost(dataset)
    energy = found.energy(add=0.9, mac=4.6)
    assert energy.until_decision.mean == pytest.approx(0.9 * found.synaptic_operations_until_decision.mean)
    assert energy.whole_sample.p95 == pytest.approx(0.9 * found.synaptic_operations.p95)
    assert energy.multiply_adds == pytest.approx(4.6 * found.multiply_adds)
    with_memory = found.energy(add=0.9, mac=4.6, byte=10)
    assert with_memory.until_decision.mean == pytest.approx(40.9 * found.synaptic_operations_until_decision.mean)


@pytest.mark.parametrize("prices", [{"add": -1}, {"mac": float("nan")}, {"byte": True}, {"add": "0.9"}])
def test_a_price_that_is_none_is_refused(prices):
    model, dataset = small()
    with pytest.raises(DataError, match=r"must be a number >= 0, in pJ"):
        model.cost(dataset).energy(**{"add": 0.9, "mac": 4.6, **prices})


def test_data_that_cannot_be_counted_are_refused():
    model, dataset = small()
    with pytest.raises(DataError, match="at least one sample"):
        model.cost(dataset[:0])
    with pytest.raises(DataError, match="must be a SpikingDataset"):
        model.cost(np.zeros((2, 3)))
    fresh = Readout.from_config(test_network.GOOD, dataset.n_inputs, 2)
    with pytest.raises(DataError, match="must have weights"):
        fresh.cost(SpikingDataset.from_numpy(np.linspace(0, 0.9, dataset.n_inputs)[None]))
