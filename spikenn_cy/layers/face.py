"""A layer of a network that learns in every layer: its arrays, behind a door that checks what is assigned."""

import copy
import math
from collections.abc import Mapping
from typing import Any
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spikenn_cy.dtypes import OFFSET
from spikenn_cy.dtypes import REAL
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.layers._base import EventLayer
from spikenn_cy.layers._base import padded
from spikenn_cy.layers.feedbacks import FEEDBACKS
from spikenn_cy.layers.settings import NetworkLayerConfig
from spikenn_cy.utils.alignment import aligned
from spikenn_cy.utils.tables import span
from spikenn_cy.utils.validation import read_only
from spikenn_cy.utils.validation import real_array

Array = npt.NDArray[np.float32]


class Figures(NamedTuple):
    """What the first training set decided, written into files as numbers.

    Attributes
    ----------
    decision_at : float
        Wanted mean time of decisions, as a share of ``max_time``.
    mean_spikes : float
        Of a training sample.
    mean_patch_spikes : float
        In the patches of a convolution that hold at least one; 0 without one.
    """

    decision_at: float
    mean_spikes: float
    mean_patch_spikes: float = 0.0


class Start(NamedTuple):
    """Where a layer starts: mean and deviation of its weights, and its rate in the first epoch."""

    mean: float
    std: float
    rate: float


