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
} Primitives;

#endif
