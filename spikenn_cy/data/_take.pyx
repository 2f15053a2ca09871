"""Chosen samples of a data set, copied into arrays of their own."""
from libc.string cimport memcpy

from spikenn_cy.types cimport index_t, offset_t, stamp_t


def take_samples(
    const offset_t[::1] indptr,
    const index_t[::1] indices,
    const stamp_t[::1] timestamps,
    const offset_t[::1] chosen,
    const offset_t[::1] chosen_indptr,
    index_t[::1] chosen_indices,
    stamp_t[::1] chosen_timestamps,
):
    """Copy the spikes of the samples ``chosen``, in that order, to where ``chosen_indptr`` says.

    All arrays are CSR arrays as in ``SpikingDataset``; ``chosen`` holds sample numbers
    in ``[0, n_samples)``, ``chosen_indptr`` the running sum of their spikes.
    """
    cdef Py_ssize_t c, n
    cdef offset_t start, place
    with nogil:
        for c in range(chosen.shape[0]):
            start = indptr[chosen[c]]
            n = indptr[chosen[c] + 1] - start
            if n > 0:
                place = chosen_indptr[c]
                memcpy(&chosen_indices[place], &indices[start], n * sizeof(index_t))
                memcpy(&chosen_timestamps[place], &timestamps[start], n * sizeof(stamp_t))
