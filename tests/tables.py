"""Tables of cases: some on every build, the whole of them once.

A case beyond those is marked ``full``, which takes it out of what is done most often and out of nothing else.
"""

from itertools import combinations
from itertools import product

import pytest
from hypothesis import settings

FEWEST = 5  # examples, however few a tier wants


def pairwise(*columns, allowed=lambda row: True):
    """Return rows with one value of each column, in which any two values of two columns stand together.

    Most mistakes show where two things meet; that takes a twentieth of the rows in which all meet. Each row is the
    first of those with most pairs that are still missing, so the same columns have the same rows.

    Parameters
    ----------
    *columns : sequence
        Values.
    allowed : callable
        Tells of a row whether it makes sense; pairs that only other rows have are not wanted.
    """
    rows = [row for row in product(*columns) if allowed(row)]
    pairs = {row: set(combinations(enumerate(row), 2)) for row in rows}
    missing = set().union(*pairs.values())
    chosen = []
    while missing:
        chosen.append(max(rows, key=lambda row: len(pairs[row] & missing)))
        missing -= pairs[chosen[-1]]
    return chosen


def some(cases, n):
    """Return parameters, each a value or a tuple of them, all but the first ``n`` of which are marked ``full``."""
    rows = [case if isinstance(case, tuple) else (case,) for case in cases]
    return [pytest.param(*row, marks=() if number < n else pytest.mark.full) for number, row in enumerate(rows)]


def examples(n):
    """Return settings under which hypothesis tries ``n`` examples, or the share of them that the quick tests take."""
    whole = settings.get_profile("fixed").max_examples
    return settings(max_examples=max(FEWEST, n * settings.default.max_examples // whole))
