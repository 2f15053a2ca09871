/* From a position of a sample, guessed to be where a team of competing neurons fires, to where it first does.
 *
 * Estimated potentials are compared with bounds. All neurons of a team walk in step, because where each of them would
 * stop is what no processor foresees. */
#ifndef SPIKENN_CY_WALK_H
#define SPIKENN_CY_WALK_H

#include <math.h>
#include <string.h>

#include "dense.h"

enum { WALK_DOUBT = -2, WALK_SILENT = -1 };

#define SMALLEST 1.5e-45 /* a bit more than the smallest float above 0 */

/* What a walk finds of one neuron. */
typedef struct {
    const float *weights;
    double factor; /* that is still to be applied to them */
    double may;    /* a potential above this may make it fire ... */
    double must;   /* ... and one above this surely does */
} Walker;

/* Where the exact potential surely lies, whose estimate is off by `off`, after `end` spikes at most, none of which has
 * a weight above `highest`.
 *
 * The exact potential is rounded with every spike. As long as it is not above the threshold, this moves it by no more
 * than half of the threshold's last bit; by half of that while it is below the power of two under the threshold, and so
 * on, so that early spikes count for a third: those before the highest weight could bring it that far. What is rounded
 * on the way here is a few times 2^-24 of the threshold; and a charge too small for the precision of its size is off by
 * up to half of the smallest number. */
static inline void bound(float threshold, double highest, double off, ptrdiff_t end, Walker *walker) {
    const double count = (double)end;
    uint32_t bits;
    float power;
    memcpy(&bits, &threshold, sizeof bits);
    bits &= 0x7f800000u;
    memcpy(&power, &bits, sizeof power);
    double early = highest > 0 ? power / highest - 2 : 0;
    early = early < 0 ? 0 : early;
    early = early > count ? count : early;
    off += power * (count + 5 - early * 0.66) * (1 / 16777216.0) + fabs((double)threshold) * 8e-7;
    off += (count + 5) * SMALLEST;
    walker->may = threshold - off, walker->must = threshold + off;
}

/* `potentials` are those after the first `start` spikes, which end a group of equal times, and become those at the
 * position that is returned: after the first group with which a neuron of the team fires; bit j of `fired` tells
 * whether neuron j is one of them. WALK_SILENT: none ever does; the potentials are those after all spikes. WALK_DOUBT: the
 * bounds, which hold up to `bounded`, do not tell; the potentials are as they were. */
static inline __attribute__((always_inline)) ptrdiff_t walk_in_step(
    const int width, const Walker *walkers, const Spikes *spikes, ptrdiff_t start, ptrdiff_t bounded,
    double *potentials, unsigned *fired) {
    const int32_t *inputs = spikes->inputs;
    const float *times = spikes->times;
    double v[BLOCK_MAX], may[BLOCK_MAX], must[BLOCK_MAX], factor[BLOCK_MAX];
    const float *w[BLOCK_MAX];
    ptrdiff_t k = start;
    int over = 0;
    for (int j = 0; j < width; j++) {
        w[j] = walkers[j].weights, factor[j] = walkers[j].factor;
        may[j] = walkers[j].may, must[j] = walkers[j].must;
        v[j] = potentials[j];
        over |= !(v[j] <= must[j]);
    }
    if (over) {
        double then[BLOCK_MAX]; /* after the group that is being taken back */
        ptrdiff_t end = 0;
        while (k > 0 && over) {
            end = k;
            for (int j = 0; j < width; j++) then[j] = v[j];
            do {
                k--;
                for (int j = 0; j < width; j++) v[j] -= w[j][inputs[k]] * factor[j];
            } while (k > 0 && times[k - 1] == times[k]);
            over = 0;
            for (int j = 0; j < width; j++) over |= v[j] > must[j];
        }
        if (over) return WALK_DOUBT;
        int doubt = 0;
        for (int j = 0; j < width; j++) doubt |= !(v[j] <= may[j]) | (then[j] > may[j] && !(then[j] > must[j]));
        if (doubt) return WALK_DOUBT;
        *fired = 0;
        for (int j = 0; j < width; j++) {
            potentials[j] = then[j];
            *fired |= (unsigned)(then[j] > must[j]) << j;
        }
        return end;
    }
    for (int j = 0; j < width; j++) over |= !(v[j] <= may[j]);
    if (over) return WALK_DOUBT;
    while (!over && k < spikes->count) {
        const int32_t input = inputs[k++];
        for (int j = 0; j < width; j++) {
            v[j] += w[j][input] * factor[j];
            over |= v[j] > may[j];
        }
    }
    for (; over && k < spikes->count && times[k] == times[k - 1]; k++)
        for (int j = 0; j < width; j++) v[j] += w[j][inputs[k]] * factor[j];
    if (k > bounded) return WALK_DOUBT;
    for (int j = 0; j < width; j++)
        if (v[j] > may[j] && !(v[j] > must[j])) return WALK_DOUBT;
    *fired = 0;
    for (int j = 0; j < width; j++) {
        potentials[j] = v[j];
        *fired |= (unsigned)(v[j] > must[j]) << j;
    }
    return over ? k : WALK_SILENT;
}

/* For one to BLOCK_MAX neurons. */
static inline ptrdiff_t walk(int width, const Walker *walkers, const Spikes *spikes, ptrdiff_t start,
                             ptrdiff_t bounded, double *potentials, unsigned *fired) {
    switch (width) {
#define WALK(WIDTH)                                                                                                 \
    case WIDTH:                                                                                                     \
        return walk_in_step(WIDTH, walkers, spikes, start, bounded, potentials, fired);
        WALK(1) WALK(2) WALK(3) WALK(4) WALK(5) WALK(6) WALK(7) WALK(8)
#undef WALK
    }
    return WALK_DOUBT;
}

/* The lowest of some bits. */
static inline int lowest(unsigned bits) { return __builtin_ctz(bits); }

#endif
