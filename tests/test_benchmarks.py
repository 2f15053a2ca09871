"""Benchmarks run, count what the kernels do, and hold training to the memory it may take."""

import importlib
import inspect
import itertools
import json
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import reference
from numpy.testing import assert_array_equal
from small_images import write_mnist

import spikenn_cy
from spikenn_cy import Readout
from spikenn_cy import SpikingDataset

ROOT = Path(__file__).parent.parent
sys.path.append(str(ROOT))  # the benchmarks belong to the tree and are not installed

from benchmarks import cases  # noqa: E402
from benchmarks import classifiers  # noqa: E402
from benchmarks import counting  # noqa: E402
from benchmarks import laws  # noqa: E402
from benchmarks import machine  # noqa: E402
from benchmarks import memory  # noqa: E402
from benchmarks import network_roofline  # noqa: E402
from benchmarks import networks  # noqa: E402
from benchmarks import roofline  # noqa: E402
from benchmarks import side_by_side  # noqa: E402
from benchmarks import tables  # noqa: E402
from benchmarks import targets  # noqa: E402
from benchmarks import threads  # noqa: E402

# What is measured is sparse by intention.
pytestmark = [pytest.mark.full, pytest.mark.filterwarnings("ignore::spikenn_cy.errors.DataWarning")]

TIMED = ("time_", "track_", "peakmem_")
needs_compiler = pytest.mark.skipif(machine.compiler() is None, reason="needs a C compiler")


def classes():
    """Return every class of the folder that asv would take for a benchmark."""
    for path in sorted((ROOT / "benchmarks").glob("*.py")):
        module = importlib.import_module(f"benchmarks.{path.stem}" if path.stem != "__init__" else "benchmarks")
        for _, found in inspect.getmembers(module, inspect.isclass):
            if found.__module__ == module.__name__ and any(name.startswith(TIMED) for name in dir(found)):
                yield found


BENCHMARKS = list(classes())


def smallest(parameters):
    return min(parameters) if all(isinstance(value, int | float) for value in parameters) else parameters[0]


