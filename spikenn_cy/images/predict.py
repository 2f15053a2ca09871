"""Raw images classified by a saved extractor and a saved network, without a data set file in between."""

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from spikenn_cy.data.convert import read_array
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.data.images import read_idx
from spikenn_cy.data.imagesets import read_image_sets
from spikenn_cy.data.labels import class_names
from spikenn_cy.data.objects import holds_objects
from spikenn_cy.data.objects import read_objects
from spikenn_cy.data.reading import NUMPY
from spikenn_cy.data.reading import opened
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.features import Extractor
from spikenn_cy.features import load_extractor
from spikenn_cy.network.readout import Readout

FEATURES_END = 1  # time of silence of the spikes of every extractor


class Images(NamedTuple):
    """Images to classify, with their labels where these are known."""

    images: np.ndarray  # (n, rows, columns) or (n, rows, columns, channels) uint8
    labels: np.ndarray | None = None  # (n,) original labels


class Prediction(NamedTuple):
    """What became of images."""

    classes: np.ndarray  # (n,) original label of each image's predicted class
    accuracy: float | None  # None without labels


def read_inputs(images: str | os.PathLike[str], labels: str | os.PathLike[str] | None = None) -> Images:
    """Read images from an IDX or ``.npy`` file, or the test images of an image folder.

    Parameters
    ----------
    images : path-like
    labels : path-like, optional
        IDX or ``.npy`` file; an image folder has its own.

    Raises
    ------
    DataError
        If a file does not hold what it must.
    """
    path = Path(images)
    if path.is_dir():
        require(labels is None, str(labels), "must not be given beside a folder, which has labels", path, DataError)
        sets = read_image_sets(path)
        if sets.test is None:
            raise DataError(f"{path}: must hold test images, got none")
        return Images(sets.test.images, sets.test.labels)
    found = _read(path)
    require(found.dtype == np.uint8, str(path), "must hold uint8", found.dtype, DataError)
    ok = found.ndim in (3, 4) and found.size > 0
    rule = "must hold images of shape (n, rows, columns) or (n, rows, columns, channels)"
    require(ok, str(path), rule, found.shape, DataError)
    if labels is None:
        return Images(found)
    names = class_names(read_objects(labels) if holds_objects(labels) else _read(Path(labels)), str(labels))
    require(len(names) == len(found), str(labels), f"must hold {len(found)} labels", len(names), DataError)
    return Images(found, names)


def predict(
    inputs: Images,
    extractor: str | os.PathLike[str],
    readout: str | os.PathLike[str],
    n_threads: int = 1,
    verbose: bool = False,
) -> Prediction:
    """Classify images.

    Parameters
    ----------
    inputs : Images
    extractor : path-like
        File that the ``save`` of an extractor wrote.
    readout : path-like
        File that `Readout.save` wrote.
    n_threads : int
    verbose : bool

    Raises
    ------
    SpikennError
        If a file is another, or they do not suit each other.
    """
    model, network = load_extractor(extractor), Readout.load(readout)
    # To a network of a later end a silent feature would have a spike; to one of an earlier, a late spike would be none.
    rule = f"must be a network of max_time {FEATURES_END}, when features fall silent"
    require(network.max_time == FEATURES_END, str(readout), rule, network.max_time, DataError)
    if inputs.labels is not None:
        known = set(network.classes.tolist())
        unknown = sorted({name for name in inputs.labels.tolist() if name not in known}, key=str)
        require(not unknown, "labels", f"must be among the classes of {readout}", unknown, DataError)
    found = [
        network.predict(block, n_threads)
        for block in _blocks(model, network, inputs.images, (str(extractor), str(readout)), n_threads, verbose)
    ]
    classes = np.concatenate(found)
    if inputs.labels is None:
        return Prediction(classes, None)
    return Prediction(classes, float(np.mean(classes == inputs.labels)))


def _blocks(
    model: Extractor, network: Readout, images: np.ndarray, places: tuple[str, str], n_threads: int, verbose: bool
) -> Iterator[SpikingDataset]:
    for times in model.time_blocks(images, n_threads=n_threads, verbose=verbose):
        n_features = math.prod(times.shape[1:])
        rule = f"must take the {n_features} features that {places[0]} makes of these images"
        require(n_features == network.n_inputs, places[1], rule, network.n_inputs, DataError)
        yield SpikingDataset.from_blocks((times,), None, FEATURES_END)


def _read(path: Path) -> np.ndarray:
    with opened(path, "file") as file:
        magic = file.read(len(NUMPY))
    return read_array(path) if magic == NUMPY else read_idx(path)
