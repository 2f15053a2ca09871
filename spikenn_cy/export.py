"""Trained networks in files that other simulators and neuromorphic chips read, or that need nothing but NumPy."""

import io
import itertools
import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np

from spikenn_cy.data.arrays import end_of_time
from spikenn_cy.dtypes import INDEX
from spikenn_cy.dtypes import REAL
from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.network.layer import Layer
from spikenn_cy.network.model_file import EXPORTED
from spikenn_cy.network.readout import Readout
from spikenn_cy.utils.atomic import atomic_file
from spikenn_cy.utils.extras import extra
from spikenn_cy.version import __version__

FORMAT = f"{EXPORTED}, version 1"
READ_OUT = (
    "Each input and each neuron spikes once at most. The class of a sample is that of the output neuron that spikes "
    "first (class_of_neuron). Of neurons that spike at the same time, and of all if none spikes, the one with the "
    "highest potential decides, at its spike or after the last input spike; of equal potentials, the first one."
)
TIME = (
    "Spike times, max_time and time constants have the same unit, that of the training data. A sample starts at 0, "
    "with all potentials 0, and ends at max_time; what has not spiked before is silent."
)
INPUT = (
    "The time of an input's spike carries its value; a silent input has none. A spike raises the potential of a neuron "
    "by the weight. Spikes of the same time are all added before a threshold is tested, and a neuron spikes when its "
    "potential is above its threshold, not equal to it. Its spike reaches the next layer at the same time."
)
IMPULSES = (
    "A spike is an impulse of area 1, so r = 1 (IF) or r = tau (LIF) raises the potential by the weight. With steps of "
    "dt it is a current of 1 / dt for one step; where it is a current of 1 for one step, r has to be divided by dt."
)
PULSES = (
    "A spike is a current of 1 for one step of {dt}, so r = 1 / {dt} (IF) or r = tau / {dt} (LIF) raises the potential "
    "by the weight."
)
ONE_SPIKE = (
    "Neurons whose spikes go to another layer are reset so far down (v_reset) that they do not spike again before "
    "max_time. Those of the last layer are reset to 0; all but the first of their spikes are to be ignored."
)
DEEPEST = 1e30  # of a reset potential: far enough from the end of float32 for others to compute with it


def export(source: Readout | str | os.PathLike, output: str | os.PathLike, *, dt: float | None = None) -> Readout:
    """Write a network for other software.

    Parameters
    ----------
    source : Readout or path-like
        The network, or a file that `Readout.save` wrote.
    output : path-like
        ``.nir`` for a graph in the Neuromorphic Intermediate Representation (`to_nir`; the
        package ``nir`` is needed), ``.npz`` for plain arrays (`to_arrays`). Replaced as a
        whole if it is there.
    dt : float, optional
        As `to_nir` takes it.

    Returns
    -------
    Readout
        The network that was written.

    Raises
    ------
    DataError
        If there is no such format, or the network cannot be read or expressed in it.
    RunError
        If the file cannot be written.
    MissingExtra
        If ``nir`` is not installed.
    """
    suffix, known = Path(output).suffix.lower(), " or ".join(FORMATS)
    require(suffix in FORMATS, os.fspath(output), f"suffix must be {known}", suffix, DataError)
    if suffix == ".nir":
        nir_package()  # before anything is read
    require(dt is None or suffix == ".nir", "dt", "must be left out unless a .nir file is written", dt)
    model = source if isinstance(source, Readout) else Readout.load(source)
    if model is not source and os.path.exists(output) and os.path.samefile(source, output):
        raise DataError(f"{output}: must be another file than the network's own, got the same")
    content = FORMATS[suffix](model, dt)
    with atomic_file(output) as file:
        file.write(content)
    return model


def to_arrays(model: Readout) -> dict[str, np.ndarray]:
    """Return a network as plain arrays, which decide as `Readout.predict` does.

    Returns
    -------
    dict
        For each layer ``k`` from 0: ``weights_k``, float32 of shape (n_neurons, n_inputs),
        and ``thresholds_k``, float32 of shape (n_neurons,). ``leak_tau``, float64 of shape
        (n_layers,), infinite for a layer that does not leak. ``max_time``, float64.
        ``class_of_neuron``, int32 of shape (n_neurons,) for the last layer. ``classes``,
        the original label of each class. ``format``, ``time``, ``input`` and ``read_out``,
        text.
    """
    arrays: dict[str, Any] = {"format": FORMAT, "time": TIME, "input": INPUT, "read_out": READ_OUT}
    for number, layer in enumerate(model.layers):
        arrays |= {f"weights_{number}": layer.weights, f"thresholds_{number}": layer.thresholds}
    arrays["leak_tau"] = [time_constant(model, number) for number in range(len(model.layers))]
    arrays |= {"max_time": model.max_time, "class_of_neuron": class_of_neuron(model), "classes": classes_of(model)}
    return {name: np.asarray(array) for name, array in arrays.items()}