class NetworkLayer:
    """Units that the layer above sees, with weights from the layer below.

    A subclass has ``start_on``, how its weights lie in memory, and ``compiled``.

    Parameters
    ----------
    config : NetworkLayerConfig
    position : int
        In the network.
    input_shape : tuple of int

    Attributes
    ----------
    config : NetworkLayerConfig
    n_inputs, n_neurons : int
        Neurons are the units that the layer above sees.
    max_time : float
        Time of silence, in the data's unit of time.
    version : int
        Counts changes of the arrays.
    undrawn : set of str
        Members of ``drawn`` that the first training is to draw, since they were not assigned.
    """

    shared = False  # whether many positions have the same weights
    hidden = False

    def __init__(self, config: NetworkLayerConfig, position: int, input_shape: tuple[int, ...]) -> None:
        self.config, self.position = config, position
        self.input_shape, self.output_shape = input_shape, config.output_shape(input_shape)
        self.n_inputs, self.n_neurons = math.prod(input_shape), math.prod(self.output_shape)
        self.weights_shape = config.weights_shape(input_shape)
        self.n_thresholds = self.weights_shape[0]
        self.version = 0
        self.undrawn = {"weights"}
        self.max_time = 1.0
        self.kernel_thresholds: Array = aligned(padded(self.n_thresholds), REAL)
        self.kernel_thresholds[:] = 1
        self.kernel_thresholds[: self.n_thresholds] = config.firing_threshold
        self.kernel_weights: Array = self.stored(np.zeros(self.weights_shape, REAL))
        self.kernel_feedback: Array | None = None

    def __repr__(self) -> str:
        sizes = f"{self.n_inputs:,} inputs -> {self.n_neurons:,} neurons"
        return f"<{type(self).__name__} {sizes}, threshold {span(self.thresholds)}>"

    @property
    def changes(self) -> int:
        """Counts changes of weights and assignments of thresholds."""
        return self.version

    # How weights lie in memory

    def stored(self, weights: Array) -> Array:
        """Return weights as the kernels have them: inputs first, units side by side and padded."""
        raise NotImplementedError

    def seen(self, stored: Array) -> Array:
        """Return what `stored` was made of, as a copy."""
        raise NotImplementedError

    # What users see

    @property
    def drawn(self) -> tuple[str, ...]:
        """Names in `state` of the arrays that the first training draws unless they were assigned."""
        return ("weights",) if self.kernel_feedback is None else ("weights", "feedback_weights")

    @property
    def assigned(self) -> bool:
        """Whether there are weights to decide by, assigned or drawn."""
        return "weights" not in self.undrawn

    @property
    def weights(self) -> Array:
        """Synaptic weights, float32, one neuron or filter after the other: a read-only copy.

        An assigned array is copied as it is, finite and of this shape; the first training does not draw it anew.
        """
        return read_only(self.seen(self.kernel_weights))

    @weights.setter
    def weights(self, values: Any) -> None:
        self._set_weights(real_array(values, "weights", self.weights_shape))

    def _set_weights(self, weights: Array) -> None:
        self.version += 1
        self.kernel_weights[...] = self.stored(weights)
        self.undrawn.discard("weights")

    @property
    def thresholds(self) -> Array:
        """Thresholds, float32 of shape (n_neurons,), or (n_filters,): a read-only copy.

        Assigned values must be finite and > 0, although learning may take that of the output below.
        """
        return read_only(self.kernel_thresholds[: self.n_thresholds].copy())

    @thresholds.setter
    def thresholds(self, values: Any) -> None:
        thresholds = real_array(values, "thresholds", (self.n_thresholds,))
        low = thresholds[~(thresholds > 0)]
        require(low.size == 0, "thresholds", "must be > 0", low[:1].tolist(), DataError)
        self.kernel_thresholds[: self.n_thresholds] = thresholds
        self.version += 1

    @property
    def feedback_weights(self) -> Array | None:
        """Weights by which class errors come back, float32 of shape (n_neurons, n_classes), or None: the layer above's.

        Assigned like ``weights``.
        """
        if self.kernel_feedback is None:
            return None
        return read_only(self.kernel_feedback[:, : self.n_classes].copy())

    @feedback_weights.setter
    def feedback_weights(self, values: Any) -> None:
        require(self.kernel_feedback is not None, "feedback_weights", "must not be given", "no such weights", DataError)
        self._set_feedback(real_array(values, "feedback_weights", (self.n_neurons, self.n_classes)))

    def _set_feedback(self, weights: Array) -> None:
        assert self.kernel_feedback is not None
        self.kernel_feedback[:, : self.n_classes] = weights
        self.undrawn.discard("feedback_weights")
        self.version += 1

    # What a spike costs

    @property
    def fan_out(self) -> npt.NDArray[np.int64]:
        """Potentials to which a spike of each input adds a weight, int64 of shape (n_inputs,)."""
        return np.full(self.n_inputs, self.n_neurons, OFFSET)

    def incoming(self, unit: int) -> Array:
        """Return the weights of a unit, float32 of shape (n_positions, n_inputs).

        A position of it is what fires, the first in this order if several do; NaN is no weight. A dense neuron is one.
        """
        return np.array(self.kernel_weights[None, :, unit])

    # The beginning

    def hide(self, feedback: str, n_classes: int) -> None:
        """Make the layer a hidden one, which hears of errors by a member of ``FEEDBACKS``."""
        self.hidden, self.feedback, self.n_classes = True, FEEDBACKS[feedback], n_classes
        if self.feedback.has_weights:
            self.undrawn.add("feedback_weights")
            self.kernel_feedback = aligned((self.n_neurons, padded(n_classes)), REAL)

    def start_on(self, below: "NetworkLayer | None", is_last: bool, figures: Figures) -> Start:
        """Return where the layer starts on another layer, or on the data."""
        raise NotImplementedError

    def start(self, suits: Start) -> Start:
        """Return where the layer starts: by its settings, and by what suits rule and data where they say nothing."""
        config = self.config
        return Start(
            suits.mean if config.w_init_mean is None else config.w_init_mean,
            suits.std if config.w_init_std is None else config.w_init_std,
            suits.rate if config.rate is None else config.rate,
        )

    def draw(self, generator: np.random.Generator, start: Start) -> None:
        """Draw all weights that were not assigned."""
        if not self.assigned:
            self._set_weights(generator.normal(start.mean, start.std, self.weights_shape).astype(REAL))
        if "feedback_weights" in self.undrawn:
            std = self.feedback.std(self.shared)
            self._set_feedback(generator.normal(0, std, (self.n_neurons, self.n_classes)).astype(REAL))

    def redraw(self, generator: np.random.Generator, start: Start, units: npt.NDArray[np.int64]) -> None:
        """Draw the weights of some units anew."""
        weights = self.weights.copy()
        weights[units] = generator.normal(start.mean, start.std, (len(units), *self.weights_shape[1:]))
        self._set_weights(weights)

    # Kernels

    def compiled(self, window: float, kept: float = 1.0) -> EventLayer:
        """Return the layer for one thread, which reads and changes these arrays.

        Parameters
        ----------
        window : float
            Width of the surrogate derivative, as a share of the threshold.
        kept : float, default=1
            Factor on the weights, of a copy of them: the share of spikes that the layer below did not lose in training.
        """
        weights = self.kernel_weights
        if kept != 1:
            weights = aligned(weights.shape, REAL)
            np.multiply(self.kernel_weights, REAL.type(kept), out=weights)
        return self.kernel(weights, window)

    def kernel(self, weights: Array, window: float) -> EventLayer:
        """Return the compiled layer of these weights."""
        raise NotImplementedError

    def with_threshold(self, threshold: float) -> "NetworkLayer":
        """Return a layer that reads the same weights and has other thresholds, to look at what samples reach."""
        other = copy.copy(self)
        other.kernel_thresholds = aligned(len(self.kernel_thresholds), REAL)
        other.kernel_thresholds[:] = threshold
        return other

    # Files

    def state(self) -> dict[str, Array]:
        """Return all arrays that a saved layer consists of, by name."""
        arrays = {"weights": self.seen(self.kernel_weights), "thresholds": self.thresholds}
        feedback = self.feedback_weights
        return arrays if feedback is None else {**arrays, "feedback_weights": feedback}

    def set_state(self, arrays: Mapping[str, Array]) -> None:
        """Take over arrays that `state` returned, read back and checked."""
        thresholds = arrays["thresholds"]
        # Learning may take that of the output to 0 and below; of hidden neurons it changes none.
        require(not self.hidden or bool((thresholds > 0).all()), "thresholds", "must be > 0", thresholds.min())
        self._set_weights(arrays["weights"])
        self.kernel_thresholds[: self.n_thresholds] = thresholds
        if self.kernel_feedback is not None:
            self._set_feedback(arrays["feedback_weights"])
