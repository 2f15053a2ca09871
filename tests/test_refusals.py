"""Bad input ends with exit status 2 and one line on place, rule and finding, and nothing is written."""

import json
import os
import pickle
import re

import numpy as np
import pytest
from small_runs import command
from small_runs import contents
from small_runs import dense
from small_runs import settings
from small_runs import write_data
from small_runs import write_settings

from spikenn_cy.cli.entry import main
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.errors import DataError
from spikenn_cy.network.readout import Readout

pytestmark = pytest.mark.quick

CASES = {}


def case(*, finding, command="run"):
    """Add the decorated function, which breaks one thing of a sound folder, to the table.

    It may return the words of the command line; ``finding`` is a pattern of the message.
    """

    def add(function):
        name = function.__name__.replace("_", " ")
        CASES[name] = (command, function, finding)
        return function

    return add


def replaced(path, **members):
    """Write the data set at ``path`` anew with some of its arrays replaced, or left out if None."""
    with np.load(path) as file:
        arrays = dict(file) | members
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})


def truncated(path, share=0.5):
    os.truncate(path, int(path.stat().st_size * share))


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


# The command line's three words


@case(finding=r"nowhere: must be a folder with a trainset, got no such folder")
def no_data_folder(folder):
    return "nowhere", "out", "config.json"


@case(finding=r"config\.json: must be a folder with a trainset, got a file")
def a_file_as_data_folder(folder):
    return "config.json", "out", "config.json"


@case(finding=r"in: must hold trainset\.npz or trainset\.npy, got none")
def no_training_set(folder):
    (folder / "in" / "trainset.npz").unlink()


@case(finding=r"in: must hold one valset, got valset\.npy and valset\.npz")
def a_set_in_two_formats(folder):
    (folder / "in" / "valset.npy").write_bytes(b"")


@case(finding=r"in/testset\.npz: must be (usable|a readable file), got No such file or directory")
def a_link_to_nowhere_for_a_set(folder):
    (folder / "in" / "testset.npz").unlink()
    (folder / "in" / "testset.npz").symlink_to("nowhere")


@case(finding=r"output: must be a path, got an empty one")
def an_empty_output(folder):
    return "in", "", "config.json"


@case(finding=r"out/config\.json: must be another file than those of a run in out, got its config\.json")
def settings_where_the_run_would_keep_its_record(folder):
    (folder / "out").mkdir()
    (folder / "config.json").rename(folder / "out" / "config.json")
    return "in", "out", "out/config.json", "--overwrite"


@case(finding=r"config\.json: .*a: must be given once, got it twice")
def deep_settings_with_a_key_twice(folder):
    (folder / "config.json").write_text('{"b": ' + "[" * 900 + "]" * 900 + ', "a": 1, "a": 2}')


@case(finding=r"out/result\.json: must be the result of a run .*, got \{")
def a_damaged_result(folder):
    assert main(["run", "in", "out", "config.json"]) == 0
    (folder / "out" / "result.json").write_text("{}")


@case(finding=r"out: must be a new folder or hold this very run")
def a_damaged_record(folder):
    assert main(["run", "in", "out", "config.json"]) == 0
    (folder / "out" / "config.json").write_text('{"format": 1, "config": {}, "seed": 0, "data": [], "versions": []}')


@case(command="convert", finding=r"X\.npy: must be an array in NumPy's \.npy format, got ")
def no_archive_after_its_magic(folder):
    (folder / "X.npy").write_bytes(b"PK\3\4garbage")


@case(command="convert", finding=r"X\.npy: must be an array in NumPy's \.npy format, got ")
def a_header_that_never_ends(folder):
    header = b"{'descr': ('<f4', 'fortran\n"
    (folder / "X.npy").write_bytes(b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header)


@case(command="convert", finding=r"X\.npy: must be (an array in NumPy's \.npy format|usable), got ")
def a_shape_of_too_many_digits(folder):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({10**23}, 8)}}\n".encode()
    (folder / "X.npy").write_bytes(b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header)


@case(finding=r"nowhere\.json: must be usable, got No such file or directory")
def no_settings(folder):
    return "in", "out", "nowhere.json"


@case(finding=r"in: must be settings, or the folder or record of a run .*, got a folder without config\.json")
def a_folder_as_settings(folder):
    return "in", "out", "in"


@case(finding=r"config\.json: must be a folder, got a file")
def a_file_as_output(folder):
    return "in", "config.json", "config.json"


@case(finding=r"config\.json: must be a new or empty folder, got a file", command="digits")
def a_file_as_output_of_digits(folder):
    return ("config.json",)


