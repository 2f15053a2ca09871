"""Image folders made into spike folders: an extractor is fitted to the training images and kept beside its spikes."""

import hashlib
import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.data.folder import STEMS
from spikenn_cy.data.imagesets import ImageSet
from spikenn_cy.data.imagesets import ImageSets
from spikenn_cy.data.imagesets import is_image_folder
from spikenn_cy.data.imagesets import read_image_sets
from spikenn_cy.data.writer import DatasetWriter
from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import DataError
from spikenn_cy.errors import RunError
from spikenn_cy.errors import require
from spikenn_cy.errors import shortened
from spikenn_cy.experiments.store import EXTRACTION
from spikenn_cy.experiments.store import is_run
from spikenn_cy.features import EXTRACTORS
from spikenn_cy.settings.strictjson import read_json
from spikenn_cy.storage.folder import differences
from spikenn_cy.storage.folder import fingerprint
from spikenn_cy.storage.folder import made
from spikenn_cy.storage.folder import remove_torn
from spikenn_cy.storage.lock import LOCK
from spikenn_cy.storage.lock import NotWritable
from spikenn_cy.storage.lock import locked
from spikenn_cy.utils.atomic import atomic_file
from spikenn_cy.utils.validation import number_of_threads
from spikenn_cy.version import __version__

FORMAT = 1
# What was asked, and which files are finished; written first, so that a folder without it is nobody's extraction.
RECORD = EXTRACTION
MODEL = "model.npz"
SPIKES = {part: f"{stem}.npz" for part, stem in STEMS.items()}
PICTURES = FILTERS, ACTIVITY = ("filters.png", "activity.png")  # drawn by the command, if matplotlib is there
FILES = (*PICTURES, *SPIKES.values(), MODEL, RECORD)  # in the order in which an extraction is taken apart


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
    config: Any = None
    seed: int = 0


