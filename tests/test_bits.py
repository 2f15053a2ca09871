"""Same seed, same bits: from run to run, process, build, instruction set, number of threads and interruption."""

import hashlib
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from tables import some
from ways import instruction_set

from spikenn_cy import Readout
from spikenn_cy import SpikingDataset
from spikenn_cy.kernels.primitives import available_instructions
from spikenn_cy.network.forward import FORWARDS

pytestmark = pytest.mark.quick

WAYS = ["auto", *FORWARDS]  # to find first spikes; one that does not serve a layer is the exact one
N_INPUTS, N_CLASSES, N_SAMPLES = 83, 4, 120  # 83 leaves a rest in rows of 16 lanes


def network(*, optimizer, n_neurons=20, layers=(), regularizer=None, **trainer):
    """Return settings in the sections of a file; ``optimizer`` holds the rule's."""
    last = {"n_neurons": n_neurons, "firing_threshold": 4, "w_init_normal": True, "w_init_mean": 0.4}
    return {
        "network": [*layers, last | optimizer.pop("layer", {})],
        "optimizer": {"annealing": 0.9, **optimizer},
        "regularizer": regularizer,
        "trainer": {"epochs": 3, **trainer},
    }


S2STDP = {"method": "s2stdp", "ap": 0.1, "am": -0.08, "t_gap": 0.1, "class_inhib": True}
HIDDEN = {"n_neurons": 30, "firing_threshold": 5, "w_init_normal": True, "w_init_mean": 0.4, "w_init_std": 0.2}

# The digests hold for every build and machine: nothing in these settings calls a function of the C math library
# whose last bit may differ. Only a change of what the network computes may change them.
DIGESTS = {
    "s2stdp+ncg": "4870d77abfd3b874",
    "sstdp-cr-1": "4705aad99c80f73a",
    "rstdp-dropout": "1b389cdf494198e4",
    "s4nn": "cd839e4bcc014372",
    "two-layers": "19de239ff881687d",
}


def settings(name):
    """Return the settings behind a digest."""
    return {
        "s2stdp+ncg": network(
            optimizer=S2STDP | {"layer": {"w_norm": True}}, regularizer={"thr_lr": 0.2, "thr_anneal": 0.5}, nt_neurons=1
        ),
        "sstdp-cr-1": network(
            optimizer=S2STDP | {"use_time_ranges": True}, regularizer={"thr_lr": 0.1, "use_two_thr": False}
        ),
        "rstdp-dropout": network(
            optimizer={"method": "rstdp", "ap": 0.05, "am": -0.01, "anti_ap": -0.04}, dropout_out=0.3, shuffle=True
        ),
        "s4nn": network(
            optimizer={"method": "s4nn", "lr": 0.1, "t_gap": 0.1, "layer": {"w_min": -10, "w_max": 10}}, dropout_in=0.2
        ),
        "two-layers": network(optimizer=S2STDP | {"layer": {"w_norm": True}}, layers=[HIDDEN], dropout_out=0.1),
        "dropped-inputs": network(
            optimizer=S2STDP | {"ignore_silent": True, "layer": {"w_norm": True}}, dropout_in=0.3, dropout_out=0.2
        ),
        "lif": network(optimizer=S2STDP | {"layer": {"leak_tau": 0.4}}),
        "multiplicative": network(optimizer=S2STDP | {"stdp": "multiplicative", "beta": 2}),
    }[name]


def digits():
    """Return a data set that no generator's stream has a part in, with tied times and silent inputs."""
    place = np.arange(N_SAMPLES * N_INPUTS).reshape(N_SAMPLES, N_INPUTS)
    labels = np.arange(N_SAMPLES) % N_CLASSES
    times = (place * 7919 + 31 * labels[:, None] * (place % 7)) % 97 / 64
    return SpikingDataset.from_numpy(times, labels)


def trained(name, seed=3):
    """Return a trained network."""
    model = Readout.from_config(settings(name), N_INPUTS, N_CLASSES, seed=seed)
    model.fit(digits(), val=digits())
    return model


