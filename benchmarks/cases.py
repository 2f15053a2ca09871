"""The networks and data that speed is judged by, so that asv, the roofline and the table of goals mean the same cases.

Everything is made here from a seed, and needs no download; two cases take real data in place of made ones.
"""

import copy
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

N_CLASSES = 10
PIXELS, PIXEL_SPIKES = 784, 151  # of MNIST at the latency code t = 1 - x / 255
FEATURES, FEATURE_SPIKES = 4_608, 1_425  # of MNIST behind one spiking convolution
WIDE, WIDE_DENSITY = 24_576, 0.25  # of CIFAR behind a deep extractor


def spike_times(n_samples, n_inputs=PIXELS, n_spikes=PIXEL_SPIKES, seed=0):
    """Return ``(X, y)``: spike times, 1 for silent inputs, and labels.

    Classes differ a little in which inputs are likely to fire and when, so that a network has something to learn and
    never learns it all.
    """
    generator = np.random.default_rng(seed)
    y = generator.integers(N_CLASSES, size=n_samples)

    def of_class(power):
        """Return a value for every class and input, mostly the same in all classes."""
        return (0.8 * generator.random(n_inputs) + 0.2 * generator.random((N_CLASSES, n_inputs))) ** power

    likely = of_class(3)
    likely *= n_spikes / likely.sum(axis=1, keepdims=True)
    centre = of_class(1).astype(np.float32)
    X = np.empty((n_samples, n_inputs), np.float32)
    for part in np.array_split(np.arange(n_samples), -(-n_samples * n_inputs // 4_000_000)):
        shape = (len(part), n_inputs)
        times = np.clip(centre[y[part]] + 0.2 * generator.standard_normal(shape, np.float32), 0, 0.99)
        X[part] = np.where(generator.random(shape, np.float32) < likely[y[part]], times, 1)
    return X, y


def uniform_times(n_samples, n_classes, seed=0):
    """Return ``(X, y)`` of the two widest cases: nothing in the times tells the classes apart."""
    generator = np.random.default_rng(seed)
    X = generator.random((n_samples, WIDE), np.float32)
    X[generator.random(X.shape, np.float32) > WIDE_DENSITY] = 1
    return X, np.arange(n_samples) % n_classes


def settings(method="s2stdp+ncg", n_classes=N_CLASSES, **changes):
    """Return the settings of a learning rule, with settings of any section replaced.

    Parameters
    ----------
    method : {"s2stdp+ncg", "s2stdp", "sstdp", "rstdp", "s4nn"}
        The first has five neurons a class, of which one is a non-target neuron.
    n_classes : int
    **changes
        By the name of the setting; rules have what others lack.
    """
    layer = {"n_neurons": n_classes, "firing_threshold": 20, "w_init_normal": True, "w_init_mean": 0.3, "w_norm": True}
    stdp = {"ap": 0.1, "am": -0.05, "annealing": 0.98}
    drawn = {"network": layer, "trainer": {}}
    if method == "s2stdp+ncg":
        layer["n_neurons"] = 5 * n_classes
        drawn["optimizer"] = {"method": "s2stdp", "t_gap": 0.05, "class_inhib": True} | stdp
        drawn["regularizer"] = {"thr_lr": 0.5, "thr_anneal": 0.5}
        drawn["trainer"] = {"nt_neurons": 1}
    elif method in ("s2stdp", "sstdp"):
        drawn["optimizer"] = {"method": "s2stdp", "t_gap": 0.05, "use_time_ranges": method == "sstdp"} | stdp
    elif method == "rstdp":
        layer |= {"n_neurons": 20 * n_classes, "w_init_mean": 0.8, "w_min": 0.2, "w_max": 0.8, "w_norm": False}
        rates = {"ap": 0.05, "am": -0.005, "anti_ap": -0.05, "anti_am": 0.005}
        drawn["optimizer"] = {"method": "rstdp", "annealing": 0.98} | rates
    else:
        drawn["optimizer"] = {"method": "s4nn", "lr": 0.1, "t_gap": 0.05, "annealing": 0.98}
    for name, value in changes.items():
        for section in drawn.values():
            if name in section:
                section[name] = value
                break
        else:
            drawn["trainer"][name] = value
    return drawn | {"network": [layer]}


@dataclass(frozen=True)
class Case:
    """One line of the table of goals.

    Attributes
    ----------
    name : str
    data : {"pixels", "features", "wide"}
        What the network sees.
    n_samples, n_classes : int
    method : str
        Of `settings`.
    changes : dict
        Of `settings`.
    """

    name: str
    data: str
    n_samples: int
    n_classes: int
    method: str
    changes: dict[str, Any]

    @property
    def settings(self) -> dict[str, Any]:
        """A copy for `Readout.from_config`."""
        return copy.deepcopy(settings(self.method, self.n_classes, **self.changes))


CASES = {
    case.name: case
    for case in (
        Case("pixels 784 -> 50, S2-STDP+NCG", "pixels", 4_000, 10, "s2stdp+ncg", {}),
        Case(
            "features 4,608 -> 50, S2-STDP+NCG",
            "features",
            2_000,
            10,
            "s2stdp+ncg",
            {"firing_threshold": 200, "t_gap": 0.03, "ap": 0.05, "am": -0.1, "thr_lr": 10},
        ),
        Case(
            "features 4,608 -> 10, S2-STDP",
            "features",
            2_000,
            10,
            "s2stdp",
            {"firing_threshold": 250, "t_gap": 0.04, "ap": 0.005, "am": -0.05},
        ),
        Case(
            "features 4,608 -> 200, R-STDP",
            "features",
            2_000,
            10,
            "rstdp",
            {"firing_threshold": 250, "dropout_out": 0.5},
        ),
        Case("wide 24,576 -> 50, S2-STDP+NCG", "wide", 400, 10, "s2stdp+ncg", {"firing_threshold": 800}),
        Case("wide 24,576 -> 500, S2-STDP+NCG", "wide", 400, 100, "s2stdp+ncg", {"firing_threshold": 800}),
    )
}


class Sources:
    """Where the data of the cases come from: files that are named, or else a seed.

    Parameters
    ----------
    mnist : path, optional
        Folder with MNIST's four IDX files, gzipped or not.
    features : path, optional
        ``.npz`` file with ``indptr``, ``indices``, ``timestamps``, ``labels`` and ``n_inputs``.
    """

    def __init__(self, mnist: str | Path | None = None, features: str | Path | None = None) -> None:
        self.mnist = mnist
        self.features = features
        self._made: dict[tuple[str, int, int], Any] = {}

    def real(self, case: Case) -> bool:
        """Whether this case's data come from a file."""
        return {"pixels": self.mnist, "features": self.features}.get(case.data) is not None

    def dataset(self, case: Case, n_samples: int | None = None) -> Any:
        """Return the case's `SpikingDataset`, or one of its first samples."""
        size = min(n_samples or case.n_samples, case.n_samples)
        key = (case.data, size, case.n_classes)
        if key not in self._made:
            self._made[key] = self._read(case, size) if self.real(case) else self._make(case, size)
        return self._made[key]

    def _make(self, case: Case, n_samples: int) -> Any:
        from spikenn_cy import SpikingDataset

        if case.data == "wide":
            X, y = uniform_times(n_samples, case.n_classes)
        elif case.data == "features":
            X, y = spike_times(n_samples, FEATURES, FEATURE_SPIKES)
        else:
            X, y = spike_times(n_samples)
        dataset = SpikingDataset.from_numpy(X, y)
        # A few samples may lack a class, and names are of those that are there.
        arrays = dataset.indptr, dataset.indices, dataset.timestamps, dataset.classes[dataset.labels]
        return SpikingDataset(*arrays, dataset.n_inputs, 1.0, np.arange(case.n_classes))

    def _read(self, case: Case, n_samples: int) -> Any:
        from spikenn_cy import SpikingDataset
        from spikenn_cy.data.images import read_idx

        if case.data == "pixels":
            images, labels = (
                read_idx(next(Path(self.mnist).glob(f"train-{part}-ubyte*")))[:n_samples]
                for part in ("images-idx3", "labels-idx1")
            )
            times = (1 - images.reshape(n_samples, -1) / 255).astype(np.float32)
            whole = SpikingDataset.from_numpy(times, labels)
            indptr, indices, timestamps, n_inputs = whole.indptr, whole.indices, whole.timestamps, whole.n_inputs
        else:
            with np.load(self.features) as file:
                indptr, labels = file["indptr"][: n_samples + 1], file["labels"][:n_samples]
                indices, timestamps = file["indices"][: indptr[-1]], file["timestamps"][: indptr[-1]]
                n_inputs = int(file["n_inputs"])
        return SpikingDataset(indptr, indices, timestamps, labels, n_inputs, 1.0, np.arange(case.n_classes))


def trained(dataset: Any, config: dict[str, Any], epochs: int = 1) -> Callable[[], Any]:
    """Train a network, and return a function that makes equal ones of it, ready to go on.

    Each is at the end of the same epochs, so that what is timed does not depend on how often it is.
    """
    from spikenn_cy import Readout

    model = Readout.from_config(config, n_inputs=dataset.n_inputs, n_classes=dataset.n_classes)
    model.fit(dataset, epochs=epochs)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.npz"
        model.save(path)
        saved = path.read_bytes()

    def again() -> Any:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.npz"
            path.write_bytes(saved)
            return Readout.load(path)

    return again


def layer_of(weights: np.ndarray, thresholds: np.ndarray) -> Any:
    """Return a `Layer` of these weights, none of them negative, and thresholds."""
    from spikenn_cy import Readout

    n_neurons, n_inputs = weights.shape
    config = settings("s2stdp") | {"network": [{"n_neurons": n_neurons, "firing_threshold": 1}]}
    layer = Readout.from_config(config, n_inputs=n_inputs, n_classes=1).layers[0]
    layer.weights, layer.thresholds = weights, thresholds
    return layer
