"""How far networks that learn in every layer are from this machine's limit: ``python -m benchmarks.network_roofline``.

A sample's forward pass charges every neuron of a layer with each of the layer's input spikes until the decision, and
its update moves the same weights once more; both are bound by the bytes that move, at the rate of the cache that holds
them. Layers and phases wait for each other, so their times are added.
"""

import argparse
import sys

import numpy as np

from benchmarks.cases import trained
from benchmarks.machine import Clock
from benchmarks.machine import Machine
from benchmarks.machine import NoCompiler
from benchmarks.machine import level_of
from benchmarks.networks import NETWORKS
from benchmarks.networks import pixels
from benchmarks.networks import settings
from benchmarks.roofline import Roof
from benchmarks.roofline import Term
from benchmarks.roofline import levels
from benchmarks.roofline import page
from benchmarks.targets import median

FLOAT = 4  # bytes


def counts(model, dataset):
    """Return the mean spikes of the input and of each layer until the decision, and the share of samples learned."""
    found = []
    model.fit(dataset, epochs=1, on_statistics=lambda _, statistics: found.append(statistics))
    decided = np.repeat(found[0].decision_times, np.diff(dataset.indptr))
    inputs = (dataset.timestamps <= decided).sum() / len(dataset)
    return [inputs, *found[0].n_spikes.mean(axis=0)], found[0].learned.mean()


def charged_by_a_spike(layer):
    """Return how many potentials an input spike charges at most, and how many bytes they or the weights take."""
    config = layer.config
    if config.patch is None:
        return layer.n_neurons, FLOAT * layer.n_inputs * layer.n_neurons
    # A convolution's potentials are many, a dense layer's weights.
    return config.n_filters * config.kernel_size**2, FLOAT * layer.n_neurons * config.pool**2


def terms(machine, model, n_spikes, learned):
    """Return what one sample of training needs, and, without the update, one of deciding."""
    found = []
    for number, layer in enumerate(model.layers):
        width, n_bytes = charged_by_a_spike(layer)
        where, amount = level_of(n_bytes), FLOAT * width * n_spikes[number]
        conv = layer.config.patch is not None
        # A dense layer's potentials stay in the first cache and its weights stream past; a convolution's the other way.
        rate = machine.update(n_bytes) if conv else machine.read(n_bytes)
        moved = 2 * amount if conv else amount
        found.append(Term(f"charge {number}", f"charging in {where}", moved, "bytes of weights", rate))
        amount *= learned * (1 if conv else 2)
        rate = machine.read(n_bytes) if conv else machine.update(n_bytes)
        found.append(Term(f"update {number}", f"learning in {where}", amount, "bytes of rows", rate))
    return found


def roofs(machine, name, dataset, repeats):
    """Return the limits of training and of deciding."""
    again = trained(dataset, settings(name))
    n_spikes, learned = counts(again(), dataset)
    model = again()
    needs = terms(machine, model, n_spikes, learned)
    model.partial_fit(dataset[:1])
    train = median(lambda: model.partial_fit(dataset), repeats)
    model = again()
    model.predict(dataset[:1])
    predict = median(lambda: model.predict(dataset), repeats)
    forward = [term for term in needs if term.phase.startswith("charge")]
    return [Roof(name, "train", len(dataset) / train, needs), Roof(name, "predict", len(dataset) / predict, forward)]


def main(argv=None):
    parser = argparse.ArgumentParser("python -m benchmarks.network_roofline", description=__doc__.splitlines()[0])
    parser.add_argument("--samples", metavar="N", type=int, default=2_000, help="%(default)s")
    parser.add_argument("--repeats", metavar="N", type=int, default=5, help="%(default)s")
    parser.add_argument("--quick", action="store_true", help="few samples, once: to see that it runs")
    arguments = parser.parse_args(argv)
    machine = Machine(Clock(0.001, 1) if arguments.quick else Clock())
    n_samples, repeats = (40, 1) if arguments.quick else (arguments.samples, arguments.repeats)
    try:
        found = {"machine": levels(machine, arguments.quick), "additions": machine.additions(), "rows": {}}
        measured = [roof for name in NETWORKS for roof in roofs(machine, name, pixels(n_samples), repeats)]
    except NoCompiler as problem:
        print(problem, file=sys.stderr)
        return 2
    print(page(found, measured))
    return 0


if __name__ == "__main__":
    sys.exit(main())
