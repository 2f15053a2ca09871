"""How a network that learns in every layer decides: event by event, up to its first output spike."""

from collections.abc import Callable
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.dtypes import INDEX
from spikenn_cy.dtypes import REAL
from spikenn_cy.dtypes import STAMP
from spikenn_cy.layers.face import NetworkLayer
from spikenn_cy.network._batch import SampleBatch
from spikenn_cy.network._stream import EventStream
from spikenn_cy.network.deep._network import EventNetwork
from spikenn_cy.network.sharing import over_samples
from spikenn_cy.network.sharing import threads_for


class DeepDecisions:
    """Decides as the layers are now.

    Parameters
    ----------
    layers : sequence of NetworkLayer
        From the first to the output.
    window : float
        As in training; no decision depends on it.
    n_classes : int
    """

    def __init__(self, layers: Sequence[NetworkLayer], window: float, n_classes: int) -> None:
        self._layers, self._window, self._n_classes = layers, window, n_classes
        # One network at most that nobody uses, and what the versions of all layers summed up to when it was made.
        self._spare: list[tuple[int, EventNetwork]] = []

    def decide(self, dataset: SpikingDataset, n_threads: int) -> npt.NDArray[np.int32]:
        """Return the class index of each sample."""
        classes, times = np.empty(len(dataset), INDEX), np.empty(len(dataset), STAMP)
        n_per_class = self._layers[-1].n_neurons // self._n_classes

        def work(network: EventNetwork, batch: SampleBatch, samples: slice) -> None:
            network.decide(batch, n_per_class, classes[samples], times[samples])

        self._over_samples(dataset, n_threads, work)
        return classes

    def first_spikes(
        self, dataset: SpikingDataset, n_threads: int, layer: int
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return when each unit of a layer fires, and its potential then."""
        times = np.empty((len(dataset), self._layers[layer].n_neurons), STAMP)
        potentials = np.empty(times.shape, REAL)

        def work(network: EventNetwork, batch: SampleBatch, samples: slice) -> None:
            network.first_spikes(batch, layer, times[samples], potentials[samples])

        self._over_samples(dataset, n_threads, work)
        return times, potentials

    def class_scores(self, dataset: SpikingDataset, n_threads: int) -> npt.NDArray[np.float64]:
        """Return the largest potential of each class's neurons at the decision."""
        potentials = np.empty((len(dataset), self._layers[-1].n_neurons), REAL)

        def work(network: EventNetwork, batch: SampleBatch, samples: slice) -> None:
            network.decision_potentials(batch, potentials[samples])

        self._over_samples(dataset, n_threads, work)
        of_classes = potentials.reshape(len(dataset), self._n_classes, -1)
        scores: npt.NDArray[np.float64] = of_classes.max(axis=2).astype(np.float64)
        return scores

    def streaming(self) -> EventStream:
        """Return what decides on samples that come spike by spike, by the weights as they are."""
        return EventStream(self._new(), at_once=True)

    def _over_samples(
        self, dataset: SpikingDataset, n_threads: int, work: Callable[[EventNetwork, SampleBatch, slice], None]
    ) -> None:
        n, n_threads = len(dataset), threads_for(dataset, n_threads)
        if n_threads == 1:  # which an online system asks between two steps
            made = self._one()
            work(made[1], SampleBatch(dataset), slice(n))
            self._spare[:] = [made]
            return

        asked = (work.__qualname__, *(layer.n_neurons for layer in self._layers))
        over_samples(asked, dataset, n_threads, lambda batch: work(self._new(), batch, slice(n)))

    def _one(self) -> tuple[int, EventNetwork]:
        """Return a network that no other thread has, anew where its weights are copies of ones that have changed."""
        version = sum(layer.version for layer in self._layers) if self._copies else 0
        try:
            spare = self._spare.pop()
        except IndexError:
            return version, self._new()
        return spare if spare[0] == version else (version, self._new())

    @property
    def _copies(self) -> bool:
        return any(layer.config.dropout for layer in self._layers)

    def _new(self) -> EventNetwork:
        """Return the network for one thread."""
        kept = [1.0, *(1 - layer.config.dropout for layer in self._layers)]
        layers = [layer.compiled(self._window, share) for layer, share in zip(self._layers, kept, strict=False)]
        return EventNetwork(layers, self._layers[-1].max_time)
