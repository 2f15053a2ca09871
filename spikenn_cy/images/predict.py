"""Images, tables and spikes classified by saved models, without a data set file in between."""

import math
import os
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from collections.abc import Sized
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from spikenn_cy.bundled.networks import Pretrained
from spikenn_cy.bundled.networks import pretrained
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.data.labels import called
from spikenn_cy.data.pictures import Size
from spikenn_cy.data.pictures import in_colour
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.features import Extractor
from spikenn_cy.features import load_extractor
from spikenn_cy.images.inputs import Images
from spikenn_cy.images.inputs import read_inputs
from spikenn_cy.images.inputs import read_spikes
from spikenn_cy.network.cost import counts_of
from spikenn_cy.network.cost import decisions
from spikenn_cy.network.integer.model import IntegerReadout
from spikenn_cy.network.readout import Readout
from spikenn_cy.storage.kinds import ENCODER
from spikenn_cy.storage.kinds import MODEL
from spikenn_cy.storage.kinds import class_names_in
from spikenn_cy.storage.model_kinds import ENCODER_FILE
from spikenn_cy.storage.model_kinds import EXTRACTOR
from spikenn_cy.storage.model_kinds import NETWORK
from spikenn_cy.storage.model_kinds import QUANTISED
from spikenn_cy.storage.model_kinds import kind_of
from spikenn_cy.storage.model_kinds import model_in

FEATURES_END = 1  # time of silence of the spikes of every extractor and of every encoder of tables
CHUNK = 1 << 22  # spike times of rows at once

Network = Readout | IntegerReadout


@dataclass(frozen=True)
class Question:
    """What is to be classified, and by what.

    Attributes
    ----------
    data : path-like
        Images with an ``extractor``, a table with an ``encoder``, otherwise spikes; see `read_inputs`, `read_spikes`.
    readout : path-like, optional
        ``model.npz`` of a run, or its folder, or a quantised network; without it, ``pretrained`` classifies.
    extractor, encoder : path-like, optional
        ``model.npz`` of an extraction or ``encoder.npz`` of an encoded table, or their folders; one at most.
    labels : path-like, optional
        IDX or ``.npy`` file with the labels of images.
    size : tuple of int, optional
        Rows and columns that pictures are scaled to.
    pretrained : str, optional
        Name of a network that comes with the package, in place of ``readout`` and ``extractor``.
    cost : bool
        Count what decisions take.
    n_threads : int
    verbose : bool
    """

    data: str | os.PathLike[str]
    readout: str | os.PathLike[str] | None = None
    extractor: str | os.PathLike[str] | None = None
    encoder: str | os.PathLike[str] | None = None
    labels: str | os.PathLike[str] | None = None
    size: Size | None = None
    pretrained: str | None = None
    cost: bool = False
    n_threads: int = 1
    verbose: bool = False


class Prediction(NamedTuple):
    """What became of samples."""

    samples: Sequence[str]  # file, line or number of each
    classes: np.ndarray  # (n,) original label of each sample's predicted class
    class_names: Sequence[str] | None  # what a published data set calls these; None: as they are
    times: np.ndarray  # (n,) float32: of the first output spike; NaN: none, decided by potential
    accuracy: float | None  # None without labels
    n_spikes: np.ndarray | None = None  # (n,) int64: of inputs and hidden neurons until the decision; None: not counted
    n_additions: np.ndarray | None = None  # (n,) int64: of weights to potentials, likewise
    notes: Sequence[str] = ()  # on what was done to pictures


class _Samples(NamedTuple):
    """Samples as spikes, some at a time."""

    blocks: Iterable[SpikingDataset]
    names: Sequence[str]
    labels: Sequence[object] | None
    names_of_classes: Sequence[str] = ()
    notes: Sequence[str] = ()


class _Decided(NamedTuple):
    """How a network decided samples, of each one."""

    classes: np.ndarray
    times: np.ndarray
    n_spikes: np.ndarray | None
    n_additions: np.ndarray | None


