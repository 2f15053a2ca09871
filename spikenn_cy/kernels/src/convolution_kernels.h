/* The kernels of a spiking convolution; `variants.h` includes this file once per instruction set. */
#ifndef SPIKENN_CY_CONVOLUTION_KERNELS_H
#define SPIKENN_CY_CONVOLUTION_KERNELS_H

#include "convolution.h"
#include "simd.h"

#define FIELD_CHUNK 8 /* spikes of a field added between two looks at the thresholds; by measurement */

INLINE Field spikes_from(const Field *field, ptrdiff_t k, ptrdiff_t count) {
    return (Field){field->ranks + k, count, field->row_of, field->offset};
}

/* How many of the spikes that are too few to make a filter fire to add one by one, so that the rest is a multiple of
 * FIELD_CHUNK if it can be: the loop over a whole chunk is unrolled. */
INLINE ptrdiff_t one_by_one(ptrdiff_t count, ptrdiff_t too_few) {
    const ptrdiff_t rest = (count - too_few) % FIELD_CHUNK, lack = rest ? FIELD_CHUNK - rest : 0;
    return too_few < lack ? too_few : too_few - lack;
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

/* ---- first spikes ---------------------------------------------------------------------------------------- */

/* Add a chunk of spikes to the potentials `v`. Looking at the thresholds after a chunk costs little more than the
 * additions, after each spike several times as much. Potentials do not fall: one that is below its threshold after the
 * chunk was so all along. Only vectors in which a filter crosses its threshold before the rank that `first` has go
 * through the chunk again; as many spikes come before a crossing as leave the potential below the threshold. Returns
 * whether there was one. */
TARGET INLINE int NAMED(charge_chunk)(const int vectors, const FilterBlock *filters, const Field chunk, NAMED(Lanes) *v,
                                      int32_t *first) {
    const ptrdiff_t width = vectors * FIELD_LANES, n = chunk.count;
    const float *thresholds = filters->thresholds;
    NAMED(Lanes) u[FIELD_WIDTH / FIELD_LANES], before[FIELD_WIDTH / FIELD_LANES];
    const float *row[FIELD_CHUNK];
    unsigned crossed = 0;
    FOR_EACH(q, vectors) before[q] = u[q] = v[q];
    for (ptrdiff_t i = 0; i < n; i++) {
        row[i] = filters->rows + (chunk.row_of[chunk.ranks[i]] - chunk.offset) * width;
        FOR_EACH(q, vectors) u[q] += *(const NAMED(Lanes) *)(row[i] + q * FIELD_LANES);
    }
    FOR_EACH(q, vectors) {
        NAMED(Flags) flags = u[q] >= *(const NAMED(Lanes) *)(thresholds + q * FIELD_LANES);
        flags &= *(const NAMED(Flags) *)(first + q * FIELD_LANES) > chunk.ranks[0];
        crossed |= (unsigned)NAMED(any_flag)(flags) << q;
        v[q] = u[q];
    }
    if (!crossed) return 0;
    int32_t steps[FIELD_CHUNK];
    for (ptrdiff_t i = 0; i + 1 < n; i++) steps[i] = chunk.ranks[i + 1] - chunk.ranks[i];
    steps[n - 1] = INT32_MAX - chunk.ranks[n - 1];
    do {
        const int q = __builtin_ctz(crossed);
        const NAMED(Lanes) threshold = *(const NAMED(Lanes) *)(thresholds + q * FIELD_LANES);
        NAMED(Flags) *best = (NAMED(Flags) *)(first + q * FIELD_LANES);
        NAMED(Lanes) potential = before[q];
        NAMED(Flags) at = chunk.ranks[0] - (NAMED(Flags)){0};
        for (ptrdiff_t i = 0; i < n; i++) {
            potential += *(const NAMED(Lanes) *)(row[i] + q * FIELD_LANES);
            at += (potential < threshold) & steps[i];
        }
        const NAMED(Flags) sooner = at < *best;
        *best = (sooner & at) | (~sooner & *best);
        crossed &= crossed - 1;
    } while (crossed);
    return 1;
}

TARGET INLINE void NAMED(fire_field)(const int vectors, const FilterBlock *filters, const Field *spikes,
                                     int until_first, int32_t *first) {
    const FilterBlock block = *filters; /* copies, which what is written to `first` surely leaves alone */
    const Field field = *spikes;
    NAMED(Lanes) v[FIELD_WIDTH / FIELD_LANES];
    FOR_EACH(q, vectors) v[q] = (NAMED(Lanes)){0};
    const ptrdiff_t unseen = one_by_one(field.count, block.too_few);
    int found = 0;
    ptrdiff_t k = 0;
    for (; k < unseen; k++) {
        const float *row =
            block.rows + (field.row_of[field.ranks[k]] - field.offset) * (ptrdiff_t)(vectors * FIELD_LANES);
        FOR_EACH(q, vectors) v[q] += *(const NAMED(Lanes) *)(row + q * FIELD_LANES);
    }
    for (; k + FIELD_CHUNK <= field.count && !(found && until_first); k += FIELD_CHUNK)
        found |= NAMED(charge_chunk)(vectors, &block, spikes_from(&field, k, FIELD_CHUNK), v, first);
    if (k < field.count && !(found && until_first))
        NAMED(charge_chunk)(vectors, &block, spikes_from(&field, k, field.count - k), v, first);
}

#define FIELDS(GROUPS)                                                                                                 \
    TARGET static void NAMED(fire_field_##GROUPS)(const FilterBlock *filters, const Field *field, int until_first,     \
                                                  int32_t *first) {                                                    \
        NAMED(fire_field)(GROUPS * (FIELD_GROUP / FIELD_LANES), filters, field, until_first, first);                   \
    }
FIELDS(1)
FIELDS(2)
FIELDS(3)
FIELDS(4)
#undef FIELDS

/* ---- the same with quantised weights ---------------------------------------------------------------------- */

typedef int16_t NAMED(Shorts) __attribute__((vector_size(4 * FIELD_LANES), aligned(2), may_alias));

/* The rank of the spike that makes a filter fire, by its exact weights. */
TARGET static int16_t NAMED(exact_rank)(const QuantisedBlock *filters, ptrdiff_t filter, const Field *field) {
    const float *column = filters->columns + filter * filters->n_weights;
    float potential = 0;
    for (ptrdiff_t k = 0; k < field->count; k++) {
        potential += column[field->row_of[field->ranks[k]] - field->offset];
        if (potential >= filters->thresholds[filter]) return (int16_t)field->ranks[k];
    }
    return QUANTISED_NEVER;
}

/* As charge_chunk. If the first spike after which a filter may have fired is not that after which it surely has, which
 * is rare, the filter is `unsure`; returns whether one that might lower its rank is. */
TARGET INLINE int NAMED(charge_quantised)(const int vectors, const QuantisedBlock *filters, const Field chunk,
                                          NAMED(Shorts) *v, int16_t *first, NAMED(Shorts) *unsure) {
    enum { SHORTS = 2 * FIELD_LANES };
    const ptrdiff_t width = vectors * SHORTS, n = chunk.count;
    NAMED(Shorts) u[QUANTISED_WIDTH / SHORTS], before[QUANTISED_WIDTH / SHORTS];
    const int16_t *row[FIELD_CHUNK];
    const int16_t begin = (int16_t)chunk.ranks[0];
    unsigned crossed = 0;
    FOR_EACH(q, vectors) before[q] = u[q] = v[q];
    for (ptrdiff_t i = 0; i < n; i++) {
        row[i] = filters->rows + (chunk.row_of[chunk.ranks[i]] - chunk.offset) * width;
        FOR_EACH(q, vectors) u[q] += *(const NAMED(Shorts) *)(row[i] + q * SHORTS);
    }
    FOR_EACH(q, vectors) {
        NAMED(Shorts) flags = u[q] > *(const NAMED(Shorts) *)(filters->silent_to + q * SHORTS);
        flags &= *(const NAMED(Shorts) *)(first + q * SHORTS) > begin;
        crossed |= (unsigned)NAMED(any_flag)((NAMED(Flags))flags) << q;
        v[q] = u[q];
    }
    if (!crossed) return 0;
    int16_t steps[FIELD_CHUNK];
    for (ptrdiff_t i = 0; i + 1 < n; i++) steps[i] = (int16_t)(chunk.ranks[i + 1] - chunk.ranks[i]);
    steps[n - 1] = (int16_t)(QUANTISED_NEVER - chunk.ranks[n - 1]);
    NAMED(Shorts) any = {0};
    FOR_EACH(q, vectors) unsure[q] = (NAMED(Shorts)){0};
    do {
        const int q = __builtin_ctz(crossed);
        const NAMED(Shorts) silent_to = *(const NAMED(Shorts) *)(filters->silent_to + q * SHORTS);
        const NAMED(Shorts) fired_above = *(const NAMED(Shorts) *)(filters->fired_above + q * SHORTS);
        NAMED(Shorts) *best = (NAMED(Shorts) *)(first + q * SHORTS);
        NAMED(Shorts) sum = before[q], earliest = begin - (NAMED(Shorts)){0}, latest = earliest;
        for (ptrdiff_t i = 0; i < n; i++) {
            sum += *(const NAMED(Shorts) *)(row[i] + q * SHORTS);
            earliest += ~(sum > silent_to) & steps[i];
            latest += ~(sum > fired_above) & steps[i];
        }
        const NAMED(Shorts) sooner = earliest < *best, sure = earliest == latest;
        *best = (sooner & sure & earliest) | (~(sooner & sure) & *best);
        unsure[q] = sooner & ~sure;
        any |= unsure[q];
        crossed &= crossed - 1;
    } while (crossed);
    return NAMED(any_flag)((NAMED(Flags))any);
}

TARGET INLINE void NAMED(fire_quantised)(const int vectors, const QuantisedBlock *filters, const Field *spikes,
                                         int16_t *first) {
    enum { SHORTS = 2 * FIELD_LANES };
    const QuantisedBlock block = *filters;
    const Field field = *spikes;
    NAMED(Shorts) v[QUANTISED_WIDTH / SHORTS], unsure[QUANTISED_WIDTH / SHORTS];
    FOR_EACH(q, vectors) v[q] = (NAMED(Shorts)){0};
    const ptrdiff_t unseen = one_by_one(field.count, block.too_few);
    ptrdiff_t k = 0;
    for (; k < unseen; k++) {
        const int16_t *row = block.rows + (field.row_of[field.ranks[k]] - field.offset) * (ptrdiff_t)(vectors * SHORTS);
        FOR_EACH(q, vectors) v[q] += *(const NAMED(Shorts) *)(row + q * SHORTS);
    }
    for (; k < field.count; k += FIELD_CHUNK) {
        int doubt;
        if (k + FIELD_CHUNK <= field.count)
            doubt = NAMED(charge_quantised)(vectors, &block, spikes_from(&field, k, FIELD_CHUNK), v, first, unsure);
        else
            doubt = NAMED(charge_quantised)(vectors, &block, spikes_from(&field, k, field.count - k), v, first, unsure);
        if (doubt)
            for (ptrdiff_t j = 0; j < vectors * SHORTS; j++)
                if (((const int16_t *)unsure)[j]) {
                    const int16_t at = NAMED(exact_rank)(filters, j, spikes);
                    first[j] = at < first[j] ? at : first[j];
                }
    }
}

#define FIELDS(GROUPS)                                                                                                 \
    TARGET static void NAMED(fire_quantised_##GROUPS)(const QuantisedBlock *filters, const Field *field,               \
                                                      int16_t *first) {                                                \
        NAMED(fire_quantised)(GROUPS * (QUANTISED_GROUP / (2 * FIELD_LANES)), filters, field, first);                  \
    }
FIELDS(1)
FIELDS(2)
FIELDS(3)
FIELDS(4)
#undef FIELDS

/* ---- learning -------------------------------------------------------------------------------------------- */

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

INLINE float NAMED(moved)(float w, int causal, float exponent, const FilterStep *step) {
    w += (causal ? step->potentiate : -step->depress) * NAMED(exp_of_negative)(exponent);
    w = w < 0 ? 0 : w;
    return w > 1 ? 1 : w;
}

TARGET static void NAMED(step_filter)(float *restrict w, const float *restrict times, ptrdiff_t n,
                                      const FilterStep *shared) {
    const FilterStep step = *shared;
    if (step.tau > 0)
        for (ptrdiff_t i = 0; i < n; i++) {
            const int causal = times[i] <= step.spike;
            const float away = causal ? times[i] - step.spike : step.spike - times[i];
            w[i] = NAMED(moved)(w[i], causal, away / step.tau, &step);
        }
    else
        for (ptrdiff_t i = 0; i < n; i++) {
            const int causal = times[i] <= step.spike;
            w[i] = NAMED(moved)(w[i], causal, causal ? -step.beta * w[i] : step.beta * (w[i] - 1), &step);
        }
}

TARGET static void NAMED(step_thresholds)(float *restrict thresholds, ptrdiff_t n, ptrdiff_t winner,
                                          const ThresholdStep *shared) {
    const ThresholdStep step = *shared;
    const float won = (thresholds[winner] - step.delay) + step.reward;
    for (ptrdiff_t j = 0; j < n; j++) {
        float moved = (thresholds[j] - step.delay) - step.share;
        thresholds[j] = moved < step.least ? step.least : moved;
    }
    thresholds[winner] = won < step.least ? step.least : won;
}

static const ConvolutionKernels NAMED(convolution_kernels) = {
    {0, NAMED(fire_field_1), NAMED(fire_field_2), NAMED(fire_field_3), NAMED(fire_field_4)},
    {0, NAMED(fire_quantised_1), NAMED(fire_quantised_2), NAMED(fire_quantised_3), NAMED(fire_quantised_4)},
    NAMED(step_filter),
    NAMED(step_thresholds),
    NAMED(exps),
};
