"""Many jobs done at the same time by any executor, none of which is lost without a word."""

import functools
import os
import queue
import traceback
import warnings
from collections import deque
from collections.abc import Callable
from collections.abc import Generator
from collections.abc import Hashable
from collections.abc import Iterable
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor
from concurrent.futures import CancelledError
from concurrent.futures import Executor
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from typing import NamedTuple

from spikenn_cy.errors import SpikennError
from spikenn_cy.execution.workers import Workers

ATTEMPTS = 2  # of a job whose worker dies; dying twice is no accident


@dataclass(frozen=True)
class Outcome:
    """What became of a job.

    Attributes
    ----------
    job : object
    result : object or None
        What ``work(job)`` returned; None if it failed.
    error : str or None
        Why it failed, in one line.
    details : str or None
        The traceback, if the failure was a mistake in the program.
    warnings : tuple of Warning
        What it was warned of.
    n_attempts : int
        More than 1 if a worker died of it, or under it.
    """

    job: Any
    result: Any = None
    error: str | None = None
    details: str | None = None
    warnings: tuple[Warning, ...] = ()
    n_attempts: int = 1


ExecutorFactory = Callable[[], AbstractContextManager[Executor]]
Then = Callable[[Outcome], Sequence[Any]]


def run_jobs(
    work: Callable[[Any], Any],
    jobs: Sequence[Hashable],
    n_proc: int = 1,
    executor: ExecutorFactory | None = None,
    then: Then | None = None,
) -> Generator[Outcome, None, None]:
    """Do ``work(job)`` for each of ``jobs`` and yield their outcomes as they come.

    A failure is an outcome as well. A job whose worker dies is tried once more; others
    that are under way are not touched by that.

    Parameters
    ----------
    work : callable
        A function of a module, since it is sent to the workers by name.
    jobs : sequence
    n_proc : int
        Worker processes on this machine. 1: in this process and in order, for debuggers.
    executor : callable, optional
        Returns a context manager of a `concurrent.futures.Executor`, which then does the
        work in place of processes on this machine.
    then : callable, optional
        Given an outcome, returns the jobs that it makes possible. In this process they are done next, before those
        that wait already.

    Notes
    -----
    If the caller stops iterating, by Ctrl-C for instance, work under way is ended.
    """
    if executor is None and n_proc == 1:
        waiting = deque(jobs)
        while waiting:
            job = waiting.popleft()
            outcome = Outcome(job, *attempt(work, job))
            waiting.extendleft(reversed(then(outcome) if then else ()))
            yield outcome
        return
    finished: queue.SimpleQueue[tuple[int, int, Future[JobResult]]] = queue.SimpleQueue()
    known = list(jobs)
    n_workers = n_proc if then else min(n_proc, max(1, len(known)))
    with Workers(n_workers) if executor is None else executor() as pool:

        def start(position: int, n_before: int) -> None:
            try:
                future = pool.submit(attempt, work, known[position])
            except BrokenExecutor as error:  # an executor that does not mend itself
                future = Future()
                future.set_exception(error)
            future.add_done_callback(lambda done: finished.put((position, n_before + 1, done)))

        for position in range(len(known)):
            start(position, 0)
        n_ended = 0
        while n_ended < len(known):
            position, n_attempts, future = finished.get()
            if isinstance(_problem(future), BrokenExecutor) and n_attempts < ATTEMPTS:
                start(position, n_attempts)
                continue
            outcome = Outcome(known[position], *_result(future, n_attempts), n_attempts)
            for job in then(outcome) if then else ():
                known.append(job)
                start(len(known) - 1, 0)
            n_ended += 1
            yield outcome


def cluster_factory(
    address: str, output: str | os.PathLike[str], inputs: Iterable[str | os.PathLike[str]]
) -> ExecutorFactory:
    """Return what `run_jobs` needs to do its jobs on a Dask cluster; see `cluster_executor`."""
    # Here, because Dask is installed where it is used only.
    from spikenn_cy.execution.cluster import cluster_executor

    return functools.partial(cluster_executor, address, output, tuple(inputs))


class JobResult(NamedTuple):
    """What comes back from a worker."""

    result: Any = None
    error: str | None = None
    details: str | None = None
    warnings: tuple[Warning, ...] = ()


def attempt(work: Callable[[Any], Any], job: object) -> JobResult:
    """Do ``work(job)``, wherever this is, with failure and warnings as values."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        result = error = details = None
        try:
            result = work(job)
        except SpikennError as problem:
            error = str(problem)
        except OSError as problem:
            error = f"{problem.filename or 'input or output'}: must be usable, got {problem.strerror or problem}"
        except MemoryError as problem:
            error = f"memory: must suffice for network and data, got {problem or 'too little'}"
        except Exception as problem:
            error, details = _mistake(problem)
    return JobResult(
        result, error, details, tuple(told.message for told in caught if isinstance(told.message, Warning))
    )


def _problem(future: Future[JobResult]) -> BaseException | None:
    try:
        return future.exception()
    except CancelledError as cancelled:
        return cancelled


def _result(future: Future[JobResult], n_attempts: int) -> JobResult:
    problem = _problem(future)
    if problem is None:
        return future.result()
    if isinstance(problem, CancelledError):
        return JobResult(error="worker: must live until the run is complete, got none that took the run")
    if isinstance(problem, BrokenExecutor):
        return JobResult(
            error=f"worker: must live until the run is complete, got one that {problem}, {n_attempts} times"
        )
    if isinstance(problem, SpikennError):  # what a cluster has to say
        return JobResult(error=str(problem))
    return JobResult(None, *_mistake(problem))


def _mistake(problem: BaseException) -> tuple[str, str]:
    text = " ".join(f"{type(problem).__name__}: {problem}".split())
    return f"a mistake in the program: {text}", "".join(traceback.format_exception(problem))
