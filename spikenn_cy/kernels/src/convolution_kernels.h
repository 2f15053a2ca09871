/* The kernels of a spiking convolution; `variants.h` includes this file once per instruction set. */
#ifndef SPIKENN_CY_CONVOLUTION_KERNELS_H
#define SPIKENN_CY_CONVOLUTION_KERNELS_H

#include "convolution.h"
#include "simd.h"

#define FIELD_CHUNK 8 /* spikes of a receptive field added between two looks at the thresholds; by measurement */

/* How many of `unseen` spikes to pass over, so that whole chunks are left if that is possible; these are unrolled. */
INLINE ptrdiff_t before_whole_chunks(ptrdiff_t count, ptrdiff_t unseen) {
    const ptrdiff_t rest = (count - unseen) % FIELD_CHUNK, lack = rest ? FIELD_CHUNK - rest : 0;
    return unseen < lack ? unseen : unseen - lack;
}

#endif

typedef float NAMED(Lanes) __attribute__((vector_size(4 * FIELD_LANES), aligned(4), may_alias));
typedef int32_t NAMED(Flags) __attribute__((vector_size(4 * FIELD_LANES), aligned(4), may_alias));

TARGET INLINE int NAMED(any_flag)(NAMED(Flags) flags) {
#if FIELD_LANES == 16
    return _mm512_test_epi32_mask((__m512i)flags, (__m512i)flags) != 0;
#elif FIELD_LANES == 8
    return !_mm256_testz_si256((__m256i)flags, (__m256i)flags);
#else
    uint64_t half[2];
    memcpy(half, &flags, sizeof half);
    return (half[0] | half[1]) != 0;
#endif
}

/* Adding a chunk of spikes unseen and looking at the thresholds after it costs little more than the additions. Only a
 * vector in which a filter crosses its threshold earlier than `best` has it goes through the chunk again. Potentials do
 * not fall, so that the spikes before the crossing are those after which the potential is below the threshold.
 * Returns whether there was one. */
TARGET INLINE int NAMED(charge_chunk)(const int vectors, const ptrdiff_t n, const float *rows, const int32_t *ranks,
                                      const int32_t *row_of, int32_t offset, const float *limits, NAMED(Lanes) *v,
                                      int32_t *first) {
    const ptrdiff_t width = vectors * FIELD_LANES;
    NAMED(Lanes) u[FIELD_WIDTH / FIELD_LANES], before[FIELD_WIDTH / FIELD_LANES];
    const float *row[FIELD_CHUNK];
    unsigned crossed = 0;
    FOR_EACH(q, vectors) before[q] = u[q] = v[q];
    for (ptrdiff_t i = 0; i < n; i++) {
        row[i] = rows + (row_of[ranks[i]] - offset) * width;
        FOR_EACH(q, vectors) u[q] += *(const NAMED(Lanes) *)(row[i] + q * FIELD_LANES);
    }
    FOR_EACH(q, vectors) {
        NAMED(Flags) flags = u[q] >= *(const NAMED(Lanes) *)(limits + q * FIELD_LANES);
        flags &= *(const NAMED(Flags) *)(first + q * FIELD_LANES) > ranks[0];
        crossed |= (unsigned)NAMED(any_flag)(flags) << q;
        v[q] = u[q];
    }
    if (!crossed) return 0;
    int32_t steps[FIELD_CHUNK];
    for (ptrdiff_t i = 0; i + 1 < n; i++) steps[i] = ranks[i + 1] - ranks[i];
    steps[n - 1] = INT32_MAX - ranks[n - 1];
    do {
        const int q = __builtin_ctz(crossed);
        const NAMED(Lanes) limit = *(const NAMED(Lanes) *)(limits + q * FIELD_LANES);
        NAMED(Flags) *best = (NAMED(Flags) *)(first + q * FIELD_LANES);
        NAMED(Lanes) potential = before[q];
        NAMED(Flags) at = ranks[0] - (NAMED(Flags)){0};
        for (ptrdiff_t i = 0; i < n; i++) {
            potential += *(const NAMED(Lanes) *)(row[i] + q * FIELD_LANES);
            at += (potential < limit) & steps[i];
        }
        const NAMED(Flags) sooner = at < *best;
        *best = (sooner & at) | (~sooner & *best);
        crossed &= crossed - 1;
    } while (crossed);
    return 1;
}

