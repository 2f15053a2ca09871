"""What decisions cost, counted: without it nobody could say what stopping at the first output spike saves."""

import dataclasses
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any

import numpy as np
import numpy.typing as npt

from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.dtypes import INDEX
from spikenn_cy.dtypes import OFFSET
from spikenn_cy.dtypes import REAL
from spikenn_cy.dtypes import STAMP
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.network.sharing import over_blocks
from spikenn_cy.network.sharing import threads_for
from spikenn_cy.utils.tables import as_html
from spikenn_cy.utils.tables import as_text
from spikenn_cy.utils.validation import is_real

if TYPE_CHECKING:
    from spikenn_cy.network.readout import Readout

AT_ONCE = 1 << 22  # units times samples whose spikes are held at once
UNTIL, WHOLE = 0, 1  # last axis of counts
BY_SPIKE, BY_TIE, BY_POTENTIAL = 0, 1, 2
DECIDED_BY = ("a spike", "a tie, broken by potential", "potential alone")
WEIGHT_BYTES = np.dtype(REAL).itemsize

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Spread:
    """A quantity over samples: mean, median and 95th percentile."""

    mean: float
    median: float
    p95: float

    @classmethod
    def of(cls, values: npt.NDArray[Any]) -> "Spread":
        """Return that of an array."""
        median, p95 = np.percentile(values, (50, 95))
        return cls(mean=float(values.mean(dtype=np.float64)), median=float(median), p95=float(p95))

    def times(self, factor: float) -> "Spread":
        """Return that of a quantity which is in proportion."""
        return Spread(mean=self.mean * factor, median=self.median * factor, p95=self.p95 * factor)

    def cells(self, form: str = ",.1f") -> list[str]:
        """Return the numbers as a table shows them."""
        return [format(value, form) for value in (self.mean, self.median, self.p95)]


@dataclass(frozen=True, kw_only=True)
class LayerCost:
    """What a layer has a part in; of one sample each.

    Attributes
    ----------
    n_neurons : int
        Of a convolution, its pooled units.
    spikes_until_decision, spikes : Spread
        Spikes of the layer itself, until the decision and in the whole sample.
    synaptic_operations_until_decision, synaptic_operations : Spread
        Additions of a weight to a potential of this layer.
    multiply_adds : int
        What they would be if every input were a number to be multiplied with each weight that it reaches.
    """

    n_neurons: int
    spikes_until_decision: Spread
    spikes: Spread
    synaptic_operations_until_decision: Spread
    synaptic_operations: Spread
    multiply_adds: int


@dataclass(frozen=True, kw_only=True)
class Decided:
    """Samples that are decided in one way: their share of all, and the accuracy among them, None if it is unknown."""

    share: float
    accuracy: float | None


