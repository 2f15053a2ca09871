"""How a network of which the last layer learns decides: layer by layer, the last one up to its first spike."""

from collections.abc import Callable
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.dtypes import INDEX
from spikenn_cy.dtypes import REAL
from spikenn_cy.dtypes import STAMP
from spikenn_cy.network._batch import SampleBatch
from spikenn_cy.network._inference import Inference
from spikenn_cy.network._stream import EventStream
from spikenn_cy.network.deep._network import EventNetwork
from spikenn_cy.network.layer import Layer
from spikenn_cy.network.sharing import over_blocks
from spikenn_cy.network.sharing import over_samples
from spikenn_cy.network.sharing import threads_for
from spikenn_cy.network.training import HIDDEN_BLOCK
from spikenn_cy.network.training import hidden_spikes


class LayerDecisions:
    """Decides as the layers are now.

    Parameters
    ----------
    layers : sequence of Layer
        From the first to the one that learns.
    n_classes : int
    copies : bool, default=True
        Whether copies of weights may be made, which layers keep; they take memory and save time.
    """

    def __init__(self, layers: Sequence[Layer], n_classes: int, copies: bool = True) -> None:
        self._layers, self._n_classes, self._copies = layers, n_classes, copies

    def decide(self, dataset: SpikingDataset, n_threads: int) -> npt.NDArray[np.int32]:
        """Return the class index of each sample."""
        first = np.empty(len(dataset), INDEX)
        n_per_class = self._layers[-1].n_neurons // self._n_classes

        def work(inference: Inference, batch: SampleBatch, samples: slice) -> None:
            inference.first_neurons(batch, first[samples], n_per_class)

        self._over_samples(self._layers, dataset, n_threads, work)
        return first

    def first_spikes(
        self, dataset: SpikingDataset, n_threads: int, layer: int
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return when each neuron of a layer fires, and its potential then."""
        layers = self._layers[: layer + 1]
        times = np.empty((len(dataset), layers[-1].n_neurons), STAMP)
        potentials = np.empty(times.shape, REAL)

        def work(inference: Inference, batch: SampleBatch, samples: slice) -> None:
            inference.first_spikes(batch, times[samples], potentials[samples])

        self._over_samples(layers, dataset, n_threads, work)
        return times, potentials

    def class_scores(self, dataset: SpikingDataset, n_threads: int) -> npt.NDArray[np.float64]:
        """Return minus the time of each class's first spike, and less by a few units in the last place in ties."""
        times, potentials = self.first_spikes(dataset, n_threads, len(self._layers) - 1)
        groups = (len(dataset), self._n_classes, -1)
        return class_scores(times.reshape(groups), potentials.reshape(groups))

    def streaming(self) -> EventStream:
        """Return what decides on samples that come spike by spike, by copies of the weights as they are."""
        layers = [layer.events(position) for position, layer in enumerate(self._layers)]
        return EventStream(EventNetwork(layers, self._layers[-1].max_time), at_once=False)

    def _over_samples(
        self,
        layers: Sequence[Layer],
        dataset: SpikingDataset,
        n_threads: int,
        work: Callable[[Inference, SampleBatch, slice], None],
    ) -> None:
        """Do ``work(inference of the last of layers, its input, which samples these are)`` for all samples."""
        n_threads = threads_for(dataset, n_threads)
        n_samples, n_spikes = len(dataset), len(dataset.indices)
        if n_threads == 1 and len(layers) == 1 and self._copies:
            with layers[0].inference(n_spikes) as inference:
                work(inference, SampleBatch(dataset), slice(n_samples))
            return
        # Which threads share.
        copies = [layer.input_major(n_spikes, at_once=True) if self._copies else None for layer in layers]
        if len(layers) == 1:
            asked = (work.__qualname__, *layers[0].shape)
            over_samples(
                asked,
                dataset,
                n_threads,
                lambda batch: work(layers[0].new_inference(copies[0]), batch, slice(n_samples)),
            )
            return

        def begin() -> Callable[[slice], None]:
            *before, last = (layer.new_inference(copy) for layer, copy in zip(layers, copies, strict=True))
            return lambda samples: work(last, SampleBatch(hidden_spikes(before, dataset[samples])), samples)

        # Hidden layers answer densely, so their samples come in bounded blocks.
        over_blocks(n_samples, HIDDEN_BLOCK, n_threads, begin)


def class_scores(times: npt.NDArray[np.float32], potentials: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return minus the first spike time of each class, ordered within a sample as first-spike decisions are.

    Parameters
    ----------
    times, potentials : ndarray of float32, shape (n_samples, n_classes, n_neurons_a_class)
        As ``first_spikes`` returns them.

    Returns
    -------
    scores : ndarray of float64, shape (n_samples, n_classes)
        The first greatest one of each row is the class that `Readout.decide` returns.
    """
    first = times.min(axis=2)
    potential = np.where(times == first[:, :, None], potentials, -np.inf).max(axis=2)
    order = np.lexsort((-potential, first), axis=-1)
    first = np.take_along_axis(first, order, axis=1).astype(np.float64)
    potential = np.take_along_axis(potential, order, axis=1)
    # Rank among the classes that fire together, equal where potentials are equal too.
    later = np.ones(first.shape, bool)
    later[:, 1:] = first[:, 1:] != first[:, :-1]
    lower = np.zeros(first.shape, np.int64)
    lower[:, 1:] = potential[:, 1:] != potential[:, :-1]
    steps = np.cumsum(lower, axis=1)
    rank = steps - np.maximum.accumulate(np.where(later, steps, 0), axis=1)
    # Times are of single precision, so that 2^29 doubles lie between one and the next: no rank reaches that far.
    scores = np.empty(first.shape)
    np.put_along_axis(scores, order, -(first + rank * np.spacing(first)), axis=1)
    return scores