TARGET INLINE void NAMED(fire_field)(const int vectors, const float *rows, const int32_t *ranks, ptrdiff_t count,
                                     const int32_t *row_of, int32_t offset, const float *thresholds, ptrdiff_t unseen,
                                     int until_first, int32_t *first) {
    NAMED(Lanes) v[FIELD_WIDTH / FIELD_LANES];
    FOR_EACH(q, vectors) v[q] = (NAMED(Lanes)){0};
    int found = 0;
    ptrdiff_t k = 0;
    for (unseen = before_whole_chunks(count, unseen); k < unseen; k++) {
        const float *row = rows + (row_of[ranks[k]] - offset) * (ptrdiff_t)(vectors * FIELD_LANES);
        FOR_EACH(q, vectors) v[q] += *(const NAMED(Lanes) *)(row + q * FIELD_LANES);
    }
    for (; k + FIELD_CHUNK <= count && !(found && until_first); k += FIELD_CHUNK)
        found |= NAMED(charge_chunk)(vectors, FIELD_CHUNK, rows, ranks + k, row_of, offset, thresholds, v, first);
    if (k < count && !(found && until_first))
        NAMED(charge_chunk)(vectors, count - k, rows, ranks + k, row_of, offset, thresholds, v, first);
}

#define FIELDS(GROUPS)                                                                                                \
    TARGET static void NAMED(fire_field_##GROUPS)(const float *rows, const int32_t *ranks, ptrdiff_t count,           \
                                                  const int32_t *row_of, int32_t offset, const float *thresholds,     \
                                                  ptrdiff_t unseen, int until_first, int32_t *first) {                \
        NAMED(fire_field)(GROUPS *(FIELD_GROUP / FIELD_LANES), rows, ranks, count, row_of, offset, thresholds,        \
                          unseen, until_first, first);                                                                \
    }
FIELDS(1) FIELDS(2) FIELDS(3) FIELDS(4)
#undef FIELDS

/* ---- the same with coarse weights ------------------------------------------------------------------------- */

typedef int16_t NAMED(Shorts) __attribute__((vector_size(4 * FIELD_LANES), aligned(2), may_alias));

/* The rank of the spike that makes a filter fire, found from its exact weights. */
TARGET static int16_t NAMED(settle)(const CoarseFilters *filters, ptrdiff_t filter, const int32_t *ranks,
                                    ptrdiff_t count, const int32_t *row_of, int32_t offset) {
    const float *column = filters->columns + filter * filters->n_weights;
    float potential = 0;
    for (ptrdiff_t k = 0; k < count; k++) {
        potential += column[row_of[ranks[k]] - offset];
        if (potential >= filters->thresholds[filter]) return (int16_t)ranks[k];
    }
    return COARSE_NEVER;
}

/* As charge_chunk. Where the spike after which a potential may be at its threshold is not that after which it must be,
 * the filter is `unsure`, which few are; returns whether one that might lower its rank is. */
TARGET INLINE int NAMED(charge_coarse)(const int vectors, const ptrdiff_t n, const CoarseFilters *filters,
                                       const int32_t *ranks, const int32_t *row_of, int32_t offset, NAMED(Shorts) *v,
                                       int16_t *first, NAMED(Shorts) *unsure) {
    enum { SHORTS = 2 * FIELD_LANES };
    const ptrdiff_t width = vectors * SHORTS;
    NAMED(Shorts) u[COARSE_WIDTH / SHORTS], before[COARSE_WIDTH / SHORTS];
    const int16_t *row[FIELD_CHUNK];
    const int16_t begin = (int16_t)ranks[0];
    unsigned crossed = 0;
    FOR_EACH(q, vectors) before[q] = u[q] = v[q];
    for (ptrdiff_t i = 0; i < n; i++) {
        row[i] = filters->rows + (row_of[ranks[i]] - offset) * width;
        FOR_EACH(q, vectors) u[q] += *(const NAMED(Shorts) *)(row[i] + q * SHORTS);
    }
    FOR_EACH(q, vectors) {
        NAMED(Shorts) flags = u[q] > *(const NAMED(Shorts) *)(filters->may + q * SHORTS);
        flags &= *(const NAMED(Shorts) *)(first + q * SHORTS) > begin;
        crossed |= (unsigned)NAMED(any_flag)((NAMED(Flags))flags) << q;
        v[q] = u[q];
    }
    if (!crossed) return 0;
    int16_t steps[FIELD_CHUNK];
    for (ptrdiff_t i = 0; i + 1 < n; i++) steps[i] = (int16_t)(ranks[i + 1] - ranks[i]);
    steps[n - 1] = (int16_t)(COARSE_NEVER - ranks[n - 1]);
    NAMED(Shorts) any = {0};
    FOR_EACH(q, vectors) unsure[q] = (NAMED(Shorts)){0};
    do {
        const int q = __builtin_ctz(crossed);
        const NAMED(Shorts) may = *(const NAMED(Shorts) *)(filters->may + q * SHORTS);
        const NAMED(Shorts) must = *(const NAMED(Shorts) *)(filters->must + q * SHORTS);
        NAMED(Shorts) *best = (NAMED(Shorts) *)(first + q * SHORTS);
        NAMED(Shorts) potential = before[q], least = begin - (NAMED(Shorts)){0}, most = least;
        for (ptrdiff_t i = 0; i < n; i++) {
            potential += *(const NAMED(Shorts) *)(row[i] + q * SHORTS);
            least += ~(potential > may) & steps[i];
            most += ~(potential > must) & steps[i];
        }
        const NAMED(Shorts) sooner = least < *best, sure = least == most;
        *best = (sooner & sure & least) | (~(sooner & sure) & *best);
        unsure[q] = sooner & ~sure;
        any |= unsure[q];
        crossed &= crossed - 1;
    } while (crossed);
    return NAMED(any_flag)((NAMED(Flags))any);
}

