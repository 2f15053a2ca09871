"""What turns images into spikes, for the instruction set in use."""
from spikenn_cy.kernels.primitives cimport level


cdef extern from "images.h" nogil:
    enum:
        CORRELATE_STEP         # columns that `correlate` makes at once

    ctypedef struct Plane:     # one channel of an image, with a margin half as wide as a kernel
        const float *values
        Py_ssize_t stride      # from row to row
        Py_ssize_t n_rows      # without the margin
        Py_ssize_t n_columns   # likewise, and padded to a multiple of CORRELATE_STEP

    ctypedef struct ImageKernels:
        void (*correlate)(const Plane *, const float *, Py_ssize_t, float *) noexcept nogil
        void (*encode)(const float *, Py_ssize_t, const float *, const float *, int, float *) noexcept nogil


cdef const ImageKernels **tables            # by instruction set


cdef inline const ImageKernels *image_kernels() noexcept nogil:
    return tables[level]