def extractions(
    method: str,
    input: str | os.PathLike,
    output: str | os.PathLike,
    config: Any = None,
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
    if is_image_folder(output):  # which would be taken for one of folds from then on
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
    extractor : STDPCSNN or SoftHebbCNN
        As the settings ask for, not fitted yet.
    sets : ImageSets
    description : dict
        All that determines what is extracted.
    overwrite : bool
        Whether to replace what another extraction left in the folder.
    """

    job: Extraction
    extractor: Any
    sets: ImageSets
    description: Mapping[str, Any]
    overwrite: bool

    @property
    def files(self) -> dict[str, ImageSet | None]:
        """The files that are to be made, in their order, each with the images whose spikes it holds."""
        return {MODEL: None, **{SPIKES[part]: images for part, images in self.sets.parts.items()}}


def planned(job: Extraction, overwrite: bool = False) -> Plan:
    """Look at everything that an extraction needs, and change nothing.

    Parameters
    ----------
    job : Extraction
    overwrite : bool
        Replace what another extraction left in the folder.

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
    _keep_inputs(job)
    plan = Plan(job, extractor, sets, _described(job, extractor, sets), overwrite)
    if plan.files.keys() - _finished(plan):
        extractor.check(shape)
    return plan


def extract(job: Extraction | Plan, overwrite: bool = False, n_threads: int = 1, verbose: bool = False) -> bool:
    """Fit an extractor to the training images and write the spikes of all images.

    The folder gets ``model.npz``, the extractor, and ``trainset.npz``, ``valset.npz`` and
    ``testset.npz``, as far as there are such images. Each file appears whole or not at
    all; what was there from an interrupted call is not made again.

    Parameters
    ----------
    job : Extraction or Plan
    overwrite : bool
        Replace what another extraction left in the folder, once the new extractor is
        fitted: until then the folder stays as it is. A plan has its own.
    n_threads : int
        The result is the same for any number.
    verbose : bool
        Show progress bars on a terminal.

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
    plan = job if isinstance(job, Plan) else planned(job, overwrite)
    path, kind = plan.job.output, EXTRACTORS[plan.job.method]
    try:
        with made(path), locked(path):
            remove_torn(path, FILES)
            finished = _checked(plan)
            if finished.keys() == plan.files.keys():
                return False
            if MODEL in finished:
                extractor = kind.load(path / MODEL)
            else:
                extractor = plan.extractor.fit(plan.sets.train.images, verbose=verbose)
                finished = _begun(plan, extractor, finished)
            for name, images in plan.files.items():
                if name not in finished:
                    _write(path / name, extractor, images, n_threads, verbose)
                    finished[name] = fingerprint(path / name)
                    _note(plan, finished)
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


def is_begun(plan: Plan) -> bool:
    """Return whether the folder of a plan holds that very extraction, finished or not."""
    try:
        return bool(_finished(replace(plan, overwrite=False)))
    except RunError:
        return False


def _write(path: Path, extractor: Any, images: ImageSet, n_threads: int, verbose: bool) -> None:
    """Write the spikes of images block by block, since all of them may not fit into memory."""
    with DatasetWriter(path) as writer:
        for times in extractor.time_blocks(images.images, n_threads=n_threads, verbose=verbose):
            labels = images.labels[len(writer) : len(writer) + len(times)]
            writer.append(SpikingDataset.from_numpy(times, labels))


def spikes_of(job: Extraction) -> dict[str, SpikingDataset]:
    """Return the data sets in the folder of a finished extraction by the names ``train``, ``val`` and ``test``."""
    paths = {part: job.output / name for part, name in SPIKES.items()}
    return {part: SpikingDataset.from_file(path) for part, path in paths.items() if path.exists()}


def _described(job: Extraction, extractor: Any, sets: ImageSets) -> dict[str, Any]:
    """Return all that determines what is extracted."""
    return {
        "format": FORMAT,
        "extractor": job.method,
        "config": extractor.config.to_dict(),
        "seed": job.seed,
        "data": {part: _fingerprint(images) for part, images in sets.parts.items()},
        "versions": {
            "spikenn_cy": __version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }


def _fingerprint(images: ImageSet) -> dict[str, Any]:
    digest = hashlib.sha256()
    for block in images.blocks():
        digest.update(np.ascontiguousarray(block))
    digest.update(np.ascontiguousarray(images.labels))
    return {"shape": list(images.shape), "sha256": digest.hexdigest()}


def _keep_inputs(job: Extraction) -> None:
    """Raise `RunError` if the extraction would write over what it was given."""
    if job.output.exists() and job.output.samefile(job.input):
        raise RunError(f"{job.output}: must be another folder than that of the images, got the same")
    if is_run(job.output) and not (job.output / RECORD).exists():
        raise RunError(f"{job.output}: must be another folder than that of a run, whose {MODEL} would be lost, got one")
    if isinstance(job.config, str | os.PathLike):
        for name in FILES:
            if (job.output / name).exists() and os.path.samefile(job.output / name, job.config):
                raise RunError(f"{job.config}: must be another file than those of {job.output}, got its {name}")


def _finished(plan: Plan) -> dict[str, Any]:
    """Return the files that an earlier call of this very extraction has finished, with their fingerprints.

    Those are the ones that the record of the folder lists, and no others by such names.

    Raises
    ------
    RunError
        If the folder is that of anything else.
    """
    path = plan.job.output
    names = _names_in(path)
    for name in names:
        if name in FILES and (path / name).is_dir():
            raise RunError(f"{path / name}: must be a file, got a folder")
    if plan.overwrite or not names:
        return {}
    rule = "must be a new folder or hold this very extraction (--overwrite replaces one)"
    there = _description_in(path)
    if there is None:
        raise RunError(f"{path}: {rule}, got a folder with {shortened(', '.join(names))}")
    finished = {name: there["files"][name] for name in plan.files if name in there["files"] and name in names}
    # The same numbers come out of other versions of Python and NumPy, and what is complete needs none to be looked up.
    members = ("spikenn_cy",) if finished.keys() != plan.files.keys() else ()
    compared = [
        {
            **described,
            "data": {part: json.dumps(images, sort_keys=True) for part, images in described["data"].items()},
            "files": {},
            "versions": {key: described["versions"].get(key) for key in members},
        }
        for described in (there, plan.description)
    ]
    if difference := differences(*compared):
        raise RunError(f"{path}: {rule}, got one with {difference}")
    return finished


def _names_in(path: Path) -> list[str]:
    """Return what is in a folder, but for the marks of processes that use it or were killed; nothing if it is none."""
    try:
        names = os.listdir(path)
    except (FileNotFoundError, NotADirectoryError):  # which is for the one to tell who makes it
        return []
    return sorted(name for name in names if name != LOCK and not (name.startswith(".") and name.endswith(".tmp")))


def _begun(plan: Plan, extractor: Any, finished: dict[str, Any]) -> dict[str, Any]:
    """Save a new extractor in the folder and return the files that are finished with it."""
    path = plan.job.output
    if not finished:
        for name in FILES:
            (path / name).unlink(missing_ok=True)
        _note(plan, {})
    try:
        extractor.save(path / MODEL)
    except BaseException:
        if not finished:
            (path / RECORD).unlink(missing_ok=True)
        raise
    model = fingerprint(path / MODEL)
    there = _description_in(path)
    if finished and model != there["files"].get(MODEL):
        # Another machine may have rounded otherwise, and the spikes there are do not belong to this extractor.
        for name in (*PICTURES, *SPIKES.values()):
            (path / name).unlink(missing_ok=True)
        finished = {}
    finished = {MODEL: model, **finished}
    _note(plan, finished)
    return finished


def _note(plan: Plan, finished: Mapping[str, Any]) -> None:
    """Write the record of an extraction with the files that are finished."""
    files = {name: finished[name] for name in plan.files if name in finished}
    with atomic_file(plan.job.output / RECORD, "w") as file:
        file.write(json.dumps({**plan.description, "files": files}, indent=2) + "\n")


def _description_in(path: Path) -> dict[str, Any] | None:
    """Return what an extraction's folder says of itself, or None if it is none."""
    try:
        found = read_json(path / RECORD)
    except (FileNotFoundError, ConfigError):
        return None
    if not isinstance(found, dict) or found.get("format") != FORMAT or "extractor" not in found:
        return None
    found.setdefault("files", {})
    whole = all(isinstance(found.get(section), dict) for section in ("config", "data", "versions", "files"))
    return found if whole else None