TARGET INLINE void NAMED(fire_coarse)(const int vectors, const CoarseFilters *filters, const int32_t *ranks,
                                      ptrdiff_t count, const int32_t *row_of, int32_t offset, ptrdiff_t unseen,
                                      int16_t *first) {
    enum { SHORTS = 2 * FIELD_LANES };
    NAMED(Shorts) v[COARSE_WIDTH / SHORTS], unsure[COARSE_WIDTH / SHORTS];
    FOR_EACH(q, vectors) v[q] = (NAMED(Shorts)){0};
    ptrdiff_t k = 0;
    for (unseen = before_whole_chunks(count, unseen); k < unseen; k++) {
        const int16_t *row = filters->rows + (row_of[ranks[k]] - offset) * (ptrdiff_t)(vectors * SHORTS);
        FOR_EACH(q, vectors) v[q] += *(const NAMED(Shorts) *)(row + q * SHORTS);
    }
    while (k < count) {
        int doubt;
        if (k + FIELD_CHUNK <= count)
            doubt = NAMED(charge_coarse)(vectors, FIELD_CHUNK, filters, ranks + k, row_of, offset, v, first, unsure);
        else
            doubt = NAMED(charge_coarse)(vectors, count - k, filters, ranks + k, row_of, offset, v, first, unsure);
        if (doubt)
            for (ptrdiff_t j = 0; j < vectors * SHORTS; j++)
                if (((const int16_t *)unsure)[j]) {
                    const int16_t at = NAMED(settle)(filters, j, ranks, count, row_of, offset);
                    first[j] = at < first[j] ? at : first[j];
                }
        k += FIELD_CHUNK;
    }
}

#define COARSES(GROUPS)                                                                                               \
    TARGET static void NAMED(fire_coarse_##GROUPS)(const CoarseFilters *filters, const int32_t *ranks,                \
                                                   ptrdiff_t count, const int32_t *row_of, int32_t offset,            \
                                                   ptrdiff_t unseen, int16_t *first) {                                \
        NAMED(fire_coarse)(GROUPS *(COARSE_GROUP / (2 * FIELD_LANES)), filters, ranks, count, row_of, offset, unseen, \
                           first);                                                                                    \
    }
COARSES(1) COARSES(2) COARSES(3) COARSES(4)
#undef COARSES

/* Columns in steps of CORRELATE_STEP; the caller pads. Taps are added row by row of the kernel. */
TARGET static void NAMED(correlate)(const float *restrict plane, ptrdiff_t stride, const float *restrict kernel,
                                    ptrdiff_t size, ptrdiff_t n_rows, ptrdiff_t n_columns, float *restrict sums) {
    enum { VECTORS_A_STEP = CORRELATE_STEP / FIELD_LANES };
    for (ptrdiff_t x = 0; x < n_rows; x++)
        for (ptrdiff_t y = 0; y < n_columns; y += CORRELATE_STEP) {
            float *sum = sums + x * n_columns + y;
            NAMED(Lanes) s[VECTORS_A_STEP];
            for (int q = 0; q < VECTORS_A_STEP; q++) s[q] = *(const NAMED(Lanes) *)(sum + q * FIELD_LANES);
            for (ptrdiff_t a = 0; a < size; a++) {
                const float *from = plane + (x + a) * stride + y;
                for (ptrdiff_t b = 0; b < size; b++)
                    for (int q = 0; q < VECTORS_A_STEP; q++)
                        s[q] += *(const NAMED(Lanes) *)(from + b + q * FIELD_LANES) * kernel[a * size + b];
            }
            for (int q = 0; q < VECTORS_A_STEP; q++) *(NAMED(Lanes) *)(sum + q * FIELD_LANES) = s[q];
        }
}

