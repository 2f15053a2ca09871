"""The C primitives of the hot loops and the instruction set they run with."""
from libc.stdint cimport int16_t, int32_t, uint16_t


cdef extern from "primitives.h" nogil:
    enum:
        BLOCK_MAX          # neurons that one call of `charge_rows` takes
        LANES              # neurons in a vector of an input-major block
        VECTORS_MAX        # vectors that one call of `charge_lanes` takes
        COARSE_MAX         # largest coarse weight
        COARSE_INPUTS      # inputs at most whose coarse weights can be summed
        PLACES_OF          # coarse rows have places for a multiple of so many inputs
        STRIP_LEAST        # inputs of the smallest strip in which a variant reads them
        AHEAD              # samples whose potentials are estimated at once
        FIELD_GROUP        # filters that a block of filters is a multiple of
        FIELD_WIDTH        # filters in the widest block
        COARSE_GROUP       # the same of coarse filters
        COARSE_WIDTH
        COARSE_NEVER       # rank of the spike of a filter that has none
        CORRELATE_STEP     # columns that `correlate` makes at once

    ctypedef struct Spikes:
        const int32_t *inputs  # sorted by time
        const float *times
        const float *decay     # NULL: potentials do not leak
        Py_ssize_t count

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

    ctypedef struct Primitives:
        const char *name
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
        FireField *fire_field
        FireCoarse *fire_coarse
        void (*correlate)(const float *, Py_ssize_t, const float *, Py_ssize_t, Py_ssize_t, Py_ssize_t,
                          float *) noexcept nogil
        void (*encode)(const float *, Py_ssize_t, const float *, const float *, int, float *) noexcept nogil
        void (*exps)(const float *, Py_ssize_t, float *) noexcept nogil
        void (*learn_field)(float *, const float *, Py_ssize_t, const FieldStep *) noexcept nogil
        void (*regulate)(float *, Py_ssize_t, Py_ssize_t, float, float, float, float) noexcept nogil


# Set once at import; `use_instructions` changes it for tests and measurements, between calls only.
cdef const Primitives *active
