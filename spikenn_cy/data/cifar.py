"""CIFAR's batches, binary or pickled, loose or in their archive, read without unpacking them or running a pickle."""

import gzip
import os
import tarfile
from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np

from spikenn_cy.data.imagefiles import check_labels
from spikenn_cy.data.pickledimages import read_pickled
from spikenn_cy.data.reading import Stream
from spikenn_cy.data.reading import opened
from spikenn_cy.data.reading import read_exactly
from spikenn_cy.dtypes import INDEX
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require

SIZE, CHANNELS = 32, 3
PIXELS = CHANNELS * SIZE * SIZE  # bytes of an image: red, green and blue plane, each row by row
UNPACKED_MAX = 1 << 28  # bytes; the official archives hold 184.4 million
OTHER_MAX = 1 << 20  # bytes of all that is no batch: class names and a link to a page, some hundred
MEMBERS_MAX = 1000


class Batches(NamedTuple):
    """What a CIFAR data set is made of."""

    archive: str  # its official name
    folder: str  # which it unpacks to
    train: tuple[str, ...]  # files, in order
    test: str
    n_classes: tuple[int, ...]  # for each label byte before an image; the last one's label is the image's
    labels: str = ""  # of pickled batches, the key of the labels; "" of binary ones
    pickled: "Batches | None" = None  # the python version of the same

    @property
    def names(self) -> tuple[str, ...]:
        """All files, those to train with first."""
        return (*self.train, self.test)

    @property
    def versions(self) -> "tuple[Batches, ...]":
        """The binary version and the python version, if there is one."""
        return (self,) if self.pickled is None else (self, self.pickled)


CIFAR10 = Batches(
    "cifar-10-binary.tar.gz",
    "cifar-10-batches-bin",
    tuple(f"data_batch_{number}.bin" for number in range(1, 6)),
    "test_batch.bin",
    (10,),
    pickled=Batches(
        "cifar-10-python.tar.gz",
        "cifar-10-batches-py",
        tuple(f"data_batch_{number}" for number in range(1, 6)),
        "test_batch",
        (10,),
        labels="labels",
    ),
)
CIFAR100 = Batches(
    "cifar-100-binary.tar.gz",
    "cifar-100-binary",
    ("train.bin",),
    "test.bin",
    (20, 100),
    pickled=Batches("cifar-100-python.tar.gz", "cifar-100-python", ("train",), "test", (100,), labels="fine_labels"),
)

Part = tuple[np.ndarray, np.ndarray]  # images (n, 32, 32, 3) uint8, labels (n,) int32


def find(folder: Path, batches: Batches) -> list[Path]:
    """Return the files to read in ``folder``: the archive alone, or all batches, there or in the archive's own folder.

    The binary version goes before the python version.

    Raises
    ------
    DataError
        If there is neither, or a batch is missing.
    """
    for version in batches.versions:
        archive = folder / version.archive
        if archive.exists():
            return [archive]
        for place in (folder, folder / version.folder):
            there = [name for name in version.names if (place / name).is_file()]
            if there:
                missing = [name for name in version.names if name not in there]
                require(not missing, place, "must hold all batches", f"no {', '.join(missing)}", DataError)
                return [place / name for name in version.names]
    rule = f"must hold {batches.archive} or the files {', '.join(batches.names)}, or the python version of them"
    raise DataError(f"{folder}: {rule}, got {'neither' if folder.is_dir() else 'no such folder'}")


def read(paths: Sequence[Path], batches: Batches) -> tuple[Part, Part]:
    """Read training and test images from what `find` found.

    Raises
    ------
    DataError
        If a file is no archive of binary batches, damaged, or breaks a rule of theirs.
    """
    names = {path.name for path in paths}
    batches = next((version for version in batches.versions if names <= {version.archive, *version.names}), batches)
    if len(paths) == 1:
        found = read_archive(paths[0], batches)
    else:
        found = {path.name: read_batch(path, batches) for path in paths}
    train = [found.pop(name) for name in batches.train]
    images = np.concatenate([part[0] for part in train])
    return (images, np.concatenate([part[1] for part in train])), found[batches.test]