@dataclass(frozen=True, kw_only=True)
class Energy:
    """Energy of one sample in pJ, by the prices that were given.

    Attributes
    ----------
    until_decision, whole_sample : Spread
    multiply_adds : float
        Of a dense computation of the network's size.
    """

    until_decision: Spread
    whole_sample: Spread
    multiply_adds: float


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a decision costs, as counted over samples; see `Readout.cost`.

    Attributes
    ----------
    n_samples : int
    max_time : float
        Where a sample ends.
    decision_time : Spread
        Time of the first output spike, ``max_time`` where there is none.
    input_spikes_until_decision, input_spikes : Spread
        Until the decision those of its very time included, and in the whole sample.
    layers : tuple of LayerCost
        From the first to the output.
    synaptic_operations_until_decision, synaptic_operations : Spread
        Additions of a weight to a potential, in all layers. A spike costs one for each neuron that it reaches, also
        for neurons that have fired; in a convolution, for each position of each filter that belongs to a unit.
    multiply_adds : int
        What a network of dense activations of this size takes for a sample.
    weight_bytes_until_decision, weight_bytes : Spread
        Read for these additions, each from memory.
    by_spike, by_tie, by_potential : Decided
        Samples of which one class has the first spike; of which several have, so that the potential decides between
        them; and of which no output neuron fires, so that the potential alone decides.
    accuracy, first_spike_accuracy : float or None
        Of all decisions, and what is right by first spikes alone, if ties and silence count as not decided. None for
        unlabelled data.
    """

    n_samples: int
    max_time: float
    decision_time: Spread
    input_spikes_until_decision: Spread
    input_spikes: Spread
    layers: tuple[LayerCost, ...]
    synaptic_operations_until_decision: Spread
    synaptic_operations: Spread
    multiply_adds: int
    weight_bytes_until_decision: Spread
    weight_bytes: Spread
    by_spike: Decided
    by_tie: Decided
    by_potential: Decided
    accuracy: float | None
    first_spike_accuracy: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers, lists and dicts, as JSON takes them."""
        found = dataclasses.asdict(self)
        found["layers"] = list(found["layers"])
        return found

    def energy(self, *, add: float, mac: float, byte: float = 0.0) -> Energy:
        """Return what one sample takes, in pJ, at the prices of a technology.

        Parameters
        ----------
        add, mac : float
            Of an addition and of a multiply-add, in pJ, >= 0. Horowitz (2014) has 0.9 and 4.6 for numbers of 32 bits
            with a floating point, at 45 nm.
        byte : float, default=0
            Of a byte of weights that is read, in pJ, >= 0. 0 leaves out what memory takes, which may be most of it.

        Raises
        ------
        DataError
            If a price is no such number.
        """
        for name, value in (("add", add), ("mac", mac), ("byte", byte)):
            require(is_real(value) and 0 <= value < np.inf, name, "must be a number >= 0, in pJ", value, DataError)
        price = add + WEIGHT_BYTES * byte
        return Energy(
            until_decision=self.synaptic_operations_until_decision.times(price),
            whole_sample=self.synaptic_operations.times(price),
            multiply_adds=float(self.multiply_adds * (mac + WEIGHT_BYTES * byte)),
        )

    def rows(self) -> list[list[str]]:
        """Return counts of one sample as a table: a head, and rows of mean, median and 95th percentile."""
        rows = [
            ["of one sample", "mean", "median", "95 %"],
            ["decision time", *self.decision_time.cells(".4g")],
            ["input spikes until the decision", *self.input_spikes_until_decision.cells()],
            ["  in the whole sample", *self.input_spikes.cells()],
        ]
        for position, layer in enumerate(self.layers):
            rows.append([f"spikes of layer {position} until the decision", *layer.spikes_until_decision.cells()])
            rows.append(["  in the whole sample", *layer.spikes.cells()])
        dense = f"{self.multiply_adds:,}"
        return [
            *rows,
            ["synaptic operations until the decision", *self.synaptic_operations_until_decision.cells()],
            ["  in the whole sample", *self.synaptic_operations.cells()],
            ["  multiply-adds of dense layers", dense, dense, dense],
            ["weight bytes read until the decision", *self.weight_bytes_until_decision.cells()],
            ["  in the whole sample", *self.weight_bytes.cells()],
        ]

    def rows_of_decisions(self) -> list[list[str]]:
        """Return what decides as a table: a head, and rows of share and accuracy in percent."""
        ways = zip(DECIDED_BY, (self.by_spike, self.by_tie, self.by_potential), strict=True)
        rows = [["decided by", "share (%)", "accuracy (%)"]]
        rows += [[name, f"{100 * way.share:.2f}", _percent(way.accuracy)] for name, way in ways]
        rows.append(["all", "100.00", _percent(self.accuracy)])
        return [*rows, ["first spikes alone, of all", "", _percent(self.first_spike_accuracy)]]

    @property
    def caption(self) -> str:
        """A line on what was counted."""
        return f"{self.n_samples:,} samples; a sample ends at {self.max_time:g}"

    def __str__(self) -> str:
        return f"{self.caption}\n{as_text(self.rows())}\n\n{as_text(self.rows_of_decisions())}"

    def _repr_html_(self) -> str:
        return as_html(self.caption, self.rows()) + as_html("What decides", self.rows_of_decisions())


