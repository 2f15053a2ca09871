"""Why a sample is decided as it is, spike by spike: what nobody can read off a class and a decision time."""

import math
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING
from typing import Any

import numpy as np
import numpy.typing as npt

from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.dtypes import REAL
from spikenn_cy.dtypes import STAMP
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.layers.face import NetworkLayer
from spikenn_cy.network.assembly import versions_of
from spikenn_cy.network.cost import BY_POTENTIAL
from spikenn_cy.network.cost import DECIDED_BY
from spikenn_cy.network.cost import decisions
from spikenn_cy.utils.tables import as_html
from spikenn_cy.utils.tables import as_text
from spikenn_cy.utils.validation import is_whole

if TYPE_CHECKING:
    from spikenn_cy.network.readout import Readout

Sample = SpikingDataset | Sequence[Any]
Floats = npt.NDArray[np.float32]

AXES = {2: ("row", "column"), 3: ("row", "column", "channel")}
ENDS = 15  # spikes at either end of a long table


@dataclass(frozen=True, kw_only=True, eq=False)
class Explanation:
    """The spikes that charged one neuron until it fired, in the order in which they were added.

    Attributes
    ----------
    layer, neuron : int
        Position of the layer, and which of its neurons; of a convolution, which of its units.
    time : float
        When it fired; ``max_time`` if it did not.
    fired : bool
        If not, it decides by potential alone.
    threshold : float
    predicted : int or str, or None
        Class that the neuron decides for, as ``predict`` gives it; None for hidden neurons.
    decided_by : str
        Of the output: a spike, a tie that is broken by potential, or potential alone. Empty for hidden neurons.
    inputs : ndarray of int32, shape (n_spikes,)
        Which input, or which neuron of the layer below.
    times, weights : ndarray of float32, shape (n_spikes,)
    potentials : ndarray of float32, shape (n_spikes,)
        Just after each of them was added. Thresholds are tested after the last of those of one time.
    input_shape : tuple of int
        Axes that number the inputs.
    """

    layer: int
    neuron: int
    time: float
    fired: bool
    threshold: float
    predicted: Any
    decided_by: str
    inputs: npt.NDArray[np.int32]
    times: Floats
    weights: Floats
    potentials: Floats
    input_shape: tuple[int, ...]
    _below: "Callable[[int], Explanation] | None" = field(default=None, repr=False)

    def of(self, neuron: int) -> "Explanation":
        """Return what charged a neuron of the layer below that took part.

        Parameters
        ----------
        neuron : int
            One of ``inputs``, where these are hidden neurons.

        Raises
        ------
        DataError
            If it is none of them, or if the network has changed since it was asked.
        """
        if self._below is None:
            raise DataError("neuron: must be a hidden one that took part, got an input of the network")
        ok = is_whole(neuron) and neuron in self.inputs
        require(ok, "neuron", "must be one whose spike took part, one of inputs", neuron, DataError)
        return self._below(int(neuron))

    @property
    def name(self) -> str:
        """The neuron in words."""
        return f"neuron {self.neuron} of layer {self.layer}"

    @property
    def caption(self) -> str:
        """What happened, in a line."""
        head = self.name if self.predicted is None else f"class {self.predicted}, by {self.name}"
        n, of = len(self.inputs), "" if self.decided_by in ("", DECIDED_BY[0]) else f", decided by {self.decided_by}"
        if not self.fired:
            return f"{head}{of}: {n} spikes, none over the threshold {self.threshold:.4g}"
        return f"{head}{of}: over the threshold {self.threshold:.4g} at {self.time:.4g}, with {n} spikes"

    def rows(self) -> list[list[str]]:
        """Return the spikes as a table: a head, and a row for each."""
        axes = AXES.get(len(self.input_shape))
        places = np.unravel_index(self.inputs, self.input_shape)
        head = ["time", f"neuron of layer {self.layer - 1}" if self.layer else "input", *(axes or ())]
        rows = [[*head, "weight", "potential"]]
        for k, (time, number) in enumerate(zip(self.times.tolist(), self.inputs.tolist(), strict=True)):
            where = [str(axis[k]) for axis in places] if axes else []
            rows.append([f"{time:.4g}", str(number), *where, f"{self.weights[k]:.4f}", f"{self.potentials[k]:.4f}"])
        return rows

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers, text and lists, as JSON takes them."""
        names = ("layer", "neuron", "time", "fired", "threshold", "decided_by")
        arrays = ("inputs", "times", "weights", "potentials")
        predicted = self.predicted.item() if isinstance(self.predicted, np.generic) else self.predicted
        return {
            **{name: getattr(self, name) for name in names},
            "predicted": predicted,
            **{name: getattr(self, name).tolist() for name in arrays},
            "input_shape": list(self.input_shape),
        }

    def __str__(self) -> str:
        lines = as_text(self.rows()).splitlines()
        if len(lines) > 2 * ENDS + 1:
            lines[ENDS + 1 : -ENDS] = ["..."]
        return "\n".join([self.caption, *lines])

    def _repr_html_(self) -> str:
        return as_html(self.caption, self.rows())


def one_sample(sample: Sample, model: "Readout") -> SpikingDataset:
    """Return a data set of one sample, of what a user gave as a sample.

    Raises
    ------
    DataError
        If it is none.
    """
    if isinstance(sample, SpikingDataset):
        require(len(sample) == 1, "sample", "must be one sample, such as dataset[3:4]", f"{len(sample)}", DataError)
        return sample
    ok = isinstance(sample, tuple | list) and len(sample) in (2, 3)
    rule = "must be a data set of one sample, or (indices, timestamps) as dataset[3] has them"
    if not ok:
        raise DataError(f"sample: {rule}, got {type(sample).__name__}")
    try:
        n_spikes = len(sample[0])
    except TypeError:
        raise DataError(f"sample: {rule}, got indices that are no array") from None
    sizes = model.n_inputs, model.max_time, None, model.input_shape
    return SpikingDataset([0, n_spikes], sample[0], sample[1], None, *sizes)


def explained(model: "Readout", sample: SpikingDataset) -> Explanation:
    """Return why the one sample of a data set is decided as it is."""
    spikes = [model.first_spikes(sample, layer=position) for position in range(len(model.layers))]
    times, potentials = spikes[-1]
    (number,), (end,), (way,) = decisions(times, potentials, model.n_classes, model.max_time)
    winner = int(np.where(times[0] == end, potentials[0], -np.inf).argmax())
    return _Asked(model, sample, [found[0] for found, _ in spikes]).about(
        len(spikes) - 1, winner, model.classes[number], int(way)
    )


def output_potentials(model: "Readout", sample: SpikingDataset) -> list[Explanation]:
    """Return what charged each output neuron until it fired, or until the sample's end.

    Parameters
    ----------
    model : Readout
    sample : SpikingDataset
        Of one sample, as `one_sample` returns it.
    """
    spikes = [model.first_spikes(sample, layer=position)[0][0] for position in range(len(model.layers))]
    silent = spikes[-1] >= STAMP.type(model.max_time)
    asked = _Asked(model, sample, spikes)
    ways = [BY_POTENTIAL if alone else None for alone in silent]
    return [asked.about(len(spikes) - 1, neuron, way=way) for neuron, way in enumerate(ways)]


class _Asked:
    """A sample, and when the neurons of each layer fire."""

    def __init__(self, model: "Readout", sample: SpikingDataset, spikes: list[Floats]) -> None:
        self._model, self._sample, self._spikes = model, sample, spikes
        self._versions = versions_of(model.layers)

    def about(self, position: int, neuron: int, predicted: Any = None, way: int | None = None) -> Explanation:
        """Explain a neuron; ``way`` is a position in `DECIDED_BY` of the output."""
        if versions_of(self._model.layers) != self._versions:
            raise DataError("network: must be as it was when the sample was explained, got one that has changed")
        layer, time = self._model.layers[position], self._spikes[position][neuron]
        inputs, times = self._arriving(position, time)
        threshold = layer.thresholds[neuron % len(layer.thresholds)]
        for row in layer.incoming(neuron):  # of several positions, the first above the threshold has opened the unit
            weights = row[inputs] * self._kept(position)
            reach = ~np.isnan(weights)
            potentials = running_potentials(weights[reach], times[reach], self._leak(position))
            if len(potentials) and potentials[-1] > threshold:
                break
        return Explanation(
            layer=position,
            neuron=neuron,
            time=float(time),
            fired=way != BY_POTENTIAL,
            threshold=float(threshold),
            predicted=predicted,
            decided_by="" if way is None else DECIDED_BY[way],
            inputs=inputs[reach],
            times=times[reach],
            weights=weights[reach],
            potentials=potentials,
            input_shape=self._shape_below(position),
            _below=(lambda below: self.about(position - 1, below)) if position else None,
        )

    def _arriving(self, position: int, end: np.float32) -> tuple[npt.NDArray[np.int32], Floats]:
        """Return what spikes below a layer by a time, in the order in which it is added."""
        if position == 0:
            inputs, times, _ = self._sample[0]
        else:
            below = self._spikes[position - 1]
            fired = np.flatnonzero(below < STAMP.type(self._model.max_time))
            inputs = fired[np.argsort(below[fired], kind="stable")].astype(np.int32)
            times = below[inputs]
        in_time = times <= end
        return inputs[in_time], times[in_time]

    def _shape_below(self, position: int) -> tuple[int, ...]:
        layer = self._model.layers[position]
        if isinstance(layer, NetworkLayer):
            return layer.input_shape
        return self._sample.input_shape if position == 0 else (layer.n_inputs,)

    def _kept(self, position: int) -> np.float32:
        """Return the factor on weights that makes up for spikes that the layer below lost in training."""
        below = self._model.layers[position - 1] if position else None
        return REAL.type(1 - below.config.dropout if isinstance(below, NetworkLayer) else 1)

    def _leak(self, position: int) -> float:
        try:
            return self._model.layers[position].config.neuron_model.time_constant()
        except DataError:
            rule = "must integrate, and leak exponentially if at all, for its potential to be followed"
            raise DataError(f"network[{position}].neuron: {rule}, got another model") from None


def running_potentials(weights: Floats, times: Floats, time_constant: float) -> Floats:
    """Return the potential after each weight was added, summed in their order as kernels do.

    Parameters
    ----------
    weights, times : ndarray of float32, shape (n_spikes,)
    time_constant : float
        Of the leak; infinite without one.
    """
    if math.isinf(time_constant):
        return np.cumsum(weights, dtype=REAL)
    potentials, potential = np.empty_like(weights), REAL.type(0)
    for k, weight in enumerate(weights):
        if k and times[k] != times[k - 1]:
            potential *= REAL.type(math.exp(-(float(times[k]) - float(times[k - 1])) / time_constant))
        potential += weight
        potentials[k] = potential
    return potentials
