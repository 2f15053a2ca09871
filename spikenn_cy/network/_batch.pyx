"""Samples on their way through a loop, as kernels read them."""
import cython

from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcpy

import numpy as np

from spikenn_cy.dtypes import INDEX, OFFSET
from spikenn_cy.errors import DataError
from spikenn_cy.kernels.shares cimport shares_begin, shares_take
from spikenn_cy.kernels.spikes cimport Spikes
from spikenn_cy.types cimport index_t, offset_t


@cython.final
cdef class SharedSamples:
    """Samples of which each is taken by one batch of several, block by block; each thread has a batch of its own.

    Parameters
    ----------
    first, end : int
        Samples first ... end - 1.
    size : int
        Of a block.
    """

    def __init__(self, Py_ssize_t first, Py_ssize_t end, Py_ssize_t size):
        shares_begin(&self.shares, first, end, size)


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
    shared : SharedSamples, optional
        Which samples ``next`` takes, in common with other batches; without it all.

    Attributes
    ----------
    n_samples, key : int
    """

    def __init__(
        self, dataset, order=None, numbers=None, uint64_t key=0, weights=None, SharedSamples shared=None
    ):
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
        self.shared, self.at, self.end = shared, 0, 0 if shared is not None else self.n_samples
        self.mapped, self.source, self.n_inputs = dataset._mapped, dataset.source, dataset.n_inputs
        if self.mapped:
            self.copied = np.empty(max(1, min(self.n_inputs, self.inputs.shape[0])), INDEX)

    cdef bint next(self, Py_ssize_t *i, Spikes *spikes) noexcept nogil:
        # The next sample of this batch and its spikes, or False when there is none; then again from the first one,
        # unless samples are shared.
        if self.at == self.end and (self.shared is None or not shares_take(&self.shared.shares, &self.at, &self.end)):
            self.at = 0 if self.shared is None else self.end
            return False
        i[0] = self.at
        self.at = self.at + 1
        self.sample(i[0], spikes)
        return True

    cdef void sample(self, Py_ssize_t i, Spikes *spikes) noexcept nogil:
        # The spikes are there until the next call.
        cdef offset_t sample = self.order[i], first = self.indptr[sample]
        spikes.count = self.indptr[sample + 1] - first
        # A sample without a spike has no first element to point at.
        spikes.inputs = &self.inputs[first] if spikes.count else NULL
        spikes.times = &self.times[first] if spikes.count else NULL
        spikes.decay = NULL
        if self.mapped and spikes.count:
            self.copy_inputs(spikes)

    cdef void copy_inputs(self, Spikes *spikes) noexcept nogil:
        # Others can write to a file between any look at it and its use. Inputs are positions in memory, so they are
        # looked at where nobody else can write; no kernel goes astray by a time.
        cdef index_t *copied = &self.copied[0]
        cdef uint32_t outside = 0, last = self.n_inputs - 1
        cdef Py_ssize_t n = spikes.count, k
        if n <= self.copied.shape[0]:
            memcpy(copied, spikes.inputs, n * sizeof(index_t))
            for k in range(n):
                # The top bit of one of the two terms is set if the input is negative or too large.
                outside |= <uint32_t>copied[k] | (last - <uint32_t>copied[k])
        else:  # an input spikes once at most
            outside = <uint32_t>1 << 31
        spikes.inputs = copied
        if outside >> 31:
            spikes.count, self.changed = 0, True

    cdef int require_unchanged(self) except -1:
        # Raises where a sample of a mapped file was found to be none any more.
        if self.changed:
            raise DataError(f"{self.source or 'data'}: must stay as it is while it is used, got a changed file")
        return 0
