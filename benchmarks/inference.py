"""Deciding without learning, from the outside."""

import time

from benchmarks import names_of_the_package
from benchmarks.cases import CASES
from benchmarks.cases import settings
from benchmarks.epoch import after_one_epoch
from benchmarks.epoch import goal
from benchmarks.epoch import pixels


class Deciding:
    """All samples of pixels-like data after one epoch; linear in ``n_samples``.

    `predict` ends a sample at the layer's first spike, `first_spikes` runs every neuron to its own.
    """

    params = ([1_000, 10_000],)
    param_names = ("n_samples",)
    timer = time.process_time
    number = 1
    timeout = 120

    def setup(self, n_samples):
        self.dataset = pixels(n_samples)
        self.model = after_one_epoch("s2stdp+ncg", n_samples)()
        self.model.predict(self.dataset)  # what is made once for deciding is made here, and caches are filled

    def time_predict(self, n_samples):
        self.model.predict(self.dataset)

    def time_first_spikes(self, n_samples):
        self.model.first_spikes(self.dataset)

    def time_score(self, n_samples):
        self.model.score(self.dataset)


class Spikes:
    """4,608 inputs, the threshold at a share of all charge; linear in the spikes until the decision."""

    params = ([0.2, 0.8],)
    param_names = ("decided_after",)
    timer = time.process_time
    number = 1
    timeout = 120
    n_spikes = 600

    def setup(self, decided_after):
        with names_of_the_package():
            from spikenn_cy import Readout
        self.dataset = pixels(2_000, 4_608, self.n_spikes)
        # Weights as drawn all lie about their mean, so that a threshold is a number of spikes.
        config = settings("s2stdp+ncg", firing_threshold=0.3 * decided_after * self.n_spikes, w_init_mean=0.3)
        self.model = Readout.from_config(config, n_inputs=4_608, n_classes=self.dataset.n_classes)
        self.model.predict(self.dataset)

    def time_predict(self, decided_after):
        self.model.predict(self.dataset)


class Goals:
    """Each case of the table of goals, on made data, after one epoch."""

    params = ([name for name in CASES if "500" not in name],)
    param_names = ("case",)
    timer = time.process_time
    number = 1
    timeout = 120

    def setup(self, name):
        with names_of_the_package():
            import spikenn_cy  # noqa: F401
        self.dataset, again = goal(name)
        self.model = again()
        self.model.predict(self.dataset)

    def time_predict(self, name):
        self.model.predict(self.dataset)


class Threads:
    """Wall-clock time; falls with ``n_threads`` up to the number of processors, the same bits with any."""

    params = ([1, 2],)
    param_names = ("n_threads",)
    number = 1
    timeout = 120
    n_samples = 4_000

    def setup(self, n_threads):
        self.dataset = pixels(self.n_samples, 1_568, 400)
        self.model = after_one_epoch("s2stdp+ncg", self.n_samples, 1_568, 400, firing_threshold=60)()
        self.model.predict(self.dataset)

    def time_predict(self, n_threads):
        self.model.predict(self.dataset, n_threads=n_threads)

    def time_first_spikes(self, n_threads):
        self.model.first_spikes(self.dataset, n_threads=n_threads)

    def time_score(self, n_threads):
        self.model.score(self.dataset, n_threads=n_threads)


class OneSample:
    """A thousand decisions of one prepared sample each; milliseconds read as µs."""

    timer = time.process_time
    number = 1
    timeout = 60

    def setup(self):
        dataset = pixels(500)
        self.model = after_one_epoch("s2stdp+ncg", 500)()
        self.sample = dataset[:1]
        self.model.predict(self.sample)

    def time_predict(self):
        for _ in range(1_000):
            self.model.predict(self.sample)

    def time_predict_and_learn(self):
        for _ in range(1_000):
            self.model.predict(self.sample)
            self.model.partial_fit(self.sample)
