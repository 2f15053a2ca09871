"""Samples without labels are decided on, kept and cut like others, and teach and measure nothing."""

import pickle
import zipfile

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from small_runs import N_INPUTS
from small_runs import contents
from small_runs import dense
from small_runs import settings
from small_runs import write_data
from small_runs import write_settings
from tables import some

from spikenn_cy import DataError
from spikenn_cy import Readout
from spikenn_cy import SpikingDataset
from spikenn_cy import plots
from spikenn_cy.cli.entry import main
from spikenn_cy.data.heads import head_of
from spikenn_cy.data.writer import DatasetWriter

pytestmark = pytest.mark.quick

TIMES, LABELS = dense(20, seed=1)
WITHOUT, WITH = SpikingDataset.from_numpy(TIMES), SpikingDataset.from_numpy(TIMES, LABELS)
EVENTS = np.array([(1, 0, 5, 1), (0, 1, 7, 0)], dtype=[("x", "u2"), ("y", "u2"), ("t", "i8"), ("p", "?")])


def arrays_of(dataset):
    return dataset.indptr, dataset.indices, dataset.timestamps


def assert_unlabelled(found, like):
    """Check that a set has the spikes of another and no labels."""
    assert found.labels is None
    assert (len(found), found.n_classes, found.classes.tolist()) == (len(like), 0, [])
    assert found.input_shape == like.input_shape
    for one, other in zip(arrays_of(found), arrays_of(like), strict=True):
        assert_array_equal(one, other)
    assert [label for *_, label in found] == [None] * len(like)


def test_a_set_is_made_without_labels_in_every_way():
    assert_unlabelled(WITHOUT, WITH)
    assert_unlabelled(SpikingDataset(*arrays_of(WITH), None, N_INPUTS), WITH)
    assert_unlabelled(SpikingDataset.from_blocks((TIMES[:7], TIMES[7:])), WITH)
    size = {"sensor_size": (3, 2), "duration": 10}
    pairs = SpikingDataset.from_tonic([(EVENTS, 0), (EVENTS[:1], 1)], **size)
    assert_unlabelled(SpikingDataset.from_tonic([EVENTS, EVENTS[:1]], **size), pairs)
    assert_unlabelled(SpikingDataset.from_tonic([(EVENTS, None), (EVENTS[:1], None)], **size), pairs)
    columns = [np.concatenate([EVENTS[name], EVENTS[name][:1]]) for name in ("x", "y", "p", "t")]
    assert_unlabelled(SpikingDataset.from_events(*columns, offsets=[0, 2, 3], **size), pairs)
    assert "unlabelled" in repr(WITHOUT)


def test_parts_pickles_and_files_of_a_set_without_labels_have_none(tmp_path):
    assert_unlabelled(WITHOUT[3:9], WITH[3:9])
    assert_unlabelled(WITHOUT[[5, 2, 2]], WITH[[5, 2, 2]])
    assert_unlabelled(WITHOUT.reshaped((3, 4)), WITH.reshaped((3, 4)))
    assert_unlabelled(pickle.loads(pickle.dumps(WITHOUT)), WITH)
    indices, _, label = WITHOUT[-1]
    assert label is None
    assert_array_equal(indices, WITH[-1][0])
    WITHOUT.save(tmp_path / "new.npz")
    assert_unlabelled(SpikingDataset.from_file(tmp_path / "new.npz"), WITH)
    assert "labels.npy" not in zipfile.ZipFile(tmp_path / "new.npz").namelist()
    assert head_of(tmp_path / "new.npz").labels is None
    assert len(head_of(tmp_path / "new.npz")) == 20


def test_blocks_of_a_file_have_labels_all_or_none(tmp_path):
    with DatasetWriter(tmp_path / "new.npz") as writer:
        writer.append(WITHOUT[:7])
        writer.append(WITHOUT[7:])
        with pytest.raises(DataError, match="block 2: must have no labels like block 0, got 'labels'"):
            writer.append(WITH)
    WITHOUT.save(tmp_path / "same.npz")
    assert (tmp_path / "new.npz").read_bytes() == (tmp_path / "same.npz").read_bytes()
    with DatasetWriter(tmp_path / "other.npz") as writer:
        writer.append(WITH)
        with pytest.raises(DataError, match="block 1: must have labels like block 0, got 'none'"):
            writer.append(WITHOUT)


