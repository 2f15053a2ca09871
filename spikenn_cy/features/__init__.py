"""Extractors, which turn images into spikes a network can learn from; ``EXTRACTORS`` has the class of each by name.

To add one: write ``name.py``, or a folder, with a class that has the face of `Extractor`,
then give it a row here. Nothing else changes.
"""

import os
from typing import Any

import msgspec

from spikenn_cy.errors import DataError
from spikenn_cy.errors import require_one_of
from spikenn_cy.features.face import Extractor
from spikenn_cy.features.pixels import Pixels
from spikenn_cy.features.softhebb import SoftHebbCNN
from spikenn_cy.features.stdp_csnn import STDPCSNN
from spikenn_cy.storage.arrays import open_arrays
from spikenn_cy.storage.arrays import refusing
from spikenn_cy.storage.model_archive import HEADER

__all__ = ["EXTRACTORS", "STDPCSNN", "Extractor", "Pixels", "SoftHebbCNN", "load_extractor"]

EXTRACTORS: dict[str, type[Extractor]] = {
    "stdp-csnn": STDPCSNN,
    "softhebb": SoftHebbCNN,
    "pixels": Pixels,
}


class _Header(msgspec.Struct):
    """What all extractors' files have in common."""

    extractor: str


def load_extractor(path: str | os.PathLike[str]) -> Any:
    """Return an extractor of any kind from the file that its ``save`` wrote.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    STDPCSNN, SoftHebbCNN or Pixels

    Raises
    ------
    DataError
        If there is no such file or it holds anything else.
    """
    rule = "must be the file of an extractor"
    with open_arrays(path, rule) as file, refusing(path, rule):
        name = msgspec.json.decode(file.text(HEADER), type=_Header).extractor
    require_one_of(name, EXTRACTORS, os.fspath(path), "extractor", DataError)
    return EXTRACTORS[name].load(path)
