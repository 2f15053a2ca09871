"""Data sets and their files: ``READERS`` has the reader of each format, by the suffix of its files.

To add one: write ``name.py`` with a ``read(path)`` that returns ``SpikeArrays``, still
unchecked, and raises ``DataError``, then give its suffix a row here. Nothing else changes.
"""

from spikenn_cy.data import legacy
from spikenn_cy.data import spikes

READERS = {
    ".npz": spikes.read,
    ".npy": legacy.read,
}
