"""Small images, and networks that learn in every layer on them, for the tests that run whole experiments."""

import contextlib

import numpy as np

from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.network.model_file import Checkpoint

SHAPE = (6, 6)
FIRST = {
    "dense": {"n_neurons": 20, "dropout": 0.2},
    "conv": {"type": "conv", "n_filters": 5, "kernel_size": 3, "padding": 1, "pool": 2, "dropout": 0.2},
}


def network_settings(kind, **sections):
    """Return settings of a network whose first layer is of a kind; ``network`` means that layer."""
    changed = {"network": FIRST[kind], "optimizer": {"method": "decision_time"}, "trainer": {"epochs": 4}}
    if kind == "conv":
        changed["trainer"] |= {"augment": {"shift": 1}}
    changed = {name: part | sections.get(name, {}) for name, part in changed.items()}
    return changed | {"network": [changed["network"], {"n_neurons": 3}]}


def images(n_samples, seed):
    """Return spike times of images with a bar at the left, in the middle or at the right, and which it is."""
    generator = np.random.default_rng(seed)
    labels = np.arange(n_samples) % 3
    times = generator.integers(4, 12, (n_samples, *SHAPE)) / 8  # 1 and more is silence
    for place, image in zip(labels, times, strict=True):
        image[:, 2 * place : 2 * place + 2] /= 4
    return np.minimum(times, 1), labels


def write_images(folder, shape=SHAPE, seed=0):
    """Write training, validation and test data into a new folder, as images of a shape; return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, (name, size) in enumerate((("trainset", 90), ("valset", 30), ("testset", 30))):
        times, labels = images(size, 10 * seed + number)
        SpikingDataset.from_numpy(times.reshape(size, *shape), labels).save(folder / f"{name}.npz")
    return folder


@contextlib.contextmanager
def interrupted(monkeypatch, n_epochs):
    """Interrupt every training after its checkpoint of so many epochs."""
    write = Checkpoint.write

    def then_interrupted(checkpoint, reports):
        write(checkpoint, reports)
        if len(reports) == n_epochs:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "write", then_interrupted)
        yield
