"""The course of a training in every layer: what the data decide, rates that fall, and the state that files keep."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from spikenn_cy.config import ExperimentConfig
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.dtypes import OFFSET
from spikenn_cy.errors import require
from spikenn_cy.layers.face import Figures
from spikenn_cy.layers.face import NetworkLayer
from spikenn_cy.layers.face import Start
from spikenn_cy.network._batch import SampleBatch
from spikenn_cy.network.deep._augment import Augmentation
from spikenn_cy.network.deep._network import EventNetwork
from spikenn_cy.network.deep._statistics import DeepStatistics
from spikenn_cy.network.deep._trainer import NetworkTrainer
from spikenn_cy.network.deep.figures import figures_of
from spikenn_cy.network.deep.figures import true_figures
from spikenn_cy.network.parts import parts
from spikenn_cy.network.training import Pass
from spikenn_cy.rules.network import SAMPLES_A_STEP


class DeepTrainer:
    """Trains all layers of a network: what moves while samples pass, beside the synaptic weights.

    Parameters
    ----------
    config : ExperimentConfig
    layers : sequence of NetworkLayer
        From the first to the output.
    n_classes : int
    generator : numpy.random.Generator
        Draws the weights at the first training; then, for each epoch, the key of dropout and augmentation and the
        order of the samples.

    Attributes
    ----------
    n_epochs : int
        That were trained.
    figures : Figures or None
        What the first training set decided; None before.
    """

    def __init__(
        self, config: ExperimentConfig, layers: Sequence[NetworkLayer], n_classes: int, generator: np.random.Generator
    ) -> None:
        self.config, self.layers, self.n_classes, self.generator = config, layers, n_classes, generator
        self.n_epochs = 0
        self.figures: Figures | None = None
        for layer in layers[:-1]:
            layer.hide(config.optimizer.feedback_kind, n_classes)
        self._loop: NetworkTrainer | None = None

    @property
    def training_thresholds(self) -> npt.NDArray[np.float32]:
        """Thresholds of the output as the last training sample left them, shape (n_neurons,)."""
        return self.layers[-1].thresholds

    def statistics(self, n_samples: int) -> DeepStatistics:
        """Return room for the statistics of an epoch of so many samples."""
        return DeepStatistics(n_samples, len(self.layers))

    def begin(self, dataset: SpikingDataset) -> None:
        """Take from the first training set what it decides, and draw the weights that were not assigned."""
        if self.figures is None:
            figures, before = figures_of(dataset, self.config), self.generator.bit_generator.state
            undrawn = [set(layer.undrawn) for layer in self.layers]
            try:
                self.figures = figures
                for layer, start in zip(self.layers, self._starts(), strict=True):
                    layer.draw(self.generator, start)
            except BaseException:  # Ctrl-C, too: the next training begins as if this one had not
                self.figures, self.generator.bit_generator.state = None, before
                for layer, names in zip(self.layers, undrawn, strict=True):
                    layer.undrawn = names
                raise

    def _starts(self) -> list[Start]:
        assert self.figures is not None
        below = [None, *self.layers[:-1]]
        return [
            layer.start(self.config.optimizer.start(layer, under, layer is self.layers[-1], self.figures))
            for layer, under in zip(self.layers, below, strict=True)
        ]

    def _trained(self) -> NetworkTrainer:
        """Return the loop, which learns in the layers' arrays."""
        assert self.figures is not None
        if self._loop is None:
            settings, output = self.config.optimizer, self.layers[-1]
            layers = [layer.compiled(settings.surrogate_window) for layer in self.layers]
            for layer, events in zip(self.layers, layers, strict=True):
                events.drop(layer.config.dropout)
            change: Augmentation | None = None
            rule = settings.build(
                self.n_classes, output.n_neurons // self.n_classes, output.max_time, self.figures.decision_at
            )
            augment = self.config.trainer.augment
            if augment is not None:
                rows, columns, n_channels = (*self.layers[0].input_shape, 1)[:3]
                change = Augmentation((rows, columns, n_channels), augment.shift, augment.flip)
            self._events = layers
            self._loop = NetworkTrainer(EventNetwork(layers, output.max_time), rule, change)
        return self._loop

    def _set_rates(self, decay: float) -> None:
        """Set the rates of all layers to what they are now."""
        factor = self.config.optimizer.rate * decay
        for layer, events, start in zip(self.layers, self._events, self._starts(), strict=True):
            if layer is self.layers[-1]:
                events.learn_with(start.rate * factor)
            else:
                rate = start.rate * factor * layer.feedback.rate_factor
                events.learn_with(rate, layer.feedback.build(layer.kernel_feedback))

    def learn(self, dataset: SpikingDataset, how: Pass, shuffle: bool = False) -> int:
        """Train on each sample once; return how many votes were right.

        Parameters
        ----------
        dataset : SpikingDataset
        how : Pass
        shuffle : bool, default=False
            In a new random order, else in the data set's.
        """
        self.begin(dataset)
        loop = self._trained()
        key = self.generator.bit_generator.random_raw()
        n = len(dataset)
        order = self.generator.permutation(n) if shuffle else np.arange(n, dtype=OFFSET)
        before, n_right, done = how.epoch * n, 0, 0

        def limit(first: int, size: int) -> int:
            return min(size, SAMPLES_A_STEP - (before + first) % SAMPLES_A_STEP)

        for part in parts(order, how.progress, limit):
            self._set_rates(1.0 if how.epochs is None else self.config.optimizer.decay(before + done, n, how.epochs))
            for layer in self.layers:  # before they change, since Ctrl-C may be heard right after that
                layer.version += 1
            n_right += loop.run(SampleBatch(dataset, part, part, key, how.weights), how.statistics)
            done += len(part)
        return n_right

    def epoch(self, dataset: SpikingDataset, how: Pass) -> float:
        """Train one epoch with all its bookkeeping; return the training accuracy."""
        accuracy = self.learn(dataset, how, self.config.trainer.shuffle) / len(dataset)
        self.n_epochs += 1
        if self.config.optimizer.redraws_silent:
            self._redraw_silent()
        return accuracy

    def _redraw_silent(self) -> None:
        """Draw hidden neurons anew that have not fired since the last time."""
        for layer, events, start in zip(self.layers[:-1], self._events, self._starts(), strict=False):
            silent = np.flatnonzero(events.count_anew() == 0)
            if len(silent) > 0:
                layer.redraw(self.generator, start, silent)

    # Files

    @property
    def state(self) -> dict[str, Any]:
        """What a header keeps of the course of a training, by the names of its members."""
        figures = {} if self.figures is None else self.figures._asdict()
        undrawn = [f"{name}_{i}" for i, layer in enumerate(self.layers) for name in sorted(layer.undrawn)]
        return {"rule": [], "regulator": [], "figures": figures, "undrawn": undrawn}

    def restore(self, n_epochs: int, generator: dict[str, Any], state: dict[str, Any]) -> None:
        """Go on from a state that was saved with the layers' arrays, which are restored before."""
        figures, undrawn = state["figures"], state["undrawn"]
        names = [f"{name}_{i}" for i, layer in enumerate(self.layers) for name in layer.drawn]
        require(set(undrawn) <= set(names), "undrawn", f"must be among {', '.join(names)}", undrawn)
        require(not (figures and undrawn), "undrawn", "must be empty once a training set was seen", undrawn)
        self.figures = true_figures(figures, self.config) if figures else None
        self.n_epochs = n_epochs
        self.generator.bit_generator.state = generator
        self._loop = None  # it was made with other figures
        for i, layer in enumerate(self.layers):
            layer.undrawn = {name for name in layer.drawn if f"{name}_{i}" in undrawn}
