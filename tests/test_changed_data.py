"""Data that change under a command: never a wrong result under a right checksum, and no access out of bounds."""

import contextlib
import os
import zipfile

import numpy as np
import pytest
from processes import Family
from small_runs import dense
from small_runs import script
from small_runs import settings
from small_runs import write_data
from small_runs import write_settings
from tables import some

from spikenn_cy.config import ExperimentConfig
from spikenn_cy.data.archive import data_start
from spikenn_cy.data.archive import verify
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.errors import DataError
from spikenn_cy.experiments import data
from spikenn_cy.experiments.data import DataFile
from spikenn_cy.experiments.single import RunJob
from spikenn_cy.experiments.single import run_single
from spikenn_cy.network.readout import Readout

pytestmark = pytest.mark.quick

CUT = """
import os
import numpy as np
from spikenn_cy.utils._bus_error import end_at_bus_error
end_at_bus_error()
data = np.memmap("data", np.uint8, "r")
os.truncate("data", 0)
data[40_000]
"""
CHANGED = "must stay as it is while"
LARGE = np.iinfo(np.int32).max


def elements_of(path, name):
    """Return the elements of an array in a data set's file, mapped, so that what is written to them is in the file."""
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(f"{name}.npy")
        start = data_start(info, np.memmap(path, np.uint8, "r"))
    content = np.memmap(path, np.uint8, "r+", offset=start, shape=info.file_size)
    header = 10 + int(content[8]) + 256 * int(content[9])
    dtype = {"indptr": np.int64, "indices": np.int32, "labels": np.int32, "timestamps": np.float32}[name]
    return content[header:].view(dtype)


def write_to(path, name, value):
    """Overwrite an array in a file and put its times back, as a thief would."""
    found = path.stat()
    elements_of(path, name)[:] = value
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


@pytest.fixture
def mapped(tmp_path):
    """Return a mapped data set and its file."""
    path = write_data(tmp_path / "in") / "trainset.npz"
    return SpikingDataset.from_file(path), path


LIF = {"leak_tau": 0.5}
HIDDEN = {"n_neurons": 8, "firing_threshold": 1.0, "w_init_normal": True}


def networks():
    """Return settings of networks that read their input in each way there is."""
    plain, leaky, above = settings(), settings(), settings()
    leaky["network"] = [leaky["network"][0] | LIF]
    above["network"] = [HIDDEN, above["network"][0]]
    deep = {
        "network": [{"n_neurons": 8}, {"n_neurons": 3}],
        "optimizer": {"method": "decision_time"},
        "trainer": {"epochs": 1},
    }
    return {"one layer": plain, "leaky": leaky, "hidden layer": above, "every layer": deep}


@pytest.mark.parametrize("kind", networks())
@pytest.mark.parametrize("value", [-1, 12])
def test_inputs_that_are_overwritten_in_a_mapped_file_are_refused_by_whoever_trains_or_decides(mapped, kind, value):
    dataset, path = mapped
    model = Readout.from_config(ExperimentConfig.from_any(networks()[kind]), 12, 3, 1.0, seed=1)
    model.fit(dataset, epochs=1)
    write_to(path, "indices", value)
    for use in (
        lambda: model.fit(dataset, epochs=1),
        lambda: model.decide(dataset),
        lambda: model.decide(dataset, n_threads=2),
        lambda: model.first_spikes(dataset),
        lambda: model.decide(dataset[::2]),
        lambda: model.decide(SpikingDataset.concatenate([dataset, dataset])),
        dataset.to_dense,
        *([] if kind == "leaky" else [lambda: model.quantized(8, 8).decide(dataset)]),
    ):
        with pytest.raises(DataError, match=CHANGED):
            use()


def test_labels_and_the_numbers_of_spikes_are_those_that_were_checked(mapped):
    dataset, path = mapped
    labels, indptr = dataset.labels.copy(), dataset.indptr.copy()
    write_to(path, "labels", LARGE)
    write_to(path, "indptr", LARGE)
    assert (dataset.labels == labels).all()
    assert (dataset.indptr == indptr).all()


def test_times_that_are_overwritten_lead_no_kernel_astray(mapped):
    """Which no look at a sample finds, but whoever records a result does."""
    dataset, path = mapped
    for value in (np.nan, np.inf, -np.inf, -1.0, 1e30):
        write_to(path, "timestamps", value)
        for config in networks().values():
            model = Readout.from_config(ExperimentConfig.from_any(config), 12, 3, 1.0, seed=1)
            with np.errstate(all="ignore"), contextlib.suppress(DataError):  # which a second layer may see
                model.fit(dataset, epochs=1)
                model.decide(dataset)


def test_a_network_of_undefined_weights_is_not_quantised():
    model = Readout.from_config(ExperimentConfig.from_any(settings()), 12, 3, 1.0, seed=1)
    model.layers[0].rows.array[0, 0] = np.nan  # as training that diverges leaves them
    with pytest.raises(DataError, match="weights must be finite to be quantised"):
        model.quantized(8, 8)