@pytest.mark.parametrize(
    ("make", "finding"),
    [
        (lambda: SpikingDataset(*arrays_of(WITH), None, N_INPUTS, classes=[0, 1]), "^classes: must come with labels"),
        (lambda: SpikingDataset([0], [], [], None, 1), r"^indptr: must be 1 to \d+ samples, got 0"),
        (lambda: SpikingDataset([], [], [], None, 1), r"^indptr: must be 1 to \d+ samples, got -1"),
        (lambda: SpikingDataset([0, 2], [0], [0], None, 1), "^indptr: must end at the number of spikes, 1, got 2"),
        (lambda: SpikingDataset.from_blocks([]), "^X: must have at least one sample"),
        (lambda: SpikingDataset.from_blocks([TIMES, TIMES[:, :2]]), "^X: must have samples of shape"),
        (
            lambda: SpikingDataset.from_tonic([(EVENTS, 1), EVENTS], sensor_size=(3, 2), duration=10),
            "^sample 1: must have a label as all others or none as all others, got None",
        ),
    ],
)
def test_half_a_labelling_is_refused(make, finding):
    with pytest.raises(DataError, match=finding):
        make()


@pytest.mark.parametrize("hidden", [(), ({"n_neurons": 8, "firing_threshold": 0.5},)])
def test_decisions_and_spikes_are_those_of_the_same_samples_with_labels(hidden):
    config = settings() | {"network": [*hidden, *settings()["network"]]}
    model = Readout.from_config(config, N_INPUTS, 3)
    model.fit(WITH)
    assert_array_equal(model.predict(WITHOUT), model.predict(WITH))
    assert_array_equal(model.decide(WITHOUT, n_threads=2), model.decide(WITH))
    assert_array_equal(model.class_scores(WITHOUT), model.class_scores(WITH))
    for found, wanted in zip(model.first_spikes(WITHOUT), model.first_spikes(WITH), strict=True):
        assert_array_equal(found, wanted)


def test_what_would_learn_or_compare_refuses_it_in_one_line():
    model = Readout.from_config(settings(), N_INPUTS, 3)
    calls = [
        lambda: model.fit(WITHOUT),
        lambda: model.partial_fit(WITHOUT),
        lambda: model.score(WITHOUT),
        lambda: model.fit(WITH, val=WITHOUT),
        lambda: model.fit(WITH, test=WITHOUT),
        lambda: plots.confusion(model, WITHOUT),
        lambda: plots.raster(model, WITHOUT),
        lambda: plots.decision_times(model, WITHOUT),
    ]
    for call in calls:
        with pytest.raises(DataError, match=r"^[\w ]+: must have labels, which only predict[^\n]*, got None$"):
            call()


@pytest.mark.parametrize("name", some(["trainset", "valset", "testset"], 1))
@pytest.mark.parametrize("command", ["run", "kfold", "gridsearch", "ablation neurons"])
def test_commands_refuse_it_with_its_file_before_anything_is_written(name, command, tmp_path, capsys):
    folds = command in ("kfold", "ablation neurons")
    folder = tmp_path / "in" / ("0" if folds else "")
    write_data(folder)
    SpikingDataset.from_numpy(TIMES).save(folder / f"{name}.npz")
    several = {"optimizer": {"ap": [0.1, 0.05]}} if command == "gridsearch" else {}
    write_settings(tmp_path / "config.json", trainer={"epochs": 1}, **several)
    before = contents(tmp_path)
    paths = [str(tmp_path / path) for path in ("in", "out", "config.json")]
    assert main([*command.split(), *paths, *(["--K", "1"] if folds else [])]) == 2
    error = capsys.readouterr().err
    assert f"{name}.npz: must have labels, which only predict" in error
    assert error.count("\n") == 1
    assert contents(tmp_path) == before
