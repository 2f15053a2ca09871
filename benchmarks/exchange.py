"""Whether other simulators compute from our graphs what we do: first spikes and decisions, step by step.

Each simulator has an environment of its own, with its package, ``nir`` and ``nirtorch``, and none needs this package::

    python -m benchmarks.exchange write DIR [--mnist FOLDER]     # here: graphs, samples and what comes of them
    .../bin/python benchmarks/exchange.py read DIR               # in each environment: all readers that are installed
    python -m benchmarks.exchange table DIR                      # here: the table of docs/exchange.md

Expected: all first spikes of networks of one layer, but for a potential that meets its threshold to within rounding. A
network with a hidden layer, which ``export`` refuses to write for them, shows what a second spike of a neuron costs.
"""

import argparse
import contextlib
import importlib.metadata
import importlib.util
import io
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Steps = npt.NDArray[np.int64]  # of shape (n_samples, n_units); -1 for no spike
Step = Callable[[Any, Any], tuple[Any, Any]]  # spikes of one step, state -> spikes, state

# ---------------------------------------------------------------------------- here


def networks(mnist: str | None) -> dict[str, tuple[Any, Any, float]]:
    """Return trained networks by name, each with samples and the step of the grid on which their spikes lie."""
    from spikenn_cy.demo import demo_datasets

    sets = {"digits": (*demo_datasets()[::2], 1 / 16)}
    if mnist is not None:
        sets["MNIST"] = (*mnist_sets(mnist), 1 / 255)
    found = {}
    for name, (train, test, dt) in sets.items():
        for neuron, leak_tau in (("IF", None), ("LIF", 0.5)):
            threshold = 0.12 * len(test.indices) / len(test)  # which nearly all neurons reach, leaky ones too
            layer = {"n_neurons": 50, "firing_threshold": threshold, "w_norm": True, "leak_tau": leak_tau}
            settings = {
                "network": [layer],
                "optimizer": {"method": "s2stdp", "ap": 0.1, "am": -0.1, "t_gap": 0.1},
                "regularizer": {"thr_lr": 0.1},
            }
            model = trained(settings, train)
            model.layers[0].thresholds = threshold * np.random.default_rng(0).uniform(0.8, 1.2, 50)  # of their own
            found[f"{name}, {train.n_inputs}-50 {neuron}"] = model, test, dt
        settings = {"network": [{"n_neurons": 100}, {"n_neurons": 10}], "optimizer": {"method": "decision_time"}}
        found[f"{name}, {train.n_inputs}-100-10 IF"] = trained(settings, train), test, dt
    return found


def mnist_sets(folder: str) -> list[Any]:
    """Return 10,000 training and 300 test images, whose pixels spike the earlier the brighter they are."""
    from benchmarks.side_by_side import read
    from spikenn_cy import SpikingDataset

    images, labels, *test = read(folder)
    parts = (images[:10000], labels[:10000]), (test[0][:300], test[1][:300])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # black pixels are silent
        return [SpikingDataset.from_numpy(1 - X.reshape(len(X), -1) / 255, y) for X, y in parts]


def trained(settings: dict[str, Any], train: Any) -> Any:
    """Return a network after three epochs."""
    from spikenn_cy import Readout

    model = Readout.from_config(settings, train.n_inputs, train.n_classes, train.max_time)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(train, epochs=3)
    return model


def on_grid(times: npt.NDArray[np.float32], dt: float, max_time: float) -> Steps:
    """Return times as steps."""
    silent = times >= np.float32(max_time)
    return np.where(silent, -1, np.rint(np.where(silent, 0, times) / dt)).astype(int)


def write(folder: Path, mnist: str | None) -> None:
    """Write the graphs for each reader, the samples and the first spikes that are ours."""
    import nir

    from spikenn_cy.export import GRAPH_READERS
    from spikenn_cy.export.nir import graph_for
    from spikenn_cy.export.nir import without_resets

    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for number, (name, (model, test, dt)) in enumerate(networks(mnist).items()):
        names.append(name)
        inputs, end = test.to_dense(silent=np.inf), model.max_time
        np.savez(
            folder / f"{number}.npz",
            inputs=on_grid(inputs, dt, end),
            first=on_grid(model.first_spikes(test)[0], dt, end),
            n_steps=round(end / dt) + 1,
        )
        for reader, row in GRAPH_READERS.items():
            content = io.BytesIO()
            nir.write(content, graph_for(model, row, dt))
            without_resets(content)
            (folder / f"{number}-{reader}.nir").write_bytes(content.getvalue())
        fired = np.mean(model.first_spikes(test)[0] < np.float32(model.max_time))
        print(
            f"{name}: {len(test)} samples, accuracy {model.score(test):.3f}, share that fires {fired:.3f}", flush=True
        )
    (folder / "names.json").write_text(json.dumps(names))


