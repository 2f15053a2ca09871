"""Statistics of a training for figures, an epoch at a time, so that no training is too long to be kept."""

import contextlib
import zipfile
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
from typing import IO
from typing import Any
from typing import NamedTuple

import numpy as np
from numpy.lib import format as npy

from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.errors import RunError
from spikenn_cy.experiments import layer_stats
from spikenn_cy.experiments import network_stats
from spikenn_cy.experiments.store import RunFolder
from spikenn_cy.network._statistics import EpochStatistics
from spikenn_cy.network.deep._statistics import DeepStatistics
from spikenn_cy.network.readout import Readout
from spikenn_cy.storage.arrays import ArrayFile
from spikenn_cy.storage.arrays import Wanted
from spikenn_cy.storage.arrays import open_arrays
from spikenn_cy.storage.arrays import refusing
from spikenn_cy.storage.kinds import STATS
from spikenn_cy.storage.kinds import STATS_OF_EPOCH
from spikenn_cy.utils.atomic import atomic_file


class Content(NamedTuple):
    """What the statistics of an epoch hold.

    Attributes
    ----------
    layout_of : callable
        Returns the arrays of an epoch of a network and so many samples.
    epoch_statistics : callable
        Returns them of a network, its training set and what was counted.
    said : tuple of str
        Names of those of which the log has a line.
    sentence : callable
        Returns that line of the number of an epoch and these arrays.
    """

    layout_of: Callable[[Readout, int], dict[str, Wanted]]
    epoch_statistics: Callable[[Readout, SpikingDataset, Any], dict[str, np.ndarray]]
    said: tuple[str, ...]
    sentence: Callable[[int, Mapping[str, np.ndarray]], str]


# By whether every layer learns.
CONTENTS = {
    False: Content(layer_stats.layout_of, layer_stats.epoch_statistics, layer_stats.SAID, layer_stats.sentence),
    True: Content(network_stats.layout_of, network_stats.epoch_statistics, network_stats.SAID, network_stats.sentence),
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
        self._content = CONTENTS[model.config.optimizer.every_layer]
        self._layout = self._content.layout_of(model, len(train))

    def observe(self, epoch: int, counted: EpochStatistics | DeepStatistics) -> None:
        """Keep the statistics of the epoch that ends."""
        members: dict[str, Any] = self._content.epoch_statistics(self.model, self.train, counted)
        with atomic_file(self._part(epoch)) as file:
            np.savez(file, **members)

    def remark(self, epoch: int) -> str:
        """Return a line for the log; raise `RunError` if the statistics of the epoch are missing or damaged."""
        with self._opened(epoch) as part:
            part.require(self._layout)
            return self._content.sentence(epoch, {name: part[name] for name in self._content.said})

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