@case(finding=r"in: must be a new or empty folder, got one that holds something", command="digits")
def a_folder_with_something_as_output_of_digits(folder):
    return ("in",)


@case(finding=r"config\.json/out: must be a folder that can be made, got Not a directory")
def an_output_below_a_file(folder):
    return "in", "config.json/out", "config.json"


@case(finding=r"/proc/nowhere: must be a folder that can be made, got No such file or directory")
def an_output_that_cannot_be_written(folder):
    return "in", "/proc/nowhere", "config.json"


@case(finding=r"in: must be a new folder or hold this very run .*, got .* testset\.npz, trainset\.npz")
def the_data_folder_as_output(folder):
    return "in", "in", "config.json"


# Settings


@case(finding=r"config\.json: line 1, column \d+: must be JSON \(.*\), got ")
def truncated_settings(folder):
    truncated(folder / "config.json")


@case(finding=r"config\.json: must be UTF-8 text, got a binary file")
def data_as_settings(folder):
    (folder / "config.json").write_bytes((folder / "in" / "valset.npz").read_bytes())


@case(finding=r"config\.json: trainers: must be one of the keys .*, got \"trainers\" \(did you mean trainer\?\)")
def a_wrong_section(folder):
    (folder / "config.json").write_text(json.dumps(settings() | {"trainers": {}}))


@case(finding=r"config\.json: network\[0\]\.w_nrm: must be one of the keys .*, got \"w_nrm\" \(did you mean w_norm\?\)")
def a_misspelt_key(folder):
    write_settings(folder / "config.json", network={"w_nrm": True})


@case(finding=r'config\.json: network\[0\]\.n_neurons: must be a whole number, got "6"')
def a_wrong_type(folder):
    write_settings(folder / "config.json", network={"n_neurons": "6"})


@case(finding=r"config\.json: optimizer\.ap: must be a number, got true")
def true_as_a_number(folder):
    write_settings(folder / "config.json", optimizer={"ap": True})


@case(finding=r"config\.json: optimizer\.ap: must be a number \(a list .* is for gridsearch\), got \[0\.1, 0\.2\]")
def a_list_where_a_number_belongs(folder):
    write_settings(folder / "config.json", optimizer={"ap": [0.1, 0.2]})


@case(finding=r"config\.json: optimizer\.am: must be finite, got NaN")
def a_rate_that_is_no_number(folder):
    write_settings(folder / "config.json", optimizer={"am": float("nan")})


@case(finding=r"config\.json: network\[0\]\.firing_threshold: must be > 0, got 0")
def a_threshold_of_0(folder):
    write_settings(folder / "config.json", network={"firing_threshold": 0})


@case(finding=r"config\.json: network\[0\]\.n_neurons: must be a multiple of the 3 classes, got 7")
def neurons_that_cannot_be_shared_out(folder):
    write_settings(folder / "config.json", network={"n_neurons": 7})


@case(finding=r"config\.json: trainer\.nt_neurons: must be less than the 2 neurons of a class, got 2")
def no_target_neuron_left(folder):
    write_settings(folder / "config.json", trainer={"nt_neurons": 2})


@case(finding=r"must not all be 0 with w_norm, got 12 zeros")
def weights_that_cannot_be_normalised(folder):
    write_settings(folder / "config.json", network={"w_init_mean": 0, "w_init_std": 0})


@case(finding=r"memory: must suffice for network and data, got ")
def more_weights_than_memory(folder):
    write_settings(folder / "config.json", network={"n_neurons": 3 * 10**6})
    wide = SpikingDataset([0, 1, 2, 3], [0, 1, 2], [0, 0, 0], [0, 1, 2], n_inputs=2**31 - 1)
    wide.save(folder / "in" / "trainset.npz")
    for name in ("valset", "testset"):
        (folder / "in" / f"{name}.npz").unlink()


# Data


@case(finding=r"in/trainset\.npz: must be a sound \.npz file, got ")
def a_truncated_data_set(folder):
    truncated(folder / "in" / "trainset.npz")


@case(finding=r"in/testset\.npz: must be a sound \.npz file, got ")
def an_empty_file(folder):
    truncated(folder / "in" / "testset.npz", 0)


@case(finding=r"in/trainset\.npz: must be a sound \.npz file, got ")
def text_as_data(folder):
    (folder / "in" / "trainset.npz").write_text("0 1 2\n")


@case(finding=r"in/trainset\.npz: must hold the arrays .*, got .*timestamps")
def a_data_set_without_times(folder):
    replaced(folder / "in" / "trainset.npz", timestamps=None)


