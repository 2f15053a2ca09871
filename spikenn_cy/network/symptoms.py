"""What a network shows after its first epoch that will not learn, of which chance accuracy alone would tell."""

from collections.abc import Iterator
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spikenn_cy.config import ExperimentConfig
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.errors import TrainingWarning
from spikenn_cy.layers.face import NetworkLayer
from spikenn_cy.network.assembly import Decisions
from spikenn_cy.network.assembly import Network
from spikenn_cy.network.assembly import passing_decisions
from spikenn_cy.network.layer import Layer
from spikenn_cy.settings.validation import at

LOOKED_AT = 300  # training samples at most, evenly spaced
AT_ONCE = 1 << 19  # inputs or neurons times samples whose spikes are held at once, beside the data that are mapped
FEW = 0.01  # of the samples: a layer that fewer make fire is silent
NEARLY_ALL = 0.9  # of the samples: a layer that so many make fire at once is saturated
LATEST = 0.95  # wanted time of decisions, as a share of max_time, from which a silent output is what was asked for
SHARE = 0.6  # of the potential that samples reach: a threshold to try
HALVINGS = 24


class Samples(NamedTuple):
    """Those that are looked at, by so many threads."""

    train: SpikingDataset
    numbers: npt.NDArray[np.int64]
    n_threads: int


class Seen(NamedTuple):
    """How samples drive a layer, each array of shape (n_samples,)."""

    fires: npt.NDArray[np.bool_]
    at_once: npt.NDArray[np.bool_]  # more than half of the neurons, with the first of spikes of several times
    potential: npt.NDArray[np.float32]  # of the neuron with the largest, when it fires or at the end


