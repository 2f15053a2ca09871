"""Samples as a training sees them: images that are shifted and flipped, spike by spike."""
import cython

from libc.math cimport floor
from libc.stdint cimport uint64_t

import numpy as np

from spikenn_cy.dtypes import INDEX, STAMP
from spikenn_cy.kernels.dropout cimport AUGMENTATION, c_draw_words, uniform
from spikenn_cy.kernels.spikes cimport Spikes
from spikenn_cy.types cimport index_t


cdef index_t moved(uint64_t word, index_t shift) noexcept nogil:
    return <index_t>floor(uniform(word) * (2 * shift + 1)) - shift


@cython.final
cdef class Augmentation:
    """Moves each sample by up to ``shift`` rows and columns and flips half of them from left to right.

    Spikes keep their times and their order; those that leave the frame are lost. What is drawn depends on the
    epoch's key and on the sample's number alone: words 0, 1, 2 of the Philox4x64-10 block with counter
    ``(0, 0, sample, 3)`` are the shift of rows, that of columns, and the flip.

    Parameters
    ----------
    input_shape : tuple of int
        Rows, columns, channels; input ``(y * columns + x) * channels + c``.
    shift : int
    flip : bool
    """

    def __init__(self, input_shape, index_t shift, bint flip):
        self.rows, self.columns, self.channels = input_shape
        self.shift, self.flip = shift, flip
        n = self.rows * self.columns * self.channels
        self.inputs, self.times = np.zeros(n, INDEX), np.zeros(n, STAMP)

    cdef void change(self, Spikes *spikes, uint64_t key, uint64_t sample) noexcept nogil:
        cdef uint64_t words[4]
        cdef index_t down, right, y, x, cell
        cdef bint flips
        cdef Py_ssize_t k, n = 0
        c_draw_words(key, AUGMENTATION, sample, 0, 0, words)
        down, right = moved(words[0], self.shift), moved(words[1], self.shift)
        flips = self.flip and uniform(words[2]) < 0.5
        for k in range(spikes.count):
            cell = spikes.inputs[k] // self.channels
            y, x = cell // self.columns, cell % self.columns
            x = self.columns - 1 - x if flips else x
            y, x = y + down, x + right
            if 0 <= y < self.rows and 0 <= x < self.columns:
                self.inputs[n] = (y * self.columns + x) * self.channels + spikes.inputs[k] % self.channels
                self.times[n] = spikes.times[k]
                n += 1
        spikes.inputs, spikes.times, spikes.count = &self.inputs[0], &self.times[0], n
