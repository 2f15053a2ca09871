"""Worker processes that never outlive their parent, and whose own death costs one run and no other."""

import concurrent.futures
import contextlib
import ctypes
import multiprocessing
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from collections.abc import Iterator
from concurrent.futures import Executor
from concurrent.futures import Future
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.connection import wait
from multiprocessing.context import SpawnContext
from typing import Any
from typing import ParamSpec
from typing import TypeVar

from spikenn_cy.errors import SpikennError
from spikenn_cy.utils._bus_error import end_at_bus_error

P = ParamSpec("P")
T = TypeVar("T")
Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]  # a function and what it is called with

PR_SET_PDEATHSIG = 1  # of Linux's prctl
UNGUARDED = 87  # exit status of a process that met the call which it was started for
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class WorkerDied(concurrent.futures.BrokenExecutor):
    """The process that did a piece of work ended before it was done; its text says how."""


class Unguarded(SpikennError):
    """A worker ran the user's script, and in it the call that had started the worker; its text says what to write."""


def require_guard() -> None:
    """End this process if it is a worker that has not begun yet, and only got here by importing the user's script.

    Such a process would start workers of its own, which is why Python lets it start none.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise SystemExit(UNGUARDED)


class Workers(Executor):
    """A `concurrent.futures.Executor` of spawned processes, each with a parent thread of its own.

    The executor of the standard library is lost as a whole when one of its processes
    dies. Here only the future of the work that the process had is, with `WorkerDied`, and
    another process takes its place. A worker

    * begins with its first work and imports the package once,
    * has one thread of computation,
    * leaves Ctrl-C to its parent,
    * ends when its parent does, however that ends.

    Parameters
    ----------
    n_workers : int
        Largest number of processes at a time.
    """

    def __init__(self, n_workers: int) -> None:
        require_guard()
        self._unguarded: Unguarded | None = None
        self._tasks: queue.SimpleQueue[tuple[Future[Any], Call] | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._context = multiprocessing.get_context("spawn")
        # Started here, since starting it lets signals through to the thread that does so.
        resource_tracker.ensure_running()
        self._environment = contextlib.ExitStack()
        self._environment.enter_context(_one_thread_for_children())
        self._slots = [threading.Thread(target=self._serve, daemon=True) for _ in range(n_workers)]
        for slot in self._slots:
            slot.start()

    def submit(self, function: Callable[P, T], /, *arguments: P.args, **options: P.kwargs) -> Future[T]:
        """Have ``function`` called in a worker; all of it, and what it returns, must pickle."""
        if self._closing.is_set():
            raise RuntimeError("cannot submit after shutdown")
        future: Future[T] = Future()
        self._tasks.put((future, (function, arguments, options)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the workers: after their last work, or at once if ``cancel_futures``."""
        if cancel_futures:
            self._closing.set()
        for _ in self._slots:
            self._tasks.put(None)
        if wait or cancel_futures:
            for slot in self._slots:
                slot.join()
            self._environment.close()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.shutdown(cancel_futures=kind is not None)

    def _serve(self) -> None:
        """Give work to one process, and to another when that has died; runs in a thread of its own.

        The system ends a worker when the thread that made it ends, so this one stays as
        long as its worker does.
        """
        # A process inherits what its parent's thread blocks: Ctrl-C never meets it, not even while it starts.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        worker = None
        try:
            while (task := self._tasks.get()) is not None:
                future, call = task
                if self._closing.is_set() or not future.set_running_or_notify_cancel():
                    future.cancel()
                    continue
                try:
                    if self._unguarded is not None:  # nor will any other worker begin
                        raise self._unguarded
                    if worker is not None and not worker.process.is_alive():  # killed while it had no work
                        worker.end(at_once=True)
                        worker = None
                    worker = worker or _Worker(self._context)
                    answer = worker.answer(call, self._closing)
                except BaseException as error:  # the caller is to know any error
                    if isinstance(error, WorkerDied | Unguarded):
                        worker = None
                    if isinstance(error, Unguarded):
                        self._unguarded = error
                    future.set_exception(error)
                else:
                    answer(future)
        finally:
            if worker is not None:
                worker.end(at_once=self._closing.is_set())


class _Worker:
    """One process and the parent's end of the pipe to it."""

    def __init__(self, context: SpawnContext) -> None:
        self.pipe, far_end = context.Pipe()
        self.process = context.Process(target=_work, args=(far_end,), daemon=True)
        self.process.start()
        far_end.close()

    def answer(self, call: Call, closing: threading.Event) -> Callable[[Future[Any]], None]:
        """Have a call done and return what is to be done with its future."""
        try:
            self.pipe.send(call)
            # A look at `closing` now and then costs nothing beside a run, and no signal gets lost.
            while not wait([self.pipe, self.process.sentinel], timeout=0.1):
                if closing.is_set():
                    raise EOFError
            good, value = self.pipe.recv()
        except (EOFError, OSError):  # the latter in the middle of a message
            if not closing.is_set():
                self.process.join(1.0)  # it may be on its way out, and its own exit status says more
            self.end(at_once=True)
            if self.process.exitcode == UNGUARDED:
                raise Unguarded(_guard_text()) from None
            raise WorkerDied(_how(self.process.exitcode)) from None
        return (lambda future: future.set_result(value)) if good else (lambda future: future.set_exception(value))

    def end(self, at_once: bool) -> None:
        """Let the process end, or make it, and wait until it is gone."""
        self.pipe.close()
        if at_once:
            self.process.kill()
        self.process.join()


def _guard_text() -> str:
    script = getattr(sys.modules["__main__"], "__file__", None) or "script"
    return f'{script}: must start several processes below `if __name__ == "__main__":`, got a call that each repeats'


def _how(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        with contextlib.suppress(ValueError):
            return f"ended by {signal.Signals(-exit_code).name}"
    return f"ended with exit status {exit_code}" if exit_code is not None else "ended"


@contextlib.contextmanager
def _one_thread_for_children() -> Iterator[None]:
    """Keep libraries in new processes from starting a thread a processor; this process has loaded its own."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


# In the worker


def _work(pipe: Connection) -> None:
    """Do one call after the other until the parent closes its end of the pipe."""
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_at_bus_error()
    with contextlib.suppress(EOFError, OSError):  # the parent has closed the pipe
        while True:
            function, arguments, options = pipe.recv()
            try:
                answer = True, function(*arguments, **options)
            except Exception as error:
                answer = False, error
            try:
                pipe.send(answer)
            except OSError:
                raise
            except Exception as error:  # nothing has been sent of what does not pickle
                pipe.send((False, TypeError(f"{type(answer[1]).__name__} cannot be sent back: {error}")))


def end_with_parent() -> None:
    """Make the system, and a thread in case that it cannot, end this process when its parent has ended.

    A worker that lived on would write into a folder that the next command owns.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    threading.Thread(target=_end_after, args=(parent.sentinel,), daemon=True).start()
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent.pid:  # it ended before the system was asked
            os._exit(1)


def _end_after(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
