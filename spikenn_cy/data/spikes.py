"""The data set's own file: spikes, and labels and classes if known, in one archive, of a format with a number."""

import os

import numpy as np

from spikenn_cy.data.archive import read_arrays
from spikenn_cy.data.archive import write_arrays
from spikenn_cy.data.arrays import SpikeArrays
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require

FORMAT_VERSION = 1
REQUIRED = ("indptr", "indices", "timestamps", "n_inputs", "max_time")
# Unlabelled data have neither labels nor classes; classes and version may be missing where numpy.savez made a file.
OPTIONAL = ("labels", "classes", "format_version", "input_shape")


def write(path: str | os.PathLike[str], arrays: SpikeArrays) -> None:
    """Write checked ``arrays`` to ``path``, uncompressed and aligned, whole or not at all."""
    members = {
        "indptr": arrays.indptr,
        "indices": arrays.indices,
        "timestamps": arrays.timestamps,
        **({} if arrays.labels is None else {"labels": arrays.labels, "classes": np.asarray(arrays.classes)}),
        "n_inputs": np.array(arrays.n_inputs, dtype=np.int64),
        "max_time": np.array(arrays.max_time, dtype=np.float64),
        "format_version": np.array(FORMAT_VERSION, dtype=np.int64),
    }
    if arrays.input_shape is not None and len(arrays.input_shape) > 1:
        # One axis goes without saying, as in the files of versions that knew no other.
        members["input_shape"] = np.array(arrays.input_shape, dtype=np.int64)
    write_arrays(path, members)


def read(path: str | os.PathLike[str]) -> SpikeArrays:
    """Read a ``.npz`` data set: members that are stored plain and aligned are mapped, others copied."""
    found = read_arrays(path, REQUIRED, OPTIONAL, single=("n_inputs", "max_time", "format_version"))
    found.setdefault("labels", None)
    version = found.pop("format_version", FORMAT_VERSION)
    require(version == FORMAT_VERSION, f"{path}: format_version", f"must be {FORMAT_VERSION}", version, DataError)
    if "input_shape" in found:
        found["input_shape"] = tuple(found["input_shape"].ravel().tolist())
    return SpikeArrays(**found)
