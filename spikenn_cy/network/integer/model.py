"""The quantised network that users meet: what a trained one becomes to decide in whole numbers."""

import math
import os
from dataclasses import dataclass
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spikenn_cy.data.classes import in_classes
from spikenn_cy.data.classes import require_labels
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.dtypes import INDEX
from spikenn_cy.dtypes import OFFSET
from spikenn_cy.dtypes import STAMP
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.network._batch import SampleBatch
from spikenn_cy.network.door import require_suiting
from spikenn_cy.network.integer import file
from spikenn_cy.network.integer._network import IntegerNetwork
from spikenn_cy.network.integer._network import levels_of
from spikenn_cy.network.integer.layer import THRESHOLD_BYTES
from spikenn_cy.network.integer.layer import IntegerLayer
from spikenn_cy.network.sharing import over_samples
from spikenn_cy.network.sharing import threads_for
from spikenn_cy.utils.validation import whole_number

Indices = npt.NDArray[np.int32]


class IntegerDecisions(NamedTuple):
    """How a quantised network decided samples.

    Attributes
    ----------
    numbers : ndarray of int32, shape (n_samples,)
        Of the class.
    levels : ndarray of int32, shape (n_samples,)
        Of the first output spike; the number of levels where there was none.
    n_fired : ndarray of int32, shape (n_samples,)
        Output neurons that fired at that level: 0 where the largest potential of all decided, 1 where a spike did, more
        where the largest potential of those that fired did.
    n_spikes, n_additions : ndarray of int64, shape (n_samples, n_layers)
        What the decision took: spikes that came to each layer until then, and weights that it added for them.
    """

    numbers: Indices
    levels: Indices
    n_fired: Indices
    n_spikes: npt.NDArray[np.int64]
    n_additions: npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False)
