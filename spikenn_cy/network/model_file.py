"""Networks in files and pickles, and the checkpoints from which a training goes on to the same bits."""

import json
import math
import os
import zlib
from collections.abc import Mapping
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple
from typing import TypedDict

import msgspec
import numpy as np
import numpy.typing as npt

from spikenn_cy.config import ExperimentConfig
from spikenn_cy.data.arrays import AXES_MAX
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.data.labels import class_names
from spikenn_cy.dtypes import REAL
from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import DataError
from spikenn_cy.errors import RunError
from spikenn_cy.errors import require
from spikenn_cy.network.assembly import array_shapes
from spikenn_cy.network.assembly import needs_images
from spikenn_cy.network.history import EpochReport
from spikenn_cy.storage.arrays import ArrayFile
from spikenn_cy.storage.arrays import Wanted
from spikenn_cy.storage.arrays import WrongContent
from spikenn_cy.storage.arrays import open_arrays
from spikenn_cy.storage.arrays import refusing
from spikenn_cy.storage.descriptions import with_defaults
from spikenn_cy.storage.model_archive import HEADER
from spikenn_cy.storage.model_archive import read_header
from spikenn_cy.storage.model_archive import require_arrays
from spikenn_cy.storage.model_archive import write_model
from spikenn_cy.storage.model_kinds import NETWORK
from spikenn_cy.storage.model_kinds import require_kind

if TYPE_CHECKING:
    from typing import Unpack

    from spikenn_cy.network.readout import Readout

Arrays = ArrayFile | Mapping[str, npt.NDArray[Any]]

MODEL_FORMAT = 1  # of model and checkpoint files
SAVED, WHOLE = "must be a file that Readout.save wrote", "must hold a whole model"
EXPORTED = "spikenn_cy first-spike network"  # with which the format of exported arrays begins
REASONS_TO_STOP = (None, "early_stopping", "gridsearch_stop_acc")
BEST = "best_"  # with which the arrays of the epoch to keep begin
SPACING = 61  # spikes between two that tell training sets apart


class Course(msgspec.Struct, kw_only=True):
    """How far a training has come, beside the arrays: the members of this name of `ModelHeader`."""

    n_epochs: int
    generator: str
    rule: list[float]
    regulator: list[float]
    figures: dict[str, float] = {}
    undrawn: list[str] = []


class Snapshot(NamedTuple):
    """A network as it was at the end of an epoch: the course of its training, and copies of its arrays."""

    course: Course
    arrays: dict[str, npt.NDArray[Any]]


class ModelHeader(msgspec.Struct, kw_only=True):
    """All of a model file that is not an array; of a checkpoint the last four members too."""

    format: int
    config: dict[str, Any]
    n_inputs: int
    n_classes: int
    max_time: float
    seed: int
    n_epochs: int
    generator: str
    rule: list[float]
    regulator: list[float]
    figures: dict[str, float] = {}
    undrawn: list[str] = []
    input_shape: list[int] = []
    reports: list[EpochReport] = []
    data: dict[str, int] = {}
    epochs: int = 0
    best: Course | None = None  # of the epoch that is to be kept, if it is not the last


class CheckpointMembers(TypedDict, total=False):
    """Members of `ModelHeader` that a checkpoint has more than a network."""

    reports: list[EpochReport]
    data: dict[str, int]
    epochs: int


def save(
    model: "Readout",
    path: str | os.PathLike[str],
    kept: Snapshot | None = None,
    **progress: "Unpack[CheckpointMembers]",
) -> None:
    """Write a network to one file, atomically, or a checkpoint, with its ``progress`` and the epoch to be ``kept``.

    Raises
    ------
    RunError
        If weights or thresholds are not finite, or the file cannot be written.
    """
    header, arrays = members(model, os.fspath(path), **progress)
    if kept is not None:
        header.best = kept.course
        arrays |= {f"{BEST}{name}": array for name, array in kept.arrays.items()}
    # Of two checkpoints either will do to go on with, and an epoch may take less than a wait for the disk.
    write_model(path, header, arrays, sync_name=not progress)


