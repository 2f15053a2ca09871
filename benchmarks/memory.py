"""What training needs beside the mapped data: less than twice the weights and 10 MB.

Run as a script, it trains one network in a fresh process, where nothing was allocated and given back before, and prints
what that took: ``python benchmarks/memory.py DATA.npz N_NEURONS``.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

N_SAMPLES = 200
SIZES = [(4_608, 50), (24_576, 50), (24_576, 500)]


def allowed(n_inputs, n_neurons):
    """Return the bytes that training may add to its data."""
    return 2 * 4 * n_inputs * n_neurons + 10_000_000


def added_by_training(path, n_neurons):
    """Return the bytes by which making and training a network raises the peak of a process that maps the data."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, str(Path(__file__).resolve()), str(path), str(n_neurons)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
    return int(shown)


def write_data(folder):
    """Write the data sets to train on, one for each number of inputs; return their paths."""
    from benchmarks.cases import spike_times
    from spikenn_cy import SpikingDataset

    paths = {}
    for n_inputs in {n_inputs for n_inputs, _ in SIZES}:
        paths[n_inputs] = os.path.join(folder, f"{n_inputs}.npz")
        SpikingDataset.from_numpy(*spike_times(N_SAMPLES, n_inputs, n_inputs // 8)).save(paths[n_inputs])
    return paths


class Memory:
    """The process at its peak, and what training adds to it; linear in the weights, flat in the samples."""

    params = (SIZES,)
    param_names = ("size",)  # inputs, neurons
    timeout = 120

    def setup_cache(self):
        from benchmarks import names_of_the_package

        with names_of_the_package():
            return write_data(os.getcwd())  # which asv keeps for this, and no memory of the making is counted

    def peakmem_epoch(self, paths, size):
        train(paths[size[0]], size[1])

    def track_added_by_training(self, paths, size):
        return added_by_training(paths[size[0]], size[1])

    track_added_by_training.unit = "bytes"

    def track_added_for_each_byte_allowed(self, paths, size):
        return added_by_training(paths[size[0]], size[1]) / allowed(*size)

    track_added_for_each_byte_allowed.unit = "share of 2 x weights + 10 MB"


def train(path, n_neurons):
    """Train one epoch; return by how many bytes the peak of the process is above what it held with the data read."""
    from spikenn_cy import Readout
    from spikenn_cy import SpikingDataset

    dataset = SpikingDataset.from_file(path)
    dataset.indices.max(), dataset.timestamps.max()  # its pages count as the data's
    before = resident("VmRSS")
    model = Readout.from_config(
        {
            "network": [{"n_neurons": n_neurons, "firing_threshold": 200, "w_init_normal": True, "w_norm": True}],
            "optimizer": {"method": "s2stdp", "ap": 0.1, "am": -0.05, "t_gap": 0.05, "class_inhib": True},
            "regularizer": {"thr_lr": 0.5, "thr_anneal": 0.5},
        },
        n_inputs=dataset.n_inputs,
        n_classes=dataset.n_classes,
    )
    model.fit(dataset, epochs=1)
    return resident("VmHWM") - before


def resident(field):
    """Return a size of this process's memory, in bytes, as Linux tells it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return 1024 * int(re.search(rf"{field}:\s+(\d+) kB", status)[1])


if __name__ == "__main__":
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak of the imports is none of training's
    print(train(sys.argv[1], int(sys.argv[2])))
