/* Potentials estimated from weights as whole numbers, and the search for a group's first spike from there. README.md
 * derives the bounds. */
#ifndef SPIKENN_CY_SCREENING_H
#define SPIKENN_CY_SCREENING_H

#include <math.h>
#include <string.h>

#include "dense.h"

#define INPUTS_MAX 65500 /* whose whole weights add up to what four bytes hold */
#define PADDED_TO 32     /* rows of whole numbers have a multiple of so many inputs: of any variant's tile */
#define TILE_MIN 8       /* inputs of the smallest tile, which is what one register takes of such a row */
#define GROUP_MAX 32     /* neurons of the largest group that is searched */

typedef void (*SumMembers)(const int16_t *const *rows, const int16_t *members, const int32_t *tiles, ptrdiff_t n_tiles,
                           int32_t *sums);

/* A potential after the first k spikes is the sum of k whole weights times `unit`, and less than k units more. */
typedef struct {
    const int16_t *rows;     /* (n_neurons, n_padded) */
    ptrdiff_t n_padded;
    const double *units;     /* of each neuron; 0: not known */
    const float *thresholds; /* inf: the neuron cannot fire */
    int32_t *sums;           /* up to the predicted position */
    int32_t *silent_to;      /* with a sum up to this it has surely not fired */
    int32_t *fired_above;    /* with one above this it surely has */
} Estimates;

typedef struct {
    /* List the tiles that hold a member, an input whose entry is 1 and not 0, and return their number. */
    ptrdiff_t (*list_tiles)(const int16_t *members, ptrdiff_t n, int32_t *tiles);
    /* By the number of rows: for each, write the sum of its weights of the members in these tiles. */
    SumMembers sum_members[BLOCK_MAX + 1];
    /* Bound the exact potentials of neurons first ... last - 1 by sums of at most `count` weights: README.md, "Bounds".
     */
    void (*set_bounds)(const Estimates *of, ptrdiff_t first, ptrdiff_t last, ptrdiff_t count);
} ScreeningKernels;

/* What the search found of a group. */
typedef struct {
    ptrdiff_t end;       /* position after the tie with which one surely has fired; after all spikes if none has */
    uint32_t candidates; /* bitmask: neurons that may have fired by then */
    int ended;           /* whether one surely had */
    int clear;           /* whether the candidates surely fired with the last of these spikes, and not before */
} GroupSearch;

/* From the predicted position `start`, which ends a tie, to where the first of the neurons first ... first + width - 1
 * fires: back while one surely has, else on until one has. All go in step. Bounds hold up to position `bounded`; beyond
 * it the search stops, with `end` at `bounded`. Writes the sums at `end`. */
static inline __attribute__((always_inline)) GroupSearch search_in_step(const int width, const Estimates *of,
                                                                        ptrdiff_t first, const Spikes *spikes,
                                                                        ptrdiff_t start, ptrdiff_t bounded) {
    const int32_t *inputs = spikes->inputs;
    const float *times = spikes->times;
    GroupSearch found = {spikes->count, 0, 0, 0};
    const int16_t *w[GROUP_MAX];
    int32_t v[GROUP_MAX], at_end[GROUP_MAX], silent_to[GROUP_MAX], fired_above[GROUP_MAX];
    ptrdiff_t k = start;
    int fired = 0, maybe = 0;
#define EACH for (int j = 0; j < width; j++)
    EACH {
        w[j] = of->rows + (first + j) * of->n_padded;
        v[j] = at_end[j] = of->sums[first + j];
        silent_to[j] = of->silent_to[first + j], fired_above[j] = of->fired_above[first + j];
        fired |= v[j] > fired_above[j];
    }
    while (fired && k > 0) { /* take back a tie */
        found.end = k, found.ended = 1, fired = 0;
        EACH at_end[j] = v[j];
        do {
            const int32_t input = inputs[--k];
            EACH v[j] -= w[j][input];
        } while (k > 0 && times[k - 1] == times[k]);
        EACH fired |= v[j] > fired_above[j];
    }
    EACH maybe |= v[j] > silent_to[j]; /* somebody may have fired before the tie at the end */
    while (!found.ended && k < bounded) {
        int over = maybe;
        do { /* mostly nobody is near its threshold */
            const int32_t input = inputs[k++];
            EACH {
                v[j] += w[j][input];
                over |= v[j] > silent_to[j];
            }
        } while (!over && k < bounded);
        for (; k < spikes->count && times[k] == times[k - 1]; k++) EACH v[j] += w[j][inputs[k]];
        found.end = k;
        EACH at_end[j] = v[j];
        if (k > bounded) break;
        EACH found.ended |= v[j] > fired_above[j];
        if (!found.ended) EACH maybe |= v[j] > silent_to[j];
    }
    uint32_t surely = 0; /* have fired by the end */
    EACH {
        of->sums[first + j] = at_end[j];
        found.candidates |= (uint32_t)(at_end[j] > silent_to[j]) << j;
        surely |= (uint32_t)(at_end[j] > fired_above[j]) << j;
    }
#undef EACH
    found.clear = !fired && !maybe && found.candidates == surely;
    return found;
}

/* For one to GROUP_MAX neurons; small groups stay in registers. */
static inline GroupSearch search_group(int width, const Estimates *of, ptrdiff_t first, const Spikes *spikes,
                                       ptrdiff_t start, ptrdiff_t bounded) {
    switch (width) {
#define SEARCH(WIDTH)                                                                                                  \
    case WIDTH: return search_in_step(WIDTH, of, first, spikes, start, bounded);
        SEARCH(1) SEARCH(2) SEARCH(3) SEARCH(4) SEARCH(5)
#undef SEARCH
    }
    return search_in_step(width, of, first, spikes, start, bounded);
}

#endif
