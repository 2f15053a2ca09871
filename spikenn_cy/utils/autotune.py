"""Which of some ways to the same result is the fastest, where no rule would tell for every machine."""

ITEMS = 32  # that are timed at once
TURNS = 2  # of each way; other processes only ever lengthen one, so the shortest is the robust statistic


class Autotuner:
    """Takes the ways by turns, then the fastest of them until it is told to look again.

    What it decides by is the clock, so nothing but time may depend on it.

    Parameters
    ----------
    n_ways : int

    Attributes
    ----------
    way : int
        Which one is to be taken now.
    """

    def __init__(self, n_ways: int) -> None:
        self.way = 0
        self._seconds: list[list[float]] = [[] for _ in range(n_ways)]  # of the turns of each way
        self._looking = False

    def look_again(self) -> None:
        """Compare the ways anew from here on."""
        self.way = 0
        self._seconds = [[] for _ in self._seconds]
        self._looking = len(self._seconds) > 1

    def limit(self, size: int) -> int:
        """Return how many of ``size`` items may be done at once."""
        return min(size, ITEMS) if self._looking else size

    def note(self, n_items: int, seconds: float) -> None:
        """Take down how long so many items took, and choose the way from here on."""
        if not self._looking or n_items < ITEMS:  # the end of an epoch
            return
        self._seconds[self.way].append(seconds)
        n_turns = [len(turns) for turns in self._seconds]
        if min(n_turns) == TURNS:
            best = [min(turns) for turns in self._seconds]
            self.way, self._looking = best.index(min(best)), False
        else:
            self.way = n_turns.index(min(n_turns))
