"""Statistics of a training for figures, an epoch at a time, so that no training is too long to be kept."""

import contextlib
import zipfile
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
from typing import IO
from typing import Any

import numpy as np
from numpy.lib import format as npy

from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.dtypes import REAL
from spikenn_cy.errors import RunError
from spikenn_cy.experiments.store import RunFolder
from spikenn_cy.network._statistics import EpochStatistics
from spikenn_cy.network.readout import Readout
from spikenn_cy.storage.arrays import ArrayFile
from spikenn_cy.storage.arrays import Wanted
from spikenn_cy.storage.arrays import open_arrays
from spikenn_cy.storage.arrays import refusing
from spikenn_cy.storage.kinds import STATS
from spikenn_cy.storage.kinds import STATS_OF_EPOCH
from spikenn_cy.utils.atomic import atomic_file

COUNTS = ("target_updates", "non_target_updates", "votes", "right_votes")
FIRING = ("firing_time_mean", "firing_time_std", "silent_share")
BLOCK = 1024  # samples whose firing times are held at once


def epoch_statistics(model: Readout, train: SpikingDataset, counted: EpochStatistics) -> dict[str, np.ndarray]:
    """Return the statistics of one epoch.

    Parameters
    ----------
    model : Readout
        As the epoch left it.
    train : SpikingDataset
        What it was trained on.
    counted : EpochStatistics
        Of that epoch.

    Returns
    -------
    dict of ndarray
        ``labels`` int32 (n_samples,), the class of each sample in the order of training;
        ``training_thresholds`` float32 (n_samples, n_per_class), of the neurons of each
        sample's class after that sample, in the same order; ``target_updates``,
        ``non_target_updates``, ``votes`` and ``right_votes`` int64 (n_neurons,), counted
        during the epoch; ``precision`` float32 (n_neurons,), the share of right ones among
        a neuron's votes, NaN without a vote; ``weights`` float32 (n_neurons, n_inputs)
        after the epoch; ``firing_time_mean``, ``firing_time_std`` and ``silent_share``
        float32 (n_neurons,), of all neurons' spikes for the training samples after the
        epoch, at the inference thresholds and in the data's unit of time, mean and
        deviation NaN for a neuron that never fires.
    """
    votes, right_votes = counted.votes, counted.right_votes
    with np.errstate(invalid="ignore"):
        precision = (right_votes / votes).astype(REAL)
    return {
        "labels": counted.labels,
        "training_thresholds": counted.training_thresholds,
        "target_updates": counted.target_updates,
        "non_target_updates": counted.non_target_updates,
        "votes": votes,
        "right_votes": right_votes,
        "precision": precision,
        "weights": model.layers[-1].weights,
        **firing_times(model, train),
    }


def firing_times(model: Readout, dataset: SpikingDataset) -> dict[str, np.ndarray]:
    """Return mean, deviation and silence of each neuron's spikes, as in `epoch_statistics`."""
    n_neurons = model.layers[-1].n_neurons
    count, total, squares = np.zeros((3, n_neurons))
    for first in range(0, len(dataset), BLOCK):
        times, _ = model.first_spikes(dataset[first : first + BLOCK])
        fired = times < model.layers[-1].max_time
        spikes = np.where(fired, times, 0).astype(float)
        count += fired.sum(0)
        total += spikes.sum(0)
        squares += (spikes**2).sum(0)
    with np.errstate(invalid="ignore"):
        mean = total / count
        deviation = np.sqrt(np.maximum(squares / count - mean**2, 0))
    silent = 1 - count / len(dataset)
    return {
        "firing_time_mean": mean.astype(REAL),
        "firing_time_std": deviation.astype(REAL),
        "silent_share": silent.astype(REAL),
    }


def sentence(epoch: int, statistics: Mapping[str, np.ndarray]) -> str:
    """Return the firing times of an epoch in words, over all neurons."""
    mean, silent = statistics["firing_time_mean"], statistics["silent_share"]
    weight = np.where(np.isnan(mean), 0, 1 - silent)
    overall = round(float(np.average(np.nan_to_num(mean), weights=weight)), 4) if weight.any() else "none"
    return f"Mean firing time on train set after epoch {epoch}: {overall}, silent: {round(float(silent.mean()), 4)}"


def layout_of(model: Readout, n_samples: int) -> dict[str, Wanted]:
    """Return the arrays of one epoch, as `epoch_statistics` describes them."""
    n_neurons, n_inputs = model.layers[-1].n_neurons, model.layers[-1].n_inputs
    return {
        "labels": Wanted((n_samples,), "i"),
        "training_thresholds": Wanted((n_samples, n_neurons // model.n_classes)),
        **{name: Wanted((n_neurons,), "i") for name in COUNTS},
        "precision": Wanted((n_neurons,)),
        "weights": Wanted((n_neurons, n_inputs)),
        **{name: Wanted((n_neurons,)) for name in FIRING},
    }


class Statistics:
    """The statistics of a run, one file an epoch until the run is complete.

    Parameters
    ----------
    folder : RunFolder
        The run's folder.
    model : Readout
        The network in training.
    train : SpikingDataset
        What it is trained on.
    """

    def __init__(self, folder: RunFolder, model: Readout, train: SpikingDataset) -> None:
        self.folder = folder
        self.model = model
        self.train = train
        self._layout = layout_of(model, len(train))

    def observe(self, epoch: int, counted: EpochStatistics) -> None:
        """Keep the statistics of the epoch that ends."""
        members: dict[str, Any] = epoch_statistics(self.model, self.train, counted)
        with atomic_file(self._part(epoch)) as file:
            np.savez(file, **members)

    def remark(self, epoch: int) -> str:
        """Return a line for the log; raise `RunError` if the statistics of the epoch are missing or damaged."""
        with self._opened(epoch) as part:
            part.require(self._layout)
            return sentence(epoch, {name: part[name] for name in FIRING})

    def finish(self, n_epochs: int) -> dict[int, str]:
        """Write ``stats.npz``, in which every key has a first axis of epochs; return the lines for the log.

        One array of one epoch is in memory at a time. The epochs' files stay.

        Raises
        ------
        RunError
            If the statistics of an epoch are missing or damaged, or nothing can be written.
        """
        remarks = {epoch: self.remark(epoch) for epoch in range(n_epochs)}
        if n_epochs:
            with atomic_file(self.folder.file(STATS)) as file, zipfile.ZipFile(file, "w") as archive:
                for key in self._layout:
                    with archive.open(f"{key}.npy", "w", force_zip64=True) as member:
                        self._write_epochs(member, key, n_epochs)
        return remarks

    def _write_epochs(self, member: IO[bytes], key: str, n_epochs: int) -> None:
        """Write the arrays of all epochs as one."""
        dtype = None
        for epoch in range(n_epochs):
            with self._opened(epoch) as part:
                array = np.ascontiguousarray(part[key], dtype)
            if dtype is None:
                dtype = array.dtype
                header = {"shape": (n_epochs, *array.shape), "fortran_order": False, "descr": npy.dtype_to_descr(dtype)}
                npy.write_array_header_1_0(member, header)
            member.write(array.data)

    def _part(self, epoch: int) -> Path:
        return self.folder.file(STATS_OF_EPOCH.format(epoch=epoch))

    @contextlib.contextmanager
    def _opened(self, epoch: int) -> Iterator[ArrayFile]:
        path, rule = self._part(epoch), f"must hold the statistics of epoch {epoch}"
        with open_arrays(path, rule, RunError) as part, refusing(path, rule, RunError):
            yield part
