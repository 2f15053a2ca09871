"""The inner loops of a fully connected layer, for the instruction set in use."""
from libc.stdint cimport int16_t, int32_t

from spikenn_cy.kernels.primitives cimport level
from spikenn_cy.kernels.spikes cimport Spikes


cdef extern from "dense.h" nogil:
    enum:
        BLOCK_MAX          # neurons that one call of `charge_rows` takes
        LANES              # neurons in a vector of an input-major block
        VECTORS_MAX        # vectors that one call of `charge_lanes` takes
        WHOLE_MAX          # largest weight as a whole number

    ctypedef struct Row:
        const float *weights
        float scale            # still pending for all of them

    enum:                      # what an input's spike is to a neuron that learns
        SILENT             # 0
        CAUSAL
        ANTICAUSAL

    ctypedef struct RowRange:
        float min              # -inf: not known
        float max              # inf: not known

    ctypedef struct WholeRow:
        int16_t *to            # weights as whole numbers; NULL: nowhere
        float scale            # what each was multiplied by

    ctypedef struct WeightStep:
        float scale            # applied before the step
        float changes[4]       # by the label of the input
        RowRange range         # between which all weights are before the bounds are applied
        float w_min            # bounds of a synaptic weight after the step
        float w_max
        WholeRow whole         # OUT

    ctypedef Py_ssize_t (*ChargeRows)(const Row *, const Spikes *, Py_ssize_t, int, float *,
                                      const float *) noexcept nogil
    ctypedef Py_ssize_t (*ChargeLanes)(const float *, const Spikes *, Py_ssize_t, int, float *,
                                       const float *) noexcept nogil

    ctypedef struct DenseKernels:
        ChargeRows *charge_rows
        ChargeLanes *charge_lanes
        float (*step_row)(float *, const int32_t *, Py_ssize_t, const WeightStep *, RowRange *) noexcept nogil
        void (*round_row)(const float *, Py_ssize_t, const WholeRow *) noexcept nogil
        void (*scale_row)(float *, Py_ssize_t, float) noexcept nogil
        float (*sum_row)(const float *, Py_ssize_t) noexcept nogil


cdef const DenseKernels **tables      # by instruction set


cdef inline const DenseKernels *dense() noexcept nogil:
    return tables[level]
