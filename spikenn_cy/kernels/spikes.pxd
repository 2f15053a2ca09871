"""One sample's input spikes, as all kernels read them."""
from libc.stdint cimport int32_t


cdef extern from "spikes.h" nogil:
    ctypedef struct Spikes:
        const int32_t *inputs  # sorted by time
        const float *times
        const float *decay     # NULL: potentials do not leak
        Py_ssize_t count
