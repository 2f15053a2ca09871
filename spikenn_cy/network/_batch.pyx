"""Samples on their way through a loop, as kernels read them."""
import cython

from libc.stdint cimport uint64_t

import numpy as np

from spikenn_cy.dtypes import OFFSET
from spikenn_cy.kernels.spikes cimport Spikes
from spikenn_cy.types cimport offset_t


@cython.final
cdef class SampleBatch:
    """Samples of a data set, in an order.

    Parameters
    ----------
    dataset : SpikingDataset
    order : ndarray of int64, optional
        Positions of the samples, in this order; without it all of them, one after the other.
    numbers : ndarray of int64, optional
        What each is called in the dropout's counter; default: its position.
    key : int, default=0
        The epoch's dropout key, 64 bits.
    weights : ndarray of float32, optional
        Factor on the errors of each sample of the data set; without it all are 1.

    Attributes
    ----------
    n_samples, key : int
    """

    def __init__(self, dataset, order=None, numbers=None, uint64_t key=0, weights=None):
        if order is None:
            order = np.arange(len(dataset), dtype=OFFSET)
        self.indptr, self.inputs, self.times = dataset.indptr, dataset.indices, dataset.timestamps
        self.labels = dataset.labels
        self.order = order
        self.numbers = self.order if numbers is None else numbers
        self.weighted = weights is not None
        if self.weighted:
            self.weights = weights
        self.n_samples, self.key = self.order.shape[0], key

    cdef void sample(self, Py_ssize_t i, Spikes *spikes) noexcept nogil:
        cdef offset_t sample = self.order[i], first = self.indptr[sample]
        spikes.count = self.indptr[sample + 1] - first
        # A sample without a spike has no first element to point at.
        spikes.inputs = &self.inputs[first] if spikes.count else NULL
        spikes.times = &self.times[first] if spikes.count else NULL
        spikes.decay = NULL
