/* The inner loops of a spiking convolution, as one table of functions per instruction set.
 *
 * Filters lie in blocks of up to FIELD_WIDTH side by side, so that one input spike charges a block with a few vector
 * additions and the potentials of a block stay in registers while the spikes of a receptive field pass. A potential is
 * summed strictly in the order of the spikes, lane by lane: the bits do not depend on the width of a vector. */
#ifndef SPIKENN_CY_CONVOLUTION_H
#define SPIKENN_CY_CONVOLUTION_H

#include <stddef.h>
#include <stdint.h>

#define FIELD_GROUP 16 /* filters that a block of filters is a multiple of; of any variant's FIELD_LANES */
#define FIELD_WIDTH 64 /* filters in the widest block */
#define COARSE_GROUP 32  /* the same of coarse filters, whose weights take two bytes */
#define COARSE_WIDTH 128
#define COARSE_NEVER 32767 /* rank of the spike of a filter that has none; more than any other */
#define CORRELATE_STEP 32

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
    FireField fire_field[FIELD_WIDTH / FIELD_GROUP + 1]; /* by the number of groups in a block */
    FireCoarse fire_coarse[COARSE_WIDTH / COARSE_GROUP + 1];
    void (*correlate)(const float *plane, ptrdiff_t stride, const float *kernel, ptrdiff_t size, ptrdiff_t n_rows,
                      ptrdiff_t n_columns, float *sums); /* added to sums */
    void (*encode)(const float *values, ptrdiff_t n, const float *low, const float *span, int late, float *times);
    void (*exps)(const float *x, ptrdiff_t n, float *exps); /* of x <= 0 */
    void (*learn_field)(float *weights, const float *times, ptrdiff_t n, const FieldStep *step);
    void (*regulate)(float *thresholds, ptrdiff_t n, ptrdiff_t winner, float late, float reward, float share,
                     float least); /* down by `late`, winner up by `reward`, others down by `share` */
} ConvolutionKernels;

#endif