def rows_of_energy(energy: Energy) -> list[list[str]]:
    """Return energies as a table, in nJ."""
    dense = f"{energy.multiply_adds / 1000:,.3f}"
    return [
        ["energy of one sample (nJ)", "mean", "median", "95 %"],
        ["until the decision", *energy.until_decision.times(1e-3).cells(",.3f")],
        ["in the whole sample", *energy.whole_sample.times(1e-3).cells(",.3f")],
        ["multiply-adds of dense layers", dense, dense, dense],
    ]


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What was counted, sample by sample.

    Attributes
    ----------
    classes : ndarray of int32, shape (n_samples,)
        Number of the class that is decided.
    times : ndarray of float32, shape (n_samples,)
        Of the decisions.
    ways : ndarray of int32, shape (n_samples,)
        A position in `DECIDED_BY`.
    inputs : ndarray of int64, shape (n_samples, 2)
        Input spikes until the decision, and in the whole sample.
    spikes, operations : ndarray of int64, shape (n_samples, n_layers, 2)
        Likewise, of each layer.
    """

    classes: npt.NDArray[np.int32]
    times: Floats
    ways: npt.NDArray[np.int32]
    inputs: npt.NDArray[np.int64]
    spikes: npt.NDArray[np.int64]
    operations: npt.NDArray[np.int64]

    @property
    def until_decision(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Of each sample, the spikes that all layers take in until the decision, and the additions for them."""
        taken = self.inputs[:, UNTIL] + self.spikes[:, :-1, UNTIL].sum(axis=1)
        return taken, self.operations[:, :, UNTIL].sum(axis=1)


def counts_of(model: "Readout", dataset: SpikingDataset, n_threads: int = 1) -> Counts:
    """Count, some samples at a time so that memory is bounded.

    Parameters
    ----------
    model : Readout
    dataset : SpikingDataset
        That suits the network; its labels are not looked at.
    n_threads : int, default=1
    """
    n, n_layers = len(dataset), len(model.layers)
    counts = Counts(
        classes=np.empty(n, INDEX),
        times=np.empty(n, STAMP),
        ways=np.empty(n, INDEX),
        inputs=np.empty((n, 2), OFFSET),
        spikes=np.empty((n, n_layers, 2), OFFSET),
        operations=np.empty((n, n_layers, 2), OFFSET),
    )
    widest = max(model.n_inputs, *(layer.n_neurons for layer in model.layers))
    in_blocks(dataset, widest, n_threads, lambda part: _count(model, dataset[part], _part(counts, part)))
    return counts


