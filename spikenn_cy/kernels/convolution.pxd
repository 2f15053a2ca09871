"""The inner loops of a spiking convolution, for the instruction set in use."""
from libc.stdint cimport int16_t, int32_t

from spikenn_cy.kernels.primitives cimport level


cdef extern from "convolution.h" nogil:
    enum:
        FIELD_GROUP        # filters that a block of filters is a multiple of
        FIELD_WIDTH        # filters in the widest block
        COARSE_GROUP       # the same of coarse filters
        COARSE_WIDTH
        COARSE_NEVER       # rank of the spike of a filter that has none
        CORRELATE_STEP     # columns that `correlate` makes at once

    ctypedef void (*FireField)(const float *, const int32_t *, Py_ssize_t, const int32_t *, int32_t,
                               const float *, Py_ssize_t, int, int32_t *) noexcept nogil

    ctypedef struct CoarseFilters:
        const int16_t *rows    # (n_weights, filters of the block); sums of all fit
        const int16_t *may     # a sum no more than this is of a potential surely below the threshold
        const int16_t *must    # one that is more, of one that surely is not
        const float *columns   # exact weights, filter by filter
        const float *thresholds
        Py_ssize_t n_weights

    ctypedef void (*FireCoarse)(const CoarseFilters *, const int32_t *, Py_ssize_t, const int32_t *, int32_t,
                                Py_ssize_t, int16_t *) noexcept nogil

    ctypedef struct FieldStep:
        float spike            # time of the winner's spike
        float potentiate       # rates, both >= 0
        float depress
        float beta             # of multiplicative STDP
        float decay            # time constant, of STDP by the distance in time; 0: multiplicative

    ctypedef struct ConvolutionKernels:
        FireField *fire_field
        FireCoarse *fire_coarse
        void (*correlate)(const float *, Py_ssize_t, const float *, Py_ssize_t, Py_ssize_t, Py_ssize_t,
                          float *) noexcept nogil
        void (*encode)(const float *, Py_ssize_t, const float *, const float *, int, float *) noexcept nogil
        void (*exps)(const float *, Py_ssize_t, float *) noexcept nogil
        void (*learn_field)(float *, const float *, Py_ssize_t, const FieldStep *) noexcept nogil
        void (*regulate)(float *, Py_ssize_t, Py_ssize_t, float, float, float, float) noexcept nogil


cdef const ConvolutionKernels **tables      # by instruction set


cdef inline const ConvolutionKernels *convolution() noexcept nogil:
    return tables[level]