def predict(question: Question) -> Prediction:
    """Classify samples.

    Raises
    ------
    SpikennError
        If a file is another, or they do not suit each other.
    """
    _require_one_way(question)
    network: Network
    if question.pretrained is not None:
        shipped = pretrained(question.pretrained)
        network, samples, place = shipped.network, _of_pictures(question, shipped), question.pretrained
    else:
        place = os.fspath(model_in(question.readout or "", MODEL, NETWORK, QUANTISED))
        network = load_network(place)
        samples = _samples(question, network)
    where = os.fspath(question.data if question.labels is None else question.labels)
    right = None if samples.labels is None else _known(samples.labels, network, (where, place))
    found = _joined([_decided(network, block, question) for block in samples.blocks])
    return Prediction(
        samples=samples.names,
        classes=found.classes,
        class_names=called(found.classes, samples.names_of_classes),
        times=found.times,
        accuracy=None if right is None else float(np.mean(found.classes == right)),
        n_spikes=found.n_spikes,
        n_additions=found.n_additions,
        notes=samples.notes,
    )


def _require_one_way(question: Question) -> None:
    """Raise if options are given that exclude each other."""
    given = {name: getattr(question, name) for name in ("readout", "extractor", "encoder")}
    if question.pretrained is not None:
        for name, value in given.items():
            rule = "must not be given beside --pretrained, which has its own"
            require(value is None, f"--{name}", rule, os.fspath(value or ""), DataError)
    elif question.readout is None:
        raise DataError("--readout: must be given, or --pretrained, got neither")
    both = question.extractor is not None and question.encoder is not None
    require(not both, "--encoder", "must not be given beside --extractor", os.fspath(question.encoder or ""), DataError)
    of_images = question.extractor is not None or question.pretrained is not None
    ok = question.labels is None or of_images
    require(ok, "--labels", "must be given for images only", os.fspath(question.labels or ""), DataError)


def _samples(question: Question, network: Network) -> _Samples:
    """Return the samples in a file or a folder, for the network that a user has."""
    if question.extractor is not None:
        return _of_images(question, question.extractor, network)
    if question.encoder is not None:
        return _of_table(question, question.encoder, network)
    dataset = read_spikes(Path(question.data))
    labels = None if dataset.labels is None else dataset.classes[dataset.labels].tolist()
    return _Samples((dataset,), range_of(dataset), labels)


def _decided(network: Network, block: SpikingDataset, question: Question) -> _Decided:
    """Classify a block of samples, and count what that takes if asked for."""
    n_threads = question.n_threads
    if isinstance(network, IntegerReadout):
        found = network.decisions(block, n_threads)
        fired = found.levels < network.n_levels
        times = np.where(fired, found.levels * (network.max_time / network.n_levels), np.nan).astype(np.float32)
        costs = (found.n_spikes.sum(axis=1), found.n_additions.sum(axis=1)) if question.cost else (None, None)
        return _Decided(network.classes[found.numbers], times, *costs)
    if question.cost:
        counts = counts_of(network, block, n_threads)
        numbers, first, costs = counts.classes, counts.times, counts.until_decision
    else:
        spikes = network.first_spikes(block, n_threads)
        numbers, first, _ = decisions(*spikes, network.n_classes, network.max_time)
        costs = (None, None)
    times = np.where(first < network.max_time, first, np.nan).astype(np.float32)
    return _Decided(network.classes[numbers], times, *costs)


def _joined(parts: Sequence[_Decided]) -> _Decided:
    counted = parts[0].n_spikes is not None
    return _Decided(
        np.concatenate([part.classes for part in parts]),
        np.concatenate([part.times for part in parts]),
        np.concatenate([part.n_spikes for part in parts]) if counted else None,
        np.concatenate([part.n_additions for part in parts]) if counted else None,
    )


