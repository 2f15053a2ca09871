"""Networks out of graphs, without which what was trained elsewhere could not decide here, nor become C."""

import json
import math
import os
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple
from typing import TypeVar

import numpy as np

from spikenn_cy.config import ExperimentConfig
from spikenn_cy.data.arrays import end_of_time
from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import DataError
from spikenn_cy.errors import SpikennError
from spikenn_cy.errors import require
from spikenn_cy.errors import shortened
from spikenn_cy.export.graph import SAME
from spikenn_cy.export.graph import GraphLayer
from spikenn_cy.export.graph import layers_of
from spikenn_cy.export.nir import nir_package
from spikenn_cy.export.nir import reset_of
from spikenn_cy.network.model_file import EXPORTED
from spikenn_cy.network.readout import Readout
from spikenn_cy.utils.validation import whole_number

T = TypeVar("T")


class Metadata(NamedTuple):
    """What a graph that was exported here says beside its nodes; nothing of another graph."""

    ours: bool = False
    dt: float | None = None
    max_time: float | None = None
    seed: int = 0
    classes: list[int | str] | None = None
    settings: dict[str, Any] | None = None


def from_nir(
    source: Any,
    *,
    dt: float | None = None,
    max_time: float | None = None,
    n_classes: int | None = None,
    once: bool = False,
) -> Readout:
    """Return the network that a graph in the Neuromorphic Intermediate Representation stands for.

    Parameters
    ----------
    source : path-like or nir.NIRGraph
        A chain of an ``Input``, perhaps ``Flatten``, then ``Linear`` or ``Affine`` without a bias and ``IF`` or ``LIF``
        for each layer, and an ``Output``.
    dt : float, optional
        For a graph of a simulator to which a spike is a current of 1 for one step: the length of that step, in the
        graph's unit of time. Default: what the metadata say of a graph that was exported here, else a spike is an
        impulse of area 1.
    max_time : float, optional
        When a sample ends, in the graph's unit of time. Default: what the metadata say, else 1.
    n_classes : int, optional
        Neighbouring output neurons share a class. Default: what the metadata say, else one class for each.
    once : bool, default=False
        Take neurons of hidden layers to spike once at most, as they do here, although the graph lets them spike again.

    Returns
    -------
    Readout
        With the settings that the metadata hold, if they suit, less dropout, which is in the weights. Otherwise the
        rule is ``s4nn``, which trains the last layer, and weights have the bounds that they need.

    Raises
    ------
    DataError
        If the file is no graph, or a graph stands for anything else; the message names the node and the rule.
    ConfigError
        If an option is refused, or contradicts the metadata.
    MissingExtra
        If ``nir`` is not installed.
    """
    graph, place = opened(source)
    said = metadata_of(graph, place)
    step = agreed("dt", dt, said.dt, place)
    end = agreed("max_time", max_time, said.max_time, place)
    end = end_of_time(1.0 if end is None else end, "max_time", ConfigError)
    layers = layers_of(graph, 1.0 if step is None else end_of_time(step, "dt", ConfigError), place)
    if not (once or said.ours):
        require_single_spikes(layers, end)
    n_neurons, n_names = len(layers[-1].weights), None if said.classes is None else len(said.classes)
    n_classes = agreed("n_classes", n_classes, n_names, place)
    n_classes = whole_number(n_neurons if n_classes is None else n_classes, "n_classes", 1)
    rule = f"must be a divisor of the {n_neurons} output neurons"
    require(n_neurons % n_classes == 0, "n_classes", rule, n_classes)
    n_inputs = layers[0].weights.shape[1]
    try:
        model = Readout.from_config(settings_of(layers, end, said.settings), n_inputs, n_classes, end, said.seed)
        for layer, given in zip(model.layers, layers, strict=True):
            layer.weights, layer.thresholds = given.weights, given.thresholds
        if said.classes is not None:
            model.classes = said.classes
    except SpikennError as problem:
        raise DataError(f"{place}: must be what settings and metadata allow, got {problem}") from None
    return model


