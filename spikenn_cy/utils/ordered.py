"""Work shared out among threads whose results come in the order of the tasks."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_order(workers: Sequence[Callable[[T], R]], tasks: Iterable[T]) -> Iterator[R]:
    """Yield the result of each task in order; each worker has one at a time, and few results wait."""
    if len(workers) == 1:
        yield from map(workers[0], tasks)
        return
    tasks = iter(tasks)
    with ThreadPoolExecutor(len(workers)) as pool:
        # A worker's next task is queued when its last result is fetched: round robin keeps the order.
        running: list[tuple[Callable[[T], R], Future[R]]] = [
            (worker, pool.submit(worker, task))
            for worker, task in zip(workers, islice(tasks, len(workers)), strict=False)
        ]
        while running:
            worker, future = running.pop(0)
            result = future.result()
            for task in islice(tasks, 1):
                running.append((worker, pool.submit(worker, task)))
            yield result
