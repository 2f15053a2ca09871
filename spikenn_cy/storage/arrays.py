"""Arrays in one ``.npz``, whose names, types and sizes are checked before any of them takes memory."""

import contextlib
import os
import zipfile
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spikenn_cy.data.archive import read_head
from spikenn_cy.data.reading import NUMPY
from spikenn_cy.data.reading import STEP
from spikenn_cy.data.reading import ZIP
from spikenn_cy.data.reading import one_line
from spikenn_cy.data.reading import open_at_once
from spikenn_cy.errors import DataError
from spikenn_cy.errors import SpikennError
from spikenn_cy.errors import shown
from spikenn_cy.utils.alignment import aligned

MOST_AXES = 32
LONGEST = 300  # characters of a finding, which may quote a damaged header


class WrongContent(ValueError):
    """What a file holds in place of what it must; the text completes "got ..."."""


class Wanted(NamedTuple):
    """What an array must be like.

    Attributes
    ----------
    shape : tuple of int or None
        None: of any length.
    kinds : str
        Of its element type, by NumPy's letters: ``"f"`` for floating point, ``"iu"`` for whole
        numbers, ``"U"`` for text.
    """

    shape: tuple[int | None, ...]
    kinds: str = "f"

    def differs(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> str:
        """Return in words how an array differs from this, ``""`` if it does not."""
        if len(shape) != len(self.shape):
            return f"must have {len(self.shape)} axes, got {shape}"
        if any(length not in (None, found) for length, found in zip(self.shape, shape, strict=True)):
            wanted = ", ".join("any" if length is None else str(length) for length in self.shape)
            return f"must have shape ({wanted}), got {shape}"
        if np.dtype(dtype).kind not in self.kinds:
            return f"must be of another type, got {dtype}"
        return ""


@contextlib.contextmanager
def refusing(place: str | os.PathLike[str], rule: str, error: type[SpikennError] = DataError) -> Iterator[None]:
    """Raise whatever goes wrong in the block as one line: place, rule and finding.

    A damaged archive raises whatever its damage leads to, in `zipfile`, in the library of
    its compression, or in NumPy. Want of memory is no damage and goes through.
    """
    try:
        yield
    except MemoryError:
        raise
    except OSError as problem:
        raise error(f"{place}: {rule}, got {problem.strerror or one_line(problem)}") from problem
    except (WrongContent, SpikennError) as problem:
        raise error(f"{place}: {rule}, got {one_line(problem, LONGEST)}") from problem
    except Exception as problem:
        raise error(f"{place}: {rule}, got {type(problem).__name__}: {one_line(problem)}") from problem


class ArrayFile:
    """An open ``.npz`` file; `open_arrays` makes one. Whatever is wrong with it raises, of any type."""

    def __init__(self, archive: zipfile.ZipFile, n_bytes: int) -> None:
        self._archive = archive
        self._members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        if len(self._members) != len(archive.infolist()):
            raise WrongContent("an array twice")
        for name, info in self._members.items():
            # Memory is asked for as these say. Compressed ones could ask for a thousand times the file.
            if info.compress_type != zipfile.ZIP_STORED:
                raise WrongContent(f"{shown(name)} compressed, which no command does")
            if info.file_size != info.compress_size or info.header_offset + info.file_size > n_bytes:
                raise WrongContent(f"{shown(name)} of more bytes than the file has")

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def require(self, layout: Mapping[str, Wanted], optional: Mapping[str, Wanted] | None = None) -> None:
        """Raise unless the arrays are those of ``layout``, with any of the ``optional``; none of them is read."""
        known = {**layout, **(optional or {})}
        missing = [name for name in layout if name not in self._members]
        if missing:
            raise WrongContent(f"no {', '.join(missing[:3])}")
        for name in self._members:
            if name not in known:
                raise WrongContent(f"arrays: must be among {', '.join(known)}, got {shown(name)}")
            with self._archive.open(self._members[name]) as member:
                shape, dtype = read_head(member, self._members[name], name, MOST_AXES)
            if difference := known[name].differs(shape, dtype):
                raise WrongContent(f"{name}: {difference}")

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        """Return an array, which begins a line of the processor's caches; its checksum holds."""
        with self._opened(name) as (member, shape, dtype):
            array = aligned(shape, dtype)
            memory = array.reshape(-1).view(np.uint8)
            filled = 0
            while filled < len(memory):
                part = member.read(STEP)
                if not part:
                    raise EOFError(f"an end after {filled} of {len(memory)} bytes of {name}")
                memory[filled : filled + len(part)] = np.frombuffer(part, np.uint8)
                filled += len(part)
        return array

    def rows(self, name: str) -> Iterator[npt.NDArray[Any]]:
        """Yield the parts of an array along its first axis, one of which is in memory at a time."""
        with self._opened(name) as (member, shape, dtype):
            if not shape:
                raise WrongContent(f"{name}: must have an axis, got a single value")
            n_bytes = int(np.prod(shape[1:])) * dtype.itemsize
            for _ in range(shape[0]):
                yield np.frombuffer(member.read(n_bytes), dtype).reshape(shape[1:])

    def text(self, name: str) -> str:
        """Return the text that is the only value of an array."""
        array = self[name]
        if array.dtype.kind != "U" or array.shape != ():
            raise WrongContent(f"{name}: must be text, got {array.dtype} {array.shape}")
        return str(array[()])

    @contextlib.contextmanager
    def _opened(self, name: str) -> Iterator[tuple[Any, tuple[int, ...], np.dtype[Any]]]:
        if name not in self._members:
            raise WrongContent(f"no {name}")
        with self._archive.open(self._members[name]) as member:
            yield member, *read_head(member, self._members[name], name, MOST_AXES)


@contextlib.contextmanager
def open_arrays(path: str | os.PathLike[str], rule: str, error: type[SpikennError] = DataError) -> Iterator[ArrayFile]:
    """Open an ``.npz`` file for the time of the block, in which `refusing` says what is wrong with its arrays.

    Parameters
    ----------
    path : path-like
    rule : str
        What the file must be; stands between path and finding in an error.
    error : type of SpikennError

    Raises
    ------
    SpikennError
        Of type ``error``, if there is no such file or it is no sound archive.
    """
    with contextlib.ExitStack() as stack:
        with refusing(path, rule, error):
            file = stack.enter_context(open(path, "rb", opener=open_at_once))
            start = file.read(len(NUMPY))
            if not start.startswith(ZIP):
                lone = "one array without a name, as .npy files hold"
                raise WrongContent(lone if start == NUMPY else "a file of another kind" if start else "an empty file")
            archive = stack.enter_context(zipfile.ZipFile(file))
            arrays = ArrayFile(archive, os.fstat(file.fileno()).st_size)
        yield arrays
