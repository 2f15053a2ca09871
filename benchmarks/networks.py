"""Networks that learn in every layer, from the outside: an epoch, decisions, and one sample at a time."""

import copy
import functools
import time

from benchmarks import names_of_the_package
from benchmarks.cases import spike_times
from benchmarks.cases import trained

SIDE = 28  # pixels
NETWORKS = {
    "dense 784-400-10": [{"n_neurons": 400}, {"n_neurons": 10}],
    "dense 784-100": [{"n_neurons": 100}],
    "conv 64 of 5 x 5": [{"type": "conv", "n_filters": 64, "kernel_size": 5, "pool": 2}, {"n_neurons": 10}],
}


def settings(name):
    """Return the settings of a network, whose samples stay in order so that counts belong to samples."""
    return {
        "network": copy.deepcopy(NETWORKS[name]),
        "optimizer": {"method": "decision_time", "decision_at": 0.5},
        "trainer": {"shuffle": False},
    }


@functools.lru_cache(maxsize=1)
def pixels(n_samples):
    """Return pixels-like data with the shape of images; setups of the same state share it."""
    with names_of_the_package():
        from spikenn_cy import SpikingDataset
    X, y = spike_times(n_samples)
    return SpikingDataset.from_numpy(X.reshape(n_samples, SIDE, SIDE, 1), y)


@functools.lru_cache(maxsize=1)
def after_one_epoch(name, n_samples):
    """Return `trained`'s function for a network."""
    return trained(pixels(n_samples), settings(name))


class Epoch:
    """The second epoch; linear in ``n_samples``, and in the spikes until the decision times the neurons."""

    params = (list(NETWORKS), [200, 1_000])
    param_names = ("network", "n_samples")
    timer = time.process_time
    number = 1
    timeout = 120

    def setup(self, name, n_samples):
        self.dataset = pixels(n_samples)
        with names_of_the_package():
            self.model = after_one_epoch(name, n_samples)()
        self.model.partial_fit(self.dataset[:1])

    def time_epoch(self, *_):
        self.model.partial_fit(self.dataset)

    def track_accuracy(self, *_):
        self.model.fit(self.dataset, epochs=1)
        return self.model.score(self.dataset)

    track_accuracy.unit = "share of right classes"


class Deciding:
    """All samples after one epoch; `predict` ends a sample at the first output spike, `first_spikes` does not."""

    params = (list(NETWORKS), [200, 1_000])
    param_names = ("network", "n_samples")
    timer = time.process_time
    number = 1
    timeout = 120

    def setup(self, name, n_samples):
        self.dataset = pixels(n_samples)
        with names_of_the_package():
            self.model = after_one_epoch(name, n_samples)()
        self.model.predict(self.dataset)

    def time_predict(self, *_):
        self.model.predict(self.dataset)

    def time_first_spikes(self, *_):
        self.model.first_spikes(self.dataset)


class OneSample:
    """A hundred steps of what an online system does with one prepared sample at a time."""

    params = (list(NETWORKS),)
    param_names = ("network",)
    timer = time.process_time
    number = 1
    timeout = 60

    def setup(self, name):
        with names_of_the_package():
            self.model = after_one_epoch(name, 200)()
        self.sample = pixels(200)[:1]
        self.model.partial_fit(self.sample)

    def time_predict(self, *_):
        for _ in range(100):
            self.model.predict(self.sample)

    def time_partial_fit(self, *_):
        for _ in range(100):
            self.model.partial_fit(self.sample)
