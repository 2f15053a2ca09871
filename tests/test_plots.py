"""Pictures show what the records say, name what they measure, and leave nothing behind but themselves."""

import functools
import itertools
import json
import pickle
import re
import shutil
import subprocess
import sys
import types

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from small_networks import network_settings
from small_networks import write_images
from small_runs import PATIENCE
from small_runs import ROOT
from small_runs import contents
from small_runs import settings
from small_runs import write_data

from spikenn_cy import plots
from spikenn_cy.cli.entry import main
from spikenn_cy.config import ExperimentConfig
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.errors import DataError
from spikenn_cy.errors import DataWarning
from spikenn_cy.errors import RunError
from spikenn_cy.errors import SpikennError
from spikenn_cy.experiments import ablation
from spikenn_cy.experiments import folds as kfolds
from spikenn_cy.experiments import grids
from spikenn_cy.experiments.batch import run_batch
from spikenn_cy.experiments.single import RunJob
from spikenn_cy.experiments.single import run_single
from spikenn_cy.layers import LAYERS
from spikenn_cy.network.history import EpochReport
from spikenn_cy.network.history import History
from spikenn_cy.network.readout import Readout
from spikenn_cy.plots.canvas import label_text
from spikenn_cy.plots.canvas import thinned
from spikenn_cy.plots.decisions import drawn as drawn_confusions
from spikenn_cy.utils.extras import wanted

pytestmark = pytest.mark.full

