"""Whatever is made of a run is made of one of a network that learns in every layer, too."""

import json

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from small_networks import SHAPE
from small_networks import interrupted
from small_networks import network_settings
from small_networks import write_images
from small_runs import contents
from tables import some

from spikenn_cy import Readout
from spikenn_cy import SpikingDataset
from spikenn_cy.cli.entry import main
from spikenn_cy.config import ExperimentConfig
from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import DataError
from spikenn_cy.errors import RunError
from spikenn_cy.experiments.single import RunJob
from spikenn_cy.experiments.single import run_single
from spikenn_cy.experiments.store import read_result
from spikenn_cy.features.pixels import Pixels
from spikenn_cy.images.predict import Question
from spikenn_cy.images.predict import predict
from spikenn_cy.layers import LAYERS

pytestmark = pytest.mark.quick

KINDS = list(LAYERS)


@pytest.fixture
def data(tmp_path):
    return write_images(tmp_path / "in")


def run(folder, data, kind, **sections):
    config = ExperimentConfig.from_any(network_settings(kind, **sections))
    return run_single(RunJob(output=folder, input=data, config=config, seed=3))


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_is_the_fit_of_the_network_and_its_result_has_what_the_data_decided(data, tmp_path, kind):
    result = run(tmp_path / "out", data, kind)
    sets = [SpikingDataset.from_file(data / f"{name}set.npz") for name in ("train", "val", "test")]
    model = Readout.from_config(network_settings(kind), sets[0].n_inputs, 3, seed=3, input_shape=SHAPE)
    history = model.fit(*sets)
    assert result["test_accuracy"] == history.test_accuracy[-1] > 0.8  # chance is 1/3
    assert result["figures"] == model.figures
    assert result["figures"]["mean_spikes"] == len(sets[0].indices) / len(sets[0])
    assert (result["figures"]["mean_patch_spikes"] > 0) == (kind == "conv")
    assert read_result(tmp_path / "out") == result
    kept = Readout.load(tmp_path / "out" / "model.npz")
    assert kept.input_shape == SHAPE
    assert kept.figures == model.figures
    for mine, other in zip(kept.layers, model.layers, strict=True):
        assert_array_equal(mine.weights, other.weights)


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_that_has_seen_no_data_has_no_figures(kind):
    assert Readout.from_config(network_settings(kind), 36, 3).figures == {}


@pytest.mark.parametrize("kind", KINDS)
def test_an_interrupted_run_goes_on_to_the_same_files(data, tmp_path, kind, monkeypatch):
    run(tmp_path / "whole", data, kind)
    with interrupted(monkeypatch, 2), pytest.raises(KeyboardInterrupt):
        run(tmp_path / "out", data, kind)
    assert (tmp_path / "out" / "checkpoint.npz").exists()
    run(tmp_path / "out", data, kind)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


@pytest.mark.parametrize("figures", [{"decision_at": "0.7"}, {"decision_at": -1}, [], {"mean_spikes": None}])
def test_figures_that_cannot_be_are_refused(data, tmp_path, figures):
    run(tmp_path / "out", data, "dense", trainer={"epochs": 1})
    path = tmp_path / "out" / "result.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"figures": figures}))
    with pytest.raises(RunError, match=r"result.json: must be the result of a run"):
        read_result(tmp_path / "out")


# Before a run begins


@pytest.mark.parametrize(
    ("shape", "sections", "message"),
    [
        ((-1,), {"trainer": {"augment": None}}, r"network\[0\].type: must stand on images"),
        ((4, 9), {"network": {"kernel_size": 7}}, r"network\[0\].kernel_size: must fit into images of 4 x 9"),
        ((-1,), {}, "trainer.augment: must be given for images alone"),
        ((6, 6), {"network": {"pool": 7}}, r"network\[0\].pool: must be at most the 6 positions"),
    ],
)
def test_a_convolution_that_does_not_fit_the_data_is_refused_before_anything_is_written(
    tmp_path, shape, sections, message
):
    data = write_images(tmp_path / "in", shape=shape)
    with pytest.raises(ConfigError, match=message):
        run(tmp_path / "out", data, "conv", **sections)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["val", "test"])
