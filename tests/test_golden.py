"""The library against arrays that it did not make: without them it could only agree with its own authors."""

import numpy as np
import pytest
from golden_files import NAMES
from golden_files import STEPS
from golden_files import Golden
from golden_files import assert_same_end
from golden_files import assert_same_step

from spikenn_cy import Readout
from spikenn_cy import SpikingDataset

pytestmark = pytest.mark.quick


def training_and_test_set(golden):
    arrays = (golden.indptr, golden.indices, golden.timestamps, golden.labels)
    dataset = SpikingDataset(*arrays, n_inputs=golden.shape["n_inputs"], max_time=golden.shape["max_time"])
    return dataset[: golden.n_train], dataset[golden.n_train :]


def untrained(golden):
    model = Readout.from_config(golden.config, **golden.shape, seed=0)
    model.layers[-1].weights = golden.W0
    return model


@pytest.mark.parametrize("name", NAMES)
def test_untrained_network_spikes_like_the_golden_one(name):
    golden = Golden(name)
    _, test = training_and_test_set(golden)
    times, potentials = untrained(golden).first_spikes(test)
    np.testing.assert_array_equal(times, golden.forward_t)
    np.testing.assert_array_equal(potentials, golden.forward_v)


@pytest.mark.parametrize("name", NAMES)
def test_training_follows_the_golden_trajectory(name):
    golden = Golden(name)
    train, _ = training_and_test_set(golden)
    for k in STEPS:
        model = untrained(golden)
        history = model.fit(train[:k], epochs=1)
        accuracy = history.train_accuracy[-1]
        assert_same_step(golden, k, model.layers[-1].weights, model.training_thresholds, accuracy)


@pytest.mark.parametrize("name", NAMES)
def test_training_ends_where_the_golden_one_ends(name):
    golden = Golden(name)
    train, test = training_and_test_set(golden)
    model = untrained(golden)
    history = model.fit(train, test=test)
    layer = model.layers[-1]
    assert len(history.epochs) == golden.config["trainer"]["epochs"]
    assert_same_end(golden, layer.weights, layer.thresholds, history.train_accuracy[-1], model.predict(test))
    assert model.score(test) == history.test_accuracy[-1]
