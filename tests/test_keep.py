"""Which epoch's network is kept when training ends: the last, or the best, all of it and to the bit."""

import json

import numpy as np
import pytest
from small_networks import images
from small_networks import network_settings
from small_runs import dense
from small_runs import settings
from small_runs import write_data
from small_runs import write_settings

from spikenn_cy import DataError
from spikenn_cy import History
from spikenn_cy import Readout
from spikenn_cy import SpikingDataset
from spikenn_cy.cli.entry import main
from spikenn_cy.errors import ConfigWarning
from spikenn_cy.network.history import EpochReport

pytestmark = pytest.mark.quick

N_EPOCHS = 6
NOISE = {"readout": 7, "dense": 4, "conv": 0}  # seeds of which the best epoch is neither first nor last


def case(kind, keep="best"):
    """Return settings, a training set, and noise to validate with, on which the best epoch is not the last."""
    if kind == "readout":
        config = settings(trainer={"keep": keep}, optimizer={"ap": 0.4, "am": -0.3, "annealing": 1.0})
        times, labels = dense(60, 0)
    else:
        config = network_settings(kind, trainer={"keep": keep}, optimizer={"rate": 8, "final_rate": 1})
        times, labels = images(40, 0)
    noise = np.random.default_rng(NOISE[kind]).random((50, *times.shape[1:]))
    return config, SpikingDataset.from_numpy(times, labels), SpikingDataset.from_numpy(noise, np.arange(50) % 3)


def trained(config, train, val, epochs=N_EPOCHS, **options):
    model = Readout.from_config(config, train.n_inputs, train.n_classes, seed=1, input_shape=train.input_shape)
    return model, model.fit(train, val, epochs=epochs, **options)


def same(one, other):
    arrays = (one.layers, other.layers)
    for left, right in zip(*arrays, strict=True):
        assert all(np.array_equal(array, right.state()[name]) for name, array in left.state().items())
    assert np.array_equal(one.training_thresholds, other.training_thresholds)
    assert one._trainer.generator.bit_generator.state == other._trainer.generator.bit_generator.state
    assert one._trainer.n_epochs == other._trainer.n_epochs


@pytest.mark.parametrize("kind", ["readout", "dense"])
def test_the_best_network_is_that_of_a_training_that_ended_there(kind):
    config, train, val = case(kind)
    kept, history = trained(config, train, val)
    best = history.best()
    assert best.epoch < N_EPOCHS - 1, "the case must have a best epoch that is not the last"
    assert kept.score(val) == best.val_accuracy == max(history.val_accuracy) > history.val_accuracy[-1]
    last, _ = trained(case(kind, "last")[0], train, val)
    assert last.score(val) == history.val_accuracy[-1]

    class Enough(Exception):
        pass

    def stop(report):
        if report.epoch == best.epoch:
            raise Enough

    there = Readout.from_config(case(kind, "last")[0], train.n_inputs, train.n_classes, seed=1)
    with pytest.raises(Enough):
        there.fit(train, val, epochs=N_EPOCHS, on_epoch=stop)
    same(kept, there)
    for model in (kept, there):
        model.partial_fit(train)
    same(kept, there)


@pytest.mark.parametrize("kind", ["readout", "dense", "conv"])
@pytest.mark.parametrize("n", [1, 4, N_EPOCHS])
def test_a_checkpoint_goes_on_to_the_same_best_network(kind, n, tmp_path):
    class Interrupt(Exception):
        pass

    config, train, val = case(kind)
    whole, history = trained(config, train, val)
    path = tmp_path / "c.npz"

    def stop(report):
        if report.epoch == n:
            raise Interrupt

    if n < N_EPOCHS:
        with pytest.raises(Interrupt):
            trained(config, train, val, checkpoint=path, on_epoch=stop)
    else:
        trained(config, train, val, checkpoint=path)
    model, again = trained(config, train, val, checkpoint=path)
    assert again.val_accuracy == history.val_accuracy
    same(model, whole)


def test_without_validation_the_last_is_kept_with_a_warning():
    config, train, _ = case("readout")
    with pytest.warns(ConfigWarning, match=r"^trainer\.keep: has no effect without a validation set$"):
        model, history = trained(config, train, None)
    same(model, trained(case("readout", "last")[0], train, None)[0])
    assert history.best().train_accuracy == max(history.train_accuracy)


def test_the_first_of_equally_good_epochs_is_the_best():
    history = History([EpochReport(epoch, 0.5, accuracy) for epoch, accuracy in enumerate((0.2, 0.9, 0.9, 0.1))])
    assert history.best().epoch == 1
    with pytest.raises(DataError, match="history: must hold an epoch"):
        History([]).best()


def test_a_checkpoint_with_a_best_epoch_that_was_not_trained_is_refused(tmp_path):
    config, train, val = case("readout")
    path = tmp_path / "c.npz"
    trained(config, train, val, checkpoint=path)
    with np.load(path) as file:
        members = dict(file)
    header = json.loads(str(members["header"]))
    header["best"]["n_epochs"] = 99
    np.savez(path, **members | {"header": np.array(json.dumps(header))})
    with pytest.raises(DataError, match="best: must be one of the epochs"):
        trained(config, train, val, checkpoint=path)


@pytest.mark.parametrize("keep", ["last", "best"])
def test_a_run_names_both_epochs(keep, tmp_path, capsys):
    folder = write_data(tmp_path / "data")
    trainer = {"keep": keep, "early_stopping": 2, "epochs": 20}
    config = write_settings(tmp_path / "c.json", trainer=trainer, optimizer={"ap": 0.4, "am": -0.3, "annealing": 1.0})
    assert main(["run", str(folder), str(tmp_path / "run"), str(config)]) == 0
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    best = result["best"]
    epochs = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert best == epochs[-3] == max(epochs, key=lambda epoch: epoch["val_accuracy"])
    kept = best if keep == "best" else epochs[-1]
    assert [result[f"{name}_accuracy"] for name in ("train", "val", "test")] == list(kept.values())[1:]
    assert result.get("last") == (epochs[-1] if keep == "best" else None)
    model = Readout.load(tmp_path / "run" / "model.npz")
    assert model.score(SpikingDataset.from_file(folder / "valset.npz")) == result["val_accuracy"]
    words = f"best {100 * best['val_accuracy']:.2f} % after epoch {best['epoch']}"
    assert f"stopped early, {words}{', which is kept' if keep == 'best' else ''})" in capsys.readouterr().out
    log = (tmp_path / "run" / "readout_log.txt").read_text().splitlines()
    assert f"validation accuracy has not risen, {words}" in "\n".join(log[-2:])
    assert (log[-1] == f"Kept: the network after epoch {best['epoch']}") == (keep == "best")
