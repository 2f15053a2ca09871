"""One epoch of training and of deciding, from the outside."""

from benchmarks.pixels import N_CLASSES
from benchmarks.pixels import N_INPUTS
from benchmarks.pixels import ncg_settings
from benchmarks.pixels import pixels

THRESHOLD = 20


class Pixels:
    """S2-STDP with competition groups, 784 to 50, after one epoch of training; cost should be linear in ``n_samples``.

    Deciding ends at the layer's first spike, so it should cost a small part of training.
    ``track_accuracy`` is here to show a speed-up that changes results.
    """

    params = ([1_000, 10_000],)
    param_names = ("n_samples",)
    number = 1  # a second call would find another network
    timeout = 120

    def setup(self, n_samples):
        from spikenn_cy import Readout
        from spikenn_cy import SpikingDataset

        self.dataset = SpikingDataset.from_numpy(*pixels(n_samples))
        self.model = Readout.from_config(ncg_settings(THRESHOLD), n_inputs=N_INPUTS, n_classes=N_CLASSES)
        self.model.fit(self.dataset, epochs=1)
        self.model.predict(self.dataset)  # what is made once for deciding is made here

    def time_train(self, n_samples):
        self.model.fit(self.dataset, epochs=1)

    def time_predict(self, n_samples):
        self.model.predict(self.dataset)

    def time_first_spikes(self, n_samples):
        self.model.first_spikes(self.dataset)

    def track_accuracy(self, n_samples):
        return self.model.score(self.dataset)

    track_accuracy.unit = "share of right classes"


class OneSample:
    """What an online system does: one prepared sample at a time."""

    timeout = 60

    def setup(self):
        from spikenn_cy import Readout
        from spikenn_cy import SpikingDataset

        dataset = SpikingDataset.from_numpy(*pixels(1_000))
        self.model = Readout.from_config(ncg_settings(THRESHOLD), n_inputs=N_INPUTS, n_classes=N_CLASSES)
        self.model.fit(dataset, epochs=1)
        self.sample = dataset[:1]

    def time_predict(self):
        self.model.predict(self.sample)

    def time_partial_fit(self):
        self.model.partial_fit(self.sample)
