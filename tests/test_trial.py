"""Whichever of two ways is faster is taken, and that is looked at again."""

import itertools

import pytest

from spikenn_cy.utils.autotune import ITEMS
from spikenn_cy.utils.autotune import PATIENCE
from spikenn_cy.utils.autotune import PATIENCE_MAX
from spikenn_cy.utils.autotune import Trial


def take(trial, costs, turns):
    """Do so many turns of ITEMS items each; return the way of each turn."""
    ways = []
    for _ in range(turns):
        ways.append(trial.second)
        trial.note(ITEMS, ITEMS * costs[trial.second])
    return ways


@pytest.mark.parametrize("costs", [(1e-6, 2e-6), (2e-6, 1e-6)])
def test_the_faster_way_is_taken_once_both_were(costs):
    ways = take(Trial(), costs, 2 + PATIENCE)
    assert ways[:3] == [False, True, False]  # the first turn warms up
    assert set(ways[3:]) == {costs[1] < costs[0]}


def test_the_slower_way_is_tried_again_ever_more_rarely():
    ways = take(Trial(), (1e-6, 2e-6), 2_000)
    tries = [turn for turn, second in enumerate(ways) if second]
    gaps = [later - earlier for earlier, later in itertools.pairwise(tries)]
    assert gaps == sorted(gaps)
    assert gaps[0] >= PATIENCE
    assert gaps[-1] <= PATIENCE_MAX + 2
    assert sum(ways) < 40


def test_a_turn_that_others_made_long_changes_nothing():
    trial = Trial()
    take(trial, (1e-6, 1.3e-6), 4)
    for _ in range(3):
        assert take(trial, (2e-6, 1.3e-6), 1) == [False]
        assert not any(take(trial, (1e-6, 1.3e-6), 3))


def test_a_way_that_becomes_the_faster_one_is_found():
    trial = Trial()
    take(trial, (1e-6, 2e-6), 10)
    ways = take(trial, (2e-6, 1e-6), 2 * PATIENCE_MAX)
    assert sum(ways[-PATIENCE:]) >= PATIENCE - 1


def test_a_few_items_are_no_turn():
    trial = Trial()
    for _ in range(ITEMS - 1):
        trial.note(1, 1e-6)
    assert not trial.second
    trial.note(1, 1e-6)
    assert trial.second


def test_a_long_time_is_a_turn_however_few_items_it_was():
    trial = Trial()
    trial.note(1, 10.0)
    assert trial.second


def test_turns_are_short_until_both_ways_were_taken():
    trial = Trial()
    assert trial.limit(10_000) == ITEMS
    assert trial.limit(5) == 5
    take(trial, (1e-6, 2e-6), 4)
    assert trial.limit(10_000) == 10_000
