"""The data files of one folder: a training set and, if wanted, a validation and a test set."""

import os
from pathlib import Path

from spikenn_cy.data import READERS
from spikenn_cy.data.imagefiles import IMAGES
from spikenn_cy.data.imagefiles import SPLIT
from spikenn_cy.errors import DataError

STEMS = {"train": "trainset", "val": "valset", "test": "testset"}


def data_files(folder: str | os.PathLike[str]) -> dict[str, Path]:
    """Return the data files in a folder by the names ``train``, ``val`` and ``test``.

    Raises
    ------
    DataError
        If there is no ``trainset``, or one set in two formats.
    """
    folder = Path(folder)
    if not folder.is_dir():
        found = "a file" if folder.exists() else "no such folder"
        raise DataError(f"{folder}: must be a folder with a trainset, got {found}{_hint(folder)}")
    files, names = {}, sorted(os.listdir(folder))
    for name, stem in STEMS.items():
        # A link that leads nowhere is there as well, and is not to be passed over.
        there = [folder / found for found in names if found.lower() in {f"{stem}{suffix}" for suffix in READERS}]
        if len(there) > 1:
            raise DataError(f"{folder}: must hold one {stem}, got {' and '.join(path.name for path in there)}")
        if there:
            files[name] = there[0]
    if "train" not in files:
        wanted = " or ".join(f"{STEMS['train']}{suffix}" for suffix in READERS)
        raise DataError(f"{folder}: must hold {wanted}, got none{_hint(folder)}")
    return files


def _hint(folder: Path) -> str:
    """Return the end of a message about a folder without a training set: which command takes what is there instead."""
    inside = [folder / name for name in ("gs", "kfold", "0") if (folder / name).is_dir()]
    if any((place / name).exists() for place in (folder, *inside) for name in (IMAGES, SPLIT)):
        return " (these are images: spikenn-cy extract makes spikes of them)"
    if _has_trainset(folder / "0"):
        return " (these are folds: spikenn-cy kfold takes them)"
    if _has_trainset(folder / "gs") or _has_trainset(folder / "kfold" / "0"):
        return f" (did you mean {folder / 'gs'}, or {folder / 'kfold'} for kfold?)"
    if not folder.exists() and _has_trainset(folder.parent):
        return " (these are no folds: spikenn-cy run and gridsearch take them)"
    return ""


def _has_trainset(folder: Path) -> bool:
    return any((folder / f"{STEMS['train']}{suffix}").exists() for suffix in READERS)