@pytest.mark.parametrize("benchmark", BENCHMARKS, ids=lambda found: f"{found.__module__}.{found.__name__}")
def test_each_benchmark_does_once_what_it_times(benchmark, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # as asv does, for files that a cache keeps
    instance = benchmark()
    arguments = [smallest(values) for values in getattr(benchmark, "params", ())]
    if hasattr(instance, "setup_cache"):
        arguments.insert(0, instance.setup_cache())
    for name in sorted(name for name in dir(instance) if name.startswith(TIMED)):
        try:
            getattr(instance, "setup", lambda *_: None)(*arguments)
        except NotImplementedError as absent:
            pytest.fail(f"the package of this very commit lacks what the benchmark needs: {absent}")
        result = getattr(instance, name)(*arguments)
        getattr(instance, "teardown", lambda *_: None)(*arguments)
        if name.startswith("track_"):
            assert np.isfinite(result)


def test_the_laboratory_book_names_benchmarks_that_are_there():
    rows = re.findall(
        r"^\|[^|]*\| (`\w+\.\w+`.*?) \|", (ROOT / "benchmarks" / "NOTES.md").read_text(encoding="utf-8"), re.M
    )
    named = {name.rpartition(".")[2] for row in rows for name in re.findall(r"`([\w.]+)`", row)}
    assert len(named) > 15
    assert named <= {found.__name__ for found in BENCHMARKS}


def test_each_benchmark_states_the_law_that_it_expects():
    assert len(BENCHMARKS) >= 20
    for benchmark in BENCHMARKS:
        assert benchmark.__doc__, benchmark


@pytest.mark.bench
@pytest.mark.parametrize("law", [name for name in dir(laws.Laws) if name.startswith("track_")])
def test_cost_grows_as_the_laws_say(law):
    """Linear work would have to be off by half a power: caches and busy machines stay far within that."""
    expected = 0 if "after_the_decision" in law else 1
    assert abs(getattr(laws.Laws(), law)() - expected) < 0.5


def test_an_old_commit_without_a_name_is_skipped_and_does_not_fail():
    from benchmarks import names_of_the_package

    with pytest.raises(NotImplementedError, match="no_such_name"), names_of_the_package():
        from spikenn_cy import no_such_name  # noqa: F401


# Counting


def small(method="s2stdp+ncg", n_samples=12, n_inputs=30, ties=False, **changes):
    """Return a small network of settings that are measured, and data of which it spikes about half."""
    times, _ = cases.spike_times(n_samples, n_inputs, 20)
    if ties:
        times = np.minimum(np.round(times, 1), 1).astype(np.float32)
    dataset = SpikingDataset.from_numpy(times, np.arange(n_samples) % 3)
    config = cases.settings(method, 3, firing_threshold=3, **changes)
    return Readout.from_config(config, n_inputs=n_inputs, n_classes=3), dataset


def slow_twin(model):
    """Return the network of `reference` with the same settings and weights."""
    config = model.config.to_dict()
    config["optimizer"] = {name: value for name, value in config["optimizer"].items() if value is not None}
    network = reference.Network(config, n_inputs=model.n_inputs, n_classes=3, max_time=1.0, seed=0)
    network.assign(model.layers[0].weights)
    return network


def spikes_up_to(times, moment):
    """Return how many input spikes come no later than ``moment``; all, at the time of silence."""
    return len(times) if moment >= 1 else int(np.count_nonzero(times <= moment))


@pytest.mark.parametrize("ties", [False, True])
def test_the_spikes_until_a_neuron_fires_are_those_up_to_its_spike_time(ties):
    model, dataset = small(ties=ties)
    weights, thresholds = model.layers[0].weights, model.layers[0].thresholds
    times, _ = model.first_spikes(dataset)
    for number, (inputs, input_times, _) in enumerate(dataset):
        counted = counting.fired_after(weights, thresholds, inputs, input_times)
        assert_array_equal(counted, [spikes_up_to(input_times, moment) for moment in times[number]])


def test_a_sample_without_a_spike_asks_for_none():
    assert_array_equal(counting.fired_after(np.ones((2, 3), np.float32), np.ones(2), np.empty(0, int), []), [0, 0])


def test_what_is_needed_follows_what_ends_together():
    fired = np.array([5, 3, 7, 2, 9, 4])  # three classes of two neurons
    assert_array_equal(counting.needed(fired, "all", 3), fired)
    assert_array_equal(counting.needed(fired, "layer", 3), [2] * 6)
    assert_array_equal(counting.needed(fired, "class", 3), [3, 3, 2, 2, 4, 4])
    # The label's class goes on to the spike of its target neuron, and its non-target neuron ends at its own.
    late = fired[::-1]
    assert_array_equal(counting.needed(late, "class", 3, own_class=1, n_non_target=0), [4, 4, 2, 2, 3, 3])
    assert_array_equal(counting.needed(late, "class", 3, own_class=1, n_non_target=1), [4, 4, 2, 7, 3, 3])


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("method", ["s2stdp+ncg", "s2stdp", "sstdp", "rstdp", "s4nn"])
def test_the_work_of_an_epoch_is_that_of_the_mathematics(method, ties):
    model, dataset = small(method, ties=ties)
    network = slow_twin(model)
    counts = counting.count_training(model, dataset, len(dataset))
    n_classes, n_neurons = 3, len(network.last.weights)
    size = n_neurons // n_classes
    for number, (inputs, times, label) in enumerate(dataset):
        _, spikes, _ = network.run(inputs, times, network.thresholds_in_training(label))
        spikes = spikes.reshape(n_classes, size)
        end = spikes.copy()  # when each neuron's part in the decision is known
        if method == "rstdp":
            end = np.minimum(spikes, spikes.min())
        elif method == "s2stdp+ncg":
            last = spikes.min(axis=1)
            last[label] = spikes[label, 1:].min()  # the first neuron of a class is its non-target neuron
            end = np.minimum(spikes, last[:, None])
        reach = [spikes_up_to(times, moment) for moment in end.ravel()]
        before = network.last.weights
        network.learn(inputs, times, label)
        assert counts.n_spikes[number] == len(inputs)
        assert counts.loads[number] == sum(reach)
        assert counts.longest[number] == max(reach)
        assert_array_equal(counts.rows[number], np.flatnonzero((before != network.last.weights).any(axis=1)))
    assert_array_equal(model.layers[0].weights, network.last.weights)


def test_dropped_neurons_are_charged_with_nothing():
    whole, dataset = small("rstdp")
    dropped, _ = small("rstdp", dropout_out=0.5)
    assert_array_equal(whole.layers[0].weights, dropped.layers[0].weights)
    all_neurons = counting.count_training(whole, dataset[:1], 1).loads[0]
    assert 0 < counting.count_training(dropped, dataset[:1], 1).loads[0] < all_neurons


def test_inference_looks_at_the_spikes_up_to_the_first_of_the_layer():
    model, dataset = small()
    times, _ = model.first_spikes(dataset)
    counts = counting.count_inference(model, dataset, len(dataset))
    expected = [spikes_up_to(sample[1], moment) for sample, moment in zip(dataset, times.min(axis=1), strict=True)]
    assert counts.longest == expected
    assert counts.loads == [15 * n for n in expected]


# The roofline


def roof(*terms, measured=1.0):
    return roofline.Roof("case", "train", measured, [roofline.Term(*term) for term in terms])


def test_a_limit_adds_phases_and_takes_the_slowest_resource_of_each():
    found = roof(
        ("forward", "ports", 8, "loads", 16), ("forward", "latency", 1, "additions", 4), ("update", "L2", 1, "bytes", 2)
    )
    assert found.limit == 1 / (8 / 16 + 1 / 2)
    assert [term.resource for term in found.binding] == ["ports", "L2"]
    assert found.times_the_limit == 1


def test_bandwidth_alone_is_never_a_lower_limit():
    assert roof(("forward", "ports", 8, "loads", 16, 32)).bandwidth_limit == 4
    assert roof(("forward", "ports", 8, "loads", 16, 1)).bandwidth_limit == 2


def test_a_case_far_from_its_limit_is_said_to_be():
    far = roof(("forward", "ports", 1, "loads", 4), measured=1)
    assert "further than 3 times from its limit" in roofline.explanation(far)
    found = {"machine": [], "additions": 1e9, "rows": {}}
    assert "further than 3 times" in roofline.page(found, [far])
    near = roof(("forward", "ports", 1, "loads", 4), measured=2)
    assert "No case takes more than 3 times" in roofline.page(found, [near])


def test_blocks_hold_everything_and_none_is_too_large():
    for n, largest in itertools.product(range(1, 70), [roofline.BLOCK_MAX]):
        n_blocks, size = roofline.blocks_of(n)
        assert size <= largest
        assert n_blocks * size >= n


def test_only_tiles_with_a_spike_that_matters_are_read():
    dataset = SpikingDataset([0, 3, 5], [0, 31, 64, 5, 40], [0.1, 0.2, 0.3, 0.1, 0.2], [0, 1], 100)
    assert roofline.whole_weights_read(dataset, [3, 1]) == 16 * (3 + 1) / 2
    assert roofline.whole_weights_read(dataset, [0, 2]) == 16 * (0 + 2) / 2


@pytest.mark.bench
@needs_compiler
def test_the_roofline_runs_and_prints_every_figure(capsys):
    assert roofline.main(["--quick", "--json", "--case", "pixels"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["level"] for row in found["machine"]] == ["L1", "L2", "L3", "memory"]
    assert all(row[rate] > 0 for row in found["machine"] for rate in ("read", "copy", "update", "random_loads"))
    assert [roof["call"] for roof in found["cases"]] == ["train", "predict"]
    for roof in found["cases"]:
        assert roof["times_the_limit"] == pytest.approx(roof["limit"] / roof["measured"])
        assert roof["binding"] in {term["resource"] for term in roof["terms"]}
        assert roof["bandwidth_limit"] >= roof["limit"]


@pytest.mark.bench
@needs_compiler
def test_measuring_loops_read_what_they_are_told_to():
    """A wrong index would crash or read next to nothing; a rate beyond any processor's would tell that too."""
    quick = machine.Machine(machine.Clock(0.001, 1))
    inputs = np.random.default_rng(0).integers(100, size=(3, 51))
    for width in range(1, 9):
        assert 1e6 < quick.gather_rows(100, width, 2, inputs) < 1e12
        assert 1e6 < quick.gather_lanes(100, width, 2, inputs) < 1e13
    assert 1e3 < quick.update_rows(5, 33, np.array([4, 0, 4]), 2) < 1e10
    assert 1e6 < quick.scatter(100, inputs) < 1e11


def test_without_a_compiler_one_line_says_so(monkeypatch, capsys):
    monkeypatch.setattr(machine, "compiler", lambda: None)
    machine.loops.cache_clear()
    assert roofline.main(["--quick", "--case", "pixels"]) == 2
    machine.loops.cache_clear()
    assert capsys.readouterr().err == "roofline: needs a C compiler, got none on the path and none in CC\n"


# The table of goals


def test_the_table_of_goals_is_printed(monkeypatch, capsys):
    monkeypatch.setattr(targets, "loading_seconds", lambda n_samples, repeats: 0.125)
    monkeypatch.setattr(targets, "import_seconds", lambda repeats: 0.0625)
    assert targets.main(["--quick", "--case", "pixels", "--markdown"]) == 0
    shown = capsys.readouterr().out
    assert f"spikenn_cy {spikenn_cy.__version__}, " in shown.splitlines()[0]
    assert "| pixels 784 -> 50, S2-STDP+NCG |" in shown
    assert "0.125 s" in shown
    assert "`score`" in shown


@pytest.mark.bench
def test_the_table_of_threads_has_a_row_for_each_call_alone_and_beside_neighbours(capsys):
    assert threads.main(["--quick", "--busy", "1"]) == 0
    printed = capsys.readouterr().out
    for row in ("`predict`, pixels", "`score`, features", "`partial_fit`, wide"):
        assert printed.count(row) in (2, 4)
    assert "Beside 1 busy neighbours" in printed


@pytest.mark.bench
def test_loading_and_import_are_measured():
    assert 0 < targets.loading_seconds(20, 1) < 5
    assert 0 < targets.import_seconds(1) < 60


@pytest.mark.parametrize(
    ("argument", "value", "finding"),
    [
        ("--mnist", "nowhere", "--mnist: must be there, got nowhere"),
        ("--features", "nowhere.npz", "--features: must be there, got nowhere.npz"),
        ("--case", "imagenet", "--case: must be part of one of pixels"),
        ("--repeats", "0", "--repeats: must be >= 1, got 0"),
    ],
)
def test_an_argument_that_leads_nowhere_is_refused(capsys, argument, value, finding):
    for main in (targets.main, roofline.main):
        with pytest.raises(SystemExit) as refusal:
            main([argument, value])
        assert refusal.value.code == 2
        assert finding in capsys.readouterr().err


def test_real_data_replace_made_ones(tmp_path):
    case = cases.CASES["features 4,608 -> 10, S2-STDP"]
    np.savez(
        tmp_path / "features.npz",
        indptr=np.array([0, 2, 3]),
        indices=np.array([4, 1, 0], np.uint16),
        timestamps=np.array([0.25, 0.5, 0.75], np.float32),
        labels=np.array([3, 9], np.uint8),
        n_inputs=5,
    )
    sources = cases.Sources(features=tmp_path / "features.npz")
    dataset = sources.dataset(case)
    assert (len(dataset), dataset.n_inputs, dataset.n_classes) == (2, 5, 10)
    assert_array_equal(dataset.labels, [3, 9])
    assert len(sources.dataset(case, 1)) == 1
    assert not sources.real(cases.CASES["pixels 784 -> 50, S2-STDP+NCG"])


def test_every_case_is_of_the_size_that_its_name_tells():
    for case in cases.CASES.values():
        n_inputs, n_neurons = (
            int(part.replace(",", "")) for part in case.name.split(", S")[0].split(", R")[0].split()[1::2]
        )
        dataset = cases.Sources().dataset(case, 5)
        model = Readout.from_config(case.settings, n_inputs=dataset.n_inputs, n_classes=dataset.n_classes)
        assert (dataset.n_inputs, model.layers[0].n_neurons) == (n_inputs, n_neurons)


def test_a_table_lines_up_as_plain_text():
    shown = tables.markdown(("what", "figure"), [("a", "1"), ("longer", "1,000")])
    assert shown.splitlines() == [
        "| what   | figure |",
        "| :----- | -----: |",
        "| a      |      1 |",
        "| longer |  1,000 |",
    ]


# Networks that learn in every layer


@needs_compiler
def test_the_limits_of_networks_are_of_each_network_and_call(capsys):
    assert network_roofline.main(["--quick"]) == 0
    cases = [[cell.strip() for cell in line.split("|")] for line in capsys.readouterr().out.splitlines()]
    assert [cells[1:3] for cells in cases if cells[1:2] and cells[1] in networks.NETWORKS] == [
        [name, call] for name in networks.NETWORKS for call in ("train", "predict")
    ]


def test_a_network_is_charged_with_the_spikes_until_its_decision():
    dataset = networks.pixels(40)
    model = networks.after_one_epoch("dense 784-400-10", 40)()
    (inputs, hidden, output), learned = network_roofline.counts(model, dataset)
    assert 0 < inputs < len(dataset.indices) / len(dataset)
    assert hidden > output > 0
    assert 0 < learned <= 1


def test_contestants_learn_the_same_images_side_by_side(tmp_path, capsys):
    pytest.importorskip("sklearn")
    write_mnist(tmp_path)
    assert side_by_side.main(["--mnist", str(tmp_path), "--epochs", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    header, _, *rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    assert header == ["784-400-10, 2 epochs", "test %", "training", "30 tests"]
    assert [row[0] for row in rows][:2] == [side_by_side.FirstSpikes.name, side_by_side.Perceptron.name]
    assert all(0 <= float(row[1]) <= 100 for row in rows)


# The study of classifiers


def test_the_study_measures_every_classifier_and_sums_up(capsys):
    pytest.importorskip("sklearn")
    assert classifiers.main(["--data", "MONK's problem 2", "--splits", "2", "--markdown"]) == 0
    header, rule, row, *summary = [line.strip("| ").split(" | ") for line in capsys.readouterr().out.splitlines()]
    assert header == ["data", *classifiers.CLASSIFIERS]
    assert len(rule) == len(row) == len(header)
    accuracies = [cell.split(" ± ")[0] for cell in row[1:]]
    assert summary[0] == ["mean accuracy", *accuracies]
    assert float(accuracies[0]) < 75 < 90 < min(map(float, accuracies[1:]))  # all spikes come at once
    assert classifiers.main(["--data", "iris", "--splits", "2"]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("iris  ")


def test_columns_that_are_equal_share_their_rank():
    shown = classifiers.ranks(np.array([[3.0, 1.0, 2.0], [5.0, 5.0, 7.0], [1.0, 1.0, 1.0]]))
    assert_array_equal(shown, [[1, 3, 2], [2.5, 2.5, 1], [2, 2, 2]])


def test_tables_that_are_made_are_those_that_are_known():
    for name, shape, n_true in (("tic-tac-toe", (958, 27), 626), ("MONK's problem 1", (432, 17), 216)):
        X, y = classifiers.DATA[name]()
        assert (X.shape, y.sum()) == (shape, n_true)
        assert set(np.unique(X)) == {0, 1}
    assert classifiers.DATA["MONK's problem 2"]()[1].sum() == 142


def test_images_are_the_first_ones_of_idx_files(tmp_path, monkeypatch):
    ((images, labels), _) = write_mnist(tmp_path)
    monkeypatch.setattr(classifiers, "N_IMAGES", 20)
    X, y = classifiers.idx_images(tmp_path)
    assert_array_equal(X, images[:20].reshape(20, -1) / 255)
    assert_array_equal(y, labels[:20])


@pytest.mark.parametrize(
    ("argument", "value", "finding"),
    [
        ("--mnist", "nowhere", "--mnist: must hold train-images-idx3-ubyte and train-labels-idx1-ubyte, got nowhere"),
        ("--data", "imagenet", "--data: must be part of one of iris; wine"),
        ("--splits", "1", "--splits: must be >= 2, got 1"),
    ],
)
def test_a_study_of_nothing_is_refused(capsys, argument, value, finding):
    with pytest.raises(SystemExit) as refusal:
        classifiers.main([argument, value])
    assert refusal.value.code == 2
    assert finding in capsys.readouterr().err


# Memory


@pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists() or not os.access("/proc/self/clear_refs", os.W_OK),
    reason="needs Linux to tell the peak of a process",
)
@pytest.mark.parametrize("size", memory.SIZES)
def test_training_adds_less_than_twice_the_weights_and_ten_megabytes(size, data_paths):
    added = memory.added_by_training(data_paths[size[0]], size[1])
    assert 0 < added < memory.allowed(*size)


@pytest.fixture(scope="module")
def data_paths(tmp_path_factory):
    return memory.write_data(tmp_path_factory.mktemp("data"))
