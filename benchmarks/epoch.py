"""One epoch of training, from the outside: every rule, and every axis on which its cost depends."""

import functools
import time

from benchmarks import names_of_the_package
from benchmarks.cases import CASES
from benchmarks.cases import Sources
from benchmarks.cases import settings
from benchmarks.cases import spike_times
from benchmarks.cases import trained


@functools.lru_cache(maxsize=1)
def pixels(n_samples, n_inputs=784, n_spikes=151):
    """Return the data set of `spike_times`; setups of the same state share it."""
    with names_of_the_package():
        from spikenn_cy import SpikingDataset
    return SpikingDataset.from_numpy(*spike_times(n_samples, n_inputs, n_spikes))


@functools.lru_cache(maxsize=1)
def after_one_epoch(method, n_samples, n_inputs=784, n_spikes=151, **changes):
    """Return `trained`'s function for the settings of a method."""
    return trained(pixels(n_samples, n_inputs, n_spikes), settings(method, **changes))


class Rules:
    """The second epoch on pixels-like data; linear in ``n_samples``.

    S2-STDP+NCG moves one of a class's five neurons, S2-STDP, SSTDP and S4NN without competition every neuron, and
    R-STDP one of the layer. ``track_accuracy`` is here to show a speed-up that changes results.
    """

    params = (["s2stdp+ncg", "s2stdp", "sstdp", "rstdp", "s4nn"], [500, 2_000])
    param_names = ("rule", "n_samples")
    timer = time.process_time
    number = 1
    timeout = 120

    def setup(self, rule, n_samples):
        threshold = 50 if rule == "rstdp" else 20  # its weights are larger
        self.dataset = pixels(n_samples)
        self.model = after_one_epoch(rule, n_samples, firing_threshold=threshold)()
        self.model.partial_fit(self.dataset[:1])  # scratch arrays are made once a run

    def time_epoch(self, *_):
        self.model.partial_fit(self.dataset)

    def track_accuracy(self, *_):
        self.model.fit(self.dataset, epochs=1)
        return self.model.score(self.dataset)

    track_accuracy.unit = "share of right classes"


class Spikes:
    """S2-STDP+NCG on 4,608 inputs; the forward pass is linear in the spikes before the decision, the update flat.

    The threshold rises with the spikes, so that half of them are seen whatever their number.
    """

    params = ([300, 600, 1_200],)
    param_names = ("n_spikes",)
    timer = time.process_time
    number = 1
    timeout = 120

    def setup(self, n_spikes):
        data = {"n_samples": 500, "n_inputs": 4_608, "n_spikes": n_spikes}
        self.dataset = pixels(**data)
        self.model = after_one_epoch("s2stdp+ncg", **data, firing_threshold=0.15 * n_spikes)()
        self.model.partial_fit(self.dataset[:1])

    def time_epoch(self, n_spikes):
        self.model.partial_fit(self.dataset)


class Inputs:
    """S2-STDP+NCG at 151 spikes a sample; the update is linear in ``n_inputs``, the forward pass flat."""

    params = ([784, 1_568, 6_272],)
    param_names = ("n_inputs",)
    timer = time.process_time
    number = 1
    timeout = 120

    def setup(self, n_inputs):
        data = {"n_samples": 500, "n_inputs": n_inputs}
        self.dataset = pixels(**data)
        self.model = after_one_epoch("s2stdp+ncg", **data)()
        self.model.partial_fit(self.dataset[:1])

    def time_epoch(self, n_inputs):
        self.model.partial_fit(self.dataset)


class UpdatedNeurons:
    """S2-STDP without competition moves every neuron; linear in ``n_neurons``.

    With competition between the same neurons one a class moves: the time goes down to that of ten, and of a forward
    pass that ends earlier.
    """

    params = ([10, 40, 80], [False, True])
    param_names = ("n_neurons", "competition")
    timer = time.process_time
    number = 1
    timeout = 120

    def setup(self, n_neurons, competition):
        config = settings("s2stdp", n_neurons=n_neurons)
        config["optimizer"]["class_inhib"] = competition
        self.dataset = pixels(500)
        self.model = trained(self.dataset, config)()
        self.model.partial_fit(self.dataset[:1])

    def time_epoch(self, *_):
        self.model.partial_fit(self.dataset)


class Goals:
    """The second epoch of each case of the table of goals, on made data; see ``python -m benchmarks.targets``."""

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
        self.model.partial_fit(self.dataset[:1])

    def time_epoch(self, name):
        self.model.partial_fit(self.dataset)

    def track_accuracy(self, name):
        self.model.fit(self.dataset, epochs=1)
        return self.model.score(self.dataset)

    track_accuracy.unit = "share of right classes"


@functools.lru_cache(maxsize=1)
def goal(name, n_samples=400):
    """Return a case's first samples, and `trained`'s function for them."""
    dataset = Sources().dataset(CASES[name], n_samples)
    return dataset, trained(dataset, CASES[name].settings)


WIDE = {"n_samples": 60, "n_inputs": 24_576, "n_spikes": 6_150}


class Threads:
    """Wall-clock time of a wide layer's epoch, whose samples threads share; falls up to the number of processors."""

    params = ([1, 2],)
    param_names = ("n_threads",)
    number = 1
    timeout = 120

    def setup(self, n_threads):
        self.dataset = pixels(**WIDE)
        self.model = after_one_epoch("s2stdp+ncg", **WIDE, firing_threshold=800)()
        self.model.partial_fit(self.dataset[:1])

    def time_epoch(self, n_threads):
        self.model.partial_fit(self.dataset, n_threads=n_threads)


class Ways:
    """An epoch by each way to find first spikes that serves the rule: the same bits."""

    params = (["s2stdp+ncg exact", "s2stdp+ncg screening", "rstdp exact", "rstdp input_major"],)
    param_names = ("rule_and_way",)
    timer = time.process_time
    number = 1
    timeout = 120

    def setup(self, rule_and_way):
        rule, self.way = rule_and_way.split()
        data = {"n_samples": 500, "n_inputs": 4_608, "n_spikes": 1_425}
        self.dataset = pixels(**data)
        self.model = after_one_epoch(rule, **data, firing_threshold=500 if rule == "rstdp" else 200)()
        with names_of_the_package():
            self.model.partial_fit(self.dataset[:1], forward=self.way)

    def time_epoch(self, *_):
        self.model.partial_fit(self.dataset, forward=self.way)


class OneSample:
    """A thousand steps of what an online system does with one prepared sample at a time; milliseconds read as µs."""

    timer = time.process_time
    number = 1
    timeout = 60

    def setup(self):
        dataset = pixels(500)
        self.model = after_one_epoch("s2stdp+ncg", 500)()
        self.sample = dataset[:1]
        self.model.partial_fit(self.sample)

    def time_partial_fit(self):
        for _ in range(1_000):
            self.model.partial_fit(self.sample)
