"""How far each case of the table of goals is from this machine's limit: ``python -m benchmarks.roofline``.

The work of an epoch is counted spike by spike, the machine's rates are measured with loops that do nothing but that
work's memory traffic, and the limit is the one divided by the other. A sample's forward pass and its update cannot
overlap, since each needs the other's result: their times are added. Within each, the slowest resource is the limit.

The rates are those of the access pattern: in training single weights out of rows or, where that is less, rows as whole
numbers in the tiles that hold a spike, or, where a sample ends at the layer's first spike as in inference, an input's
weights side by side.
Beside that stands the limit of bandwidth alone, at which every weight that is needed would stream past, in whatever
layout: what a better pattern could gain at most.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.cases import CASES
from benchmarks.cases import Case
from benchmarks.cases import Sources
from benchmarks.cases import trained
from benchmarks.counting import Counts
from benchmarks.counting import count_inference
from benchmarks.counting import count_training
from benchmarks.machine import KIBI
from benchmarks.machine import Clock
from benchmarks.machine import Machine
from benchmarks.machine import NoCompiler
from benchmarks.machine import caches
from benchmarks.machine import level_of
from benchmarks.tables import markdown
from benchmarks.targets import QUICK_SAMPLES
from benchmarks.targets import add_arguments
from benchmarks.targets import chosen
from benchmarks.targets import speed

FAR = 3.0  # times the limit, from which on a case is said to be far from it
BLOCK_MAX = 8  # rows or vectors of 8 neurons whose sums fit the registers of a processor
COUNTED = 200  # samples
COUNTED_WEIGHTS = 2_000_000_000  # weights looked at while counting, which bounds its time
ORDERS = 16  # samples whose order of spikes the machine is measured with
SPIKE_BYTES = 8  # input and time
WHOLE_BYTES = 2  # of a weight as a whole number
TILE = 16  # of them, which are read together or not at all, in registers of 32 bytes
CACHE_LINE = 64  # bytes, which a column of the input-major copy takes of each input


@dataclass(frozen=True)
class Term:
    """One resource that a sample needs.

    Attributes
    ----------
    phase : {"forward", "update", "copy", "times"}
    resource : str
    amount : float
        Of ``unit``, a sample.
    unit : str
    rate : float
        Units a second that this machine gives to this pattern.
    streamed : float, optional
        Units a second if they came one after the other; default: ``rate``.
    """

    phase: str
    resource: str
    amount: float
    unit: str
    rate: float
    streamed: float | None = None

    @property
    def seconds(self) -> float:
        return self.amount / self.rate

    @property
    def streamed_seconds(self) -> float:
        return self.amount / max(self.rate, self.streamed or self.rate)


@dataclass(frozen=True)
class Roof:
    """The limit of one case, and how close it is."""

    case: str
    call: str
    measured: float
    terms: list[Term]

    @property
    def binding(self) -> list[Term]:
        """The slowest resource of each phase, the slowest phase first."""
        slowest: dict[str, Term] = {}
        for term in self.terms:
            if term.phase not in slowest or term.seconds > slowest[term.phase].seconds:
                slowest[term.phase] = term
        return sorted(slowest.values(), key=lambda term: -term.seconds)

    @property
    def limit(self) -> float:
        """Samples a second."""
        return 1 / sum(term.seconds for term in self.binding)

    @property
    def bandwidth_limit(self) -> float:
        """Samples a second if all that is needed came one after the other."""
        longest: dict[str, float] = {}
        for term in self.terms:
            longest[term.phase] = max(longest.get(term.phase, 0), term.streamed_seconds)
        return 1 / sum(longest.values())

    @property
    def times_the_limit(self) -> float:
        """How many times as long as at the limit a sample takes."""
        return self.limit / self.measured

    def amount(self, unit: str) -> float:
        return sum(term.amount for term in self.terms if term.unit == unit)

    def record(self) -> dict[str, Any]:
        """Return everything as plain numbers."""
        terms = [{**vars(term), "seconds": term.seconds} for term in self.terms]
        return {
            "case": self.case,
            "call": self.call,
            "measured": self.measured,
            "limit": self.limit,
            "bandwidth_limit": self.bandwidth_limit,
            "times_the_limit": self.times_the_limit,
            "binding": self.binding[0].resource,
            "terms": terms,
        }


def blocks_of(n: int) -> tuple[int, int]:
    """Return how many blocks of at most `BLOCK_MAX` hold ``n``, and the size of a block, rounded up."""
    n_blocks = -(-n // BLOCK_MAX)
    return n_blocks, -(-n // n_blocks)


def orders(dataset: Any, n_spikes: int) -> np.ndarray:
    """Return the inputs of the first ``n_spikes`` spikes of some samples, one row a sample.

    A sample with fewer spikes goes on with its first ones again.
    """
    n_spikes = max(2, n_spikes)
    samples = [dataset[number][0] for number in range(min(ORDERS, len(dataset)))]
    return np.array([np.resize(inputs, n_spikes) for inputs in samples if len(inputs)], np.int32)


def where_loads_come_from(machine: Machine, rate: float, n_bytes: int) -> str:
    """Name what limits single loads: the processor's ports, if the first cache would give no more, or else a cache."""
    at_the_ports = machine.random_loads(caches()["L1"] // 2)
    return "load ports" if rate > 0.8 * at_the_ports else f"loads from {level_of(n_bytes)}"


def whole_weights_read(dataset: Any, longest: list[int]) -> float:
    """Return how many whole weights of a row a sample looks at: those of tiles with a spike that may matter."""
    tiles = [np.unique(dataset[number][0][:end] // TILE) for number, end in enumerate(longest)]
    return TILE * float(np.mean([len(found) for found in tiles]))


def training_terms(machine: Machine, counts: Counts, dataset: Any, model: Any) -> list[Term]:
    """Return what one sample of training needs."""
    layer, config = model.layers[0], model.config.to_dict()
    n_neurons, n_inputs = layer.n_neurons, layer.n_inputs
    by_class = config["optimizer"].get("class_inhib", False)
    group = n_neurons // model.n_classes if by_class else n_neurons
    n_blocks, width = blocks_of(group)
    n_blocks *= n_neurons // group
    loads, n_spikes = float(np.mean(counts.loads)), float(np.mean(counts.n_spikes))
    # As many spikes for every neuron as they have on average.
    order = orders(dataset, round(loads / n_neurons))
    rate = machine.gather_rows(n_inputs, width, n_blocks, order)
    weights = 4 * n_neurons * n_inputs
    longest = float(np.mean(counts.longest))
    spikes_held = SPIKE_BYTES * len(dataset.indices)
    charging = [
        Term(
            "forward",
            where_loads_come_from(machine, rate, weights),
            loads,
            "loads",
            rate,
            machine.read(weights) / 4,
        ),
        Term("forward", "latency of additions", longest, "additions in a row", machine.additions()),
    ]
    live = n_neurons * (1 - config["trainer"].get("dropout_out", 0.0))
    held = (4 + WHOLE_BYTES) * n_neurons * n_inputs
    screening = [
        Term(
            "forward",
            f"whole rows in {level_of(held)}",
            WHOLE_BYTES * live * whole_weights_read(dataset, counts.longest),
            "bytes of whole rows",
            machine.read(held),
        ),
        Term(
            "update",
            "writing whole rows",
            WHOLE_BYTES * n_inputs * counts.mean_rows,
            "bytes of whole rows written",
            machine.copy(held),
        ),
    ]
    ways = [charging, screening]
    if model._trainer.rule.stops_at == "layer":
        weights_of = inference_terms(machine, counts, dataset, model)[0]
        columns = 2 * CACHE_LINE * n_inputs * counts.mean_rows
        side_by_side = Term("copy", "columns of the copy", columns, "bytes of columns", machine.update(2 * weights))
        ways.append([weights_of, side_by_side])
    terms = [
        *min(ways, key=lambda way: sum(term.seconds for term in way)),
        Term("forward", "reading the spikes", SPIKE_BYTES * longest, "bytes of spikes", machine.read(spikes_held)),
    ]
    if counts.mean_rows:
        rows = np.concatenate(counts.rows)
        passes = 2 if config["network"][0].get("w_norm") else 1
        rate = machine.update_rows(n_neurons, n_inputs, rows, passes)
        # Each pass reads and writes the row, and the first reads the input times.
        n_bytes = 4 * n_inputs * (2 * passes + 1)
        held = 4 * n_inputs * len(np.unique(rows))
        terms += [
            Term(
                "update",
                f"rows in {level_of(held)}",
                counts.mean_rows * n_bytes,
                "bytes of rows",
                rate * n_bytes,
            ),
            Term(
                "times",
                "input times",
                n_spikes,
                "spikes put and taken back",
                machine.scatter(n_inputs, orders(dataset, round(n_spikes))),
            ),
        ]
    return terms


def inference_terms(machine: Machine, counts: Counts, dataset: Any, model: Any) -> list[Term]:
    """Return what one sample of inference needs; samples do not wait for each other, so neither do their additions."""
    layer = model.layers[0]
    n_vectors = -(-layer.n_neurons // 8)
    n_blocks, vectors = blocks_of(n_vectors)
    longest = float(np.mean(counts.longest))
    order = orders(dataset, round(longest))
    rate = machine.gather_lanes(layer.n_inputs, vectors, n_blocks, order)
    weights = 32 * n_vectors * layer.n_inputs
    amount = longest * 32 * n_vectors
    at_the_ports = machine.read(caches()["L1"] // 2)
    name = "load ports" if rate > 0.8 * at_the_ports else f"weights in {level_of(weights)}"
    spikes_held = SPIKE_BYTES * len(dataset.indices)
    return [
        Term("forward", name, amount, "bytes of weights", rate, machine.read(weights)),
        Term("forward", "reading the spikes", SPIKE_BYTES * longest, "bytes of spikes", machine.read(spikes_held)),
    ]


def roofs(machine: Machine, case: Case, dataset: Any, repeats: int, n_counted: int) -> list[Roof]:
    """Return the limits of training and of inference."""
    measured = speed(case, dataset, repeats)
    again = trained(dataset, case.settings)
    model = again()
    a_sample = model.layers[0].n_neurons * (len(dataset.indices) / len(dataset) + 2 * dataset.n_inputs)
    n_counted = max(10, min(n_counted, int(COUNTED_WEIGHTS / a_sample)))
    inference = inference_terms(machine, count_inference(model, dataset, n_counted), dataset, model)
    training = training_terms(machine, count_training(model, dataset, n_counted), dataset, model)
    return [
        Roof(case.name, "train", measured["train"], training),
        Roof(case.name, "predict", measured["predict"], inference),
    ]


def levels(machine: Machine, quick: bool = False) -> list[dict[str, Any]]:
    """Return the machine's rates for a working set that fits each cache, and one that fits none."""
    sizes = {name: size // 2 for name, size in caches().items()}
    # Half a shared last cache may belong to somebody else.
    sizes["L3"] = max(2 * sizes["L2"], min(sizes["L3"], 8 * KIBI * KIBI))
    sizes["memory"] = (2 if quick else 8) * caches()["L3"]
    return [
        {
            "level": name,
            "bytes": size,
            "read": machine.read(size),
            "copy": machine.copy(size),
            "update": machine.update(size),
            "random_loads": machine.random_loads(size),
        }
        for name, size in sizes.items()
    ]


def page(found: dict[str, Any], roofs_: list[Roof]) -> str:
    """Return the tables as Markdown, and a sentence for each case that is far from its limit."""
    machine = markdown(
        ("level", "working set, KiB", "read, GB/s", "copy, GB/s", "update, GB/s", "random loads, 10⁹/s"),
        [
            (
                row["level"],
                f"{row['bytes'] / KIBI:,.0f}",
                *(f"{row[name] / 1e9:.1f}" for name in ("read", "copy", "update")),
                f"{row['random_loads'] / 1e9:.2f}",
            )
            for row in found["machine"]
        ],
    )
    cases = markdown(
        (
            "case",
            "call",
            "loads",
            "KB of weights",
            "rows",
            "bandwidth alone",
            "limit",
            "measured",
            "times the limit",
            "what binds",
        ),
        [cells(roof, found["rows"].get(roof.case, 0.0)) for roof in roofs_],
    )
    additions = f"{found['additions'] / 1e9:.2f} · 10⁹ additions a second that wait for each other"
    far = [explanation(roof) for roof in roofs_ if roof.times_the_limit > FAR]
    closing = far or [f"No case takes more than {FAR:.0f} times as long as at its limit."]
    return "\n\n".join([machine, additions + ".", cases, *closing])


def cells(roof: Roof, rows: float) -> tuple[str, ...]:
    training = roof.call == "train"
    amounts = "bytes of rows", "bytes of whole rows", "bytes of whole rows written", "bytes of columns"
    of_rows = sum(roof.amount(unit) for unit in amounts)
    n_bytes = of_rows if training else roof.amount("bytes of weights")
    loads = roof.amount("loads")
    return (
        roof.case,
        roof.call,
        f"{loads:,.0f}" if loads else "-",
        f"{n_bytes / 1000:,.1f}",
        f"{rows:.1f}" if training else "-",
        f"{roof.bandwidth_limit:,.0f}",
        f"{roof.limit:,.0f}",
        f"{roof.measured:,.0f}",
        f"{roof.times_the_limit:.1f}",
        roof.binding[0].resource,
    )


def explanation(roof: Roof) -> str:
    """Return what a case that is far from its limit spends at most where, against what it takes."""
    parts = ", ".join(f"{1e6 * term.seconds:.2f} µs {term.phase} ({term.resource})" for term in roof.binding)
    return (
        f"{roof.case}, {roof.call}: further than {FAR:.0f} times from its limit; a sample takes "
        f"{1e6 / roof.measured:.2f} µs, of which the machine needs {parts}."
    )


def measure(
    sources: Sources, names: list[str], machine: Machine, repeats: int, quick: bool
) -> tuple[dict[str, Any], list[Roof]]:
    """Return the machine's rates and counts as plain numbers, and each case's roofs."""
    found: dict[str, Any] = {"machine": levels(machine, quick), "additions": machine.additions(), "rows": {}}
    all_roofs = []
    for name in names:
        case = CASES[name]
        dataset = sources.dataset(case, QUICK_SAMPLES if quick else None)
        both = roofs(machine, case, dataset, repeats, 10 if quick else COUNTED)
        n_inputs, passes = dataset.n_inputs, 2 if case.settings["network"][0]["w_norm"] else 1
        found["rows"][name] = both[0].amount("bytes of rows") / (4 * n_inputs * (2 * passes + 1))
        all_roofs += both
    return found, all_roofs


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m benchmarks.roofline", description=__doc__.splitlines()[0])
    add_arguments(parser)
    arguments = parser.parse_args(argv)
    sources, names = chosen(parser, arguments)
    quick = arguments.quick
    machine = Machine(Clock(0.001, 1) if quick else Clock())
    try:
        found, all_roofs = measure(sources, names, machine, 1 if quick else arguments.repeats, quick)
    except NoCompiler as problem:
        print(problem, file=sys.stderr)
        return 2
    if arguments.json:
        print(json.dumps(found | {"cases": [roof.record() for roof in all_roofs]}, indent=1))
    else:
        print(page(found, all_roofs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
