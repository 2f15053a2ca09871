/* First spikes and STDP of the filters of a spiking convolution, as one table of functions per instruction set.
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
#define QUANTISED_GROUP 32 /* the same of quantised filters, whose weights take two bytes */
#define QUANTISED_WIDTH 128
#define QUANTISED_NEVER 32767 /* rank of the spike of a filter that has none; more than any other */

/* The spikes of a receptive field in the order of time, by their ranks among the spikes of the image. The one of rank r
 * charges each filter with row `row_of[r] - offset` of its weights. */
typedef struct {
    const int32_t *ranks;
    ptrdiff_t count;
    const int32_t *row_of;
    int32_t offset;
} Field;

/* Filters side by side, whose weights are never negative. */
typedef struct {
    const float *rows; /* (n_weights, width) */
    const float *thresholds;
    ptrdiff_t width;
    ptrdiff_t too_few; /* so many spikes, whichever they are, make no filter reach its threshold */
} FilterBlock;

/* The same with weights rounded to whole numbers, to a scale of each filter's own. */
typedef struct {
    const int16_t *rows; /* (n_weights, width); the sum of all weights of a filter fits */
    const int16_t *silent_to; /* with a sum up to this, a filter has surely not reached its threshold */
    const int16_t *fired_above; /* with one above this, it surely has */
    ptrdiff_t width;
    ptrdiff_t too_few;
    const float *columns; /* exact weights, filter by filter; (width, n_weights) */
    ptrdiff_t n_weights;
    const float *thresholds;
} QuantisedBlock;

/* Lowers `first`, the earliest rank known for each filter, to that of the spike with which the potential reaches the
 * threshold. The field has at least `too_few` spikes. With `until_first` it may end after the first such spike; ranks
 * after that one may then be missing. */
typedef void (*FireField)(const FilterBlock *filters, const Field *field, int until_first, int32_t *first);

/* The same, with the same outcome, for ranks below QUANTISED_NEVER. */
typedef void (*FireQuantised)(const QuantisedBlock *filters, const Field *field, int16_t *first);

/* STDP of a filter that fired at `spike`, whose weights stay in [0, 1]. */
typedef struct {
    float spike;
    float potentiate, depress; /* rates, both >= 0 */
    float beta; /* of the multiplicative rule */
    float tau; /* time constant of the rule by the distance in time; 0: the multiplicative one */
} FilterStep;

/* Change of all thresholds after a filter fired. */
typedef struct {
    float delay; /* how much later than it should, times the rate: all thresholds fall by it */
    float reward; /* the winner's rises */
    float share; /* each other one falls */
    float least; /* what no threshold falls below */
} ThresholdStep;

typedef struct {
    FireField fire_field[FIELD_WIDTH / FIELD_GROUP + 1]; /* by the number of groups in a block */
    FireQuantised fire_quantised[QUANTISED_WIDTH / QUANTISED_GROUP + 1];
    void (*step_filter)(float *weights, const float *times, ptrdiff_t n, const FilterStep *step);
    void (*step_thresholds)(float *thresholds, ptrdiff_t n, ptrdiff_t winner, const ThresholdStep *step);
    void (*exps)(const float *x, ptrdiff_t n, float *exps); /* of x <= 0, as step_filter takes them */
} ConvolutionKernels;

#endif