def digest(model):
    """Return a hash of all that a training and an inference put out."""
    times, potentials = model.first_spikes(digits())
    arrays = [layer.weights for layer in model.layers] + [model.layers[-1].thresholds, model.training_thresholds]
    content = b"".join(array.tobytes() for array in [*arrays, times, potentials, model.decide(digits())])
    return hashlib.sha256(content).hexdigest()[:16]


@pytest.mark.parametrize("name", DIGESTS)
def test_every_build_and_machine_computes_the_same_bits(name):
    assert digest(trained(name)) == DIGESTS[name]


# Large enough for screening to pay, with rows that grow, are clipped and are normalised, many ties and silent classes.
@pytest.mark.parametrize("name", ["s2stdp+ncg", "sstdp-cr-1", "rstdp-dropout", "dropped-inputs"])
def test_the_way_to_find_first_spikes_changes_no_bit(name, instructions):
    rng = np.random.default_rng(5)
    times = rng.integers(0, 300, (200, 700)) / 256 + np.arange(700) % 5 / 8
    data, found = SpikingDataset.from_numpy(times, np.arange(200) % N_CLASSES), {}
    config = settings(name)
    config["network"][-1] |= {"n_neurons": 40, "firing_threshold": 60}
    for way in WAYS:
        model = Readout.from_config(config, 700, N_CLASSES, seed=1)
        model.fit(data, forward=way)
        found[way] = model.layers[-1].weights.tobytes() + model.training_thresholds.tobytes()
    assert len(set(found.values())) == 1


@pytest.mark.parametrize("seed", some(range(150), 20))
def test_the_way_changes_no_bit_where_rows_are_clipped_from_above(seed):
    rng, found = np.random.default_rng(seed), set()
    n_inputs, size = int(rng.integers(100, 300)), int(rng.integers(4, 14))
    times = rng.integers(0, 50, (80, n_inputs)) / 49
    data, mean = SpikingDataset.from_numpy(times, np.arange(80) % N_CLASSES), rng.random()
    rate = 10 ** rng.uniform(-2, -0.3)
    rules = [{"method": "s4nn", "lr": rate, "t_gap": 0.1, "class_inhib": True}, S2STDP | {"ap": rate, "am": -rate / 2}]
    layer = {"firing_threshold": n_inputs * mean * rng.choice([0.01, 0.1, 0.3, 0.5]), "w_init_mean": mean}
    layer |= {"w_min": 0, "w_max": 1, "w_norm": True, "w_init_std": 0.3, "n_neurons": size * N_CLASSES}
    for way in WAYS:
        config = network(optimizer=rules[seed % 2] | {"layer": layer})
        model = Readout.from_config(config, n_inputs, N_CLASSES, seed=seed)
        model.fit(data, forward=way)
        found.add(model.layers[-1].weights.tobytes())
    assert len(found) == 1


# Inputs that all samples have in common, of which a few have weights that each step brings to a bound: later samples'
# potentials are right only if what bounds hold back is counted, weight by weight.
@pytest.mark.parametrize("seed", some(range(24), 6))
def test_the_way_changes_no_bit_where_a_few_weights_are_clipped(seed, instructions):
    rng, found, n_inputs, size = np.random.default_rng(seed), set(), 1000 + seed % 3, 5
    times = rng.integers(0, 400, (96, n_inputs)) / 400
    times[rng.random(times.shape) < 0.4] = np.inf
    few = rng.permutation(n_inputs)[:12]
    times[:, few] = rng.integers(0, 40, (96, 12)) / 400
    data = SpikingDataset.from_numpy(times, rng.integers(N_CLASSES, size=96))
    weights = rng.uniform(0.4, 0.6, (size * N_CLASSES, n_inputs)).astype(np.float32)
    weights[:, few] = rng.choice([0, 1], 12)
    rates = {"ap": float(rng.choice([0.2, 0.6])), "am": float(rng.choice([-0.2, -0.02]))}
    layer = {"n_neurons": size * N_CLASSES, "firing_threshold": n_inputs / 10, "w_norm": bool(seed % 2)}
    for way in WAYS:
        rule = S2STDP | rates | {"class_inhib": True, "layer": layer}
        model = Readout.from_config(network(optimizer=rule), n_inputs, N_CLASSES, seed=seed)
        model.layers[-1].weights = weights
        model.fit(data, epochs=2, forward=way)
        found.add(model.layers[-1].weights.tobytes())
    assert len(found) == 1


