/* The inner loops of a fully connected layer, as one table of functions per instruction set. */
#ifndef SPIKENN_CY_DENSE_H
#define SPIKENN_CY_DENSE_H

#include "spikes.h"

#define ROW_LANES 16   /* lanes of a sum over a row */
#define BLOCK_MAX 8    /* neurons that `charge_rows` integrates at once */
#define LANES 8        /* neurons in one vector of an input-major block */
#define VECTORS_MAX 8  /* vectors that `charge_lanes` integrates at once */
#define COARSE_MAX 32766   /* largest coarse weight */
#define PLACES_OF 32       /* coarse rows have places for a multiple of so many inputs: of any variant's strip */
#define STRIP_LEAST 8      /* inputs of the smallest strip */
#define AHEAD 16           /* samples whose potentials are estimated at once; a bit of two bytes each */
#define COARSE_INPUTS 65500 /* of whom the sum of coarse weights, and the number, fit four bytes */

/* One neuron's synaptic weights: those that are stored, times a factor that is still to be applied to all of them. */
typedef struct {
    const float *weights;
    float factor;
} Row;

/* Integrate spikes k, k + 1, ... < end, up to and including the first group of equal times after which some
 * potential exceeds its threshold. Returns the position after the last spike integrated. `rising` promises
 * that no synaptic weight is negative. */
typedef ptrdiff_t (*ChargeRows)(const Row *rows, const Spikes *spikes, ptrdiff_t k, ptrdiff_t end, int rising,
                                float *potentials, const float *thresholds);
typedef ptrdiff_t (*ChargeLanes)(const float *block, const Spikes *spikes, ptrdiff_t k, ptrdiff_t end, int rising,
                                 float *potentials, const float *thresholds);

typedef void (*SumMembers)(const int16_t *const *rows, const uint16_t *members, int sample, const int32_t *strips,
                           ptrdiff_t n_strips, int32_t *sums);

/* What an input's spike is to a neuron that learns. */
enum { SILENT = 0, CAUSAL = 1, ANTICAUSAL = 2 };

/* Change of one row: the factor that is still to be applied, then a step by the mark of the input, then the bounds. */
typedef struct {
    float factor;
    float changes[4];      /* by mark; the last is not used */
    float lowest, highest; /* between which all weights are before the bounds are applied */
    float w_min, w_max;
} Step;

typedef struct {
    ChargeRows charge_rows[BLOCK_MAX + 1];       /* by the number of rows */
    ChargeLanes charge_lanes[VECTORS_MAX + 1];   /* by the number of vectors of an input-major block */
    /* List, for each sample, the strips that hold a member of it, `room` after those of the sample before, and their
     * number. A member is an input with a bit for each sample; there are members for a whole number of strips. */
    void (*list_strips)(const uint16_t *members, ptrdiff_t n, ptrdiff_t room, int32_t *strips, ptrdiff_t *n_strips);
    /* Add to `counts`, for each sample, how many of these inputs are its members; or `take` them from it. */
    void (*count_members)(const uint16_t *members, const int32_t *inputs, ptrdiff_t n, int take, uint16_t *counts);
    /* By the number of rows: for each, write the sum of its coarse weights of a sample's members in these strips. */
    SumMembers sum_members[BLOCK_MAX + 1];
    /* Write `row * scale`, rounded towards 0; weights are not negative, and at most COARSE_MAX of it. */
    void (*coarsen_row)(const float *row, ptrdiff_t n, float scale, int16_t *coarse);
    /* Returns sum |w|, and writes between which bounds all weights are now: the lowest or highest of them, where a
     * bound of the step had to be applied. */
    float (*step_row)(float *row, const int32_t *marks, ptrdiff_t n, const Step *step, float *lowest, float *highest);
    /* List the inputs whose weights the step will have to bring back to a bound, and by how much, as long as there is
     * `room`. Returns their number; more than `room` if there are more. */
    ptrdiff_t (*find_clipped)(const float *row, const int32_t *marks, ptrdiff_t n, const Step *step, ptrdiff_t room,
                              int32_t *inputs, double *by);
    void (*scale_row)(float *row, ptrdiff_t n, float factor);
    float (*sum_row)(const float *row, ptrdiff_t n); /* sum |w| */
    /* Between which bounds the weights are; -inf and inf if one is no number, or not finite. */
    void (*range_of_row)(const float *row, ptrdiff_t n, float *lowest, float *highest);
} DenseKernels;

#endif
