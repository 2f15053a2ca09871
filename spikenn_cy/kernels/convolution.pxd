"""First spikes and STDP of the filters of a spiking convolution, for the instruction set in use."""
from libc.stdint cimport int16_t, int32_t

from spikenn_cy.kernels.primitives cimport level


cdef extern from "convolution.h" nogil:
    enum:
        FIELD_GROUP            # filters that a block of filters is a multiple of
        FIELD_WIDTH            # filters in the widest block
        QUANTISED_GROUP        # the same of quantised filters
        QUANTISED_WIDTH
        QUANTISED_NEVER        # rank of the spike of a filter that has none

    ctypedef struct Field:     # the spikes of a receptive field
        const int32_t *ranks   # in the order of time, among the spikes of the image
        Py_ssize_t count
        const int32_t *row_of  # by rank; of the weights, plus `offset`
        int32_t offset

    ctypedef struct FilterBlock:
        const float *rows      # (n_weights, width)
        const float *thresholds
        Py_ssize_t width
        Py_ssize_t too_few     # so many spikes, whichever they are, make no filter reach its threshold

    ctypedef struct QuantisedBlock:
        const int16_t *rows         # (n_weights, width); the sum of all weights of a filter fits
        const int16_t *silent_to    # with a sum up to this, a filter has surely not reached its threshold
        const int16_t *fired_above  # with one above this, it surely has
        Py_ssize_t width
        Py_ssize_t too_few
        const float *columns        # exact weights, filter by filter; (width, n_weights)
        Py_ssize_t n_weights
        const float *thresholds

    ctypedef struct FilterStep:     # STDP of a filter
        float spike            # at which it fired
        float potentiate       # rates, both >= 0
        float depress
        float beta             # of the multiplicative rule
        float tau              # time constant of the rule by the distance in time; 0: the multiplicative one

    ctypedef struct ThresholdStep:  # after a filter fired
        float delay            # how much later than it should, times the rate: all thresholds fall by it
        float reward           # the winner's rises
        float share            # each other one falls
        float least            # what no threshold falls below

    ctypedef void (*FireField)(const FilterBlock *, const Field *, int, int32_t *) noexcept nogil
    ctypedef void (*FireQuantised)(const QuantisedBlock *, const Field *, int16_t *) noexcept nogil

    ctypedef struct ConvolutionKernels:
        FireField *fire_field
        FireQuantised *fire_quantised
        void (*step_filter)(float *, const float *, Py_ssize_t, const FilterStep *) noexcept nogil
        void (*step_thresholds)(float *, Py_ssize_t, Py_ssize_t, const ThresholdStep *) noexcept nogil
        void (*exps)(const float *, Py_ssize_t, float *) noexcept nogil


cdef const ConvolutionKernels **tables      # by instruction set


cdef inline const ConvolutionKernels *convolution() noexcept nogil:
    return tables[level]