def read_batch(path: Path, batches: Batches) -> Part:
    """Read one loose batch."""
    with opened(path, "file of bytes") as file:
        return decoded(read_exactly(file, os.fstat(file.fileno()).st_size), batches, str(path))


def read_archive(path: Path, batches: Batches) -> dict[str, Part]:
    """Read all batches of a ``.tar.gz`` archive in one pass.

    Folders, other small files and names of folders are of no account. Links, devices,
    absolute names and names with ``..`` are refused, though nothing is ever written.
    """
    found: dict[str, Part] = {}
    with opened(path, "tar.gz archive") as file, gzip.open(file) as unzipped:
        stream = Limited(unzipped, path)
        with tarfile.open(fileobj=stream, mode="r|") as archive:  # type: ignore[call-overload] # only reads of it
            for member in members(archive, path, batches):
                name = PurePosixPath(member.name).name
                place = f"{path}: {name}"
                require(name not in found, place, "must be there once", "another one", DataError)
                found[name] = decoded(read_exactly(archive.extractfile(member), member.size), batches, place)
        while stream.read(1 << 16):  # to its end, where gzip has a checksum
            pass
    missing = [name for name in batches.names if name not in found]
    require(not missing, path, f"must hold the files {', '.join(batches.names)}", f"no {', '.join(missing)}", DataError)
    return found


def members(archive: tarfile.TarFile, path: Path, batches: Batches) -> Iterator[tarfile.TarInfo]:
    """Yield the members that are batches; raise at one that no such archive has."""
    others = 0
    for number, member in enumerate(archive):
        require(number < MEMBERS_MAX, path, f"must have at most {MEMBERS_MAX} members", "more", DataError)
        name = PurePosixPath(member.name)
        ok = not name.is_absolute() and ".." not in name.parts
        require(ok, path, "must have members with plain names", member.name, DataError)
        if member.isdir():
            continue
        require(member.isreg(), path, "must have files and folders only", f"a link or device {member.name}", DataError)
        if name.name in batches.names:
            yield member
            continue
        other = () if batches.pickled is None else batches.pickled.names
        rule = f"must be the binary version, as its name {path.name} says"
        require(name.name not in other, path, rule, f"the python version ({member.name})", DataError)
        others += member.size
        rule = f"must hold less than {OTHER_MAX} bytes besides {', '.join(batches.names)}"
        require(others < OTHER_MAX, path, rule, member.name, DataError)


class Limited:
    """A stream that ends in a refusal where an archive made to fill the memory would go on."""

    def __init__(self, stream: Stream, path: Path) -> None:
        self._stream, self._path, self._left = stream, path, UNPACKED_MAX

    def read(self, n_bytes: int) -> bytes:
        """Return the next ``n_bytes`` at most."""
        data = self._stream.read(n_bytes)
        self._left -= len(data)
        require(self._left >= 0, self._path, f"must unpack to at most {UNPACKED_MAX} bytes", "more", DataError)
        return data


def decoded(data: np.ndarray, batches: Batches, place: str) -> Part:
    """Return the images and labels of a batch."""
    if batches.labels:
        pixels, labels = read_pickled(memoryview(data), batches.labels, PIXELS, place)
        check_labels(labels, batches.n_classes[-1], f"{place}: {batches.labels}")
    else:
        records = binary_records(data, batches.n_classes, place)
        pixels, labels = records[:, len(batches.n_classes) :], records[:, len(batches.n_classes) - 1]
    planes = pixels.reshape(len(labels), CHANNELS, SIZE, SIZE)
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), labels.astype(INDEX)


def binary_records(data: np.ndarray, n_classes: Sequence[int], place: str) -> np.ndarray:
    """Return the rows of a binary batch: label bytes, then three planes, image after image."""
    n_bytes = len(n_classes) + PIXELS
    n_images, rest = divmod(len(data), n_bytes)
    rule = f"must hold {n_bytes} bytes for each image"
    require(n_images > 0 and rest == 0, place, rule, f"{len(data)} bytes", DataError)
    records = data.reshape(n_images, n_bytes)
    for position, count in enumerate(n_classes):
        check_labels(records[:, position], count, f"{place}: labels")
    return records
