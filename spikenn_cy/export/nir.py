"""Networks as graphs in the Neuromorphic Intermediate Representation, which simulators and neuromorphic chips read."""

import io
import itertools
import json
import math
from typing import Any

import numpy as np

from spikenn_cy.data.arrays import end_of_time
from spikenn_cy.data.labels import plain_names
from spikenn_cy.dtypes import REAL
from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.errors import require_one_of
from spikenn_cy.export.description import CONVOLUTION
from spikenn_cy.export.description import EXPORT_FORMAT
from spikenn_cy.export.description import INPUT
from spikenn_cy.export.description import READ_OUT
from spikenn_cy.export.description import TIME
from spikenn_cy.export.description import class_of_neuron
from spikenn_cy.export.description import images_of
from spikenn_cy.export.description import is_convolution
from spikenn_cy.export.description import time_constant
from spikenn_cy.export.readers import GRAPH_READERS
from spikenn_cy.export.readers import Reader
from spikenn_cy.network.deciding_arrays import deciding_weights
from spikenn_cy.network.deciding_arrays import require_waiting
from spikenn_cy.network.readout import Readout
from spikenn_cy.utils.extras import extra
from spikenn_cy.version import __version__

IMPULSES = (
    "A spike is an impulse of area 1, so r = 1 (IF) or r = tau (LIF) raises the potential by the weight. With steps of "
    "dt it is a current of 1 / dt for one step; where it is a current of 1 for one step, r has to be divided by dt."
)
PULSES = (
    "A spike is a current of 1 for one step of {dt}, so r = 1 / {dt} (IF) or r = tau / {dt} (LIF) raises the potential "
    "by the weight."
)
STEPS = (
    "Written for {reader.title} alone, whose step of {reader.step} is {dt} here. In a step a spike raises the "
    "potential by the weight, in units of unit_of_potential, and a leak takes what it takes in {dt}."
)
ONE_SPIKE = (
    "Neurons whose spikes go to another layer are reset so far down (v_reset) that they do not spike again before "
    "max_time. Those of the last layer are reset to 0; all but the first of their spikes are to be ignored."
)
UNITS = (
    "Input (c, y, x) of the graph is input (y * columns + x) * channels + c. Of pool x pool neurons of a filter that "
    "spike, a neuron of units_0 spikes with the first one: their spikes are summed, and one is above its threshold."
)
DEEPEST = 1e30  # of a reset potential: far enough from the end of float32 for others to compute with it


def to_nir(model: Readout, *, dt: float | None = None, reader: str | None = None) -> Any:
    """Return a network as a graph in the Neuromorphic Intermediate Representation.

    Parameters
    ----------
    model : Readout
    dt : float, optional
        For a simulator to which a spike is a current of 1 for one step, as it is to
        snnTorch: the length of that step, in the unit of ``max_time``; ``r`` makes up for
        it. Default: a spike is an impulse of area 1, as in continuous time. With a ``reader``: what one of its
        steps is in the unit of ``max_time``, which has to be given.
    reader : str, optional
        One of `GRAPH_READERS`, for which weights, time constants and thresholds are written so that it computes in
        each of its steps what the network does in ``dt``; others may read something else. Dense networks alone, of
        one layer.

    Returns
    -------
    nir.NIRGraph
        ``input``, then ``weights_k`` (Linear) and ``neurons_k`` (IF or LIF) for each layer
        ``k`` from 0, then ``output``. Arrays are float32. Thresholds are those of
        inference. Of a convolution ``weights_0`` is Conv2d; pooling by the first spike is
        ``pool_0`` (SumPool2d) and ``units_0`` (IF), if there is any, and ``flatten_0`` follows.
        The metadata say what a graph cannot: when a sample ends, what a spike is, and how its
        class is read out.

    Raises
    ------
    DataError
        If a threshold is below 0, where a neuron of the representation would spike before
        any input does, there are no weights yet, or no reader of that kind can read the network.
    ConfigError
        If ``dt`` is not a number from 0 to ``max_time``, or there is no such reader.
    MissingExtra
        If ``nir`` is not installed.
    """
    nir = nir_package()
    step = 1.0 if dt is None else end_of_time(dt, "dt", ConfigError)
    require(dt is None or step <= model.max_time, "dt", f"must be at most max_time = {model.max_time}", dt)
    if reader is not None:
        require_one_of(reader, GRAPH_READERS, "reader")
        require(dt is not None, "dt", f"must be given for {reader}, as what one of its steps is here", dt)
        require_readable(model, reader)
        return graph_for(model, GRAPH_READERS[reader], step)
    shape = np.array([model.n_inputs])
    if is_convolution(model):
        shape = np.array(images_of(model))[[2, 0, 1]]
    nodes: dict[str, Any] = {"input": nir.Input(input_type={"input": shape})}
    for number in range(len(model.layers)):
        require_waiting(model, number)
        nodes |= nodes_of(model, number, REAL.type(step))
    nodes["output"] = nir.Output(output_type={"output": np.array([model.layers[-1].n_neurons])})
    return nir.NIRGraph(nodes=nodes, edges=list(itertools.pairwise(nodes)), metadata=metadata_of(model, dt))


