/* The kernels of a fully connected layer; `variants.h` includes this file once per instruction set. */
#ifndef SPIKENN_CY_DENSE_KERNELS_H
#define SPIKENN_CY_DENSE_KERNELS_H

#include "dense.h"
#include "simd.h"

#define ROWS_CHUNK 8   /* spikes added between two looks at the thresholds; by measurement */
#define LANES_CHUNK 8

/* LANES neurons side by side, at any address of a float; compilers lower it to the registers that a variant has. */
typedef float Vector __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int32_t Mask __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

/* A count for each sample that is looked ahead at, and its bit. */
typedef uint16_t Samples __attribute__((vector_size(2 * AHEAD), aligned(2), may_alias));
#define SAMPLE_BITS                                                                                                 \
    { 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768 }

INLINE int any(Mask mask) {
    uint64_t half[LANES / 2], all = 0;
    memcpy(half, &mask, sizeof mask);
    for (int i = 0; i < LANES / 2; i++) all |= half[i];
    return all != 0;
}

#endif

/* ---- potentials ------------------------------------------------------------------------------------------ */

/* Adding a chunk of spikes unseen is several times faster than a test after each group of equal times. With
 * weights that are never negative a potential only rises, so the end of the chunk tells whether a threshold was
 * passed inside it; otherwise the highest potential on the way does. Only then is the chunk taken group by group. */

TARGET SCALAR INLINE ptrdiff_t NAMED(charge_rows)(const int width, const Row *rows, const Spikes *spikes, ptrdiff_t k,
                                           ptrdiff_t end, int rising, float *potentials, const float *thresholds) {
    const int32_t *inputs = spikes->inputs;
    const float *times = spikes->times, *decay = spikes->decay;
    ptrdiff_t unseen_from = decay ? end : k;
    const float *w[BLOCK_MAX];
    float factor[BLOCK_MAX], v[BLOCK_MAX], threshold[BLOCK_MAX];
    for (int j = 0; j < width; j++) {
        w[j] = rows[j].weights, factor[j] = rows[j].factor;
        v[j] = potentials[j], threshold[j] = thresholds[j];
    }
    while (k < end) {
        int over = 0;
        if (k >= unseen_from && end - k >= ROWS_CHUNK) {
            float u[BLOCK_MAX], peak[BLOCK_MAX];
            for (int j = 0; j < width; j++) u[j] = peak[j] = v[j];
            if (rising) {
                ROLLED for (int i = 0; i < ROWS_CHUNK; i++) {
                    const ptrdiff_t input = inputs[k + i];
                    FOR_EACH(j, width) u[j] += w[j][input] * factor[j];
                }
                for (int j = 0; j < width; j++) peak[j] = u[j];
            } else {
                ROLLED for (int i = 0; i < ROWS_CHUNK; i++) {
                    const ptrdiff_t input = inputs[k + i];
                    FOR_EACH(j, width) {
                        u[j] += w[j][input] * factor[j];
                        peak[j] = u[j] > peak[j] ? u[j] : peak[j];
                    }
                }
            }
            for (int j = 0; j < width; j++) over |= peak[j] > threshold[j];
            if (!over) {
                for (int j = 0; j < width; j++) v[j] = u[j];
                k += ROWS_CHUNK;
                continue;
            }
            unseen_from = k + ROWS_CHUNK;
        }
        if (decay)
            for (int j = 0; j < width; j++) v[j] *= decay[k];
        do {
            for (int j = 0; j < width; j++) v[j] += w[j][inputs[k]] * factor[j];
            k++;
        } while (k < end && times[k] == times[k - 1]);
        over = 0;
        for (int j = 0; j < width; j++) over |= v[j] > threshold[j];
        if (over) break;
    }
    for (int j = 0; j < width; j++) potentials[j] = v[j];
    return k;
}

TARGET INLINE int NAMED(any_over)(const int vectors, const Vector *v, const float *thresholds) {
    Mask over = v[0] > *(const Vector *)thresholds;
    for (int q = 1; q < vectors; q++) over |= v[q] > *(const Vector *)(thresholds + q * LANES);
    return any(over);
}