# Charges below the smallest normal number are rounded by more than their size tells, and estimates of a layer whose
# weights are that far apart begin with no spike.
@pytest.mark.parametrize("seed", some(range(60), 15))
def test_the_way_changes_no_bit_where_charges_are_subnormal(seed):
    rng, found, least = np.random.default_rng(seed), set(), 2.0**-149
    times = np.full((2, 6), np.inf)
    times[0, 4:], times[1] = [0, 0.2], [0, 0.1, 0.2, 0.3, 0.9, 0.9]
    data = SpikingDataset.from_numpy(times, [0, 1])
    weights = np.full((2, 6), [[1e19], [0]], np.float32)
    weights[1] = [*(rng.integers(1, 12, 4) * least), *rng.random(2)]
    limit = float(rng.integers(3, 40)) * least
    rule = {"method": "s2stdp", "ap": 0.3, "am": -0.2, "t_gap": 0.1, "ignore_silent": True, "class_inhib": False}
    for way in WAYS:
        layer = {"n_neurons": 2, "w_norm": True, "w_max": 1e20, "w_init_mean": 0.5}
        model = Readout.from_config(network(optimizer=rule | {"layer": layer}), 6, 2, seed=1)
        model.layers[-1].weights = weights
        model.layers[-1].thresholds = [1e20, limit]
        model.partial_fit(data, forward=way)
        found.add(model.layers[-1].weights.tobytes())
    assert len(found) == 1


# A row whose sum is too small for its norm becomes infinite, and then no number, which no comparison finds.
@pytest.mark.parametrize("n_inputs", [3, 50])
def test_the_way_changes_no_bit_where_weights_are_no_numbers(n_inputs, instructions):
    found = set()
    times = np.full((6, n_inputs), np.inf)
    times[:, :3] = [[0, 0.1, 2], [0.8, 0.2, 2], [2, 0, 0.4], [2, 2, 0.4], [0.5, 2, 2], [2, 0.4, 0.4]]
    data = SpikingDataset.from_numpy(np.where(times > 1, np.inf, times), [1, 1, 1, 0, 0, 1])
    weights = np.zeros((2, n_inputs), np.float32)
    weights[:, :3] = [[0.5, 0.5, 1e-42], [0.1, 0.1, 0.1]]
    rule = {"method": "s4nn", "lr": 4, "t_gap": 0.05}
    for way in WAYS:
        layer = {"n_neurons": 2, "firing_threshold": 0.6, "w_norm": True, "w_init_mean": 0.5}
        model = Readout.from_config(network(optimizer=rule | {"layer": layer}), n_inputs, 2, seed=1)
        model.layers[-1].weights = weights
        for first in (0, 2, 4):
            model.partial_fit(data[first : first + 2], forward=way)
        found.add(model.layers[-1].weights.tobytes())
    assert len(found) == 1


# What was learned while another way was taken, and how rows were scaled between two calls, none may have missed.
@pytest.mark.parametrize("name", ["s2stdp+ncg", "rstdp-dropout", "dropped-inputs", "multiplicative"])
@pytest.mark.parametrize("seed", some(range(6), 2))
def test_a_way_to_find_first_spikes_may_come_and_go_at_any_sample(name, seed):
    rng = np.random.default_rng(seed)
    times = rng.integers(0, 300, (160, 300)) / 256
    data, found = SpikingDataset.from_numpy(times, np.arange(160) % N_CLASSES), set()
    config = settings(name)
    config["network"][-1] |= {"n_neurons": 20, "firing_threshold": 30}
    sizes = rng.integers(1, 40, 40)
    one, other = ("exact", "input_major" if name == "rstdp-dropout" else "screening")
    for ways in ([one], [other], [other, one], [one, other, other]):
        model, first = Readout.from_config(config, 300, N_CLASSES, seed=1), 0
        for turn, size in enumerate(sizes):
            model.partial_fit(data[first : first + int(size)], forward=ways[turn % len(ways)])
            first = (first + int(size)) % 120
        found.add(model.layers[-1].weights.tobytes())
    assert len(found) == 1


