"""What a network loses in whole numbers of so many bits, counted on data."""

import os
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spikenn_cy.data.classes import in_classes
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.experiments.data import files_in
from spikenn_cy.experiments.data import opened_sets
from spikenn_cy.experiments.tables import Summary
from spikenn_cy.experiments.tables import percent
from spikenn_cy.experiments.tables import text_table
from spikenn_cy.network.integer.model import IntegerReadout
from spikenn_cy.network.readout import Readout

ROWS = 4096  # samples whose output spikes are looked at together
MEASURED = {"test": "test set", "val": "validation set", "train": "training set"}  # the first of them that there is
HEAD = ("weights", "times", "accuracy", "as float", "by spike", "by tie", "by potential", "inputs tied", "bytes")
NOTE = (
    "as float: decided alike; by spike, tie, potential: how; inputs tied: input spikes of neighbouring times that "
    "became one level; all in %"
)


class Row(NamedTuple):
    """What becomes of a network with weights and times of so many bits.

    Attributes
    ----------
    bits, time_bits : int or None
        None: as the network is, in floating point.
    accuracy, same : float
        Share of samples that are right, and that are decided as in floating point.
    by_spike, by_tie, by_potential : float
        Share of samples that one output spike decides, the potentials of several that fire at once, or those of all
        neurons, of which none fires.
    inputs_tied : float
        Of neighbouring input spikes of a sample that differ in time, the share that has one level.
    n_bytes : int
        Of weights and thresholds.
    """

    bits: int | None
    time_bits: int | None
    accuracy: float
    same: float
    by_spike: float
    by_tie: float
    by_potential: float
    inputs_tied: float
    n_bytes: int


def measured_set(folder: str | os.PathLike[str]) -> tuple[str, SpikingDataset]:
    """Return in words which set of a folder is measured, and that set."""
    files = files_in(folder)
    name = next(name for name in MEASURED if name in files)
    return MEASURED[name], opened_sets({name: files[name]})[name]


def quantisations(model: Readout, bits: Sequence[int], time_bits: Sequence[int]) -> Iterator[IntegerReadout]:
    """Yield a network in whole numbers for each pair of bits, those of equal weights one after the other."""
    for width in dict.fromkeys(bits):
        small = model.quantized(width)
        for time_width in dict.fromkeys(time_bits):
            yield small.with_time_bits(time_width)


def measure(model: Readout, dataset: SpikingDataset, kinds: Iterable[IntegerReadout]) -> list[Row]:
    """Return the row of a network in floating point, and one for each of the ``kinds`` of it in whole numbers.

    Parameters
    ----------
    model : Readout
    dataset : SpikingDataset
        With labels.
    kinds : iterable of IntegerReadout
    """
    labels, decided = in_classes(dataset, model.classes, "the network").labels, model.decide(dataset)
    n_values = sum(layer.weights.size + layer.thresholds.size for layer in model.layers)
    rows = [_row((None, None), decided, (labels, decided, n_fired_of(model, dataset)), 0.0, 4 * n_values)]
    for small in kinds:
        found = small.decisions(dataset)
        columns = labels, decided, found.n_fired
        rows.append(_row((small.bits, small.time_bits), found.numbers, columns, tied(small, dataset), small.n_bytes))
    return rows


def summarise(rows: Sequence[Row], name: str, n_samples: int) -> Summary:
    """Return rows as a finding; ``name`` says of which samples."""
    texts = [HEAD] + [
        (
            "float" if row.bits is None else str(row.bits),
            "float" if row.time_bits is None else str(row.time_bits),
            *map(percent, row[2:8]),
            f"{row.n_bytes:,}",
        )
        for row in rows
    ]
    lines = (f"{n_samples:,} samples of the {name}", *text_table(texts), NOTE)
    record = {"set": name, "n_samples": n_samples, "rows": [row._asdict() for row in rows]}
    return Summary(lines, record, Row._fields, tuple(rows))


def n_fired_of(model: Readout, dataset: SpikingDataset) -> npt.NDArray[np.int64]:
    """Return how many output neurons fire at the moment of each decision in floating point."""
    counts = []
    for start in range(0, len(dataset), ROWS):
        times, _ = model.first_spikes(dataset[start : start + ROWS])
        first = times.min(axis=1, keepdims=True)
        counts.append(((times == first) & (times < np.float32(model.max_time))).sum(axis=1))
    return np.concatenate(counts)


def tied(small: IntegerReadout, dataset: SpikingDataset) -> float:
    """Return the share of neighbouring input spikes of a sample that differ in time and have one level."""
    levels, times = small.levels(dataset), dataset.timestamps
    inside = np.ones(max(len(levels) - 1, 0), bool)
    ends = dataset.indptr[1:-1] - 1
    inside[ends[(ends >= 0) & (ends < len(inside))]] = False  # from the last spike of a sample to the next sample
    apart = inside & (times[1:] != times[:-1])
    n_tied = np.count_nonzero(apart & (levels[1:] == levels[:-1]))
    return n_tied / max(int(np.count_nonzero(apart)), 1)


def _row(
    widths: tuple[int | None, int | None],
    numbers: npt.NDArray[np.int32],
    columns: tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.integer]],
    inputs_tied: float,
    n_bytes: int,
) -> Row:
    labels, decided, n_fired = columns
    shares = (numbers == labels, numbers == decided, n_fired == 1, n_fired > 1, n_fired == 0)
    accuracy, same, by_spike, by_tie, by_potential = (float(np.mean(share)) for share in shares)
    return Row(*widths, accuracy, same, by_spike, by_tie, by_potential, inputs_tied, n_bytes)
