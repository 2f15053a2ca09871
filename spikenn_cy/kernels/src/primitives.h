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
#define COARSE_LANES 32   /* coarse weights in a line of memory */
#define COARSE_MAX 4095   /* largest coarse weight */
#define COARSE_CHUNK 16   /* of them have a sum that fits two bytes */
#define TILE 8            /* neurons whose coarse weights are made at once */
#define FIELD_GROUP 16 /* filters that a block of filters is a multiple of; of any variant's FIELD_LANES */
#define FIELD_WIDTH 64 /* filters in the widest block */
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

/* For each neuron: a potential is between `sum * gain + count * below` and `sum * gain + count * above`. */
typedef struct {
    const float *gain, *above, *below, *threshold;
} CoarseBounds;

/* Change of one row: the factor that is still to be applied, then a step by the time of the input (`causal` no later
 * than `spike`, `silent` at or after `silent_from`, `anticausal` between), then the bounds. */
typedef struct {
    float factor;
    float spike, silent_from;
    float causal, anticausal, silent;
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
    /* Write the coarse weights of up to TILE rows as columns. */
    void (*make_coarse)(const float *rows, ptrdiff_t n_rows, ptrdiff_t n_inputs, const float *factors, float scale,
                           uint16_t *coarse, ptrdiff_t lanes);
    /* Add the coarse weights of up to COARSE_CHUNK inputs. */
    void (*sum_coarse)(const uint16_t *coarse, ptrdiff_t lanes, const int32_t *inputs, ptrdiff_t count, int32_t *sums);
    /* Note `count` for neurons that for the first time may have, or surely have, passed their threshold; return
     * whether there is one that surely has. */
    int (*judge_coarse)(const CoarseBounds *bounds, ptrdiff_t lanes, const int32_t *sums, int32_t count,
                        int32_t *maybe, int32_t *surely);
    /* For TILE neurons, with `sums` those of spikes 0 ... end - 1: after how many spikes, of those from `first` on, they
     * may have, or surely have, passed their threshold. */
    void (*retrace_coarse)(const CoarseBounds *bounds, const uint16_t *coarse, ptrdiff_t lanes, const int32_t *inputs,
                           ptrdiff_t first, ptrdiff_t end, const int32_t *sums, int32_t *maybe, int32_t *surely);
    float (*step_row)(float *row, const float *input_times, ptrdiff_t n, const Step *step); /* returns sum |w| */
    void (*scale_row)(float *row, ptrdiff_t n, float factor);
    float (*sum_row)(const float *row, ptrdiff_t n); /* sum |w| */
    void (*range_of_row)(const float *row, ptrdiff_t n, float *lowest, float *highest);
    FireField fire_field[FIELD_WIDTH / FIELD_GROUP + 1]; /* by the number of groups in a block */
    void (*correlate)(const float *plane, ptrdiff_t stride, const float *kernel, ptrdiff_t size, ptrdiff_t n_rows,
                      ptrdiff_t n_columns, float *sums); /* added to sums */
    void (*encode)(const float *values, ptrdiff_t n, const float *low, const float *span, int late, float *times);
    void (*exps)(const float *x, ptrdiff_t n, float *exps); /* of x <= 0 */
    void (*learn_field)(float *weights, const float *times, ptrdiff_t n, const FieldStep *step);
    void (*regulate)(float *thresholds, ptrdiff_t n, ptrdiff_t winner, float late, float reward, float share,
                     float least); /* down by `late`, winner up by `reward`, others down by `share` */
} Primitives;

#endif
