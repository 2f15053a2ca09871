"""Trained networks for other software, and from it: ``FORMATS`` has each format by the suffix of its files.

To add one: write ``name.py`` with a function that returns the content of a file, bytes, of
a `Readout`, or of an `IntegerReadout` if it is ``whole``, then give it a row here. Nothing else in the package changes.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.errors import require_one_of
from spikenn_cy.export.c99 import header_bytes
from spikenn_cy.export.c99 import write_samples
from spikenn_cy.export.importing import from_nir
from spikenn_cy.export.nir import nir_bytes
from spikenn_cy.export.nir import nir_package
from spikenn_cy.export.nir import to_nir
from spikenn_cy.export.numpy import npz_bytes
from spikenn_cy.export.numpy import to_arrays
from spikenn_cy.export.readers import GRAPH_READERS
from spikenn_cy.network.integer.model import IntegerReadout
from spikenn_cy.network.readout import Readout
from spikenn_cy.storage.model_kinds import QUANTISED
from spikenn_cy.storage.model_kinds import kind_of
from spikenn_cy.utils.atomic import atomic_file

__all__ = ["FORMATS", "GRAPH_READERS", "Format", "export", "from_nir", "to_arrays", "to_nir", "write_samples"]

NETWORKS = Readout, IntegerReadout


@dataclass(frozen=True)
class Format:
    """A row of ``FORMATS``.

    Attributes
    ----------
    title : str
        What it is, in a few words.
    content : callable
        Returns the bytes of a file with a network and, if it is ``simulated``, ``dt`` and ``reader``.
    simulated : bool
        Whether it is for simulators, of which it may be told how long a step is, and which it is.
    whole : bool
        Whether it is of whole numbers; its network is then an `IntegerReadout`.
    require : callable, optional
        Raises `MissingExtra` if a package that it takes is not installed.
    """

    title: str
    content: Callable[..., bytes]
    simulated: bool = False
    whole: bool = False
    require: Callable[[], object] | None = None


FORMATS = {
    ".nir": Format(
        "a graph in the Neuromorphic Intermediate Representation", nir_bytes, simulated=True, require=nir_package
    ),
    ".npz": Format("plain NumPy arrays", npz_bytes),
    ".h": Format("C99 in whole numbers", header_bytes, whole=True),
}


def export(
    source: Readout | IntegerReadout | str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    dt: float | None = None,
    reader: str | None = None,
    bits: int | None = None,
    time_bits: int | None = None,
) -> Readout | IntegerReadout:
    """Write a network for other software.

    Parameters
    ----------
    source : Readout, IntegerReadout or path-like
        The network, or a file that its ``save`` wrote. One in whole numbers is for ``.h`` alone.
    output : path-like
        Its suffix, one of ``FORMATS``, chooses the format: ``.nir`` for a graph in the
        Neuromorphic Intermediate Representation (`to_nir`; the package ``nir`` is needed),
        ``.npz`` for plain arrays (`to_arrays`), ``.h`` for C99 that decides as `Readout.quantized` does. Replaced as a
        whole if it is there.
    dt, reader : float and str, optional
        As `to_nir` takes them; not for other formats.
    bits, time_bits : int, optional
        As `Readout.quantized` takes them, for ``.h`` alone, and not of a network that is in whole numbers already.

    Returns
    -------
    Readout or IntegerReadout
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
    simulated = " or ".join(name for name, other in FORMATS.items() if other.simulated)
    for name, given in (("dt", dt), ("reader", reader)):
        rule = f"must be left out unless a {simulated} file is written"
        require(given is None or form.simulated, name, rule, given)
    whole = " or ".join(name for name, other in FORMATS.items() if other.whole)
    for name, width in (("bits", bits), ("time_bits", time_bits)):
        require(width is None or form.whole, name, f"must be left out unless a {whole} file is written", width)
    model = _in_whole_numbers(source, bits, time_bits) if form.whole else _in_floating_point(source)
    if not isinstance(source, NETWORKS) and os.path.exists(output) and os.path.samefile(source, output):
        raise DataError(f"{output}: must be another file than the network's own, got the same")
    content = form.content(model, dt, reader) if form.simulated else form.content(model)
    with atomic_file(output) as file:
        file.write(content)
    return model


def _in_floating_point(source: Readout | IntegerReadout | str | os.PathLike[str]) -> Readout:
    """Return a trained network, given as such or as a file."""
    if isinstance(source, IntegerReadout):
        whole = " or ".join(name for name, form in FORMATS.items() if form.whole)
        raise DataError(f"network: must be a Readout unless a {whole} file is written, got {source!r}")
    return source if isinstance(source, Readout) else Readout.load(source)


def _in_whole_numbers(
    source: Readout | IntegerReadout | str | os.PathLike[str], bits: int | None, time_bits: int | None
) -> IntegerReadout:
    """Return a network in whole numbers, given as such, as one that is to become so, or as a file of either."""
    if not isinstance(source, NETWORKS):
        source = IntegerReadout.load(source) if kind_of(Path(source)) == QUANTISED else Readout.load(source)
    if isinstance(source, Readout):
        return source.quantized(8 if bits is None else bits, 8 if time_bits is None else time_bits)
    for name, width in (("bits", bits), ("time_bits", time_bits)):
        rule = "must be left out of a network that is quantised already"
        require(width is None, name, rule, width)
    return source