def require_readable(model: Readout, reader: str) -> None:
    """Raise `DataError` unless a network means the same to a simulator that resets all neurons to 0."""
    if is_convolution(model):
        raise DataError(f"network[0]: must be dense to be written for {reader}, got a convolution")
    if len(model.layers) > 1:
        rule = f"must be the only layer to be written for {reader}, in which hidden neurons would spike more than once"
        raise DataError(f"network[0]: {rule}, got {len(model.layers)} layers")


def graph_for(model: Readout, reader: Reader, dt: float) -> Any:
    """Return the graph of a dense network that one reader is to read, one of whose steps is ``dt`` here."""
    nir = nir_package()
    nodes: dict[str, Any] = {"input": nir.Input(input_type={"input": np.array([model.n_inputs])})}
    unit = np.ones(0)
    for number, layer in enumerate(model.layers):
        require_waiting(model, number)
        weights, thresholds = deciding_weights(model, number, "exported"), np.array(layer.thresholds)
        charged = reader.layer(weights, thresholds, time_constant(model, number), dt)
        synapses = nir.Linear(weight=charged.weights)
        if charged.bias is not None:
            synapses = nir.Affine(weight=charged.weights, bias=charged.bias)
        neurons = nir.LIF if "tau" in charged.neurons else nir.IF
        nodes |= {f"weights_{number}": synapses, f"neurons_{number}": neurons(**charged.neurons)}
        unit = charged.unit
    nodes["output"] = nir.Output(output_type={"output": np.array([model.layers[-1].n_neurons])})
    said = {"reader": reader.title, "impulses": STEPS.format(reader=reader, dt=dt), "unit_of_potential": unit}
    return nir.NIRGraph(nodes=nodes, edges=list(itertools.pairwise(nodes)), metadata=metadata_of(model, dt) | said)


def nodes_of(model: Readout, number: int, step: np.float32) -> dict[str, Any]:
    """Return the nodes of a layer by name, from the lowest."""
    nir, layer = nir_package(), model.layers[number]
    weights, thresholds, tau = (
        deciding_weights(model, number, "exported"),
        np.array(layer.thresholds),
        time_constant(model, number),
    )
    last = number == len(model.layers) - 1
    v_reset = np.zeros_like(thresholds) if last else reset_of(weights, layer.max_time, tau)
    if weights.ndim == 4:
        return convolution_of(model, weights, (thresholds, v_reset), step)
    if number == 1 and is_convolution(model):  # whose units are in the order row, column, filter
        below = model.layers[0].config.output_shape(model.input_shape)
        weights = weights.reshape(-1, *below).transpose(0, 3, 1, 2).reshape(weights.shape)
    return {
        f"weights_{number}": nir.Linear(weight=np.array(weights)),
        f"neurons_{number}": neurons_of(thresholds, v_reset, tau, step),
    }


