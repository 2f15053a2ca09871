"""The fully connected layer of a network that learns in every layer."""

import math

import numpy as np

from spikenn_cy.dtypes import REAL
from spikenn_cy.layers._base import EventLayer
from spikenn_cy.layers._base import padded
from spikenn_cy.layers._dense import DenseEvents
from spikenn_cy.layers.face import Array
from spikenn_cy.layers.face import Figures
from spikenn_cy.layers.face import NetworkLayer
from spikenn_cy.layers.face import Start
from spikenn_cy.layers.settings import NetworkLayerConfig
from spikenn_cy.utils.alignment import aligned


class DenseConfig(NetworkLayerConfig, frozen=True, kw_only=True, tag_field="type", tag="dense"):
    """``{"n_neurons": 400}``: neurons with a synaptic weight from every unit below."""

    n_neurons: int

    def check(self) -> None:
        super().check()
        self.rule(0 < self.n_neurons < 2**31, "n_neurons", "must be from 1 to 2147483647")

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return ``(n_neurons,)``."""
        return (self.n_neurons,)

    def weights_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return ``(n_neurons, n_inputs)``."""
        return self.n_neurons, math.prod(input_shape)

    def build(self, position: int, input_shape: tuple[int, ...]) -> "DenseLayer":
        """Return the layer, with weights of 0."""
        return DenseLayer(self, position, input_shape)


class DenseLayer(NetworkLayer):
    """Neurons, each with a synaptic weight from every unit below; ``weights`` are of shape (n_neurons, n_inputs)."""

    def stored(self, weights: Array) -> Array:
        """Return ``(n_inputs, neurons padded)``."""
        array: Array = aligned((weights.shape[1], padded(weights.shape[0])), REAL)
        array[:, : weights.shape[0]] = weights.T
        return array

    def seen(self, stored: Array) -> Array:
        """Return ``(n_neurons, n_inputs)``."""
        return np.ascontiguousarray(stored[:, : self.n_neurons].T)

    def start_on(self, below: NetworkLayer | None, is_last: bool, figures: Figures) -> Start:
        """Return where the layer starts, by docs/networks.md."""
        n = figures.mean_spikes if below is None else below.n_neurons
        root = math.sqrt(n)
        if below is None:
            return Start(1.2 / n, 0.1 / root, 1.2 / n) if is_last else Start(1 / n, 0.36 / root, 7 / n)
        if is_last:
            return Start(4 / n, 0.6 / root, 0.0025 if below.shared else 3 / n)
        return Start(4 / n, 1 / root, 10 / n)

    def kernel(self, weights: Array, window: float) -> EventLayer:
        """Return the compiled layer of these weights."""
        return DenseEvents(self.position, self.n_neurons, weights, self.kernel_thresholds, window)