# ---------------------------------------------------------------------------- in each environment


def snntorch(graph: Any) -> Step:
    """Return what runs one step of a graph in snnTorch."""
    from snntorch.import_nir import import_from_nir

    with contextlib.redirect_stdout(io.StringIO()):
        module = import_from_nir(graph)
    return lambda spikes, state: module(spikes) if state is None else module(spikes, state)


def norse(graph: Any) -> Step:
    """Return what runs one step of a graph in Norse."""
    import norse.torch

    return norse.torch.from_nir(graph, ignore_warnings=True)  # type: ignore[no-any-return]


def spikingjelly(graph: Any) -> Step:
    """Return what runs one step of a graph in SpikingJelly."""
    from spikingjelly.activation_based.nir_exchange import import_from_nir

    module = import_from_nir(graph)
    return lambda spikes, state: module(spikes) if state is None else module(spikes, state)


def sinabs(graph: Any) -> Step:
    """Return what runs one step of a graph in Sinabs, whose layers keep their state."""
    import sinabs.nir

    module = sinabs.nir.from_nir(graph, num_timesteps=1)

    def step(spikes: Any, state: Any) -> tuple[Any, Any]:
        found = module(spikes)
        return (found[0] if isinstance(found, tuple) else found), None

    return step


RUNNERS = {"snntorch": snntorch, "norse": norse, "sinabs": sinabs, "spikingjelly": spikingjelly}


def simulated(step: Step, inputs: Steps, n_steps: int) -> Steps:
    """Return the step of the first spike of each output neuron in each sample."""
    import torch

    first, state = None, None
    with torch.no_grad():
        for number in range(n_steps):
            found, state = step(torch.from_numpy((inputs == number).astype(np.float32)), state)
            spikes = found.numpy() > 0
            first = np.full(spikes.shape, -1) if first is None else first
            first[spikes & (first < 0)] = number
    assert first is not None
    return first


def earliest(first: Steps) -> npt.NDArray[np.bool_]:
    """Return which output neurons decide each sample: those whose first spike is the earliest."""
    late = np.where(first < 0, np.iinfo(int).max, first)
    return (late == late.min(axis=1, keepdims=True)) & (first >= 0)


def read(folder: Path) -> None:
    """Compare every reader that is installed here, and keep what is found."""
    import nir

    for reader, runner in RUNNERS.items():
        if importlib.util.find_spec(reader) is None:
            continue
        packages = (reader, "nir", "nirtorch", "torch")
        found: dict[str, Any] = {"versions": {name: importlib.metadata.version(name) for name in packages}}
        for number, name in enumerate(json.loads((folder / "names.json").read_text())):
            with np.load(folder / f"{number}.npz") as file:
                inputs, ours, n_steps = file["inputs"], file["first"], int(file["n_steps"])
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                theirs = simulated(runner(nir.read(folder / f"{number}-{reader}.nir")), inputs, n_steps)
            same = earliest(ours) == earliest(theirs)
            same &= np.where(earliest(ours), ours == theirs, True)
            shares = np.mean(ours == theirs), np.mean(same.all(axis=1))
            found[name] = [f"{100 * share:.2f}" for share in shares]
            print(reader, name, *found[name], flush=True)
        (folder / f"{reader}.json").write_text(json.dumps(found))


def table(folder: Path) -> None:
    """Print what was found by all readers."""
    from benchmarks.tables import markdown

    found = {name: json.loads((folder / f"{name}.json").read_text()) for name in RUNNERS}
    versions = {
        name: f"{reader['versions'][name]}, nir {reader['versions']['nir']}, nirtorch {reader['versions']['nirtorch']}"
        for name, reader in found.items()
    }
    for name, reader in found.items():
        print(f"{name} {versions[name]}, torch {reader['versions']['torch']}")
    rows = [
        [name, *(" / ".join(reader[name]) for reader in found.values())]
        for name in json.loads((folder / "names.json").read_text())
    ]
    print(markdown(["first spikes / decisions, %", *found], rows))


def main() -> None:
    """Do one of the three parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("write", "read", "table"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mnist", metavar="FOLDER", help="with the IDX files of MNIST, to write its networks too")
    arguments = parser.parse_args()
    if arguments.part == "write":
        write(arguments.folder, arguments.mnist)
    else:
        {"read": read, "table": table}[arguments.part](arguments.folder)


if __name__ == "__main__":
    main()
