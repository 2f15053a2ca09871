"""Our side of the table of goals, measured: ``python -m benchmarks.targets``.

Process time of one thread, medians; wall-clock time only where threads are compared. A network has been trained for one
epoch before it is measured, and every measurement starts from that state.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cases import CASES
from benchmarks.cases import FEATURE_SPIKES
from benchmarks.cases import FEATURES
from benchmarks.cases import Case
from benchmarks.cases import Sources
from benchmarks.cases import trained
from benchmarks.machine import processor
from benchmarks.tables import markdown

QUICK_SAMPLES = 40
LOADED_SAMPLES = 54_000
IMPORTS = """
import sys, time
sys.path[:0] = {path!r}
import numpy
start = time.perf_counter()
import spikenn_cy
print(time.perf_counter() - start)
"""


def median(call: Callable[[], Any], repeats: int, clock: Callable[[], float] = time.process_time) -> float:
    """Return the median seconds of a call."""
    seconds = []
    for _ in range(repeats):
        start = clock()
        call()
        seconds.append(clock() - start)
    return statistics.median(seconds)


def speed(case: Case, dataset: Any, repeats: int) -> dict[str, Any]:
    """Return ``train`` and ``predict``, samples a second after one epoch, and the accuracy on what was learned from."""
    again = trained(dataset, case.settings)
    seconds = []
    for _ in range(repeats):
        model = again()
        model.partial_fit(dataset[:1])  # scratch arrays are made once a run, not once an epoch
        start = time.process_time()
        model.partial_fit(dataset)
        seconds.append(time.process_time() - start)
    model = again()
    model.predict(dataset[:1])
    rounds = max(1, 2_000 // len(dataset))
    predict = median(lambda: [model.predict(dataset) for _ in range(rounds)], repeats) / rounds
    return {
        "case": case.name,
        "n_samples": len(dataset),
        "spikes": len(dataset.indices) / len(dataset),
        "train": len(dataset) / statistics.median(seconds),
        "predict": len(dataset) / predict,
        "accuracy": model.score(dataset),
    }


def latencies(dataset: Any, repeats: int) -> dict[str, float]:
    """Return the median seconds of a call with one prepared sample."""
    model = trained(dataset, next(iter(CASES.values())).settings)()
    samples = [dataset[i : i + 1] for i in range(min(200, len(dataset)))]
    found = {}
    for name in ("predict", "partial_fit"):
        call = getattr(model, name)
        call(samples[0])
        # One call is about as long as reading the clock, but not much shorter.
        found[name] = statistics.median(
            median(lambda call=call, sample=sample: call(sample), repeats, time.perf_counter) for sample in samples
        )
    return found


def import_seconds(repeats: int) -> float:
    """Return how much longer ``import spikenn_cy`` takes than ``import numpy``, in new processes."""
    program = IMPORTS.format(path=sys.path)
    seconds = [
        float(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout)
        for _ in range(repeats)
    ]
    return statistics.median(seconds)


def loading_seconds(n_samples: int, repeats: int) -> float:
    """Return how long a saved data set of features takes until it is ready, its file in the page cache."""
    from spikenn_cy import SpikingDataset

    generator = np.random.default_rng(0)
    # Sixteen samples over and over: the check is of every spike all the same.
    few = [np.sort(generator.choice(FEATURES, FEATURE_SPIKES, replace=False)) for _ in range(16)]
    indices = np.tile(np.concatenate(few).astype(np.int32), -(-n_samples // 16))[: n_samples * FEATURE_SPIKES]
    times = np.tile(np.linspace(0, 0.999, FEATURE_SPIKES, dtype=np.float32), n_samples)
    indptr = np.arange(n_samples + 1) * FEATURE_SPIKES
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "features.npz"
        SpikingDataset(indptr, indices, times, np.arange(n_samples) % 10, FEATURES).save(path)
        return median(lambda: SpikingDataset.from_file(path), repeats, time.perf_counter)


def thread_speed_ups(dataset: Any, config: dict[str, Any], n_threads: int, repeats: int) -> dict[str, float]:
    """Return how many times faster each call is with threads than without, by the wall clock."""
    model = trained(dataset, config)()
    rounds = max(1, 4_000 // len(dataset))
    found = {}
    for name in ("predict", "first_spikes", "score"):
        call = getattr(model, name)
        call(dataset)
        one, many = (
            median(
                lambda call=call, threads=threads: [call(dataset, n_threads=threads) for _ in range(rounds)],
                repeats,
                time.perf_counter,
            )
            for threads in (1, n_threads)
        )
        found[name] = one / many
    return found


def measure(sources: Sources, names: list[str], repeats: int, quick: bool) -> dict[str, Any]:
    """Return all figures as plain numbers."""
    size = QUICK_SAMPLES if quick else None
    first, second = list(CASES.values())[:2]
    n_threads = min(2, len(os.sched_getaffinity(0)))
    threads = {}
    for case in (first, second):
        threads[case.name] = thread_speed_ups(sources.dataset(case, size), case.settings, n_threads, repeats)
    return {
        "speed": [speed(CASES[name], sources.dataset(CASES[name], size), repeats) for name in names],
        "latency": latencies(sources.dataset(first, size), repeats),
        "import": import_seconds(repeats),
        "loading": {
            "n_samples": size or LOADED_SAMPLES,
            "seconds": loading_seconds(size or LOADED_SAMPLES, repeats),
        },
        "threads": {"n_threads": n_threads, "speed_up": threads},
    }


def page(found: dict[str, Any]) -> str:
    """Return the figures as Markdown tables."""
    speeds = markdown(
        ("case", "spikes a sample", "train, samples/s", "predict, samples/s", "accuracy, %"),
        [
            (
                row["case"],
                f"{row['spikes']:,.0f}",
                f"{row['train']:,.0f}",
                f"{row['predict']:,.0f}",
                f"{100 * row['accuracy']:.1f}",
            )
            for row in found["speed"]
        ],
    )
    latency, loading, threads = found["latency"], found["loading"], found["threads"]
    others = [
        ("one sample, `predict`", f"{1e6 * latency['predict']:.1f} µs", "5 µs or less"),
        ("one sample, `partial_fit`", f"{1e6 * latency['partial_fit']:.1f} µs", "15 µs or less"),
        ("`import spikenn_cy`, after NumPy", f"{found['import']:.3f} s", "0.1 s or less"),
        (
            f"reading {loading['n_samples']:,} samples of {FEATURE_SPIKES:,} spikes",
            f"{loading['seconds']:.3f} s",
            f"0.2 s or less for {LOADED_SAMPLES:,}",
        ),
    ]
    for case, calls in threads["speed_up"].items():
        for call, factor in calls.items():
            label = f"`{call}`, {threads['n_threads']} threads, {case.rsplit(', ', 1)[0]}"
            others.append((label, f"{factor:.2f} times", "1.8 times or more on 2 cores"))
    return f"{speeds}\n\n{markdown(('what', 'measured', 'goal'), others)}"


def provenance() -> str:
    """Return, in a sentence, of which commit, processor and instruction set the figures are."""
    from spikenn_cy import __version__
    from spikenn_cy.kernels.primitives import active_instructions

    command = ["git", "describe", "--always", "--dirty"]
    try:
        found = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        commit = "no commit"
    else:
        commit = f"commit {found.strip()}"
    return (
        f"spikenn_cy {__version__}, {commit}, on {processor()}, {active_instructions()}, {time.strftime('%Y-%m-%d')}."
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that the table of goals and the roofline share."""
    parser.add_argument("--mnist", metavar="DIR", help="folder with MNIST's IDX files; else data of their shape")
    parser.add_argument(
        "--features", metavar="FILE", help=".npz with spikes of 4,608 features; else data of this shape"
    )
    parser.add_argument("--case", metavar="TEXT", default="", help="only cases whose name holds this text")
    parser.add_argument("--repeats", metavar="N", type=int, default=5, help="measurements to take the median of")
    parser.add_argument("--json", action="store_true", help="print plain numbers, as JSON")
    parser.add_argument("--quick", action="store_true", help="a few samples of each: to see that it works")