@pytest.mark.parametrize("shape", [(-1,), (4, 9)])
def test_images_of_another_shape_than_those_of_training_are_refused(data, tmp_path, name, shape):
    path = data / f"{name}set.npz"
    SpikingDataset.from_file(path).reshaped(tuple(36 if n == -1 else n for n in shape)).save(path)
    found = "(36,)" if shape == (-1,) else "(4, 9)"
    with pytest.raises(DataError) as refusal:
        run(tmp_path / "out", data, "conv")
    rule = f"must have the input_shape (6, 6) of {data / 'trainset.npz'}"
    assert str(refusal.value) == f"{path}: {rule}, got {found}"
    assert not (tmp_path / "out").exists()
    run(tmp_path / "dense", data, "dense", trainer={"epochs": 1})  # to which an input is a number


# Statistics


def counted(folder, data, kind, save_stats=True, **sections):
    """Return the arrays of the statistics of a run."""
    config = ExperimentConfig.from_any(network_settings(kind, **sections))
    run_single(RunJob(output=folder, input=data, config=config, seed=3, save_stats=save_stats))
    with np.load(folder / "stats.npz") as file:
        return dict(file)


@pytest.mark.parametrize("kind", KINDS)
def test_statistics_are_what_was_counted_sample_by_sample(data, tmp_path, kind):
    found = counted(tmp_path / "out", data, kind, trainer={"shuffle": True})
    train = SpikingDataset.from_file(data / "trainset.npz")
    model = Readout.from_config(
        network_settings(kind, trainer={"shuffle": True}), train.n_inputs, 3, seed=3, input_shape=SHAPE
    )
    epochs = []
    history = model.fit(
        train,
        on_statistics=lambda _, epoch: epochs.append((epoch, [layer.weights for layer in model.layers])),
    )
    names = ["labels", "votes", "decision_times", "learned", "n_spikes"]
    assert list(found) == [*names, "weights_0", "weights_1"]
    for name in names:
        assert_array_equal(found[name], [getattr(epoch, name) for epoch, _ in epochs])
    for k in (0, 1):
        assert_array_equal(found[f"weights_{k}"], [weights[k] for _, weights in epochs])
    assert_array_equal((found["votes"] == found["labels"]).mean(1), history.train_accuracy)
    assert 0 < found["learned"].mean() < 1
    assert_array_equal(found["n_spikes"][..., 1] == 0, found["decision_times"] == 1)
    log = (tmp_path / "out" / "readout_log.txt").read_text()
    mean = round(float(found["decision_times"][3].mean(dtype=float)), 4)
    assert f"Mean decision time on train set in epoch 3: {mean}, no output spike: " in log


def test_weights_of_wide_layers_are_not_kept(data, tmp_path, monkeypatch):
    monkeypatch.setattr("spikenn_cy.experiments.network_stats.MOST_WEIGHTS", 100)
    assert [name for name in counted(tmp_path / "out", data, "dense") if "weights" in name] == ["weights_1"]


@pytest.mark.parametrize("kind", KINDS)
def test_statistics_change_nothing_else_and_survive_an_interruption(data, tmp_path, kind, monkeypatch):
    run(tmp_path / "without", data, kind)
    with interrupted(monkeypatch, 2), pytest.raises(KeyboardInterrupt):
        counted(tmp_path / "out", data, kind)
    again = counted(tmp_path / "out", data, kind)
    whole = counted(tmp_path / "whole", data, kind)
    for name, array in whole.items():
        assert_array_equal(again[name], array)
    one, other = contents(tmp_path / "out"), contents(tmp_path / "without")
    assert one.keys() - other.keys() == {"stats.npz"}
    for name in ("model.npz", "metrics.jsonl", "result.json"):
        assert one[name] == other[name]


# Many runs


def command(capsys, *words):
    status = main([str(word) for word in words])
    return status, *capsys.readouterr()


def written(path, settings):
    path.write_text(json.dumps(settings))
    return path


