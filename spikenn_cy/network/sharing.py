"""Samples shared out among threads, with results that do not depend on how many there are."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.utils.validation import number_of_threads

SPIKES_A_THREAD = 1_000_000  # a thread with fewer takes longer to begin than it saves


def threads_for(dataset: SpikingDataset, n_threads: int) -> int:
    """Return how many of so many threads are worth beginning."""
    n_threads = number_of_threads(n_threads)
    if n_threads == 1:
        return 1
    return max(1, min(n_threads, len(dataset.indices) // SPIKES_A_THREAD))


def over_blocks(n_samples: int, size: int, n_threads: int, work: Callable[[slice], None]) -> None:
    """Do ``work`` for each block of at most ``size`` samples, several at a time."""
    blocks = [slice(start, min(start + size, n_samples)) for start in range(0, n_samples, size)]
    if n_threads == 1:
        for block in blocks:
            work(block)
        return
    with ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(work, blocks))