def snapshot(model: "Readout") -> Snapshot:
    """Return a network as it is, to come back to."""
    header, arrays = members(model, "trainer.keep")
    course = Course(**{name: getattr(header, name) for name in Course.__struct_fields__})
    return Snapshot(course, {name: array.copy() for name, array in arrays.items() if name != "classes"})


def bring_back(model: "Readout", kept: Snapshot) -> None:
    """Bring a network to where it was; the arrays of ``kept`` are its own from then on."""
    _restore(model, kept.course, kept.arrays)


def members(
    model: "Readout", place: str, **progress: "Unpack[CheckpointMembers]"
) -> tuple[ModelHeader, dict[str, npt.NDArray[Any]]]:
    """Return what a model file holds: the network's own arrays, not copied. An error begins with ``place``."""
    trainer, arrays = model._trainer, dict[str, npt.NDArray[Any]]()
    for i, layer in enumerate(model.layers):
        for name, array in layer.state().items():
            arrays[f"{name}_{i}"] = array
            if not np.isfinite(array).all():
                rule = "must be finite to be saved; smaller rates may help"
                raise RunError(f"{place}: {name} of network[{i}] {rule}, got infinite or undefined ones")
    if model._classes is not None:
        arrays["classes"] = model._classes
    header = ModelHeader(
        format=MODEL_FORMAT,
        config=model.config.to_dict(),
        n_inputs=model.n_inputs,
        n_classes=model.n_classes,
        max_time=model.max_time,
        seed=model.seed,
        n_epochs=trainer.n_epochs,
        generator=json.dumps(trainer.generator.bit_generator.state),
        input_shape=list(model.input_shape) if len(model.input_shape) > 1 else [],
        **trainer.state,
        **progress,
    )
    return header, arrays


def load(kind: type["Readout"], path: str | os.PathLike[str]) -> "Readout":
    """Return the network in a file.

    Raises
    ------
    DataError
        If there is no such file or it holds anything else.
    """
    with open_arrays(path, SAVED) as file:
        header = _header_of(file, path)
        with refusing(path, WHOLE):
            config = ExperimentConfig.from_any(header.config)
            require_arrays(file, *_layouts(config, header))
            return _restored(kind, config, header, file)


def state_of(model: "Readout") -> dict[str, Any]:
    """Return what `unpickled` takes, as text and arrays."""
    header, arrays = members(model, "pickle")
    return {"header": msgspec.json.encode(header).decode(), "arrays": arrays}


def unpickled(kind: type["Readout"], header: ModelHeader | str, arrays: Mapping[str, npt.NDArray[Any]]) -> "Readout":
    """Return a network of what `members` returned; arrays are copied, since another network may own them."""
    if isinstance(header, str):
        with refusing("pickle", WHOLE):
            header = msgspec.json.decode(header, type=ModelHeader)
    require(header.format == MODEL_FORMAT, "pickle", f"must be of format {MODEL_FORMAT}", header.format, DataError)
    with refusing("pickle", WHOLE):
        config = ExperimentConfig.from_any(header.config)
        return _restored(kind, config, header, {name: array.copy() for name, array in arrays.items()})


