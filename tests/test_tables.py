"""A table of some cases holds what the whole one is about, and a test belongs to one tier."""

import math
import re
from itertools import combinations
from itertools import product
from pathlib import Path

import pytest
from conftest import TIERS
from strategies import CROSSED
from strategies import TRAITS
from strategies import crossed_cases
from strategies import is_possible
from tables import pairwise
from tables import some

pytestmark = pytest.mark.quick

HERE = Path(__file__).parent
COLUMNS = [TRAITS[trait] for trait in CROSSED]


def pairs_of(rows):
    return {pair for row in rows for pair in combinations(enumerate(row), 2)}


@pytest.mark.parametrize(
    ("columns", "allowed"),
    [
        ([(0, 1), (0, 1)], lambda row: True),
        ([range(3), range(4), range(2), range(3), range(2)], lambda row: True),
        ([range(3), range(4), range(5)], lambda row: row[0] != row[1]),
        (COLUMNS, is_possible),
    ],
)
def test_every_pair_of_values_stands_in_a_row(columns, allowed):
    rows, whole = pairwise(*columns, allowed=allowed), [row for row in product(*columns) if allowed(row)]
    assert pairs_of(rows) == pairs_of(whole)
    assert set(rows) <= set(whole)
    assert rows == pairwise(*columns, allowed=allowed)
    two_longest = math.prod(sorted(map(len, columns))[-2:])
    assert len(rows) <= 2 * two_longest  # no fewer than that product can do


def test_combinations_beyond_the_pairs_are_done_in_full_and_each_once():
    cases = crossed_cases()
    quick = [case for case in cases if not case.marks]
    assert [case.id for case in quick] == ["-".join(map(str, row)) for row in sorted_like_all(quick)]
    assert len({case.id for case in cases}) == len(cases) == sum(is_possible(row) for row in product(*COLUMNS))
    assert {mark.name for case in cases for mark in case.marks} == {"full"}


def sorted_like_all(quick):
    """Return the pairwise rows in the order of the whole table."""
    rows = set(pairwise(*COLUMNS, allowed=is_possible))
    assert len(rows) == len(quick)
    return [row for row in product(*COLUMNS) if row in rows]


def test_the_first_of_some_cases_are_done_on_every_build():
    for cases in ("abc", [("a", 1), ("b", 2), ("c", 3)]):
        found = some(cases, 2)
        assert [case.values for case in found] == [tuple(case) for case in cases]
        assert [[mark.name for mark in case.marks] for case in found] == [[], [], ["full"]]


@pytest.mark.parametrize("path", sorted(HERE.glob("test_*.py")), ids=lambda path: path.stem)
def test_every_module_of_tests_has_a_tier(path):
    assigned = re.findall(r"^pytestmark = (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(assigned) == 1, f'needs a line "pytestmark = pytest.mark.…" with one of {", ".join(TIERS)}'
    assert len(set(re.findall(r"\bmark\.(\w+)", assigned[0])) & set(TIERS)) == 1
