"""A fully connected layer: its synaptic weights and thresholds, behind a door that checks what is assigned."""

from collections.abc import Callable
from typing import Any

import numpy as np

from spikenn_cy.dtypes import REAL
from spikenn_cy.dtypes import STAMP
from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import DataError
from spikenn_cy.errors import SpikennError
from spikenn_cy.errors import require
from spikenn_cy.kernels.stdp import absolute_sums
from spikenn_cy.network._inference import Inference
from spikenn_cy.neurons import NEURONS
from spikenn_cy.utils.alignment import aligned
from spikenn_cy.utils.alignment import in_lines
from spikenn_cy.utils.validation import read_only
from spikenn_cy.utils.validation import real_array


class Layer:
    """Neurons of one kind, each with a synaptic weight from every input.

    Parameters
    ----------
    config : LayerConfig
        The layer's entry of ``network``.
    n_inputs : int
        Number of inputs.
    max_time : float
        Time of silence, in the data's unit of time.
    generator : numpy.random.Generator, optional
        Draws the initial weights; without it they are all 0 until assigned.

    Attributes
    ----------
    config : LayerConfig
    n_neurons, n_inputs : int
    """

    def __init__(self, config: Any, n_inputs: int, max_time: float, generator: np.random.Generator | None = None):
        self.config = config
        self.n_neurons = config.n_neurons
        self.n_inputs = n_inputs
        # Silent times are of single precision; compared in another, silence would have an error.
        self.max_time = float(STAMP.type(max_time))
        self.on_thresholds: Callable[[np.ndarray], None] | None = None
        self.set_state(
            weights=aligned(self.shape, REAL) if generator is None else self._draw(generator),
            thresholds=np.full(self.n_neurons, config.firing_threshold, REAL),
        )

    @property
    def shape(self) -> tuple[int, int]:
        """``(n_neurons, n_inputs)``."""
        return self.n_neurons, self.n_inputs

    def _draw(self, generator: np.random.Generator) -> np.ndarray:
        config = self.config
        weights = aligned(self.shape, REAL)
        # Row by row: numbers are drawn in double precision, and a wide layer of them would be the peak of memory.
        for row in weights:
            if config.w_init_normal:
                row[:] = generator.normal(config.w_init_mean, config.w_init_std, self.n_inputs)
            else:
                row[:] = generator.uniform(config.w_min, config.w_max, self.n_inputs)
        np.clip(weights, REAL.type(config.w_min), REAL.type(config.w_max), out=weights)
        self._require_norms(weights, "initial weights", ConfigError)
        return weights

    def _require_norms(self, weights: np.ndarray, name: str, error: type[SpikennError]) -> None:
        if self.config.w_norm:
            for neuron in np.flatnonzero(~weights.any(axis=1))[:1]:
                raise error(f"{name}[{neuron}]: must not all be 0 with w_norm, got {self.n_inputs} zeros")
            for neuron in np.flatnonzero(~np.isfinite(absolute_sums(weights)))[:1]:
                raise error(
                    f"{name}[{neuron}]: must have a finite sum with w_norm, got {weights[neuron].max()} and more"
                )

    @property
    def weights(self) -> np.ndarray:
        """Synaptic weights, float32 of shape (n_neurons, n_inputs): a read-only copy.

        An assigned array is copied as it is, finite and of this shape, and not clipped.
        With ``w_norm`` its sums of absolute weights become the neurons' new target norms.
        """
        return read_only(self._weights.copy())

    @weights.setter
    def weights(self, values: Any) -> None:
        weights = real_array(values, "weights", self.shape)
        self._require_norms(weights, "weights", DataError)
        self.set_state(weights, self._thresholds)

    @property
    def thresholds(self) -> np.ndarray:
        """Inference thresholds, float32 of shape (n_neurons,): a read-only copy.

        Assigned values must be finite and > 0, although one-compartment regulation may take
        them below that; the training thresholds restart from them.
        """
        return read_only(self._thresholds.copy())

    @thresholds.setter
    def thresholds(self, values: Any) -> None:
        thresholds = real_array(values, "thresholds", (self.n_neurons,))
        low = thresholds[~(thresholds > 0)]
        require(low.size == 0, "thresholds", "must be > 0", low[:1].tolist(), DataError)
        self.replace_thresholds(thresholds)
        if self.on_thresholds is not None:
            self.on_thresholds(thresholds)

    def replace_thresholds(self, thresholds: np.ndarray) -> None:
        """Take over inference thresholds that the regulator has moved, which may have any sign."""
        self._thresholds = thresholds
        self._inference = None

    def set_state(self, weights: np.ndarray, thresholds: np.ndarray, target_norms: np.ndarray | None = None) -> None:
        """Take over arrays that this library made; ``target_norms`` default to those of ``weights``."""
        # A step that stores across the lines of the caches takes up to half as long again.
        self._weights = in_lines(weights)
        self._thresholds = thresholds
        self._rising = bool(weights.min(initial=0) >= 0)
        self._target_norms = absolute_sums(weights) if target_norms is None else target_norms
        self._inference: Inference | None = None

    def state(self) -> dict[str, np.ndarray]:
        """Return all arrays that a saved layer consists of, by name."""
        return {"weights": self._weights, "thresholds": self._thresholds, "target_norms": self._target_norms}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Take over arrays that `state` returned, read back from a file."""
        shapes = {"weights": self.shape, "thresholds": (self.n_neurons,), "target_norms": (self.n_neurons,)}
        found = {name: real_array(arrays[name], name, shape) for name, shape in shapes.items()}
        require((found["target_norms"] >= 0).all(), "target_norms", "must be >= 0", found["target_norms"], DataError)
        self._require_norms(found["target_norms"][:, None], "target_norms", DataError)
        self.set_state(**found)

    @property
    def target_norms(self) -> np.ndarray | None:
        """Sum of absolute weights that each neuron keeps, shape (n_neurons,), or None without ``w_norm``."""
        return self._target_norms if self.config.w_norm else None

    def make_neuron(self) -> Any:
        """Return a neuron model of this layer's kind, for one thread."""
        return NEURONS["if" if self.config.leak_tau is None else "lif"](self.n_inputs, self.config.leak_tau)

    def inference(self) -> Inference:
        """Return the layer frozen as it is now; made once for the same weights and thresholds."""
        if self._inference is None:
            self._inference = Inference(self._weights, self._thresholds, self.max_time, self.make_neuron, self._rising)
        return self._inference

    def begin_training(self) -> tuple[np.ndarray, bool]:
        """Return the weights to train in place and whether none of them is negative or can become so.

        What was made for inference is dropped: it is about to be out of date.
        """
        self._inference = None
        self._rising = self._rising and self.config.w_min >= 0
        return self._weights, self._rising
