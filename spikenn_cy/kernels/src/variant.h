/* One variant of every primitive. `variants.h` includes this file once per instruction set, with VARIANT (the
 * suffix of the names) and TARGET (the attribute that allows the instructions) defined. */

#define JOIN_(name, variant) name##_##variant
#define JOIN(name, variant) JOIN_(name, variant)
#define NAMED(name) JOIN(name, VARIANT)

#include "registers.h"

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

#ifdef REGISTER
/* ROW_LANES whole numbers that lie in registers, written as two bytes each, in the order of `coarse_place`. */
TARGET INLINE void NAMED(narrow)(const WHOLES *whole, int16_t *narrow) {
#if FIELD_LANES == 4
    FOR_EACH(half, 2) STORE_WHOLES(narrow + 8 * half, _mm_packs_epi32(whole[half], whole[2 + half]));
#elif FIELD_LANES == 8
    STORE_WHOLES(narrow, _mm256_packs_epi32(whole[0], whole[1]));
#else
    const __m256i low = _mm512_castsi512_si256(whole[0]), high = _mm512_extracti64x4_epi64(whole[0], 1);
    _mm256_storeu_si256((__m256i *)narrow, _mm256_packs_epi32(low, high));
#endif
}
#endif

/* ---- a coarse look at many neurons ----------------------------------------------------------------------- */

TARGET static ptrdiff_t NAMED(mark)(const int32_t *marks, ptrdiff_t n, int16_t *marked, int32_t *strips) {
    ptrdiff_t n_strips = 0;
    for (ptrdiff_t i = 0; i < n; i += COARSE_STRIP) {
#ifdef REGISTER
        WHOLES found = NO_WHOLES;
        FOR_EACH(half, COARSE_STRIP / ROW_LANES) {
            const ptrdiff_t from = i + half * ROW_LANES;
            WHOLES causal[ROW_LANES / REGISTER_LANES];
            FOR_EACH(r, ROW_LANES / REGISTER_LANES) {
                causal[r] = WHERE(CAUSAL, LOAD_WHOLES(marks + from + r * REGISTER_LANES));
                found = BOTH(found, causal[r]);
            }
            NAMED(narrow)(causal, marked + from);
        }
        strips[n_strips] = (int32_t)i;
        n_strips += ANY_OF(found);
#else
        int found = 0;
        for (int l = 0; l < COARSE_STRIP; l++) found |= marked[coarse_place(i + l)] = -(marks[i + l] == CAUSAL);
        strips[n_strips] = (int32_t)i;
        n_strips += found != 0;
#endif
    }
    return n_strips;
}

TARGET INLINE void NAMED(sum_marked)(const int width, const int16_t *const *rows, const int16_t *marked,
                                     const int32_t *strips, ptrdiff_t n_strips, int32_t *sums) {
#ifdef REGISTER
    WHOLES sum[BLOCK_MAX];
    FOR_EACH(j, width) sum[j] = NO_WHOLES;
    for (ptrdiff_t s = 0; s < n_strips; s++)
        FOR_EACH(r, COARSE_STRIP / (2 * REGISTER_LANES)) {
            const ptrdiff_t i = strips[s] + r * 2 * REGISTER_LANES;
            const WHOLES mark = LOAD_WHOLES(marked + i);
            FOR_EACH(j, width) sum[j] = MM(sub_epi32)(sum[j], MM(madd_epi16)(LOAD_WHOLES(rows[j] + i), mark));
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
            const int16_t *row = rows[j] + strips[s], *mark = marked + strips[s];
            for (int l = 0; l < COARSE_STRIP; l++) sum -= row[l] * mark[l];
        }
        sums[j] = sum;
    }
#endif
}

#define MARKED(WIDTH)                                                                                               \
    TARGET static void NAMED(sum_marked_##WIDTH)(const int16_t *const *rows, const int16_t *marked,                 \
                                                 const int32_t *strips, ptrdiff_t n_strips, int32_t *sums) {        \
        NAMED(sum_marked)(WIDTH, rows, marked, strips, n_strips, sums);                                             \
    }
MARKED(1) MARKED(2) MARKED(3) MARKED(4) MARKED(5) MARKED(6) MARKED(7) MARKED(8)
#undef MARKED

/* The exact potential is rounded with every spike. As long as it is not above the threshold, this moves it by no more
 * than half of the threshold's last bit; by half of that while it is below the power of two under the threshold, and so
 * on, so that early spikes count for a third: those before weights of COARSE_MAX could bring it that far. What is
 * rounded on the way to the bounds, and to coarse weights, is a few times 2^-24 of the threshold. */