TARGET INLINE ptrdiff_t NAMED(charge_lanes)(const int vectors, const float *block, const Spikes *spikes, ptrdiff_t k,
                                            ptrdiff_t end, int rising, float *potentials, const float *thresholds) {
    const int32_t *inputs = spikes->inputs;
    const float *times = spikes->times, *decay = spikes->decay;
    ptrdiff_t unseen_from = decay || !rising ? end : k;
    Vector v[VECTORS_MAX];
    for (int q = 0; q < vectors; q++) v[q] = *(const Vector *)(potentials + q * LANES);
    while (k < end) {
        if (k >= unseen_from && end - k >= LANES_CHUNK) {
            Vector u[VECTORS_MAX];
            for (int q = 0; q < vectors; q++) u[q] = v[q];
            for (int i = 0; i < LANES_CHUNK; i++) {
                const Vector *w = (const Vector *)(block + (ptrdiff_t)inputs[k + i] * (vectors * LANES));
                for (int q = 0; q < vectors; q++) u[q] += w[q];
            }
            if (!NAMED(any_over)(vectors, u, thresholds)) {
                for (int q = 0; q < vectors; q++) v[q] = u[q];
                k += LANES_CHUNK;
                continue;
            }
            unseen_from = k + LANES_CHUNK;
        }
        if (decay)
            for (int q = 0; q < vectors; q++) v[q] *= decay[k];
        do {
            const Vector *w = (const Vector *)(block + (ptrdiff_t)inputs[k] * (vectors * LANES));
            for (int q = 0; q < vectors; q++) v[q] += w[q];
            k++;
        } while (k < end && times[k] == times[k - 1]);
        if (NAMED(any_over)(vectors, v, thresholds)) break;
    }
    for (int q = 0; q < vectors; q++) *(Vector *)(potentials + q * LANES) = v[q];
    return k;
}

#define ROWS(WIDTH)                                                                                                   \
    TARGET SCALAR static ptrdiff_t NAMED(charge_rows_##WIDTH)(const Row *rows, const Spikes *spikes, ptrdiff_t k,            \
                                                       ptrdiff_t end, int rising, float *potentials,                  \
                                                       const float *thresholds) {                                     \
        return NAMED(charge_rows)(WIDTH, rows, spikes, k, end, rising, potentials, thresholds);                       \
    }
ROWS(1) ROWS(2) ROWS(3) ROWS(4) ROWS(5) ROWS(6) ROWS(7) ROWS(8)
#undef ROWS

#define VECTORS(COUNT)                                                                                              \
    TARGET static ptrdiff_t NAMED(charge_lanes_##COUNT)(const float *block, const Spikes *spikes, ptrdiff_t k,      \
                                                        ptrdiff_t end, int rising, float *potentials,               \
                                                        const float *thresholds) {                                  \
        return NAMED(charge_lanes)(COUNT, block, spikes, k, end, rising, potentials, thresholds);                   \
    }
VECTORS(1) VECTORS(2) VECTORS(3) VECTORS(4) VECTORS(5) VECTORS(6) VECTORS(7) VECTORS(8)
#undef VECTORS

/* ---- a coarse look at many neurons ----------------------------------------------------------------------- */

/* A strip is what one register takes of a coarse row. */
#ifdef REGISTER
#define STRIP (2 * REGISTER_LANES)
#else
#define STRIP PLACES_OF
#endif

TARGET static void NAMED(list_strips)(const uint16_t *members, ptrdiff_t n, ptrdiff_t room, int32_t *strips,
                                      ptrdiff_t *n_strips) {
    for (int sample = 0; sample < AHEAD; sample++) n_strips[sample] = 0;
    for (ptrdiff_t i = 0; i < n; i += STRIP) {
        uint16_t found = 0;
        for (int l = 0; l < STRIP; l++) found |= members[i + l];
        FOR_EACH(sample, AHEAD) {
            strips[sample * room + n_strips[sample]] = (int32_t)i;
            n_strips[sample] += found >> sample & 1;
        }
    }
}

TARGET static void NAMED(count_members)(const uint16_t *members, const int32_t *inputs, ptrdiff_t n, int take,
                                        uint16_t *counts) {
    const Samples none = {0}, bits = SAMPLE_BITS;
    Samples found = none;
    _Pragma("GCC unroll 4") for (ptrdiff_t k = 0; k < n; k++) {
        const Samples of = none + members[inputs[k]];
        found -= (Samples)((of & bits) == bits);
    }
    Samples *sums = (Samples *)counts;
    *sums = take ? *sums - found : *sums + found;
}

