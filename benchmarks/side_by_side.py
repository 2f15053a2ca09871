"""A hidden layer of 400 on the pixels of MNIST, learned by three kinds of software on the same data for as many epochs.

``python -m benchmarks.side_by_side --mnist DIR`` prints the table of docs/networks.md; asv finds nothing here. Each
contestant has one thread and its own documented settings. snnTorch, which simulates time steps, takes part where it is
installed, with the network of its fifth tutorial but 400 hidden neurons.
"""

import argparse
import importlib.util
import statistics
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.tables import markdown

HIDDEN = 400


def read(folder):
    """Return training images and labels, then test images and labels, as IDX files hold them."""
    from spikenn_cy.data.mnist import read_idx

    parts = [f"{part}-{what}" for part in ("train", "t10k") for what in ("images", "labels")]
    return [read_idx(next(Path(folder).glob(f"{part}-*ubyte*"))) for part in parts]


class FirstSpikes:
    """This package: one spike a neuron, events, an online update a sample."""

    name = "spikenn_cy, first spikes"

    def fit(self, images, labels, epochs, seed):
        from spikenn_cy import Readout

        self._readout = Readout.from_config(
            {
                "network": [{"n_neurons": HIDDEN}, {"n_neurons": 10}],
                "optimizer": {"method": "decision_time"},
                "trainer": {"epochs": epochs},
            },
            images[0].size,
            10,
            seed=seed,
        )
        self._readout.fit(self._spikes(images, labels))

    def score(self, images, labels):
        return self._readout.score(self._spikes(images, labels))

    @staticmethod
    def _spikes(images, labels):
        from spikenn_cy import SpikingDataset

        return SpikingDataset.from_numpy((1 - images.reshape(len(images), -1) / 255).astype(np.float32), labels)


class Perceptron:
    """scikit-learn's, with its defaults: Adam, minibatches of 200, real numbers in place of spikes."""

    name = "scikit-learn, MLPClassifier"

    def fit(self, images, labels, epochs, seed):
        import warnings

        from sklearn.exceptions import ConvergenceWarning
        from sklearn.neural_network import MLPClassifier

        # An epoch may change little, but all contestants have as many.
        self._classifier = MLPClassifier((HIDDEN,), max_iter=epochs, n_iter_no_change=epochs, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            self._classifier.fit(self._flat(images), labels)

    def score(self, images, labels):
        return self._classifier.score(self._flat(images), labels)

    @staticmethod
    def _flat(images):
        return (images.reshape(len(images), -1) / 255).astype(np.float32)


class Clocked:
    """snnTorch: leaky neurons of 25 time steps, surrogate gradients through time, a class by the most spikes."""

    name = "snnTorch, 25 time steps"
    N_STEPS, BATCH, LEAK, RATE = 25, 128, 0.95, 5e-4

    def fit(self, images, labels, epochs, seed):
        import torch

        torch.manual_seed(seed)
        torch.set_num_threads(1)
        layers = torch.nn.Linear(images[0].size, HIDDEN), torch.nn.Linear(HIDDEN, 10)
        self._layers = torch.nn.ModuleList(layers)
        optimiser = torch.optim.Adam(self._layers.parameters(), lr=self.RATE, betas=(0.9, 0.999))
        X, y = self._tensor(images), torch.from_numpy(labels.astype(np.int64))
        for _ in range(epochs):
            for batch in torch.randperm(len(X)).split(self.BATCH):
                _, potentials = self._simulate(X[batch])
                loss = sum(torch.nn.functional.cross_entropy(potential, y[batch]) for potential in potentials)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()

    def score(self, images, labels):
        import torch

        with torch.no_grad():
            blocks = [self._simulate(X)[0].sum(0).argmax(1) for X in self._tensor(images).split(1_000)]
        return float((torch.cat(blocks).numpy() == labels).mean())

    def _simulate(self, X):
        import snntorch
        import torch

        neurons = [snntorch.Leaky(beta=self.LEAK) for _ in self._layers]
        states = [neuron.init_leaky() for neuron in neurons]
        spikes, potentials = [], []
        for _ in range(self.N_STEPS):
            sent = X
            for i, (layer, neuron) in enumerate(zip(self._layers, neurons, strict=True)):
                sent, states[i] = neuron(layer(sent), states[i])
            spikes.append(sent)
            potentials.append(states[-1])
        return torch.stack(spikes), torch.stack(potentials)

    @staticmethod
    def _tensor(images):
        import torch

        return torch.from_numpy((images.reshape(len(images), -1) / 255).astype(np.float32))


def measure(contestant, data, epochs, seed):
    """Return the accuracy on the test data, and the seconds of training and of testing."""
    from threadpoolctl import threadpool_limits

    images, labels, test_images, test_labels = data
    with threadpool_limits(1):
        times = [time.perf_counter()]
        contestant.fit(images, labels, epochs, seed)
        times.append(time.perf_counter())
        accuracy = contestant.score(test_images, test_labels)
        times.append(time.perf_counter())
    return accuracy, times[1] - times[0], times[2] - times[1]


def main(argv=None):
    parser = argparse.ArgumentParser("python -m benchmarks.side_by_side", description=__doc__.splitlines()[0])
    parser.add_argument("--mnist", metavar="DIR", required=True, help="folder with MNIST's IDX files")
    parser.add_argument("--epochs", metavar="N", type=int, default=15, help="%(default)s")
    parser.add_argument("--seeds", metavar="N", type=int, nargs="+", default=[0], help="%(default)s")
    parser.add_argument("--images", metavar="N", type=int, help="only so many training images")
    arguments = parser.parse_args(argv)
    images, labels, *test = read(arguments.mnist)
    data = [images[: arguments.images], labels[: arguments.images], *test]
    contestants = [FirstSpikes, Perceptron]
    if importlib.util.find_spec("snntorch"):
        contestants.append(Clocked)
    rows = []
    for contestant in contestants:
        accuracies, fits, tests = zip(
            *(measure(contestant(), data, arguments.epochs, seed) for seed in arguments.seeds), strict=True
        )
        seconds = f"{statistics.median(fits):,.1f} s", f"{statistics.median(tests):,.2f} s"
        rows.append([contestant.name, " ".join(f"{100 * accuracy:.2f}" for accuracy in accuracies), *seconds])
        print(*rows[-1], sep="  ", file=sys.stderr, flush=True)
    print(
        markdown([f"784-{HIDDEN}-10, {arguments.epochs} epochs", "test %", "training", f"{len(test[0]):,} tests"], rows)
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
