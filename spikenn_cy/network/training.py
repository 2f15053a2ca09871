"""The course of a training: samples in order, rates that anneal, and the reasons to stop."""

import dataclasses
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.dtypes import INDEX
from spikenn_cy.dtypes import OFFSET
from spikenn_cy.dtypes import REAL
from spikenn_cy.dtypes import STAMP
from spikenn_cy.network._epoch import Epoch
from spikenn_cy.network._epoch import Observation
from spikenn_cy.network._inference import Inference
from spikenn_cy.network.layer import Layer
from spikenn_cy.regulators._base import Regulator
from spikenn_cy.utils.autotune import Trial
from spikenn_cy.utils.progress import Progress

TICK = 0.1  # seconds between two looks at the keyboard and the progress bar
HIDDEN_BLOCK = 1024  # samples that pass the hidden layers at once, which bounds their memory


@dataclasses.dataclass(frozen=True)
class EpochReport:
    """What one epoch ended with.

    Attributes
    ----------
    epoch : int
        Number of the epoch in the model's life, from 0.
    train_accuracy : float
        Share of right votes during the epoch, while the weights moved.
    val_accuracy, test_accuracy : float or None
        Share of right votes after the epoch; None without such a data set.
    seconds : float
        Duration, the measuring of accuracies included.
    stopped : {None, "early_stopping", "gridsearch_stop_acc"}
        Why training ends here, if it does before its last epoch.
    """

    epoch: int
    train_accuracy: float
    val_accuracy: float | None = None
    test_accuracy: float | None = None
    seconds: float = 0.0
    stopped: str | None = None


@dataclasses.dataclass(frozen=True)
class History:
    """What a training ended with, epoch by epoch.

    Attributes
    ----------
    epochs : list of EpochReport
    """

    epochs: list[EpochReport]

    @property
    def train_accuracy(self) -> list[float]:
        """Training accuracy of each epoch."""
        return [report.train_accuracy for report in self.epochs]

    @property
    def val_accuracy(self) -> list[float | None]:
        """Validation accuracy after each epoch."""
        return [report.val_accuracy for report in self.epochs]

    @property
    def test_accuracy(self) -> list[float | None]:
        """Test accuracy after each epoch."""
        return [report.test_accuracy for report in self.epochs]

    @property
    def stopped(self) -> str:
        """``"epochs"`` if all were trained, else the reason for which training ended before."""
        return (self.epochs and self.epochs[-1].stopped) or "epochs"


def reason_to_stop(reports: Sequence[EpochReport], trainer: Any) -> str | None:
    """Return why training ends after the last of ``reports``, or None.

    Parameters
    ----------
    reports : sequence of EpochReport
        All epochs of this training.
    trainer : TrainerConfig
        ``early_stopping`` epochs without a new best validation accuracy end a training;
        so does, after epoch 2, an accuracy below ``gridsearch_stop_acc``.
    """
    last = reports[-1]
    measured = [a for a in (last.train_accuracy, last.val_accuracy) if a is not None]
    if last.epoch > 2 and min(measured) < trainer.gridsearch_stop_acc:
        return "gridsearch_stop_acc"
    if trainer.early_stopping and last.val_accuracy is not None:
        best, waited = 0.0, 0
        for report in reports:
            improved = report.val_accuracy is not None and report.val_accuracy > best
            best, waited = (report.val_accuracy, 0) if improved else (best, waited + 1)
        if waited >= trainer.early_stopping:
            return "early_stopping"
    return None


def hidden_spikes(inferences: Sequence[Inference], dataset: SpikingDataset, **dropout: Any) -> SpikingDataset:
    """Return the spikes with which hidden layers, one after the other, answer to a data set.

    Parameters
    ----------
    inferences : sequence of Inference
        From the first layer of the network; none leaves the data as they are.
    dataset : SpikingDataset
        Its labels are not kept.
    **dropout
        ``dropout``, ``key`` and ``numbers`` of `Inference.first_spikes`.
    """
    for position, inference in enumerate(inferences):
        times = np.empty((len(dataset), inference.n_neurons), STAMP)
        potentials = np.empty(times.shape, REAL)
        inference.first_spikes(
            dataset.indptr, dataset.indices, dataset.timestamps, times, potentials, layer=position, **dropout
        )
        dataset = SpikingDataset.from_numpy(times, np.zeros(len(times), INDEX), max_time=dataset.max_time)
    return dataset


