"""What a data file says of itself before its spikes are looked at, for refusals that need no more and come at once."""

import os

import numpy as np

from spikenn_cy.data import READERS
from spikenn_cy.data import spikes
from spikenn_cy.data.arrays import checked
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.dtypes import INDEX
from spikenn_cy.dtypes import OFFSET
from spikenn_cy.dtypes import STAMP


def head_of(path: str | os.PathLike[str]) -> SpikingDataset | None:
    """Return the data set in a file without its spikes, or None if its format lets nobody know it before they are read.

    Raises
    ------
    DataError
        If the file cannot be read, or a rule is broken that is not about spikes.
    """
    if READERS.get(os.path.splitext(path)[1].lower()) is not spikes.read:  # the only format that maps its spikes
        return None
    arrays = spikes.read(path)
    n_samples = len(arrays.indptr) - 1 if arrays.labels is None else len(arrays.labels)
    silent = arrays._replace(
        indptr=np.zeros(n_samples + 1, OFFSET), indices=np.zeros(0, INDEX), timestamps=np.zeros(0, STAMP)
    )
    return SpikingDataset._trusted(checked(silent, str(path), owned=True), str(path))