N_INPUTS, N_CLASSES, PER_CLASS, N_EPOCHS = 16, 3, 2, 6
SETS = ("train_accuracy", "val_accuracy", "test_accuracy")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Return a folder with data in ``in`` and ``images``, a run of each kind, and a batch of each kind."""
    home = tmp_path_factory.mktemp("plots")
    config = ExperimentConfig.from_any(settings())
    write_data(home / "in", n_inputs=N_INPUTS)
    run_single(RunJob(output=home / "run", input=home / "in", config=config, save_stats=True))
    write_images(home / "images")
    for kind in LAYERS:
        network = ExperimentConfig.from_any(network_settings(kind))
        run_single(RunJob(output=home / kind, input=home / "images", config=network, save_stats=True))
    for fold in range(3):
        write_data(home / "folds" / str(fold), n_inputs=N_INPUTS)
    run_batch(kfolds.jobs(home / "folds", home / "kfold", config, 3))
    varied = settings(optimizer={"ap": [0.1, 0.001], "t_gap": [0.05, 0.2, 0.1]})
    run_batch(grids.jobs(home / "in", home / "grid", varied))
    run_batch(ablation.jobs("thresholds", home / "folds", home / "ablation", settings(), [1, 0.1], [1, 0.5], K=2))
    return home


@pytest.fixture
def run(home, tmp_path):
    """Return a copy of the run that a test may change."""
    return shutil.copytree(home / "run", tmp_path / "run")


def records(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def stats(folder):
    with np.load(folder / "stats.npz") as file:
        return dict(file)


def data_of(home, folder):
    return home / ("images" if folder in LAYERS else "in")


def drawn(folder, input=None, **chosen):
    return dict(plots.pictures(folder, input, **chosen))


@pytest.fixture(scope="module")
def looked_at(home):
    """Return a function that gives all pictures of a folder, laid out, which no test may change."""

    @functools.cache
    def pictures(folder):
        found = drawn(home / folder, data_of(home, folder))
        for figure in found.values():
            figure.draw_without_rendering()
        return found

    return pictures


def shown_boxes(axis):
    """Return the places of the names beside an axis that are in view."""
    low, high = sorted(axis.get_view_interval())
    ticks = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
    labels = [label for tick in ticks for label in (tick.label1, tick.label2)]
    return [label.get_window_extent() for label in labels if label.get_visible() and label.get_text()]


def texts(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


# What every picture owes to its reader


@pytest.mark.parametrize("folder", ["run", "dense", "conv", "kfold", "grid", "ablation"])
def test_every_axis_of_every_picture_is_labelled_and_every_picture_has_an_alternative_text(home, looked_at, folder):
    found = looked_at(folder)
    assert set(found) == set(plots.PICTURES[plots.Source(home / folder).kind])
    for name, figure in found.items():
        assert len(plots.alt_text(figure)) > 40
        assert plots.told_by(figure) == plots.alt_text(figure)  # its name in 0.1.0
        first = figure.axes[0].get_subplotspec()
        for axes in figure.axes:
            if axes.get_label() == "<colorbar>":
                assert axes.get_xlabel() or axes.get_ylabel(), name
                continue
            shared_y = name in ("neurons", "grid") and axes.get_subplotspec().colspan.start > first.colspan.start
            shared_y = shared_y or (name == "accuracy" and folder == "kfold" and axes is not figure.axes[0])
            shared_x = name in ("competition", "raster") and not axes.get_subplotspec().is_last_row()
            assert axes.get_ylabel() or shared_y, name
            assert axes.get_xlabel() or shared_x, name


@pytest.mark.parametrize("folder", ["run", "dense", "conv", "kfold", "grid"])
def test_names_beside_an_axis_do_not_touch(looked_at, folder):
    for name, figure in looked_at(folder).items():
        for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
            for one, other in itertools.pairwise(shown_boxes(axis)):
                assert not one.overlaps(other), (name, texts(axis))


@pytest.mark.parametrize(("n_classes", "per_class"), [(10, 50), (100, 5), (2, 1), (1, 3)])
def test_names_do_not_touch_with_many_classes_and_neurons(n_classes, per_class):
    names = np.array([f"class number {number}" for number in range(n_classes)])
    config = settings(network={"n_neurons": n_classes * per_class}, trainer={"dropout_out": 0})
    model = Readout.from_config(config, n_inputs=N_INPUTS, n_classes=n_classes)
    times = np.random.default_rng(0).random((n_classes, N_INPUTS))
    dataset = SpikingDataset.from_numpy(times, names)
    model.partial_fit(dataset)
    for figure in (
        plots.weights(model),
        plots.raster(model, dataset),
        plots.confusion(model, dataset),
    ):
        figure.draw_without_rendering()
        inside = figure.get_window_extent()
        for axes in figure.axes:
            title = axes.title.get_window_extent()
            assert inside.x0 <= title.x0
            assert title.x1 <= inside.x1
            for axis in (axes.xaxis, axes.yaxis):
                boxes = shown_boxes(axis)
                assert all(inside.x0 <= box.x0 and inside.y0 <= box.y0 for box in boxes)
                for one, other in itertools.pairwise(boxes):
                    assert not one.overlaps(other), texts(axis)


# What each picture shows


@pytest.mark.parametrize("form", ["folder", "history"])
def test_accuracy_curves_are_the_records(home, form):
    given = home / "run"
    if form == "history":
        data = [SpikingDataset.from_file(home / "in" / f"{name}set.npz") for name in ("train", "val", "test")]
        model = Readout.from_config(settings(), n_inputs=N_INPUTS, n_classes=N_CLASSES)
        given = model.fit(*data)
    whole, later = plots.accuracy(given).axes
    for axes, first in ((whole, 0), (later, N_EPOCHS // 2)):
        for line, key in zip(axes.lines, SETS, strict=True):
            assert list(line.get_xdata()) == list(range(first, N_EPOCHS))
            expected = [100 * record[key] for record in records(home / "run")[first:]]
            np.testing.assert_allclose(line.get_ydata(), expected)


def test_a_set_that_was_not_measured_has_no_curve(run):
    lines = [json.dumps(record | {"val_accuracy": None}) for record in records(run)]
    (run / "metrics.jsonl").write_text("".join(f"{line}\n" for line in lines))
    assert len(plots.accuracy(run).axes[0].lines) == 2


def test_a_run_under_way_is_drawn_up_to_its_last_whole_record(run):
    whole = (run / "metrics.jsonl").read_text()
    (run / "metrics.jsonl").write_text(whole[:-20])
    assert len(plots.accuracy(run).axes[0].lines[0].get_xdata()) == N_EPOCHS - 1


def test_curves_of_folds_have_the_mean_and_deviation_of_the_score(home):
    figure = plots.folds(home / "kfold")
    record = kfolds.summarise(home / "kfold").record
    for axes, key in zip(figure.axes, SETS, strict=True):
        *of_folds, mean = axes.lines[:4]
        for fold, line in enumerate(of_folds):
            expected = [100 * record[key] for record in records(home / "kfold" / str(fold))]
            np.testing.assert_allclose(line.get_ydata(), expected)
        assert mean.get_ydata()[-1] == pytest.approx(100 * record[key]["mean"])
        band = axes.collections[0].get_paths()[0].vertices
        at_last = band[band[:, 0] == N_EPOCHS - 1, 1]
        assert np.ptp(at_last) == pytest.approx(200 * record[key]["std"])


def test_folds_that_stopped_early_do_not_enter_afterwards(home, tmp_path):
    output = shutil.copytree(home / "kfold", tmp_path / "kfold")
    short = (output / "0" / "metrics.jsonl").read_text().splitlines(keepends=True)[:2]
    (output / "0" / "metrics.jsonl").write_text("".join(short))
    mean = plots.folds(output).axes[0].lines[3].get_ydata()
    accuracies = [[record["train_accuracy"] for record in records(output / str(fold))] for fold in range(3)]
    assert len(mean) == N_EPOCHS
    assert mean[1] == pytest.approx(100 * np.mean([run[1] for run in accuracies]))
    assert mean[2] == pytest.approx(100 * np.mean([run[2] for run in accuracies[1:]]))


@pytest.mark.parametrize("label", [0, 2])
def test_competition_shows_thresholds_and_updates_of_each_neuron_of_the_class(home, label):
    above, below = plots.competition(home / "run", label).axes
    found = stats(home / "run")
    for neuron in range(PER_CLASS):
        expected = [
            thresholds[np.flatnonzero(labels == label)[-1], neuron]
            for labels, thresholds in zip(found["labels"], found["training_thresholds"], strict=True)
        ]
        np.testing.assert_array_equal(above.lines[neuron].get_ydata(), expected)
        np.testing.assert_array_equal(
            below.lines[neuron].get_ydata(), found["target_updates"][:, label * PER_CLASS + neuron]
        )


def test_competition_between_many_neurons_names_those_that_learn_most_and_shows_the_non_target_ones(home, tmp_path):
    config = ExperimentConfig.from_any(settings(network={"n_neurons": 60}, trainer={"nt_neurons": 1, "epochs": 1}))
    run_single(RunJob(output=tmp_path / "run", input=home / "in", config=config, save_stats=True))
    figure = plots.competition(tmp_path / "run")
    above, below = figure.axes
    assert len(above.lines) == 20
    total = stats(tmp_path / "run")["target_updates"][0, :20]
    first = np.sort(total)[-1]
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert {"0: non-target", "13 others"} < {*names}
    assert len(names) == 8
    assert f"{total.argmax()}: {100 * first / total.sum():.0f} %" in names
    for axes in (above, below):
        low = axes.get_ylim()[0]
        assert low < axes.lines[0].get_ydata().min()
        assert axes.lines[0].get_zorder() == max(line.get_zorder() for line in axes.lines)


def test_all_neurons_are_shown_with_the_thresholds_that_training_left(home):
    left, right = (axes.images[0].get_array() for axes in plots.neurons(home / "run").axes if axes.images)
    assert left.shape == right.shape == (N_CLASSES * PER_CLASS, N_EPOCHS)
    np.testing.assert_array_equal(left[:, -1], Readout.load(home / "run" / "model.npz").training_thresholds)
    np.testing.assert_array_equal(right.T, stats(home / "run")["target_updates"])


@pytest.mark.parametrize(("n_classes", "per_class"), [(3, 2), (10, 30), (100, 3), (1, 7)])
def test_each_neurons_weights_stand_at_its_place(n_classes, per_class):
    config = settings(network={"n_neurons": n_classes * per_class})
    model = Readout.from_config(config, n_inputs=12, n_classes=n_classes)
    axes = plots.weights(model, shape=(3, 4)).axes[0]
    image = np.ma.filled(axes.images[0].get_array(), np.nan)
    blocks = [
        image[top : top + 3, left : left + 4]
        for top in range(0, image.shape[0], 4)
        for left in range(0, image.shape[1], 5)
    ]
    there = [block.ravel() for block in blocks if np.isfinite(block).all()]
    np.testing.assert_array_equal(there, model.layers[0].weights)
    if n_classes == 10:  # each class begins a row of its own
        starts = axes.get_yticks() - 1
        for label, top in enumerate(starts.astype(int)):
            np.testing.assert_array_equal(image[top : top + 3, :4].ravel(), model.layers[0].weights[label * per_class])


def test_inputs_that_form_no_image_are_refused(home):
    model = Readout.from_config(settings(), n_inputs=12, n_classes=3)
    with pytest.raises(DataError, match=r"inputs: must form an image: .*, got 12"):
        plots.weights(model)
    for shape in [(3, 5), (-3, -4), (12,), "wide", 12]:
        with pytest.raises(DataError, match="shape: must be height and width"):
            plots.weights(model, shape=shape)


def test_a_confusion_matrix_counts_every_sample_once(home):
    model = Readout.load(home / "run" / "model.npz")
    test = SpikingDataset.from_file(home / "in" / "testset.npz")
    labels, predictions = test.labels, model.decide(test)
    axes = plots.confusion(model, test, n_threads=2).axes[0]
    shown = {
        (round(text.get_position()[1]), round(text.get_position()[0])): int(text.get_text()) for text in axes.texts
    }
    counts = {
        (true, other): int(np.count_nonzero((labels == true) & (predictions == other)))
        for true in range(model.n_classes)
        for other in range(model.n_classes)
    }
    assert shown == {place: count for place, count in counts.items() if count}
    shares = axes.images[0].get_array()
    np.testing.assert_allclose(shares.sum(1), 100)
    assert shares[1, 2] == pytest.approx(100 * counts[1, 2] / np.count_nonzero(labels == 1))


def test_a_confusion_matrix_has_the_names_of_classes_that_are_numbers(home):
    model, data = Readout.load(home / "run" / "model.npz"), SpikingDataset.from_file(home / "in" / "testset.npz")
    names = ["apple", "pear", "plum", "quince"]
    axes = plots.confusion(model, data, class_names=names).axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == names[: model.n_classes]
    with pytest.raises(DataError, match=r"^class_names: must name every class, got \['apple'\]$"):
        plots.confusion(model, data, class_names=names[:1])


def test_a_confusion_matrix_is_of_a_network_and_labelled_samples_that_suit_it(home):
    model = Readout.load(home / "run" / "model.npz")
    test = SpikingDataset.from_file(home / "in" / "testset.npz")
    with pytest.raises(DataError, match=r"^model: must be a Readout, whose classes name .*, got (ndarray|memmap)$"):
        plots.confusion(test.labels, model.predict(test))
    with pytest.raises(DataError, match=r"^dataset: must have labels"):
        plots.confusion(model, SpikingDataset.from_numpy(test.to_dense()))
    with pytest.raises(DataError, match="must hold at least one sample"):
        plots.confusion(model, test[:0])


def test_a_raster_marks_the_neuron_that_decides(home):
    model = Readout.load(home / "run" / "model.npz")
    test = SpikingDataset.from_file(home / "in" / "testset.npz")
    predicted = model.decide(test)
    times, _ = model.first_spikes(test)
    for sample in range(0, len(test), 3):
        above, below = plots.raster(model, test, sample).axes
        indices, timestamps, label = test[sample]
        np.testing.assert_allclose(above.collections[0].get_offsets(), np.column_stack([timestamps, indices]))
        own, other, decision = (collection.get_offsets() for collection in below.collections[:3])
        ((moment, neuron),) = decision
        assert neuron // PER_CLASS == predicted[sample]
        assert moment == times[sample].min()
        shown = {int(neuron): time for time, neuron in np.concatenate([own, other])}
        assert shown == {neuron: time for neuron, time in enumerate(times[sample]) if time < 1}
        assert all(neuron // PER_CLASS == label for _, neuron in own)


def test_a_raster_of_silence_shows_by_what_it_was_decided():
    model = Readout.from_config(settings(network={"firing_threshold": 1e6}), n_inputs=4, n_classes=3)
    dataset = SpikingDataset.from_numpy(np.array([[1.0, 1.0, 1.0, 0.5]]), [0])
    above, below = plots.raster(model, dataset).axes
    assert "silent until the end" in above.get_title()
    assert len(below.collections[0].get_offsets()) == len(below.collections[1].get_offsets()) == 0
    assert below.collections[2].get_offsets()[0][1] // 2 == model.predict(dataset)[0]


@pytest.mark.parametrize("kind", ["run", *LAYERS])
def test_decision_times_count_every_sample_once_right_or_wrong(home, kind):
    model = Readout.load(home / kind / "model.npz")
    test = SpikingDataset.from_file(data_of(home, kind) / "testset.npz")
    times = model.first_spikes(test)[0].min(1)
    right = model.decide(test) == test.labels
    left, classes = plots.decision_times(model, test).axes
    bars = [patch.get_data() for patch in left.patches]
    n_right, n_wrong = (sum(bar.values.sum() - np.sum(bar.baseline) for bar in bars[k::2]) for k in (0, 1))
    assert (n_right, n_wrong) == (right.sum(), (~right).sum())
    assert bars[2].values[0] == (right & (times == 1)).sum()
    assert left.lines[0].get_xdata()[0] == pytest.approx(times.mean())
    assert len(left.lines) == (1 if kind == "run" else 2)
    for number in range(N_CLASSES):
        expected = np.percentile(times[test.labels == number], [10, 50, 90])
        whole, middle = classes.lines[2 * number : 2 * number + 2]
        np.testing.assert_allclose([*whole.get_xdata(), *middle.get_xdata()], expected[[0, 2, 1]], rtol=1e-6)


@pytest.mark.parametrize("kind", ["run", *LAYERS])
def test_accuracy_over_time_is_of_answers_at_each_time(home, kind):
    model = Readout.load(home / kind / "model.npz")
    test = SpikingDataset.from_file(data_of(home, kind) / "testset.npz")
    moments = [0.25, 0.5, 1.0]
    figure = plots.accuracy_over_time(model, test, moments)
    right, decided, _, _ = figure.axes[0].lines
    expected = [np.mean(model.decide(test, until=time) == test.labels) for time in moments]
    np.testing.assert_allclose(right.get_ydata(), 100 * np.array(expected))
    first = model.first_spikes(test)[0].min(1)
    np.testing.assert_allclose(decided.get_ydata(), [100 * ((first <= t) & (first < 1)).mean() for t in moments])
    assert f"{100 * expected[-1]:.2f} % at the end" in plots.alt_text(figure)
    with pytest.raises(DataError, match="must have labels"):
        plots.accuracy_over_time(model, SpikingDataset.from_numpy(test.to_dense().reshape(-1, *test.input_shape)))


@pytest.mark.parametrize("kind", LAYERS)
def test_a_raster_shows_the_spikes_of_every_hidden_layer(home, kind):
    model = Readout.load(home / kind / "model.npz")
    test = SpikingDataset.from_file(home / "images" / "testset.npz")
    figure = plots.raster(model, test, 4)
    times = model.first_spikes(test[4:5], layer=0)[0][0]
    units = np.flatnonzero(times < 1)
    assert [axes.get_ylabel() for axes in figure.axes[-2:]] == ["output neuron, by class (1 each)", "row"]
    assert len(figure.axes) == 4
    np.testing.assert_allclose(figure.axes[1].collections[0].get_offsets(), np.column_stack([times[units], units]))
    moment = model.first_spikes(test[4:5])[0].min()
    n_before = np.count_nonzero((times <= moment) & (times < 1))
    assert f"{n_before} of {len(times)} neurons of layer 0 by the decision" in plots.alt_text(figure)


@pytest.mark.parametrize("kind", LAYERS)
def test_layers_are_shown_with_the_spikes_that_were_counted(home, kind):
    found = stats(home / kind)
    left, right = plots.layers(home / kind).axes
    size = Readout.load(home / kind / "model.npz").layers[0].n_neurons
    np.testing.assert_allclose(left.lines[0].get_ydata(), 100 * found["n_spikes"][..., 0].mean(1) / size)
    np.testing.assert_allclose(right.lines[0].get_ydata(), 100 * found["learned"].mean(1))
    np.testing.assert_allclose(right.lines[1].get_ydata(), 100 * (found["decision_times"] == 1).mean(1))
    np.savez(home / kind / "stats.npz", **(found | {"n_spikes": found["n_spikes"][..., :1]}))
    try:
        with pytest.raises(RunError, match=r"stats.npz: must be of this network's 2 layers, got other statistics"):
            plots.layers(home / kind)
    finally:
        np.savez(home / kind / "stats.npz", **found)


def test_a_network_of_one_layer_has_no_panel_for_hidden_ones(home, tmp_path):
    config = {"network": [{"n_neurons": 3}], "optimizer": {"method": "decision_time"}, "trainer": {"epochs": 2}}
    run_single(RunJob(tmp_path / "run", home / "images", ExperimentConfig.from_any(config), save_stats=True))
    (axes,) = plots.layers(tmp_path / "run").axes
    assert axes.get_ylabel() == "training samples (%)"
    source = plots.Source(tmp_path / "run", home / "images")
    assert len(plots.raster(source.model, source.test).axes) == 3  # and the image


def test_a_network_that_was_not_trained_has_no_weights_to_show(home, tmp_path):
    for kind in LAYERS:
        config = ExperimentConfig.from_any(network_settings(kind, trainer={"epochs": 0}))
        run_single(RunJob(tmp_path / kind, home / "images", config, save_stats=True))
        found = drawn(tmp_path / kind, home / "images")
        assert found["accuracy"] == "no epochs: metrics.jsonl is empty"
        assert found["layers"] == "no stats.npz: run with --save_stats"
        for name in ("confusion", "weights", "decision_times", "accuracy_over_time", "raster"):
            assert found[name] == "no weights: nothing has been trained"


def test_pictures_of_what_a_network_does_not_have_are_refused_in_one_line(home):
    for draw in (plots.competition, plots.neurons):
        with pytest.raises(plots.NotRecorded, match="no competition: where every layer learns, all neurons of a class"):
            draw(home / "dense")
    with pytest.raises(plots.NotRecorded, match="no hidden layer that learns: the last layer alone does"):
        plots.layers(home / "run")


@pytest.mark.parametrize(("n_channels", "shown"), [(1, (6, 6)), (2, (6, 6)), (3, (6, 20)), (6, (6, 6, 3))])
@pytest.mark.parametrize("kind", LAYERS)
def test_weights_of_a_first_layer_are_images_of_any_number_of_channels(kind, n_channels, shown):
    network = network_settings(kind, network={"kernel_size": 6} if kind == "conv" else {})
    shape = (6, 6, n_channels)
    model = Readout.from_config(network, 36 * n_channels, 3, input_shape=shape)
    layer = model.layers[0]
    layer.weights = np.random.default_rng(0).normal(0, 1, layer.weights_shape)
    image = np.ma.filled(plots.weights(model).axes[0].images[0].get_array().astype(float), np.nan)
    first = image[: shown[0], : shown[1]]
    assert first.shape == shown
    weights = layer.weights[0].reshape(shape)
    if n_channels == 1:
        np.testing.assert_array_equal(first, weights[..., 0])
    if n_channels == 2:
        np.testing.assert_array_equal(first, weights[..., 0] - weights[..., 1])
    if n_channels == 3:
        np.testing.assert_array_equal(first[:, 7:13], weights[..., 1])


def test_features_of_many_maps_form_no_image(home, tmp_path):
    model = Readout.from_config(network_settings("dense"), 128, 3, input_shape=(2, 2, 32))
    with pytest.raises(DataError, match=r"inputs: must form an image: .*, got \(2, 2, 32\)"):
        plots.weights(model)


def test_a_raster_shows_output_spikes_in_times_of_their_own_where_they_are_close():
    model = Readout.from_config(settings(network={"firing_threshold": 0.5}), n_inputs=4, n_classes=3)
    model.layers[0].weights = np.tile([0.0, 1.0, 1.0, 1.0], (6, 1)) * np.linspace(0.3, 0.6, 6)[:, None]
    dataset = SpikingDataset.from_numpy(np.array([[0.01, 0.8, 0.81, 0.82]]), [0])
    above, below = plots.raster(model, dataset).axes
    (_decided,), (last, *_) = above.get_xlim()[:1], np.sort(model.first_spikes(dataset)[0][0])[::-1]
    assert above.get_xlim()[0] < 0.01 < 0.82 < above.get_xlim()[1]
    assert 0.79 < below.get_xlim()[0] < 0.8 < last < below.get_xlim()[1] < 0.83


def test_a_raster_shows_the_image_that_the_inputs_of_the_sample_form(home):
    model = Readout.load(home / "dense" / "model.npz")
    test = SpikingDataset.from_file(home / "images" / "testset.npz")
    image = plots.raster(model, test, 3).axes[-1].images[0].get_array()
    np.testing.assert_array_equal(image, test[3:4].to_dense().reshape(6, 6))


@pytest.mark.parametrize(
    "draw",
    [
        lambda model, test, ax: plots.accuracy(History([EpochReport(0, 0.5), EpochReport(1, 0.7)]), ax=ax),
        lambda model, test, ax: plots.confusion(model, test, ax=ax),
        lambda model, test, ax: plots.weights(model, ax=ax),
        lambda model, test, ax: plots.filters(np.ones((3, 3, 2, 4)), ax=ax),
    ],
    ids=["accuracy", "confusion", "weights", "filters"],
)
def test_a_picture_of_one_panel_is_drawn_beside_another_where_its_caller_says(home, draw):
    from matplotlib.figure import Figure

    model, test = Readout.load(home / "run" / "model.npz"), SpikingDataset.from_file(home / "in" / "testset.npz")
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert draw(model, test, left) is draw(model, test, right) is figure
    for axes in (left, right):
        assert axes.get_xlabel()
        assert axes.get_ylabel()
    assert len(plots.alt_text(figure)) > 80  # of both
    with pytest.raises(
        RunError, match=r"ax: must be axes of matplotlib, such as Figure\.add_subplot returns, got Figure"
    ):
        draw(model, test, figure)


def test_a_figure_shows_itself_in_a_notebook_in_its_size_and_with_words(home):
    figure = plots.accuracy(home / "run")
    content, told = figure._repr_png_()
    assert content.startswith(b"\x89PNG")
    assert (told["width"], told["height"]) == (800, 420)
    assert int.from_bytes(content[16:20], "big") == 1600  # two dots for each, for sharp screens
    assert told["alt"] == plots.alt_text(figure)
    assert type(pickle.loads(pickle.dumps(figure))) is type(figure)


WRONG = [None, 3, "nowhere", b"run", [1], np.zeros((2, 3)), History([])]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: type(wrong).__name__)
@pytest.mark.parametrize(
    "draw",
    [
        plots.accuracy,
        plots.compare,
        plots.competition,
        plots.feature_activity,
        plots.filters,
        plots.folds,
        plots.grid,
        plots.layers,
        plots.neurons,
        plots.rendered,
        plots.samples,
        plots.weights,
        lambda wrong: list(plots.pictures(wrong)),
        lambda wrong: plots.raster(wrong, wrong),
        lambda wrong: plots.confusion(wrong, wrong),
        lambda wrong: plots.decision_times(wrong, wrong),
        lambda wrong: plots.write_figure(wrong, "x.png"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_line(draw, wrong):
    with pytest.raises(SpikennError) as refused:
        draw(wrong)
    assert re.match(r"[^\n]+: [^\n]+\Z", str(refused.value))


def test_a_classifier_and_arrays_are_refused_with_what_to_give_instead(home):
    model = Readout.load(home / "run" / "model.npz")
    classifier = types.SimpleNamespace(readout_=model)
    with pytest.raises(DataError, match=r"^model: must be a Readout, got SimpleNamespace \(its readout_ is one\)$"):
        plots.weights(classifier)
    hint = r"\(SpikingDataset.from_numpy makes one of spike times\)$"
    for draw in (plots.raster, plots.confusion, plots.decision_times):
        with pytest.raises(DataError, match=r"^dataset: must be a SpikingDataset, got ndarray " + hint):
            draw(model, np.zeros((3, N_INPUTS)))


def test_class_and_sample_of_pictures_are_chosen_by_the_command(home, tmp_path, capsys):
    words = ["plot", str(home / "run"), "--input", str(home / "in"), "--out", str(tmp_path)]
    assert main([*words, "--label", "2", "--sample", "7"]) == 0
    chosen = drawn(home / "run", home / "in", label="2", sample=7)
    assert chosen["competition"].axes[0].get_title() == "neurons of class 2"
    assert chosen["raster"].axes[0].get_title().startswith("sample 7: ")
    for name in ("competition", "raster"):
        assert (tmp_path / f"{name}.png").read_bytes() == plots.rendered(chosen[name])
    capsys.readouterr()
    for options, line in (
        (["--label", "x"], "error: label: must be a class of the run, such as 0, got x\n"),
        (["--sample", "30"], "error: sample: must be from 0 to 29, got 30\n"),
    ):
        assert main([*words, *options]) == 2
        assert capsys.readouterr().err == line
    assert main(["plot", str(home / "kfold"), "--label", "1", "--out", str(tmp_path)]) == 2
    assert "label: must be given for competition, of which" in capsys.readouterr().err


@pytest.mark.parametrize("sample", [-1, 30, 1.0, True, "0"])
def test_a_sample_that_is_not_there_is_refused(home, sample):
    model = Readout.load(home / "run" / "model.npz")
    with pytest.raises(DataError, match="sample: must be from 0 to 29"):
        plots.raster(model, SpikingDataset.from_file(home / "in" / "testset.npz"), sample)


@pytest.mark.parametrize(
    ("folder", "command", "by"),
    [("grid", "gridsearch", "val_accuracy"), ("ablation", "ablation", "test_accuracy")],
)
def test_a_grid_shows_every_run_at_the_value_of_each_setting(home, folder, command, by):
    from spikenn_cy.experiments.batch import run_states

    states = run_states(home / folder, command)
    figure = plots.grid(home / folder)
    assert [axes.get_xlabel() for axes in figure.axes] == list(states[0].varied)
    for axes in figure.axes:
        path = axes.get_xlabel()
        values = sorted({state.varied[path] for state in states})
        assert texts(axes.xaxis) == [json.dumps(value) for value in values]
        accuracies = {value: [] for value in values}
        for state in states:
            accuracies[state.varied[path]].append(100 * state.result[by])
        dots = axes.collections[-1].get_offsets()
        for place, value in enumerate(values):
            here = dots[np.abs(dots[:, 0] - place) < 0.15, 1]  # few runs stay close to their value
            np.testing.assert_allclose(sorted(here), sorted(accuracies[value]))
        means = [np.mean(accuracies[value]) for value in values]
        if command == "gridsearch":
            best, mean = axes.lines
            np.testing.assert_allclose(best.get_ydata(), [max(accuracies[value]) for value in values])
            np.testing.assert_allclose(mean.get_ydata(), means)
        else:
            np.testing.assert_allclose(axes.lines[0].get_ydata(orig=False), means)
            bars = [np.ptp(segment[:, 1]) for segment in axes.collections[0].get_segments()]
            np.testing.assert_allclose(bars, [2 * np.std(accuracies[value]) for value in values])
            assert axes.collections[-1].get_zorder() > axes.lines[0].get_zorder()  # dots are not hidden


def test_runs_that_were_given_up_do_not_enter_the_means_of_a_grid(home, tmp_path):
    output = shutil.copytree(home / "grid", tmp_path / "grid")
    path = next(output.glob("*/result.json"))
    path.write_text(json.dumps(json.loads(path.read_text()) | {"stopped": "gridsearch_stop_acc", "val_accuracy": 0.0}))
    axes = plots.grid(output).axes[0]
    runs, given_up = (collection.get_offsets() for collection in axes.collections[:2])
    assert (len(runs), len(given_up)) == (5, 1)
    assert min(axes.lines[1].get_ydata()) >= runs[:, 1].min()


# Files


def test_the_same_picture_gives_the_same_bytes(home):
    for form, magic in (("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")):
        first, second = (plots.rendered(plots.accuracy(home / "run"), form) for _ in range(2))
        assert first == second
        assert first.startswith(magic)


def test_a_picture_of_100_dots_an_inch_is_800_pixels_wide(looked_at):
    for figure in looked_at("run").values():
        content = plots.rendered(figure, "png", 100)
        assert int.from_bytes(content[16:20], "big") == 800
    assert {figure.get_figwidth() for name in LAYERS for figure in looked_at(name).values()} == {8}


def test_a_picture_that_cannot_be_written_leaves_what_was_there(home, tmp_path, monkeypatch):
    figure = plots.accuracy(home / "run")
    (tmp_path / "a.png").write_bytes(b"before")
    monkeypatch.setattr(type(figure), "savefig", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        plots.write_figure(figure, tmp_path / "a.png")
    assert contents(tmp_path) == {"a.png": b"before"}


@pytest.mark.parametrize(
    ("name", "dpi", "finding"),
    [
        ("a.gif", 100, "must end with .png, .svg, .pdf, got 'gif'"),
        ("a", 100, "must end with"),
        ("none/a.png", 100, "must be writable"),
        ("a.png", 0, "dpi: must be a number from 20 to 1000, got 0"),
        ("a.png", float("nan"), "dpi: must be a number"),
        ("a.png", True, "dpi: must be a number"),
    ],
)
def test_a_file_that_cannot_be_is_refused(home, tmp_path, name, dpi, finding):
    with pytest.raises(RunError, match=finding):
        plots.write_figure(plots.accuracy(home / "run"), tmp_path / name, dpi)
    assert contents(tmp_path) == {}


def test_names_with_formulas_and_control_characters_are_drawn_as_they_are():
    names = np.array(["$x^{", "a\nb", "\ud800", "tab\there", "\x07", "n" * 200])
    figure = drawn_confusions(np.eye(6, dtype=int), names)
    plots.rendered(figure)
    shown = texts(figure.axes[0].yaxis)
    assert shown == ["$x^{", "a b", "\\ud800", "tab here", "\ufffd", "n" * 15 + "\u2026"]
    assert len(label_text("n" * 200)) == 80


def test_characters_that_the_font_lacks_are_told_once():
    with pytest.warns(DataWarning, match="characters that the font lacks") as caught:
        plots.rendered(drawn_confusions(np.eye(2, dtype=int), np.array(["\u732b", "\u72ac"])))
    assert len(caught) == 1


def test_some_names_stand_for_many():
    for n_names in (1, 9, 20, 21, 99, 100, 500, 10**6):
        shown = thinned(n_names, 20)
        assert len(shown) <= 20
        assert shown[0] == 0
        assert len(set(np.diff(shown))) <= 1
    assert list(thinned(20, 20)) == list(range(20))


# Folders


def test_what_was_not_recorded_is_told_and_the_rest_is_drawn(home, run):
    (run / "stats.npz").unlink()
    found = drawn(run)
    assert {name: why for name, why in found.items() if isinstance(why, str)} == {
        "confusion": "no data: say with --input where the run's are",
        "competition": "no stats.npz: run with --save_stats",
        "neurons": "no stats.npz: run with --save_stats",
        "decision_times": "no data: say with --input where the run's are",
        "accuracy_over_time": "no data: say with --input where the run's are",
        "raster": "no data: say with --input where the run's are",
    }
    (run / "model.npz").unlink()
    assert drawn(run, home / "in")["weights"] == "no model.npz: the run is not complete"
    (run / "metrics.jsonl").unlink()
    assert drawn(run)["accuracy"] == "no epochs: metrics.jsonl is not there"


def test_statistics_of_an_earlier_version_are_told(run):
    found = stats(run)
    del found["labels"]
    np.savez(run / "stats.npz", **found)
    assert drawn(run)["competition"] == "no labels in stats.npz: run again with --save_stats and --overwrite"


def test_damaged_statistics_are_refused(run):
    content = (run / "stats.npz").read_bytes()
    (run / "stats.npz").write_bytes(content[: len(content) // 2])
    with pytest.raises(RunError, match=r"stats.npz: must hold the statistics of a run"):
        plots.competition(run)


def test_statistics_of_another_network_are_refused(run):
    found = stats(run)
    for changed in (
        {"labels": found["labels"] + 2},
        {"target_updates": found["target_updates"][:, 1:]},
        {"training_thresholds": found["training_thresholds"][:, :5]},
    ):
        np.savez(run / "stats.npz", **(found | changed))
        with pytest.raises(RunError, match=r"stats.npz: must be of this network's 6 neurons, got other statistics"):
            plots.neurons(run)


@pytest.mark.parametrize("line", ["{}", "[]", '{"epoch": "0"}', "x", '{"epoch": 0, "train_accuracy": 7}'])
def test_damaged_metrics_are_refused(run, line):
    (run / "metrics.jsonl").write_text(f"{line}\n")
    with pytest.raises(RunError, match=r"metrics.jsonl: line 1: must be the record of an epoch"):
        plots.accuracy(run)


def test_inputs_without_an_image_are_told(tmp_path):
    config = ExperimentConfig.from_any(settings(trainer={"epochs": 1}))
    run_single(RunJob(output=tmp_path / "run", input=write_data(tmp_path / "in"), config=config))
    assert drawn(tmp_path / "run")["weights"] == "no image: 12 inputs form no square"


def test_other_data_than_the_runs_are_refused(home, tmp_path):
    other = write_data(tmp_path / "other", n_inputs=9)
    with pytest.raises(DataError, match=r"testset.npz: must be the testset of the run in .*run, got another one"):
        drawn(home / "run", other)
    (other / "testset.npz").unlink()
    with pytest.raises(DataError, match="must hold the testset of the run, got none"):
        drawn(home / "run", other)


def test_a_class_that_is_not_there_is_refused(home):
    for label in (-1, 3, 0.5):
        with pytest.raises(RunError, match="label: must be the number of a class, 0 to 2"):
            plots.competition(home / "run", label)


def test_a_folder_that_no_command_has_filled_is_refused(home, tmp_path):
    rule = "must be the folder of a run or the output folder of kfold, gridsearch, ablation, got"
    (tmp_path / "empty").mkdir()
    (tmp_path / "odd").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.json").write_text('{"network": []}')
    with pytest.raises(RunError, match=r"config.json: must describe a run"):
        drawn(tmp_path / "other")
    (tmp_path / "odd" / "manifest.json").write_text('{"command": ["kfold"]}')
    for folder, found in (
        (tmp_path / "none", "no such folder"),
        (home / "run" / "model.npz", "a file"),
        (tmp_path / "empty", "one with nothing"),
        (tmp_path / "odd", "one with manifest.json"),
        (home / "in", "one with testset.npz, trainset.npz, valset.npz"),
    ):
        with pytest.raises(RunError, match=f"{rule} {found}"):
            drawn(folder)


def test_runs_that_were_started_one_by_one_are_folds(home, tmp_path):
    for fold in range(2):
        shutil.copytree(home / "kfold" / str(fold), tmp_path / "mine" / str(fold))
    assert list(drawn(tmp_path / "mine")) == ["accuracy"]


def test_a_grid_of_one_point_has_nothing_to_show(home, tmp_path):
    run_batch(grids.jobs(home / "in", tmp_path / "grid", settings(trainer={"epochs": 1})))
    assert drawn(tmp_path / "grid") == {"grid": "no settings: none varies"}


# The command


def test_the_command_writes_pictures_and_says_which(home, run, tmp_path, capsys):
    (run / "stats.npz").unlink()
    before = contents(run)
    out = tmp_path / "new" / "pictures"
    words = ["plot", str(run), "--out", str(out), "--format", "svg", "--input", str(home / "in")]
    assert main(words) == 0
    said, err = capsys.readouterr()
    assert err == ""
    assert said.splitlines() == [
        f"{out}/accuracy.svg",
        f"{out}/confusion.svg",
        f"{out}/weights.svg",
        "not drawn: competition: no stats.npz: run with --save_stats",
        "not drawn: neurons: no stats.npz: run with --save_stats",
        f"{out}/decision_times.svg",
        f"{out}/accuracy_over_time.svg",
        f"{out}/raster.svg",
    ]
    assert set(contents(out)) == {
        f"{name}.svg" for name in ("accuracy", "confusion", "weights", "decision_times", "accuracy_over_time", "raster")
    }
    assert contents(run) == before


@pytest.mark.parametrize("folder", ["kfold", "grid", "ablation"])
def test_pictures_go_to_the_folder_itself_and_disturb_no_command(home, tmp_path, capsys, folder):
    output = shutil.copytree(home / folder, tmp_path / folder)
    assert main(["plot", str(output), "--dpi", "50"]) == 0
    path = capsys.readouterr().out.strip()
    with open(path, "rb") as file:
        assert int.from_bytes(file.read(20)[16:], "big") == 400
    assert main(["plot", str(output)]) == 0
    if folder != "ablation":
        assert main([{"kfold": "score", "grid": "best"}[folder], str(output)]) == 0


@pytest.mark.parametrize(
    ("words", "finding"),
    [
        (["none"], "none: must be the folder of a run"),
        (["run", "--dpi", "5"], "dpi: must be a number from 20 to 1000, got 5.0"),
        (["run", "--format", "gif"], "argument --format: must be one of png, svg, pdf, got 'gif'"),
        (["run", "--out", ""], "out: must be a path, got an empty one"),
        (["run", "--out", "run/model.npz"], "run/model.npz: must be a folder, got a file"),
        (["run", "--input", "none"], "none: must be a folder with a trainset, got no such folder"),
    ],
)
def test_what_cannot_be_drawn_ends_with_2_and_one_line(run, monkeypatch, capsys, words, finding):
    monkeypatch.chdir(run.parent)
    before = contents(run)
    assert main(["plot", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert finding in err
    assert len(err.splitlines()) == 1
    assert contents(run) == before


def python(source, *words):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", source, *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.mark.processes
@pytest.mark.parametrize("command", ["plot", "run"])
def test_without_matplotlib_one_line_says_what_to_install(home, tmp_path, command):
    source = "import sys; sys.modules['matplotlib'] = None; from spikenn_cy.cli.entry import main; sys.exit(main())"
    config = tmp_path / "config.json"
    config.write_text(json.dumps(settings()))
    words = {
        "plot": ["plot", home / "run", "--out", tmp_path / "out"],
        "run": ["run", home / "in", tmp_path / "out", config, "--report"],
    }[command]
    done = python(source, *words)
    assert done.returncode == 2
    assert done.stdout == ""
    install = f"python -m pip install {wanted('plot')}"
    assert done.stderr == f"error: plot: needs the package matplotlib, which {install} brings\n"
    assert not (tmp_path / "out").exists()


@pytest.mark.processes
def test_no_command_loads_matplotlib_before_it_draws_and_none_loads_pyplot(home, tmp_path):
    source = (
        "import sys\n"
        "from spikenn_cy.cli.entry import main\n"
        "assert 'matplotlib' not in sys.modules\n"
        "assert main() == 0\n"
        "assert 'matplotlib' in sys.modules\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    done = python(source, "plot", home / "run", "--input", home / "in", "--out", tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, "")
