"""Without these tests the twin of the network would only be a second opinion: they hold it to the golden arrays."""

from itertools import pairwise

import network_reference as reference
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from network_golden_files import NAMES
from network_golden_files import SETTINGS
from network_golden_files import NetworkGolden
from network_reference import Convolution
from network_reference import Dense
from network_reference import Network
from numpy.testing import assert_allclose
from numpy.testing import assert_array_equal
from reference import REAL
from reference import sample_of
from tables import examples
from tables import some

pytestmark = pytest.mark.quick

SEEDS = st.integers(0, 2**32 - 1)
FAR = 1e6  # a threshold that no potential reaches


def golden_network(golden):
    layers = []
    for weights, rate, feedback in zip(
        golden.weights("start"), golden.settings["rates"], golden.feedback("start"), strict=True
    ):
        if weights.ndim == 4:
            shape = [golden.settings[key] for key in ("input_shape", "padding", "pool")]
            layers.append(Convolution(weights, *shape, rate=rate, feedback=feedback))
        else:
            layers.append(Dense(weights, rate=rate, feedback=feedback))
    settings = {key: golden.settings[key] for key in SETTINGS}
    shape = {"n_classes": golden.n_classes, "max_time": golden.max_time}
    return Network(layers, **shape, decision_at=golden.settings["T0"], **settings)


# Golden arrays


@pytest.mark.parametrize("name", some(NAMES, 1))
def test_training_follows_the_golden_trajectory(name):
    golden = NetworkGolden(name)
    network = golden_network(golden)
    decisions = list(network.fit(golden.samples, golden.settings["epochs"]))
    assert_array_equal([decision.predicted for decision in decisions], golden.predictions)
    assert_array_equal([decision.time for decision in decisions], golden.decision_times)
    assert_array_equal([decision.learned for decision in decisions], golden.learned)
    assert network.output.threshold == golden.theta_out[0]
    for layer, weights, feedback in zip(network.layers, golden.weights("end"), golden.feedback("end"), strict=True):
        assert_allclose(layer.weights, weights, rtol=0, atol=1e-6)
        if feedback is not None:
            assert_allclose(layer.feedback, feedback, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("deep/")])
def test_golden_rates_are_those_of_the_table(name):
    golden = NetworkGolden(name)
    widths = golden.settings["hidden"]
    below = [reference.mean_spikes(golden.samples), *widths]
    kinds = ["first", *["further"] * (len(widths) - 1), "output"] if widths else ["only"]
    rates = [reference.defaults(kind, n)[2] for kind, n in zip(kinds, below, strict=True)]
    assert_allclose(rates, golden.settings["rates"], rtol=1e-12)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("deep/")])
