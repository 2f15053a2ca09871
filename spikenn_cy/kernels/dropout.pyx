"""Dropout masks that are computed where they are needed instead of being stored."""
from libc.stdint cimport uint64_t

import numpy as np

from spikenn_cy.dtypes import FLAG
from spikenn_cy.types cimport flag_t


cdef extern from "philox.h" nogil:
    void philox_block(const uint64_t *key, const uint64_t *counter, uint64_t *block)


cdef void c_draw_words(
    uint64_t key, uint64_t stream, uint64_t sample, uint64_t layer, uint64_t place, uint64_t *words
) noexcept nogil:
    # The four words of the stream at a place.
    cdef uint64_t keys[2]
    cdef uint64_t counter[4]
    keys[0], keys[1] = key, 0
    counter[0], counter[1], counter[2], counter[3] = place, layer, sample, stream
    philox_block(keys, counter, words)


cdef void c_draw_mask(
    uint64_t key,                # drawn by the run's generator once an epoch
    uint64_t stream,
    uint64_t sample,             # position in the data set
    uint64_t layer,              # position in the network
    double rate,                 # probability of a 1
    flag_t[::1] dropped,         # OUT
) noexcept nogil:
    cdef uint64_t words[4]
    cdef Py_ssize_t j
    for j in range(dropped.shape[0]):
        if j % 4 == 0:
            c_draw_words(key, stream, sample, layer, j // 4, words)
        dropped[j] = uniform(words[j % 4]) < rate


cdef bint c_is_dropped(
    uint64_t key, uint64_t stream, uint64_t sample, uint64_t layer, double rate, uint64_t unit
) noexcept nogil:
    # One entry of the mask, for where few are asked for.
    cdef uint64_t words[4]
    c_draw_words(key, stream, sample, layer, unit // 4, words)
    return uniform(words[unit % 4]) < rate


def draw_mask(uint64_t key, Stream stream, uint64_t sample, uint64_t layer, double rate, Py_ssize_t n):
    """Return a dropout mask.

    Parameters
    ----------
    key : int
        Key of the epoch, 64 bits.
    stream : int
        0 for output neurons, 1 for inputs.
    sample, layer : int
        Position of the sample in its data set and of the layer in its network.
    rate : float
        Probability that an entry is dropped, in [0, 1).
    n : int
        Length of the mask.

    Returns
    -------
    dropped : ndarray of uint8, shape (n,)

    Notes
    -----
    Entry ``j`` is word ``j % 4`` of the Philox4x64-10 block with counter
    ``(j // 4, layer, sample, stream)``, which is ``numpy.random.Philox``'s.
    """
    dropped = np.empty(n, FLAG)
    c_draw_mask(key, stream, sample, layer, rate, dropped)
    return dropped
