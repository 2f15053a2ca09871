"""Which of two ways to the same result is faster, where no rule would tell for every machine."""

# What is timed at once, by items or by seconds, whichever comes first.
ITEMS = 64
SECONDS = 0.05

# Turns until the slower way is tried again, and the most that they grow to while it stays the slower one.
PATIENCE = 16
PATIENCE_MAX = 128

# By which the best time of a way grows older at each of its turns. Whoever else uses the machine only makes a turn
# longer, so that the best of some turns tells more than the last; data and weights change, so that none tells for long.
AGE = 1.02


class Trial:
    """Takes both ways by turns, then the faster one, and from time to time the other one again.

    What it decides by is the clock, so nothing but time may depend on it.

    Attributes
    ----------
    second : bool
        Whether the second way is to be taken now.
    """

    def __init__(self) -> None:
        self.second = False
        self._cost: list[float | None] = [None, None]  # seconds an item of each way, at best
        self._warm = False
        self._items, self._seconds = 0, 0.0
        self._turns, self._patience = 0, PATIENCE

    def limit(self, size: int) -> int:
        """Return how many of ``size`` items may be done at once."""
        return size if None not in self._cost else min(size, ITEMS)

    def note(self, n_items: int, seconds: float) -> None:
        """Take down how long so many items took the present way, and choose the way from here on."""
        self._items += n_items
        self._seconds += seconds
        if self._items < ITEMS and self._seconds < SECONDS:
            return
        cost, self._items, self._seconds = self._seconds / max(self._items, 1), 0, 0.0
        if not self._warm:  # caches are not filled, memory is seen for the first time
            self._warm = True
            self.second = True
            return
        best = self._cost[self.second]
        cost = cost if best is None else min(cost, AGE * best)
        self._cost[self.second] = cost
        other = self._cost[not self.second]
        self._turns += 1
        if other is None or other < cost:
            if self._turns > 1:  # it was the faster one until now
                self._patience = PATIENCE
            self.second, self._turns = not self.second, 0
        elif self._turns >= self._patience:
            self._patience = min(2 * self._patience, PATIENCE_MAX)
            self.second, self._turns = not self.second, 0
