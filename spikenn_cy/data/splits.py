"""Rows divided into training, validation and test part, with each class in each as far as it has rows for that."""

import numpy as np
import numpy.typing as npt

from spikenn_cy.data.folder import STEMS


def stratified_parts(
    labels: npt.NDArray[np.int32], shares: tuple[float, float, float], seed: int
) -> dict[str, npt.NDArray[np.int64]]:
    """Return the positions of the rows of each part, rising.

    Parameters
    ----------
    labels : ndarray of int, shape (n_rows,)
        Class numbers from 0.
    shares : tuple of float
        Of training, validation and test part; they add up to 1.
    seed : int
        Which rows of a class go where.

    Returns
    -------
    dict of ndarray of int64
        By the names ``train``, ``val`` and ``test``. Every class has a row to be learned from. Over
        all classes together the parts are of the size that the shares say, to the row.
    """
    generator = np.random.default_rng(seed)
    _, val_share, test_share = shares
    parts: dict[str, list[npt.NDArray[np.int64]]] = {name: [] for name in STEMS}
    due_val = due_test = 0.0
    for number in np.unique(labels):
        rows = generator.permutation(np.flatnonzero(labels == number))
        due_val += val_share * len(rows)
        due_test += test_share * len(rows)
        n_test = min(_whole(due_test), len(rows) - 1)
        n_val = min(_whole(due_val), len(rows) - 1 - n_test)
        due_val -= n_val
        due_test -= n_test
        for name, part in zip(STEMS, np.split(rows, [len(rows) - n_val - n_test, len(rows) - n_test]), strict=True):
            parts[name].append(part)
    return {name: np.sort(np.concatenate(found)).astype(np.int64) for name, found in parts.items()}


def _whole(share: float) -> int:
    """Return the number of rows that a share is due by now, a half rounded up, in spite of floating point."""
    return max(0, int(np.floor(share + 0.5 + 1e-9)))