@case(finding=r"in/trainset\.npz: sample 4: label must be in \[0, 3\), got 3")
def a_label_out_of_range(folder):
    labels = np.arange(90) % 3
    labels[4] = 3
    replaced(folder / "in" / "trainset.npz", labels=labels)


@case(finding=r"in/trainset\.npz: labels: must be 1 to \d+ samples, got 0")
def an_empty_data_set(folder):
    empty = np.zeros(0, np.int32)
    replaced(folder / "in" / "trainset.npz", indptr=np.zeros(1, int), indices=empty, timestamps=empty, labels=empty)


@case(finding=r"in/trainset\.npz: sample 0, spike 0: time must be in \[0, 1\.0\), got nan")
def a_time_that_is_no_number(folder):
    with np.load(folder / "in" / "trainset.npz") as file:
        times = file["timestamps"].copy()
    times[0] = np.nan
    replaced(folder / "in" / "trainset.npz", timestamps=times)


@case(finding=r"in/trainset\.npz: sample 0, spike \d+: times must not fall")
def times_out_of_order(folder):
    with np.load(folder / "in" / "trainset.npz") as file:
        times, end = file["timestamps"].copy(), file["indptr"][1]
    times[:end] = times[:end][::-1]
    replaced(folder / "in" / "trainset.npz", timestamps=times)


@case(finding=r"in/trainset\.npz: sample 0, spike 0: input index must be in \[0, 12\), got 12")
def an_input_out_of_range(folder):
    with np.load(folder / "in" / "trainset.npz") as file:
        indices = file["indices"].copy()
    indices[0] = 12
    replaced(folder / "in" / "trainset.npz", indices=indices)


@case(finding=r"in/valset\.npz: must have 12 inputs like in/trainset\.npz, got 9")
def another_number_of_inputs(folder):
    SpikingDataset.from_numpy(*dense(30, 1, n_inputs=9)).save(folder / "in" / "valset.npz")


@case(finding=r"in/testset\.npz: must have max_time 1\.0 like in/trainset\.npz, got 2\.0")
def another_end_of_time(folder):
    SpikingDataset.from_numpy(*dense(30, 2), max_time=2.0).save(folder / "in" / "testset.npz")


@case(finding=r"in/testset\.npz: must have no class that in/trainset\.npz has not, got \[3\]")
def a_class_that_was_not_trained(folder):
    SpikingDataset.from_numpy(*dense(30, 2, n_classes=4)).save(folder / "in" / "testset.npz")


@case(finding=r"in/trainset\.npy: ")
def a_hostile_pickle(folder):
    (folder / "in" / "trainset.npz").unlink()
    with (folder / "in" / "trainset.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|O", "fortran_order": False, "shape": ()})
        pickle.dump({"data": Bomb(folder / "exploded")}, file)


# convert


@case(command="convert", finding=r"nowhere\.npy: must be usable, got No such file or directory")
def no_array(folder):
    return "nowhere.npy", "y.npy", "out.npz"


@case(command="convert", finding=r"X\.npy: must be an array in NumPy's \.npy format, got ")
def a_truncated_array(folder):
    truncated(folder / "X.npy")


@case(command="convert", finding=r"config\.json: must be an array in NumPy's \.npy format, got ")
def settings_as_an_array(folder):
    return "X.npy", "config.json", "out.npz"


@case(command="convert", finding=r"in/valset\.npz: must be an array in NumPy's \.npy format, got an \.npz archive")
def an_archive_as_an_array(folder):
    return "in/valset.npz", "y.npy", "out.npz"


@case(command="convert", finding=r"y\.npy: must be a pickle of plain arrays, got the name '\w+\.mkdir'")
def an_array_of_hostile_objects(folder):
    np.save(folder / "y.npy", np.array([Bomb(folder / "exploded")] * 30), allow_pickle=True)


@case(command="convert", finding=r"y: must have a label for each of 30 samples, got 29")
def too_few_labels(folder):
    np.save(folder / "y.npy", np.arange(29))


@case(command="convert", finding=r"X\[4, 2\]: a time must be .*, got nan")
def a_dense_time_that_is_no_number(folder):
    times = dense(30, 0)[0]
    times[4, 2] = np.nan
    np.save(folder / "X.npy", times)


@case(command="convert", finding=r"out\.npy: must be named \.npz, got \.npy")
def an_output_of_another_suffix(folder):
    return "X.npy", "y.npy", "out.npy"


@case(command="convert", finding=r"same\.npz: must be another file than the inputs, got same\.npz")
def an_input_as_output(folder):
    (folder / "X.npy").rename(folder / "same.npz")
    return "same.npz", "y.npy", "same.npz"


