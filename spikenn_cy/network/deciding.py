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
from spikenn_cy.network.layer import Layer
from spikenn_cy.network.sharing import over_blocks
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
    """

    def __init__(self, layers: Sequence[Layer], n_classes: int) -> None:
        self._layers, self._n_classes = layers, n_classes

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
        if n_threads == 1 and len(layers) == 1:
            work(layers[0].inference(n_spikes), SampleBatch(dataset), slice(n_samples))
            return
        copies = [layer.input_major(n_spikes, at_once=True) for layer in layers]  # which threads share
        # Hidden layers answer densely, so their samples come in bounded blocks.
        size = HIDDEN_BLOCK if len(layers) > 1 else max(1, -(-n_samples // n_threads))

        def block(samples: slice) -> None:
            *before, last = (layer.new_inference(copy) for layer, copy in zip(layers, copies, strict=True))
            work(last, SampleBatch(hidden_spikes(before, dataset[samples])), samples)

        over_blocks(n_samples, size, n_threads, block)