TARGET INLINE void NAMED(sum_members)(const int width, const int16_t *const *rows, const uint16_t *members, int sample,
                                      const int32_t *strips, ptrdiff_t n_strips, int32_t *sums) {
#ifdef REGISTER
    const WHOLES bit = MM(set1_epi16)((int16_t)(1u << sample));
    WHOLES sum[BLOCK_MAX];
    FOR_EACH(j, width) sum[j] = NO_WHOLES;
    for (ptrdiff_t s = 0; s < n_strips; s++) {
        const ptrdiff_t i = strips[s];
        const WHOLES member = MEMBERS(LOAD_WHOLES(members + i), bit);
        FOR_EACH(j, width) sum[j] = MM(sub_epi32)(sum[j], MM(madd_epi16)(LOAD_WHOLES(rows[j] + i), member));
    }
    FOR_EACH(j, width) {
        int32_t lane[REGISTER_LANES];
        STORE_WHOLES(lane, sum[j]);
        for (int half = REGISTER_LANES / 2; half; half /= 2)
            for (int l = 0; l < half; l++) lane[l] += lane[l + half];
        sums[j] = lane[0];
    }
#else
    for (int j = 0; j < width; j++) {
        int32_t sum = 0;
        for (ptrdiff_t s = 0; s < n_strips; s++) {
            const int16_t *row = rows[j] + strips[s];
            const uint16_t *member = members + strips[s];
            for (int l = 0; l < STRIP; l++) sum += row[l] & -(member[l] >> sample & 1);
        }
        sums[j] = sum;
    }
#endif
}

#define SUMS(WIDTH)                                                                                                 \
    TARGET static void NAMED(sum_members_##WIDTH)(const int16_t *const *rows, const uint16_t *members, int sample,  \
                                                  const int32_t *strips, ptrdiff_t n_strips, int32_t *sums) {       \
        NAMED(sum_members)(WIDTH, rows, members, sample, strips, n_strips, sums);                                   \
    }
SUMS(1) SUMS(2) SUMS(3) SUMS(4) SUMS(5) SUMS(6) SUMS(7) SUMS(8)
#undef SUMS

TARGET static void NAMED(coarsen_row)(const float *row, ptrdiff_t n, float scale, int16_t *coarse) {
    ptrdiff_t i = 0;
#ifdef REGISTER
    const REGISTER scales = MM(set1_ps)(scale);
    for (; i + ROW_LANES <= n; i += ROW_LANES) {
        WHOLES whole[ROW_LANES / REGISTER_LANES];
        FOR_EACH(r, ROW_LANES / REGISTER_LANES)
            whole[r] = MM(cvttps_epi32)(MM(mul_ps)(MM(loadu_ps)(row + i + r * REGISTER_LANES), scales));
#if FIELD_LANES == 4
        FOR_EACH(half, 2) STORE_WHOLES(coarse + i + 8 * half, _mm_packs_epi32(whole[2 * half], whole[2 * half + 1]));
#elif FIELD_LANES == 8
        STORE_WHOLES(coarse + i, _mm256_permute4x64_epi64(_mm256_packs_epi32(whole[0], whole[1]), 0xd8));
#else
        _mm256_storeu_si256((__m256i *)(coarse + i), _mm512_cvtepi32_epi16(whole[0]));
#endif
    }
#endif
    for (; i < n; i++) coarse[i] = (int16_t)(int32_t)(row[i] * scale);
}

/* ---- rows of synaptic weights ---------------------------------------------------------------------------- */

INLINE float NAMED(folded)(float *lane) {
    for (int half = ROW_LANES / 2; half; half /= 2)
        for (int l = 0; l < half; l++) lane[l] += lane[l + half];
    return lane[0];
}

INLINE float NAMED(unbounded)(float w, int32_t mark, const Step *step) {
    w = w * step->factor;
    return w + step->changes[mark];
}

INLINE float NAMED(bounded)(float w, const Step *step) {
    w = w < step->w_min ? step->w_min : w;
    return w > step->w_max ? step->w_max : w;
}

