"""The reference's ``.npy`` data sets, a pickled dict each, read without running what is in them."""

import math
import os
import re

import numpy as np
from numpy.lib import format as npy

from spikenn_cy.data.arrays import SpikeArrays
from spikenn_cy.data.reading import opened
from spikenn_cy.data.unpickle import Call
from spikenn_cy.data.unpickle import Name
from spikenn_cy.data.unpickle import read_pickle
from spikenn_cy.dtypes import INDEX
from spikenn_cy.dtypes import OFFSET
from spikenn_cy.dtypes import STAMP
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require

RECORDS = ("numpy", "numpy.rec", "numpy.core.records", "numpy._core.records")
# Every name that NumPy 1 and 2 write for arrays, record arrays and numbers, in pickle protocols 2 to 5.
ADMITTED = {
    ("numpy", "ndarray"): "ndarray",
    ("numpy", "dtype"): "dtype",
    **{(module, "record"): "record" for module in RECORDS},
    **{(module, "recarray"): "ndarray" for module in RECORDS},
    **{(f"numpy.{core}.multiarray", "_reconstruct"): "array" for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): "scalar" for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): "frombuffer" for core in ("core", "_core")},
    ("_codecs", "encode"): "encode",  # protocol 2 has no byte strings: they come as text
    ("__builtin__", "bytes"): "bytes",  # and the empty one comes as a call
}
NUMBER = re.compile(r"[iu][1248]|f[248]")
AXES_MAX = 32  # of NumPy
SPIKE_FIELDS = ("indices", "timestamps")


def read(path: str | os.PathLike[str]) -> SpikeArrays:
    """Read the dict ``{"data": [record arrays], "labels": ..., "shape": ..., "max_time": ...}``.

    The labels' numbers are taken as they are, since the file says nothing of what they were.
    """
    with opened(path, ".npy file") as file:
        version = npy.read_magic(file)
        require(version == (1, 0), path, "must be in .npy format 1.0", version, DataError)
        shape, _, dtype = npy.read_array_header_1_0(file)
        rule = "must be the reference's pickled dict (`convert` makes a data set of plain arrays)"
        require(dtype.hasobject and shape == (), path, rule, f"{dtype} array of shape {shape}", DataError)
        program = np.memmap(file, dtype=np.uint8, mode="r", offset=file.tell())
        content = read_pickle(memoryview(program), ADMITTED, str(path))
        return Interpreter(str(path), len(program)).spikes(content)


