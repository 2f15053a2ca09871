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

/* What may happen in a step of a row: a weight is negative, becomes lower than w_min, becomes higher than w_max; the row is
 * written as whole numbers too. */
enum { BELOW = 1, FLOORED = 2, CAPPED = 4, ROUNDED = 8 };

INLINE int any(Mask mask) {
    uint64_t half[LANES / 2], all = 0;
    memcpy(half, &mask, sizeof mask);
    for (int i = 0; i < LANES / 2; i++) all |= half[i];
    return all != 0;
}

#endif

/* ---- potentials ------------------------------------------------------------------------------------------ */

/* Adding a chunk of spikes unseen is several times faster than a test after each tie. With
 * weights that are never negative a potential only rises, so the end of the chunk tells whether a threshold was
 * passed inside it; otherwise the highest potential on the way does. Only then is the chunk added again, tie by tie. */

TARGET SCALAR INLINE ptrdiff_t NAMED(charge_rows)(const int width, const Row *rows, const Spikes *spikes, ptrdiff_t k,
                                             int non_negative, float *potentials, const float *thresholds) {
    const int32_t *inputs = spikes->inputs;
    const float *times = spikes->times, *decay = spikes->decay;
    const ptrdiff_t end = spikes->count;
    ptrdiff_t unseen_from = decay ? end : k;
    const float *w[BLOCK_MAX];
    float scale[BLOCK_MAX], v[BLOCK_MAX], threshold[BLOCK_MAX];
    for (int j = 0; j < width; j++) {
        w[j] = rows[j].weights, scale[j] = rows[j].scale;
        v[j] = potentials[j], threshold[j] = thresholds[j];
    }
    while (k < end) {
        int over = 0;
        if (k >= unseen_from && end - k >= ROWS_CHUNK) {
            float u[BLOCK_MAX], peak[BLOCK_MAX];
            for (int j = 0; j < width; j++) u[j] = peak[j] = v[j];
            if (non_negative) {
                ROLLED for (int i = 0; i < ROWS_CHUNK; i++) {
                    const ptrdiff_t input = inputs[k + i];
                    FOR_EACH(j, width) u[j] += w[j][input] * scale[j];
                }
                for (int j = 0; j < width; j++) peak[j] = u[j];
            } else {
                ROLLED for (int i = 0; i < ROWS_CHUNK; i++) {
                    const ptrdiff_t input = inputs[k + i];
                    FOR_EACH(j, width) {
                        u[j] += w[j][input] * scale[j];
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
            for (int j = 0; j < width; j++) v[j] += w[j][inputs[k]] * scale[j];
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
                                            int non_negative, float *potentials, const float *thresholds) {
    const int32_t *inputs = spikes->inputs;
    const float *times = spikes->times, *decay = spikes->decay;
    const ptrdiff_t end = spikes->count;
    ptrdiff_t unseen_from = decay || !non_negative ? end : k;
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

#define ROWS(WIDTH)                                                                                                    \
    TARGET SCALAR static ptrdiff_t NAMED(charge_rows_##WIDTH)(const Row *rows, const Spikes *spikes, ptrdiff_t k,      \
                                                              int non_negative, float *potentials,                    \
                                                              const float *thresholds) {                              \
        return NAMED(charge_rows)(WIDTH, rows, spikes, k, non_negative, potentials, thresholds);                       \
    }
ROWS(1) ROWS(2) ROWS(3) ROWS(4) ROWS(5) ROWS(6) ROWS(7) ROWS(8)
#undef ROWS

#define VECTORS(COUNT)                                                                                                 \
    TARGET static ptrdiff_t NAMED(charge_lanes_##COUNT)(const float *block, const Spikes *spikes, ptrdiff_t k,         \
                                                        int non_negative, float *potentials,                          \
                                                        const float *thresholds) {                                    \
        return NAMED(charge_lanes)(COUNT, block, spikes, k, non_negative, potentials, thresholds);                     \
    }
VECTORS(1) VECTORS(2) VECTORS(3) VECTORS(4) VECTORS(5) VECTORS(6) VECTORS(7) VECTORS(8)
#undef VECTORS

/* ---- rows of synaptic weights ---------------------------------------------------------------------------- */

INLINE float NAMED(folded)(float *lane) {
    for (int half = ROW_LANES / 2; half; half /= 2)
        for (int l = 0; l < half; l++) lane[l] += lane[l + half];
    return lane[0];
}

INLINE float NAMED(unbounded)(float w, int32_t label, const WeightStep *step) {
    w = w * step->scale;
    return w + step->changes[label];
}

INLINE float NAMED(bounded)(float w, const WeightStep *step) {
    w = w < step->w_min ? step->w_min : w;
    return w > step->w_max ? step->w_max : w;
}

#ifdef REGISTER
/* ROW_LANES weights that lie in registers, as whole numbers. */
TARGET INLINE void NAMED(round_lanes)(const REGISTER *w, REGISTER scale, int16_t *to) {
    WHOLES whole[ROW_LANES / REGISTER_LANES];
    FOR_EACH(r, ROW_LANES / REGISTER_LANES) whole[r] = MM(cvttps_epi32)(MM(mul_ps)(w[r], scale));
#if FIELD_LANES == 4
    FOR_EACH(half, 2) STORE_WHOLES(to + 8 * half, _mm_packs_epi32(whole[2 * half], whole[2 * half + 1]));
#elif FIELD_LANES == 8
    STORE_WHOLES(to, _mm256_permute4x64_epi64(_mm256_packs_epi32(whole[0], whole[1]), 0xd8));
#else
    _mm256_storeu_si256((__m256i *)to, _mm512_cvtepi32_epi16(whole[0]));
#endif
}
#endif

TARGET static void NAMED(round_row)(const float *row, ptrdiff_t n, const WholeRow *whole) {
    ptrdiff_t i = 0;
#ifdef REGISTER
    for (; i + ROW_LANES <= n; i += ROW_LANES) {
        REGISTER w[ROW_LANES / REGISTER_LANES];
        FOR_EACH(r, ROW_LANES / REGISTER_LANES) w[r] = MM(loadu_ps)(row + i + r * REGISTER_LANES);
        NAMED(round_lanes)(w, MM(set1_ps)(whole->scale), whole->to + i);
    }
#endif
    for (; i < n; i++) whole->to[i] = (int16_t)(int32_t)(row[i] * whole->scale);
}

TARGET INLINE float NAMED(step_row_as)(const int may, float *restrict row, const int32_t *restrict labels, ptrdiff_t n,
                                       const WeightStep *step, RowRange *range) {
    float lane[ROW_LANES] = {0}, least = INFINITY, top = -INFINITY;
    ptrdiff_t i = 0;
#ifdef REGISTER
    enum { PARTS = ROW_LANES / REGISTER_LANES };
    CHOICES(changes, step->changes);
    const REGISTER scale = MM(set1_ps)(step->scale), size_of = SIZE_BITS;
    const REGISTER w_min = MM(set1_ps)(step->w_min), w_max = MM(set1_ps)(step->w_max);
    REGISTER sum[PARTS], leasts = MM(set1_ps)(least), tops = MM(set1_ps)(top);
    FOR_EACH(r, PARTS) sum[r] = MM(setzero_ps)();
    for (; i + ROW_LANES <= n; i += ROW_LANES) {
        REGISTER w[PARTS];
        FOR_EACH(r, PARTS) {
            const REGISTER change = CHOSEN(changes, LOAD_WHOLES(labels + i + r * REGISTER_LANES));
            w[r] = MM(add_ps)(MM(mul_ps)(MM(loadu_ps)(row + i + r * REGISTER_LANES), scale), change);
            if (may & FLOORED) {
                w[r] = MM(max_ps)(w_min, w[r]);
                leasts = MM(min_ps)(w[r], leasts);
            }
            if (may & CAPPED) {
                w[r] = MM(min_ps)(w_max, w[r]);
                tops = MM(max_ps)(w[r], tops);
            }
            MM(storeu_ps)(row + i + r * REGISTER_LANES, w[r]);
            sum[r] = MM(add_ps)(sum[r], may & BELOW ? MM(and_ps)(w[r], size_of) : w[r]);
        }
        if (may & ROUNDED) NAMED(round_lanes)(w, MM(set1_ps)(step->whole.scale), step->whole.to + i);
    }
    if (may & FLOORED) {
        MM(storeu_ps)(lane, leasts);
        for (int l = 0; l < REGISTER_LANES; l++) least = lane[l] < least ? lane[l] : least;
    }
    if (may & CAPPED) {
        MM(storeu_ps)(lane, tops);
        for (int l = 0; l < REGISTER_LANES; l++) top = lane[l] > top ? lane[l] : top;
    }
    FOR_EACH(r, PARTS) MM(storeu_ps)(lane + r * REGISTER_LANES, sum[r]);
#else
    for (; i + ROW_LANES <= n; i += ROW_LANES)
        for (int l = 0; l < ROW_LANES; l++) {
            const float w = NAMED(bounded)(NAMED(unbounded)(row[i + l], labels[i + l], step), step);
            row[i + l] = w;
            lane[l] += fabsf(w);
            least = w < least ? w : least;
            top = w > top ? w : top;
        }
    if (may & ROUNDED) NAMED(round_row)(row, i, &step->whole);
#endif
    for (int l = 0; i < n; i++, l++) {
        const float w = NAMED(bounded)(NAMED(unbounded)(row[i], labels[i], step), step);
        row[i] = w;
        lane[l] += fabsf(w);
        least = w < least ? w : least;
        top = w > top ? w : top;
        if (may & ROUNDED) step->whole.to[i] = (int16_t)(int32_t)(w * step->whole.scale);
    }
    least = may & FLOORED ? least : step->range.min, top = may & CAPPED ? top : step->range.max;
    range->min = least > step->w_max ? step->w_max : least;
    range->max = top < step->w_min ? step->w_min : top;
    return NAMED(folded)(lane);
}

TARGET static float NAMED(step_row)(float *row, const int32_t *labels, ptrdiff_t n, const WeightStep *step,
                                    RowRange *range) {
    const int may = (step->w_min < 0 ? BELOW : 0) | (step->range.min >= step->w_min ? 0 : FLOORED) |
                    (step->range.max <= step->w_max ? 0 : CAPPED) | (step->whole.to ? ROUNDED : 0);
    switch (may) { /* rows that may hold negative weights are not rounded */
#define STEP_AS(MAY)                                                                                                   \
    case MAY:                                                                                                          \
        return NAMED(step_row_as)(MAY, row, labels, n, step, range);
        STEP_AS(0) STEP_AS(1) STEP_AS(2) STEP_AS(3) STEP_AS(4) STEP_AS(5) STEP_AS(6)
        STEP_AS(8) STEP_AS(10) STEP_AS(12) STEP_AS(14)
#undef STEP_AS
    }
    return NAMED(step_row_as)(BELOW | FLOORED | CAPPED, row, labels, n, step, range);
}

TARGET static void NAMED(scale_row)(float *row, ptrdiff_t n, float scale) {
    for (ptrdiff_t i = 0; i < n; i++) row[i] *= scale;
}

TARGET static float NAMED(sum_row)(const float *row, ptrdiff_t n) {
    float lane[ROW_LANES] = {0};
    ptrdiff_t i = 0;
    for (; i + ROW_LANES <= n; i += ROW_LANES)
        for (int l = 0; l < ROW_LANES; l++) lane[l] += fabsf(row[i + l]);
    for (int l = 0; i < n; i++, l++) lane[l] += fabsf(row[i]);
    return NAMED(folded)(lane);
}

static const DenseKernels NAMED(dense_kernels) = {
    {0, NAMED(charge_rows_1), NAMED(charge_rows_2), NAMED(charge_rows_3), NAMED(charge_rows_4), NAMED(charge_rows_5),
     NAMED(charge_rows_6), NAMED(charge_rows_7), NAMED(charge_rows_8)},
    {0, NAMED(charge_lanes_1), NAMED(charge_lanes_2), NAMED(charge_lanes_3), NAMED(charge_lanes_4),
     NAMED(charge_lanes_5), NAMED(charge_lanes_6), NAMED(charge_lanes_7), NAMED(charge_lanes_8)},
    NAMED(step_row),
    NAMED(round_row),
    NAMED(scale_row),
    NAMED(sum_row),
};
