"""Without these tests the reference would only be a second opinion: they hold it to the golden arrays."""

import numpy as np
import pytest
import reference
from golden_files import NAMES
from golden_files import STEPS
from golden_files import Golden
from golden_files import assert_close
from golden_files import assert_same_end
from golden_files import assert_same_step
from numpy.testing import assert_allclose
from numpy.testing import assert_array_equal
from reference import REAL

pytestmark = pytest.mark.quick


def network_and_samples(golden, **options):
    network = reference.Network(golden.config, **golden.shape, **options)
    network.assign(golden.W0)
    samples = reference.samples_of(golden.indptr, golden.indices, golden.timestamps, golden.labels)
    return network, samples[: golden.n_train], samples[golden.n_train :]


@pytest.mark.full
@pytest.mark.parametrize("name", NAMES)
def test_untrained_network_spikes_like_the_golden_one(name):
    golden = Golden(name)
    network, _, test = network_and_samples(golden)
    spikes, potentials = network.first_spikes(test)
    assert_array_equal(spikes, golden.forward_t)
    assert_array_equal(potentials, golden.forward_v)


@pytest.mark.full
@pytest.mark.parametrize("name", NAMES)
def test_training_follows_the_golden_trajectory(name):
    golden = Golden(name)
    network, train, test = network_and_samples(golden)
    n_right = 0
    for k, right in enumerate(network.epoch(train), start=1):
        n_right += right
        if k in STEPS:
            assert_same_step(golden, k, network.last.weights, network.training_thresholds, n_right / k)

    accuracies = network.fit(train, golden.config["trainer"]["epochs"] - 1)
    assert_same_end(golden, network.last.weights, network.last.thresholds, accuracies[-1], network.predict(test))


@pytest.mark.full
@pytest.mark.parametrize("name", ["a/s2stdp", "a/s2stdp+ncg", "a/s2stdp+pcn", "b/s2stdp", "b/s2stdp-ignore-silent"])
def test_scaling_every_row_gives_the_golden_bits(name):
    golden = Golden(name)
    settings = {"abs_sum": reference.pairwise_sum, "constrain_all": True}
    network, train, test = network_and_samples(golden, **settings)
    network.fit(train, epochs=1)
    assert_array_equal(network.last.weights, golden.W_300)
    network.fit(train, epochs=1)
    assert_close(network.last.weights, golden.W_final, after=600)
    assert_array_equal(network.predict(test), golden.pred_final)


@pytest.mark.full
@pytest.mark.parametrize("name", ["a/s2stdp", "b/s2stdp+ncg", "b/s2stdp-uniform-init"])
def test_a_float64_sum_of_absolute_weights_agrees_too(name):
    golden = Golden(name)
    network, train, _ = network_and_samples(golden, abs_sum=reference.double_sum)
    network.fit(train, epochs=1)
    assert_close(network.last.weights, golden.W_300, after=300)


# What no golden file shows, by hand.


def test_a_time_that_rounds_to_max_time_never_fires():
    indices, times = reference.sample_of([0.5, np.nextafter(1.0, 0), 0.0, np.inf, 0.5, 1.0], max_time=1.0)
    assert_array_equal(indices, [2, 0, 4])
    assert_array_equal(times, REAL([0.0, 0.5, 0.5]))


@pytest.mark.parametrize("bad", [np.nan, -0.1])
def test_a_time_that_is_none_is_refused(bad):
    with pytest.raises(ValueError, match="NaN or negative"):
        reference.sample_of([0.5, bad], max_time=1.0)


def test_inputs_of_one_time_are_integrated_before_the_threshold_is_tested():
    spikes, potentials = reference.forward(
        REAL([[2, -1, 1]]), REAL([1.5]), np.array([0, 1, 2]), REAL([0.1, 0.1, 0.2]), 1.0
    )
    assert_array_equal(spikes, REAL([0.2]))
    assert_array_equal(potentials, REAL([2]))


def test_a_potential_at_the_threshold_does_not_fire():
    spikes, potentials = reference.forward(REAL([[1]]), REAL([1]), np.array([0]), REAL([0.3]), 1.0)
    assert_array_equal(spikes, REAL([1.0]))
    assert_array_equal(potentials, REAL([1.0]))