class Interpreter:
    """Makes arrays of the calls in a file's pickle, if they are those that arrays are pickled as.

    No content of the pickle is ever shown in an error: a few bytes can stand for a text
    that fills the memory.
    """

    def __init__(self, place: str, n_bytes: int) -> None:
        self.place = place
        self.n_bytes = n_bytes  # of the whole pickle
        self.dtypes: dict[int, np.dtype] = {}  # by the identity of their call: a file has few, named by every array

    def spikes(self, content: object) -> SpikeArrays:
        match content:
            case Call("array", (Name("ndarray"), *_), (_, (), _, _, [dict(fields)])):
                pass
            case _:
                raise self.refusal("", "must hold one dict")
        if not {"data", "labels", "shape"} <= fields.keys() <= {"data", "labels", "shape", "max_time"}:
            rule = "must have the keys data, labels, shape and perhaps max_time"
            require(False, self.place, rule, sorted(fields), DataError)
        samples = self.samples(fields["data"])
        labels = self.vector(fields["labels"], "labels")
        n_samples, n_inputs = self.shape(fields["shape"])
        max_time = self.number(fields.get("max_time", 1), "max_time")
        for name, found in (("data", len(samples)), ("labels", len(labels))):
            require(found == n_samples, f"{self.place}: {name}", f"must be {n_samples} as in shape", found, DataError)

        indptr = np.zeros(n_samples + 1, dtype=OFFSET)
        np.cumsum([len(sample) for sample in samples], out=indptr[1:])
        index_types = {sample.dtype["indices"] for sample in samples}
        for dtype in index_types:
            # An index that did not fit was wrapped when the file was written, and may look sound now.
            rule = f"dtype must number {n_inputs} inputs without overflow"
            require(n_inputs - 1 <= np.iinfo(dtype).max, f"{self.place}: indices", rule, dtype, DataError)
        indices = np.empty(indptr[-1], dtype=np.result_type(INDEX, *index_types))
        timestamps = np.empty(indptr[-1], dtype=STAMP)
        with np.errstate(all="ignore"):  # a time that overflows becomes inf; the check of spikes refuses it
            for sample, start, stop in zip(samples, indptr[:-1], indptr[1:], strict=True):
                indices[start:stop] = sample["indices"]
                timestamps[start:stop] = sample["timestamps"]
        return SpikeArrays(indptr, indices, timestamps, labels, n_inputs, max_time, classes_assumed=True)

    def samples(self, node: object) -> list[np.ndarray]:
        """Return the record array of each sample, which a list or an array of objects holds."""
        match node:
            case list(nodes) | Call("array", (Name("ndarray"), *_), (_, (_,), _, _, list(nodes))):
                pass
            case _:
                raise self.refusal("data", "must be a list of record arrays")
        samples = []
        n_bytes = 0
        for s, array in enumerate(nodes):
            sample = self.vector(array, f"data, sample {s}")
            ok = sample.dtype.names is not None
            require(ok, f"{self.place}: data, sample {s}", "must be a record array", sample.dtype, DataError)
            n_bytes += sample.nbytes
            if n_bytes > self.n_bytes:
                raise self.refusal("data", f"must hold no more than the {self.n_bytes} bytes of the file", "more")
            samples.append(sample)
        return samples

    def vector(self, node: object, name: str) -> np.ndarray:
        match node:
            case Call("array", (Name("ndarray"), *_), (int(), (int(size),), Call() as kind, _, data)):
                pass
            case Call("frombuffer", (data, Call() as kind, (int(size),), _)):
                pass
            case _:
                raise self.refusal(name, "must be an array with one axis")
        dtype = self.dtypes.get(id(kind))
        if dtype is None:
            dtype = self.dtypes[id(kind)] = self.dtype(kind, name)
        content = self.bytes(data, name)
        rule = f"must have {dtype.itemsize} bytes for each of {size} entries"
        require(len(content) == size * dtype.itemsize, f"{self.place}: {name}", rule, len(content), DataError)
        return np.frombuffer(content, dtype)

    def dtype(self, node: object, name: str) -> np.dtype:
        match node:
            case Call("dtype", _, (int(), _, None, (str(), str()) as names, dict(fields), int(size), *_)):
                if sorted(names) == sorted(fields) == sorted(SPIKE_FIELDS):
                    parts = [self.field(fields[field], name) for field in SPIKE_FIELDS]
                    formats, offsets = [part[0] for part in parts], [part[1] for part in parts]
                    if np.can_cast(formats[0], np.int64) and formats[1].kind == "f":
                        return np.dtype(
                            {"names": SPIKE_FIELDS, "formats": formats, "offsets": offsets, "itemsize": size}
                        )
                raise self.refusal(name, "must have the fields indices, whole numbers, and timestamps, floats")
            case _:
                return self.number_dtype(node, name)

    def field(self, node: object, name: str) -> tuple[np.dtype, int]:
        match node:
            case (Call() as kind, int(offset)):
                return self.number_dtype(kind, name), offset
        raise self.refusal(name, "must have fields of a dtype and an offset")

    def number_dtype(self, node: object, name: str) -> np.dtype:
        match node:
            case Call("dtype", (str(kind), *_), (int(), "<" | ">" | "|" as order, None, None, None, *_)):
                if NUMBER.fullmatch(kind):
                    return np.dtype(f"{order}{kind}")
        raise self.refusal(name, "must have a dtype of numbers")

    def bytes(self, node: object, name: str) -> memoryview | bytes:
        match node:
            case memoryview():
                return node
            case Call("encode", (str(text), "latin1"), None):
                return text.encode("latin1")
            case Call("bytes", (), None):
                return b""
        raise self.refusal(name, "must have its bytes in the file")

    def shape(self, node: object) -> tuple[int, int]:
        """Return the number of samples and of inputs."""
        match node:
            case (_, _, *_) if len(node) <= AXES_MAX:
                sizes = [self.number(size, "shape") for size in node]
                ok = all(isinstance(size, int) and 0 <= size <= np.iinfo(OFFSET).max for size in sizes)
                require(ok, f"{self.place}: shape", "must be whole numbers >= 0", sizes, DataError)
                n_samples, *axes = map(int, sizes)
                return n_samples, math.prod(axes)
        raise self.refusal("shape", "must be (samples, inputs)")

    def number(self, node: object, name: str) -> int | float:
        match node:
            case bool():
                pass
            case int() | float() as number:
                return number
            case Call("scalar", (Call() as kind, data), None):
                found: list[int | float] = np.frombuffer(self.bytes(data, name), self.number_dtype(kind, name)).tolist()
                (only,) = found
                return only
        raise self.refusal(name, "must be a number")

    def refusal(self, name: str, rule: str, found: str = "something else") -> DataError:
        return DataError(f"{self.place}: {name}{': ' if name else ''}{rule}, got {found}")
