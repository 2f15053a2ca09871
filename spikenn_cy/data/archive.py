"""Arrays laid in a ``.npz`` so that every process maps the same bytes, for every file of data the package writes."""

import math
import os
import struct
import zipfile
from collections.abc import Mapping
from collections.abc import Sequence
from typing import IO
from typing import Any

import numpy as np
from numpy.lib import format as npy

from spikenn_cy.data.reading import DEFLATE_MAX
from spikenn_cy.data.reading import STEP
from spikenn_cy.data.reading import opened
from spikenn_cy.data.reading import read_exactly
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.utils.atomic import atomic_file
from spikenn_cy.utils.validation import require_characters

ALIGNMENT = 64  # bytes: a cache line, and the widest vector load
UNPACKED_FREE = 1 << 26  # bytes that packed arrays may come to, whatever the size of their file,
UNPACKED_MOST = 100  # and times that size; those of spikes are packed to a third, images to a tenth
LOCAL_HEADER = 30  # bytes of a member's own header before its name and its extra field, in every zip file


def write_arrays(path: str | os.PathLike[str], members: Mapping[str, np.ndarray]) -> None:
    """Write arrays to ``path``, uncompressed and aligned, whole or not at all; the same arrays make the same bytes."""
    with atomic_file(path, error=DataError) as file, zipfile.ZipFile(file, "w") as archive:
        for name, array in members.items():
            info = zipfile.ZipInfo(f"{name}.npy")
            info.extra = padding(file.tell(), info.filename)
            with archive.open(info, "w", force_zip64=True) as member:
                npy.write_array(member, array, version=(1, 0), allow_pickle=False)


def padding(start: int, name: str) -> bytes:
    """Return the zip extra field that moves the data of a member whose header begins at ``start`` to the next line.

    The .npy header inside the member is itself a multiple of 64 bytes long.
    """
    fixed = LOCAL_HEADER + len(name) + 20  # 20: the 64-bit sizes, which zipfile adds itself
    alignment = -(start + fixed + 6) % ALIGNMENT
    # The field that Android's zipalign uses for the same end: alignment, then zeros.
    return struct.pack("<HHH", 0xD935, 2 + alignment, ALIGNMENT) + bytes(alignment)


def read_arrays(
    path: str | os.PathLike[str],
    required: Sequence[str],
    optional: Sequence[str] = (),
    single: Sequence[str] = (),
    n_axes: int = 1,
) -> dict[str, Any]:
    """Read the arrays of a ``.npz`` file: members that are stored plain and aligned are mapped, others copied.

    Parameters
    ----------
    path : path-like
    required, optional : sequence of str
        Names of the arrays that must and may be there; no others may.
    single : sequence of str
        Those of them that hold one value, which is returned in place of an array.
    n_axes : int
        Most axes that an array may have.

    Raises
    ------
    DataError
        If the file cannot be read, or holds other arrays or damaged ones.
    """
    with opened(path, ".npz file") as file, zipfile.ZipFile(file) as archive:
        members = members_of(archive, path, required, optional)
        require_packed_little(members, path, os.fstat(file.fileno()).st_size)
        whole = np.memmap(file, dtype=np.uint8, mode="r")
        found = {name: read_member(archive, info, whole, f"{path}: {name}", n_axes) for name, info in members.items()}
    for name in single:
        if name in found:
            require(found[name].shape == (), f"{path}: {name}", "must be a single number", found[name].shape, DataError)
            found[name] = found[name].item()
    return found


def require_packed_little(members: Mapping[str, zipfile.ZipInfo], path: str | os.PathLike[str], n_bytes: int) -> None:
    """Raise unless packed members, which are unpacked into memory, come to a size that such data can have."""
    unpacked = sum(info.file_size for info in members.values() if info.compress_type != zipfile.ZIP_STORED)
    most = max(UNPACKED_FREE, UNPACKED_MOST * n_bytes)
    require(unpacked <= most, path, f"must unpack to at most {most} bytes, as its size warrants", unpacked, DataError)