@pytest.mark.filterwarnings("ignore::spikenn_cy.errors.DataWarning")
# The samples before the last one teach screening that neurons fire with the first spikes. The last one's great group
# begins there: with its first spikes one neuron has reached its threshold, with its last ones another may have.
@pytest.mark.parametrize("seed", some(range(12), 4))
def test_the_way_changes_no_bit_where_spikes_of_one_time_go_on_for_long(seed):
    rng, found, n_inputs, n_early, n_silent = np.random.default_rng(seed), set(), 20000, 3, 50
    weights = np.zeros((4, n_inputs), np.float32)
    weights[2:, :n_early] = 0.5
    weights[:2, n_early:] = rng.uniform(0.3, 0.9) * np.array([[1], [rng.uniform(1.0001, 1.01)]])
    reached = np.cumsum(weights[1, n_early:-n_silent], dtype=np.float32)[-1]
    limit = np.nextafter(reached, np.float32(0)) if seed % 2 else reached
    times = np.full((401, n_inputs), np.inf)
    times[:, :n_early] = np.arange(n_early) / 10
    times[-1, n_early:-n_silent] = 0.5
    data = SpikingDataset.from_numpy(times, np.arange(401) // 400)
    for way in WAYS:
        config = network(optimizer=S2STDP | {"ap": 0}, n_neurons=4)
        model = Readout.from_config(config, n_inputs, 2, seed=seed)
        model.layers[-1].weights = weights
        model.layers[-1].thresholds = [2 * weights[0, -1], limit, 0.1, 0.1]
        model.fit(data, epochs=1, forward=way)
        found.add(model.layers[-1].weights.tobytes())
    assert len(found) == 1


# Weights that lie just beside the middle of two numbers of single precision, so that a potential is rounded the same
# way by every spike, and thresholds that are potentials on the way, or the numbers next to them: bounds must be wide.
@pytest.mark.parametrize("seed", some(range(40), 10))
def test_the_way_changes_no_bit_where_roundings_add_up(seed):
    rng, found, n_inputs, n_neurons = np.random.default_rng(seed), set(), 8000, 24
    reached = np.sort((rng.uniform(0.05, 1, n_neurons) * n_inputs).astype(int))
    last_bit = 2.0**-23
    lost = rng.choice([0.2499, 0.2501, 0.4999, 0.5001], n_neurons)
    weights = (np.round(rng.uniform(1.01, rng.choice([1.05, 2]), n_neurons) / reached / last_bit) + lost) * last_bit
    weights = np.repeat(weights[:, None], n_inputs, axis=1).astype(np.float32)
    limits = np.cumsum(weights, axis=1, dtype=np.float32)[np.arange(n_neurons), reached - 1]
    limits = np.nextafter(limits, rng.choice([0, 9], n_neurons).astype(np.float32))
    data = SpikingDataset.from_numpy([np.arange(n_inputs) / n_inputs] * 2, [0, 1])
    for way in WAYS:
        layer = {"w_max": float(weights.max()), "w_init_mean": float(weights.max()) / 2}
        rule = S2STDP | {"ap": 0, "am": -float(weights.max()), "class_inhib": False}
        model = Readout.from_config(network(optimizer=rule | {"layer": layer}, n_neurons=n_neurons), n_inputs, 2)
        model.layers[-1].weights = weights
        model.layers[-1].thresholds = limits
        model.fit(data, epochs=1, forward=way)
        found.add(model.layers[-1].weights.tobytes())
    assert len(found) == 1


@pytest.mark.parametrize("name", [*DIGESTS, "lif", "multiplicative"])
def test_every_instruction_set_computes_the_same_bits(name):
    found = {}
    for instructions in available_instructions():
        with instruction_set(instructions):
            found[instructions] = digest(trained(name))
    assert len(set(found.values())) == 1, found


@pytest.mark.processes
def test_another_process_computes_the_same_bits():
    code = "import test_bits; print(test_bits.digest(test_bits.trained('lif')))"
    there = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parent,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout.strip() == digest(trained("lif"))


def test_another_seed_computes_other_bits():
    assert digest(trained("s2stdp+ncg", seed=4)) != digest(trained("s2stdp+ncg"))


def test_callers_in_several_threads_do_not_disturb_each_other():
    data, model = wide("s2stdp+ncg")
    expected = model.first_spikes(data)[1]
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: model.first_spikes(data)[1], range(40)):
            np.testing.assert_array_equal(found, expected)