TARGET static void NAMED(bound)(const float *restrict thresholds, const float *restrict units,
                                const float *restrict factors, ptrdiff_t n, ptrdiff_t end, int32_t *restrict may,
                                int32_t *restrict must) {
    const float count = (float)end;
    for (ptrdiff_t j = 0; j < n; j++) {
        float unit = units[j] * factors[j], threshold = thresholds[j], power;
        uint32_t bits;
        memcpy(&bits, &threshold, sizeof bits);
        bits &= 0x7f800000u;
        memcpy(&power, &bits, sizeof power);
        float at = threshold / unit, bit = power / unit;
        float early = bit * (1 / (float)COARSE_MAX) - 2;
        early = early < 0 ? 0 : early;
        early = early > count ? count : early;
        float off = bit * (count + 5 - early * 0.66f) * (1 / 16777216.0f) + fabsf(at) * 8e-7f + 2;
        float low = at - off, high = at + off;
        /* A row without a copy may always fire, and never must. */
        int copied = unit > 1e-18f && unit < 1e18f, known = copied && fabsf(at) < 2e9f;
        low = known ? low : copied && threshold > 0 ? 1.99e9f : -2.1e9f;
        may[j] = (int32_t)low, must[j] = known ? (int32_t)high : INT32_MAX;
    }
}

/* ---- rows of synaptic weights ---------------------------------------------------------------------------- */

INLINE float NAMED(folded)(float *lane) {
    for (int half = ROW_LANES / 2; half; half /= 2)
        for (int l = 0; l < half; l++) lane[l] += lane[l + half];
    return lane[0];
}

#ifdef REGISTER
/* ROW_LANES weights that lie in registers, made coarse. */
TARGET INLINE void NAMED(coarsen)(const REGISTER *w, REGISTER scale, int16_t *coarse) {
    WHOLES whole[ROW_LANES / REGISTER_LANES];
    FOR_EACH(r, ROW_LANES / REGISTER_LANES) whole[r] = MM(cvttps_epi32)(MM(mul_ps)(w[r], scale));
    NAMED(narrow)(whole, coarse);
}
#endif

TARGET static void NAMED(coarsen_row)(const float *row, ptrdiff_t n, float scale, int16_t *coarse) {
    ptrdiff_t i = 0;
#ifdef REGISTER
    const REGISTER scales = MM(set1_ps)(scale);
    for (; i + ROW_LANES <= n; i += ROW_LANES) {
        REGISTER w[ROW_LANES / REGISTER_LANES];
        FOR_EACH(r, ROW_LANES / REGISTER_LANES) w[r] = MM(loadu_ps)(row + i + r * REGISTER_LANES);
        NAMED(coarsen)(w, scales, coarse + i);
    }
#endif
    for (; i < n; i++) coarse[coarse_place(i)] = (int16_t)(int32_t)(row[i] * scale);
}

INLINE float NAMED(stepped)(float w, int32_t mark, const Step *step) {
    w = w * step->factor;
    w += step->changes[mark];
    w = w < step->w_min ? step->w_min : w;
    return w > step->w_max ? step->w_max : w;
}

/* `below`: a weight may be negative; `capped`: one may become higher than w_max; `copied`: the coarse row is written. */
TARGET INLINE float NAMED(step_row_as)(const int below, const int capped, const int copied, float *restrict row,
                                       const int32_t *restrict marks, ptrdiff_t n, const Step *step,
                                       float *restrict highest, int16_t *restrict coarse, float scale) {
    float lane[ROW_LANES] = {0}, top = step->w_min;
    ptrdiff_t i = 0;
#ifdef REGISTER
    enum { PARTS = ROW_LANES / REGISTER_LANES };
    CHOICES(changes, step->changes);
    const REGISTER factor = MM(set1_ps)(step->factor), scales = MM(set1_ps)(scale);
    const REGISTER w_min = MM(set1_ps)(step->w_min), w_max = MM(set1_ps)(step->w_max), size_of = SIZE_BITS;
    REGISTER sum[PARTS], tops = w_min;
    FOR_EACH(r, PARTS) sum[r] = MM(setzero_ps)();
    for (; i + ROW_LANES <= n; i += ROW_LANES) {
        REGISTER w[PARTS];
        FOR_EACH(r, PARTS) {
            const REGISTER change = CHOSEN(changes, LOAD_WHOLES(marks + i + r * REGISTER_LANES));
            w[r] = MM(add_ps)(MM(mul_ps)(MM(loadu_ps)(row + i + r * REGISTER_LANES), factor), change);
            w[r] = MM(max_ps)(w_min, w[r]);
            if (capped) {
                w[r] = MM(min_ps)(w_max, w[r]);
                tops = MM(max_ps)(w[r], tops);
            }
            MM(storeu_ps)(row + i + r * REGISTER_LANES, w[r]);
            sum[r] = MM(add_ps)(sum[r], below ? MM(and_ps)(w[r], size_of) : w[r]);
        }
        if (copied) NAMED(coarsen)(w, scales, coarse + i);
    }
    if (capped) {
        MM(storeu_ps)(lane, tops);
        for (int l = 0; l < REGISTER_LANES; l++) top = lane[l] > top ? lane[l] : top;
    }
    FOR_EACH(r, PARTS) MM(storeu_ps)(lane + r * REGISTER_LANES, sum[r]);
#else
    for (; i + ROW_LANES <= n; i += ROW_LANES)
        for (int l = 0; l < ROW_LANES; l++) {
            row[i + l] = NAMED(stepped)(row[i + l], marks[i + l], step);
            lane[l] += fabsf(row[i + l]);
            top = row[i + l] > top ? row[i + l] : top;
        }
    if (copied) NAMED(coarsen_row)(row, i, scale, coarse);
#endif
    for (int l = 0; i < n; i++, l++) {
        row[i] = NAMED(stepped)(row[i], marks[i], step);
        lane[l] += fabsf(row[i]);
        top = row[i] > top ? row[i] : top;
        if (copied) coarse[coarse_place(i)] = (int16_t)(int32_t)(row[i] * scale);
    }
    *highest = capped ? top : step->highest > step->w_min ? step->highest : step->w_min;
    return NAMED(folded)(lane);
}

