/* The inner loops that decide the library's speed, as one table of functions per instruction set.
 *
 * Every variant computes the same bits: element-wise work has no order, a potential is summed strictly in
 * the order of its spikes, and a sum over a row has ROW_LANES lanes folded pairwise whatever the register width.
 */
#ifndef SPIKENN_CY_PRIMITIVES_H
#define SPIKENN_CY_PRIMITIVES_H

#include <stddef.h>
#include <stdint.h>

#define ROW_LANES 16   /* lanes of a sum over a row */
#define BLOCK_MAX 8    /* neurons that `charge_rows` integrates at once */
#define LANES 8        /* neurons in one vector of an input-major block */
#define VECTORS_MAX 8  /* vectors that `charge_lanes` integrates at once */
#define COARSE_MAX 32766   /* largest coarse weight */
#define PLACES_OF 32       /* coarse rows have places for a multiple of so many inputs: of any variant's strip */
#define STRIP_LEAST 8      /* inputs of the smallest strip */
#define AHEAD 16           /* samples whose potentials are estimated at once; a bit of two bytes each */
#define COARSE_INPUTS 65500 /* of whom the sum of coarse weights, and the number, fit four bytes */
#define FIELD_GROUP 16 /* filters that a block of filters is a multiple of; of any variant's FIELD_LANES */
#define FIELD_WIDTH 64 /* filters in the widest block */
#define COARSE_GROUP 32  /* the same of coarse filters, whose weights take two bytes */
#define COARSE_WIDTH 128
#define COARSE_NEVER 32767 /* rank of the spike of a filter that has none; more than any other */
#define CORRELATE_STEP 32

/* One sample's spikes, sorted by time. `decay` is NULL for neurons that do not leak; else decay[k] is what a
 * potential keeps between the group before spike k and the group that begins with it. */
typedef struct {
    const int32_t *inputs;
    const float *times;
    const float *decay;
    ptrdiff_t count;
} Spikes;

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

/* Let the spikes of a receptive field, given by rank in the order of time, charge a block of filters. The spike of
 * rank r adds row `row_of[r] - offset` of the block's weights, which are never negative. `first` holds the earliest
 * rank known for each filter and is lowered to that of the spike with which the potential reaches the threshold.
 * The first `unseen` spikes, at most `count`, are known to make no filter reach its threshold.
 * With `until_first` it may end after the first such spike; ranks after that one may then be missing. */
typedef void (*FireField)(const float *rows, const int32_t *ranks, ptrdiff_t count, const int32_t *row_of,
                          int32_t offset, const float *thresholds, ptrdiff_t unseen, int until_first,
                          int32_t *first);

/* A block of filters whose weights are rounded to whole numbers, to a scale of each filter's own. */
typedef struct {
    const int16_t *rows;     /* (n_weights, filters of the block); sums of all fit */
    const int16_t *may;      /* a sum that is no more than this is of a potential surely below the threshold, */
    const int16_t *must;     /* and one that is more than this of one that surely is not */
    const float *columns;    /* exact weights, filter by filter */
    const float *thresholds;
    ptrdiff_t n_weights;
} CoarseFilters;

/* As FireField, with the same outcome; all ranks are below COARSE_NEVER, and the sums of a filter not above it. */
typedef void (*FireCoarse)(const CoarseFilters *filters, const int32_t *ranks, ptrdiff_t count, const int32_t *row_of,
                           int32_t offset, ptrdiff_t unseen, int16_t *first);

/* STDP of one filter's weights, which stay in [0, 1]: multiplicative, or by the distance in time if `decay` > 0. */
typedef struct {
    float spike;
    float potentiate, depress; /* both >= 0 */
    float beta, decay;
} FieldStep;

typedef struct {
    const char *name;
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
    FireField fire_field[FIELD_WIDTH / FIELD_GROUP + 1]; /* by the number of groups in a block */
    FireCoarse fire_coarse[COARSE_WIDTH / COARSE_GROUP + 1];
    void (*correlate)(const float *plane, ptrdiff_t stride, const float *kernel, ptrdiff_t size, ptrdiff_t n_rows,
                      ptrdiff_t n_columns, float *sums); /* added to sums */
    void (*encode)(const float *values, ptrdiff_t n, const float *low, const float *span, int late, float *times);
    void (*exps)(const float *x, ptrdiff_t n, float *exps); /* of x <= 0 */
    void (*learn_field)(float *weights, const float *times, ptrdiff_t n, const FieldStep *step);
    void (*regulate)(float *thresholds, ptrdiff_t n, ptrdiff_t winner, float late, float reward, float share,
                     float least); /* down by `late`, winner up by `reward`, others down by `share` */
} Primitives;

#endif