def to_nir(model: Readout, *, dt: float | None = None) -> Any:
    """Return a network as a graph in the Neuromorphic Intermediate Representation.

    Parameters
    ----------
    model : Readout
    dt : float, optional
        For a simulator to which a spike is a current of 1 for one step, as it is to
        snnTorch: the length of that step, in the unit of ``max_time``; ``r`` makes up for
        it. Default: a spike is an impulse of area 1, as in continuous time.

    Returns
    -------
    nir.NIRGraph
        ``input``, then ``weights_k`` (Linear) and ``neurons_k`` (IF or LIF) for each layer
        ``k`` from 0, then ``output``. Arrays are float32. Thresholds are those of
        inference. The metadata say what a graph cannot: when a sample ends, what a spike
        is, and how its class is read out.

    Raises
    ------
    DataError
        If a threshold is below 0, where a neuron of the representation would spike before
        any input does.
    ConfigError
        If ``dt`` is not a number from 0 to ``max_time``.
    MissingExtra
        If ``nir`` is not installed.
    """
    nir = nir_package()
    step = 1.0 if dt is None else end_of_time(dt, "dt", ConfigError)
    require(dt is None or step <= model.max_time, "dt", f"must be at most max_time = {model.max_time}", dt)
    nodes: dict[str, Any] = {"input": nir.Input(input_type={"input": np.array([model.n_inputs])})}
    for number, layer in enumerate(model.layers):
        thresholds = layer.thresholds
        for neuron in np.flatnonzero(thresholds < 0)[:1]:
            place = f"thresholds[{neuron}] of network[{number}]"
            raise DataError(f"{place}: must be >= 0 for a neuron to wait for its input, got {thresholds[neuron]}")
        last = number == len(model.layers) - 1
        tau = time_constant(model, number)
        ones, v_reset = np.ones_like(thresholds), np.zeros_like(thresholds) if last else reset_of(layer, tau)
        r = ones / REAL.type(step)
        nodes[f"weights_{number}"] = nir.Linear(weight=np.array(layer.weights))
        if tau == math.inf:
            neurons = nir.IF(r=r, v_threshold=np.array(thresholds), v_reset=v_reset)
        else:
            tau = ones * REAL.type(max(tau, np.finfo(REAL).tiny))
            neurons = nir.LIF(
                tau=tau,
                r=tau * r,
                v_leak=np.zeros_like(thresholds),
                v_threshold=np.array(thresholds),
                v_reset=v_reset,
            )
        nodes[f"neurons_{number}"] = neurons
    nodes["output"] = nir.Output(output_type={"output": np.array([model.layers[-1].n_neurons])})
    names = list(nodes)
    metadata = {
        "format": FORMAT,
        "time": TIME,
        "input": INPUT,
        "impulses": IMPULSES if dt is None else PULSES.format(dt=dt),
        "one_spike": ONE_SPIKE,
        "read_out": READ_OUT,
        "max_time": model.max_time,
        "class_of_neuron": class_of_neuron(model),
        "classes": json.dumps(classes_of(model).tolist()),
        "settings": json.dumps(model.config.to_dict()),
        "seed": model.seed,
        "versions": json.dumps({"spikenn_cy": __version__, "numpy": np.__version__, "nir": nir.__version__}),
    }
    return nir.NIRGraph(nodes=nodes, edges=list(itertools.pairwise(names)), metadata=metadata)


def time_constant(model: Readout, number: int) -> float:
    """Return the time constant of a layer's leak, infinite without one, or say that its neurons are of another kind."""
    try:
        return model.layers[number].config.neuron_model.time_constant()
    except DataError as problem:
        raise DataError(f"network[{number}].{problem}") from None


def reset_of(layer: Layer, tau: float) -> np.ndarray:
    """Return a reset potential for each neuron from which it does not get above its threshold before the end.

    Each input can still raise it once, and a leak has until then to bring it back up.
    """
    lift = np.maximum(layer.weights, 0).sum(axis=1, dtype=float)
    depth = 2 * lift * math.exp(min(layer.max_time / tau, math.log(DEEPEST)))
    return -np.minimum(depth, DEEPEST).astype(REAL)


def class_of_neuron(model: Readout) -> np.ndarray:
    """Return the class of each neuron of the last layer, int32."""
    n_neurons = model.layers[-1].n_neurons
    return np.arange(n_neurons, dtype=INDEX) // INDEX.type(n_neurons // model.n_classes)


def classes_of(model: Readout) -> np.ndarray:
    """Return the original label of each class; its number if the network has not met any."""
    return np.arange(model.n_classes) if model.classes is None else model.classes


def nir_package() -> Any:
    """Return the package ``nir``, or say what to install."""
    with extra("nir", where="export"):
        import nir
    return nir


def nir_bytes(model: Readout, dt: float | None) -> bytes:
    """Return the content of a ``.nir`` file."""
    content = io.BytesIO()  # HDF5 reads what it has written, which a file that is only written to does not let it
    nir_package().write(content, to_nir(model, dt=dt))
    return content.getvalue()


def npz_bytes(model: Readout, _: None) -> bytes:
    """Return the content of a ``.npz`` file."""
    content = io.BytesIO()
    np.savez(content, **to_arrays(model))
    return content.getvalue()


FORMATS = {".nir": nir_bytes, ".npz": npz_bytes}
