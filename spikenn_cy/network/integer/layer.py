"""A layer in whole numbers, whose sums are seen to fit into 32 bits before anything computes with it."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spikenn_cy.errors import DataError
from spikenn_cy.layers.conv import ConvConfig
from spikenn_cy.network.integer._network import ConvIntegers
from spikenn_cy.network.integer._network import DenseIntegers
from spikenn_cy.network.integer._network import IntegerKernel
from spikenn_cy.utils.tables import span

WEIGHT = np.dtype(np.int8)
POTENTIAL = np.dtype(np.int32)  # of thresholds too
LARGEST = int(np.iinfo(POTENTIAL).max)  # potential
BITS = range(2, 9)  # of a weight
THRESHOLD_BYTES = POTENTIAL.itemsize
POWER = 4  # of errors of weights, whose sum chooses the unit


@dataclass(frozen=True, eq=False, repr=False)
class IntegerLayer:
    """Integrate-and-fire neurons whose weights, thresholds and potentials are whole numbers.

    Attributes
    ----------
    weights : ndarray of int8
        Of shape (n_neurons, n_inputs), or (n_filters, kernel_size, kernel_size, channels) of a convolution.
    thresholds : ndarray of int32, shape (n_neurons,) or (n_filters,)
        A neuron fires when its potential is above.
    exponent : int
        One unit of both is ``2 ** exponent`` of the weights that they were made of.
    input_shape : tuple of int
    conv : ConvConfig or None
        Settings of a convolution; None: every neuron has a weight from every input.
    """

    weights: npt.NDArray[np.int8]
    thresholds: npt.NDArray[np.int32]
    exponent: int
    input_shape: tuple[int, ...]
    conv: ConvConfig | None = None

    def __post_init__(self) -> None:
        require_room(self.weights)
        for array in (self.weights, self.thresholds):
            array.flags.writeable = False

    def __repr__(self) -> str:
        sizes = f"{self.n_inputs:,} inputs -> {self.n_neurons:,} neurons"
        values = f"weights {span(self.weights)}, thresholds {span(self.thresholds)}"
        return f"<{type(self).__name__} {sizes}, {values}, unit 2^{self.exponent}>"

    @property
    def scale(self) -> float:
        """What one unit of weights, thresholds and potentials is."""
        return math.ldexp(1.0, self.exponent)

    @property
    def n_inputs(self) -> int:
        """Number of inputs."""
        return math.prod(self.input_shape)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of the units that the layer above sees."""
        return (len(self.weights),) if self.conv is None else self.conv.output_shape(self.input_shape)

    @property
    def n_neurons(self) -> int:
        """Number of units that the layer above sees."""
        return math.prod(self.output_shape)

    @property
    def image(self) -> tuple[int, int, int]:
        """Rows, columns and channels of the inputs of a convolution."""
        rows, columns, n_channels = (*self.input_shape, 1)[:3]
        return rows, columns, n_channels

    def by_input(self) -> npt.NDArray[np.int8]:
        """Return the weights in the order in which spikes read them.

        Returns
        -------
        ndarray of int8
            Of shape (n_inputs, n_neurons), or (channels, kernel_size, kernel_size, n_filters) of a convolution, where
            entry ``[c, dy, kernel_size - 1 - dx, f]`` is ``weights[f, dy, dx, c]``: the weights by which an input
            charges neighbouring positions are neighbours.
        """
        by_input = self.weights.T if self.conv is None else self.weights.transpose(3, 1, 2, 0)[:, :, ::-1]
        return np.ascontiguousarray(by_input)

    def kernel(self) -> IntegerKernel:
        """Return the compiled layer, for one thread."""
        if self.conv is None:
            return DenseIntegers(self.by_input(), self.thresholds)
        return ConvIntegers(self.image, (self.conv.padding, self.conv.pool), self.by_input(), self.thresholds)


def require_room(weights: npt.NDArray[np.int8]) -> None:
    """Raise `DataError` if the potential of a neuron could go beyond 32 bits, whatever inputs spike."""
    axes = tuple(range(1, weights.ndim))
    sums = np.abs(weights, dtype=np.int16).sum(axis=axes, dtype=np.int64)
    over = np.flatnonzero(sums > LARGEST)
    if len(over):
        place, rule = f"weights[{over[0]}]", f"must have absolute values whose sum is at most {LARGEST}"
        raise DataError(f"{place}: {rule}, for potentials of 32 bits, got {sums[over[0]]}")


def quantised_layer(
    weights: npt.NDArray[np.float32],
    thresholds: npt.NDArray[np.float32],
    bits: int,
    input_shape: tuple[int, ...],
    conv: ConvConfig | None = None,
) -> IntegerLayer:
    """Return a layer of which each weight is the nearest whole number of units.

    A threshold follows the weights of its neuron: it is multiplied by the factor with which they are, in the sense of
    least squares, nearest to the rounded ones. With many bits that factor is close to 1; with few, clipping makes all
    weights smaller, and neurons would never fire. Then it is rounded down, which changes nothing: a whole potential is
    above a threshold exactly when it is above the whole number below that. A threshold that no potential can reach
    becomes the largest number there is.
    """
    exponent = best_exponent(weights, bits)
    units, known = in_units(weights, exponent, bits), np.ldexp(weights.astype(np.float64), -exponent)
    axes = tuple(range(1, known.ndim))
    squares = np.square(known).sum(axis=axes)
    factors = np.divide((units * known).sum(axis=axes), squares, out=np.ones(len(known)), where=squares > 0)
    levels = np.floor(np.ldexp(thresholds.astype(np.float64), -exponent) * factors)
    levels = np.clip(levels, -LARGEST - 1, LARGEST).astype(POTENTIAL)
    return IntegerLayer(units.astype(WEIGHT), levels, exponent, input_shape, conv)


def best_exponent(weights: npt.NDArray[Any], bits: int) -> int:
    """Return the exponent of the unit with which rounded weights are nearest to what they were.

    The widest candidate is the smallest unit that clips no weight. Each narrower one halves the errors of rounding and
    clips some of the largest weights; the one with the least sum of fourth powers of errors is taken, the widest of
    equals. Squares clip too much: the large weights, of which there are few, decide. No clipping at all rounds most
    weights of a bell-shaped distribution to 0 where bits are few.
    """
    known = weights.astype(np.float64).ravel()
    largest = float(np.abs(known).max(initial=0.0))
    if largest == 0:
        return 0
    widest = math.frexp(largest)[1] - bits  # the largest weight is from 2^(bits - 1) to 2^bits units, too many
    while not np.array_equal(in_units(known, widest, bits), np.rint(np.ldexp(known, -widest))):
        widest += 1
    candidates = range(widest, widest - bits - 1, -1)
    errors = [((np.ldexp(in_units(known, one, bits), one) - known) ** POWER).sum() for one in candidates]
    return candidates[int(np.argmin(errors))]


def in_units(weights: npt.NDArray[Any], exponent: int, bits: int) -> npt.NDArray[np.float64]:
    """Return weights as the nearest whole numbers of ``bits`` bits, in units of ``2 ** exponent``."""
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    units: npt.NDArray[np.float64] = np.clip(np.rint(np.ldexp(weights.astype(np.float64), -exponent)), low, high)
    return units