@pytest.mark.parametrize("kind", some(KINDS, 1))
def test_folds_of_a_cross_validation_are_runs(tmp_path, capsys, kind):
    for fold in range(2):
        write_images(tmp_path / "in" / str(fold), seed=fold)
    config = written(tmp_path / "config.json", network_settings(kind, trainer={"epochs": 2}))
    words = ["kfold", tmp_path / "in", tmp_path / "out", config, "--K", 2, "--n_proc", 1]
    assert command(capsys, *words)[0] == 0
    single = ["run", tmp_path / "in" / "1", tmp_path / "one", config, "--seed", 1]
    assert command(capsys, *single)[0] == 0
    assert contents(tmp_path / "one") == contents(tmp_path / "out" / "1")
    status, table, err = command(capsys, "score", tmp_path / "out")
    assert (status, err) == (0, "")
    assert "test" in table


def test_a_grid_varies_settings_of_each_layer_and_refuses_the_points_that_do_not_fit(data, tmp_path, capsys):
    grid = network_settings("conv", network={"kernel_size": [3, 9], "dropout": [0.0, 0.5]}, trainer={"epochs": 1})
    grid["network"].insert(1, {"n_neurons": [5, 8]})
    grid["trainer"]["augment"]["shift"] = [0, 1]
    path = written(tmp_path / "grid.json", grid)
    status, _, err = command(capsys, "gridsearch", data, tmp_path / "out", path, "--n_proc", 1)
    assert status != 0
    refused = err.count("network[0].kernel_size: must fit into images of 6 x 6")
    assert refused == 8  # with kernel_size 9
    status, table, err = command(capsys, "best", tmp_path / "out", "--json")
    assert (status, err) == (0, "")
    record = json.loads(table)
    runs = record["best"]
    assert len(runs) == 8
    varied = {"network[0].kernel_size", "network[0].dropout", "network[1].n_neurons", "trainer.augment.shift"}
    assert set(runs[0]["settings"]) == varied


def test_a_setting_that_is_left_to_the_data_is_seen_in_the_table_of_a_grid(data, tmp_path, capsys):
    grid = network_settings("dense", optimizer={"decision_at": [None, 0.5]}, trainer={"epochs": 1})
    path = written(tmp_path / "grid.json", grid)
    assert command(capsys, "gridsearch", data, tmp_path / "out", path, "--n_proc", 1)[0] == 0
    _, table, _ = command(capsys, "best", tmp_path / "out")
    assert sorted(line.split()[-1] for line in table.splitlines()[1:3]) == ["0.5", "null"]


def test_an_ablation_varies_the_output_neurons_of_a_network(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("spikenn_cy.experiments.ablation.NEURONS_EPOCHS", 1)
    write_images(tmp_path / "in" / "0")
    config = written(tmp_path / "config.json", network_settings("dense"))
    words = ["ablation", "neurons", tmp_path / "in", tmp_path / "out", config, "--neurons", 3, 6, "--K", 1]
    words += ["--n_proc", 1]
    assert command(capsys, *words)[0] == 0
    sizes = [
        [layer.n_neurons for layer in Readout.load(tmp_path / "out" / f"neurons={n}" / "0" / "model.npz").layers]
        for n in (3, 6)
    ]
    assert sizes == [[20, 3], [20, 6]]


def test_an_ablation_of_thresholds_says_that_networks_have_no_regulation(tmp_path, capsys):
    write_images(tmp_path / "in" / "0")
    config = written(tmp_path / "config.json", network_settings("dense"))
    status, _, err = command(capsys, "ablation", "thresholds", tmp_path / "in", tmp_path / "out", config, "--K", 1)
    rule = "must be there to be varied, and no rule that trains every layer takes one"
    assert (status, err) == (2, f"error: {config}: regularizer: {rule}, got None\n")
    assert not (tmp_path / "out").exists()


def test_images_are_classified_by_an_extractor_and_a_network_that_needs_images(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (30, 6, 6)).astype(np.uint8)
    labels = np.arange(30) % 3
    extractor = Pixels.from_config().fit(images)
    extractor.save(tmp_path / "pixels.npz")
    train = extractor.transform(images, labels)
    model = Readout.from_config(network_settings("conv"), train.n_inputs, 3)
    model.fit(train, epochs=2)
    model.save(tmp_path / "model.npz")
    np.save(tmp_path / "images.npy", images)
    question = Question(tmp_path / "images.npy", tmp_path / "model.npz", extractor=tmp_path / "pixels.npz")
    assert_array_equal(predict(question).classes, model.predict(train))