def test_a_leaky_potential_halves_in_tau_times_the_logarithm_of_two():
    tau = 0.25 / np.log(2)
    spikes, potentials = reference.forward(
        REAL([[4, 1], [4, 4]]),
        REAL([4, 5]),
        np.array([0, 1]),
        REAL([0.25, 0.5]),
        1.0,
        reference.neuron_of({"leak_tau": tau}),
    )
    assert_array_equal(spikes, REAL([1.0, 0.5]))
    assert_allclose(potentials, [3, 6], rtol=1e-6)


def test_a_dropped_neuron_is_silent_at_potential_zero():
    dropped = np.array([True, False])
    spikes, potentials = reference.forward(
        REAL([[2], [2]]), REAL([1, 1]), np.array([0]), REAL([0.3]), 1.0, dropped=dropped
    )
    assert_array_equal(spikes, REAL([1.0, 0.3]))
    assert_array_equal(potentials, REAL([0, 2]))


def test_a_sample_without_a_spike_leaves_every_neuron_silent():
    spikes, potentials = reference.forward(REAL([[2], [2]]), REAL([1, 1]), np.array([], int), REAL([]), 1.0)
    assert_array_equal(spikes, REAL([1, 1]))
    assert_array_equal(potentials, REAL([0, 0]))


@pytest.mark.parametrize(
    ("spikes", "potentials", "winner"),
    [([0.2, 0.1, 0.3], [9, 1, 9], 1), ([0.1, 0.1, 0.3], [1, 2, 9], 1), ([1, 1, 1], [-2, -1, -1], 1)],
)
def test_the_first_is_the_earliest_then_the_fullest_then_the_lowest(spikes, potentials, winner):
    assert reference.first([0, 1, 2], REAL(spikes), REAL(potentials)) == winner


def test_non_target_neurons_come_first_in_each_class():
    assert_array_equal(reference.class_of(6, 2), [0, 0, 0, 1, 1, 1])
    assert_array_equal(reference.is_target(6, 2, 1), [False, True, True, False, True, True])


@pytest.mark.parametrize("n_inputs", [1, 15, 16, 17, 64, 100])
def test_lanes_sum_absolute_weights(n_inputs):
    weights = np.random.default_rng(n_inputs).normal(size=(3, n_inputs)).astype(REAL)
    assert_allclose(reference.lane_sum(weights), reference.double_sum(weights), rtol=1e-6)


def test_lanes_take_every_sixteenth_weight_and_fold_in_halves():
    row = np.zeros(33, REAL)
    row[[0, 16, 32]] = 2**24, 1, 1  # one lane: each 1 is lost by itself
    row[[1, 9]] = 1, 1  # lanes 1 and 9 fold to 2, which is not
    assert reference.lane_sum(row[None])[0] == 2**24 + 2


def test_a_row_of_zeros_is_not_scaled():
    constrained = reference.constrain(REAL([[-1, -2], [3, 1]]), 0, 1, target_norms=np.array([3.0, 4.0]))
    assert_array_equal(constrained, REAL([[0, 0], [2, 2]]))


STEP = {"inputs": REAL([0.1, 0.5, 1.0]), "rates": (0.5, -0.25, -2.0, 1.0), "max_time": 1.0}


@pytest.mark.parametrize(
    ("error", "spike", "ignore_silent", "change"),
    [
        (1.0, 0.2, False, [0.5, -0.25, -0.25]),
        (1.0, 0.2, True, [0.5, -0.25, 0]),
        (-1.0, 0.5, False, [-2.0, -2.0, 1.0]),
        (1.0, 1.0, True, [0.5, 0.5, 0.5]),  # a silent neuron: every input is causal, silent ones too
    ],
)
def test_additive_step_by_hand(error, spike, ignore_silent, change):
    weights, settings = np.zeros((1, 3), REAL), {**STEP, "ignore_silent": ignore_silent}
    moved = reference.stdp(weights, REAL([error]), spikes=REAL([spike]), **settings)
    assert_array_equal(moved, REAL([change]))


def test_multiplicative_step_is_full_at_the_limit_it_leaves():
    weights, errors, causal = REAL([[0, 1, 0, 1]]), REAL([1]), np.array([[True, True, False, False]])
    moved = reference.multiplicative(weights, errors, causal, (0.5, -0.5, -0.5, 0.5), beta=2.0)
    far = 0.5 * np.exp(-2)
    assert_allclose(moved, [[0.5, 1 + far, -far, 0.5]], rtol=1e-6)


