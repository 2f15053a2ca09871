"""A fully connected layer: its synaptic weights and thresholds, behind a door that checks what is assigned."""

import contextlib
import copy
from collections.abc import Iterator
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from spikenn_cy.config import LayerConfig
from spikenn_cy.dtypes import OFFSET
from spikenn_cy.dtypes import REAL
from spikenn_cy.dtypes import STAMP
from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import DataError
from spikenn_cy.errors import SpikennError
from spikenn_cy.errors import require
from spikenn_cy.kernels.stdp import absolute_sums
from spikenn_cy.layers._base import EventLayer
from spikenn_cy.layers._base import padded
from spikenn_cy.layers._dense import DenseEvents
from spikenn_cy.network._inference import Inference
from spikenn_cy.network._weights import InputMajorWeights
from spikenn_cy.network._weights import LayerWeights
from spikenn_cy.network.forward._exact import ExactForward
from spikenn_cy.network.forward._input_major import InputMajorForward
from spikenn_cy.neurons._base import Neuron
from spikenn_cy.utils.alignment import aligned
from spikenn_cy.utils.alignment import as_aligned
from spikenn_cy.utils.tables import span
from spikenn_cy.utils.validation import read_only
from spikenn_cy.utils.validation import real_array

Array = npt.NDArray[np.float32]


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
    rows : LayerWeights
        The weights themselves, which training changes in place.
    inference_thresholds : ndarray of float32, shape (n_neurons,)
        The thresholds themselves; changed in place.
    thresholds_version : int
        Counts assignments of thresholds.
    drawn : bool
        Whether the weights are those that were drawn, but for what training made of them.
    """

    assigned = True  # weights are drawn when the network is made

    def __init__(
        self, config: LayerConfig, n_inputs: int, max_time: float, generator: np.random.Generator | None = None
    ) -> None:
        self.config = config
        self.n_neurons = config.n_neurons
        self.n_inputs = n_inputs
        # Spike times have single precision. Compared with a max_time of double precision, silence would have an error.
        self.max_time = float(STAMP.type(max_time))
        self.inference_thresholds: Array = np.full(self.n_neurons, float(config.firing_threshold), REAL)
        self.thresholds_version = 0
        self._input_major: InputMajorWeights | None = None
        # A version of the weights, and the spikes that were charged without an input-major copy of it.
        self._asked = (0, 0)
        self._spare: list[tuple[InputMajorWeights | None, Inference]] = []  # at most one, and the copy that it reads
        self.rows = LayerWeights(aligned(self.shape, REAL))
        self.drawn = generator is not None
        if generator is not None:
            self._draw(generator)
        self._replace(self.rows.array)

    def __repr__(self) -> str:
        sizes = f"{self.n_inputs:,} inputs -> {self.n_neurons:,} neurons"
        return f"<{type(self).__name__} {sizes}, threshold {span(self.inference_thresholds)}>"

    @property
    def shape(self) -> tuple[int, int]:
        """``(n_neurons, n_inputs)``."""
        return self.n_neurons, self.n_inputs

    def _draw(self, generator: np.random.Generator) -> None:
        config, weights = self.config, self.rows.array
        # Row by row: numbers are drawn in double precision, and a wide layer of them would be the peak of memory.
        for row in weights:
            if config.w_init_normal:
                row[:] = generator.normal(config.w_init_mean, config.w_init_std, self.n_inputs)
            else:
                row[:] = generator.uniform(config.w_min, config.w_max, self.n_inputs)
        np.clip(weights, REAL.type(config.w_min), REAL.type(config.w_max), out=weights)
        self._require_norms(weights, "initial weights", ConfigError)

    def _require_norms(self, weights: Array, name: str, error: type[SpikennError]) -> None:
        if self.config.w_norm:
            for neuron in np.flatnonzero(~weights.any(axis=1))[:1]:
                raise error(f"{name}[{neuron}]: must not all be 0 with w_norm, got {self.n_inputs} zeros")
            for neuron in np.flatnonzero(~np.isfinite(absolute_sums(weights)))[:1]:
                raise error(
                    f"{name}[{neuron}]: must have a finite sum with w_norm, got {weights[neuron].max()} and more"
                )

    def _replace(self, weights: Array, target_norms: Array | None = None) -> None:
        """Take over weights; ``target_norms`` default to theirs."""
        self._target_norms = absolute_sums(weights) if target_norms is None else target_norms
        non_negative = self.config.w_min >= 0 and weights.min(initial=0) >= 0
        # A step that stores across cache lines takes up to half as long again.
        self.rows.replace(as_aligned(weights), self.target_norms, bool(non_negative))

    @property
    def fan_out(self) -> npt.NDArray[np.int64]:
        """Potentials to which a spike of each input adds a weight, int64 of shape (n_inputs,)."""
        return np.full(self.n_inputs, self.n_neurons, OFFSET)

    def incoming(self, unit: int) -> Array:
        """Return the weights of a neuron as the one position that it has, float32 of shape (1, n_inputs)."""
        return np.array(self.rows.array[None, unit])

    @property
    def weights(self) -> Array:
        """Synaptic weights, float32 of shape (n_neurons, n_inputs): a read-only copy.

        An assigned array is copied as it is, finite and of this shape, and not clipped.
        With ``w_norm`` its sums of absolute weights become the neurons' new target norms.
        """
        return read_only(self.rows.array.copy())

    @weights.setter
    def weights(self, values: npt.ArrayLike) -> None:
        weights = real_array(values, "weights", self.shape)
        self._require_norms(weights, "weights", DataError)
        self._replace(weights)
        self.drawn = False

    @property
    def thresholds(self) -> Array:
        """Inference thresholds, float32 of shape (n_neurons,): a read-only copy.

        Assigned values must be finite and > 0, although one-compartment regulation may take
        them below that; the training thresholds restart from them.
        """
        return read_only(self.inference_thresholds.copy())

    @thresholds.setter
    def thresholds(self, values: npt.ArrayLike) -> None:
        thresholds = real_array(values, "thresholds", (self.n_neurons,))
        low = thresholds[~(thresholds > 0)]
        require(low.size == 0, "thresholds", "must be > 0", low[:1].tolist(), DataError)
        self.inference_thresholds[:] = thresholds
        self.thresholds_version += 1

    def with_threshold(self, threshold: float) -> "Layer":
        """Return a layer that reads the same weights and has other thresholds, to look at what samples reach."""
        other = copy.copy(self)
        other.inference_thresholds, other._spare = np.full(self.n_neurons, threshold, REAL), []
        return other

    def state(self) -> dict[str, Array]:
        """Return all arrays that a saved layer consists of, by name."""
        return {
            "weights": self.rows.array,
            "thresholds": self.inference_thresholds,
            "target_norms": self._target_norms,
        }

    def set_state(self, arrays: Mapping[str, Array]) -> None:
        """Take over arrays that `state` returned, read back."""
        norms = arrays["target_norms"]
        ok = norms > 0 if self.config.w_norm else norms >= 0
        require(bool(ok.all()), "target_norms", "must be > 0 with w_norm, and >= 0 without", norms.min())
        self._replace(arrays["weights"], norms)
        self.inference_thresholds[:] = arrays["thresholds"]
        self.thresholds_version += 1

    @property
    def target_norms(self) -> Array | None:
        """Sum of absolute weights that each neuron keeps, shape (n_neurons,), or None without ``w_norm``."""
        return self._target_norms if self.config.w_norm else None

    def make_neuron(self) -> Neuron:
        """Return a neuron model of this layer's kind, for one thread."""
        return self.config.neuron_model.build(self.n_inputs)

    def input_major(self, n_spikes: int, at_once: bool = False) -> InputMajorWeights | None:
        """Return the input-major copy of the weights as they are, or None if it would not pay yet.

        It is made once enough was asked for: few samples are decided from the rows, which is what
        an online system needs that learns between two of them.

        Parameters
        ----------
        n_spikes : int
            Input spikes of the samples that are to come.
        at_once : bool, default=False
            Make it whatever it costs.
        """
        if self._input_major is None or self._input_major.version != self.rows.version:
            # Making a copy takes about as long as charging n_inputs spikes from the rows, so as many must come first.
            version, n_asked = self._asked
            n_asked = n_spikes + (n_asked if version == self.rows.version else 0)
            self._asked = self.rows.version, n_asked
            self._input_major = None
            if at_once or n_asked > self.n_inputs:
                self._input_major = InputMajorWeights(self.rows)
        return self._input_major

    @contextlib.contextmanager
    def inference(self, n_spikes: int, at_once: bool = False) -> Iterator[Inference]:
        """Lend the layer as it decides now, to one caller while the block lasts; see `new_inference`.

        Parameters
        ----------
        n_spikes, at_once
            As for `input_major`.
        """
        copy = self.input_major(n_spikes, at_once)
        try:
            spare = self._spare.pop()  # which no other thread has then
        except IndexError:
            spare = None
        lent = self.new_inference(copy) if spare is None or spare[0] is not copy else spare[1]
        yield lent
        self._spare[:] = [(copy, lent)]

    @property
    def changes(self) -> int:
        """Counts changes of weights and assignments of thresholds."""
        return self.rows.version + self.thresholds_version

    def events(self, position: int) -> EventLayer:
        """Return the layer, for one thread, as one that is charged event by event: with copies of the weights.

        Parameters
        ----------
        position : int
            In the network.

        Raises
        ------
        DataError
            If its neurons do more than integrate and leak exponentially.
        """
        n_padded = padded(self.n_neurons)
        weights, thresholds = aligned((self.n_inputs, n_padded), REAL), aligned(n_padded, REAL)
        weights[:, : self.n_neurons] = self.rows.array.T
        thresholds[:] = 1
        thresholds[: self.n_neurons] = self.inference_thresholds
        events = DenseEvents(position, self.n_neurons, weights, thresholds, 1.0)
        try:
            events.leak(self.config.neuron_model.time_constant())
        except DataError:
            rule = "must integrate, and leak exponentially if at all, to be charged spike by spike"
            raise DataError(f"network[{position}].neuron: {rule}, got another model") from None
        return events

    def new_inference(self, copy: InputMajorWeights | None) -> Inference:
        """Return an instance for another thread, which reads this copy, or the rows."""
        layout = 1, self.n_neurons, 0
        forward = (
            ExactForward(self.rows, layout, self.max_time)
            if copy is None
            else InputMajorForward(self.rows, layout, self.max_time, copy)
        )
        return Inference(forward, self.make_neuron(), self.inference_thresholds)
