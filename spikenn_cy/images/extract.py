"""Image folders made into spike folders: an extractor is fitted to the training images and kept beside its spikes."""

import hashlib
import os
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.data.imagesets import ImageSet
from spikenn_cy.data.imagesets import ImageSets
from spikenn_cy.data.imagesets import is_image_folder
from spikenn_cy.data.imagesets import read_image_sets
from spikenn_cy.data.writer import DatasetWriter
from spikenn_cy.errors import DataError
from spikenn_cy.errors import RunError
from spikenn_cy.errors import require
from spikenn_cy.features import EXTRACTORS
from spikenn_cy.features import Extractor
from spikenn_cy.storage.descriptions import difference
from spikenn_cy.storage.descriptions import versions
from spikenn_cy.storage.folder import fingerprint
from spikenn_cy.storage.kinds import EXTRACTION
from spikenn_cy.storage.kinds import EXTRACTION_PICTURES
from spikenn_cy.storage.kinds import MODEL
from spikenn_cy.storage.kinds import RECORD_FORMAT
from spikenn_cy.storage.kinds import SPIKES
from spikenn_cy.storage.lock import NotWritable
from spikenn_cy.storage.output import OutputFolder
from spikenn_cy.storage.output import tidy
from spikenn_cy.utils.progress import Progress
from spikenn_cy.utils.validation import number_of_threads


@dataclass(frozen=True)
class Extraction:
    """What is to be extracted, or was.

    Attributes
    ----------
    method : str
        A key of `EXTRACTORS`.
    input, output : Path
        Folder of images and folder of spikes.
    config : dict or path-like, optional
        None: the settings published for these images.
    seed : int
    """

    method: str
    input: Path
    output: Path
    config: object = None
    seed: int = 0


def extractions(
    method: str,
    input: str | os.PathLike[str],
    output: str | os.PathLike[str],
    config: object = None,
    seed: int | None = None,
) -> list[Extraction]:
    """Return what is to be extracted from a folder of images, or from each fold in a folder of folds.

    Parameters
    ----------
    method : str
        A key of `EXTRACTORS`.
    input : path-like
        Folder as `read_image_sets` takes it, or one with such folders ``0``, ``1``, ...
    output : path-like
        Fold ``i`` goes to the folder ``i`` there.
    config : dict or path-like, optional
    seed : int, optional
        Default: 0, or the number of the fold.

    Raises
    ------
    ConfigError
        If there is a seed for many folds.
    RunError
        If the output is a folder of images.
    DataError
        If a fold is missing among them.
    """
    input, output = Path(input), Path(output)
    require(method in EXTRACTORS, "extractor", f"must be one of {', '.join(EXTRACTORS)}", method)
    folds = sorted(int(path.name) for path in input.glob("[0-9]*") if path.name.isdecimal() and path.is_dir())
    if is_image_folder(output):  # with folds in it, it would be taken for one of folds
        raise RunError(f"{output}: must be another folder than one of images, got one")
    if not folds or is_image_folder(input):
        return [Extraction(method, input, output, config, seed or 0)]
    require(seed is None, "seed", "must not be given for folds, whose seed is their number", seed)
    ok = folds == list(range(len(folds)))
    require(ok, str(input), "must hold the folds 0, 1, ... without a gap", folds, DataError)
    return [Extraction(method, input / str(i), output / str(i), config, seed=i) for i in folds]


@dataclass(frozen=True)
class Plan:
    """An extraction that can be done, as far as its images, its settings and its folder tell.

    Attributes
    ----------
    job : Extraction
    extractor : Extractor
        As the settings ask for, not fitted yet.
    sets : ImageSets
    description : dict
        All that determines what is extracted.
    overwrite : bool
        Whether to replace what another extraction left in the folder.
    """

    job: Extraction
    extractor: Extractor
    sets: ImageSets
    description: Mapping[str, Any]
    overwrite: bool

    @property
    def folder(self) -> OutputFolder:
        """The folder of the extraction, to be looked at; nobody holds it."""
        return OutputFolder(self.job.output, EXTRACTION)

    @property
    def files(self) -> dict[str, ImageSet | None]:
        """The files that are to be made, in their order, each with the images whose spikes it holds."""
        return {MODEL: None, **{SPIKES[part]: images for part, images in self.sets.parts.items()}}


