"""What SpikingClassifier needs beside a mapped array: the spikes and 10 % and 100 MB to fit, 200 MB to predict.

Run as a script, it does one of the two in a fresh process and prints by how many bytes the memory rose that is of no
file, and how many the spikes are: ``python benchmarks/blocks.py X.npy fit|predict``.
"""

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

N_FEATURES = 1_000
SIZES = [2_000, 20_000]  # samples
TICK = 0.005  # seconds between two looks at the memory


def write_features(folder, n_samples):
    """Write single-precision numbers; return their path."""
    import numpy as np

    path = os.path.join(folder, f"{n_samples}.npy")
    np.save(path, np.random.default_rng(0).random((n_samples, N_FEATURES), np.float32))
    return path


def added(path, what):
    """Return the bytes by which ``"fit"`` or ``"predict"`` raises the memory of a process, and those of its spikes."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, str(Path(__file__).resolve()), str(path), what]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
    return tuple(map(int, shown.split()))


class Blocks:
    """Memory beside a mapped array: of a fit linear in the samples, and hardly more than their spikes; else flat."""

    params = (SIZES,)
    param_names = ("n_samples",)
    timeout = 300

    def setup_cache(self):
        return {n_samples: write_features(os.getcwd(), n_samples) for n_samples in SIZES}

    def track_fit_for_each_byte_allowed(self, paths, n_samples):
        rose, spikes = added(paths[n_samples], "fit")
        return rose / (1.1 * spikes + 100_000_000)

    track_fit_for_each_byte_allowed.unit = "share of 1.1 x spikes + 100 MB"

    def track_predict_for_each_byte_allowed(self, paths, n_samples):
        return added(paths[n_samples], "predict")[0] / 200_000_000

    track_predict_for_each_byte_allowed.unit = "share of 200 MB"


def measured(path, what):
    """Do it; return the rise of memory, and the size of all spikes, which predict never has at once."""
    import numpy as np

    from spikenn_cy.estimator import SpikingClassifier

    X = np.load(path, mmap_mode="r")
    y = np.arange(len(X)) % 3
    model = SpikingClassifier(rule="s2stdp", neurons_per_class=1, epochs=1, random_state=0).fit(X[:300], y[:300])
    before, peak, done = anonymous(), [0], threading.Event()

    def watch():
        while not done.wait(TICK):
            peak[0] = max(peak[0], anonymous())

    watcher = threading.Thread(target=watch)
    watcher.start()
    if what == "fit":
        model.fit(X, y)
    else:
        model.predict(X)
    done.set()
    watcher.join()
    n_spikes = sum(int((model.encoder_.transform(X[i : i + 1000]) < 1).sum()) for i in range(0, len(X), 1000))
    return max(peak[0], anonymous()) - before, 8 * n_spikes


def anonymous():
    """Return the bytes of this process's memory that are of no file, as Linux tells them."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return 1024 * int(re.search(r"RssAnon:\s+(\d+) kB", status)[1])


if __name__ == "__main__":
    print(*measured(*sys.argv[1:3]))
