"""How much of a disk a reproduction takes, told before it begins, and how many folds' features fit at a time."""

import os
import shutil
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from spikenn_cy.errors import RunError
from spikenn_cy.reproduction.places import Fold
from spikenn_cy.reproduction.places import bytes_of_model
from spikenn_cy.reproduction.tables import Cell
from spikenn_cy.reproduction.tables import Column

WHILE_RUNNING = 2  # networks' worth of files beside the one that is kept: a checkpoint, and the next one


@dataclass(frozen=True)
class Space:
    """What is to be written, about, in bytes.

    Attributes
    ----------
    data : int
        Images.
    features : int
        Of the folds that are there at a time, or of all that are kept.
    runs : int
        Networks, and what they need while they learn.
    n_at_once : int
        Folds whose features are there at a time.
    """

    data: int
    features: int
    runs: int
    n_at_once: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.data + self.features + self.runs

    def __str__(self) -> str:
        folds = "a fold" if self.n_at_once == 1 else f"{self.n_at_once} folds"
        parts = {"images": self.data, f"features of {folds}": self.features, "runs": self.runs}
        return f"{shown(self.total)} ({', '.join(f'{name} {shown(n_bytes)}' for name, n_bytes in parts.items())})"


def space_for(left: Mapping[Fold, Sequence[Cell]], images: Sequence[Column], n_at_once: int, keep: bool) -> Space:
    """Return what is to be written for the folds that have ``left`` cells, with so many of them at once."""
    n_at_once = len(left) if keep else min(n_at_once, len(left))
    largest = sorted((fold.n_bytes for fold in left), reverse=True)
    models = sorted((bytes_of_model(cell) for cells in left.values() for cell in cells), reverse=True)
    return Space(
        data=sum(column.n_images * column.n_bytes for column in images),
        features=sum(largest[:n_at_once]),
        runs=sum(models) + WHILE_RUNNING * sum(models[:n_at_once]),
        n_at_once=n_at_once,
    )


def that_fits(
    home: Path, left: Mapping[Fold, Sequence[Cell]], images: Sequence[Column], n_at_once: int, keep: bool
) -> Space:
    """Return the space for as many folds at once as the disk has room for.

    Raises
    ------
    RunError
        If it has no room for one.
    """
    free = free_bytes(home)
    fewest = len(left) if keep else 1
    for n_folds in range(min(n_at_once, len(left)), 0, -1):
        space = space_for(left, images, n_folds, keep)
        if space.total <= free:
            return space
    least = space_for(left, images, fewest, keep)
    if least.total > free:
        raise RunError(f"{home}: must be on a disk with about {least} free, got {shown(free)}")
    return least


def free_bytes(place: Path) -> int:
    """Return what is free on the disk that a folder is on, or will be on."""
    there = next(folder for folder in (place.absolute(), *place.absolute().parents) if os.path.isdir(folder))
    return shutil.disk_usage(there).free


def shown(n_bytes: int) -> str:
    """Return a number of bytes for people."""
    return f"{n_bytes / 1e9:,.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:,.1f} MB"