def opened(source: Any) -> tuple[Any, str]:
    """Return a graph, given as such or as a file, and what messages call it."""
    nir = nir_package("import")
    if isinstance(source, nir.NIRGraph):
        return source, "graph"
    if not isinstance(source, str | os.PathLike):
        raise DataError(f"graph: must be a file or an NIRGraph, got {type(source).__name__}")
    path, rule = os.fspath(source), "must be a file with a graph in the Neuromorphic Intermediate Representation"
    try:
        with open(path, "rb"):
            graph = nir.read(path)
    except MemoryError:
        raise
    except OSError as problem:
        found = problem.strerror or "another file"
        raise DataError(f"{path}: {rule}, got {shortened(found.split(' (')[0])}") from None
    except Exception as problem:  # nir checks what it reads by assertions, and by going wrong
        raise DataError(f"{path}: {rule}, got {type(problem).__name__}: {shortened(str(problem))}") from None
    require(isinstance(graph, nir.NIRGraph), path, rule, type(graph).__name__, DataError)
    return graph, path


def metadata_of(graph: Any, place: str) -> Metadata:
    """Return what the metadata of a graph say, if they are those of `to_nir`."""
    said = graph.metadata
    if not str(said.get("format", "")).startswith(EXPORTED):
        return Metadata()
    if "reader" in said:
        rule = "must be a graph that is for any reader, of export without --reader"
        raise DataError(f"{place}: {rule}, got one for {said['reader']}")
    try:
        classes, settings = json.loads(said["classes"]), json.loads(said["settings"])
        of_neurons = np.asarray(said["class_of_neuron"])
        share = len(of_neurons) // len(classes)
        if not np.array_equal(of_neurons, np.arange(len(of_neurons)) // share):
            raise ValueError("classes of other neurons")
        for layer in settings["network"]:
            if "dropout" in layer:
                layer["dropout"] = 0.0  # weights are those with which the network decides
        step = None if said.get("dt") is None else float(said["dt"])
        return Metadata(True, step, float(said["max_time"]), int(said["seed"]), classes, settings)
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as problem:
        found = f"{type(problem).__name__}: {shortened(str(problem))}"
        raise DataError(f"{place}: metadata must be as export writes them, got {found}") from None


def agreed(name: str, given: T | None, said: T | None, place: str) -> T | None:
    """Return an option or what the metadata say of it, which must not be two things."""
    if given is not None and said is not None and given != said:
        raise ConfigError(f"{name}: must be left out, since {place} says {said}, got {given}")
    return said if given is None else given


def require_single_spikes(layers: Sequence[GraphLayer], max_time: float) -> None:
    """Raise `DataError` unless resets keep all hidden neurons from spiking twice in a sample of single input spikes."""
    for layer in layers[:-1]:
        lowest = reset_of(layer.weights, max_time, layer.tau) / 2
        for neuron in np.flatnonzero(layer.v_reset > lowest)[:1]:
            rule = f"must be at most {lowest[neuron]:g}, since a neuron spikes once at most here (once takes it so)"
            raise DataError(f"{layer.place}: v_reset[{neuron}]: {rule}, got {layer.v_reset[neuron]:g}")


def settings_of(layers: Sequence[GraphLayer], max_time: float, recorded: dict[str, Any] | None) -> dict[str, Any]:
    """Return the recorded settings if they are of these layers, else settings that can hold them."""
    if recorded is not None and suits(recorded, layers):
        return recorded
    network = []
    for layer in layers:
        settings = {
            "n_neurons": len(layer.weights),
            "firing_threshold": float(np.median(layer.thresholds)),
            "w_min": min(-1.0, float(layer.weights.min())),
            "w_max": max(1.0, float(layer.weights.max())),
            "leak_tau": None if layer.tau == math.inf else layer.tau,
        }
        network.append(settings)
    return {"network": network, "optimizer": {"method": "s4nn", "lr": 0.02, "t_gap": 0.3 * max_time}}


def suits(recorded: dict[str, Any], layers: Sequence[GraphLayer]) -> bool:
    """Return whether recorded settings are of as many layers, neurons and the same leaks."""
    config = ExperimentConfig.from_any(recorded)
    if len(config.network) != len(layers):
        return False
    for settings, layer in zip(config.network, layers, strict=True):
        tau = settings.neuron_model.time_constant()
        same = tau == layer.tau or abs(tau - layer.tau) <= SAME * tau
        if not (same and settings.n_neurons == len(layer.weights)):
            return False
    return True
