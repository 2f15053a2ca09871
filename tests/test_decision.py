"""A picture of a decision shows the very potentials that led to it, and the answer that the network gives."""

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from small_runs import settings

from spikenn_cy import Readout
from spikenn_cy import SpikingDataset
from spikenn_cy import plots
from spikenn_cy.demo import demo_datasets
from spikenn_cy.errors import DataError

pytestmark = pytest.mark.quick

EVERY_LAYER = {"network": [{"n_neurons": 20}, {"n_neurons": 10}], "optimizer": {"method": "decision_time"}}
GROUPS = {
    "network": [{"n_neurons": 40, "firing_threshold": 10, "w_init_normal": True, "w_norm": True}],
    "optimizer": {"method": "s2stdp", "ap": 0.05, "am": -0.05, "t_gap": 0.1},
}


@pytest.fixture(scope="module", params=[EVERY_LAYER, GROUPS], ids=["every layer", "groups"])
def trained(request):
    train, _, test = demo_datasets()
    model = Readout.from_config(request.param, train.n_inputs, train.n_classes, seed=0)
    model.fit(train[:400], epochs=2)
    return model, test


def below(figure):
    return next(axes for axes in figure.axes if axes.get_ylabel().startswith("potential"))


def test_the_first_output_spike_is_that_of_the_class_that_is_predicted(trained):
    model, test = trained
    for sample in range(0, 60, 6):
        found = model.explain(test[sample])
        axes = below(plots.decision(model, test[sample]))
        told = axes.texts[-1].get_text()
        assert told.endswith(f": {found.predicted}")
        assert told.startswith("first output spike") == found.fired
        winner = next(line for line in axes.lines if line.get_linewidth() == 2.4)
        assert winner.get_xdata()[-1] == found.time
        assert winner.get_ydata().max() >= found.potentials.max()
        np.testing.assert_array_equal(winner.get_ydata()[1:-1], found.potentials)


def test_spikes_after_the_decision_are_paler_than_those_that_it_heard(trained):
    model, test = trained
    figure = plots.decision(model, test[3])
    inputs = next(axes for axes in figure.axes if axes.get_ylabel() == "input spikes")
    heard, later = (collection.get_offsets()[:, 0] for collection in inputs.collections[:2])
    moment = model.explain(test[3]).time
    assert len(heard) + len(later) == len(test[3][1])
    assert heard.max() <= moment
    assert (later > moment).all()
    assert len([axes for axes in figure.axes if axes.get_ylabel() == "hidden spikes"]) == len(model.layers) - 1


def test_a_decision_without_an_output_spike_says_so():
    model = Readout.from_config(settings(network={"firing_threshold": 1e6}), n_inputs=4, n_classes=3)
    dataset = SpikingDataset.from_numpy(np.array([[1.0, 1.0, 0.2, 0.5]]), [0])
    figure = plots.decision(model, dataset)
    assert below(figure).texts[-1].get_text().startswith("no output spike; highest potential: ")
    assert "no neuron fires" in plots.alt_text(figure)
    assert below(figure).texts[-1].get_text().endswith(f": {model.predict(dataset)[0]}")


def test_potentials_are_shown_beside_thresholds_where_neurons_have_their_own(trained):
    model, test = trained
    assert below(plots.decision(model, test[0])).get_ylabel() == "potential"
    own = Readout.from_config(GROUPS, 64, 10, seed=0)
    own.partial_fit(test[:20])
    thresholds = own.layers[-1].thresholds
    own.layers[-1].thresholds = thresholds + np.arange(len(thresholds), dtype=thresholds.dtype) / 100
    assert below(plots.decision(own, test[0])).get_ylabel() == "potential above threshold"


def test_no_more_than_ten_classes_are_drawn():
    model = Readout.from_config(settings(network={"n_neurons": 24}, trainer={"dropout_out": 0}), 16, 12, seed=0)
    times = np.random.default_rng(0).random((12, 16))
    figure = plots.decision(model, SpikingDataset.from_numpy(times, np.arange(12))[:1])
    assert "potentials of 10 classes" in plots.alt_text(figure)


@pytest.mark.parametrize("wrong", [3, None, np.zeros(64), "digits"])
def test_what_is_no_sample_is_refused_in_one_line(trained, wrong):
    with pytest.raises(DataError, match=r"^sample: [^\n]+\Z"):
        plots.decision(trained[0], wrong)
    with pytest.raises(DataError, match=r"^model: [^\n]+\Z"):
        plots.decision(wrong, trained[1][0])