def load_network(path: str | os.PathLike[str]) -> Network:
    """Return the network in a file, in floating point or in whole numbers; raise `DataError` if it is none."""
    return IntegerReadout.load(path) if kind_of(Path(path)) == QUANTISED else Readout.load(path)


def range_of(samples: Sized) -> list[str]:
    """Return the numbers of samples, from 0, as names."""
    return [str(number) for number in range(len(samples))]


def _of_images(question: Question, extractor: str | os.PathLike[str], network: Network) -> _Samples:
    path = model_in(extractor, MODEL, EXTRACTOR)
    model, inputs = load_extractor(path), read_inputs(question.data, question.labels, question.size)
    _require_end(network, question)
    shape = getattr(model, "image_shape", None)
    images = inputs.images
    if shape is not None and images.ndim == 3 and len(shape) == 3 and shape[2] == 3:  # grey ones among coloured ones
        images = in_colour(images)
    blocks = _features(model, network, images, (str(path), question))
    labels = _labels_of(inputs, network, question)
    return _Samples(blocks, inputs.names or range_of(images), labels, class_names_in(path.parent))


def _of_pictures(question: Question, shipped: Pretrained) -> _Samples:
    """Return pictures, framed as those that a network of the package learned from, as spikes."""
    notes = []

    def framed(picture: np.ndarray, path: Path) -> np.ndarray:
        image, done = shipped.frame.framed(picture)
        if done:
            notes.append(f"{path}: {done}")
        return image

    require(question.size is None, "--size", "must not be given beside --pretrained", question.size, DataError)
    inputs = read_inputs(question.data, question.labels, prepare=framed)
    blocks = _features(shipped.extractor, shipped.network, inputs.images, (shipped.card.name, question))
    labels = _labels_of(inputs, shipped.network, question)
    return _Samples(blocks, inputs.names or range_of(inputs.images), labels, shipped.card.class_names, notes)


def _labels_of(inputs: Images, network: Network, question: Question) -> list[object] | None:
    """Return the labels of images; None if there are none, or they are names of folders that are no classes."""
    if inputs.labels is None:
        return None
    labels: list[object] = inputs.labels.tolist()
    of_folders = inputs.names is not None and question.labels is None
    unknown = {*map(str, labels)} - {*map(str, network.classes.tolist())}
    return None if of_folders and unknown else labels


def _features(
    model: Extractor, network: Network, images: np.ndarray, place: tuple[str, Question]
) -> Iterator[SpikingDataset]:
    path, question = place
    for times in model.time_blocks(images, n_threads=question.n_threads, verbose=question.verbose):
        n_features = math.prod(times.shape[1:])
        rule = f"must take the {n_features} features that {path} makes of these images"
        require(n_features == network.n_inputs, str(question.readout), rule, network.n_inputs, DataError)
        yield SpikingDataset._computed((times,), max_time=FEATURES_END)


def _of_table(question: Question, encoder: str | os.PathLike[str], network: Network) -> _Samples:
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


def _require_end(network: Network, question: Question) -> None:
    """Raise unless a network and the spikes made for it end together.

    To a network of a later end a silent feature would have a spike; to one of an earlier, a late spike would be none.
    """
    rule = f"must be a network of max_time {FEATURES_END}, when features fall silent"
    require(network.max_time == FEATURES_END, str(question.readout), rule, network.max_time, DataError)


def _known(labels: Sequence[object], network: Network, place: tuple[str, str]) -> np.ndarray:
    """Return the labels in a file as the network in another has them; they may be text in place of whole numbers."""
    where, readout = place
    of_text = {str(name): name for name in network.classes.tolist()}
    unknown = sorted({str(label) for label in labels} - of_text.keys())
    rule = f"must have labels among the classes of {readout}"
    require(not unknown, where, rule, ", ".join(unknown[:5]) + ", …" * (len(unknown) > 5), DataError)
    return np.array([of_text[str(label)] for label in labels])