def verify(path: str | os.PathLike[str]) -> None:
    """Read a ``.npz`` file and compare the members that are mapped with the checksums that it states for them.

    Whoever reads a member that is packed, or not aligned, compares it anyway.

    Raises
    ------
    DataError
        If one differs, or the file cannot be read.
    """
    with opened(path, ".npz file") as file, zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            if info.compress_type == zipfile.ZIP_STORED:
                with archive.open(info) as member:
                    while member.read(STEP):
                        pass


def members_of(
    archive: zipfile.ZipFile, path: str | os.PathLike[str], required: Sequence[str], optional: Sequence[str]
) -> dict[str, zipfile.ZipInfo]:
    """Return the archive's members by the name of their array; none may be missing, unknown or twice there."""
    members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
    missing = [name for name in required if name not in members]
    require(not missing, path, f"must hold the arrays {', '.join(required)}", f"none of {missing}", DataError)
    unknown = [name for name in members if name not in (*required, *optional)]
    allowed = f"may hold besides them {', '.join(optional)}" if optional else "may hold nothing besides its arrays"
    require(not unknown, path, allowed, unknown, DataError)
    require(len(members) == len(archive.infolist()), path, "must hold each array once", archive.namelist(), DataError)
    return members


def read_member(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, whole: np.ndarray, place: str, n_axes: int
) -> np.ndarray:
    """Return a member's array, as a view of ``whole``, the mapped file, where that can be."""
    plain = info.compress_type == zipfile.ZIP_STORED
    ok = plain or info.compress_type == zipfile.ZIP_DEFLATED
    require(ok, place, "must be stored or deflated", f"compression {info.compress_type}", DataError)
    possible = info.compress_size if plain else info.compress_size * DEFLATE_MAX
    require(info.file_size <= possible, place, f"must be at most {possible} bytes", info.file_size, DataError)
    with archive.open(info) as member:
        shape, dtype = read_head(member, info, place, n_axes)
        n_bytes = math.prod(shape) * dtype.itemsize
        start = data_start(info, whole) + member.tell()
        if plain and start % dtype.alignment == 0:
            require(start + n_bytes <= len(whole), place, "must lie inside the file", start, DataError)
            data = whole[start : start + n_bytes]
        else:
            data = read_exactly(member, n_bytes)
    array = data.view(dtype).reshape(shape)
    require_characters(array, place)
    return array


def read_head(
    member: IO[bytes], info: zipfile.ZipInfo, place: str, n_axes: int
) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return shape and element type of the array in an opened member, which is left where the elements begin."""
    version = npy.read_magic(member)
    require(version == (1, 0), place, "must be in .npy format 1.0", version, DataError)
    shape, columns_first, dtype = npy.read_array_header_1_0(member)
    require(dtype.kind in "iufUS", place, "must hold numbers or strings", dtype, DataError)
    most = "one axis" if n_axes == 1 else f"{n_axes} axes"
    require(len(shape) <= n_axes, place, f"must have {most} at most", shape, DataError)
    ok = not columns_first or len(shape) <= 1
    require(ok, place, "must be in row-major order", "Fortran order", DataError)
    ok = member.tell() + math.prod(shape) * dtype.itemsize == info.file_size
    require(ok, place, f"must fill its {info.file_size} bytes", f"{dtype} {shape}", DataError)
    return shape, dtype


def data_start(info: zipfile.ZipInfo, whole: np.ndarray) -> int:
    """Return where a member's bytes begin; its own header alone says how long that is."""
    header = whole[info.header_offset : info.header_offset + LOCAL_HEADER].tobytes()
    n_name, n_extra = struct.unpack_from("<HH", header, 26)
    return info.header_offset + LOCAL_HEADER + int(n_name + n_extra)
