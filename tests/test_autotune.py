"""Whichever of some ways is the fastest is taken, and that is looked at again when it is asked for."""

import pytest

from spikenn_cy.utils.autotune import DISAPPOINTED
from spikenn_cy.utils.autotune import FAR
from spikenn_cy.utils.autotune import ITEMS
from spikenn_cy.utils.autotune import LEAST
from spikenn_cy.utils.autotune import PATIENCE
from spikenn_cy.utils.autotune import TURNS
from spikenn_cy.utils.autotune import Autotuner
from spikenn_cy.utils.autotune import Found

pytestmark = pytest.mark.quick


def take(tuner, seconds, turns):
    """Do so many turns of ITEMS items each; return the way of each turn."""
    ways = []
    for _ in range(turns):
        ways.append(tuner.way)
        tuner.note(ITEMS, seconds[tuner.way])
    return ways


@pytest.mark.parametrize("seconds", [(1.0, 1.1), (1.1, 1.0), (1.2, 1.1, 1.0), (1.1, 1.0, 1.2)])
def test_the_fastest_way_is_taken_once_all_were(seconds):
    tuner, n_ways = Autotuner(len(seconds)), len(seconds)
    tuner.look_again()
    ways = take(tuner, seconds, n_ways * TURNS + 5)
    assert ways[: n_ways * TURNS] == [way for way in range(n_ways) for _ in range(TURNS)]
    assert set(ways[n_ways * TURNS :]) == {seconds.index(min(seconds))}


def test_a_way_that_is_far_behind_gets_one_turn():
    tuner = Autotuner(3)
    tuner.look_again()
    assert take(tuner, (1, 2, 1.5), 6) == [0, 0, 1, 2, 0, 0]


def test_a_turn_that_others_made_long_changes_nothing():
    tuner = Autotuner(2)
    tuner.look_again()
    for seconds in (50, 1, 1.1, 1.1):
        tuner.note(ITEMS, seconds)
    assert tuner.way == 0


def test_the_next_comparison_waits_until_the_last_one_was_paid_for():
    tuner = Autotuner(2)
    tuner.look_again()
    assert take(tuner, (1, 2), 3) == [0, 0, 1]
    take(tuner, (1, 2), PATIENCE - 1)
    tuner.look_again()
    assert tuner.limit(10_000) == 10_000
    take(tuner, (1, 2), 1)
    tuner.look_again()
    assert tuner.limit(10_000) == ITEMS


def test_a_tuner_goes_on_from_what_another_one_found():
    tuner = Autotuner(2)
    assert tuner.found == Found(0)
    tuner.look_again()
    assert tuner.found is None
    take(tuner, (2, 1), 2 * TURNS)
    other = Autotuner(2, tuner.found)
    other.look_again()
    assert other.way == tuner.way == 1
    assert other.limit(10_000) == 10_000


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
    assert take(tuner, (1, 2), 4) == [0, 0, 1, 0]
    assert take(tuner, (2, 1), 4) == [0, 0, 0, 0]
    take(tuner, (1, 2), PATIENCE)
    tuner.look_again()
    take(tuner, (2, 1), 2 * TURNS)
    assert tuner.way == 1


def test_a_few_items_are_no_turn():
    tuner = Autotuner(2)
    tuner.look_again()
    take(tuner, (1, 1), 1)
    tuner.note(ITEMS - 1, 1.0)
    assert tuner.way == 0
    tuner.note(ITEMS, 1.0)
    assert tuner.way == 1


def test_a_comparison_goes_on_when_it_is_asked_for_again():
    tuner = Autotuner(2)
    for way in (0, 0, 1, 1):
        tuner.look_again()
        assert tuner.way == way
        tuner.note(ITEMS, (1.1, 1.0)[way])
    assert tuner.found is not None
    assert tuner.way == 1


def test_turns_of_unequal_size_are_compared_by_the_item():
    tuner = Autotuner(2)
    tuner.look_again()
    for n_items, seconds in ((4 * ITEMS, 4), (ITEMS, 1), (2 * ITEMS, 1.9), (2 * ITEMS, 1.9)):
        tuner.note(n_items, seconds)
    assert tuner.way == 1


def test_ways_that_are_alike_are_not_compared_all_the_time():
    tuner = Autotuner(2)
    tuner.look_again()
    take(tuner, (1e-3, 1e-3), 2 * TURNS)
    tuner.look_again()
    assert tuner.limit(10_000) == 10_000
    tuner.note(ITEMS, LEAST)
    tuner.look_again()
    assert tuner.limit(10_000) == ITEMS


def test_a_way_that_turns_out_slower_than_it_was_is_soon_compared_again():
    tuner = Autotuner(2)
    tuner.look_again()
    take(tuner, (2, 1), 2 * TURNS)
    lost, since = 2.0, 0.0
    while tuner.limit(10_000) > ITEMS:
        tuner.note(ITEMS, 6.0)
        since += 6.0 - FAR * 1
        tuner.look_again()
    assert lost * PATIENCE / DISAPPOINTED / 2 < since < lost * PATIENCE / DISAPPOINTED
    take(tuner, (3, 6), 2 * TURNS)
    assert tuner.way == 0


def test_one_way_is_never_compared():
    tuner = Autotuner(1)
    tuner.look_again()
    assert tuner.limit(10_000) == 10_000
