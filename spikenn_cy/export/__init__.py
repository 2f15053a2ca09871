"""Trained networks for other software: ``FORMATS`` has each format by the suffix of its files.

To add one: write ``name.py`` with a function that returns the content of a file, bytes, of
a `Readout`, then give it a row here. Nothing else in the package changes.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.errors import require_one_of
from spikenn_cy.export.nir import nir_bytes
from spikenn_cy.export.nir import nir_package
from spikenn_cy.export.nir import to_nir
from spikenn_cy.export.numpy import npz_bytes
from spikenn_cy.export.numpy import to_arrays
from spikenn_cy.network.readout import Readout
from spikenn_cy.utils.atomic import atomic_file

__all__ = ["FORMATS", "Format", "export", "to_arrays", "to_nir"]


@dataclass(frozen=True)
class Format:
    """A row of ``FORMATS``.

    Attributes
    ----------
    title : str
        What it is, in a few words.
    content : callable
        Returns the bytes of a file with a network and, if it is ``timed``, ``dt``.
    timed : bool
        Whether it says how long a step of a simulator is.
    require : callable, optional
        Raises `MissingExtra` if a package that it takes is not installed.
    """

    title: str
    content: Callable[..., bytes]
    timed: bool = False
    require: Callable[[], object] | None = None


FORMATS = {
    ".nir": Format(
        "a graph in the Neuromorphic Intermediate Representation", nir_bytes, timed=True, require=nir_package
    ),
    ".npz": Format("plain NumPy arrays", npz_bytes),
}


def export(
    source: Readout | str | os.PathLike[str], output: str | os.PathLike[str], *, dt: float | None = None
) -> Readout:
    """Write a network for other software.

    Parameters
    ----------
    source : Readout or path-like
        The network, or a file that `Readout.save` wrote.
    output : path-like
        Its suffix, one of ``FORMATS``, chooses the format: ``.nir`` for a graph in the
        Neuromorphic Intermediate Representation (`to_nir`; the package ``nir`` is needed),
        ``.npz`` for plain arrays (`to_arrays`). Replaced as a whole if it is there.
    dt : float, optional
        As `to_nir` takes it; not for other formats.

    Returns
    -------
    Readout
        The network that was written.

    Raises
    ------
    DataError
        If there is no such format, or the network cannot be read or expressed in it.
    RunError
        If the file cannot be written.
    MissingExtra
        If ``nir`` is not installed.
    """
    suffix = Path(output).suffix.lower()
    require_one_of(suffix, FORMATS, os.fspath(output), "suffix", DataError)
    form = FORMATS[suffix]
    if form.require is not None:
        form.require()  # before anything is read
    timed = " or ".join(name for name, other in FORMATS.items() if other.timed)
    require(dt is None or form.timed, "dt", f"must be left out unless a {timed} file is written", dt)
    model = source if isinstance(source, Readout) else Readout.load(source)
    if not isinstance(source, Readout) and os.path.exists(output) and os.path.samefile(source, output):
        raise DataError(f"{output}: must be another file than the network's own, got the same")
    content = form.content(model, dt) if form.timed else form.content(model)
    with atomic_file(output) as file:
        file.write(content)
    return model