@pytest.mark.usefixtures("threads_as_asked")
@pytest.mark.parametrize("name", [*DIGESTS, "dropped-inputs", "lif", "multiplicative"])
def test_any_number_of_threads_decides_alike(name):
    model, data = trained(name), digits()
    expected = model.predict(data), *model.first_spikes(data), model.class_scores(data)
    for n_threads in (*range(2, 10), 200):
        found = (
            model.predict(data, n_threads),
            *model.first_spikes(data, n_threads),
            model.class_scores(data, n_threads),
        )
        for one, many in zip(expected, found, strict=True):
            np.testing.assert_array_equal(many, one)


@pytest.mark.parametrize("name", ["s2stdp+ncg", "two-layers", "lif", "rstdp-dropout"])
def test_a_sample_after_each_step_is_decided_as_if_it_were_one_of_many(name):
    model, data = trained(name), digits()
    for number in range(0, len(data), 3):
        before = pickle.loads(pickle.dumps(model)).predict(data)
        assert model.predict(data[number : number + 1]) == before[number]
        model.partial_fit(data[number : number + 1])


def wide(name):
    """Return data and an untrained network whose layer has parts for many threads."""
    rng = np.random.default_rng(6)
    times = rng.integers(0, 500, (24, 500)) / 256
    data = SpikingDataset.from_numpy(times, np.arange(24) % N_CLASSES)
    config = settings(name)
    config["network"][-1] |= {"n_neurons": 160, "firing_threshold": 25}
    return data, Readout.from_config(config, 500, N_CLASSES, seed=2)


# Each of the settings with one of the ways first, then with the others.
SHARED = ["s2stdp+ncg", "sstdp-cr-1", "rstdp-dropout", "dropped-inputs", "s4nn", "multiplicative", "two-layers", "lif"]
CROSSED = [(name, WAYS[(turn + place) % len(WAYS)]) for turn in range(len(WAYS)) for place, name in enumerate(SHARED)]


@pytest.mark.usefixtures("threads_as_asked")
@pytest.mark.parametrize(("name", "way"), some(CROSSED, 2))
def test_any_number_of_threads_learns_alike(name, way):
    found = set()
    for n_threads in range(1, 10):
        data, model = wide(name)
        model.fit(data, epochs=2, n_threads=n_threads, forward=way)
        model.partial_fit(data, n_threads=n_threads, forward=way)
        found.add(model.layers[-1].weights.tobytes() + model.training_thresholds.tobytes())
    assert len(found) == 1


class Interruption(Exception):
    """Stands for whatever ends a process."""


@pytest.mark.parametrize("name", [*DIGESTS, "lif", "multiplicative"])
def test_an_interrupted_fit_goes_on_from_its_checkpoint_to_the_same_bits(name, tmp_path):
    checkpoint = tmp_path / "checkpoint.npz"

    def interrupt(report):
        if report.epoch == 1:
            raise Interruption

    model = Readout.from_config(settings(name), N_INPUTS, N_CLASSES, seed=3)
    with pytest.raises(Interruption):
        model.fit(digits(), val=digits(), checkpoint=checkpoint, on_epoch=interrupt)
    again = Readout.from_config(settings(name), N_INPUTS, N_CLASSES, seed=3)
    history = again.fit(digits(), val=digits(), checkpoint=checkpoint)
    whole = Readout.from_config(settings(name), N_INPUTS, N_CLASSES, seed=3)
    assert history.train_accuracy == whole.fit(digits(), val=digits()).train_accuracy
    assert digest(again) == digest(whole)


@pytest.mark.parametrize("name", [*DIGESTS, "lif", "multiplicative"])
def test_a_saved_network_goes_on_learning_as_if_it_had_not_been_saved(name, tmp_path):
    model = trained(name)
    model.save(tmp_path / "model.npz")
    loaded = Readout.load(tmp_path / "model.npz")
    assert digest(loaded) == digest(model)
    for network_ in (model, loaded):
        network_.partial_fit(digits())
        network_.fit(digits(), epochs=2)
    assert digest(loaded) == digest(model)
