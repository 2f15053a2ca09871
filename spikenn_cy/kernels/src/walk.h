/* From a position of a sample, guessed to be where a team of competing neurons fires, to where it first does.
 *
 * Sums of coarse weights are compared with bounds, see `bound` in primitives.h. All neurons of a team walk in step,
 * because where each of them would stop is what no processor foresees. */
#ifndef SPIKENN_CY_WALK_H
#define SPIKENN_CY_WALK_H

#include "primitives.h"

enum { WALK_DOUBT = -2, WALK_SILENT = -1 };

/* `sums` are those of the first `start` spikes, which end a group of equal times, and become those at the position that
 * is returned: after the first group with which a neuron of the team fires; bit j of `fired` tells whether neuron j is
 * one of them. WALK_SILENT: none ever does; the sums are those of all spikes. WALK_DOUBT: the bounds, which hold up to
 * `bounded`, do not tell; the sums are as they were. */
static inline __attribute__((always_inline)) ptrdiff_t walk_in_step(
    const int width, const int16_t *const *rows, const Spikes *spikes, ptrdiff_t start, ptrdiff_t bounded,
    const int32_t *may, const int32_t *must, int32_t *sums, unsigned *fired) {
    const int32_t *inputs = spikes->inputs;
    const float *times = spikes->times;
    const int16_t *row[BLOCK_MAX];
    int64_t room[BLOCK_MAX], least = 0; /* its sign tells whether one of them has less than none */
    ptrdiff_t k = start;
    for (int j = 0; j < width; j++) {
        row[j] = rows[j];
        room[j] = (int64_t)must[j] - sums[j];
        least |= room[j];
    }
    if (least < 0) {
        int64_t then[BLOCK_MAX]; /* room after the group that is being taken back */
        ptrdiff_t end = 0;
        while (k > 0 && least < 0) {
            end = k;
            for (int j = 0; j < width; j++) then[j] = room[j];
            do {
                k--;
                const ptrdiff_t place = coarse_place(inputs[k]);
                for (int j = 0; j < width; j++) room[j] += row[j][place];
            } while (k > 0 && times[k - 1] == times[k]);
            least = 0;
            for (int j = 0; j < width; j++) least |= room[j];
        }
        if (least < 0) return WALK_DOUBT;
        int doubt = 0;
        for (int j = 0; j < width; j++) {
            doubt |= must[j] - room[j] + k > may[j];
            doubt |= then[j] >= 0 && must[j] - then[j] + end > may[j];
        }
        if (doubt) return WALK_DOUBT;
        *fired = 0;
        for (int j = 0; j < width; j++) {
            sums[j] = (int32_t)(must[j] - then[j]);
            *fired |= (unsigned)(then[j] < 0) << j;
        }
        return end;
    }
    for (int j = 0; j < width; j++) {
        room[j] = (int64_t)may[j] - sums[j] - k;
        least |= room[j];
    }
    while (least >= 0 && k < spikes->count) {
        const ptrdiff_t place = coarse_place(inputs[k++]);
        for (int j = 0; j < width; j++) {
            room[j] -= row[j][place] + 1;
            least |= room[j];
        }
    }
    if (k == start && least < 0) return WALK_DOUBT;
    for (; least < 0 && k < spikes->count && times[k] == times[k - 1]; k++) {
        const ptrdiff_t place = coarse_place(inputs[k]);
        for (int j = 0; j < width; j++) room[j] -= row[j][place] + 1;
    }
    if (k > bounded) return WALK_DOUBT;
    for (int j = 0; j < width; j++)
        if (room[j] < 0 && may[j] - k - room[j] <= must[j]) return WALK_DOUBT;
    *fired = 0;
    for (int j = 0; j < width; j++) {
        sums[j] = (int32_t)(may[j] - k - room[j]);
        *fired |= (unsigned)(room[j] < 0) << j;
    }
    return least < 0 ? k : WALK_SILENT;
}

/* For one to BLOCK_MAX neurons. */
static ptrdiff_t walk(int width, const int16_t *const *rows, const Spikes *spikes, ptrdiff_t start, ptrdiff_t bounded,
                      const int32_t *may, const int32_t *must, int32_t *sums, unsigned *fired) {
    switch (width) {
#define WALK(WIDTH)                                                                                                 \
    case WIDTH:                                                                                                     \
        return walk_in_step(WIDTH, rows, spikes, start, bounded, may, must, sums, fired);
        WALK(1) WALK(2) WALK(3) WALK(4) WALK(5) WALK(6) WALK(7) WALK(8)
#undef WALK
    }
    return WALK_DOUBT;
}

/* The lowest of some bits. */
static inline int lowest(unsigned bits) { return __builtin_ctz(bits); }

#endif
