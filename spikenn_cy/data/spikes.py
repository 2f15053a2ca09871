"""The data set's own file: spikes, labels and classes in one archive, of a format with a number."""

import os

import numpy as np

from spikenn_cy.data.archive import read_arrays
from spikenn_cy.data.archive import write_arrays
from spikenn_cy.data.arrays import SpikeArrays
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require

FORMAT_VERSION = 1
REQUIRED = ("indptr", "indices", "timestamps", "labels", "n_inputs", "max_time")
OPTIONAL = ("classes", "format_version")  # in a file that numpy.savez made; the constructor asks for no classes either


def write(path: str | os.PathLike[str], arrays: SpikeArrays) -> None:
    """Write checked ``arrays`` to ``path``, uncompressed and aligned, whole or not at all."""
    members = {
        "indptr": arrays.indptr,
        "indices": arrays.indices,
        "timestamps": arrays.timestamps,
        "labels": arrays.labels,
        "classes": np.asarray(arrays.classes),
        "n_inputs": np.array(arrays.n_inputs, dtype=np.int64),
        "max_time": np.array(arrays.max_time, dtype=np.float64),
        "format_version": np.array(FORMAT_VERSION, dtype=np.int64),
    }
    write_arrays(path, members)


def read(path: str | os.PathLike[str]) -> SpikeArrays:
    """Read a ``.npz`` data set: members that are stored plain and aligned are mapped, others copied."""
    found = read_arrays(path, REQUIRED, OPTIONAL, single=("n_inputs", "max_time", "format_version"))
    version = found.pop("format_version", FORMAT_VERSION)
    require(version == FORMAT_VERSION, f"{path}: format_version", f"must be {FORMAT_VERSION}", version, DataError)
    return SpikeArrays(**found)