TARGET static float NAMED(step_row)(float *row, const int32_t *marks, ptrdiff_t n, const Step *step, float *highest,
                                    int16_t *coarse, float scale) {
    const int capped = !(step->highest <= step->w_max);
#define STEP_AS(below, capped, copied) NAMED(step_row_as)(below, capped, copied, row, marks, n, step, highest, coarse, scale)
    if (step->w_min < 0) return capped ? STEP_AS(1, 1, 0) : STEP_AS(1, 0, 0);
    if (coarse) return capped ? STEP_AS(0, 1, 1) : STEP_AS(0, 0, 1);
    return capped ? STEP_AS(0, 1, 0) : STEP_AS(0, 0, 0);
#undef STEP_AS
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
    float low[ROW_LANES], high[ROW_LANES];
    ptrdiff_t i = 0;
    for (int l = 0; l < ROW_LANES; l++) low[l] = high[l] = row[0];
    for (; i + ROW_LANES <= n; i += ROW_LANES)
        for (int l = 0; l < ROW_LANES; l++) {
            low[l] = row[i + l] < low[l] ? row[i + l] : low[l];
            high[l] = row[i + l] > high[l] ? row[i + l] : high[l];
        }
    for (int l = 0; i < n; i++, l++) {
        low[l] = row[i] < low[l] ? row[i] : low[l];
        high[l] = row[i] > high[l] ? row[i] : high[l];
    }
    *lowest = low[0], *highest = high[0];
    for (int l = 1; l < ROW_LANES; l++) {
        *lowest = low[l] < *lowest ? low[l] : *lowest;
        *highest = high[l] > *highest ? high[l] : *highest;
    }
}

#include "convolution.h"

static const Primitives NAMED(primitives) = {
    NAME,
    {0, NAMED(charge_rows_1), NAMED(charge_rows_2), NAMED(charge_rows_3), NAMED(charge_rows_4), NAMED(charge_rows_5),
     NAMED(charge_rows_6), NAMED(charge_rows_7), NAMED(charge_rows_8)},
    {0, NAMED(charge_lanes_1), NAMED(charge_lanes_2), NAMED(charge_lanes_3), NAMED(charge_lanes_4),
     NAMED(charge_lanes_5), NAMED(charge_lanes_6), NAMED(charge_lanes_7), NAMED(charge_lanes_8)},
    NAMED(mark),
    {0, NAMED(sum_marked_1), NAMED(sum_marked_2), NAMED(sum_marked_3), NAMED(sum_marked_4), NAMED(sum_marked_5),
     NAMED(sum_marked_6), NAMED(sum_marked_7), NAMED(sum_marked_8)},
    NAMED(bound),
    NAMED(coarsen_row),
    NAMED(step_row),
    NAMED(scale_row),
    NAMED(sum_row),
    NAMED(range_of_row),
    {0, NAMED(fire_field_1), NAMED(fire_field_2), NAMED(fire_field_3), NAMED(fire_field_4)},
    {0, NAMED(fire_coarse_1), NAMED(fire_coarse_2), NAMED(fire_coarse_3), NAMED(fire_coarse_4)},
    NAMED(correlate),
    NAMED(encode),
    NAMED(exps),
    NAMED(learn_field),
    NAMED(regulate),
};

#include "registers.h"
#undef JOIN_
#undef JOIN
#undef NAMED
#undef VARIANT
#undef NAME
#undef TARGET
#undef FIELD_LANES
