"""What networks, trainings and settings say of themselves, in a terminal and in a notebook."""

import pytest
from small_networks import images
from small_networks import network_settings
from small_runs import dense
from small_runs import settings

from spikenn_cy import ExperimentConfig
from spikenn_cy import History
from spikenn_cy import Readout
from spikenn_cy import SpikingDataset
from spikenn_cy.network.history import EpochReport

pytestmark = pytest.mark.quick

LONG = History([EpochReport(epoch, 0.5, 0.9 if epoch == 20 else 0.1) for epoch in range(40)])


def test_a_history_is_a_sequence_of_epochs():
    assert len(LONG) == 40
    assert LONG[0] is LONG.epochs[0]
    assert LONG[-1] is LONG.epochs[-1]
    assert [report.epoch for report in LONG] == list(range(40))
    assert isinstance(LONG[-3:], History)
    assert [report.epoch for report in LONG[-3:]] == [37, 38, 39]
    assert LONG.best() in LONG
    with pytest.raises(IndexError):
        LONG[40]


def test_a_history_becomes_columns():
    columns = LONG[:2].to_dict()
    assert columns["epoch"] == [0, 1]
    assert columns["val_accuracy"] == [0.1, 0.1]
    assert set(columns) == {"epoch", "train_accuracy", "val_accuracy", "test_accuracy", "seconds", "stopped"}


def test_a_history_shows_a_few_lines_and_the_best_epoch_among_them():
    assert repr(LONG[19:22]) == (
        "History of 3 epochs\n"
        "epoch  train %  val %\n"
        "19       50.00  10.00\n"
        "20       50.00  90.00  best\n"
        "21       50.00  10.00"
    )
    lines = repr(LONG).splitlines()
    assert len(lines) == 15
    assert lines[7:10] == ["...", "20       50.00  90.00  best", "..."]
    assert repr(History([])) == "<History of 0 epochs>"
    assert repr(History([EpochReport(0, 1.0, stopped="early_stopping")])).startswith(
        "History of 1 epoch, early_stopping"
    )


def test_a_notebook_shows_all_epochs_as_a_table():
    shown = LONG._repr_html_()
    assert shown.count("<tr>") == 41
    assert "<td>20</td><td>50.00</td><td>90.00</td><td>best</td>" in shown


@pytest.mark.parametrize("kind", ["readout", "dense", "conv"])
def test_a_network_says_its_layers_in_a_table(kind):
    if kind == "readout":
        config, train = settings(), SpikingDataset.from_numpy(*dense(60, 0))
    else:
        config, train = network_settings(kind), SpikingDataset.from_numpy(*images(60, 0))
    model = Readout.from_config(config, train.n_inputs, 3, train.max_time)
    assert ("not made yet" in model.summary()) == (kind == "conv")
    model.fit(train, epochs=1)
    lines = model.summary(train).splitlines()
    assert "1 epochs trained" in lines[0]
    assert lines[1].split() == ["layer", "type", "neurons", "weights", "mean", "±", "std", "threshold", "silent"]
    assert len(lines) == 2 + len(model.layers)
    assert lines[2].split()[1] == ("conv" if kind == "conv" else "dense")
    assert model._repr_html_().count("<tr>") == 1 + len(model.layers)
    assert f"{model.layers[-1].n_neurons} neurons, threshold" in repr(model.layers[-1])


def test_silent_neurons_are_counted():
    train = SpikingDataset.from_numpy(*dense(60, 0))
    model = Readout.from_config(settings(), 12, 3, train.max_time)
    model.layers[0].thresholds = [1.5, 1.5, 1.5, 1.5, 1e6, 1e6]
    assert model.summary(train).splitlines()[-1].split()[-1] == "2"


def test_settings_are_a_table_in_which_nothing_is_markup():
    config = ExperimentConfig.from_any(settings(), where="<b>.json")
    shown = config._repr_html_()
    assert "<caption>&lt;b&gt;.json</caption>" in shown
    assert "<td>network[0].firing_threshold</td><td>1.5</td>" in shown
    assert "<td>trainer.shuffle</td><td>true</td>" in shown
