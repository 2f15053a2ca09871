"""Data set files that grow by a block at a time, for data that are computed and do not fit into memory."""

import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO

import numpy as np

from spikenn_cy.data.arrays import COUNT_MAX
from spikenn_cy.data.arrays import SpikeArrays
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.data.joining import Kind
from spikenn_cy.data.joining import joined_labels
from spikenn_cy.data.spikes import write
from spikenn_cy.dtypes import INDEX
from spikenn_cy.dtypes import OFFSET
from spikenn_cy.dtypes import STAMP
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.utils.atomic import target_of


class DatasetWriter:
    """Write a data set file block by block; the file appears when the last block is in.

    The bytes are those that ``SpikingDataset.save`` of all blocks together would write.
    Spikes wait in nameless temporary files beside the target, which need as much room
    again and vanish with the process, however it ends; in memory are one block and 12
    bytes for each sample before.

    Parameters
    ----------
    path : path-like
        ``.npz`` file to write, replaced as a whole if it exists.

    Raises
    ------
    DataError
        If the suffix is another or no file can be written there.

    Examples
    --------
    >>> with DatasetWriter("trainset.npz") as writer:  # doctest: +SKIP
    ...     for times, labels in blocks:
    ...         writer.append(SpikingDataset.from_numpy(times, labels))
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        suffix = Path(path).suffix
        require(suffix.lower() == ".npz", str(path), "suffix must be .npz", suffix, DataError)
        self._path = path
        folder = os.path.dirname(target_of(path, DataError))
        self._spools: list[IO[bytes]] = []  # of indices and of timestamps
        try:
            for _ in range(2):
                self._spools.append(tempfile.TemporaryFile(dir=folder))  # noqa: SIM115
        except OSError as problem:
            self.discard()
            raise self._unwriteable(problem) from problem
        self._n_samples = 0
        self._n_spikes = 0
        self._indptr = [np.zeros(1, dtype=OFFSET)]
        self._labels: list[np.ndarray] = []
        self._classes: list[np.ndarray] = []  # that number the labels of each block
        self._kind: Kind | None = None  # of block 0

    def __len__(self) -> int:
        """Return the number of samples appended."""
        return self._n_samples

    def append(self, block: SpikingDataset) -> None:
        """Add the samples of ``block``; its classes join those of the blocks before.

        Parameters
        ----------
        block : SpikingDataset
            Of the same inputs and time as the others; may have no sample.

        Raises
        ------
        DataError
            If it does not go with the blocks before, or the disk is full.
        ValueError
            If the file is written already or was given up.
        """
        if not self._spools:
            raise ValueError(f"{self._path}: closed, nothing can be appended")
        self._check(block)
        try:
            for spool, spikes in zip(self._spools, (block.indices, block.timestamps), strict=True):
                spool.write(np.ascontiguousarray(spikes).data)
        except OSError as problem:
            self.discard()
            raise self._unwriteable(problem) from problem
        self._kind = self._kind or block._kind
        self._indptr.append(block.indptr[1:] + self._n_spikes)
        if block.labels is not None:
            self._labels.append(np.array(block.labels))  # a view might keep the whole block in memory
        self._classes.append(block.classes)
        self._n_samples += len(block)
        self._n_spikes += len(block.indices)

    def _check(self, block: SpikingDataset) -> None:
        """Raise unless ``block`` goes with those before it."""
        place, total = f"{self._path}: block {len(self._classes)}", self._n_samples + len(block)
        require(total <= COUNT_MAX, place, f"must leave it at {COUNT_MAX} samples", total, DataError)
        if self._kind is not None:
            block._kind.require_like(self._kind, place, "block 0")

    def close(self) -> None:
        """Write the file; at the end of a ``with`` block that ends well this is done for you.

        Raises
        ------
        DataError
            If there is no sample, or the file cannot be written. Nothing is left then.
        """
        if not self._spools:
            return
        try:
            self._write()
        finally:
            self.discard()

    def _write(self) -> None:
        rule = "a data set must have at least one sample to be saved"
        require(len(self) >= 1, str(self._path), rule, 0, DataError)
        assert self._kind is not None
        labels, classes = None, self._classes[0]
        if self._kind.labelled:
            labels, classes = joined_labels(self._labels, self._classes, f"{self._path}: classes")
        try:
            indices, timestamps = map(mapped, self._spools, (INDEX, STAMP))
        except OSError as problem:
            raise self._unwriteable(problem) from problem
        spikes = np.concatenate(self._indptr), indices, timestamps, labels
        rest = self._kind.n_inputs, self._kind.max_time, classes
        write(self._path, SpikeArrays(*spikes, *rest, input_shape=self._kind.input_shape))

    def discard(self) -> None:
        """Give up what was appended; ``path`` is left as it was."""
        while self._spools:
            self._spools.pop().close()

    def _unwriteable(self, problem: OSError) -> DataError:
        return DataError(f"{self._path}: must be writable, got {problem.strerror or problem}")

    def __enter__(self) -> "DatasetWriter":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()


def mapped(spool: IO[bytes], dtype: np.dtype) -> np.ndarray:
    """Return what was written to ``spool`` as an array that takes no memory of its own."""
    spool.flush()
    # An empty file cannot be mapped.
    return np.memmap(spool, dtype=dtype, mode="r") if spool.tell() else np.empty(0, dtype=dtype)
