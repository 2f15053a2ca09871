"""Model files, of networks and of extractors: a JSON header and arrays in one ``.npz``, whole or not at all."""

import os
from collections.abc import Mapping
from typing import Any
from typing import TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from spikenn_cy.errors import require
from spikenn_cy.storage.arrays import ArrayFile
from spikenn_cy.storage.arrays import Wanted
from spikenn_cy.utils.atomic import atomic_file

H = TypeVar("H", bound=msgspec.Struct)

HEADER = "header"
HEADER_LAYOUT = {HEADER: Wanted((), "U")}


class _Numbered(msgspec.Struct):
    """What all headers have in common."""

    format: int


def write_model(
    path: str | os.PathLike[str],
    header: msgspec.Struct,
    arrays: Mapping[str, npt.NDArray[Any]],
    sync_name: bool = True,
) -> None:
    """Write a header and arrays to ``path``; for ``sync_name`` see `atomic_file`.

    Raises
    ------
    RunError
        If the file cannot be written.
    """
    members: dict[str, Any] = {HEADER: np.array(msgspec.json.encode(header).decode()), **arrays}
    with atomic_file(path, sync_name=sync_name) as file:
        np.savez(file, **members)


def read_header(file: ArrayFile, kind: type[H], format: int) -> H:
    """Return the header of an open model file; whatever is wrong with it raises, of any type.

    Parameters
    ----------
    file : ArrayFile
    kind : type of Struct
        Of the header.
    format : int
        That the header must name.
    """
    text = file.text(HEADER)
    found = msgspec.json.decode(text, type=_Numbered).format  # first, since others may have other members
    require(found == format, "format", f"must be {format}", found)
    return msgspec.json.decode(text, type=kind)


def require_arrays(file: ArrayFile, layout: Mapping[str, Wanted], optional: Mapping[str, Wanted] | None = None) -> None:
    """Raise unless an open model file has, beside its header, the arrays of ``layout``; none of them is read."""
    file.require({**HEADER_LAYOUT, **layout}, optional)
