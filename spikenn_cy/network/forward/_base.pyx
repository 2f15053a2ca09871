"""How the first spikes of a layer are found: the interface that the loops over samples know."""
from libc.stdint cimport int16_t

import numpy as np

from spikenn_cy.dtypes import INDEX, REAL, STAMP
from spikenn_cy.kernels.layout cimport LayerOutput, Layout, StopAt
from spikenn_cy.kernels.spikes cimport Spikes
from spikenn_cy.kernels.stdp cimport c_apply_pending_scales
from spikenn_cy.kernels.thread_pool cimport ThreadPool
from spikenn_cy.network._weights cimport LayerWeights
from spikenn_cy.types cimport index_t, real_t


cdef class Forward:
    """A way to find the first spikes of a layer; all ways give the same output to the bit.

    One call from Python is ``begin``, then for each sample ``run`` and, for each neuron that learns
    from it, ``whole_row`` before and ``row_changed`` after, then ``end``. Where nothing learns there
    is no ``end``. A subclass overrides what it needs. It may be used by one thread at a time.

    Parameters
    ----------
    weights : LayerWeights
    layout : tuple of int
        ``(n_classes, n_per_class, n_non_target)``.
    max_time : float
        Time of silence.
    """

    def __init__(self, LayerWeights weights, layout, double max_time):
        n_classes, n_per_class, n_non_target = layout
        n_neurons = weights.rows.n_neurons
        self.weights = weights
        self.layout = Layout(n_classes, n_per_class, n_non_target)
        self.max_time = <float>max_time
        self.version = -1
        self.times = np.full(n_neurons, max_time, STAMP)
        self.potentials = np.zeros(n_neurons, REAL)
        self.winner_of = np.zeros(n_classes, INDEX)

    cdef void begin(self, ThreadPool *pool) noexcept nogil:
        # Samples are about to come. If the weights are of another version than this has followed, nothing that was
        # made of them before holds any more.
        self.pool = pool
        self.version = self.weights.version

    cdef void run(
        self,
        const Spikes *spikes,
        const real_t *thresholds,    # of each neuron in this sample; inf: it cannot fire
        const StopAt *stop,
        LayerOutput *output,         # OUT, all but the label; valid until the next call
    ) noexcept nogil:
        pass

    cdef int16_t *whole_row(self, index_t neuron) noexcept nogil:
        # The neuron is about to learn. Returns where its new row is to be written as whole numbers too, if anywhere.
        return NULL

    cdef void row_changed(self, index_t neuron, real_t scale) noexcept nogil:
        # The neuron has learned, and its weights times `scale` were written as whole numbers; 0: they were not.
        # Threads may tell of several neurons at the same time.
        pass

    cdef void end(self) noexcept nogil:
        # Applies what is pending. What others have made of the weights before is out of date from here on.
        c_apply_pending_scales(&self.weights.rows)
        self.weights.version = self.weights.version + 1
        self.version = self.weights.version
        self.pool = NULL
