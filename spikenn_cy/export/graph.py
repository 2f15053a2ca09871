"""The layers that a graph of other software stands for, or the first node that stands for something else, and why."""

import math
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spikenn_cy.dtypes import REAL
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.utils.validation import real_array

Array = npt.NDArray[np.float32]
Node = tuple[str, Any]

SAME = 1e-6  # relative, of numbers that single precision has rounded
SYNAPSES, NEURONS = ("Linear", "Affine"), ("IF", "LIF")


class GraphLayer(NamedTuple):
    """A layer of a graph in the units of this package.

    Attributes
    ----------
    place : str
        Its node of neurons, for messages.
    weights : ndarray of float32, shape (n_neurons, n_inputs)
        By which a spike raises the potential.
    thresholds, v_reset : ndarray of float32, shape (n_neurons,)
    tau : float
        Time constant of the leak; infinite without one.
    """

    place: str
    weights: Array
    thresholds: Array
    v_reset: Array
    tau: float


def layers_of(graph: Any, step: float, place: str) -> list[GraphLayer]:
    """Return the layers of a graph, from the lowest.

    Parameters
    ----------
    graph : nir.NIRGraph
    step : float
        How long the current of 1 lasts that a spike is; 1 if it is an impulse of area 1.
    place : str
        Of the graph, for messages.

    Raises
    ------
    DataError
        If it is more than a chain of fully connected layers of integrate-and-fire neurons.
    """
    (_, first), *nodes = chain_of(graph, place)
    shape = np.ravel(next(iter(first.input_type.values()))).astype(int)
    n_units, is_flat, layers = math.prod(shape.tolist()), len(shape) == 1, list[GraphLayer]()
    while kind_of(nodes[0][1]) == "Flatten" and not layers:
        require_flattening(nodes.pop(0), shape, place)
        is_flat = True
    while len(nodes) > 1:
        name, synapses = nodes.pop(0)
        require_kind((name, synapses), SYNAPSES, place)
        rule = "must be behind a Flatten, since inputs have several axes"
        require(is_flat, at(place, name), rule, tuple(shape.tolist()), DataError)
        weights = weights_of((name, synapses), n_units, place)
        require_kind(nodes[0], NEURONS, place)
        layers.append(charged(weights, nodes.pop(0), step, place))
        n_units = len(weights)
    require(len(layers) > 0, place, "must have a layer of neurons between Input and Output", 0, DataError)
    return layers


def chain_of(graph: Any, place: str) -> list[Node]:
    """Return the nodes of a graph from its input to its output, or say where it is more than a chain."""
    ends = {}
    for kind in ("Input", "Output"):
        names = [name for name, node in graph.nodes.items() if kind_of(node) == kind]
        require(len(names) == 1, place, f"must have one {kind}", names, DataError)
        ends[kind] = names[0]
    after: dict[str, list[str]] = {name: [] for name in graph.nodes}
    for source, target in sorted(set(graph.edges)):
        for name in (source, target):
            require(name in after, place, "must have edges between nodes of its own", name, DataError)
        after[source].append(target)
    names, name = [ends["Input"]], ends["Input"]
    while name != ends["Output"]:
        rule = "must have one node behind it, no branch and no recurrence"
        require(len(after[name]) == 1, at(place, name), rule, after[name], DataError)
        name = after[name][0]
        rule = "must not be behind itself, since a network has no recurrence"
        require(name not in names, at(place, name), rule, names, DataError)
        names.append(name)
    for name in graph.nodes:
        rule = "must be between the Input and the Output, a network has no other node"
        require(name in names, at(place, name), rule, kind_of(graph.nodes[name]), DataError)
    require(not after[names[-1]], at(place, names[-1]), "must have no node behind it", after[names[-1]], DataError)
    return [(name, graph.nodes[name]) for name in names]


def kind_of(node: Any) -> str:
    """Return the name of a node's type."""
    return type(node).__name__


def at(place: str, name: str) -> str:
    """Return the place of a node for a message."""
    return f"{place}: node {name}"


