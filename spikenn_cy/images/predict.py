"""Images, tables and spikes classified by saved models, without a data set file in between."""

import math
import os
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from collections.abc import Sized
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from typing import NamedTuple

import numpy as np

from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.data.pictures import Size
from spikenn_cy.data.pictures import in_colour
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.features import Extractor
from spikenn_cy.features import load_extractor
from spikenn_cy.images.inputs import read_inputs
from spikenn_cy.images.inputs import read_spikes
from spikenn_cy.network.readout import Readout
from spikenn_cy.storage.kinds import ENCODER
from spikenn_cy.storage.kinds import EXTRACTION
from spikenn_cy.storage.kinds import MODEL
from spikenn_cy.storage.model_kinds import ENCODER_FILE
from spikenn_cy.storage.model_kinds import EXTRACTOR
from spikenn_cy.storage.model_kinds import NETWORK
from spikenn_cy.storage.model_kinds import model_in

FEATURES_END = 1  # time of silence of the spikes of every extractor and of every encoder of tables
CHUNK = 1 << 22  # spike times of rows at once


@dataclass(frozen=True)
class Question:
    """What is to be classified, and by what.

    Attributes
    ----------
    data : path-like
        Images with an ``extractor``, a table with an ``encoder``, otherwise spikes; see `read_inputs`, `read_spikes`.
    readout : path-like
        ``model.npz`` of a run, or its folder.
    extractor, encoder : path-like, optional
        ``model.npz`` of an extraction or ``encoder.npz`` of an encoded table, or their folders; one at most.
    labels : path-like, optional
        IDX or ``.npy`` file with the labels of images.
    size : tuple of int, optional
        Rows and columns that pictures are scaled to.
    n_threads : int
    verbose : bool
    """

    data: str | os.PathLike[str]
    readout: str | os.PathLike[str]
    extractor: str | os.PathLike[str] | None = None
    encoder: str | os.PathLike[str] | None = None
    labels: str | os.PathLike[str] | None = None
    size: Size | None = None
    n_threads: int = 1
    verbose: bool = False


class Prediction(NamedTuple):
    """What became of samples."""

    samples: Sequence[str]  # file, line or number of each
    classes: np.ndarray  # (n,) original label of each sample's predicted class
    class_names: Sequence[str] | None  # what a published data set calls these; None: as they are
    times: np.ndarray  # (n,) float32: of the first output spike; NaN: none, decided by potential
    accuracy: float | None  # None without labels


class _Samples(NamedTuple):
    """Samples as spikes, some at a time."""

    blocks: Iterable[SpikingDataset]
    names: Sequence[str]
    labels: Sequence[object] | None
    names_of_classes: Sequence[str] = ()


def predict(question: Question) -> Prediction:
    """Classify samples.

    Raises
    ------
    SpikennError
        If a file is another, or they do not suit each other.
    """
    both = question.extractor is not None and question.encoder is not None
    require(not both, "--encoder", "must not be given beside --extractor", os.fspath(question.encoder or ""), DataError)
    ok = question.labels is None or question.extractor is not None
    require(ok, "--labels", "must be given for images only", os.fspath(question.labels or ""), DataError)
    readout = model_in(question.readout, MODEL, NETWORK)
    network = Readout.load(readout)
    if question.extractor is not None:
        samples = _of_images(question, question.extractor, network)
    elif question.encoder is not None:
        samples = _of_table(question, question.encoder, network)
    else:
        dataset = read_spikes(Path(question.data))
        labels = None if dataset.labels is None else dataset.classes[dataset.labels].tolist()
        samples = _Samples((dataset,), range_of(dataset), labels)
    place = os.fspath(question.data if question.labels is None else question.labels)
    right = None if samples.labels is None else _known(samples.labels, network, (place, readout))
    classes, times = [], []
    for block in samples.blocks:
        classes.append(network.predict(block, question.n_threads))
        first = network.first_spikes(block, question.n_threads)[0].min(axis=1)
        times.append(np.where(first < network.max_time, first, np.nan).astype(np.float32))
    found = np.concatenate(classes)
    named = samples.names_of_classes
    of_numbers = bool(named) and found.dtype.kind in "iu" and found.min() >= 0 and found.max() < len(named)
    names = [named[number] for number in found.tolist()] if of_numbers else None
    accuracy = None if right is None else float(np.mean(found == right))
    return Prediction(samples.names, found, names, np.concatenate(times), accuracy)


