"""A model file is the network that was saved, or is refused in one line, before anything false in it takes memory."""

import json
import tracemalloc
import zipfile

import numpy as np
import pytest

from spikenn_cy import ConfigError
from spikenn_cy import DataError
from spikenn_cy import Readout
from spikenn_cy import SpikingDataset
from spikenn_cy.export import export
from spikenn_cy.features import STDPCSNN

pytestmark = pytest.mark.quick

N_INPUTS = 10
CONFIG = {
    "network": [{"n_neurons": 6, "firing_threshold": 1.5, "w_init_normal": True, "w_norm": True}],
    "optimizer": {"method": "s2stdp", "ap": 0.1, "am": -0.1, "t_gap": 0.1, "class_inhib": True},
    "regularizer": {"thr_lr": 0.05, "thr_anneal": 0.5},
    "trainer": {"epochs": 3},
}
MEGABYTE = 1 << 20


def dataset(names=("cat", "dog"), n_samples=60):
    """Return samples of two classes."""
    rng = np.random.default_rng(0)
    labels = np.arange(n_samples) % 2
    early = np.arange(N_INPUTS) * 2 // N_INPUTS == labels[:, None]
    times = rng.random((n_samples, N_INPUTS)) * np.where(early, 0.25, 1.2)
    return SpikingDataset.from_numpy(times, np.array(names)[labels])


def network(**trainer):
    return Readout.from_config(CONFIG | {"trainer": CONFIG["trainer"] | trainer}, N_INPUTS, 2)


@pytest.fixture
def saved(tmp_path):
    """Return the file of a trained network."""
    path, model = tmp_path / "model.npz", network()
    model.fit(dataset())
    model.save(path)
    return path


@pytest.fixture
def checkpoint(tmp_path):
    """Return the checkpoint of a training that was interrupted after its second epoch."""
    path = tmp_path / "checkpoint.npz"

    def interrupted(report):
        if report.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        network().fit(dataset(), checkpoint=path, on_epoch=interrupted)
    return path


def arrays_in(path):
    with np.load(path) as file:
        return dict(file)


def with_header(path, change):
    """Write a file anew with its header changed."""
    arrays = arrays_in(path)
    header = json.loads(str(arrays["header"]))
    change(header)
    np.savez(path, **arrays | {"header": np.array(json.dumps(header))})


def refusal(path, load=Readout.load):
    """Return how a file is refused, and the bytes that were asked for meanwhile."""
    tracemalloc.start()
    try:
        with pytest.raises(DataError) as caught:
            load(path)
        return str(caught.value), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_file_that_was_compressed_is_refused_before_it_is_unpacked(saved):
    np.savez_compressed(saved, **arrays_in(saved), more=np.zeros(16 * MEGABYTE, np.int8))
    assert saved.stat().st_size < MEGABYTE
    said, n_bytes = refusal(saved)
    assert said.startswith(f"{saved}: must be a file that Readout.save wrote, got 'header' compressed")
    assert n_bytes < MEGABYTE


@pytest.mark.parametrize("name", ["more", "weights_0", "thresholds_0"])
def test_an_array_that_the_header_does_not_let_expect_is_refused_before_it_is_read(saved, name):
    np.savez(saved, **arrays_in(saved) | {name: np.zeros((4096, 4096), np.float32)})
    said, n_bytes = refusal(saved)
    assert said.startswith(f"{saved}: must hold a whole model, got ")
    assert name in said
    assert n_bytes < MEGABYTE


def test_a_header_of_more_weights_than_there_are_is_refused_before_room_is_made_for_them(saved):
    with_header(saved, lambda header: header.update(n_inputs=2**30))
    said, n_bytes = refusal(saved)
    assert said.endswith("got weights_0: must have shape (6, 1073741824), got (6, 10)")
    assert n_bytes < MEGABYTE


def test_a_directory_of_more_bytes_than_the_file_has_is_refused(saved):
    content = bytearray(saved.read_bytes())
    with zipfile.ZipFile(saved) as archive:
        size = archive.getinfo("weights_0.npy").file_size.to_bytes(4, "little")
    place = content.rindex(size + size, 0, content.rindex(b"weights_0.npy"))  # in the directory, before the name
    content[place : place + 8] = 2 * (2**31 - 1).to_bytes(4, "little")
    saved.write_bytes(content)
    said, n_bytes = refusal(saved)
    assert said.endswith("got 'weights_0' of more bytes than the file has")
    assert n_bytes < MEGABYTE