class IntegerReadout:
    """A network of whole numbers, which classifies by its first output spike as `Readout` does.

    `Readout.quantized` makes one, and `load` reads one. It decides in integer arithmetic alone, of which the C that
    ``spikenn_cy.export.export`` writes has the same outcome.

    Attributes
    ----------
    layers : tuple of IntegerLayer
        From the first to the output; each has ``weights`` (int8), ``thresholds`` (int32), ``scale`` and ``n_neurons``.
    bits : int
        Of a weight, with its sign.
    time_bits : int
        Spikes are told apart by ``2 ** time_bits`` levels of time, ``floor(time / max_time * 2 ** time_bits)``.
    max_time : float
        Time of silence, in the data's unit of time.
    classes : ndarray of shape (n_classes,)
        The original label of each class.
    input_shape : tuple of int

    Examples
    --------
    >>> import numpy as np
    >>> from spikenn_cy import Readout, SpikingDataset
    >>> model = Readout.from_config({"network": [{"n_neurons": 2}], "optimizer": {"method": "decision_time"}}, 3, 2)
    >>> model.layers[0].weights = [[0.5, 0.25, 0.0], [0.0, 0.75, 0.5]]
    >>> model.layers[0].thresholds = [0.5, 1.0]
    >>> small = model.quantized(bits=4, time_bits=2)
    >>> small.layers[0].weights
    array([[4, 2, 0],
           [0, 6, 4]], dtype=int8)
    >>> data = SpikingDataset.from_numpy(np.array([[0.1, 0.3, 1.0], [1.0, 0.3, 0.9]]))
    >>> small.predict(data), small.decision_levels(data)
    (array([0, 1]), array([1, 3], dtype=int32))
    """

    layers: tuple[IntegerLayer, ...]
    bits: int
    time_bits: int
    max_time: float
    classes: np.ndarray
    input_shape: tuple[int, ...]

    def __repr__(self) -> str:
        sizes = " -> ".join(f"{n:,}" for n in (self.n_inputs, *(layer.n_neurons for layer in self.layers)))
        widths = f"weights of {self.bits} bits, times of {self.time_bits}"
        return f"<{type(self).__name__} {sizes} neurons, {self.n_classes} classes, {widths}>"

    @property
    def n_inputs(self) -> int:
        """Number of inputs."""
        return math.prod(self.input_shape)

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.classes)

    @property
    def n_levels(self) -> int:
        """Number of levels of time, which is that of silence too."""
        return 1 << self.time_bits

    @property
    def n_bytes(self) -> int:
        """Bytes of weights and thresholds, where weights of 2 bits share a byte by four and those of 3 and 4 by two."""
        per_byte = 8 // storage_bits(self.bits)
        return sum(-(-one.weights.size // per_byte) + THRESHOLD_BYTES * one.thresholds.size for one in self.layers)

    def with_time_bits(self, time_bits: int) -> "IntegerReadout":
        """Return the same network with other levels of time, from 1 to 8 bits."""
        return replace(self, time_bits=whole_number(time_bits, "time_bits", file.TIME_BITS[0], file.TIME_BITS[-1]))

    # Deciding

    def predict(self, dataset: SpikingDataset, n_threads: int = 1) -> np.ndarray:
        """Return the class of each sample's first output spike.

        Ties go to the higher potential, then to the lower neuron; without any spike the highest potential decides.

        Parameters
        ----------
        dataset : SpikingDataset
            Its labels, if it has any, are not looked at.
        n_threads : int, default=1
            Samples are shared out among this many threads; the result is the same.

        Returns
        -------
        labels : ndarray, shape (n_samples,)
            Original labels, elements of ``classes`` and of its dtype.
        """
        labels: np.ndarray = self.classes[self.decide(dataset, n_threads)]
        return labels

    def decide(self, dataset: SpikingDataset, n_threads: int = 1) -> Indices:
        """Return the number of the class of each sample's first output spike, int32; arguments as of `predict`."""
        return self.decisions(dataset, n_threads).numbers

    def decision_levels(self, dataset: SpikingDataset, n_threads: int = 1) -> Indices:
        """Return the level at which each sample is decided, int32, or ``2 ** time_bits`` where no output fires."""
        return self.decisions(dataset, n_threads).levels

    def decision_times(self, dataset: SpikingDataset, n_threads: int = 1) -> npt.NDArray[np.float64]:
        """Return when the level of each decision begins, in the data's unit of time; ``max_time``: no output fires."""
        levels = self.decision_levels(dataset, n_threads).astype(np.float64)
        return levels * (self.max_time / self.n_levels)

    def decisions(self, dataset: SpikingDataset, n_threads: int = 1) -> IntegerDecisions:
        """Return how each sample is decided.

        Parameters
        ----------
        dataset, n_threads
            As in `predict`.

        Returns
        -------
        IntegerDecisions
            ``(numbers, levels, n_fired, n_spikes, n_additions)``.
        """
        require_suiting(dataset, "dataset", self, self.layers[0].conv is not None)
        n, n_threads = len(dataset), threads_for(dataset, n_threads)
        numbers, levels, n_fired = (np.empty(n, INDEX) for _ in range(3))
        counts = np.empty((n, len(self.layers), 2), OFFSET)
        n_per_class = self.layers[-1].n_neurons // self.n_classes

        def share(batch: SampleBatch) -> None:
            kernels = [layer.kernel() for layer in self.layers]
            network = IntegerNetwork(kernels, float(STAMP.type(self.max_time)), self.n_levels)
            network.decide(batch, n_per_class, numbers, levels, n_fired, counts)

        asked = ("integers", *(layer.n_neurons for layer in self.layers))
        over_samples(asked, dataset, n_threads, share)
        return IntegerDecisions(numbers, levels, n_fired, counts[..., 0], counts[..., 1])

    def score(self, dataset: SpikingDataset, n_threads: int = 1) -> float:
        """Return the share of samples whose class is predicted.

        Parameters
        ----------
        dataset : SpikingDataset
            With labels, matched to the training set by ``classes``.
        n_threads : int, default=1
            As in `predict`.
        """
        return float(np.mean(self.decide(dataset, n_threads) == self.labels_of(dataset)))

    def labels_of(self, dataset: SpikingDataset) -> Indices:
        """Return the numbers of the classes that samples have, in the order of ``classes``."""
        require_suiting(dataset, "dataset", self, self.layers[0].conv is not None)
        require_labels(dataset, "dataset")
        rule = "must hold at least one sample"
        require(len(dataset) > 0, dataset.source or "dataset", rule, len(dataset), DataError)
        labels: Indices = in_classes(dataset, self.classes).labels
        return labels

    def levels(self, dataset: SpikingDataset) -> Indices:
        """Return the level of each spike of a data set, int32 of shape (n_spikes,)."""
        require_suiting(dataset, "dataset", self, self.layers[0].conv is not None)
        levels = np.empty(len(dataset.timestamps), INDEX)
        levels_of(dataset.timestamps, float(STAMP.type(self.max_time)), self.n_levels, levels)
        return levels

    # Files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network to one ``.npz`` file, atomically.

        Raises
        ------
        RunError
            If the file cannot be written.
        """
        file.save(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "IntegerReadout":
        """Return a network that `save` wrote.

        Raises
        ------
        DataError
            If there is no such file or it holds anything else.
        """
        return cls(*file.load(path))


def storage_bits(bits: int) -> int:
    """Return how many bits a weight takes, so that none is spread over two bytes."""
    return next(width for width in (2, 4, 8) if width >= bits)
