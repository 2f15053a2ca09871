"""Data sets made, written and read."""

import tempfile
from pathlib import Path

from benchmarks.pixels import pixels


class Loading:
    """A file is mapped, so reading should cost the check of the spikes alone, linear in ``n_samples``."""

    params = ([1_000, 10_000],)
    param_names = ("n_samples",)
    timeout = 120

    def setup(self, n_samples):
        from spikenn_cy import SpikingDataset

        self.make, self.read = SpikingDataset.from_numpy, SpikingDataset.from_file
        self.times, self.labels = pixels(n_samples)
        self.dataset = self.make(self.times, self.labels)
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "dataset.npz"
        self.dataset.save(self.path)

    def teardown(self, n_samples):
        self.folder.cleanup()

    def time_from_numpy(self, n_samples):
        self.make(self.times, self.labels)

    def time_from_file(self, n_samples):
        self.read(self.path)

    def time_save(self, n_samples):
        self.dataset.save(self.path)

    def time_take(self, n_samples):
        self.dataset[::-1]