def test_an_array_that_is_there_twice_is_refused(saved):
    with zipfile.ZipFile(saved, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("weights_0.npy", archive.read("weights_0.npy"))
    assert refusal(saved)[0].endswith("got an array twice")


def test_an_extractor_with_an_array_of_another_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "model.npz"
    extractor = STDPCSNN.from_config({"conv1_c": 4, "conv1_epochs": 1})
    extractor.fit(np.random.default_rng(0).integers(256, size=(10, 12, 12), dtype=np.uint8)).save(path)
    np.savez(path, **arrays_in(path) | {"whitening": np.zeros((4096, 4096), np.float32)})
    said, n_bytes = refusal(path, STDPCSNN.load)
    assert "got arrays: must be among header, weights, " in said
    assert said.endswith("got 'whitening'")
    assert n_bytes < MEGABYTE


def test_weights_are_in_memory_once_when_a_network_is_loaded(tmp_path):
    path, n_inputs = tmp_path / "model.npz", 500_000
    config = CONFIG | {"network": [{"n_neurons": 10, "firing_threshold": 1.5}]}
    Readout.from_config(config, n_inputs, 2).save(path)
    n_bytes = 10 * n_inputs * 4
    tracemalloc.start()
    Readout.load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # Beside them the zeros that an undrawn layer has, whose pages nobody touches, and which of the weights are finite.
    assert peak < 2.4 * n_bytes


def test_one_flipped_bit_of_the_weights_is_noticed(saved):
    content = bytearray(saved.read_bytes())
    weights = arrays_in(saved)["weights_0"].tobytes()
    content[content.index(weights) + 17] ^= 1
    saved.write_bytes(content)
    assert "must hold a whole model, got BadZipFile: Bad CRC-32" in refusal(saved)[0]


def test_a_damaged_file_is_refused_in_one_line_wherever_the_damage_is(saved):
    whole, generator = saved.read_bytes(), np.random.default_rng(0)
    said = []
    for _ in range(300):
        content = bytearray(whole)
        for place in generator.integers(len(whole), size=generator.integers(1, 4)):
            content[place] = generator.integers(256)
        saved.write_bytes(content)
        try:
            Readout.load(saved)
        except DataError as refused:
            said.append(str(refused))
    assert len(said) > 200  # some bytes of a zip file, such as times, have no meaning here
    for text in said:
        assert text.startswith(f"{saved}: must ")
        assert "\n" not in text
        assert len(text) < len(str(saved)) + 400


@pytest.mark.parametrize("text", ["[" * 200_000, '"\ud800"', "{}", "", '{"format": 1e999}', '{"format": [1]}'])
def test_a_damaged_header_is_refused_in_one_line(saved, text):
    np.savez(saved, **arrays_in(saved) | {"header": np.array(text)})
    said, _ = refusal(saved)
    assert said.startswith(f"{saved}: must be a file that Readout.save wrote, got ")
    assert "\n" not in said
    assert len(said) < len(str(saved)) + 250


def test_exported_arrays_are_said_to_be_those(saved, tmp_path):
    export(saved, tmp_path / "plain.npz")
    said, _ = refusal(tmp_path / "plain.npz")
    assert said.endswith(
        "must be a file that Readout.save wrote, got plain arrays for other software, as export writes them"
    )


# Checkpoints


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (lambda header: header["reports"][1].update(val_accuracy=99), "must have accuracies from 0 to 1, got 99"),
        (lambda header: header["reports"][1].update(train_accuracy=-0.5), "must have accuracies from 0 to 1, got -0.5"),
        (lambda header: header["reports"][0].update(train_accuracy=None), "SAVED"),
        (lambda header: header["reports"][0].update(train_accuracy=True), "SAVED"),
        (lambda header: header["reports"][1].update(stopped="bored"), "must tell a reason to stop, got 'bored'"),
        (lambda header: header["reports"].clear(), "must be of one epoch at least, got 0"),
        (lambda header: header["reports"].pop(), "must be of the last of 2 epochs, one of each, got [0]"),
        (lambda header: header["reports"].reverse(), "must be of the last of 2 epochs, one of each, got [1, 0]"),
        (lambda header: header.update(reports=9 * header["reports"]), "must be of the last of 2 epochs, one of each"),
        (lambda header: header.update(n_epochs=1), "must be of the last of 1 epochs, one of each"),
    ],
)
def test_a_checkpoint_whose_reports_cannot_be_true_is_refused(checkpoint, change, finding):
    with_header(checkpoint, change)
    said, _ = refusal(checkpoint, lambda path: network().fit(dataset(), checkpoint=path))
    rule = "must be a file that Readout.save wrote" if finding == "SAVED" else "must hold a whole model, got reports: "
    assert said.startswith(f"{checkpoint}: {rule}")
    assert finding == "SAVED" or finding in said


def test_a_checkpoint_of_a_training_with_other_names_of_classes_is_refused(checkpoint):
    with pytest.raises(ConfigError, match="must be a checkpoint of this training, got another data"):
        network().fit(dataset(names=("cow", "hen")), checkpoint=checkpoint)


def test_a_checkpoint_from_before_a_setting_came_up_is_gone_on_with(checkpoint, tmp_path):
    with_header(checkpoint, lambda header: header["config"]["trainer"].pop("shuffle"))
    whole, model = network(), network()
    assert model.fit(dataset(), checkpoint=checkpoint).train_accuracy == whole.fit(dataset()).train_accuracy
    np.testing.assert_array_equal(model.layers[-1].weights, whole.layers[-1].weights)