def planned(job: Extraction, overwrite: bool = False, patience: float = 0.0) -> Plan:
    """Look at everything that an extraction needs, and begin nothing.

    Parameters
    ----------
    job : Extraction
    overwrite : bool
        Replace what another extraction left in the folder.
    patience : float
        Seconds to wait for another process to let go of the folder.

    Raises
    ------
    SpikennError
        If settings, images and folder do not allow it.
    """
    sets = read_image_sets(job.input)
    kind = EXTRACTORS[job.method]
    shape = sets.train.shape[1:]
    config = kind.published(sets.name, shape) if job.config is None else job.config
    extractor = kind.from_config(config, seed=job.seed)
    tidy(job.output, EXTRACTION, patience)
    _keep_inputs(job)
    plan = Plan(job, extractor, sets, _described(job, extractor, sets), overwrite)
    if plan.files.keys() - _finished(plan):
        extractor.check(shape)
    return plan


def extract(
    plan: Plan,
    n_threads: int = 1,
    verbose: bool = False,
    patience: float = 0.0,
    on_block: Callable[[], None] | None = None,
) -> bool:
    """Fit an extractor to the training images and write the spikes of all images.

    The folder gets ``model.npz``, the extractor, and ``trainset.npz``, ``valset.npz`` and
    ``testset.npz``, as far as there are such images. Each file appears whole or not at
    all; what was there from an interrupted call is not made again. What another extraction
    left in the folder, if that is to be replaced, stays until the new extractor is fitted.

    Parameters
    ----------
    plan : Plan
        As `planned` returns it.
    n_threads : int
        The result is the same for any number.
    verbose : bool
        Show progress on stderr: a bar on a terminal or in a notebook, elsewhere a line a minute.
    patience : float
        Seconds to wait for another process to let go of the folder.
    on_block : callable, optional
        Called after each block of images; what it raises ends the extraction, which can be gone on with.

    Returns
    -------
    bool
        Whether anything had to be done.

    Raises
    ------
    SpikennError
        If settings, images and folder do not allow it.
    """
    n_threads = number_of_threads(n_threads)
    try:
        with OutputFolder.opened(plan.job.output, EXTRACTION, patience) as folder:
            finished = _checked(plan)
            if finished.keys() == plan.files.keys():
                return False
            if MODEL in finished:
                extractor = EXTRACTORS[plan.job.method].load(folder.file(MODEL))
            else:
                extractor = plan.extractor.fit(plan.sets.train.images, verbose=verbose)
                finished = _begun(plan, folder, extractor, finished)
            for name, images in plan.files.items():
                if name not in finished and images is not None:
                    labels = plan.sets.labels_of_classes[images.labels]
                    place = folder.file(name)
                    label = f"{place.resolve().parent.name}/{name}"
                    with Progress(len(images), label, unit="images", show=verbose) as progress:
                        blocks = _followed(extractor.time_blocks(images.images, n_threads), progress, on_block)
                        _write(place, blocks, labels)
                    finished[name] = fingerprint(folder.file(name))
                    _note(plan, folder, finished)
    except NotWritable:
        if _checked(plan).keys() != plan.files.keys():
            raise
        return False
    return True


def _checked(plan: Plan) -> dict[str, Any]:
    """Return the files that are finished, and raise `RunError` if one is not as it was written."""
    path, finished = plan.job.output, _finished(plan)
    for name, listed in finished.items():
        rule = "must be as the extraction wrote it (--overwrite makes all anew)"
        if fingerprint(path / name) != listed:
            raise RunError(f"{path / name}: {rule}, got a changed file")
    return finished


def recorded_files(plan: Plan) -> dict[str, Mapping[str, Any]]:
    """Return the fingerprints of what this very extraction has written, whether it is there or was deleted since."""
    there = plan.folder.record
    but = ("files", "class_names")
    if there is None or difference(there, plan.description, type(plan.extractor.config), complete=True, but=but):
        return {}
    return dict(there.get("files", {}))


def goes_on(plans: Sequence[Plan]) -> bool:
    """Return whether plans without ``overwrite`` would go on with something, and be refused nowhere."""
    try:
        return any([_finished(replace(plan, overwrite=False)) for plan in plans])
    except RunError:
        return False


