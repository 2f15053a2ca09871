"""A layer's synaptic weights as kernels see them, and an input-major copy that follows what rows learn."""
import cython

from libc.math cimport INFINITY

import numpy as np

from spikenn_cy.dtypes import INDEX, REAL
from spikenn_cy.kernels.dense cimport LANES, VECTORS_MAX, RowRange
from spikenn_cy.kernels.weights cimport WeightRows
from spikenn_cy.types cimport index_t, real_t
from spikenn_cy.utils.alignment import aligned


@cython.final
cdef class LayerWeights:
    """Synaptic weights, row by row, with what is known of each row.

    Parameters
    ----------
    array : ndarray of float32, shape (n_neurons, n_inputs)
        Trained in place.
    target_norms : ndarray of float32, shape (n_neurons,), optional
        Sum of absolute weights that each neuron keeps, if it is to keep any.
    non_negative : bool, default=False
        No weight is negative, nor will be.

    Attributes
    ----------
    array : ndarray
    non_negative : bool
    version : int
        Counts changes: what was made of the weights at another version is out of date.
    """

    def __init__(self, array, target_norms=None, bint non_negative=False):
        n_neurons, n_inputs = array.shape
        self.pending_scales = np.ones(n_neurons, REAL)
        self.ranges = np.empty((n_neurons, 2), REAL)
        self.norms = np.zeros(n_neurons, REAL)
        self.rows.n_neurons, self.rows.n_inputs = n_neurons, n_inputs
        self.rows.pending_scales = &self.pending_scales[0]
        self.rows.ranges = <RowRange *>&self.ranges[0, 0]
        self.rows.target_norms = &self.norms[0]
        self.replace(array, target_norms, non_negative)

    def replace(self, array, const real_t[::1] target_norms=None, bint non_negative=False):
        """Take another array of this shape, or the same one with other weights; for the arguments see the class."""
        self.array = self.weights = array
        self.rows.weights = &self.weights[0, 0]
        self.norms[:] = 0
        if target_norms is not None:
            self.norms[:] = target_norms
        self.ranges[:, 0], self.ranges[:, 1] = -INFINITY, INFINITY
        self.rows.non_negative = non_negative
        self.version = self.version + 1

    @property
    def non_negative(self):
        return self.rows.non_negative


@cython.final
cdef class InputMajorWeights:
    """A copy of weights in which all neurons' weights of an input lie side by side, so that one spike charges vectors.

    It consists of blocks of up to 64 neurons, each of shape (n_inputs, width), padded with neurons
    that cannot fire.

    Parameters
    ----------
    weights : LayerWeights
        With no pending scale.
    """

    def __init__(self, LayerWeights weights):
        cdef const WeightRows *rows = &weights.rows
        cdef index_t n_vectors = (rows.n_neurons + LANES - 1) // LANES, n_vectors_of, done = 0, block, j
        self.n_neurons, self.n_inputs, self.version = rows.n_neurons, rows.n_inputs, weights.version
        self.n_blocks = (n_vectors + VECTORS_MAX - 1) // VECTORS_MAX
        self.first_of = np.empty(self.n_blocks + 1, INDEX)
        self.block_of = np.empty(rows.n_neurons, INDEX)
        self.blocks = aligned(<Py_ssize_t>n_vectors * LANES * rows.n_inputs, REAL)
        for block in range(self.n_blocks):
            n_vectors_of = (n_vectors - done) // (self.n_blocks - block)
            self.first_of[block] = done * LANES
            for j in range(done * LANES, min((done + n_vectors_of) * LANES, rows.n_neurons)):
                self.block_of[j] = block
            done += n_vectors_of
        self.first_of[self.n_blocks] = done * LANES
        with nogil:
            for j in range(rows.n_neurons):
                self.copy_row(rows, j)

    cdef void copy_row(self, const WeightRows *rows, index_t neuron) noexcept nogil:
        # Writes a neuron's column: its row times its pending scale.
        cdef index_t block = self.block_of[neuron], first = self.first_of[block]
        cdef Py_ssize_t width = self.first_of[block + 1] - first, i
        cdef const real_t *row = rows.weights + neuron * rows.n_inputs
        cdef real_t *column = &self.blocks[first * self.n_inputs + neuron - first]
        cdef real_t scale = rows.pending_scales[neuron]
        for i in range(rows.n_inputs):
            column[i * width] = row[i] * scale
