"""Data sets made, checked, written and read."""

import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks import names_of_the_package
from benchmarks.cases import spike_times


class Making:
    """Spikes out of dense times and back; linear in ``n_samples``."""

    params = ([1_000, 4_000],)
    param_names = ("n_samples",)
    timer = time.process_time
    timeout = 120

    def setup(self, n_samples):
        with names_of_the_package():
            from spikenn_cy import SpikingDataset
        self.type = SpikingDataset
        self.times, self.labels = spike_times(n_samples)
        self.dataset = SpikingDataset.from_numpy(self.times, self.labels)
        whole = self.dataset
        self.arrays = whole.indptr, whole.indices, whole.timestamps, whole.labels, whole.n_inputs

    def time_from_numpy(self, n_samples):
        self.type.from_numpy(self.times, self.labels)

    def time_validate(self, n_samples):
        """What is timed is the check: the arrays are read-only and of the kept types, so nothing is copied."""
        self.type(*self.arrays)

    def time_take(self, n_samples):
        self.dataset[::-1]

    def time_to_dense(self, n_samples):
        self.dataset.to_dense()


class Files:
    """A saved data set is mapped, so that reading costs its check alone; linear in ``n_samples``, and so is all here.

    The reference's format is a pickled record array a sample, read by an interpreter that runs nothing of it.
    """

    params = ([1_000, 4_000],)
    param_names = ("n_samples",)
    timer = time.process_time
    timeout = 120

    def setup(self, n_samples):
        with names_of_the_package():
            from spikenn_cy import SpikingDataset
        self.read = SpikingDataset.from_file
        self.folder = tempfile.TemporaryDirectory()
        self.path, self.legacy, self.packed = (
            Path(self.folder.name) / name for name in ("dataset.npz", "dataset.npy", "packed.npz")
        )
        self.dataset = SpikingDataset.from_numpy(*spike_times(n_samples))
        self.dataset.save(self.path)
        write_legacy(self.legacy, self.dataset)
        with np.load(self.path) as members:
            np.savez_compressed(self.packed, **members)

    def teardown(self, n_samples):
        self.folder.cleanup()

    def time_from_file(self, n_samples):
        self.read(self.path)

    def time_from_file_and_read(self, n_samples):
        """Mapped pages are touched here, whatever was left for later."""
        dataset = self.read(self.path)
        assert dataset.indices.max() < dataset.n_inputs
        assert dataset.timestamps.max() < dataset.max_time

    def time_from_legacy_file(self, n_samples):
        self.read(self.legacy)

    def time_from_packed_file(self, n_samples):
        self.read(self.packed)

    def time_save(self, n_samples):
        self.dataset.save(self.path)


def write_legacy(path, dataset):
    """Write a data set as the reference implementation does."""
    fields = np.dtype([("indices", np.int16), ("timestamps", np.float32)])
    samples = []
    for indices, timestamps, _ in dataset:
        sample = np.empty(len(indices), fields).view(np.recarray)
        sample["indices"], sample["timestamps"] = indices, timestamps
        samples.append(sample)
    shape = (len(dataset), dataset.n_inputs)
    content = {"data": samples, "labels": dataset.labels, "shape": shape, "max_time": dataset.max_time}
    np.save(path, content, allow_pickle=True)