def require_kind(node: Node, kinds: Sequence[str], place: str) -> None:
    """Raise `DataError` unless a node is of one of the kinds that can stand where it stands."""
    found = kind_of(node[1])
    if found not in kinds:
        rule = f"must be {' or '.join(kinds)}, of a network of fully connected layers"
        raise DataError(f"{at(place, node[0])}: {rule}, got {found}")


def require_flattening(node: Node, shape: npt.NDArray[Any], place: str) -> None:
    """Raise `DataError` unless a ``Flatten`` leaves one axis of inputs of this shape."""
    axes = int(node[1].start_dim), int(node[1].end_dim) % len(shape)
    require(axes == (0, len(shape) - 1), at(place, node[0]), "must flatten all axes of the input", axes, DataError)


def weights_of(node: Node, n_inputs: int, place: str) -> npt.NDArray[np.float64]:
    """Return the weights of a ``Linear``, or of an ``Affine`` whose bias is 0."""
    name, synapses = node
    weights, place = np.asarray(synapses.weight), at(place, name)
    if weights.ndim != 2 or weights.shape[1] != n_inputs or weights.size == 0:
        raise DataError(f"{place}: weight must have the shape (neurons, {n_inputs}), got {weights.shape}")
    bias = getattr(synapses, "bias", None)
    if bias is not None:
        bias = real_array(np.ravel(bias), f"{place}: bias", (np.size(bias),)).astype(float)
        rule = "must be 0, since nothing but spikes raises a potential"
        require_all(bias == 0, f"{place}: bias", rule, bias)
    return real_array(weights, f"{place}: weight", weights.shape).astype(float)


def charged(weights: npt.NDArray[np.float64], node: Node, step: float, place: str) -> GraphLayer:
    """Return a layer of weights and a node of neurons, each spike of whose inputs is a current of 1 for ``step``."""
    name, neurons = node
    place, n_neurons = at(place, name), len(weights)
    leaky = kind_of(neurons) == "LIF"
    named = ("r", "v_threshold", "v_reset", *(("tau", "v_leak") if leaky else ()))
    given = {key: vector(getattr(neurons, key, None), n_neurons, f"{place}: {key}") for key in named}
    thresholds = given["v_threshold"].astype(REAL)
    require_all(thresholds > 0, f"{place}: v_threshold", "must be > 0", given["v_threshold"])
    scale, tau = given["r"] * step, math.inf
    if leaky:
        rule = "must be 0, to which all potentials leak here"
        require_all(given["v_leak"] == 0, f"{place}: v_leak", rule, given["v_leak"])
        require_all(given["tau"] > 0, f"{place}: tau", "must be > 0", given["tau"])
        tau = float(given["tau"][0])
        rule = "must be one for all neurons of a layer"
        require_all(np.isclose(given["tau"], tau, rtol=SAME, atol=0), f"{place}: tau", rule, given["tau"])
        scale = scale / given["tau"]
    scale[np.abs(scale - 1) <= SAME] = 1  # it was meant to be
    with np.errstate(over="ignore"):
        raised = (weights * scale[:, None]).astype(REAL)
    require_all(np.isfinite(raised).all(axis=1), f"{place}: r", "must give weights of single precision", given["r"])
    return GraphLayer(place, raised, thresholds, given["v_reset"].astype(REAL), tau)


def vector(values: Any, n_neurons: int, place: str) -> npt.NDArray[np.float64]:
    """Return a parameter of each neuron, of which a node may have one for all."""
    array = np.asarray(0.0 if values is None else values)
    shape = (n_neurons,) if array.size == 1 else array.shape
    require(shape == (n_neurons,), place, f"must be one number, or one for each of {n_neurons}", array.shape, DataError)
    array = np.broadcast_to(np.ravel(array), shape)
    real_array(array, place, shape)  # which refuses what is no number
    return array.astype(float)


def require_all(ok: npt.ArrayLike, place: str, rule: str, found: npt.NDArray[np.float64]) -> None:
    """Raise `DataError` with the first value that is not ``ok``."""
    for position in np.flatnonzero(np.logical_not(ok))[:1]:
        raise DataError(f"{place}[{position}]: {rule}, got {found[position]:g}")
