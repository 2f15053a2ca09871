"""An explanation is of the very additions that a network makes: the last potential is that of the neuron's spike."""

import json

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
from spikenn_cy import plots
from spikenn_cy.errors import DataError
from spikenn_cy.network.cost import DECIDED_BY
from spikenn_cy.network.cost import counts_of

pytestmark = pytest.mark.quick


def assert_it_is_what_happened(model, dataset):
    counts, predicted = counts_of(model, dataset), model.predict(dataset)
    spikes = [model.first_spikes(dataset, layer=position) for position in range(len(model.layers))]
    for i in range(len(dataset)):
        found = model.explain(dataset[i : i + 1])
        assert found.predicted == predicted[i]
        assert found.decided_by == DECIDED_BY[counts.ways[i]]
        assert found.time == counts.times[i]
        assert found.fired == (found.time < np.float32(model.max_time))
        assert found.neuron // (model.layers[-1].n_neurons // model.n_classes) == counts.classes[i]
        assert_a_neuron_is_explained(found, [(times[i], potentials[i]) for times, potentials in spikes])
        if len(model.layers) == 1:
            assert len(found.inputs) == counts.inputs[i, 0]


def assert_a_neuron_is_explained(found, spikes):
    times, potentials = spikes[found.layer]
    assert found.time == times[found.neuron]
    last = found.potentials[-1] if len(found.potentials) else 0
    assert last == potentials[found.neuron]
    assert (last > found.threshold) == found.fired
    assert (found.times <= found.time).all()
    assert (np.diff(found.times) >= 0).all()
    if found.layer > 0:
        below = spikes[found.layer - 1][0]
        assert_array_equal(np.sort(found.inputs), np.flatnonzero((below <= found.time) & (below < 1)))
        for neuron in found.inputs.tolist()[:3]:
            assert_a_neuron_is_explained(found.of(neuron), spikes)


@given(cases(max_time=1.0))
@examples(40)
def test_a_decision_of_one_or_more_layers_is_explained_to_the_bit(case):
    assert_it_is_what_happened(test_training.model_of(case), test_training.dataset_of(case))


@given(test_network.cases(), st.booleans())
@examples(40)
def test_a_decision_of_a_network_that_learns_in_every_layer_is_explained_to_the_bit(case, rounds):
    model, dataset = test_network.model_of(case), test_network.data_of(case, 6)
    if rounds:
        test_network.round_off(model)
    assert_it_is_what_happened(model, dataset)


@pytest.fixture
def trained():
    model = Readout.from_config(small_settings(trainer={"epochs": 1, "dropout_out": 0.0}), 12, 3)
    dataset = SpikingDataset.from_numpy(*dense(30, 0))
    model.fit(dataset)
    return model, dataset


def test_a_sample_may_be_what_indexing_gives(trained):
    model, dataset = trained
    found = model.explain(dataset[3:4])
    for sample in (dataset[3], dataset[3][:2], list(dataset[3])):
        assert model.explain(sample).to_dict() == found.to_dict()


def test_it_is_a_table_and_plain_numbers(trained):
    model, dataset = trained
    found = model.explain(dataset[0])
    told = json.loads(json.dumps(found.to_dict()))
    assert told["inputs"] == found.inputs.tolist()
    assert told["predicted"] == found.predicted
    lines = str(found).splitlines()
    assert lines[0].startswith(f"class {found.predicted}, by neuron {found.neuron} of layer 0: over the threshold")
    assert lines[1].split() == ["time", "input", "weight", "potential"]
    assert len(lines) == 2 + len(found.inputs)
    assert found._repr_html_().count("<tr>") == 1 + len(found.inputs)


def test_a_long_table_is_shortened_in_the_middle():
    model = Readout.from_config(small_settings(network={"firing_threshold": 1e6}), 49, 3)
    sample = SpikingDataset.from_numpy(np.linspace(0, 0.9, 49).reshape(1, 7, 7))
    lines = str(model.explain(sample)).splitlines()
    assert "decided by potential alone: 49 spikes, none over the threshold" in lines[0]
    assert lines[1].split() == ["time", "input", "row", "column", "weight", "potential"]
    assert lines[17] == "..."
    assert len(lines) == 33


def test_hidden_spikes_are_explained_of_the_network_as_it_was():
    case = test_network.fixed_case("dense")
    model, dataset = test_network.model_of(case), test_network.data_of(case, 6)
    found = model.explain(dataset[3])
    hidden = found.of(found.inputs[0])
    assert (hidden.layer, hidden.predicted, hidden.decided_by) == (0, None, "")
    with pytest.raises(DataError, match="neuron: must be a hidden one that took part, got an input of the network"):
        hidden.of(hidden.inputs[0])
    with pytest.raises(DataError, match="neuron: must be one whose spike took part, one of inputs, got 999"):
        found.of(999)
    model.partial_fit(dataset)
    with pytest.raises(DataError, match="network: must be as it was when the sample was explained"):
        found.of(found.inputs[0])


@pytest.mark.full
@pytest.mark.parametrize("kind", ["one layer", *test_network.KINDS])
def test_a_picture_shows_the_weights_of_the_spikes_and_the_way_to_the_threshold(kind):
    pytest.importorskip("matplotlib")
    if kind == "one layer":
        model = Readout.from_config(small_settings(), 16, 3)
        dataset = SpikingDataset.from_numpy(*dense(6, 0, n_inputs=16))
    else:
        case = test_network.fixed_case(kind)
        model, dataset = test_network.model_of(case), test_network.data_of(case, 6)
    found = model.explain(dataset[3])
    *images, curve = [axes for axes in plots.explanation(found).axes if axes.get_label() != "<colorbar>"]
    assert_array_equal(curve.lines[0].get_ydata()[1:-1], found.potentials)
    assert_array_equal(curve.lines[1].get_ydata(), [found.threshold] * 2)
    if kind == "one layer":
        image = np.ma.filled(images[0].images[0].get_array().astype(float), np.nan)
        assert_array_equal(image.ravel()[found.inputs], found.weights)
        assert np.count_nonzero(~np.isnan(image)) == len(found.inputs)
    else:
        assert len(images) == min(6, len(found.inputs))
        image = np.ma.filled(images[0].images[0].get_array().astype(float), np.nan)
        strongest = np.sort(np.argsort(-np.abs(found.weights), kind="stable")[:6])[0]
        part = found.of(found.inputs[strongest])
        assert np.nansum(image) == pytest.approx(part.weights.sum(), rel=1e-5)
    assert found.caption[1:] in plots.alt_text(plots.explanation(found))
    with pytest.raises(DataError, match="explanation: must be what explain returns, got int"):
        plots.explanation(3)


@pytest.mark.parametrize(
    ("sample", "finding"),
    [
        (3, "must be a data set of one sample, or .*, got int"),
        ((3, 4), "got indices that are no array"),
        (([1], [0.5], 0, 0), "must be a data set of one sample"),
        (([1, 1], [0.5, 0.5]), "twice|once"),
        (([99], [0.5]), r"99"),
        (([1], [-0.5]), "time"),
    ],
)
def test_what_is_no_sample_is_refused(trained, sample, finding):
    model, _ = trained
    with pytest.raises(DataError, match=finding):
        model.explain(sample)


def test_several_samples_are_refused(trained):
    model, dataset = trained
    with pytest.raises(DataError, match=r"sample: must be one sample, such as dataset\[3:4\], got '?30"):
        model.explain(dataset)
