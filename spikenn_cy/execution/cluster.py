"""Runs on the machines of an existing Dask cluster, which are looked at before they get any."""

import asyncio
import contextlib
import functools
import hashlib
import logging
import os
import pickle
import tempfile
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from concurrent.futures import CancelledError
from concurrent.futures import Executor
from concurrent.futures import Future
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from typing import ParamSpec
from typing import Protocol
from typing import TypeVar
from typing import runtime_checkable

from spikenn_cy.errors import RunError
from spikenn_cy.errors import shortened
from spikenn_cy.execution.liveness import is_alive
from spikenn_cy.execution.liveness import liveness_file
from spikenn_cy.storage.folder import stamp
from spikenn_cy.utils.extras import extra
from spikenn_cy.version import __version__

GREETING = 5.0  # seconds within which a scheduler must answer, and have a worker
ANSWER = 60.0  # seconds within which a worker must answer; many may import the package from one slow file system
# Seconds a run waits for its folder. A scheduler that has lost sight of a worker gives its run to another one while the
# first may still be at it; a file server lets go of the locks of a machine that has died after 90 seconds or so.
PATIENCE = 300.0

P = ParamSpec("P")
T = TypeVar("T")


@runtime_checkable
class Portable(Protocol):
    """A job that can be done on another machine."""

    def elsewhere(self, owner: str, patience: float) -> Any:
        """Return the job as it means the same there.

        Parameters
        ----------
        owner : str
            File of the `liveness_file` of the command that wants it done.
        patience : float
            Seconds to wait for a machine that was lost to let go of the job's folder.
        """


@contextlib.contextmanager
def cluster_executor(
    address: str,
    output: str | os.PathLike[str],
    inputs: Iterable[str | os.PathLike[str]] = (),
    patience: float = PATIENCE,
) -> Iterator[Executor]:
    """Connect to a Dask cluster for the time of the block.

    Nothing is sent before every worker has shown that it has this very package and sees
    the same folders. A worker that joins later is looked at before each of its jobs.

    Parameters
    ----------
    address : str
        Of the scheduler, for instance ``tcp://host:8786``.
    output : path-like
        Folder, which exists, below which the jobs write.
    inputs : iterable of path-like
        Files the jobs read.
    patience : float
        Seconds a run waits for a worker that the scheduler has lost to let go of its folder.

    Yields
    ------
    concurrent.futures.Executor
        Its futures are those of `concurrent.futures`. The scheduler gives a job whose
        worker has died to another one, as often as its ``allowed-failures`` says. A
        `Portable` job is sent as it means the same there.

    Raises
    ------
    RunError
        If there is no such cluster, or a worker cannot do the work.

    Notes
    -----
    At the end of the block, jobs that are not done are cancelled. A worker cannot be made
    to drop a run; it does so itself after its epoch, and also when this process has died.
    """
    with extra("dask", where=address):
        from distributed import Client
    with _quiet(), liveness_file(output) as owner:
        workers = _greeted(address)
        try:
            client = Client(address, timeout=GREETING, set_as_default=False, name="spikenn_cy")
        except (OSError, ValueError) as error:
            raise _unreachable(address, str(error)) from None
        try:
            expected = {"build": _build(), "owner": os.fspath(owner), "text": owner.read_text()}
            _refuse_unfit(client, workers, expected, {os.path.abspath(path): stamp(path) for path in inputs})
            executor = ClusterExecutor(client, expected, patience)
            try:
                yield executor
            finally:
                executor.shutdown(wait=False, cancel_futures=True)
        finally:
            client.close()