@case(command="convert", finding=r"nowhere/out\.npz: must be .*, got No such file or directory")
def an_output_in_no_folder(folder):
    return "X.npy", "y.npy", "nowhere/out.npz"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a folder, now the current one, in which every command would succeed."""
    monkeypatch.chdir(tmp_path)
    write_data(tmp_path / "in")
    write_settings(tmp_path / "config.json")
    times, labels = dense(30, 0)
    np.save(tmp_path / "X.npy", times)
    np.save(tmp_path / "y.npy", labels)
    return tmp_path


WORDS = {"run": ("in", "out", "config.json"), "convert": ("X.npy", "y.npy", "out.npz")}


@pytest.mark.parametrize("name", WORDS)
def test_a_sound_folder_is_not_refused(folder, capsys, name):
    assert main([name, *WORDS[name]]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_refused_in_one_line_and_nothing_is_written(folder, capsys, name):
    command_name, broken, finding = CASES[name]
    words = broken(folder) or WORDS[command_name]
    capsys.readouterr()
    before, entries = contents(folder), sorted(folder.rglob("*"))
    assert main([command_name, *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert re.match(rf"error: .*{finding}", line), line
    assert contents(folder) == before
    assert sorted(folder.rglob("*")) == entries


@pytest.mark.processes
@pytest.mark.parametrize("name", ["a misspelt key", "a truncated data set", "a hostile pickle", "no array"])
def test_a_process_ends_as_it_says(folder, name):
    command_name, broken, finding = CASES[name]
    words = broken(folder) or WORDS[command_name]
    before = contents(folder)
    done = command(command_name, *words, folder=folder)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert re.match(rf"error: .*{finding}", line), line
    assert contents(folder) == before


def test_an_output_without_permission_is_refused(folder, capsys):
    if os.geteuid() == 0:
        pytest.skip("nothing is forbidden to this user")
    (folder / "locked").mkdir(mode=0o500)
    assert main(["run", "in", "locked/out", "config.json"]) == 2
    assert "locked/out: must be a folder that can be made, got Permission denied" in capsys.readouterr().err
    assert main(["convert", "X.npy", "y.npy", "locked/out.npz"]) == 2
    assert "got Permission denied" in capsys.readouterr().err


def small_model():
    return Readout.from_config(settings(), n_inputs=12, n_classes=3)


@pytest.mark.parametrize(
    ("name", "value", "finding"),
    [
        ("weights", np.full((6, 12), np.nan), r"^weights\[0, 0\]: must be finite, got nan$"),
        ("weights", np.full((6, 12), 1e39), r"^weights\[0, 0\]: must be finite, got 1e\+39$"),
        ("weights", np.ones((6, 11)), r"^weights: must have shape \(6, 12\), got \(6, 11\)$"),
        ("weights", np.array([["a"] * 12] * 6), r"^weights: must be real numbers, got "),
        ("weights", np.zeros((6, 12)), r"^weights\[0\]: must not all be 0 with w_norm, got 12 zeros"),
        ("thresholds", np.zeros(6), r"^thresholds: must be > 0, got \[0\.0\]$"),
        ("thresholds", np.full(6, np.inf), r"^thresholds\[0\]: must be finite, got inf$"),
        ("thresholds", np.ones(5), r"^thresholds: must have shape \(6,\), got \(5,\)$"),
    ],
)
def test_nonsense_is_not_assigned(name, value, finding):
    model = small_model()
    before = {key: getattr(model.layers[-1], key).copy() for key in ("weights", "thresholds")}
    with pytest.raises(DataError, match=finding):
        setattr(model.layers[-1], name, value)
    for key, array in before.items():
        np.testing.assert_array_equal(getattr(model.layers[-1], key), array)


@pytest.mark.parametrize("share", [0, 0.3, 0.99])
def test_a_truncated_model_is_refused(tmp_path, share):
    small_model().save(tmp_path / "model.npz")
    truncated(tmp_path / "model.npz", share)
    with pytest.raises(DataError, match=r"model\.npz: must be a file that Readout\.save wrote, got "):
        Readout.load(tmp_path / "model.npz")


def test_a_truncated_checkpoint_is_refused_and_left_alone(folder, capsys, monkeypatch):
    assert main(["run", "in", "out", "config.json"]) == 0
    (folder / "out" / "result.json").unlink()
    (folder / "out" / "model.npz").rename(folder / "out" / "checkpoint.npz")
    truncated(folder / "out" / "checkpoint.npz")
    before = contents(folder)
    capsys.readouterr()
    assert main(["run", "in", "out", "config.json"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: out/checkpoint.npz: must be a file that Readout.save wrote, got ")
    assert contents(folder) == before