class Checkpoint:
    """The state of one training in a file, written after every epoch.

    Parameters
    ----------
    model : Readout
        The network in training.
    path : path-like or None
        None: there is no file, and nothing is written. Asked anew each time, since the folder of a
        run may change.
    train : SpikingDataset
        The training set.
    epochs : int
        Of the training, at most.
    weights : ndarray of float32, optional
        Of the samples.
    """

    def __init__(
        self,
        model: "Readout",
        path: str | os.PathLike[str] | None,
        train: SpikingDataset,
        epochs: int,
        weights: npt.NDArray[np.float32] | None = None,
    ) -> None:
        self._model, self._path, self._epochs = model, path, epochs
        self._data = {} if path is None else _identity(train)
        if path is not None and weights is not None:
            self._data["weights"] = _checksum(weights)
        self.best: Snapshot | None = None  # the epoch to keep, which whoever trains decides

    def resume(self) -> list[EpochReport]:
        """Bring the network to where the training was interrupted; return the reports of its epochs, none if it is new.

        Raises
        ------
        DataError
            If the file is damaged.
        ConfigError
            If it belongs to another training.
        """
        path, model = self._path, self._model
        if path is None or not os.path.exists(path):
            return []
        with open_arrays(path, SAVED) as file:
            header = _header_of(file, path)
            self._require_mine(header)
            with refusing(path, WHOLE):
                require(len(header.reports) > 0, "reports", "must be of one epoch at least", 0)
                require_arrays(file, *_layouts(model.config, header))
                _restore(model, header, file)
                if header.best is not None:
                    names = _array_names(model)
                    self.best = Snapshot(header.best, {name: _finite(file[BEST + name], name) for name in names})
        return header.reports

    def write(self, reports: Sequence[EpochReport]) -> None:
        """Keep the state of the network after the last of ``reports``."""
        if self._path is not None:
            progress: CheckpointMembers = {"reports": list(reports), "data": self._data, "epochs": self._epochs}
            save(self._model, self._path, self.best, **progress)

    def take_up(self, source: str | os.PathLike[str], reports: Sequence[EpochReport]) -> None:
        """Write a checkpoint of the network in a file, which was trained for fewer epochs with the same settings.

        Parameters
        ----------
        source : path-like
            A checkpoint, or a file that `Readout.save` wrote after the last of ``reports``.
        reports : sequence of EpochReport
            Those of the file's training, unless the file has them.

        Raises
        ------
        DataError
            If the file is damaged or does not hold the network after the last epoch.
        """
        with open_arrays(source, SAVED) as file:
            header = _header_of(file, source)
            with refusing(source, WHOLE):
                reports = header.reports or reports
                require(header.n_epochs == len(reports), "n_epochs", f"must be {len(reports)}", header.n_epochs)
                require_arrays(file, *_layouts(self._model.config, header))
                _restore(self._model, header, file)
        self.write(reports)

    def _require_mine(self, header: ModelHeader) -> None:
        model, found = self._model, with_defaults(header.config, ExperimentConfig)
        same = {
            "config": found == model.config.to_dict(),
            "n_inputs": header.n_inputs == model.n_inputs,
            "input_shape": tuple(header.input_shape) == model.input_shape or not needs_images(model.config),
            "n_classes": header.n_classes == model.n_classes,
            "max_time": header.max_time == model.max_time,
            "seed": header.seed == model.seed,
            "epochs": header.epochs == self._epochs,
            "data": header.data == self._data,
        }
        rule = f"{self._path}: must be a checkpoint of this training"
        for name, is_same in same.items():
            if not is_same:
                raise ConfigError(f"{rule}, got another {name}")
        n_epochs = model._trainer.n_epochs
        if header.n_epochs < n_epochs:
            raise ConfigError(f"{rule}, got one of epoch {header.n_epochs} for a network of epoch {n_epochs}")


def carry_on(
    model: "Readout",
    train: SpikingDataset,
    source: str | os.PathLike[str],
    reports: Sequence[EpochReport],
    checkpoint: str | os.PathLike[str],
) -> None:
    """Write the checkpoint from which ``model``, which is new, goes on with a training of fewer epochs.

    Arguments are those of `Checkpoint.take_up`.
    """
    matched = model._matched_sets(train, None, None)["train"]
    Checkpoint(model, checkpoint, matched, model.config.trainer.epochs).take_up(source, reports)


def _header_of(file: ArrayFile, path: str | os.PathLike[str]) -> ModelHeader:
    """Return the header of an open file, whose figures can be true."""
    with refusing(path, SAVED):
        if HEADER not in file and "format" in file and file.text("format").startswith(EXPORTED):
            raise WrongContent("plain arrays for other software, as export writes them")
        require_kind(file, NETWORK)
        header = read_header(file, ModelHeader, MODEL_FORMAT)
    with refusing(path, WHOLE):
        _check_reports(header)
    return header