def test_golden_decision_time_is_the_quantile_of_all_spike_times(name):
    golden = NetworkGolden(name)
    assert reference.decision_time_wanted(golden.samples, golden.max_time) == golden.settings["T0"]


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("deep_conv/")])
def test_golden_patches_hold_as_many_spikes_as_counted_here(name):
    golden = NetworkGolden(name)
    shape = [golden.settings[key] for key in ("input_shape", "kernel_size", "padding")]
    found = reference.mean_patch_spikes(golden.samples, *shape)
    assert found == pytest.approx(golden.settings["mean_patch_spikes"], rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_golden_weights_were_drawn_as_the_table_says(name):
    golden = NetworkGolden(name)
    starts = golden.weights("start")
    if golden.convolves:
        kinds = ["convolution", "output on pooled units"]
        sizes = [golden.settings["mean_patch_spikes"], starts[1].shape[1]]
    else:
        widths = golden.settings["hidden"]
        kinds = ["first", *["further"] * (len(widths) - 1), "output"] if widths else ["only"]
        sizes = [reference.mean_spikes(golden.samples), *widths]
    for kind, n, weights in zip(kinds, sizes, starts, strict=True):
        mean, deviation, _ = reference.defaults(kind, n)
        assert abs(weights.mean() - mean) < 5 * deviation / np.sqrt(weights.size)
        assert abs(weights.std() - deviation) < 5 * deviation / np.sqrt(2 * weights.size)


# Small cases


def random_sample(rng, n_inputs, n_classes, max_time=1.0, levels=6):
    """A sample with ties and silent inputs."""
    times = rng.integers(0, levels + 1, n_inputs) / levels * max_time
    return *sample_of(times, max_time), int(rng.integers(n_classes))


def dense_network(rng, sizes, *, neurons_per_class=1, **options):
    """A network of dense layers whose last one has the classes' neurons; every layer has feedback weights."""
    n_classes = sizes[-1]
    sizes = [*sizes[:-1], n_classes * neurons_per_class]
    layers = [
        Dense(
            rng.normal(1.5 / below, 1 / below, (above, below)),
            threshold=0.5,
            rate=0.1,
            feedback=rng.normal(0, 1, (above, n_classes)),
        )
        for below, above in pairwise(sizes)
    ]
    return Network(layers, n_classes=n_classes, max_time=1.0, decision_at=0.5, **options)


def convolution_network(rng, *, input_shape=(6, 5, 2), kernel_size=3, padding=1, pool=2, n_filters=4, **options):
    weights = rng.normal(0.15, 0.3, (n_filters, kernel_size, kernel_size, input_shape[2]))
    first = Convolution(weights, input_shape, padding, pool, rate=0.1)
    first.feedback = rng.normal(0, 1, (first.n_units, 3)).astype(REAL)
    output = Dense(rng.normal(0.2, 0.3, (3, first.n_units)), rate=0.1)
    return Network([first, output], n_classes=3, max_time=1.0, decision_at=0.5, **options)


def state(network):
    return [layer.weights.copy() for layer in network.layers]


def feedback_of(network):
    return [layer.feedback.copy() for layer in network.layers[:-1]]


# Forward and decision


def test_hidden_spike_charges_the_next_layer_in_the_same_group():
    hidden, output = Dense([[1.0, 1.0]], threshold=0.5), Dense([[2.0], [3.0]], threshold=1.0)
    network = Network([hidden, output], n_classes=2, max_time=1.0, decision_at=0.5)
    decision = network.run(np.array([0, 1]), np.array([0.25, 0.75], REAL))
    assert (decision.predicted, decision.time, decision.n_inputs) == (1, 0.25, 1)


def test_neuron_at_its_threshold_does_not_fire():
    network = Network([Dense([[0.5, 0.5]])], n_classes=1, max_time=1.0, decision_at=0.5)
    assert network.run(np.array([0, 1]), np.array([0.25, 0.75], REAL)).time == 1.0


def test_threshold_is_tested_after_the_whole_group():
    network = Network([Dense([[2.0, -1.5]])], n_classes=1, max_time=1.0, decision_at=0.5)
    assert network.run(np.array([0, 1]), np.array([0.25, 0.25], REAL)).time == 1.0


def test_spikes_of_a_group_charge_in_the_order_of_their_indices():
    """float32 has no room for both 1 and 1e8: from left to right these sum to 0, from right to left to 1."""
    weights = [[1.0, 1e8, -1e8]]
    hidden, output = Dense([*weights, *np.eye(3)], threshold=0.5), Dense([[0.0, 1.0, 1e8, -1e8]])
    network = Network([hidden, output], n_classes=1, max_time=1.0, decision_at=0.5)
    network.run(np.array([0, 1, 2]), np.array(3 * [0.25], REAL))
    assert hidden.potentials[0] == 0
    assert output.potentials[0] == 0
    pooled, output = Convolution(np.ones((1, 1, 1, 1)), (1, 3, 1), threshold=0.5), Dense(weights)
    network = Network([pooled, output], n_classes=1, max_time=1.0, decision_at=0.5)
    network.run(np.array([0, 1, 2]), np.array(3 * [0.25], REAL))
    assert output.potentials[0] == 0


def test_hidden_potential_goes_on_until_the_decision():
    hidden, output = Dense([[1.0, 1.0, 1.0]], threshold=0.5), Dense([[0.5]])
    network = Network([hidden, output], n_classes=1, max_time=1.0, decision_at=0.5)
    network.run(np.array([0, 1, 2]), np.array([0.25, 0.5, 0.75], REAL))
    assert (hidden.times[0], hidden.potentials[0]) == (0.25, 3.0)


def test_largest_potential_of_those_that_crossed_decides():
    assert reference.decided(np.array([5.0, 1.5, 2.5, 2.0], REAL), np.array([1, 3]), 1) == 3


def test_without_an_output_spike_the_largest_potential_of_all_decides():
    assert reference.decided(np.array([0.1, 0.3, 0.3, 0.2], REAL), np.array([], int), 2) == 0


def test_tie_goes_to_the_lower_index():
    assert reference.decided(np.array([1.0, 2.0, 2.0], REAL), np.array([1, 2]), 1) == 1
    assert_array_equal(reference.best_of_classes(np.array([1.0, 1.0, 2.0, 3.0], REAL), 2), [0, 3])


@given(SEEDS)
@examples(20)
def test_what_comes_after_the_decision_is_never_seen(seed):
    rng = np.random.default_rng(seed)
    network, again = (dense_network(np.random.default_rng(seed), [8, 5, 3]) for _ in range(2))
    indices, times, label = random_sample(rng, 8, 3)
    decision = network.learn(indices, times, label)
    before = times <= decision.time
    assert again.learn(indices[before], times[before], label) == decision
    for found, expected in zip(state(network), state(again), strict=True):
        assert_array_equal(found, expected)


@given(SEEDS)
@examples(10)
def test_decision_is_at_the_first_spike_of_the_output(seed):
    rng = np.random.default_rng(seed)
    network = convolution_network(rng)
    samples = [random_sample(rng, 60, 3) for _ in range(5)]
    decisions = network.decide(samples)
    assert_array_equal([decision.time for decision in decisions], network.first_spikes(samples).min(axis=1))
    assert_array_equal(
        [decision.n_spikes[0] for decision in decisions], np.sum(network.first_spikes(samples, 0) < 1, axis=1)
    )


# Threshold of the output layer


def test_threshold_rises_after_an_early_decision_and_falls_after_a_late_one():
    settings = {"threshold_rate": 0.1, "decision_at": 0.5, "max_time": 10.0}
    assert reference.threshold_after(REAL(1), REAL(2.5), **settings) == REAL(1.025)
    assert reference.threshold_after(REAL(1), REAL(5), **settings) == REAL(1)
    assert reference.threshold_after(REAL(1), REAL(10), **settings) == REAL(0.95)


def test_threshold_moves_also_when_nothing_else_learns():
    network = dense_network(np.random.default_rng(0), [8, 5, 3], skip=2.0)
    before, threshold = state(network), network.output.threshold
    decision = network.learn(*random_sample(np.random.default_rng(1), 8, 3))
    assert not decision.learned
    assert network.output.threshold != threshold
    for found, expected in zip(state(network), before, strict=True):
        assert_array_equal(found, expected)


# Errors


@given(SEEDS, st.integers(2, 6))
def test_softmax_error_is_the_gradient_of_the_log_likelihood(seed, n_classes):
    rng = np.random.default_rng(seed)
    potentials, label = rng.normal(0, 0.3, n_classes).astype(REAL), int(rng.integers(n_classes))
    temperature, small = 0.2, 1e-6

    def log_likelihood(values):
        return values[label] / temperature - np.log(np.sum(np.exp(values / temperature)))

    errors = reference.softmax(potentials, label, temperature=temperature, skip=0.0)
    steps = small * np.eye(n_classes)
    slopes = [(log_likelihood(potentials + up) - log_likelihood(potentials - up)) / (2 * small) for up in steps]
    assert_allclose(errors, temperature * np.array(slopes), atol=1e-6)


@given(SEEDS, st.integers(1, 6), st.sampled_from(["softmax", "hinge"]))
def test_errors_sum_to_zero_over_the_classes(seed, n_classes, error):
    rng = np.random.default_rng(seed)
    potentials, label = rng.normal(0, 0.3, n_classes).astype(REAL), int(rng.integers(n_classes))
    errors = reference.ERRORS[error](potentials, label, temperature=0.2, skip=0.0, margin=0.5)
    assert errors is None or abs(errors.sum()) < 1e-6


def test_softmax_learns_nothing_from_a_sample_that_is_surely_right():
    potentials = np.array([2.0, 0.0], REAL)
    assert reference.softmax(potentials, 0, temperature=0.2, skip=0.1) is None
    assert reference.softmax(potentials, 1, temperature=0.2, skip=0.1) is not None


def test_hinge_shares_the_punishment_among_the_classes_within_the_margin():
    errors = reference.hinge(np.array([1.0, 0.75, 0.5, 2.0], REAL), 0, margin=0.5)
    assert_array_equal(errors, [1, -0.5, 0, -0.5])
    assert reference.hinge(np.array([1.0, 0.5], REAL), 0, margin=0.5) is None


def test_window_is_one_at_the_threshold_and_half_a_window_away():
    found = reference.pseudo_derivative(np.array([2.0, 3.0, 1.0], REAL), REAL(2), 0.5)
    assert_array_equal(found, [1, 0.5, 0.5])


@given(SEEDS)
@examples(30)
def test_credit_is_the_transpose_of_charging(seed):
    rng = np.random.default_rng(seed)
    for layer in (dense_network(rng, [7, 4]).layers[0], convolution_network(rng).layers[0]):
        n_inputs = int(np.prod(getattr(layer, "input_shape", layer.weights.shape[1:])))
        errors, inputs = rng.normal(0, 1, layer.shape).astype(REAL), rng.permutation(n_inputs)[: n_inputs // 2]
        layer.begin(1.0)
        for i in inputs:
            layer.charge(i)
        forward, back = np.sum(layer.potentials * errors), layer.credit_below(errors)[inputs].sum()
        assert forward == pytest.approx(back, rel=1e-4, abs=1e-4)


# Update


@given(SEEDS, st.sampled_from(["softmax", "hinge"]), st.integers(1, 3))
@examples(30)
def test_single_layer_moves_by_its_error_from_the_inputs_until_the_decision(seed, error, neurons_per_class):
    rng = np.random.default_rng(seed)
    network = dense_network(rng, [8, 3], neurons_per_class=neurons_per_class, error=error)
    (before,) = state(network)
    indices, times, label = random_sample(rng, 8, 3)
    decision = network.learn(indices, times, label)
    moved = network.output.weights - before
    assert not moved[:, ~np.isin(np.arange(8), indices[times <= decision.time])].any()
    if decision.learned and decision.n_inputs:
        by_class = moved.reshape(3, neurons_per_class, 8)
        assert (np.count_nonzero(by_class.any(axis=2), axis=1) <= 1).all()  # only the best output of a class
        assert (by_class[label] >= 0).all()
        assert (np.delete(by_class, label, axis=0) <= 0).all()


def test_silent_hidden_neuron_learns_from_every_input_until_the_decision():
    silent, firing = [0.25, 0.25, 0.0], [1.0, 0.0, 0.0]
    hidden, output = Dense([silent, firing], threshold=0.5, rate=1.0), Dense([[1.0, 0.0], [-1.0, 2.0]], rate=1.0)
    network = Network([hidden, output], n_classes=2, max_time=1.0, decision_at=0.5)
    before = hidden.weights.copy()
    decision = network.learn(np.array([0, 1, 2]), np.array([0.25, 0.25, 0.5], REAL), 0)
    assert decision.time == 0.25
    assert_array_equal((hidden.weights != before), [[True, True, False], [True, True, False]])
    assert hidden.weights[0, 0] > before[0, 0]
    assert_array_equal(output.weights[:, 0], [1.0, -1.0])  # from a silent neuron the output learns nothing
    assert_array_equal(output.weights[:, 1] > [0.0, 2.0], [True, False])


def test_hidden_neuron_learns_nothing_from_inputs_after_its_spike():
    hidden, output = Dense([[1.0, 1.0]], threshold=0.5, rate=1.0), Dense([[0.5], [0.4]], threshold=FAR, rate=1.0)
    network = Network([hidden, output], n_classes=2, max_time=1.0, decision_at=0.5)
    network.learn(np.array([0, 1]), np.array([0.25, 0.5], REAL), 1)
    assert hidden.weights[0, 0] != 1.0
    assert hidden.weights[0, 1] == 1.0


@given(SEEDS)
@examples(30)
def test_credit_uses_the_weights_before_the_update(seed):
    rng = np.random.default_rng(seed)
    sample = random_sample(rng, 8, 3)
    slow, fast = (dense_network(np.random.default_rng(seed), [8, 5, 3]) for _ in range(2))
    slow.output.rate = 0.0
    slow.learn(*sample)
    fast.learn(*sample)
    assert_array_equal(slow.layers[0].weights, fast.layers[0].weights)


def test_mirrored_feedback_moves_as_the_output_weights_do():
    """From a start at which both are equal, they stay so: what is sent back mirrors the weights and carries none."""
    rng = np.random.default_rng(3)
    network = dense_network(rng, [8, 5, 3], feedback="mirrored")
    network.layers[0].feedback = network.output.weights.T.copy()
    start = network.output.weights.copy()
    samples = [random_sample(rng, 8, 3) for _ in range(50)]
    assert any(decision.learned for decision in network.fit(samples, 2))
    assert (network.output.weights != start).any()
    assert_array_equal(network.layers[0].feedback, network.output.weights.T)


def test_random_feedback_stays_as_it_was_drawn_and_slows_the_hidden_layers_25_times():
    sample = random_sample(np.random.default_rng(1), 8, 3)
    mirrored, fixed = (
        dense_network(np.random.default_rng(0), [8, 5, 4, 3], feedback=f) for f in ("mirrored", "random")
    )
    before = feedback_of(fixed)
    starts = state(fixed)
    assert mirrored.learn(*sample).learned
    assert fixed.learn(*sample).learned
    for found, expected in zip(feedback_of(fixed), before, strict=True):
        assert_array_equal(found, expected)
    for depth in range(2):
        moved = [network.layers[depth].weights - starts[depth] for network in (mirrored, fixed)]
        assert moved[0].any()
        assert_allclose(25 * moved[1], moved[0], atol=1e-5)
    assert_array_equal(fixed.output.weights, mirrored.output.weights)


# Rates


def test_rates_fall_by_epoch_from_the_first_one_towards_the_final_share():
    factors = [reference.rate_factor(epoch, 4, 0.02) for epoch in range(5)]
    assert (factors[0], factors[-1]) == (1.0, 0.02)
    assert_allclose(np.diff(np.log(factors)), np.log(0.02) / 4)


def test_rates_may_fall_every_5000_samples():
    factors = [reference.rate_factor_by_samples(seen, 20_000, 0.02) for seen in (0, 4_999, 5_000, 19_999)]
    assert_allclose(factors, [1, 1, 0.02**0.25, 0.02**0.75])


def test_online_training_keeps_the_first_rates():
    rng = np.random.default_rng(5)
    samples = [random_sample(rng, 8, 3) for _ in range(20)]
    online, one_epoch = (dense_network(np.random.default_rng(0), [8, 5, 3]) for _ in range(2))
    assert list(online.partial_fit(samples)) == list(one_epoch.fit(samples, 1))
    assert_array_equal(online.output.weights, one_epoch.output.weights)


# Convolution


@given(SEEDS, st.sampled_from(["transport", "mirrored"]))
@examples(20)
def test_convolution_with_one_position_is_a_dense_layer(seed, feedback):
    rng = np.random.default_rng(seed)
    shape = {"input_shape": (3, 3, 2), "kernel_size": 3, "padding": 0, "pool": 1}
    network = convolution_network(rng, **shape, feedback=feedback)
    first, output = network.layers
    twin = Dense(first.weights.reshape(4, -1), rate=first.rate, feedback=first.feedback)
    above = Dense(output.weights, rate=output.rate)
    dense = Network([twin, above], n_classes=3, max_time=1.0, decision_at=0.5, feedback=feedback)
    samples = [random_sample(rng, 18, 3) for _ in range(10)]
    assert list(network.fit(samples, 2)) == list(dense.fit(samples, 2))
    assert_array_equal(first.weights.reshape(4, -1), twin.weights)
    assert_array_equal(output.weights, above.weights)
    assert_array_equal(first.feedback, twin.feedback)


@given(SEEDS, st.integers(0, 2), st.integers(1, 3))
@examples(30)
def test_potentials_are_the_correlation_of_kernels_and_spikes(seed, padding, kernel_size):
    rng = np.random.default_rng(seed)
    layer = convolution_network(rng, padding=padding, kernel_size=kernel_size, pool=1).layers[0]
    spikes = rng.integers(0, 2, layer.input_shape)
    layer.begin(1.0)
    layer.advance(np.flatnonzero(spikes), REAL(0.5))
    padded = np.pad(spikes, [(padding, padding), (padding, padding), (0, 0)])
    for y, x, f in np.ndindex(layer.shape):
        expected = np.sum(layer.weights[f] * padded[y : y + kernel_size, x : x + kernel_size])
        assert layer.potentials[y, x, f] == pytest.approx(expected, abs=1e-5)


def one_filter(pool, n_rows, n_columns):
    return Convolution([[[[1.0]]]], (n_rows, n_columns, 1), 0, pool, threshold=0.5)


def test_pooled_unit_fires_with_its_first_position_and_absorbs_the_others():
    layer = one_filter(2, 2, 4)
    layer.begin(1.0)
    assert_array_equal(layer.advance(np.array([6]), REAL(0.25)), [1])
    assert_array_equal(layer.advance(np.array([0, 2]), REAL(0.5)), [0])
    assert_array_equal(layer.unit_times(), [0.5, 0.25])


def test_of_several_positions_the_lowest_row_then_column_opens_the_unit():
    layer = one_filter(2, 2, 2)
    layer.begin(1.0)
    layer.advance(np.array([3, 2, 1]), REAL(0.25))
    assert [int(axis.item()) for axis in layer.credited()] == [0, 1, 0]


def test_credit_of_a_silent_unit_goes_to_the_first_of_its_largest_potentials():
    layer = Convolution([[[[0.25]]]], (2, 2, 1), 0, 2)
    layer.begin(1.0)
    layer.advance(np.array([2, 1]), REAL(0.25))
    assert [int(axis.item()) for axis in layer.credited()] == [0, 1, 0]


def test_positions_that_no_pool_takes_are_cut_off():
    layer = one_filter(2, 3, 3)
    layer.begin(1.0)
    assert not len(layer.advance(np.array([2, 5, 6, 7, 8]), REAL(0.25)))
    errors = layer.errors(np.ones(1), 0.5)
    assert not errors[2].any()
    assert not errors[:, 2].any()


@given(SEEDS)
@examples(20)
def test_one_position_of_each_pooled_unit_gets_the_credit(seed):
    rng = np.random.default_rng(seed)
    network = convolution_network(rng)
    network.run(*random_sample(rng, 60, 3)[:2])
    layer = network.layers[0]
    errors = layer.errors(np.ones(layer.n_units), 0.5)
    assert (np.count_nonzero(layer.pools(errors), axis=2) == 1).all()
    assert (errors[layer.credited()] > 0).all()


@given(SEEDS)
@examples(20)
def test_kernel_moves_by_the_sum_of_its_positions_events(seed):
    rng = np.random.default_rng(seed)
    network = convolution_network(rng)
    indices, times, _ = random_sample(rng, 60, 3)
    decision = network.run(indices, times)
    layer = network.layers[0]
    errors = layer.errors(rng.normal(0, 1, layer.n_units), 0.5)
    expected = layer.weights.astype(np.float64)
    for i, time in zip(indices, times, strict=True):
        y, x, c = np.unravel_index(i, layer.input_shape)
        for row, column, f in np.ndindex(layer.shape):
            dy, dx = y + 1 - row, x + 1 - column
            if 0 <= dy < 3 and 0 <= dx < 3 and time <= min(layer.times[row, column, f], decision.time):
                expected[f, dy, dx, c] += 0.1 * errors[row, column, f]
    layer.learn(errors, 0.1)
    assert_allclose(layer.weights, expected, atol=1e-6)


# Dropout


@pytest.mark.parametrize("build", [lambda rng: dense_network(rng, [60, 5, 3]), convolution_network])
def test_lost_spike_is_not_sent_and_gives_no_update_and_no_credit(build):
    rng = np.random.default_rng(2)
    network = build(rng)
    first = network.layers[0]
    sample = random_sample(rng, 60, 3)
    network.run(*sample[:2])
    fired = first.fired.copy()
    assert fired.any()

    before = state(network)
    decision = network.learn(*sample, lost=[np.ones(first.n_units, bool), None])
    assert decision.time == 1.0
    assert not network.output.potentials.any()
    assert first.fired[fired].all()
    assert_array_equal(network.output.weights, before[1])
    errors = first.errors(np.ones(first.n_units), 0.5)
    of_units = errors[first.credited()].ravel() if isinstance(first, Convolution) else errors
    assert_array_equal(of_units == 0, first.fired)


@given(SEEDS)
@examples(20)
def test_masks_of_units_that_stay_silent_change_nothing(seed):
    rng = np.random.default_rng(seed)
    plain, masked = (convolution_network(np.random.default_rng(seed)) for _ in range(2))
    sample = random_sample(rng, 60, 3)
    plain.run(*sample[:2], training=True)
    silent = ~plain.layers[0].fired
    assert plain.learn(*sample) == masked.learn(*sample, lost=[silent, None])
    assert_array_equal(plain.layers[0].weights, masked.layers[0].weights)


def test_mirrored_feedback_of_a_lost_spike_stays():
    rng = np.random.default_rng(2)
    network = convolution_network(rng, feedback="mirrored")
    before = feedback_of(network)[0]
    lost = rng.random(network.layers[0].n_units) < 0.5
    assert network.learn(*random_sample(rng, 60, 3), lost=[lost, None]).learned
    assert_array_equal((network.layers[0].feedback != before).any(axis=1), network.layers[0].fired & ~lost)


def test_inference_makes_up_for_the_spikes_lost_in_training():
    hidden, output = Dense([[1.0]], threshold=0.5, dropout=0.75), Dense([[2.0]], threshold=FAR)
    network = Network([hidden, output], n_classes=1, max_time=1.0, decision_at=0.5)
    sample = np.array([0]), np.array([0.25], REAL)
    network.run(*sample)
    assert output.potentials[0] == 0.5
    network.run(*sample, training=True)
    assert output.potentials[0] == 2.0


def test_masks_come_by_epoch_and_position():
    asked = []

    def lost(epoch, position):
        asked.append((epoch, position))
        return [np.zeros(5, bool), None]

    rng = np.random.default_rng(0)
    list(dense_network(rng, [8, 5, 3]).fit([random_sample(rng, 8, 3) for _ in range(2)], 2, lost))
    assert asked == [(0, 0), (0, 1), (1, 0), (1, 1)]
