"""Whichever of some ways is the fastest is taken, and that is looked at again when it is asked for."""

import pytest

from spikenn_cy.utils.autotune import ITEMS
from spikenn_cy.utils.autotune import TURNS
from spikenn_cy.utils.autotune import Autotuner

pytestmark = pytest.mark.quick


def take(tuner, seconds, turns):
    """Do so many turns of ITEMS items each; return the way of each turn."""
    ways = []
    for _ in range(turns):
        ways.append(tuner.way)
        tuner.note(ITEMS, seconds[tuner.way])
    return ways


@pytest.mark.parametrize("seconds", [(1, 2), (2, 1), (3, 2, 1), (2, 1, 3)])
def test_the_fastest_way_is_taken_once_all_were(seconds):
    tuner, n_ways = Autotuner(len(seconds)), len(seconds)
    tuner.look_again()
    ways = take(tuner, seconds, n_ways * TURNS + 5)
    assert ways[: n_ways * TURNS] == [*range(n_ways)] * TURNS
    assert set(ways[n_ways * TURNS :]) == {seconds.index(min(seconds))}


def test_a_turn_that_others_made_long_changes_nothing():
    tuner = Autotuner(2)
    tuner.look_again()
    for seconds in ((1, 2), (1, 2), (50, 2), (1, 2)):
        take(tuner, seconds, 1)
    assert tuner.way == 0


def test_nothing_is_compared_before_it_is_asked_for_nor_after_it_is_known():
    tuner = Autotuner(2)
    assert tuner.limit(10_000) == 10_000
    assert take(tuner, (2, 1), 3) == [0, 0, 0]
    tuner.look_again()
    assert tuner.limit(10_000) == ITEMS
    assert tuner.limit(5) == 5
    take(tuner, (2, 1), 2 * TURNS)
    assert tuner.limit(10_000) == 10_000


def test_a_way_that_became_the_faster_one_is_found_when_looked_for_again():
    tuner = Autotuner(2)
    tuner.look_again()
    take(tuner, (1, 2), 2 * TURNS)
    assert take(tuner, (2, 1), 4) == [0, 0, 0, 0]
    tuner.look_again()
    take(tuner, (2, 1), 2 * TURNS)
    assert tuner.way == 1


def test_a_few_items_are_no_turn():
    tuner = Autotuner(2)
    tuner.look_again()
    tuner.note(ITEMS - 1, 1.0)
    assert tuner.way == 0
    tuner.note(ITEMS, 1.0)
    assert tuner.way == 1


def test_one_way_is_never_compared():
    tuner = Autotuner(1)
    tuner.look_again()
    assert tuner.limit(10_000) == 10_000
