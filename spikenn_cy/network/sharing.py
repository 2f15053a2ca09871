"""Work shared out among threads, with results that do not depend on how many there are."""

import _thread
import math
import os
import time
from collections.abc import Callable
from concurrent.futures import Future

from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.network._batch import SampleBatch
from spikenn_cy.network._batch import SharedSamples
from spikenn_cy.utils.autotune import ITEMS
from spikenn_cy.utils.autotune import Autotuner
from spikenn_cy.utils.processors import threads_that_run
from spikenn_cy.utils.validation import number_of_threads

SPIKES_A_BLOCK = 8192  # which take a thread some ten microseconds
SPIKES_A_THREAD = ITEMS * SPIKES_A_BLOCK // 2  # a thread with fewer takes longer to begin than it saves
WEIGHTS_A_THREAD = 500_000  # threads meet three times a sample, which a layer of fewer weights does not pay for

# By what is asked and the shapes that it depends on: the clock's choice between one thread and several.
_tuners: dict[tuple[object, ...], Autotuner] = {}
_alive: set["Future[None]"] = set()  # threads of this process, begun or about to
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_alive.clear)


def threads_for(dataset: SpikingDataset, n_threads: int) -> int:
    """Return how many of so many threads are worth beginning to share samples."""
    if number_of_threads(n_threads) == 1:  # which an online system asks for between two steps
        return 1
    return _worth_beginning(n_threads, len(dataset.indices) // SPIKES_A_THREAD)


def threads_in_a_sample(n_weights: int, n_threads: int) -> int:
    """Return how many of so many threads are worth a try to share each sample of a layer."""
    return _worth_beginning(n_threads, n_weights // WEIGHTS_A_THREAD)


def _worth_beginning(n_threads: int, most: int) -> int:
    """Return how many of so many threads run, if ``most`` of them have enough to do."""
    if number_of_threads(n_threads) == 1 or most <= 1:  # to count processors takes as long as to decide a sample
        return 1
    return min(threads_that_run(n_threads), most)


def numbers_to_time(most: int) -> list[int]:
    """Return the numbers of threads among which the clock decides, the one to begin with first."""
    return [1] if most == 1 else [1, most]


def over_samples(
    asked: tuple[object, ...], dataset: SpikingDataset, n_threads: int, share: Callable[[SampleBatch], None]
) -> None:
    """Have all samples taken from batches that share them, each in a thread of its own.

    Whether threads pay depends on what else the processors do. So one thread and all of them are timed, on parts of
    the call or on one call after the other, and again now and then.

    Parameters
    ----------
    asked : tuple
        What is asked, and the shapes on which its time depends.
    dataset : SpikingDataset
    n_threads : int
        That are worth beginning.
    share : callable
        Takes samples from a batch until it has no more.
    """
    numbers = numbers_to_time(n_threads)
    key = (*asked, *numbers)
    tuner = _tuners.pop(key, None) or Autotuner(len(numbers))  # which no other caller has then
    n_samples, n_blocks = len(dataset), max(1, len(dataset.indices) / SPIKES_A_BLOCK)
    size = max(1, int(n_samples / n_blocks))
    first = 0
    while first < n_samples:
        tuner.look_again()
        limit = tuner.limit(math.ceil(n_blocks))
        end = min(n_samples, first + math.ceil(limit * n_samples / n_blocks))
        started = time.perf_counter()
        _share_out(SharedSamples(first, end, size), dataset, numbers[tuner.way], share)
        tuner.note(round((end - first) * n_blocks / n_samples), time.perf_counter() - started)
        first = end
    _tuners[key] = tuner


def _share_out(
    shared: SharedSamples, dataset: SpikingDataset, n_threads: int, share: Callable[[SampleBatch], None]
) -> None:
    over_threads(n_threads, lambda: share(SampleBatch(dataset, shared=shared)))


def over_blocks(n_samples: int, size: int, n_threads: int, begin: Callable[[], Callable[[slice], None]]) -> None:
    """Do some work for each block of at most ``size`` samples, several at a time.

    Parameters
    ----------
    n_samples, size, n_threads : int
    begin : callable
        Called by each thread that takes part; returns what does a block.
    """
    starts = iter(range(0, n_samples, size))  # whose next number is one thread's

    def share() -> None:
        work = begin()
        for start in starts:
            work(slice(start, min(start + size, n_samples)))

    over_threads(min(n_threads, -(-n_samples // size)), share)


def over_threads(n_threads: int, share: Callable[[], None]) -> None:
    """Do one's share of some work in so many threads at most, which take parts of it until there are no more.

    The caller is one of the threads, and waits for none that has not begun when there are no more parts. Such a one
    counts until it has, so that however late threads come, and whoever else asks, there are no more of them at a time.
    """
    helpers = _begun(n_threads - 1, share)
    try:
        share()
    finally:
        running = [helper for helper in helpers if not helper.cancel()]  # which fails once it has begun
        problems = [helper.exception() for helper in running]
    for problem in filter(None, problems):
        raise problem


def _begun(n: int, share: Callable[[], None]) -> list["Future[None]"]:
    """Begin up to so many threads; neither `ThreadPoolExecutor` nor `Thread` begins one without waiting for it."""
    helpers: list[Future[None]] = []
    while len(_alive) < n:
        helper: Future[None] = Future()
        _alive.add(helper)
        try:
            _thread.start_new_thread(_help, (helper, share))
        except RuntimeError:  # the system gives no more
            _alive.discard(helper)
            break
        helpers.append(helper)
    return helpers


def _help(helper: "Future[None]", share: Callable[[], None]) -> None:
    try:
        if helper.set_running_or_notify_cancel():
            share()
            helper.set_result(None)
    except BaseException as problem:  # for the caller to raise
        helper.set_exception(problem)
    finally:
        _alive.discard(helper)
