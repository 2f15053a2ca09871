"""Memory begins at a cache line where kernels need it."""

import pickle

import numpy as np
import pytest

from spikenn_cy import Readout
from spikenn_cy import SpikingDataset
from spikenn_cy.utils.alignment import CACHE_LINE
from spikenn_cy.utils.alignment import aligned
from spikenn_cy.utils.alignment import as_aligned

pytestmark = pytest.mark.quick


def begins_at_a_cache_line(array):
    return array.ctypes.data % CACHE_LINE == 0


@pytest.mark.parametrize("shape", [1, 16, 1001, (3, 7), (64, 64)])
@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.float64])
def test_aligned_memory_is_zero_and_begins_at_a_cache_line(shape, dtype):
    for _ in range(5):
        array = aligned(shape, dtype)
        assert begins_at_a_cache_line(array)
        assert array.flags.c_contiguous
        assert array.flags.writeable
        np.testing.assert_array_equal(array, np.zeros(shape, dtype), strict=True)
        array += 1


def test_an_array_beside_a_cache_line_is_copied_and_another_is_not():
    there = aligned((5, 8), np.float32)
    beside = aligned(41, np.float32)[1:].reshape(5, 8)
    beside[...] = np.arange(40).reshape(5, 8)
    assert as_aligned(there) is there
    copy = as_aligned(beside)
    assert begins_at_a_cache_line(copy)
    assert not np.shares_memory(copy, beside)
    np.testing.assert_array_equal(copy, beside, strict=True)


def drawn(model):
    return model


def assigned(model):
    model.layers[-1].weights = aligned(601, np.float32)[1:].reshape(20, 30) + 0.5
    return model


def pickled(model):
    return pickle.loads(pickle.dumps(model))


@pytest.mark.parametrize("come", [drawn, assigned, pickled], ids=lambda f: f.__name__)
def test_weights_that_learn_begin_a_line_wherever_they_came_from(come):
    data = SpikingDataset.from_numpy(np.arange(120).reshape(4, 30) * 7 % 31 / 31, [0, 1, 2, 3])
    rule = {"method": "s2stdp", "ap": 0.1, "am": -0.1, "t_gap": 0.1}
    config = {"network": [{"n_neurons": 20, "firing_threshold": 5}], "optimizer": rule}
    model = come(Readout.from_config(config, 30, 4, seed=0))
    model.partial_fit(data)
    assert begins_at_a_cache_line(model.layers[-1].rows.array)
    before = model.layers[-1].weights
    model.partial_fit(data)
    assert not np.array_equal(model.layers[-1].weights, before)  # the aligned array is the one that learns