def test_s2stdp_error_by_hand():
    spikes, own = REAL([0.25, 0.75, 1.0, 0.5]), np.array([True, False, False, False])
    errors = reference.s2stdp_errors(spikes, np.arange(4), own, 1.0, t_gap=0.25, n_target=1)
    # mean 0.5; the target neuron wants 0.5 - 3/16, the others 0.5 + 1/16
    assert_array_equal(errors, REAL([-0.0625, 0.1875, 0.4375, -0.0625]))
    settings = {"t_gap": 0.25, "n_target": 1, "use_time_ranges": True}
    bounded = reference.s2stdp_errors(spikes, np.arange(4), own, 1.0, **settings)
    assert_array_equal(bounded, REAL([0, 0, 0, -0.0625]))


def test_s2stdp_of_a_silent_layer_aims_before_max_time():
    spikes, own = REAL([1, 1]), np.array([False, True])
    errors = reference.s2stdp_errors(spikes, np.arange(2), own, 1.0, t_gap=0.5, n_target=1)
    assert_array_equal(errors, REAL([0, 0.5]))


def test_s4nn_error_by_hand():
    spikes, own = REAL([0.5, 0.25, 0.375, 1.0]), np.array([True, False, False, False])
    errors = reference.s4nn_errors(spikes, np.arange(4), own, 1.0, t_gap=0.5)
    assert_allclose(errors, np.array([0.25, -0.5, -0.375, 0]) / np.sqrt(0.0625 + 0.25 + 0.140625), rtol=1e-6)
    without_losers = reference.s4nn_errors(spikes, np.array([0, 1]), own, 1.0, t_gap=0.5)
    assert_allclose(without_losers, np.array([0.25, -0.5, 0, 0]) / np.sqrt(0.3125), rtol=1e-6)


def test_adaptive_rates_reward_by_the_wrong_and_punish_by_the_right_answers():
    assert reference.rstdp_rates((1.0, -2.0, -3.0, 4.0), 0.25) == (0.75, -1.5, -0.75, 1.0)


def test_regulation_moves_thresholds_apart_and_keeps_their_sum():
    thresholds, group = REAL([5, 5, 5, 5]), np.array([1, 2, 3])
    assert_allclose(reference.regulate(thresholds, group, 2, 0.75), [5, 4.75, 5.5, 4.75])
    assert_allclose(reference.regulate(thresholds, group, 2, 0.75, floor=REAL(5)), [5, 5, 5.5, 5])


def test_philox_gives_the_published_words_at_counter_zero():
    # Known-answer test of Philox4x64-10 for a key and a counter of zeros (Salmon et al., SC 2011, Random123).
    words = [0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B]
    assert reference.philox_block((0, 0), (0, 0, 0, 0)).tolist() == words


def test_philox_runs_through_neighbouring_blocks():
    key, counter = (2**64 - 1, 0), (0, 3, 2**32, 1)
    words = np.concatenate([reference.philox_block(key, (block, *counter[1:])) for block in range(3)])
    assert_array_equal(reference.philox_words(key, counter, 11), words[:11])


def test_dropout_differs_between_epochs_samples_layers_and_streams():
    places = [(1, 0, 0, 0), (2, 0, 0, 0), (1, 1, 0, 0), (1, 0, 1, 0), (1, 0, 0, 1)]
    masks = [reference.dropped(key, sample, layer, 64, 0.5, stream) for key, sample, layer, stream in places]
    assert len({tuple(mask) for mask in masks}) == len(places)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_drops_its_share(rate):
    share = np.mean([reference.dropped(0, sample, 0, 1000, rate).mean() for sample in range(20)])
    assert share == pytest.approx(rate, abs=0.01)  # three standard deviations of 20,000 draws


def test_early_stopping_waits_for_a_strict_rise_above_the_best():
    assert reference.epochs_until_stop([0.5, 0.6, 0.6, 0.5, 0.9], patience=2) == 4
    assert reference.epochs_until_stop([0.0, 0.0, 0.9], patience=2) == 2
    assert reference.epochs_until_stop([0.5, 0.4, 0.3], patience=0) == 3


def test_a_grid_point_is_given_up_only_from_the_fourth_epoch_on():
    assert not reference.gives_up(2, [0.1], stop_acc=0.5)
    assert reference.gives_up(3, [0.9, 0.1], stop_acc=0.5)
    assert not reference.gives_up(3, [0.5], stop_acc=0.5)
