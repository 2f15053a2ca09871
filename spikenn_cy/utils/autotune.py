"""Which of some ways to the same result is the fastest, where no rule would tell for every machine."""

import math
from typing import NamedTuple

ITEMS = 32  # that are timed at once
TURNS = 2  # of each way; other processes only ever lengthen one, so the shortest is the robust statistic
FAR = 1.25  # times the best turn so far: a way that took longer in its first turn gets no other one
PATIENCE = 200  # seconds of work for each second that the last comparison lost, before the next one
LEAST = 1.0  # second of work before the next one, whatever was lost
DISAPPOINTED = 20  # times as much as a second of work counts one that was lost as the way was slower than found


class Found(NamedTuple):
    """What a comparison found.

    Attributes
    ----------
    way : int
        The fastest one.
    credit : float
        Seconds of work since, less those that are to be done before the next comparison.
    expected : float
        Seconds that ITEMS items took with it.
    """

    way: int = 0
    credit: float = math.inf
    expected: float = math.inf


class Autotuner:
    """Takes each of the ways for some turns, then the fastest of them, and compares anew now and then.

    What it decides by is the clock, so nothing but time may depend on it. A comparison costs at most a two-hundredth of
    the work before the next one, or a tenth of the time that was lost since because the way turned out slower than when
    it was compared: by luck then, or because of neighbours now.

    Parameters
    ----------
    n_ways : int
    found : Found, optional
        Where another tuner of like ways stands, which this one goes on from.

    Attributes
    ----------
    way : int
        Which one is to be taken now.
    """

    def __init__(self, n_ways: int, found: Found | None = None) -> None:
        self.way, self._credit, self._expected = found or Found()
        self._seconds: list[list[float]] = [[] for _ in range(n_ways)]  # of the turns of each way
        self._to_try: list[int] = []  # ways that this comparison still tries, the present one first

    @property
    def found(self) -> Found | None:
        """What a comparison found; None while one goes on."""
        return None if self._to_try else Found(self.way, self._credit, self._expected)

    def look_again(self) -> None:
        """Compare the ways anew from here on, if the last comparison is over and was paid for since."""
        if not self._to_try and self._credit >= 0 and len(self._seconds) > 1:
            self._seconds = [[] for _ in self._seconds]
            self._to_try = [self.way, *(way for way in range(len(self._seconds)) if way != self.way)]

    def limit(self, size: int) -> int:
        """Return how many of ``size`` items may be done at once."""
        return min(size, ITEMS) if self._to_try else size

    def note(self, n_items: int, seconds: float) -> None:
        """Take down how long so many items took, and choose the way from here on."""
        if not self._to_try:
            lost = max(0.0, seconds - FAR * self._expected * n_items / ITEMS)
            self._credit += seconds + DISAPPOINTED * lost
        elif n_items >= ITEMS:  # not the end of an epoch
            seconds *= ITEMS / n_items
            turns = self._seconds[self.way]
            turns.append(seconds)
            if len(turns) == TURNS or seconds > FAR * min(min(turns) for turns in self._seconds if turns):
                del self._to_try[0]
            if self._to_try:
                self.way = self._to_try[0]
            else:
                self._choose()

    def _choose(self) -> None:
        best = [min(turns) for turns in self._seconds]
        self._expected = min(best)
        self.way = best.index(self._expected)
        lost = sum(second - min(best) for turns in self._seconds for second in turns)
        self._credit = -max(LEAST, PATIENCE * lost)
