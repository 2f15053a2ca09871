"""Each kernel alone, against a line of NumPy or a value worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikenn_cy.dtypes import REAL
from spikenn_cy.dtypes import STAMP
from spikenn_cy.errors import ConfigError
from spikenn_cy.kernels.dropout import draw_mask
from spikenn_cy.kernels.primitives import use_instructions
from spikenn_cy.kernels.stdp import STDPStep
from spikenn_cy.kernels.stdp import absolute_sums
from spikenn_cy.kernels.stdp import learn_row
from spikenn_cy.kernels.winner import first_to_fire

pytestmark = pytest.mark.quick


def test_the_earliest_spike_wins_whatever_the_potentials():
    assert first_to_fire(np.array([0.5, 0.2, 0.3], STAMP), np.array([9, 1, 5], REAL)) == 1


def test_a_tie_goes_to_the_higher_potential():
    assert first_to_fire(np.array([0.2, 0.2, 0.3], STAMP), np.array([1, 2, 9], REAL)) == 1


def test_a_full_tie_goes_to_the_lowest_neuron():
    assert first_to_fire(np.ones(3, STAMP), np.ones(3, REAL)) == 0


def test_only_neurons_of_the_range_compete():
    assert first_to_fire(np.array([0.0, 0.4, 0.3], STAMP), np.zeros(3, REAL), 1, 3) == 2


@pytest.mark.parametrize(("first", "end"), [(0, 0), (2, 1), (-1, 2), (0, 4)])
def test_a_range_outside_of_the_neurons_is_refused(first, end):
    with pytest.raises(ValueError, match="must be a range"):
        first_to_fire(np.ones(3, STAMP), np.ones(3, REAL), first, end)


def folded_sum(values):
    """Return the sum of |values| over 16 lanes, folded pairwise, in float32."""
    padded = np.zeros(-(-len(values) // 16) * 16, REAL)
    padded[: len(values)] = np.abs(values)
    lane = np.zeros(16, REAL)
    for block in padded.reshape(-1, 16):
        lane += block
    for half in (8, 4, 2, 1):
        lane = lane[:half] + lane[half : 2 * half]
    return lane[0]


def additive(row, input_times, spike, error, *, causal, anticausal, max_time, w_min, w_max, ignore_silent):
    """Return the row after an additive step and its clipping."""
    up, down = REAL.type(float(error) * causal), REAL.type(float(error) * anticausal)
    silent = 0 if ignore_silent else down
    step = np.where(input_times <= spike, up, np.where(input_times < max_time, down, REAL.type(silent)))
    return np.clip(row + step, REAL.type(w_min), REAL.type(w_max))


@pytest.mark.parametrize("n_inputs", [1, 3, 15, 16, 17, 64, 100, 784])
@pytest.mark.parametrize("ignore_silent", [False, True])
@pytest.mark.parametrize("spike", [0.0, 0.5, 1.0])
def test_an_additive_step_is_numpys_to_the_bit(instructions, n_inputs, ignore_silent, spike):
    rng = np.random.default_rng(n_inputs)
    weights = rng.normal(0.3, 0.5, (3, n_inputs)).astype(REAL)
    input_times = np.minimum(rng.random(n_inputs) * 2, 1).astype(STAMP)
    norms = np.array([1, 2, 3], REAL)
    error = REAL.type(0.7)
    settings = {"causal": 0.1, "anticausal": -0.3, "max_time": 1.0, "w_min": -0.2, "w_max": 0.9}
    want = weights.copy()
    want[1] = additive(want[1], input_times, spike, error, ignore_silent=ignore_silent, **settings)
    want[1] *= norms[1] / folded_sum(want[1])
    max_time = settings.pop("max_time")
    step = STDPStep(error, ignore_silent=ignore_silent, **settings)
    learn_row(weights, 1, input_times, (spike, max_time), step, norms)
    np.testing.assert_array_equal(weights, want)  # rows 0 and 2 untouched


def test_nothing_moves_without_an_error(instructions):
    weights = np.full((1, 20), 5, REAL)
    learn_row(weights, 0, np.zeros(20, STAMP), (0.5, 1), STDPStep(0, 1, 1, 0, 1), np.ones(1, REAL))
    assert (weights == 5).all()  # not even clipped or normalised


def test_a_row_that_was_clipped_to_zero_stays_there(instructions):
    weights = np.full((1, 20), 0.1, REAL)
    learn_row(weights, 0, np.zeros(20, STAMP), (0.5, 1), STDPStep(1, -1, -1, 0, 1), np.ones(1, REAL))
    assert (weights == 0).all()


def test_a_multiplicative_step_shrinks_towards_the_bound():
    weights = np.array([[0.0, 0.5, 1.0]], REAL)
    learn_row(weights, 0, np.zeros(3, STAMP), (0.5, 1), STDPStep(1, 0.1, 0, 0, 2, beta=2.0))
    np.testing.assert_allclose(weights[0], [0.1, 0.5 + 0.1 * np.exp(-1), 1 + 0.1 * np.exp(-2)], rtol=1e-6)


@pytest.mark.parametrize("n_inputs", [1, 15, 16, 17, 333])
def test_sums_of_absolute_weights_have_sixteen_lanes(instructions, n_inputs):
    weights = np.random.default_rng(0).normal(size=(4, n_inputs)).astype(REAL)
    np.testing.assert_array_equal(absolute_sums(weights), [folded_sum(row) for row in weights])


@given(
    key=st.integers(0, 2**64 - 1),
    stream=st.integers(0, 1),
    sample=st.integers(0, 2**40),
    layer=st.integers(0, 5),
    n=st.integers(0, 40),
)
def test_dropout_masks_are_words_of_numpys_philox(key, stream, sample, layer, n):
    words = []
    for block in range(-(-n // 4)):
        # NumPy counts on before it makes a block.
        before = (block + (layer << 64) + (sample << 128) + (stream << 192) - 1) % 2**256
        counter = np.array([(before >> 64 * i) % 2**64 for i in range(4)], np.uint64)
        words += np.random.Philox(key=np.array([key, 0], np.uint64), counter=counter).random_raw(4).tolist()
    want = np.array([(word >> 11) * 2.0**-53 < 0.3 for word in words[:n]], bool)
    np.testing.assert_array_equal(draw_mask(key, stream, sample, layer, 0.3, n), want)


def test_an_unknown_instruction_set_is_refused():
    with pytest.raises(ConfigError, match="instruction set: must be one of baseline"):
        use_instructions("sse9")
