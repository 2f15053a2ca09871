"""The golden files of networks that learn in every layer, in one vocabulary for the twin and for the library."""

import json
from pathlib import Path

import numpy as np
from reference import samples_of

FOLDER = Path(__file__).parent / "golden"
NAMES = sorted(path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.glob("deep*/*.npz"))
SETTINGS = ("error", "temperature", "margin", "skip", "window", "threshold_rate", "feedback")


class NetworkGolden:
    """One golden file: its arrays as attributes, its settings as ``settings``, its spike lists as ``samples``."""

    n_classes, max_time = 10, 1.0

    def __init__(self, name):
        self.name = name
        with np.load(FOLDER / f"{name}.npz") as arrays:
            self.arrays = dict(arrays)
        self.settings = json.loads(str(self.arrays["settings"]))
        self.samples = samples_of(self.indptr, self.indices, self.timestamps, self.labels)

    def __getattr__(self, key):
        return self.arrays[key]

    @property
    def convolves(self):
        """Whether the first layer is a convolution."""
        return "K_start" in self.arrays

    def weights(self, moment):
        """Weights of every layer at the ``start`` or ``end``, as a layer holds them, ``(n_neurons, ...)``."""
        if self.convolves:
            return [self.arrays[f"K_{moment}"].transpose(3, 1, 2, 0), self.arrays[f"W_{moment}"].T]
        return [self.arrays[f"W{depth}_{moment}"].T for depth in range(len(self.settings["rates"]))]

    def feedback(self, moment):
        """Feedback weights of every layer, ``(n_units, n_classes)``; None where it has none of its own."""
        names = ["B", None] if self.convolves else [f"B{depth}" for depth in range(len(self.settings["rates"]))]
        return [self.arrays.get(f"{name}_{moment}") for name in names]
