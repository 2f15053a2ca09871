"""Labels that NumPy saved as Python objects, as those of pandas are, read without running what is in the file."""

import os

import numpy as np
from numpy.lib import format as npy

from spikenn_cy.data.legacy import ADMITTED
from spikenn_cy.data.reading import open_at_once
from spikenn_cy.data.reading import opened
from spikenn_cy.data.unpickle import Call
from spikenn_cy.data.unpickle import Name
from spikenn_cy.data.unpickle import read_pickle
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require


def holds_objects(path: str | os.PathLike[str]) -> bool:
    """Return whether a file is an array of Python objects in NumPy's format."""
    try:
        with open(path, "rb", opener=open_at_once) as file:
            return npy.read_magic(file) == (1, 0) and npy.read_array_header_1_0(file)[2].hasobject
    except OSError:
        raise
    except Exception:  # of any other file, whose header NumPy takes for Python's text, with Python's errors
        return False


def read_objects(path: str | os.PathLike[str]) -> np.ndarray:
    """Return the strings or whole numbers in a ``.npy`` file that holds objects, as an array of objects with one axis.

    Raises
    ------
    DataError
        If it holds anything else.
    """
    with opened(path, ".npy file") as file:
        npy.read_magic(file)
        npy.read_array_header_1_0(file)
        program = np.memmap(file, dtype=np.uint8, mode="r", offset=file.tell())
        content = read_pickle(memoryview(program), ADMITTED, str(path))
    match content:
        case Call("array", (Name("ndarray"), *_), (_, (_,), _, _, list(labels))):
            pass
        case _:
            raise DataError(f"{path}: must hold a vector of labels, got something else")
    found = np.empty(len(labels), dtype=object)
    for number, label in enumerate(labels):
        plain = plain_label(label)
        require(
            plain is not None, f"{path}[{number}]", "must be a string or a whole number", "another thing", DataError
        )
        found[number] = plain
    return found


def plain_label(found: object) -> str | bytes | int | None:
    """Return what a pickle says of a label, or None if it is none."""
    match found:
        case bool():
            return None
        case str() | int():
            return found
        case memoryview():
            return bytes(found)
        case Call("scalar", (Call("dtype", (str(kind), *_)), memoryview() as content), None) if kind[0] in "iu":
            return int(np.frombuffer(content, kind)[0])
    return None