class Learner:
    """The state of a training: what moves while samples pass, beside the synaptic weights.

    Parameters
    ----------
    config : ExperimentConfig
    layers : sequence of Layer
        Of the whole network; the last one learns.
    n_classes : int
    generator : numpy.random.Generator
        Draws, for each epoch, the dropout key and then the order of the samples.
    """

    def __init__(self, config: Any, layers: Sequence[Layer], n_classes: int, generator: np.random.Generator) -> None:
        self.trainer = config.trainer
        self.layers = layers
        self.layer = layers[-1]
        self.generator = generator
        self.n_epochs = 0
        self.layout = (n_classes, self.layer.n_neurons // n_classes, config.trainer.nt_neurons)
        self.rule = config.optimizer.build(*self.layout, self.layer.max_time)
        regularizer = config.regularizer
        self.regulator = Regulator(*self.layout) if regularizer is None else regularizer.build(*self.layout)
        self._trial = Trial()  # of the sieve, which pays for some layers, data and machines
        self._engine: Epoch | None = None
        self._trained: np.ndarray | None = None  # the weights that the engine was made for
        self.layer.on_thresholds = self._restart_regulation
        self._restart_regulation(self.layer.thresholds)

    def _restart_regulation(self, thresholds: np.ndarray) -> None:
        self.regulator.reset(thresholds)
        self._fill_thresholds()

    def _fill_thresholds(self) -> None:
        if self._engine is not None:
            self.regulator.fill(self.layer.thresholds, self._engine.thresholds)

    @property
    def training_thresholds(self) -> np.ndarray:
        """Thresholds as the last training sample left them, shape (n_neurons,)."""
        return np.array(self.regulator.training_thresholds(self.layer.thresholds))

    def _engine_for(self, weights: np.ndarray) -> Epoch:
        if self._engine is None or self._trained is not weights:
            layer, trainer = self.layer, self.trainer
            self._engine, self._trained = (
                Epoch(
                    weights,
                    layer.target_norms,
                    layer.make_neuron(),
                    self.rule,
                    self.regulator,
                    w_min=layer.config.w_min,
                    w_max=layer.config.w_max,
                    max_time=layer.max_time,
                    layer=len(self.layers) - 1,
                    dropout_in=trainer.dropout_in,
                    dropout_out=trainer.dropout_out,
                ),
                weights,
            )
            self._fill_thresholds()
        return self._engine

    def observation(self, n_samples: int) -> Observation:
        """Return room to observe an epoch of so many samples."""
        return Observation(n_samples, *self.layout)

    def learn(
        self,
        dataset: SpikingDataset,
        shuffle: bool = False,
        progress: Progress | None = None,
        observation: Observation | None = None,
        n_threads: int = 1,
    ) -> int:
        """Train on each sample once, at the present rates; return how many votes were right.

        Parameters
        ----------
        dataset : SpikingDataset
        shuffle : bool, default=False
            In a new random order, else in the data set's.
        progress : Progress, optional
            Advanced by the number of samples, some ten times a second.
        observation : Observation, optional
            Counts what happens.
        n_threads : int, default=1
            That share each sample of a wide layer.
        """
        key = self.generator.bit_generator.random_raw()  # 64 bits of PCG64, as of integers(0, 2**64) but sooner
        weights, rising = self.layer.begin_training()
        engine = self._engine_for(weights)
        can_sift = rising and engine.sifts
        n_samples = len(dataset)
        order = self.generator.permutation(n_samples) if shuffle else np.arange(n_samples, dtype=OFFSET)
        n_right, first, size = 0, 0, 256
        while first < n_samples:
            size = min(size, HIDDEN_BLOCK) if len(self.layers) > 1 else size
            part = order[first : first + (self._trial.limit(size) if can_sift else size)]
            sift = can_sift and self._trial.second
            if sift:
                engine.measure_weights()
            started = time.perf_counter()
            n_right += self._learn_part(engine, dataset, part, key, rising, observation, n_threads, sift)
            if can_sift:
                self._trial.note(len(part), time.perf_counter() - started)
            first += len(part)
            if progress is not None:
                progress.step(len(part))
            # Shorter parts would meet the interpreter too often, longer ones keep Ctrl-C waiting.
            size = max(1, int(len(part) * min(8.0, TICK / max(time.perf_counter() - started, 1e-6))))
        return n_right

    def _learn_part(
        self,
        engine: Epoch,
        dataset: SpikingDataset,
        part: np.ndarray,
        key: int,
        rising: bool,
        observation: Observation | None,
        n_threads: int,
        sift: bool,
    ) -> int:
        labels, order = dataset.labels, part
        if len(self.layers) > 1:
            hidden = [layer.inference() for layer in self.layers[:-1]]
            dataset = hidden_spikes(hidden, dataset[part], dropout=self.trainer.dropout_out, key=key, numbers=part)
            labels, order = labels[part], np.arange(len(part), dtype=OFFSET)
        return engine.run(
            dataset.indptr,
            dataset.indices,
            dataset.timestamps,
            labels,
            order,
            part,
            key,
            rising,
            observation,
            n_threads,
            sift,
        )

    def epoch(
        self,
        dataset: SpikingDataset,
        progress: Progress | None = None,
        observation: Observation | None = None,
        n_threads: int = 1,
    ) -> float:
        """Train one epoch with all its bookkeeping; return the training accuracy."""
        self.regulator.on_epoch_start(self.layer.thresholds)
        self._fill_thresholds()
        accuracy = self.learn(dataset, self.trainer.shuffle, progress, observation, n_threads) / len(dataset)
        self.rule.on_epoch_end(accuracy)
        self.layer.replace_thresholds(self.regulator.on_epoch_end(self.layer.thresholds))
        self.n_epochs += 1
        return accuracy

    def restore(self, n_epochs: int, generator: dict[str, Any], rule: list[float], regulator: list[float]) -> None:
        """Go on from a state that was saved with the layers' arrays, which are restored before."""
        self.n_epochs = n_epochs
        self.generator.bit_generator.state = generator
        self.rule.state = rule
        self.regulator.reset(self.layer.thresholds)
        self.regulator.state = regulator
        self._fill_thresholds()