def range_of(samples: Sized) -> list[str]:
    """Return the numbers of samples, from 0, as names."""
    return [str(number) for number in range(len(samples))]


def _of_images(question: Question, extractor: str | os.PathLike[str], network: Readout) -> _Samples:
    path = model_in(extractor, MODEL, EXTRACTOR)
    model, inputs = load_extractor(path), read_inputs(question.data, question.labels, question.size)
    _require_end(network, question)
    record = EXTRACTION.record_in(path.parent) or {}
    shape = getattr(model, "image_shape", None)
    images = inputs.images
    if shape is not None and images.ndim == 3 and len(shape) == 3 and shape[2] == 3:  # grey ones among coloured ones
        images = in_colour(images)
    blocks = _features(model, network, images, (str(path), question))
    labels = None if inputs.labels is None else inputs.labels.tolist()
    if inputs.names is not None and labels is not None and {*labels} - {*map(str, network.classes.tolist())}:
        labels = None  # folders of pictures that are no classes
    return _Samples(blocks, inputs.names or range_of(images), labels, _names_in(record))


def _features(
    model: Extractor, network: Readout, images: np.ndarray, place: tuple[str, Question]
) -> Iterator[SpikingDataset]:
    path, question = place
    for times in model.time_blocks(images, n_threads=question.n_threads, verbose=question.verbose):
        n_features = math.prod(times.shape[1:])
        rule = f"must take the {n_features} features that {path} makes of these images"
        require(n_features == network.n_inputs, str(question.readout), rule, network.n_inputs, DataError)
        yield SpikingDataset._computed((times,), max_time=FEATURES_END)


def _of_table(question: Question, encoder: str | os.PathLike[str], network: Readout) -> _Samples:
    path = model_in(encoder, ENCODER, ENCODER_FILE)
    from spikenn_cy.estimator.tables import TableEncoder  # here, since it needs scikit-learn, and images do not
    from spikenn_cy.estimator.tables import taken

    model = TableEncoder.load(path)
    _require_end(network, question)
    rule = f"must take the {model.n_inputs} inputs that {path} makes of a row"
    require(model.n_inputs == network.n_inputs, str(question.readout), rule, network.n_inputs, DataError)
    table = Path(question.data)
    features, labels = model.read(table)
    n_rows = max(1, CHUNK // model.n_inputs)

    def blocks() -> Iterator[SpikingDataset]:
        for start in range(0, len(features.rows), n_rows):
            times = model.times(taken(features, slice(start, start + n_rows)), str(table))
            yield SpikingDataset._computed((times,), max_time=FEATURES_END)

    word = "row" if features.is_array else "line"
    return _Samples(blocks(), [f"{word} {row}" for row in features.rows.tolist()], labels)


def _require_end(network: Readout, question: Question) -> None:
    """Raise unless a network and the spikes made for it end together.

    To a network of a later end a silent feature would have a spike; to one of an earlier, a late spike would be none.
    """
    rule = f"must be a network of max_time {FEATURES_END}, when features fall silent"
    require(network.max_time == FEATURES_END, str(question.readout), rule, network.max_time, DataError)


def _known(labels: Sequence[object], network: Readout, place: tuple[str, Path]) -> np.ndarray:
    """Return the labels in a file as the network in another has them; they may be text in place of whole numbers."""
    where, readout = place
    of_text = {str(name): name for name in network.classes.tolist()}
    unknown = sorted({str(label) for label in labels} - of_text.keys())
    rule = f"must have labels among the classes of {readout}"
    require(not unknown, where, rule, ", ".join(unknown[:5]) + ", …" * (len(unknown) > 5), DataError)
    return np.array([of_text[str(label)] for label in labels])


def _names_in(record: Mapping[str, Any]) -> Sequence[str]:
    names = record.get("class_names", ())
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else ()
