"""The cost laws as figures: the power with which time grows along an axis, which asv draws over commits."""

import math
import time

import numpy as np

from benchmarks import names_of_the_package
from benchmarks.cases import layer_of
from benchmarks.kernels import ChargeLanes
from benchmarks.kernels import ChargeRows
from benchmarks.kernels import LearnRow


def power(call, sizes, repeats=7):
    """Return the power of ``size`` with which the least process time of ``call(size)()`` grows, by its ends.

    Sizes take turns, so that another process that comes or goes slows all of them.
    """
    works = [call(size) for size in sizes]
    least = [math.inf] * len(works)
    for _ in range(repeats):
        for number, work in enumerate(works):
            work()  # pages and caches are met before
            start = time.process_time()
            work()
            least[number] = min(least[number], time.process_time() - start)
    return math.log(least[-1] / least[0]) / math.log(sizes[-1] / sizes[0])


class Laws:
    """Powers of growth: 1 is linear, 0 is flat."""

    timeout = 120

    def setup(self):
        with names_of_the_package():
            import spikenn_cy  # noqa: F401

    def track_training_by_spikes_until_the_decision(self):
        """The forward pass of training, 50 neurons: 1."""

        def call(n_spikes):
            kernel = ChargeRows()
            kernel.setup(n_spikes, 4_608, 50)
            return kernel.time_charge

        return power(call, (256, 4_096))

    def track_inference_by_spikes_until_the_decision(self):
        """50 neurons: 1."""

        def call(n_spikes):
            kernel = ChargeLanes()
            kernel.setup(n_spikes, 4_608, 50)
            return kernel.time_charge

        return power(call, (256, 4_096))

    def track_inference_by_spikes_after_the_decision(self):
        """The spikes that come after the layer's first are never looked at: 0."""

        def call(n_spikes):
            kernel = ChargeLanes()
            kernel.n_samples = 1_000
            kernel.setup(n_spikes, 4_608, 50)
            kernel.inference = decided(kernel, n_decisive=200)
            return kernel.time_charge

        return power(call, (512, 4_096))

    def track_update_by_inputs(self):
        """One STDP step of one neuron, normalised: 1."""

        def call(n_inputs):
            kernel = LearnRow()
            # Both sizes fit the first cache or not; the interpreter's share of a call is small at either.
            kernel.setup(n_inputs, 0.5, True)
            return lambda: kernel.time_learn(n_inputs, 0.5)

        return power(call, (24_576, 196_608))

    def track_update_by_neurons(self):
        """One sample that moves all neurons of the layer, over one that moves half of them: 1."""

        def call(n_neurons):
            # 128 rows of four times as many inputs come out of another cache than 16, or out of none.
            return updates(n_neurons, 6_144)

        return power(call, (16, 128))

    for _track in (
        track_training_by_spikes_until_the_decision,
        track_inference_by_spikes_until_the_decision,
        track_inference_by_spikes_after_the_decision,
        track_update_by_inputs,
        track_update_by_neurons,
    ):
        _track.unit = "power"
    del _track


def decided(kernel, n_decisive):
    """Return an `Inference` of weights 1 that decides with spike ``n_decisive`` of each sample."""
    layer = layer_of(np.ones((50, kernel.n_inputs), np.float32), np.full(50, n_decisive - 0.5, np.float32))
    return layer.new_inference(layer.input_major(0, at_once=True))


def updates(n_neurons, n_inputs=24_576):
    """Return a call that trains on 20 samples with few spikes, so that updates are nearly all of it.

    S2-STDP without competition moves every neuron that fires at another time than it should: here, all of them.
    """
    from benchmarks.cases import settings
    from benchmarks.cases import spike_times
    from spikenn_cy import Readout
    from spikenn_cy import SpikingDataset

    dataset = SpikingDataset.from_numpy(*spike_times(20, n_inputs, 16))
    dataset = SpikingDataset(
        dataset.indptr, dataset.indices, dataset.timestamps, np.arange(20) % 2, n_inputs, 1.0, np.arange(2)
    )
    config = settings("s2stdp", 2, n_neurons=n_neurons, firing_threshold=1, ap=1e-4, am=-1e-4)
    model = Readout.from_config(config, n_inputs=n_inputs, n_classes=2)
    return lambda: model.partial_fit(dataset)