/* `below`: a weight may be negative; `floored`: one may become lower than w_min, `capped`: higher than w_max. */
TARGET INLINE float NAMED(step_row_as)(const int below, const int floored, const int capped, float *restrict row,
                                       const int32_t *restrict marks, ptrdiff_t n, const Step *step,
                                       float *restrict lowest, float *restrict highest) {
    float lane[ROW_LANES] = {0}, least = INFINITY, top = -INFINITY;
    ptrdiff_t i = 0;
#ifdef REGISTER
    enum { PARTS = ROW_LANES / REGISTER_LANES };
    CHOICES(changes, step->changes);
    const REGISTER factor = MM(set1_ps)(step->factor), size_of = SIZE_BITS;
    const REGISTER w_min = MM(set1_ps)(step->w_min), w_max = MM(set1_ps)(step->w_max);
    REGISTER sum[PARTS], leasts = MM(set1_ps)(least), tops = MM(set1_ps)(top);
    FOR_EACH(r, PARTS) sum[r] = MM(setzero_ps)();
    for (; i + ROW_LANES <= n; i += ROW_LANES)
        FOR_EACH(r, PARTS) {
            const REGISTER change = CHOSEN(changes, LOAD_WHOLES(marks + i + r * REGISTER_LANES));
            REGISTER w = MM(add_ps)(MM(mul_ps)(MM(loadu_ps)(row + i + r * REGISTER_LANES), factor), change);
            if (floored) {
                w = MM(max_ps)(w_min, w);
                leasts = MM(min_ps)(w, leasts);
            }
            if (capped) {
                w = MM(min_ps)(w_max, w);
                tops = MM(max_ps)(w, tops);
            }
            MM(storeu_ps)(row + i + r * REGISTER_LANES, w);
            sum[r] = MM(add_ps)(sum[r], below ? MM(and_ps)(w, size_of) : w);
        }
    if (floored) {
        MM(storeu_ps)(lane, leasts);
        for (int l = 0; l < REGISTER_LANES; l++) least = lane[l] < least ? lane[l] : least;
    }
    if (capped) {
        MM(storeu_ps)(lane, tops);
        for (int l = 0; l < REGISTER_LANES; l++) top = lane[l] > top ? lane[l] : top;
    }
    FOR_EACH(r, PARTS) MM(storeu_ps)(lane + r * REGISTER_LANES, sum[r]);
#else
    for (; i + ROW_LANES <= n; i += ROW_LANES)
        for (int l = 0; l < ROW_LANES; l++) {
            const float w = NAMED(bounded)(NAMED(unbounded)(row[i + l], marks[i + l], step), step);
            row[i + l] = w;
            lane[l] += fabsf(w);
            least = w < least ? w : least;
            top = w > top ? w : top;
        }
#endif
    for (int l = 0; i < n; i++, l++) {
        const float w = NAMED(bounded)(NAMED(unbounded)(row[i], marks[i], step), step);
        row[i] = w;
        lane[l] += fabsf(w);
        least = w < least ? w : least;
        top = w > top ? w : top;
    }
    least = floored ? least : step->lowest, top = capped ? top : step->highest;
    *lowest = least > step->w_max ? step->w_max : least;
    *highest = top < step->w_min ? step->w_min : top;
    return NAMED(folded)(lane);
}

TARGET static float NAMED(step_row)(float *row, const int32_t *marks, ptrdiff_t n, const Step *step, float *lowest,
                                    float *highest) {
    const int floored = !(step->lowest >= step->w_min), capped = !(step->highest <= step->w_max);
#define STEP_AS(below, floored, capped) NAMED(step_row_as)(below, floored, capped, row, marks, n, step, lowest, highest)
    if (step->w_min < 0) {
        if (floored) return capped ? STEP_AS(1, 1, 1) : STEP_AS(1, 1, 0);
        return capped ? STEP_AS(1, 0, 1) : STEP_AS(1, 0, 0);
    }
    if (floored) return capped ? STEP_AS(0, 1, 1) : STEP_AS(0, 1, 0);
    return capped ? STEP_AS(0, 0, 1) : STEP_AS(0, 0, 0);
#undef STEP_AS
}

