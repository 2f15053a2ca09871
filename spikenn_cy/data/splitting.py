"""Samples shared out among data sets by chance, with as much of each class in every one as its share is."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from spikenn_cy.dtypes import OFFSET
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.utils.validation import is_real
from spikenn_cy.utils.validation import whole_number


def shared_out(
    n_samples: int, groups: npt.NDArray[np.int32] | None, shares: Sequence[float], seed: int
) -> list[npt.NDArray[np.int64]]:
    """Return the numbers of the samples of each part, in a random order.

    Parameters
    ----------
    n_samples : int
    groups : ndarray of int32, shape (n_samples,), or None
        Of each group as much goes to a part as its share is, up to a sample or two, and to the largest part one
        sample at least, so that each group can be learned from. None: there is one group.
    shares : sequence of float
        Of the parts; their sum is 1.
    seed : int

    Raises
    ------
    DataError
        If shares are nonsense, or one of them is of no sample.
    """
    for number, share in enumerate(shares):
        require(is_real(share) and 0 < share <= 1, f"shares[{number}]", "must be in (0, 1]", share, DataError)
    ok = len(shares) > 0 and math.isclose(math.fsum(shares), 1, abs_tol=1e-6)
    require(ok, "shares", "must have the sum 1", math.fsum(shares), DataError)
    seed = whole_number(seed, "seed", 0, error=DataError)

    order = np.random.default_rng(seed).permutation(n_samples).astype(OFFSET)
    groups = np.zeros(n_samples, np.int32) if groups is None else groups
    order = order[np.argsort(groups[order], kind="stable")]
    parts: list[list[npt.NDArray[np.int64]]] = [[] for _ in shares]
    owed, largest = np.zeros(len(shares)), int(np.argmax(shares))
    start = 0
    for size in np.bincount(groups):
        owed += np.array(shares, float) * size
        ends = start + np.cumsum(whole_parts(owed, int(size), largest))
        for part, numbers in zip(parts, np.split(order[start : start + size], ends[:-1] - start), strict=True):
            part.append(numbers)
        owed -= np.diff(ends, prepend=start)
        start += size
    whole = [np.concatenate(part) if part else np.empty(0, OFFSET) for part in parts]
    for number, (numbers, share) in enumerate(zip(whole, shares, strict=True)):
        why = (
            " (the largest part gets one of each class first; not so with stratify=False)"
            if share * n_samples >= 1
            else ""
        )
        require(len(numbers) > 0, f"shares[{number}]", f"must leave a sample of {n_samples}{why}", share, DataError)
    generator = np.random.default_rng([seed, 1])
    return [generator.permutation(numbers) for numbers in whole]


def whole_parts(owed: npt.NDArray[np.float64], size: int, largest: int) -> npt.NDArray[np.int64]:
    """Return whole numbers that sum up to ``size``, near to what is owed; 1 at least to the largest part."""
    counts = np.maximum(np.floor(owed + 1e-9), 0).astype(np.int64)
    counts[largest] = max(counts[largest], min(size, 1))
    while counts.sum() > size:  # a part that is owed less than nothing has got its sample before
        counts[np.argmin(np.where(counts > (np.arange(len(counts)) == largest), owed - counts, np.inf))] -= 1
    while counts.sum() < size:
        counts[np.argmax(owed - counts)] += 1
    return counts
