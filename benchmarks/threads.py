"""What ``n_threads`` gives, alone and beside busy neighbours: ``python -m benchmarks.threads [--busy N] [--quick]``.

Every number of threads is timed by turns with one thread, on data that take both long enough to be shared; a row has
the seconds of one thread and, for each number, how many times as fast it was, the median of the turns. First the
machine is as it is found, then this script keeps processors busy by processes of its own. Expected: on two quiet
processors 1.8 and more for what decides and 1.6 and more for wide layers that learn, and never below 0.8, however many
threads are asked for and whoever else computes.
"""

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

from benchmarks.cases import CASES
from benchmarks.cases import Sources
from benchmarks.cases import trained
from benchmarks.tables import markdown
from benchmarks.targets import provenance

NUMBERS = (2, 4, 8, 64)
SECONDS = 0.25  # of one measurement at least: threads must be chosen by the clock within it, as in a long call
BUSY = "while True: pass"


@contextlib.contextmanager
def neighbours(n: int) -> Iterator[None]:
    """Keep so many processors busy while the block lasts."""
    busy = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(n)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def deciding(dataset: Any, config: dict[str, Any]) -> dict[str, Callable[[int], object]]:
    """Return what decides, by the name of the call, each as a function of the number of threads."""
    model = trained(dataset, config)()
    calls = {name: getattr(model, name) for name in ("predict", "first_spikes", "score")}
    return {name: lambda n, call=call: call(dataset, n_threads=n) for name, call in calls.items()}  # type: ignore[misc]


def learning(dataset: Any, config: dict[str, Any]) -> dict[str, Callable[[int], object]]:
    """Return what learns; every measurement goes on from the same state."""
    again = trained(dataset, config)
    models = {n: again() for n in (1, *NUMBERS)}
    return {"partial_fit": lambda n: models[n].partial_fit(dataset, n_threads=n)}


def speed_ups(call: Callable[[int], object], turns: int, seconds: float) -> tuple[float, dict[int, float]]:
    """Return the seconds of a call with one thread, and for each number of threads by how much it divides them."""

    def timed(n_threads: int) -> float:
        started = time.perf_counter()
        for _ in range(rounds):
            call(n_threads)
        return (time.perf_counter() - started) / rounds

    rounds = 1
    rounds = max(1, int(seconds / min(timed(1), timed(1))))
    alone, ratios = [], {n: [] for n in NUMBERS}  # type: tuple[list[float], dict[int, list[float]]]
    for _ in range(turns):
        for n in NUMBERS:
            one, many = timed(1), timed(n)
            alone.append(one)
            ratios[n].append(one / many)
    return statistics.median(alone), {n: statistics.median(of_turns) for n, of_turns in ratios.items()}


def table(calls: dict[str, Callable[[int], object]], turns: int, seconds: float) -> str:
    """Return the speed-ups of all calls as a Markdown table."""
    rows = []
    for name, call in calls.items():
        alone, ratios = speed_ups(call, turns, seconds)
        rows.append((name, f"{1e3 * alone:.1f}", *(f"{ratio:.2f}" for ratio in ratios.values())))
    return markdown(("call", "1 thread, ms", *(f"{n} threads" for n in NUMBERS)), rows)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m benchmarks.threads", description=__doc__.splitlines()[0])
    parser.add_argument("--busy", metavar="N", type=int, default=2, help="neighbours in the second table (2)")
    parser.add_argument("--turns", metavar="N", type=int, default=7, help="to take the median of (7)")
    parser.add_argument("--quick", action="store_true", help="a few samples of each: to see that it works")
    arguments = parser.parse_args(argv)
    sources, calls = Sources(None, None), {}
    for case in CASES.values():
        kinds = [learning] if case.data == "wide" else [deciding] if case.method == "s2stdp+ncg" else []
        for kind in kinds:
            size = 8 if arguments.quick else 200 if case.data == "wide" else None
            dataset = sources.dataset(case, size)
            calls |= {f"`{name}`, {case.name}": call for name, call in kind(dataset, case.settings).items()}
    turns, seconds = (1, 0.0) if arguments.quick else (arguments.turns, SECONDS)
    print(provenance(), f"Load {os.getloadavg()[0]:.1f}.", end="\n\n")
    for n_busy in (0, arguments.busy):
        print(f"Beside {n_busy} busy neighbours of its own:", end="\n\n")
        with neighbours(n_busy):
            print(table(calls, turns, seconds), end="\n\n", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
