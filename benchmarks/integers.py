"""What whole numbers cost, and what they buy: ``python -m benchmarks.integers MNIST_DIR [--network conv]``.

A network learns MNIST's pixels once, or ``--run RUN`` takes one that has learned, and DIR is then the data of its run.
Each pair of bits has a row: accuracy, samples that a tie or no spike at all decides, spikes and additions of a
decision, bytes of weights and thresholds in the exported header, and nanoseconds of processor time a decision, in
Python's kernels and in the compiled header, which has to agree with Python on class and decision time of every test
sample, or the command ends. Expected: nothing is lost with 8 and 6 bits; time in C follows the additions until the
decision, and the levels at which all neurons are looked at; packed weights of 4 bits and fewer take less memory and
more time, since they are taken apart.
"""

import argparse
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.tables import markdown
from spikenn_cy import IntegerReadout
from spikenn_cy import Readout
from spikenn_cy import SpikingDataset
from spikenn_cy.data.images import read_idx
from spikenn_cy.experiments.quantization import measure
from spikenn_cy.experiments.quantization import measured_set
from spikenn_cy.experiments.quantization import quantisations
from spikenn_cy.experiments.store import model_of
from spikenn_cy.export import export
from spikenn_cy.export import write_samples
from spikenn_cy.network.cost import counts_of

NETWORKS = {
    "dense": ([{"n_neurons": 400}, {"n_neurons": 10}], {}),
    "layer": ([{"n_neurons": 100}], {}),
    "conv": (
        [{"type": "conv", "n_filters": 64, "kernel_size": 7, "pool": 2}, {"n_neurons": 10}],
        {"decision_at": 0.5, "skip": 0.02},
    ),
}
BITS, TIME_BITS = (8, 6, 4, 3, 2), (8, 6, 4)
REPEATS = 5  # of which the fastest counts
COUNTS = ("spikes", "additions")
HEAD = ("weights", "times", "accuracy %", "by tie %", "no spike %", *COUNTS, "bytes", "ns in Python", "ns in C")
DRIVER = r"""
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "network.h"

int main(int argc, char **argv)
{
    long n_samples = 0, n_spikes = 0, room = 1 << 20, s, n, k;
    long *starts = malloc(1000001 * sizeof *starts);
    uint16_t *inputs = malloc(room * sizeof *inputs);
    uint8_t *times = malloc(room);
    int *found = malloc(2000000 * sizeof *found), repeat;
    double best = 1e30;
    FILE *file = argc > 1 ? fopen(argv[1], "r") : NULL;
    if (file == NULL) {
        return 2;
    }
    while (n_samples < 1000000 && fscanf(file, "%ld", &n) == 1) {
        starts[n_samples++] = n_spikes;
        for (k = 0; k < n; k++, n_spikes++) {
            int input, level;
            if (n_spikes == room) {
                room *= 2;
                inputs = realloc(inputs, room * sizeof *inputs);
                times = realloc(times, room);
            }
            if (fscanf(file, "%d %d", &input, &level) != 2) {
                return 2;
            }
            inputs[n_spikes] = (uint16_t)input;
            times[n_spikes] = (uint8_t)level;
        }
    }
    starts[n_samples] = n_spikes;
    for (repeat = 0; repeat < REPEATS; repeat++) {
        struct timespec before, after;
        double ns;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
        for (s = 0; s < n_samples; s++) {
            n = starts[s + 1] - starts[s];
            found[2 * s] = spikenn_classify(inputs + starts[s], times + starts[s], (int)n, &found[2 * s + 1]);
        }
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
        ns = (after.tv_sec - before.tv_sec) * 1e9 + (after.tv_nsec - before.tv_nsec);
        best = ns < best ? ns : best;
    }
    for (s = 0; s < n_samples; s++) {
        printf("%d %d\n", found[2 * s], found[2 * s + 1]);
    }
    fprintf(stderr, "%.1f\n", best / n_samples);
    return 0;
}
"""


class Speed(NamedTuple):
    """Nanoseconds of processor time a decision."""

    python: float
    c: float | None = None


def pixels(folder: str, part: str, n_samples: int | None) -> SpikingDataset:
    """Return images as spikes: the brighter, the earlier; black is silent."""
    images, labels = (
        read_idx(next(Path(folder).glob(f"{part}-{name}-ubyte*")))[:n_samples]
        for name in ("images-idx3", "labels-idx1")
    )
    return SpikingDataset.from_numpy(1 - images.astype(np.float32) / 255, labels)