def symptoms(
    config: ExperimentConfig, network: Network, n_classes: int, train: SpikingDataset, n_threads: int = 1
) -> Iterator[TrainingWarning]:
    """Yield what is seen in a network that stands in the way of learning, from the data to the last layer.

    Parameters
    ----------
    config : ExperimentConfig
    network : Network
        After an epoch. Nothing of it is changed.
    n_classes : int
    train : SpikingDataset
    n_threads : int, default=1
    """
    speaking = np.flatnonzero(np.diff(train.indptr))
    n_silent = len(train) - len(speaking)
    if n_silent > len(train) / 2:
        why = "only values below max_time spike; see docs/when-it-does-not-learn.md"
        text = f"{train.source or 'train'}: {n_silent} of {len(train)} training samples have no spike ({why})"
        yield TrainingWarning.about("silent samples", text)
    if not config.optimizer.every_layer and any(getattr(layer, "drawn", False) for layer in network.layers[:-1]):
        what = "only the last layer learns, those below stay as they were drawn"
        text = f'{what}; assign their weights, or let "method": "decision_time" train all'
        yield TrainingWarning.about("random layers", f"{at(config.where, 'network')}: {text}")
    if len(speaking):
        step = -(-len(speaking) // LOOKED_AT)
        yield from _Look(config, network, n_classes, Samples(train, speaking[::step], n_threads)).first()


class _Look:
    """A look at layers from the first on, up to the first with a symptom, of which those above may be consequences."""

    def __init__(self, config: ExperimentConfig, network: Network, n_classes: int, samples: Samples) -> None:
        self._config, self._n_classes, self._samples = config, n_classes, samples
        self._layers: Sequence[Layer | NetworkLayer] = network.layers
        self._figures = network.trainer.state.get("figures", {})

    def first(self) -> Iterator[TrainingWarning]:
        """Yield the first symptom, if there is one."""
        for position, layer in enumerate(self._layers):
            is_last = position == len(self._layers) - 1
            moves = is_last and self._config.optimizer.moves_threshold
            seen = self._seen(position, layer)
            if seen.fires.mean() < FEW and not (moves and self._figures["decision_at"] >= LATEST):
                yield self._silent(position, seen)
                return
            if seen.at_once.mean() > NEARLY_ALL and not moves:
                yield self._saturated(position, seen)
                return

    def _silent(self, position: int, seen: Seen) -> TrainingWarning:
        median, largest = self._reached(position, 0.5), self._reached(position, 1 / self._n)
        said = f"{np.count_nonzero(seen.fires)} of {self._n} training samples make a neuron fire"
        if largest <= 0:
            text = f"{said}, and none raises a potential above 0; larger initial weights may help"
        else:
            reach = f"the potentials that samples reach are {_short(median)} (median) and {_short(largest)} (largest)"
            text = f"{said}: {self._threshold(position)}, and {reach}; {_to_try(SHARE * (median or largest))}"
        return self._about("silent", position, text)

    def _saturated(self, position: int, seen: Seen) -> TrainingWarning:
        n = np.count_nonzero(seen.at_once)
        said = f"{n} of {self._n} training samples make most neurons fire at their very first spike"
        begin, median = float(np.median(seen.potential)), self._reached(position, 0.5)
        reach = f"samples reach {_short(begin)} with their first spikes and {_short(median)} with all (medians)"
        text = f"{said}: {self._threshold(position)}, and {reach}; {_to_try(begin + SHARE * max(median - begin, 0))}"
        return self._about("saturated", position, text)

    def _about(self, kind: str, position: int, text: str) -> TrainingWarning:
        place = at(self._config.where, f"network[{position}]")
        return TrainingWarning.about(f"{kind} {position}", f"{place}: after the first epoch {text}")

    def _threshold(self, position: int) -> str:
        thresholds = self._layers[position].thresholds
        low, high = _short(float(thresholds.min())), _short(float(thresholds.max()))
        return f"the threshold is {high}" if low == high else f"thresholds are {low} to {high}"

    def _reached(self, position: int, share: float) -> float:
        """Return the greatest threshold at which this share of the samples make a neuron fire; 0 if there is none.

        It is found by halving, since neither leaky neurons nor those with negative weights end at their largest
        potential.
        """
        layer = self._layers[position]
        weights = layer.weights
        low, high = 0.0, float(np.maximum(weights, 0).reshape(len(weights), -1).sum(axis=1, dtype=np.float64).max())
        for _ in range(HALVINGS if high > 0 else 0):
            middle = (low + high) / 2
            fires = self._seen(position, layer.with_threshold(middle)).fires.mean() >= share
            low, high = (middle, high) if fires else (low, middle)
        return low

    def _seen(self, position: int, layer: Layer | NetworkLayer) -> Seen:
        """Return how the samples drive a layer at a position."""
        layers = [*self._layers[:position], layer, *self._layers[position + 1 :]]
        decisions = passing_decisions(self._config, layers, self._n_classes)
        train, numbers, n_threads = self._samples
        size = max(1, AT_ONCE // max(layer.n_neurons, train.n_inputs))
        blocks = (train[numbers[start : start + size]] for start in range(0, len(numbers), size))
        parts = [_seen(decisions, block, position, n_threads) for block in blocks]
        return Seen(*map(np.concatenate, zip(*parts, strict=True)))

    @property
    def _n(self) -> int:
        return len(self._samples.numbers)


def _seen(decisions: Decisions, samples: SpikingDataset, position: int, n_threads: int) -> Seen:
    times, potentials = decisions.first_spikes(samples, n_threads, position)
    begin = samples.timestamps[samples.indptr[:-1]]
    several = begin < samples.timestamps[samples.indptr[1:] - 1]
    at_once = (times == begin[:, None]).mean(axis=1) > 0.5
    return Seen(times.min(axis=1) < samples.max_time, at_once & several, potentials.max(axis=1))


def _to_try(threshold: float) -> str:
    return f'try "firing_threshold": {_short(threshold, 2)}, or "auto"'


def _short(number: float, n_digits: int = 3) -> str:
    return f"{float(f'{number:.{n_digits}g}'):g}"
