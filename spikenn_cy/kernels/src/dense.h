/* The inner loops of a fully connected layer, as one table of functions per instruction set. */
#ifndef SPIKENN_CY_DENSE_H
#define SPIKENN_CY_DENSE_H

#include "spikes.h"

#define ROW_LANES 16   /* lanes of a sum over a row */
#define BLOCK_MAX 8    /* neurons that `charge_rows` integrates at once */
#define LANES 8        /* neurons in one vector of an input-major block */
#define VECTORS_MAX 8  /* vectors that `charge_lanes` integrates at once */
#define WHOLE_MAX 32766 /* largest weight as a whole number */

/* One neuron's synaptic weights: those that are stored, times a scale that is still pending for all of them. */
typedef struct {
    const float *weights;
    float scale;
} Row;

/* Integrate spikes from k on, up to and including the first tie (spikes of one time) after which some potential exceeds
 * its threshold. Returns the position after the last spike integrated. `non_negative` promises that no synaptic weight is
 * negative. */
typedef ptrdiff_t (*ChargeRows)(const Row *rows, const Spikes *spikes, ptrdiff_t k, int non_negative, float *potentials,
                                const float *thresholds);
typedef ptrdiff_t (*ChargeLanes)(const float *block, const Spikes *spikes, ptrdiff_t k, int non_negative,
                                 float *potentials, const float *thresholds);

/* What an input's spike is to a neuron that learns. */
enum { SILENT = 0, CAUSAL = 1, ANTICAUSAL = 2 };

/* Between which bounds all weights of a row are; -inf and inf: not known. */
typedef struct {
    float min, max;
} RowRange;

/* A row as whole numbers of two bytes, each `weight * scale` rounded towards 0; weights are not negative, and at most
 * WHOLE_MAX of it. */
typedef struct {
    int16_t *to;
    float scale;
} WholeRow;

/* Change of one row: the scale that is still pending, then a change by the label of the input, then the bounds. */
typedef struct {
    float scale;
    float changes[4]; /* by label; the last is not used */
    RowRange range;   /* between which all weights are before the bounds are applied */
    float w_min, w_max;
    WholeRow whole; /* OUT: the row after the step, unless `to` is NULL */
} WeightStep;

typedef struct {
    ChargeRows charge_rows[BLOCK_MAX + 1];       /* by the number of rows */
    ChargeLanes charge_lanes[VECTORS_MAX + 1];   /* by the number of vectors of an input-major block */
    /* Returns sum |w|, and writes between which bounds all weights are now: the lowest or highest of them, where a
     * bound of the step had to be applied. */
    float (*step_row)(float *row, const int32_t *labels, ptrdiff_t n, const WeightStep *step, RowRange *range);
    void (*round_row)(const float *row, ptrdiff_t n, const WholeRow *whole);
    void (*scale_row)(float *row, ptrdiff_t n, float scale);
    float (*sum_row)(const float *row, ptrdiff_t n); /* sum |w| */
} DenseKernels;

#endif