def seconds_of(model: Readout | IntegerReadout, data: SpikingDataset) -> float:
    """Return the processor time that deciding takes, at best."""
    taken = []
    for _ in range(REPEATS):
        start = time.process_time()
        model.decide(data)
        taken.append(time.process_time() - start)
    return min(taken)


def in_c(small: IntegerReadout, data: SpikingDataset) -> float:
    """Return nanoseconds a decision in C; end unless it decides all samples as Python does."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        export(small, folder / "network.h")
        write_samples(small, data, folder / "samples.txt")
        (folder / "main.c").write_text(DRIVER)
        options = ["-std=gnu99", "-O3", "-march=native", f"-DREPEATS={REPEATS}"]
        subprocess.run(["gcc", *options, "main.c", "-o", "main"], cwd=folder, check=True)
        done = subprocess.run(["./main", "samples.txt"], cwd=folder, check=True, capture_output=True, text=True)
    found = np.array(done.stdout.split(), int).reshape(-1, 2)
    decided = small.decisions(data)
    if not (np.array_equal(found[:, 0], decided.numbers) and np.array_equal(found[:, 1], decided.levels)):
        raise SystemExit(f"{small!r}: C must decide as Python does, got other decisions")
    return float(done.stderr)


def rows(model: Readout, test: SpikingDataset, bits: Sequence[int], time_bits: Sequence[int]) -> list[list[str]]:
    """Return the rows of the table."""
    kinds = list(quantisations(model, bits, time_bits))
    speeds = [Speed(seconds_of(model, test))]
    speeds += [Speed(seconds_of(small, test), in_c(small, test)) for small in kinds]
    counted = [totals(*counts_of(model, test).until_decision), *(in_integers(small, test) for small in kinds)]
    return [
        [
            "float" if row.bits is None else str(row.bits),
            "float" if row.time_bits is None else str(row.time_bits),
            *(f"{100 * share:.2f}" for share in (row.accuracy, row.by_tie, row.by_potential)),
            *counts,
            f"{row.n_bytes:,}",
            f"{1e9 * speed.python / len(test):,.0f}",
            "-" if speed.c is None else f"{speed.c:,.0f}",
        ]
        for row, counts, speed in zip(measure(model, test, kinds), counted, speeds, strict=True)
    ]


def totals(spikes: np.ndarray, additions: np.ndarray) -> list[str]:
    """Return the mean of the spikes and of the additions of a decision."""
    return [f"{spikes.mean():,.0f}", f"{additions.mean():,.0f}"]


def in_integers(small: IntegerReadout, test: SpikingDataset) -> list[str]:
    """Return the counts of a quantised network."""
    found = small.decisions(test)
    return totals(found.n_spikes.sum(axis=1), found.n_additions.sum(axis=1))


def main() -> None:
    """Train, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", metavar="DIR", help="with MNIST's IDX files, or the data of RUN")
    parser.add_argument("--run", metavar="RUN", help="folder of a run, whose network is measured")
    parser.add_argument("--network", choices=NETWORKS, default="dense")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--n_train", type=int, default=None, help="training images (all)")
    parser.add_argument("--bits", type=int, nargs="+", default=BITS)
    parser.add_argument("--time_bits", type=int, nargs="+", default=TIME_BITS)
    arguments = parser.parse_args()
    if arguments.run is not None:
        model, (_, test) = Readout.load(model_of(arguments.run)), measured_set(arguments.folder)
        print(markdown(HEAD, rows(model, test, arguments.bits, arguments.time_bits)))
        return
    layers, rule = NETWORKS[arguments.network]
    config = {"network": layers, "optimizer": {"method": "decision_time", **rule}}
    train, test = pixels(arguments.folder, "train", arguments.n_train), pixels(arguments.folder, "t10k", None)
    model = Readout.from_config(config | {"trainer": {"epochs": arguments.epochs}}, train.n_inputs, train.n_classes)
    model.fit(train, verbose=True)
    print(markdown(HEAD, rows(model, test, arguments.bits, arguments.time_bits)))


if __name__ == "__main__":
    main()