def in_blocks(dataset: SpikingDataset, n_units: int, n_threads: int, work: Callable[[slice], None]) -> None:
    """Do ``work`` for as many samples as may be looked at together, each of so many units, several at a time."""
    n_threads = threads_for(dataset, n_threads)
    over_blocks(len(dataset), max(1, AT_ONCE // (n_units * n_threads)), n_threads, lambda: work)


def _part(counts: Counts, part: slice) -> Counts:
    return Counts(**{field.name: getattr(counts, field.name)[part] for field in dataclasses.fields(counts)})


def _count(model: "Readout", dataset: SpikingDataset, counts: Counts) -> None:
    """Count in a block of samples, from the output, whose spikes say when each is decided, down to the inputs."""
    times, potentials = model.first_spikes(dataset)
    counts.classes[:], counts.times[:], counts.ways[:] = decisions(times, potentials, model.n_classes, model.max_time)
    in_time, charged = counts.times[:, None], [layer.fan_out for layer in model.layers]
    for position in range(len(model.layers) - 1, -1, -1):
        if position < len(model.layers) - 1:
            times, _ = model.first_spikes(dataset, layer=position)
        spikes = times < STAMP.type(model.max_time)
        for column, counted in ((WHOLE, spikes), (UNTIL, spikes & (times <= in_time))):
            counts.spikes[:, position, column] = np.count_nonzero(counted, axis=1)
            if position + 1 < len(model.layers):
                counts.operations[:, position + 1, column] = counted @ charged[position + 1]
    ends = dataset.indptr
    reached = charged[0][dataset.indices]
    early = dataset.timestamps <= np.repeat(counts.times, np.diff(ends))
    counts.inputs[:] = np.stack([_sums(early, ends), np.diff(ends)], axis=1)
    counts.operations[:, 0] = np.stack([_sums(reached * early, ends), _sums(reached, ends)], axis=1)


def _sums(values: npt.NDArray[Any], ends: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the sum of the values of each sample, of which any may have none."""
    total = np.zeros(len(values) + 1, OFFSET)
    np.cumsum(values, out=total[1:])
    return total[ends[1:]] - total[ends[:-1]]


def decisions(
    times: Floats, potentials: Floats, n_classes: int, max_time: float
) -> tuple[npt.NDArray[np.int32], Floats, npt.NDArray[np.int32]]:
    """Return the number of the class of each sample, when it is decided, and by what.

    Parameters
    ----------
    times, potentials : ndarray of float32, shape (n_samples, n_neurons)
        Of the output, as `Readout.first_spikes` returns them.
    n_classes : int
    max_time : float
    """
    first = times.min(axis=1)
    leads = times == first[:, None]
    winners = np.where(leads, potentials, -np.inf).argmax(axis=1)
    of_classes = leads.reshape(len(times), n_classes, -1).any(axis=2)
    ways = np.where(np.count_nonzero(of_classes, axis=1) > 1, BY_TIE, BY_SPIKE)
    ways[first >= STAMP.type(max_time)] = BY_POTENTIAL
    return (winners // (times.shape[1] // n_classes)).astype(INDEX), first, ways.astype(INDEX)


def cost_of(model: "Readout", counts: Counts, labels: npt.NDArray[np.int32] | None) -> Cost:
    """Return the record of counts.

    Parameters
    ----------
    model : Readout
    counts : Counts
    labels : ndarray of int32, shape (n_samples,), or None
        Numbers of the network's classes.
    """
    right = None if labels is None else counts.classes == labels
    ways = [counts.ways == way for way in range(len(DECIDED_BY))]
    by_spike, by_tie, by_potential = (
        Decided(share=float(way.mean()), accuracy=None if right is None or not way.any() else float(right[way].mean()))
        for way in ways
    )
    dense = [int(layer.fan_out.sum()) for layer in model.layers]
    operations = counts.operations.sum(axis=1)
    until, whole = Spread.of(operations[:, UNTIL]), Spread.of(operations[:, WHOLE])
    return Cost(
        n_samples=len(counts.classes),
        max_time=model.max_time,
        decision_time=Spread.of(counts.times),
        input_spikes_until_decision=Spread.of(counts.inputs[:, UNTIL]),
        input_spikes=Spread.of(counts.inputs[:, WHOLE]),
        layers=tuple(_layers(model, counts, dense)),
        synaptic_operations_until_decision=until,
        synaptic_operations=whole,
        multiply_adds=sum(dense),
        weight_bytes_until_decision=until.times(WEIGHT_BYTES),
        weight_bytes=whole.times(WEIGHT_BYTES),
        by_spike=by_spike,
        by_tie=by_tie,
        by_potential=by_potential,
        accuracy=None if right is None else float(right.mean()),
        first_spike_accuracy=None if right is None else float((right & ways[BY_SPIKE]).mean()),
    )


def _layers(model: "Readout", counts: Counts, dense: Sequence[int]) -> Iterator[LayerCost]:
    for position, layer in enumerate(model.layers):
        spikes, operations = counts.spikes[:, position], counts.operations[:, position]
        yield LayerCost(
            n_neurons=layer.n_neurons,
            spikes_until_decision=Spread.of(spikes[:, UNTIL]),
            spikes=Spread.of(spikes[:, WHOLE]),
            synaptic_operations_until_decision=Spread.of(operations[:, UNTIL]),
            synaptic_operations=Spread.of(operations[:, WHOLE]),
            multiply_adds=dense[position],
        )


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.2f}"
