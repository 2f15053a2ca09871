"""The course of a training: samples in order, rates that anneal, and the state that a checkpoint keeps."""

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spikenn_cy.config import ExperimentConfig
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.dtypes import OFFSET
from spikenn_cy.dtypes import REAL
from spikenn_cy.dtypes import STAMP
from spikenn_cy.network._batch import SampleBatch
from spikenn_cy.network._inference import Inference
from spikenn_cy.network._readout_trainer import ReadoutTrainer
from spikenn_cy.network._statistics import EpochStatistics
from spikenn_cy.network.forward.choice import AUTO
from spikenn_cy.network.forward.choice import ForwardChoice
from spikenn_cy.network.layer import Layer
from spikenn_cy.network.parts import parts
from spikenn_cy.regulators._base import Regulator
from spikenn_cy.rules._base import Rule
from spikenn_cy.utils.progress import Progress

HIDDEN_BLOCK = 1024  # samples that pass the hidden layers at once, which bounds their memory


@dataclass(frozen=True)
class Pass:
    """How samples are trained on; results do not depend on it.

    Attributes
    ----------
    progress : Progress, optional
        Advanced by the number of samples, some ten times a second.
    statistics : EpochStatistics or DeepStatistics, optional
        Counts what happens.
    epoch, epochs : int
        Which one of how many of this call is trained; rates of a rule that trains every layer fall by it. Without a
        number of epochs they stay the first ones.
    n_threads : int
        That may share each sample of a wide layer.
    weights : ndarray of float32, optional
        Factor on the errors of each sample of the data set, the one member on which results depend.
    forward : str
        A key of `spikenn_cy.network.forward.FORWARDS`, or ``"auto"``.
    """

    progress: Progress | None = None
    statistics: Any = None
    epoch: int = 0
    epochs: int | None = None
    n_threads: int = 1
    forward: str = AUTO
    weights: npt.NDArray[np.float32] | None = None


def hidden_spikes(
    inferences: Sequence[Inference],
    dataset: SpikingDataset,
    numbers: np.ndarray | None = None,
    key: int = 0,
    dropout: float = 0.0,
) -> SpikingDataset:
    """Return the spikes with which hidden layers, one after the other, answer to a data set.

    Parameters
    ----------
    inferences : sequence of Inference
        From the first layer of the network; none leaves the data as they are.
    dataset : SpikingDataset
        Its labels are not kept.
    numbers, key
        Of the samples in the dropout's stream, as for `SampleBatch`.
    dropout : float, default=0
        Rate at which hidden neurons are silenced.
    """
    for position, inference in enumerate(inferences):
        times = np.empty((len(dataset), inference.n_neurons), STAMP)
        potentials = np.empty(times.shape, REAL)
        batch = SampleBatch(dataset, numbers=numbers, key=key)
        inference.first_spikes(batch, times, potentials, dropout, position)
        dataset = SpikingDataset._computed((times,), max_time=dataset.max_time)
    return dataset