class ClusterExecutor(Executor):
    """A `concurrent.futures.Executor` on a connected Dask client; `cluster_executor` makes it.

    Parameters
    ----------
    client : distributed.Client
    expected : dict
        What a worker must find, as `_missing` takes it.
    patience : float
        Seconds a run waits for its folder.
    """

    def __init__(self, client: Any, expected: Mapping[str, Any], patience: float) -> None:
        self._address = client.scheduler.address
        # Equal jobs are two jobs: they may be two attempts at one run.
        self._dask = client.get_executor(pure=False)
        self._expected = dict(expected)
        self._patience = patience
        self._ended = False

    def submit(self, function: Callable[P, T], /, *arguments: P.args, **options: P.kwargs) -> Future[T]:
        """Have ``function``, of a module, called on a worker; all of it, and what it returns, must pickle."""
        sent = tuple(self._sent(argument) for argument in arguments)
        # As bytes, so that Dask does not look for tasks in it, and a worker for what it does not have.
        call = pickle.dumps((function, sent, options))
        future: Future[T] = Future()
        done = self._dask.submit(_do, self._expected, call)
        done.add_done_callback(lambda done: self._pass_on(done, future))
        future.add_done_callback(lambda future: done.cancel() if future.cancelled() else None)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more work; wait for what is under way, or cancel what is not done."""
        self._ended = True
        self._dask.shutdown(wait=wait and not cancel_futures)

    def _sent(self, argument: object) -> Any:
        """Return an argument as it means the same on another machine."""
        if not isinstance(argument, Portable):
            return argument
        return argument.elsewhere(self._expected["owner"], self._patience)

    def _pass_on(self, done: Future[T], future: Future[T]) -> None:
        """Give what became of Dask's future to the one the caller has."""
        if self._ended and done.cancelled():
            future.cancel()
        if not future.set_running_or_notify_cancel():
            return
        from distributed.scheduler import KilledWorker

        try:
            error = done.exception()
        except CancelledError:
            # By Dask, since the caller would have cancelled the other one.
            error = RunError(f"{self._address}: must stay within reach until all is done, got a lost connection")
        if isinstance(error, KilledWorker):
            finding = f"{error.allowed_failures + 1} that died doing this, the last of them {error.last_worker.address}"
            error = RunError(f"{self._address}: must have workers that live, got {finding}")
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(done.result())


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask from telling on stderr what is told as an error or mended by it."""
    # The handlers, since Dask gives levels to the loggers below this one too.
    levels = {handler: handler.level for handler in logging.getLogger("distributed").handlers}
    try:
        for handler in levels:
            handler.setLevel(logging.CRITICAL)
        yield
    finally:
        for handler, level in levels.items():
            handler.setLevel(level)


def _greeted(address: str) -> list[str]:
    """Return the addresses of the workers of the scheduler at ``address``, which has some, or raise `RunError`."""
    from distributed import Security
    from distributed import rpc

    # `Client` has a timeout for nobody listening, but waits for ever where something else listens.
    async def greet() -> dict[str, Any]:
        async with rpc(address, connection_args=Security().get_connection_args("client")) as there:
            return await asyncio.wait_for(there.identity(), GREETING)

    async def greet_until_workers_come() -> dict[str, Any]:
        deadline = time.monotonic() + GREETING
        # A worker has no such key.
        while not (identity := await greet()).get("workers", True) and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
        return identity

    try:
        with ThreadPoolExecutor(1) as thread:  # this one may have a loop of its own
            identity = thread.submit(asyncio.run, greet_until_workers_come()).result()
    except asyncio.TimeoutError:
        raise _unreachable(address, f"no answer within {GREETING:g} s") from None
    except (OSError, ValueError) as error:
        raise _unreachable(address, str(error)) from None
    if identity["type"] != "Scheduler":
        raise _unreachable(address, f"a Dask {identity['type'].lower()}")
    if not identity["workers"]:
        raise RunError(f"{address}: must have workers, got none within {GREETING:g} s")
    return list(identity["workers"])


def _unreachable(address: str, finding: str) -> RunError:
    return RunError(f"{address}: must be the address of a Dask scheduler, got {shortened(finding)}")


def _refuse_unfit(
    client: Any, workers: Iterable[str], expected: Mapping[str, Any], files: Mapping[str, tuple[int, int]]
) -> None:
    """Raise `RunError`, naming the workers, unless all find what they must."""

    async def ask(worker: str) -> str | None:
        try:
            answers = client.run(_look, expected, files, workers=[worker], on_error="return")
            answer = (await asyncio.wait_for(answers, ANSWER))[worker]
        except asyncio.TimeoutError:
            return f"must answer, got nothing within {ANSWER:g} s"
        except (OSError, KeyError) as error:
            answer = error
        if isinstance(answer, OSError | KeyError):
            return "must answer, got a lost connection"
        if isinstance(answer, BaseException):  # it has no such function, or cannot import it
            return f"{_rule_of(expected)}, got {shortened(str(answer) or type(answer).__name__)}"
        complaint: str | None = answer
        return complaint

    async def ask_all() -> list[str | None]:
        return await asyncio.gather(*(ask(worker) for worker in workers))

    unfit: dict[str, list[str]] = {}
    for worker, complaint in zip(workers, client.sync(ask_all), strict=True):
        if complaint is not None:
            unfit.setdefault(complaint, []).append(worker)
    for complaint, names in unfit.items():
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        raise RunError(f"{', '.join(names[:3])}{more}: {complaint}")


def _rule_of(expected: Mapping[str, Any]) -> str:
    build = expected["build"]
    return f"must have spikenn_cy {build['version']} with sources {build['sources']}"


@functools.lru_cache(maxsize=1)
def _build() -> dict[str, str | None]:
    """Return what is the same in every build of this package, for whichever processor."""
    sources, kernels = _digest(("py", "pxd", "h")), _digest(("pyx",))  # an installed package has none of the latter
    return {"version": __version__, "sources": sources, "kernels": kernels}


def _digest(suffixes: Iterable[str]) -> str | None:
    package = Path(__file__).parent.parent
    paths = sorted(path for suffix in suffixes for path in package.rglob(f"*.{suffix}"))
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.relative_to(package)}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:8] if paths else None


# On the worker


async def _look(expected: Mapping[str, Any], files: Mapping[str, tuple[int, int]]) -> str | None:
    # In a thread, since a file system that hangs must not keep the worker from its heartbeat.
    return await asyncio.to_thread(_missing, expected, files)


def _do(expected: Mapping[str, Any], call: bytes) -> Any:
    from distributed import get_worker

    if complaint := _missing(expected, {}):  # this worker may have come after the others were looked at
        raise RunError(f"{get_worker().address}: {complaint}")
    function, arguments, options = pickle.loads(call)
    return function(*arguments, **options)


def _missing(expected: Mapping[str, Any], files: Mapping[str, tuple[int, int]]) -> str | None:
    """Return in words what this process does not find as the command does, or None.

    Parameters
    ----------
    expected : dict
        ``build`` of the package, path of the ``owner`` file and the ``text`` in it.
    files : dict
        Size and time of the last change by path.
    """
    build = _build()
    both = [key for key, value in expected["build"].items() if value is not None and build.get(key) is not None]
    if any(build[key] != expected["build"][key] for key in both):
        kernels = " and other kernels" if build["sources"] == expected["build"]["sources"] else ""
        return f"{_rule_of(expected)}, got {build['version']} with sources {build['sources']}{kernels}"
    owner = Path(expected["owner"])
    rule = f"must share the folder {owner.parent} with {expected['text'].rpartition(' ')[2].strip()}"
    try:
        if owner.read_text() != expected["text"]:
            return f"{rule}, got one with other content"
        with tempfile.TemporaryFile(dir=owner.parent):
            pass
        if not is_alive(owner):
            return f"{rule}, got one where files locked by one machine are not locked on another"
    except FileNotFoundError:
        return f"{rule}, got {'another folder' if owner.parent.is_dir() else 'no such folder'}"
    except OSError as error:
        return f"{rule}, got {error.strerror}"
    for path, before in files.items():
        try:
            found = stamp(path)
        except OSError as error:
            return f"must see the file {path}, got {error.strerror}"
        if found != tuple(before):
            return f"must see the same file {path}, got another size or time of change"
    return None
