"""What a network is made of, by whether its rule trains the last layer or every one."""

import math
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple
from typing import Protocol

import numpy as np
import numpy.typing as npt

from spikenn_cy.config import ExperimentConfig
from spikenn_cy.config import LayerConfig
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.dtypes import STAMP
from spikenn_cy.layers.face import NetworkLayer
from spikenn_cy.layers.feedbacks import FEEDBACKS
from spikenn_cy.network._stream import EventStream
from spikenn_cy.network.deciding import LayerDecisions
from spikenn_cy.network.deep.deciding import DeepDecisions
from spikenn_cy.network.deep.training import DeepTrainer
from spikenn_cy.network.layer import Layer
from spikenn_cy.network.training import LayerTrainer
from spikenn_cy.network.training import Pass

Shape = tuple[int, ...]


class Trainer(Protocol):
    """The course of a training."""

    n_epochs: int
    generator: np.random.Generator

    @property
    def training_thresholds(self) -> npt.NDArray[np.float32]:
        """Thresholds of the last layer as the last training sample left them."""

    @property
    def state(self) -> dict[str, Any]:
        """What a header keeps, by the names of its members."""

    def statistics(self, n_samples: int) -> Any:
        """Return room for the statistics of an epoch of so many samples."""

    def learn(self, dataset: SpikingDataset, how: Pass) -> int:
        """Train on each sample once; return how many votes were right."""

    def epoch(self, dataset: SpikingDataset, how: Pass) -> float:
        """Train one epoch with all its bookkeeping; return the training accuracy."""

    def restore(self, n_epochs: int, generator: dict[str, Any], state: dict[str, Any]) -> None:
        """Go on from a state that was saved with the layers' arrays, which are restored before."""


class Decisions(Protocol):
    """How a network decides."""

    def decide(self, dataset: SpikingDataset, n_threads: int) -> npt.NDArray[np.int32]:
        """Return the class index of each sample."""

    def first_spikes(
        self, dataset: SpikingDataset, n_threads: int, layer: int
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return when each unit of a layer fires, and its potential then."""

    def class_scores(self, dataset: SpikingDataset, n_threads: int) -> npt.NDArray[np.float64]:
        """Return a score of each class, of shape (n_samples, n_classes); see `Readout.class_scores`."""

    def streaming(self) -> EventStream:
        """Return what decides on samples that come spike by spike, by the weights as they are."""


class Network(NamedTuple):
    """Layers, what trains them and what decides by them."""

    layers: Sequence[Layer | NetworkLayer]
    trainer: Trainer
    decisions: Decisions


def versions_of(layers: Sequence[Layer | NetworkLayer]) -> list[tuple[int, bytes]]:
    """Return what tells whether weights or thresholds have changed."""
    return [(layer.changes, layer.thresholds.tobytes()) for layer in layers]


def needs_images(config: ExperimentConfig) -> bool:
    """Return whether a network can be made only for data whose inputs form images."""
    if not config.optimizer.every_layer:
        return False
    return config.trainer.augment is not None or config.network[0].patch is not None


def assembled(
    config: ExperimentConfig,
    input_shape: Shape,
    n_classes: int,
    max_time: float,
    generator: np.random.Generator,
    draw: bool = True,
) -> Network:
    """Return a network.

    Parameters
    ----------
    config : ExperimentConfig
    input_shape : tuple of int
    n_classes : int
    max_time : float
    generator : numpy.random.Generator
        Of the whole training.
    draw : bool, default=True
        Whether weights are drawn that do not depend on data.
    """
    if config.optimizer.every_layer:
        return _deep(config, input_shape, n_classes, max_time, generator)
    layers: list[Layer] = []
    n_inputs = math.prod(input_shape)
    for settings in config.network:
        assert isinstance(settings, LayerConfig)
        layers.append(Layer(settings, n_inputs, max_time, generator if draw else None))
        n_inputs = layers[-1].n_neurons
    return Network(layers, LayerTrainer(config, layers, n_classes, generator), LayerDecisions(layers, n_classes))


def passing_decisions(config: ExperimentConfig, layers: Sequence[Any], n_classes: int) -> Decisions:
    """Return what decides by these layers for a look at some samples, and leaves no copy of weights behind."""
    if config.optimizer.every_layer:
        return DeepDecisions(layers, config.optimizer.surrogate_window, n_classes)
    return LayerDecisions(layers, n_classes, copies=False)


def _deep(
    config: ExperimentConfig, shape: Shape, n_classes: int, max_time: float, generator: np.random.Generator
) -> Network:
    layers: list[NetworkLayer] = []
    for position, settings in enumerate(config.network):
        layers.append(settings.build(position, shape))
        layers[-1].max_time = float(STAMP.type(max_time))
        shape = layers[-1].output_shape
    trainer = DeepTrainer(config, layers, n_classes, generator)
    return Network(layers, trainer, DeepDecisions(layers, config.optimizer.surrogate_window, n_classes))


def array_shapes(config: ExperimentConfig, shape: Shape, n_classes: int) -> list[dict[str, Shape]]:
    """Return the shapes of the arrays of each layer by name, as files hold them, without making any."""
    shapes: list[dict[str, Shape]] = []
    n_inputs = math.prod(shape)
    for position, settings in enumerate(config.network):
        if not config.optimizer.every_layer:
            n = settings.n_neurons
            shapes.append({"weights": (n, n_inputs), "thresholds": (n,), "target_norms": (n,)})
            n_inputs = n
            continue
        weights = settings.weights_shape(shape)
        shape = settings.output_shape(shape)
        shapes.append({"weights": weights, "thresholds": weights[:1]})
        if position < len(config.network) - 1 and FEEDBACKS[config.optimizer.feedback_kind].has_weights:
            shapes[-1]["feedback_weights"] = math.prod(shape), n_classes
    return shapes
