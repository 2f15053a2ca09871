"""Deciding while spikes come, one at a time: what a system waits for after each of them."""

from benchmarks import names_of_the_package
from benchmarks.epoch import pixels


class Latency:
    """One sample pushed spike by spike; linear in its spikes until the decision, and hardly grows with the layers.

    A push is some calls of NumPy on one number each; what it charges is 100 or 400 additions. `time_at_once` pushes
    the sample in one call, which shows what the arithmetic takes.
    """

    params = (["one layer", "network"], [50, 150])
    param_names = ("kind", "n_spikes")
    timeout = 120

    def setup(self, kind, n_spikes):
        with names_of_the_package():
            from spikenn_cy import Readout
        self.dataset = pixels(200, 784, n_spikes)
        hidden = [{"n_neurons": 400}] if kind == "network" else []
        output = {"n_neurons": 10 * self.dataset.n_classes}
        config = {
            "network": [*hidden, output],
            "optimizer": {"method": "decision_time"},
            "trainer": {"epochs": 1},
        }
        self.model = Readout.from_config(config, 784, self.dataset.n_classes)
        self.model.fit(self.dataset)
        self.stream = self.model.stream()
        self.inputs, self.times, _ = self.dataset[0]

    def time_spike_by_spike(self, kind, n_spikes):
        for k in range(len(self.inputs)):
            self.stream.push(self.inputs[k], self.times[k])
        self.stream.end()

    def time_at_once(self, kind, n_spikes):
        self.stream.push(self.inputs, self.times)
        self.stream.end()

    def time_whole_sample(self, kind, n_spikes):
        self.model.predict(self.dataset[:1])