class LayerTrainer:
    """Trains the last layer of a network: what moves while samples pass, beside the synaptic weights.

    Parameters
    ----------
    config : ExperimentConfig
    layers : sequence of Layer
        Of the whole network; the last one learns.
    n_classes : int
    generator : numpy.random.Generator
        Draws, for each epoch, the dropout key and then the order of the samples.
    """

    def __init__(
        self, config: ExperimentConfig, layers: Sequence[Layer], n_classes: int, generator: np.random.Generator
    ) -> None:
        self.settings = config.trainer
        self.layers = layers
        self.layer = layer = layers[-1]
        self.generator = generator
        self.n_epochs = 0
        self.layout = (n_classes, layer.n_neurons // n_classes, config.trainer.nt_neurons)
        self.rule: Rule = config.optimizer.build(*self.layout, layer.max_time)
        regularizer = config.regularizer
        self._regulator = Regulator(*self.layout) if regularizer is None else regularizer.build(*self.layout)
        self._regulator.reset(layer.inference_thresholds)
        self._thresholds_version = layer.thresholds_version
        self._trainer = ReadoutTrainer(layer, len(layers) - 1, self.rule, self._regulator, config.trainer)
        self._choice = ForwardChoice(layer, self.layout, self.rule, self._regulator)

    def _restart_if_assigned(self) -> None:
        if self._thresholds_version != self.layer.thresholds_version:
            self._thresholds_version = self.layer.thresholds_version
            self._regulator.reset(self.layer.inference_thresholds)

    @property
    def regulator(self) -> Regulator:
        """The regulator, which restarts from thresholds that were assigned to the layer since."""
        self._restart_if_assigned()
        return self._regulator

    @property
    def training_thresholds(self) -> np.ndarray:
        """Thresholds as the last training sample left them, shape (n_neurons,)."""
        return self.regulator.training_thresholds

    def statistics(self, n_samples: int) -> EpochStatistics:
        """Return room for the statistics of an epoch of so many samples."""
        return EpochStatistics(n_samples, self.layout)

    def learn(self, dataset: SpikingDataset, how: Pass, shuffle: bool = False) -> int:
        """Train on each sample once, at the present rates; return how many votes were right.

        Parameters
        ----------
        dataset : SpikingDataset
        how : Pass
        shuffle : bool, default=False
            In a new random order, else in the data set's.
        """
        key = self.generator.bit_generator.random_raw()  # what integers(0, 2**64) returns, in less time
        self._restart_if_assigned()
        n_samples = len(dataset)
        order = self.generator.permutation(n_samples) if shuffle else np.arange(n_samples, dtype=OFFSET)
        self._choice.look(how.forward, how.n_threads, n_samples, len(dataset.indices))
        hidden = HIDDEN_BLOCK if len(self.layers) > 1 else n_samples

        def limit(first: int, size: int) -> int:
            return self._choice.limit(min(size, hidden))

        n_right = 0
        for part in parts(order, how.progress, limit):
            started = time.perf_counter()
            n_right += self._learn_part(dataset, part, key, how)
            self._choice.note(len(part), time.perf_counter() - started)
        return n_right

    def _learn_part(self, dataset: SpikingDataset, part: np.ndarray, key: int, how: Pass) -> int:
        batch = SampleBatch(dataset, part, part, key, how.weights)
        if len(self.layers) > 1:
            n_spikes = len(dataset.indices)
            with contextlib.ExitStack() as lent:
                hidden = [lent.enter_context(layer.inference(n_spikes, at_once=True)) for layer in self.layers[:-1]]
                spikes = hidden_spikes(hidden, dataset[part], part, key, self.settings.dropout_out)
            weights = None if how.weights is None else how.weights[part]
            batch = SampleBatch(spikes.renumbered(dataset.labels[part], dataset.classes), None, part, key, weights)
        way = self._choice.way
        return self._trainer.run(batch, way.forward, how.statistics, way.n_threads)

    def epoch(self, dataset: SpikingDataset, how: Pass) -> float:
        """Train one epoch with all its bookkeeping; return the training accuracy."""
        self.regulator.on_epoch_start()
        accuracy = self.learn(dataset, how, self.settings.shuffle) / len(dataset)
        self.rule.on_epoch_end(accuracy)
        thresholds = self.regulator.on_epoch_end()
        if thresholds is not None:
            self.layer.inference_thresholds[:] = thresholds
        self.n_epochs += 1
        return accuracy

    @property
    def state(self) -> dict[str, Any]:
        """What a header keeps of the course of a training, by the names of its members."""
        return {"rule": self.rule.state, "regulator": self.regulator.state}

    def restore(self, n_epochs: int, generator: dict[str, Any], state: dict[str, Any]) -> None:
        """Go on from a state that was saved with the layers' arrays, which are restored before."""
        self.n_epochs = n_epochs
        self.generator.bit_generator.state = generator
        self.rule.state = state["rule"]
        self._thresholds_version = -1  # so that the regulator restarts
        self.regulator.state = state["regulator"]