def convolution_of(
    model: Readout, weights: np.ndarray, levels: tuple[np.ndarray, np.ndarray], step: np.float32
) -> dict[str, Any]:
    """Return the nodes of a convolution, whose filters have these thresholds and reset potentials."""
    nir, settings = nir_package(), model.layers[0].config
    rows, columns, _ = images_of(model)
    n_filters, pool = len(weights), settings.pool
    positions = n_filters, *settings.positions((rows, columns))
    thresholds, v_reset = (np.broadcast_to(level[:, None, None], positions).copy() for level in levels)
    nodes = {
        "weights_0": nir.Conv2d(
            input_shape=(rows, columns),
            weight=np.ascontiguousarray(weights.transpose(0, 3, 1, 2)),
            stride=1,
            padding=settings.padding,
            dilation=1,
            groups=1,
            bias=np.zeros(n_filters, REAL),
        ),
        "neurons_0": neurons_of(thresholds, v_reset, math.inf, step),
    }
    units = n_filters, positions[1] // pool, positions[2] // pool
    if pool > 1:
        # One spike of any position is enough, and the deepest reset keeps those of the others from another one.
        sizes = np.array([pool, pool])
        half, depth = np.full(units, 0.5, REAL), np.full(units, -2.0 * pool * pool, REAL)
        nodes["pool_0"] = nir.SumPool2d(kernel_size=sizes, stride=sizes, padding=np.array([0, 0]))
        nodes["units_0"] = neurons_of(half, depth, math.inf, step)
    nodes["flatten_0"] = nir.Flatten(input_type={"input": np.array(units)}, start_dim=0, end_dim=-1)
    return nodes


def neurons_of(thresholds: np.ndarray, v_reset: np.ndarray, tau: float, step: np.float32) -> Any:
    """Return the node of neurons whose potentials leak with ``tau``."""
    nir = nir_package()
    ones = np.ones_like(thresholds)
    if tau == math.inf:
        return nir.IF(r=ones / step, v_threshold=thresholds, v_reset=v_reset)
    taus = ones * REAL.type(max(tau, float(np.finfo(REAL).tiny)))
    leak = np.zeros_like(thresholds)
    return nir.LIF(tau=taus, r=taus * (ones / step), v_leak=leak, v_threshold=thresholds, v_reset=v_reset)


def metadata_of(model: Readout, dt: float | None) -> dict[str, Any]:
    """Return what a graph cannot say; see `to_nir`."""
    return {
        "format": EXPORT_FORMAT,
        "time": TIME,
        "input": INPUT,
        "impulses": IMPULSES if dt is None else PULSES.format(dt=dt),
        "one_spike": ONE_SPIKE,
        "read_out": READ_OUT,
        **({"convolution": CONVOLUTION, "units": UNITS} if is_convolution(model) else {}),
        "max_time": model.max_time,
        **({} if dt is None else {"dt": dt}),
        "class_of_neuron": class_of_neuron(model),
        "classes": json.dumps(plain_names(model.classes)),
        "settings": json.dumps(model.config.to_dict()),
        "seed": model.seed,
        "versions": json.dumps({"spikenn_cy": __version__, "numpy": np.__version__, "nir": nir_package().__version__}),
    }


def reset_of(weights: np.ndarray, max_time: float, tau: float) -> np.ndarray:
    """Return a reset potential for each neuron or filter from which none gets above its threshold before the end.

    Each input can still raise it once, and a leak has until then to bring it back up.
    """
    lift = np.maximum(weights, 0).sum(axis=tuple(range(1, weights.ndim)), dtype=float)
    depth = 2 * lift * math.exp(min(max_time / tau, math.log(DEEPEST)))
    lowest: np.ndarray = -np.minimum(depth, DEEPEST).astype(REAL)
    return lowest


def nir_package(where: str = "export") -> Any:
    """Return the package ``nir``, or say what to install."""
    with extra("nir", where=where):
        import nir
    return nir


def nir_bytes(model: Readout, dt: float | None, reader: str | None = None) -> bytes:
    """Return the content of a ``.nir`` file."""
    content = io.BytesIO()  # HDF5 reads what it has written, which a file that is only written to does not let it
    nir_package().write(content, to_nir(model, dt=dt, reader=reader))
    if reader is not None:
        without_resets(content)
    return content.getvalue()


def without_resets(content: io.BytesIO) -> None:
    """Take the reset potentials, which are 0, out of a file: nir before 1.0.6 refuses what it does not know."""
    with extra("nir", where="export"):
        import h5py
    with h5py.File(content, "a") as file:
        for node in file["node/nodes"].values():
            if "v_reset" in node:
                del node["v_reset"]