TARGET static ptrdiff_t NAMED(find_clipped)(const float *row, const int32_t *marks, ptrdiff_t n, const Step *step,
                                            ptrdiff_t room, int32_t *inputs, double *by) {
    ptrdiff_t n_found = 0;
    for (ptrdiff_t i = 0; i < n; i += ROW_LANES) {
        const ptrdiff_t end = i + ROW_LANES < n ? i + ROW_LANES : n;
        int beyond = 0;
#ifdef REGISTER
        if (end == i + ROW_LANES) {
            CHOICES(changes, step->changes);
            const REGISTER factor = MM(set1_ps)(step->factor);
            const REGISTER w_min = MM(set1_ps)(step->w_min), w_max = MM(set1_ps)(step->w_max);
            FOR_EACH(r, ROW_LANES / REGISTER_LANES) {
                const REGISTER change = CHOSEN(changes, LOAD_WHOLES(marks + i + r * REGISTER_LANES));
                const REGISTER w = MM(add_ps)(MM(mul_ps)(MM(loadu_ps)(row + i + r * REGISTER_LANES), factor), change);
                beyond |= OUTSIDE(w, w_min, w_max);
            }
        } else
#endif
            beyond = 1;
        for (ptrdiff_t l = i; beyond && l < end; l++) {
            const float w = NAMED(unbounded)(row[l], marks[l], step), within = NAMED(bounded)(w, step);
            if (!(w < step->w_min) && !(w > step->w_max)) continue;
            if (n_found == room) return room + 1;
            inputs[n_found] = (int32_t)l;
            by[n_found] = (double)within - w;
            n_found++;
        }
    }
    return n_found;
}

TARGET static void NAMED(scale_row)(float *row, ptrdiff_t n, float factor) {
    for (ptrdiff_t i = 0; i < n; i++) row[i] *= factor;
}

TARGET static float NAMED(sum_row)(const float *row, ptrdiff_t n) {
    float lane[ROW_LANES] = {0};
    ptrdiff_t i = 0;
    for (; i + ROW_LANES <= n; i += ROW_LANES)
        for (int l = 0; l < ROW_LANES; l++) lane[l] += fabsf(row[i + l]);
    for (int l = 0; i < n; i++, l++) lane[l] += fabsf(row[i]);
    return NAMED(folded)(lane);
}

TARGET static void NAMED(range_of_row)(const float *row, ptrdiff_t n, float *lowest, float *highest) {
    float low[ROW_LANES], high[ROW_LANES], nothing[ROW_LANES] = {0}; /* unless a weight is no number */
    ptrdiff_t i = 0;
    for (int l = 0; l < ROW_LANES; l++) low[l] = high[l] = row[0];
    for (; i + ROW_LANES <= n; i += ROW_LANES)
        for (int l = 0; l < ROW_LANES; l++) {
            low[l] = row[i + l] < low[l] ? row[i + l] : low[l];
            high[l] = row[i + l] > high[l] ? row[i + l] : high[l];
            nothing[l] += row[i + l] * 0;
        }
    for (int l = 0; i < n; i++, l++) {
        low[l] = row[i] < low[l] ? row[i] : low[l];
        high[l] = row[i] > high[l] ? row[i] : high[l];
        nothing[l] += row[i] * 0;
    }
    *lowest = low[0], *highest = high[0];
    for (int l = 1; l < ROW_LANES; l++) {
        *lowest = low[l] < *lowest ? low[l] : *lowest;
        *highest = high[l] > *highest ? high[l] : *highest;
        nothing[0] += nothing[l];
    }
    if (!(nothing[0] == 0)) *lowest = -INFINITY, *highest = INFINITY;
}

static const DenseKernels NAMED(dense_kernels) = {
    {0, NAMED(charge_rows_1), NAMED(charge_rows_2), NAMED(charge_rows_3), NAMED(charge_rows_4), NAMED(charge_rows_5),
     NAMED(charge_rows_6), NAMED(charge_rows_7), NAMED(charge_rows_8)},
    {0, NAMED(charge_lanes_1), NAMED(charge_lanes_2), NAMED(charge_lanes_3), NAMED(charge_lanes_4),
     NAMED(charge_lanes_5), NAMED(charge_lanes_6), NAMED(charge_lanes_7), NAMED(charge_lanes_8)},
    NAMED(list_strips),
    NAMED(count_members),
    {0, NAMED(sum_members_1), NAMED(sum_members_2), NAMED(sum_members_3), NAMED(sum_members_4), NAMED(sum_members_5),
     NAMED(sum_members_6), NAMED(sum_members_7), NAMED(sum_members_8)},
    NAMED(coarsen_row),
    NAMED(step_row),
    NAMED(find_clipped),
    NAMED(scale_row),
    NAMED(sum_row),
    NAMED(range_of_row),
};

#undef STRIP
