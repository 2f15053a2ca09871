"""What a data set holds in a few lines, for people who look before they train."""

from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np

from spikenn_cy.data.labels import plain_names
from spikenn_cy.errors import shortened
from spikenn_cy.utils.tables import WIDEST

if TYPE_CHECKING:
    from spikenn_cy.data.dataset import SpikingDataset

MOST_CLASSES = 20  # that are listed

Facts = Sequence[Sequence[str]]


def facts_of(dataset: "SpikingDataset") -> Facts:
    """Return what is worth knowing of a data set, by name."""
    n_samples, n_spikes = len(dataset), len(dataset.indices)
    per_sample, times = np.diff(dataset.indptr), dataset.timestamps
    axes = f" ({' x '.join(map(str, dataset.input_shape))})" if len(dataset.input_shape) > 1 else ""
    facts: list[tuple[str, str]] = [("file", shortened(dataset.source))] if dataset.source else []
    facts += [("samples", f"{n_samples:,}"), ("inputs", f"{dataset.n_inputs:,}{axes}"), ("classes", _classes(dataset))]
    if not n_samples:
        return facts
    share = 100 * (1 - n_spikes / (n_samples * dataset.n_inputs))
    most = f"mean {per_sample.mean():.4g}, {per_sample.min():,} to {per_sample.max():,}"
    n_idle = dataset.n_inputs - len(np.unique(dataset.indices))
    facts += [
        ("spikes", f"{n_spikes:,}; {share:.3g} % of the values are silent"),
        ("spikes a sample", f"{most}; {np.count_nonzero(per_sample == 0):,} samples have none"),
        ("inputs that never fire", f"{n_idle:,}"),
    ]
    spread = f"first {times.min():.4g}, median {np.median(times):.4g}, last {times.max():.4g}; " if n_spikes else ""
    return [*facts, ("spike times", f"{spread}a sample ends at {dataset.max_time:g}")]


def lines_of(facts: Facts) -> str:
    """Return facts as lines, their values one below the other."""
    width = max(len(name) for name, _ in facts)
    below = (width + 2) * " "
    return "\n".join(fill(f"{name:<{width}}  {value}", WIDEST, subsequent_indent=below) for name, value in facts)


def _classes(dataset: "SpikingDataset") -> str:
    """Return how many samples of which class there are, in words."""
    if dataset.labels is None:
        return "none, the set is unlabelled"
    counts = np.bincount(dataset.labels, minlength=dataset.n_classes)
    named = [
        f"{shortened(str(name))} ({count:,})"
        for name, count in zip(plain_names(dataset.classes[:MOST_CLASSES]), counts[:MOST_CLASSES], strict=True)
    ]
    rest = dataset.n_classes - len(named)
    return f"{dataset.n_classes:,}: {', '.join(named)}{f' and {rest:,} more' if rest else ''}"
