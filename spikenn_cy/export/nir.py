"""Networks as graphs in the Neuromorphic Intermediate Representation, which simulators and neuromorphic chips read."""

import io
import itertools
import json
import math
from typing import Any

import numpy as np

from spikenn_cy.data.arrays import end_of_time
from spikenn_cy.dtypes import REAL
from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.export.description import EXPORT_FORMAT
from spikenn_cy.export.description import INPUT
from spikenn_cy.export.description import READ_OUT
from spikenn_cy.export.description import TIME
from spikenn_cy.export.description import class_of_neuron
from spikenn_cy.export.description import classes_of
from spikenn_cy.export.description import time_constant
from spikenn_cy.layers.face import NetworkLayer
from spikenn_cy.network.layer import Layer
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
ONE_SPIKE = (
    "Neurons whose spikes go to another layer are reset so far down (v_reset) that they do not spike again before "
    "max_time. Those of the last layer are reset to 0; all but the first of their spikes are to be ignored."
)
DEEPEST = 1e30  # of a reset potential: far enough from the end of float32 for others to compute with it


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
        for neuron in np.flatnonzero(layer.thresholds < 0)[:1]:
            place, found = f"thresholds[{neuron}] of network[{number}]", layer.thresholds[neuron]
            raise DataError(f"{place}: must be >= 0 for a neuron to wait for its input, got {found}")
        nodes[f"weights_{number}"] = nir.Linear(weight=np.array(layer.weights))
        last = number == len(model.layers) - 1
        nodes[f"neurons_{number}"] = neurons_of(layer, time_constant(model, number), REAL.type(step), last)
    nodes["output"] = nir.Output(output_type={"output": np.array([model.layers[-1].n_neurons])})
    return nir.NIRGraph(nodes=nodes, edges=list(itertools.pairwise(nodes)), metadata=metadata_of(model, dt))


def neurons_of(layer: Layer | NetworkLayer, tau: float, step: np.float32, last: bool) -> Any:
    """Return the node of a layer's neurons, the network's last ones perhaps, whose potentials leak with ``tau``."""
    nir, thresholds = nir_package(), np.array(layer.thresholds)
    ones = np.ones_like(thresholds)
    r, v_reset = ones / step, np.zeros_like(thresholds) if last else reset_of(layer, tau)
    if tau == math.inf:
        return nir.IF(r=r, v_threshold=thresholds, v_reset=v_reset)
    taus = ones * REAL.type(max(tau, float(np.finfo(REAL).tiny)))
    return nir.LIF(tau=taus, r=taus * r, v_leak=np.zeros_like(thresholds), v_threshold=thresholds, v_reset=v_reset)


def metadata_of(model: Readout, dt: float | None) -> dict[str, Any]:
    """Return what a graph cannot say; see `to_nir`."""
    return {
        "format": EXPORT_FORMAT,
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
        "versions": json.dumps({"spikenn_cy": __version__, "numpy": np.__version__, "nir": nir_package().__version__}),
    }


def reset_of(layer: Layer | NetworkLayer, tau: float) -> np.ndarray:
    """Return a reset potential for each neuron from which it does not get above its threshold before the end.

    Each input can still raise it once, and a leak has until then to bring it back up.
    """
    lift = np.maximum(layer.weights, 0).sum(axis=1, dtype=float)
    depth = 2 * lift * math.exp(min(layer.max_time / tau, math.log(DEEPEST)))
    lowest: np.ndarray = -np.minimum(depth, DEEPEST).astype(REAL)
    return lowest


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