def chosen(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> tuple[Sources, list[str]]:
    """Return the sources and the names of the cases that the arguments ask for, or end with what is wrong."""
    for name, found in (("mnist", os.path.isdir), ("features", os.path.isfile)):
        path = getattr(arguments, name)
        if path is not None and not found(path):
            parser.error(f"--{name}: must be there, got {path}")
    if arguments.repeats < 1:
        parser.error(f"--repeats: must be >= 1, got {arguments.repeats}")
    names = [name for name in CASES if arguments.case in name]
    if not names:
        parser.error(f"--case: must be part of one of {'; '.join(CASES)}, got {arguments.case}")
    return Sources(arguments.mnist, arguments.features), names


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m benchmarks.targets", description=__doc__.splitlines()[0])
    add_arguments(parser)
    parser.add_argument(
        "--markdown",
        action="store_true",
        help="tables for docs/performance.md, with the commit and processor they are of",
    )
    arguments = parser.parse_args(argv)
    if arguments.json and arguments.markdown:
        parser.error("--markdown: must not be given with --json, got both")
    sources, names = chosen(parser, arguments)
    found = measure(sources, names, 1 if arguments.quick else arguments.repeats, arguments.quick)
    if arguments.markdown:
        print(provenance(), end="\n\n")
    print(json.dumps(found, indent=1) if arguments.json else page(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
