"""The inner loops of a fully connected layer, for the instruction set in use."""
from libc.stdint cimport int16_t, int32_t, uint16_t

from spikenn_cy.kernels.primitives cimport level
from spikenn_cy.kernels.spikes cimport Spikes


cdef extern from "dense.h" nogil:
    enum:
        BLOCK_MAX          # neurons that one call of `charge_rows` takes
        LANES              # neurons in a vector of an input-major block
        VECTORS_MAX        # vectors that one call of `charge_lanes` takes
        COARSE_MAX         # largest coarse weight
        COARSE_INPUTS      # inputs at most whose coarse weights can be summed
        PLACES_OF          # coarse rows have places for a multiple of so many inputs
        STRIP_LEAST        # inputs of the smallest strip in which a variant reads them
        AHEAD              # samples whose potentials are estimated at once

    ctypedef struct Row:
        const float *weights
        float factor           # still to be applied to all of them

    enum:                      # what an input's spike is to a neuron that learns
        SILENT             # 0
        CAUSAL
        ANTICAUSAL

    ctypedef struct Step:
        float factor           # applied before the step
        float changes[4]       # by the mark of the input
        float lowest           # between which all weights are before the bounds are applied
        float highest
        float w_min            # bounds of a synaptic weight after the step
        float w_max

    ctypedef Py_ssize_t (*ChargeRows)(const Row *, const Spikes *, Py_ssize_t, Py_ssize_t, int,
                                      float *, const float *) noexcept nogil
    ctypedef Py_ssize_t (*ChargeLanes)(const float *, const Spikes *, Py_ssize_t, Py_ssize_t, int,
                                       float *, const float *) noexcept nogil

    ctypedef void (*SumMembers)(const int16_t *const *, const uint16_t *, int, const int32_t *, Py_ssize_t,
                                int32_t *) noexcept nogil

    ctypedef struct DenseKernels:
        ChargeRows *charge_rows
        ChargeLanes *charge_lanes
        void (*list_strips)(const uint16_t *, Py_ssize_t, Py_ssize_t, int32_t *, Py_ssize_t *) noexcept nogil
        void (*count_members)(const uint16_t *, const int32_t *, Py_ssize_t, int, uint16_t *) noexcept nogil
        SumMembers *sum_members
        void (*coarsen_row)(const float *, Py_ssize_t, float, int16_t *) noexcept nogil
        float (*step_row)(float *, const int32_t *, Py_ssize_t, const Step *, float *, float *) noexcept nogil
        Py_ssize_t (*find_clipped)(const float *, const int32_t *, Py_ssize_t, const Step *, Py_ssize_t, int32_t *,
                                   double *) noexcept nogil
        void (*scale_row)(float *, Py_ssize_t, float) noexcept nogil
        float (*sum_row)(const float *, Py_ssize_t) noexcept nogil
        void (*range_of_row)(const float *, Py_ssize_t, float *, float *) noexcept nogil


cdef const DenseKernels **tables      # by instruction set


cdef inline const DenseKernels *dense() noexcept nogil:
    return tables[level]