def changing(monkeypatch, epoch, change):
    """Let something be done to the data of a run in the middle of an epoch."""
    learn = Readout._epoch

    def then_changed(model, sets, reports, *rest):
        if len(reports) == epoch:
            change()
        return learn(model, sets, reports, *rest)

    monkeypatch.setattr(Readout, "_epoch", then_changed)


CHANGES = {
    "inputs": ("indices", 3),
    "inputs out of range": ("indices", LARGE),
    "times": ("timestamps", 0.25),
    "undefined times": ("timestamps", np.nan),
}


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize(("epoch", "own"), some([(2, 1 << 28), (0, 0), (5, 0)], 1))
def test_a_run_whose_data_are_overwritten_records_no_result_and_keeps_what_it_had(
    tmp_path, monkeypatch, what, epoch, own
):
    monkeypatch.setattr(data, "OWN_MOST", own)
    path = write_data(tmp_path / "in") / "trainset.npz"
    before = path.read_bytes()
    job = RunJob(tmp_path / "out", tmp_path / "in", write_settings(tmp_path / "c.json"))
    with monkeypatch.context() as patch:
        changing(patch, epoch, lambda: write_to(path, *CHANGES[what]))
        with pytest.raises(DataError, match=r"trainset.npz: must stay as it is while a command uses it, got a changed"):
            run_single(job)
    assert not (tmp_path / "out" / "result.json").exists()
    path.write_bytes(before)
    result = run_single(job)
    assert result == run_single(RunJob(tmp_path / "other", tmp_path / "in", tmp_path / "c.json"))


def test_a_change_that_no_record_of_the_system_shows_is_found_before_the_result_is_written(tmp_path, monkeypatch):
    path = write_data(tmp_path / "in") / "trainset.npz"
    job = RunJob(tmp_path / "out", tmp_path / "in", write_settings(tmp_path / "c.json"))
    monkeypatch.setattr(DataFile, "check", lambda file: None)
    changing(monkeypatch, 3, lambda: write_to(path, "timestamps", 0.25))
    with pytest.raises(DataError, match="must stay as it is while a command uses it, got a changed file"):
        run_single(job)
    assert not list((tmp_path / "out").glob("*.npz"))  # nobody knows which checkpoint is right


def test_a_file_that_another_takes_the_place_of_is_another_although_size_and_times_agree(tmp_path):
    path = write_data(tmp_path / "in") / "trainset.npz"
    file, found = DataFile.of(path).known(), path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "new.npz").write_bytes(content)
    os.replace(tmp_path / "new.npz", path)
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    with pytest.raises(DataError, match="got a changed file"):
        file.check()


def test_a_file_that_gets_another_name_or_owner_is_still_the_same(tmp_path):
    path = write_data(tmp_path / "in") / "trainset.npz"
    file = DataFile.of(path).known()
    path.chmod(0o600)
    os.link(path, tmp_path / "link.npz")
    file.check()
    file.check_content()


def test_a_bit_that_flipped_in_a_mapped_array_is_found_once_a_run(tmp_path):
    path = write_data(tmp_path / "in") / "trainset.npz"
    SpikingDataset.from_numpy(*dense(900, seed=0)).save(path)  # of which NumPy's header is not all
    verify(path)
    elements = elements_of(path, "timestamps")
    bits = elements[:1].view(np.uint32)
    bits ^= 1
    SpikingDataset.from_file(path)  # which breaks no rule
    finding = r"trainset.npz: must be a sound .npz file, got Bad CRC-32 for file 'timestamps.npy'"
    with pytest.raises(DataError, match=finding):
        run_single(RunJob(tmp_path / "out", tmp_path / "in", write_settings(tmp_path / "c.json")))
    assert not (tmp_path / "out").exists()


@pytest.mark.processes
def test_a_run_whose_data_are_cut_short_ends_with_one_line_and_no_result(tmp_path):
    path = write_data(tmp_path / "in") / "trainset.npz"
    config = write_settings(tmp_path / "c.json", trainer={"epochs": 100_000})
    with Family("run", tmp_path / "in", tmp_path / "out", config) as family:
        family.wait_until((tmp_path / "out" / "checkpoint.npz").exists)
        os.truncate(path, 100)
        status, _, err = family.end()
    (line,) = err.splitlines()
    assert status == 2
    assert line.startswith("error: ")
    assert "must stay as" in line
    assert not (tmp_path / "out" / "result.json").exists()


@pytest.mark.processes
def test_a_page_that_a_mapped_file_has_no_more_ends_a_command_with_one_line(tmp_path):
    """Nothing can go on where memory is missing, and no program can keep another one from cutting a file."""
    (tmp_path / "data").write_bytes(bytes(1 << 16))
    (tmp_path / "cut.py").write_text(CUT)
    done = script("cut.py", folder=tmp_path)
    line = "error: data: must stay as they are while a command uses them, got a file that was cut short or is lost\n"
    assert (done.returncode, done.stderr) == (2, line)