/* Value i, split by its sign, becomes the times 2i (on) and 2i + 1 (off); 1 is silence. */
TARGET static void NAMED(encode)(const float *restrict values, ptrdiff_t n, const float *restrict low,
                                 const float *restrict span, int late, float *restrict times) {
    for (ptrdiff_t i = 0; i < n; i++) {
        float on = values[i] > 0 ? values[i] : 0, off = values[i] < 0 ? -values[i] : 0;
        on = (on - low[2 * i]) / span[2 * i];
        off = (off - low[2 * i + 1]) / span[2 * i + 1];
        float first = 1 - on, second = 1 - off;
        first = first > 0 ? first : 0;
        second = second > 0 ? second : 0;
        times[2 * i] = first < 1 || late ? first : 1;
        times[2 * i + 1] = second < 1 || late ? second : 1;
    }
}

/* exp(x) for x <= 0: 2^n times a polynomial of the rest, in single operations that every processor rounds alike.
 * Coefficients: S. L. Moshier's Cephes library, expf. */
INLINE float NAMED(exp_of_negative)(float x) {
    x = x < -87.0f ? -87.0f : x;
    float n = (x * 1.44269504088896341f + 12582912.0f) - 12582912.0f; /* rounds to a whole number */
    float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = (p * (r * r) + r) + 1.0f;
    union {
        int32_t bits;
        float value;
    } power = {((int32_t)n + 127) << 23};
    return p * power.value;
}

TARGET static void NAMED(exps)(const float *restrict x, ptrdiff_t n, float *restrict exps) {
    for (ptrdiff_t i = 0; i < n; i++) exps[i] = NAMED(exp_of_negative)(x[i]);
}

TARGET static void NAMED(learn_field)(float *restrict w, const float *restrict times, ptrdiff_t n,
                                      const FieldStep *shared) {
    const FieldStep step = *shared;
    if (step.decay > 0)
        for (ptrdiff_t i = 0; i < n; i++) {
            float away = times[i] <= step.spike ? times[i] - step.spike : step.spike - times[i];
            float change = (times[i] <= step.spike ? step.potentiate : -step.depress) *
                           NAMED(exp_of_negative)(away / step.decay);
            float moved = w[i] + change;
            moved = moved < 0 ? 0 : moved;
            w[i] = moved > 1 ? 1 : moved;
        }
    else
        for (ptrdiff_t i = 0; i < n; i++) {
            float exponent = times[i] <= step.spike ? -step.beta * w[i] : step.beta * (w[i] - 1);
            float change = (times[i] <= step.spike ? step.potentiate : -step.depress) * NAMED(exp_of_negative)(exponent);
            float moved = w[i] + change;
            moved = moved < 0 ? 0 : moved;
            w[i] = moved > 1 ? 1 : moved;
        }
}

TARGET static void NAMED(regulate)(float *restrict thresholds, ptrdiff_t n, ptrdiff_t winner, float late,
                                   float reward, float share, float least) {
    const float won = (thresholds[winner] - late) + reward;
    for (ptrdiff_t j = 0; j < n; j++) {
        float moved = (thresholds[j] - late) - share;
        thresholds[j] = moved < least ? least : moved;
    }
    thresholds[winner] = won < least ? least : won;
}

static const ConvolutionKernels NAMED(convolution_kernels) = {
    {0, NAMED(fire_field_1), NAMED(fire_field_2), NAMED(fire_field_3), NAMED(fire_field_4)},
    {0, NAMED(fire_coarse_1), NAMED(fire_coarse_2), NAMED(fire_coarse_3), NAMED(fire_coarse_4)},
    NAMED(correlate),
    NAMED(encode),
    NAMED(exps),
    NAMED(learn_field),
    NAMED(regulate),
};
