"""CIFAR's python batches, pickled dicts of Python 2, read without running what is in them."""

import numpy as np

from spikenn_cy.data.legacy import ADMITTED
from spikenn_cy.data.unpickle import Call
from spikenn_cy.data.unpickle import Name
from spikenn_cy.data.unpickle import read_pickle
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require


def read_pickled(data: memoryview, key: str, n_pixels: int, place: str) -> tuple[np.ndarray, np.ndarray]:
    """Read the dict ``{"data": uint8 array, key: [labels], …}``.

    Parameters
    ----------
    data : memoryview of bytes
    key : str
        Of the labels.
    n_pixels : int
        Bytes of an image.
    place : str
        In messages.

    Returns
    -------
    pixels : ndarray of uint8, shape (n, n_pixels)
    labels : ndarray of int64, shape (n,)

    Raises
    ------
    DataError
        If the pickle holds anything else. No content of it is shown.
    """
    content = read_pickle(data, ADMITTED, place)
    ok = isinstance(content, dict) and {"data", key} <= content.keys()
    require(ok, place, f"must be a pickled dict with data and {key}", "something else", DataError)
    match content["data"]:
        case Call(
            "array", (Name("ndarray"), *_), (int(), (int(n_images), int(size)), Call() as kind, False | 0, memoryview())
        ):
            pass
        case _:
            raise DataError(f"{place}: data: must be an array with two axes, in row-major order, got something else")
    pixels = content["data"].state[4]
    ok = kind.role == "dtype" and kind.arguments[:1] == ("u1",) and size == n_pixels
    ok = ok and n_images > 0 and len(pixels) == n_images * size
    require(ok, f"{place}: data", f"must be {n_pixels} bytes for each image", "something else", DataError)
    labels = content[key]
    ok = isinstance(labels, list) and len(labels) == n_images and all(type(label) is int for label in labels)
    require(ok, f"{place}: {key}", f"must be {n_images} whole numbers", "something else", DataError)
    ok = all(0 <= label < 1 << 31 for label in labels)
    require(ok, f"{place}: {key}", "must be class numbers", "something else", DataError)
    return np.frombuffer(pixels, np.uint8).reshape(n_images, size), np.array(labels, np.int64)