def _write(path: Path, blocks: Iterator[npt.NDArray[np.float32]], labels: np.ndarray) -> None:
    """Write the spikes of images block by block, since all of them may not fit into memory."""
    with DatasetWriter(path) as writer:
        for times in blocks:
            part = labels[len(writer) : len(writer) + len(times)]
            writer.append(SpikingDataset._computed((times,), part))


def _followed(
    blocks: Iterator[npt.NDArray[np.float32]], progress: Progress, on_block: Callable[[], None] | None
) -> Iterator[npt.NDArray[np.float32]]:
    """Yield blocks of images, and have it seen when each of them has been taken."""
    for times in blocks:
        yield times
        progress.step(len(times))
        if on_block is not None:
            on_block()


def spikes_of(job: Extraction) -> dict[str, SpikingDataset]:
    """Return the data sets in the folder of a finished extraction by the names ``train``, ``val`` and ``test``."""
    paths = {part: job.output / name for part, name in SPIKES.items()}
    return {part: SpikingDataset.from_file(path) for part, path in paths.items() if path.exists()}


def _described(job: Extraction, extractor: Extractor, sets: ImageSets) -> dict[str, Any]:
    """Return all that determines what is extracted."""
    names = list(sets.train.class_names)
    told = names == [str(label) for label in sets.labels_of_classes]  # by the labels themselves
    described: dict[str, Any] = {} if told else {"class_names": names}
    return described | {
        "format": RECORD_FORMAT,
        "extractor": job.method,
        "config": extractor.config.to_dict(),
        "seed": job.seed,
        "data": {part: _fingerprint(images) for part, images in sets.parts.items()},
        "versions": versions(),
    }


def _fingerprint(images: ImageSet) -> dict[str, Any]:
    digest = hashlib.sha256()
    for block in images.blocks():
        digest.update(np.ascontiguousarray(block))
    digest.update(np.ascontiguousarray(images.labels))
    return {"shape": list(images.shape), "sha256": digest.hexdigest()}


def _keep_inputs(job: Extraction) -> None:
    """Raise `RunError` if the extraction would write over what it was given, or over a run."""
    if job.output.exists() and job.output.samefile(job.input):
        raise RunError(f"{job.output}: must be another folder than that of the images, got the same")
    folder = OutputFolder(job.output, EXTRACTION)
    folder.require_no_other()
    if isinstance(job.config, str | os.PathLike):
        folder.keep(job.config)


def _finished(plan: Plan) -> dict[str, Any]:
    """Return the files that an earlier call of this very extraction has finished, with their fingerprints.

    Those are the ones that the record of the folder lists, and no others by such names.

    Raises
    ------
    RunError
        If the folder is that of anything else.
    """
    folder = plan.folder
    folder.require_files()
    if plan.overwrite or (there := folder.recorded()) is None:
        return {}
    listed, names = there.get("files", {}), folder.names
    finished = {name: listed[name] for name in plan.files if name in listed and name in names}
    complete = finished.keys() == plan.files.keys()
    but = ("files", "class_names")  # the latter of earlier versions are missing
    if differing := difference(there, plan.description, type(plan.extractor.config), complete, but=but):
        folder.refuse(f"one with {differing}")
    return finished


def _begun(plan: Plan, folder: OutputFolder, extractor: Extractor, finished: dict[str, Any]) -> dict[str, Any]:
    """Save a new extractor in the folder and return the files that are finished with it."""
    if not finished:
        folder.begin({**plan.description, "files": {}})
    extractor.save(folder.file(MODEL))
    model = fingerprint(folder.file(MODEL))
    if finished and model != (folder.record or {}).get("files", {}).get(MODEL):
        # Another machine may have rounded otherwise, and the spikes there are do not belong to this extractor.
        for name in (*EXTRACTION_PICTURES, *SPIKES.values()):
            folder.file(name).unlink(missing_ok=True)
        finished = {}
    finished = {MODEL: model, **finished}
    _note(plan, folder, finished)
    folder.settle()
    return finished


def _note(plan: Plan, folder: OutputFolder, finished: Mapping[str, Any]) -> None:
    """Write the record of an extraction with the files that are finished."""
    files = {name: finished[name] for name in plan.files if name in finished}
    folder.write_record({**plan.description, "files": files})
