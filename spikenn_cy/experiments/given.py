"""Data sets in memory as the files that runs read, so that calls in Python leave the records that commands do."""

import os
import warnings
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spikenn_cy.data.classes import match_classes
from spikenn_cy.data.classes import require_labels
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.data.folder import STEMS
from spikenn_cy.data.folder import data_files
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.errors import shown

Sets = SpikingDataset | Sequence[SpikingDataset | None] | Mapping[str, SpikingDataset | None]
Source = str | os.PathLike[str] | Sets  # of one run
DEFAULT_K = 10


def write_sets(data: Source, folder: Path, place: str = "data") -> Path:
    """Return the folder with the data of a run: the one that was given, or ``folder``, filled with what was.

    Parameters
    ----------
    data : path-like, SpikingDataset, sequence or mapping
        The training set, or training, validation and test set in this order, or some of them by the names ``train``,
        ``val`` and ``test``. None: there is no such set.
    folder : Path
        Is made if it is needed.
    place : str
        Name of the argument, for messages.

    Raises
    ------
    DataError
        If it is anything else.
    """
    if isinstance(data, str | os.PathLike):
        data_files(data)  # now, under the name that was given
        return Path(data)
    if isinstance(data, SpikingDataset):
        sets: dict[str, object] = {"train": data}
    elif isinstance(data, Mapping):
        sets = dict(data)
    elif isinstance(data, list | tuple) and len(data) <= len(STEMS):
        sets = dict(zip(STEMS, data, strict=False))
    else:
        sets = {"": data}
    good = all(name in STEMS and isinstance(found, SpikingDataset | None) for name, found in sets.items())
    if not good or sets.get("train") is None:
        rule = "must be a folder, a data set, or training, validation and test set"
        raise DataError(f"{place}: {rule}, got {shown(data)}")
    _require_suiting({name: found for name, found in sets.items() if isinstance(found, SpikingDataset)}, place)
    folder.mkdir(parents=True)
    for name, dataset in sets.items():
        if isinstance(dataset, SpikingDataset):
            dataset.save(folder / f"{STEMS[name]}.npz")
    return folder


def _require_suiting(sets: Mapping[str, SpikingDataset], place: str) -> None:
    """Raise `DataError` unless data sets go together, in the names that a caller has for them: those of files pass."""
    with warnings.catch_warnings():  # the run itself warns
        warnings.simplefilter("ignore", UserWarning)
        for name, dataset in sets.items():
            called = f"{place}: {name}"
            require(len(dataset) > 0, dataset.source or called, "must hold at least one sample", 0, DataError)
            match_classes(dataset, sets["train"], called)


def write_folds(data: Source | Sequence[Source], folder: Path, K: int | None, seed: int) -> tuple[Path, int]:
    """Return the folder with the data of folds in ``0``, ``1``, …, and how many they are.

    Parameters
    ----------
    data : path-like, SpikingDataset or sequence
        Such a folder; a data set to be split into folds, each of which is tested by a network that has learned the
        others; or what `write_sets` takes, for each fold.
    folder : Path
        Is filled if that is needed.
    K : int or None
        Number of folds. None: as many as are given, and `DEFAULT_K` of a data set that is to be split.
    seed : int
        Decides which sample goes to which fold.

    Raises
    ------
    DataError
        If it is anything else.
    """
    if isinstance(data, str | os.PathLike):
        return Path(data), _number_of_folds(Path(data)) if K is None else K
    sources: list[Any]
    if isinstance(data, SpikingDataset):
        K = DEFAULT_K if K is None else K
        sources = [{"train": data[turn != 0], "test": data[turn == 0]} for turn in _turns(data, K, seed)]
    else:
        rule = "must be a folder, a data set, or a list of what each fold has"
        require(isinstance(data, list | tuple) and len(data) > 0, "data", rule, data, DataError)
        sources = list(data)
    K = len(sources) if K is None else K
    require(1 <= K <= len(sources), "K", f"must be from 1 to the {len(sources)} folds that are given", K)
    folder.mkdir(parents=True, exist_ok=True)
    for fold, source in enumerate(sources[:K]):
        if isinstance(source, SpikingDataset):
            raise DataError(f"data[{fold}]: must be a folder, or training, validation and test set, got a data set")
        where = write_sets(source, folder / str(fold), f"data[{fold}]")
        if where != folder / str(fold):
            (folder / str(fold)).symlink_to(where.absolute(), target_is_directory=True)
    return folder, K


def _number_of_folds(folder: Path) -> int:
    n_folds = 0
    while (folder / str(n_folds)).is_dir():
        n_folds += 1
    require(n_folds > 0, folder, "must hold the data of folds in folders 0, 1, ...", "none", DataError)
    return n_folds


def _turns(data: SpikingDataset, K: int, seed: int) -> list[np.ndarray]:
    """Return for each of K folds an array that is 0 at its samples, those of each class spread evenly."""
    require_labels(data, "data")
    counts = np.bincount(data.labels)
    fewest = int(counts[counts > 0].min(initial=len(data)))  # classes that a part of a set has not need no fold
    require(fewest >= 2, "data", "must hold two samples of each class or more", fewest, DataError)
    require(2 <= K <= fewest, "K", f"must be from 2 to {fewest}, the samples of the smallest class", K)
    order = np.random.default_rng(seed).permutation(len(data))
    order = order[np.argsort(data.labels[order], kind="stable")]
    fold_of = np.empty(len(data), dtype=np.int64)
    fold_of[order] = np.arange(len(data)) % K
    return [(fold_of - fold) % K for fold in range(K)]
