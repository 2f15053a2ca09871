"""The bundled digits in the folders that grid searches and cross-validations read, for want of larger data."""

import os
from pathlib import Path

import numpy as np

from spikenn_cy.demo import demo_split
from spikenn_cy.demo import digit_spikes
from spikenn_cy.errors import RunError
from spikenn_cy.errors import require

STEMS = ("trainset", "valset", "testset")


def write_digits(output: str | os.PathLike[str], K: int = 10) -> dict[str, tuple[int, ...]]:
    """Write the digits as data sets for a grid search and for K folds.

    ``output/gs`` has the training and validation samples of the demo. ``output/kfold/i``
    has the K-th part number ``i`` of both together for validation, the others for
    training, and the demo's test samples. Which sample goes where follows from labels and
    order alone.

    Parameters
    ----------
    output : path-like
        A new or empty folder.
    K : int
        Number of folds, from 2 to the number of samples in the smallest class.

    Returns
    -------
    dict
        Numbers of training, validation and test samples by the folders' names below ``output``.

    Raises
    ------
    RunError
        If ``output`` holds anything.
    """
    output = Path(output)
    digits = digit_spikes()
    train, val, test = demo_split(digits.labels)
    rest = np.sort(np.concatenate([train, val]))
    most = int(np.bincount(digits.labels[rest]).min())
    require(2 <= K <= most, "K", f"must be from 2 to {most}", K)
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        found = "one that holds something" if output.is_dir() else "a file"
        raise RunError(f"{output}: must be a new or empty folder, got {found}")
    parts: dict[str, tuple[np.ndarray, ...]] = {"gs": (train, val)}
    turn = np.empty(len(rest), dtype=np.int64)
    turn[np.argsort(digits.labels[rest], kind="stable")] = np.arange(len(rest)) % K
    parts |= {f"kfold/{fold}": (rest[turn != fold], rest[turn == fold], test) for fold in range(K)}
    for folder, sets in parts.items():
        (output / folder).mkdir(parents=True, exist_ok=True)
        for stem, samples in zip(STEMS, sets, strict=False):
            digits[samples].save(output / folder / f"{stem}.npz")
    return {folder: tuple(map(len, sets)) for folder, sets in parts.items()}
