"""Dense spike times in files of NumPy's own made into a data set file, with the inputs left as they are."""

import os
from pathlib import Path

import numpy as np

from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.data.dense import from_dense
from spikenn_cy.data.objects import holds_objects
from spikenn_cy.data.objects import read_objects
from spikenn_cy.data.reading import open_at_once
from spikenn_cy.data.suspicion import look_at_dense
from spikenn_cy.errors import DataError
from spikenn_cy.errors import shortened


def convert(
    times: str | os.PathLike[str], labels: str | os.PathLike[str], output: str | os.PathLike[str], max_time: float = 1.0
) -> SpikingDataset:
    """Make a data set file.

    Parameters
    ----------
    times : path-like
        ``.npy`` file of real spike times, shape (n_samples, D1, ..., DN). It is mapped, so
        it may be larger than memory.
    labels : path-like
        ``.npy`` file of numbers or text, shape (n_samples,); text may be of Python's objects, as that of pandas is.
    output : path-like
        ``.npz`` file to write, replaced as a whole if it exists.
    max_time : float
        An input whose time is not below it is silent.

    Returns
    -------
    SpikingDataset
        What was written.

    Raises
    ------
    DataError
        If a file does not hold what it must. Nothing is written then.

    Warns
    -----
    DataWarning
        As `SpikingDataset.from_numpy`.
    """
    output = Path(output)
    if output.suffix != ".npz":
        raise DataError(f"{output}: must be named .npz, got {output.suffix or 'no suffix'}")
    for path in (times, labels):
        if output.exists() and output.samefile(path):
            raise DataError(f"{output}: must be another file than the inputs, got {path}")
    X = read_array(times)
    spikes = from_dense(X, read_labels(labels), max_time)
    look_at_dense(spikes, os.fspath(times), X)
    dataset = SpikingDataset._trusted(spikes)
    dataset.save(output)
    return dataset


def read_labels(path: str | os.PathLike[str]) -> np.ndarray:
    """Return the labels in a ``.npy`` file, mapped or, of Python's objects, read without running anything in it."""
    return read_objects(path) if holds_objects(path) else read_array(path)


def read_array(path: str | os.PathLike[str]) -> np.ndarray:
    """Return the array in a ``.npy`` file, mapped."""
    rule = "must be an array in NumPy's .npy format"
    with open(path, "rb", opener=open_at_once) as file:
        magic = file.read(6)  # of a pipe without another end there is nothing
    if magic != b"\x93NUMPY":
        found = "an .npz archive" if magic.startswith(b"PK") else "another file"
        raise DataError(f"{path}: {rule}, got {found}")
    try:
        with np.errstate(all="ignore"):  # of the sizes that a damaged header states
            array: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, MemoryError):
        raise
    except Exception as error:  # a damaged file raises whatever its damage leads to
        raise DataError(f"{path}: {rule}, got {shortened(str(error))}") from None
    return array
