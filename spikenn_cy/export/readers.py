"""What simulators make of a graph, without which a file would mean one thing and what reads it compute another.

To add one: give it a row in ``GRAPH_READERS``, and ``benchmarks/exchange.py`` what runs a file in it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spikenn_cy.dtypes import REAL
from spikenn_cy.errors import DataError

Array = npt.NDArray[np.float32]

NO_LEAK = 2.0**26  # steps of a time constant after which nothing is missing in single precision
MOST_LEAK = 14.0  # exponents of e a step, which leaves a millionth: no time constant may be as short as the step


class Charged(NamedTuple):
    """A layer as a reader has to be given it.

    Attributes
    ----------
    weights : ndarray of float32, shape (n_neurons, n_inputs)
    bias : ndarray of float32, shape (n_neurons,), or None
        Of 0, for a reader that knows no layer without.
    neurons : dict of str to ndarray of float32, shape (n_neurons,)
        Parameters of the neurons; with ``tau`` they leak.
    unit : ndarray of float64, shape (n_neurons,)
        What a potential of 1 there is here.
    """

    weights: Array
    bias: Array | None
    neurons: dict[str, Array]
    unit: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Reader:
    """A row of ``GRAPH_READERS``: how a simulator reads a graph.

    All of them take a spike for a current of 1 for one step, and a reset potential for 0.

    Attributes
    ----------
    title : str
        Its name, with the version that was looked at.
    step : float
        Length of its step, in its unit of time.
    tau : callable
        Returns the time constant, in steps, with which a potential decays by ``exp(-leak)`` a step.
    affine : bool
        Whether it reads no ``Linear``.
    leaky : bool
        Whether it reads no ``IF`` as such.
    ignores_r : bool
        Whether a current of 1 raises a potential by 1 (``IF``) or by step / ``tau`` (``LIF``), whatever ``r`` says.
    one_threshold : bool
        Whether all neurons of a layer have one threshold.
    at_threshold : bool
        Whether a neuron spikes when its potential equals its threshold.
    """

    title: str
    step: float
    tau: Callable[[float], float]
    affine: bool = False
    leaky: bool = False
    ignores_r: bool = False
    one_threshold: bool = False
    at_threshold: bool = False

    def layer(self, weights: Array, thresholds: Array, tau: float, dt: float) -> Charged:
        """Return a layer in such units and parameters that this reader computes in a step what happens here in ``dt``.

        Parameters
        ----------
        weights : ndarray of float32, shape (n_neurons, n_inputs)
        thresholds : ndarray of float32, shape (n_neurons,)
        tau : float
            Time constant of the leak, infinite without one.
        dt : float
            What a step of the reader is here.

        Raises
        ------
        DataError
            If there is a threshold of 0 among others where all have to be one.
        """
        unit = np.ones(len(thresholds))
        if self.one_threshold and np.unique(thresholds).size > 1:
            for neuron in np.flatnonzero(thresholds == 0)[:1]:
                raise DataError(f"thresholds[{neuron}]: must be > 0 to be written for {self.title}, got 0")
            unit = thresholds.astype(float)
        levels = (thresholds / unit).astype(REAL)
        if self.at_threshold:
            levels = np.nextafter(levels, REAL.type(np.inf))
        factors, resistance, neurons = 1 / unit, 1 / self.step, {}
        if self.leaky or tau != math.inf:
            leak = min(dt / tau, MOST_LEAK)
            n_steps = min(self.tau(leak), NO_LEAK) if leak > 0 else NO_LEAK
            neurons = {"tau": np.full_like(levels, n_steps * self.step), "v_leak": np.zeros_like(levels)}
            resistance = n_steps
            if self.ignores_r:
                factors, resistance = factors * n_steps, 1.0
        elif self.ignores_r:
            resistance = 1.0
        neurons |= {"r": np.full_like(levels, resistance), "v_threshold": levels}
        scaled = weights if (factors == 1).all() else (weights * factors[:, None]).astype(REAL)
        return Charged(scaled, np.zeros_like(levels) if self.affine else None, neurons, unit)


def relative(leak: float) -> float:
    """Return the time constant, in steps, of a decay by ``1 - 1 / tau`` a step."""
    return -1 / math.expm1(-leak)


def exponential(leak: float) -> float:
    """Return the time constant, in steps, of a decay by ``exp(-1 / tau)`` a step."""
    return 1 / leak


GRAPH_READERS = {
    "snntorch": Reader("snnTorch 1.0", 1e-4, relative, leaky=True, one_threshold=True),
    "norse": Reader("Norse 1.1", 1e-3, relative, affine=True, ignores_r=True),
    "sinabs": Reader("Sinabs 3.1", 1.0, exponential, affine=True, leaky=True, at_threshold=True),
    "spikingjelly": Reader("SpikingJelly 2.0", 1e-4, relative, one_threshold=True, at_threshold=True),
}