def _check_reports(header: ModelHeader) -> None:
    """Raise unless the reports are of the last epochs, one of each, and of shares."""
    require(header.n_epochs >= 0, "n_epochs", "must be >= 0", header.n_epochs)
    numbers = [report.epoch for report in header.reports]
    expected = list(range(header.n_epochs - len(numbers), header.n_epochs))
    ok = numbers == expected and all(number >= 0 for number in numbers)
    require(ok, "reports", f"must be of the last of {header.n_epochs} epochs, one of each", numbers)
    ok = header.best is None or header.best.n_epochs - 1 in numbers
    require(ok, "best", "must be one of the epochs", header.best)
    ok = len(numbers) <= header.epochs
    require(ok, "reports", f"must be of at most {header.epochs} epochs", len(numbers))
    for report in header.reports:
        for share in (report.train_accuracy, report.val_accuracy, report.test_accuracy):
            require(share is None or 0 <= share <= 1, "reports", "must have accuracies from 0 to 1", share)
        require(report.stopped in REASONS_TO_STOP, "reports", "must tell a reason to stop", report.stopped)


def _layouts(config: ExperimentConfig, header: ModelHeader) -> tuple[dict[str, Wanted], dict[str, Wanted]]:
    """Return the arrays that a network must have, and that it may have."""
    shape = _shape_of(header)
    config.check_against(header.n_classes, input_shape=shape)
    layout = {
        f"{name}_{i}": Wanted(size)
        for i, arrays in enumerate(array_shapes(config, shape, header.n_classes))
        for name, size in arrays.items()
    }
    if header.best is not None:
        layout |= {f"{BEST}{name}": wanted for name, wanted in layout.items()}
    return layout, {"classes": Wanted((header.n_classes,), "iuSU")}


def _shape_of(header: ModelHeader) -> tuple[int, ...]:
    shape = tuple(header.input_shape) or (header.n_inputs,)
    ok = len(shape) <= AXES_MAX and min(shape) >= 1 and math.prod(shape) == header.n_inputs
    require(ok, "input_shape", f"must number the {header.n_inputs} inputs", list(shape))
    return shape


def _restored(kind: type["Readout"], config: ExperimentConfig, header: ModelHeader, arrays: Arrays) -> "Readout":
    """Return the network of a header and of arrays, which it takes over; whatever is wrong raises, of any type."""
    inputs = _shape_of(header) if header.input_shape else header.n_inputs
    model = kind._checked(config, inputs, header.n_classes, header.max_time, header.seed, draw=False)
    _restore(model, header, arrays)
    return model


def _array_names(model: "Readout") -> list[str]:
    shapes = array_shapes(model.config, model.input_shape, model.n_classes)
    return [f"{name}_{i}" for i, names in enumerate(shapes) for name in names]


def _restore(model: "Readout", header: ModelHeader | Course, arrays: Arrays) -> None:
    """Bring a network to a state that was kept; whatever is wrong with it raises, of any type."""
    shapes = array_shapes(model.config, model.input_shape, model.n_classes)
    for i, (layer, names) in enumerate(zip(model.layers, shapes, strict=True)):
        # Of one layer at a time, and not copied again: wide ones would not fit into memory twice.
        layer.set_state({name: _finite(arrays[f"{name}_{i}"], f"{name}_{i}") for name in names})
    if "classes" in arrays:
        model._classes = class_names(arrays["classes"], "classes")
    state = {name: getattr(header, name) for name in ("rule", "regulator", "figures", "undrawn")}
    model._trainer.restore(header.n_epochs, json.loads(header.generator), state)


def _finite(array: npt.NDArray[Any], name: str) -> npt.NDArray[np.float32]:
    array = array.astype(REAL, copy=False)
    require(bool(np.isfinite(array).all()), name, "must be finite", "infinite or undefined values")
    return array


def _identity(dataset: SpikingDataset) -> dict[str, int]:
    """Return figures that tell training sets apart without reading all their spikes."""
    return {
        "n_samples": len(dataset),
        "n_spikes": len(dataset.indices),
        "labels": _checksum(dataset.labels),
        "spikes_a_sample": _checksum(np.diff(dataset.indptr)),
        # Every so many spikes: data sets that are larger than memory are not read for this alone.
        "inputs": _checksum(dataset.indices[::SPACING]),
        "times": _checksum(dataset.timestamps[::SPACING]),
        "classes": zlib.crc32(repr(dataset.classes.tolist()).encode()),
    }


def _checksum(array: npt.NDArray[Any]) -> int:
    return zlib.crc32(np.ascontiguousarray(array).data)
