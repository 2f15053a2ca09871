"""Do mixed work for long in one process and watch what may grow: memory, descriptors, threads, temporary files."""

import argparse
import contextlib
import io
import itertools
import os
import shutil
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path
from statistics import median

import numpy as np
from small_images import digits
from small_networks import images as bars
from small_networks import network_settings
from small_runs import N_INPUTS
from small_runs import dense
from small_runs import settings
from small_runs import write_data
from small_runs import write_settings

from spikenn_cy import IntegerReadout
from spikenn_cy import Readout
from spikenn_cy import RunError
from spikenn_cy import SpikingDataset
from spikenn_cy.cli.entry import main as command
from spikenn_cy.export import export
from spikenn_cy.features import STDPCSNN
from spikenn_cy.features import Pixels

MAY_GROW = {"memory (kB)": 4_000, "descriptors": 0, "threads": 0, "temporary files": 0}
# Between the middle and the end of the time; an allocator that takes another arena is no leak.


class Work:
    """One round of everything, in a folder."""

    def __init__(self, folder):
        self.folder, self.number = folder, itertools.count()
        write_data(folder / "in")
        for fold in "01":
            write_data(folder / "folds" / fold)
        self.config = write_settings(folder / "config.json", trainer={"epochs": 2})
        self.commands("run", folder / "in", folder / "run", self.config)

    def commands(self, *words):
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            assert command(list(map(str, words))) == 0

    def fit(self):
        dataset = SpikingDataset.from_numpy(*dense(200, 0))
        model = Readout.from_config(settings(trainer={"epochs": 2}), N_INPUTS, 3)
        model.fit(dataset, dataset, checkpoint=self.folder / "checkpoint.npz")
        (self.folder / "checkpoint.npz").unlink()
        for n_threads in (1, 2):
            model.predict(dataset, n_threads)
        model.cost(dataset)
        model.explain(dataset[0])
        model.save(self.folder / "model.npz")
        Readout.load(self.folder / "model.npz").score(dataset)

    def network(self):
        dataset = SpikingDataset.from_numpy(*bars(100, 0))
        for kind in ("dense", "conv"):
            model = Readout.from_config(network_settings(kind), 36, 3, 1.0, input_shape=(6, 6))
            model.fit(dataset, epochs=1)
            model.quantized().save(self.folder / "integers.npz")
            IntegerReadout.load(self.folder / "integers.npz").predict(dataset)
            for format in ("npz", "h"):
                export(model, self.folder / f"network.{format}")

    def extract(self):
        images, labels = digits(40)
        for extractor in (STDPCSNN.from_config({"conv1_c": 4, "conv1_epochs": 1}), Pixels.from_config({})):
            extractor.fit(images).transform(images, labels, 2).save(self.folder / "features.npz")
        SpikingDataset.from_file(self.folder / "features.npz")[::2].to_dense()

    def events(self):
        rng = np.random.default_rng(0)
        x, y, polarity = (rng.integers(0, n, 20_000) for n in (34, 34, 2))
        t, offsets = rng.integers(0, 10**6, 20_000), np.arange(0, 20_001, 1_000)
        labels = np.arange(20) % 2
        SpikingDataset.from_events(x, y, polarity, t, offsets, labels, sensor_size=(34, 34), duration=10**5).split(
            0.5, 0.5
        )

    def batches(self):
        self.commands("kfold", self.folder / "folds", self.folder / "kfold", self.config, "--K", "2", "--n_proc", "2")
        self.commands("score", self.folder / "kfold")
        self.commands("cost", self.folder / "run", "--input", self.folder / "in")
        shutil.rmtree(self.folder / "kfold")

    def refusals(self):
        for content in (b"", b"PK", b"\x93NUMPY"):
            (self.folder / "broken.npz").write_bytes(content)
            with contextlib.suppress(ValueError, RunError):
                Readout.load(self.folder / "broken.npz")
            with contextlib.suppress(ValueError, RunError):
                SpikingDataset.from_file(self.folder / "broken.npz")


KINDS = ("fit", "network", "extract", "events", "batches", "refusals")


def state(folder):
    """Return what may grow, as it is now."""
    fields = Path("/proc/self/statm").read_text().split()
    return {
        "memory (kB)": int(fields[1]) * os.sysconf("SC_PAGE_SIZE") // 1024,
        "descriptors": len(os.listdir("/proc/self/fd")),
        "threads": threading.active_count() + len(os.listdir("/proc/self/task")),
        "temporary files": sum(len(files) for _, _, files in os.walk(folder)),
    }


def main():
    parser = argparse.ArgumentParser(prog="harness.load", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--kinds", nargs="*", choices=KINDS, default=KINDS)
    arguments = parser.parse_args()
    states, began = [], time.monotonic()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        os.environ["TMPDIR"] = tempfile.tempdir = folder  # so that all temporary files are seen
        work, told = Work(Path(folder)), 0.0
        while (now := time.monotonic() - began) < arguments.seconds or len(states) < 8:
            for kind in arguments.kinds:
                getattr(work, kind)()
            states.append(state(folder))
            if now >= told:
                print(f"{now:6.0f} s, round {len(states):5}: {states[-1]}", flush=True)
                told = now + arguments.seconds / 20
    grown = []
    middle, last = states[len(states) // 2 : len(states) * 3 // 4], states[len(states) * 3 // 4 :]
    for name, most in MAY_GROW.items():
        before, after = (median(found[name] for found in part) for part in (middle, last))
        print(f"{name:16}{before:12,.0f} -> {after:12,.0f}")
        if after - before > most:
            grown.append(name)
    print(
        f"{len(states)} rounds in {time.monotonic() - began:.0f} s: {', '.join(grown) + ' grew' if grown else 'flat'}"
    )
    return int(bool(grown))


if __name__ == "__main__":
    sys.exit(main())
