/* One variant of every primitive. `variants.h` includes this file once per instruction set, with VARIANT (the
 * suffix of the names) and TARGET (the attribute that allows the instructions) defined. */

#define JOIN_(name, variant) name##_##variant
#define JOIN(name, variant) JOIN_(name, variant)
#define NAMED(name) JOIN(name, VARIANT)

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
                for (int i = 0; i < ROWS_CHUNK; i++)
                    for (int j = 0; j < width; j++) u[j] += w[j][inputs[k + i]] * factor[j];
                for (int j = 0; j < width; j++) peak[j] = u[j];
            } else {
                for (int i = 0; i < ROWS_CHUNK; i++)
                    for (int j = 0; j < width; j++) {
                        u[j] += w[j][inputs[k + i]] * factor[j];
                        peak[j] = u[j] > peak[j] ? u[j] : peak[j];
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

/* Whole numbers in two bytes make one line of memory hold what 32 neurons gain by an input spike, and may be added
 * in any order: the sums of COARSE_CHUNK spikes fit two bytes. */
TARGET static void NAMED(sum_coarse)(const uint16_t *coarse, ptrdiff_t lanes, const int32_t *inputs, ptrdiff_t count,
                                     int32_t *restrict sums) {
    for (ptrdiff_t first = 0; first < lanes; first += COARSE_LANES) {
        CoarseVector part = {0};
        uint16_t lane[COARSE_LANES];
        for (ptrdiff_t i = 0; i < count; i++)
            part += *(const CoarseVector *)(coarse + (ptrdiff_t)inputs[i] * lanes + first);
        memcpy(lane, &part, sizeof lane);
        for (int l = 0; l < COARSE_LANES; l++) sums[first + l] += lane[l];
    }
}

TARGET static int NAMED(judge_coarse)(const CoarseBounds *bounds, ptrdiff_t lanes, const int32_t *restrict sums,
                                      int32_t count, int32_t *restrict maybe, int32_t *restrict surely) {
    const float n = (float)count;
    int found = 0;
    for (ptrdiff_t first = 0; first < lanes; first += COARSE_LANES)
        for (int l = 0; l < COARSE_LANES; l++) {
            float v = (float)sums[first + l] * bounds->gain[first + l], threshold = bounds->threshold[first + l];
            int32_t high = v + n * bounds->above[first + l] > threshold ? count : INT32_MAX;
            int32_t low = v + n * bounds->below[first + l] > threshold ? count : INT32_MAX;
            maybe[first + l] = high < maybe[first + l] ? high : maybe[first + l];
            surely[first + l] = low < surely[first + l] ? low : surely[first + l];
            found |= surely[first + l] == count;
        }
    return found;
}

/* Walks back over the spikes of a chunk, for as many neurons as a tile has, while their bounds are passed. */
TARGET static void NAMED(retrace_coarse)(const CoarseBounds *bounds, const uint16_t *coarse, ptrdiff_t lanes,
                                         const int32_t *inputs, ptrdiff_t first, ptrdiff_t end, const int32_t *sums,
                                         int32_t *maybe, int32_t *surely) {
    int32_t sum[TILE], high[TILE], low[TILE];
    for (int l = 0; l < TILE; l++) sum[l] = sums[l], high[l] = low[l] = INT32_MAX;
    for (ptrdiff_t k = end; k > first; k--) {
        const uint16_t *gained = coarse + (ptrdiff_t)inputs[k - 1] * lanes;
        const float n = (float)k;
        for (int l = 0; l < TILE; l++) {
            float v = (float)sum[l] * bounds->gain[l], threshold = bounds->threshold[l];
            high[l] = v + n * bounds->above[l] > threshold ? (int32_t)k : high[l];
            low[l] = v + n * bounds->below[l] > threshold ? (int32_t)k : low[l];
            sum[l] -= gained[l];
        }
    }
    for (int l = 0; l < TILE; l++) maybe[l] = high[l], surely[l] = low[l];
}

/* Each turn brings row j and row j + TILE / 2 together, element by element; after three turns rows are columns. */
TARGET INLINE void NAMED(transpose)(TileRow *row) {
    for (int turn = 0; turn < 3; turn++) {
        TileRow next[TILE];
        for (int j = 0; j < TILE / 2; j++) {
            next[2 * j] = SHUFFLE(row[j], row[j + TILE / 2], 0, 8, 1, 9, 2, 10, 3, 11);
            next[2 * j + 1] = SHUFFLE(row[j], row[j + TILE / 2], 4, 12, 5, 13, 6, 14, 7, 15);
        }
        for (int j = 0; j < TILE; j++) row[j] = next[j];
    }
}

/* A float of this size has a last bit of 1, so adding it rounds to a whole number, which its low bytes then hold. */
#define WHOLE 8388608.0f

TARGET static void NAMED(make_coarse)(const float *rows, ptrdiff_t n_rows, ptrdiff_t n_inputs, const float *factors,
                                      float scale, uint16_t *coarse, ptrdiff_t lanes) {
    for (ptrdiff_t i = 0; i < n_inputs; i += TILE) {
        TileRow tile[TILE] = {{0}};
        int width = n_inputs - i < TILE ? (int)(n_inputs - i) : TILE;
        for (int j = 0; j < n_rows; j++) {
            HalfRow left, right;
            float some[TILE] = {0};
            const float *from = rows + j * n_inputs + i;
            if (width < TILE) from = memcpy(some, from, width * sizeof(float));
            left = *(const HalfRow *)from * (factors[j] * scale) + WHOLE;
            right = *(const HalfRow *)(from + TILE / 2) * (factors[j] * scale) + WHOLE;
            tile[j] = SHUFFLE((TileRow)left, (TileRow)right, LOW_HALVES);
        }
        NAMED(transpose)(tile);
        for (int l = 0; l < width; l++) memcpy(coarse + (i + l) * lanes, &tile[l], sizeof tile[l]);
    }
}

/* ---- rows of synaptic weights ---------------------------------------------------------------------------- */

INLINE float NAMED(folded)(float *lane) {
    for (int half = ROW_LANES / 2; half; half /= 2)
        for (int l = 0; l < half; l++) lane[l] += lane[l + half];
    return lane[0];
}

INLINE float NAMED(stepped)(float w, float time, const Step step) {
    w = w * step.factor;
    w += time <= step.spike ? step.causal : time < step.silent_from ? step.anticausal : step.silent;
    w = w < step.w_min ? step.w_min : w;
    return w > step.w_max ? step.w_max : w;
}

TARGET static float NAMED(step_row)(float *restrict row, const float *restrict input_times, ptrdiff_t n,
                                    const Step *shared) {
    const Step step = *shared;
    float lane[ROW_LANES] = {0};
    ptrdiff_t i = 0;
    if (step.silent == step.anticausal)
        for (; i + ROW_LANES <= n; i += ROW_LANES)
            for (int l = 0; l < ROW_LANES; l++) {
                float w = row[i + l] * step.factor;
                w += input_times[i + l] <= step.spike ? step.causal : step.anticausal;
                w = w < step.w_min ? step.w_min : w;
                w = w > step.w_max ? step.w_max : w;
                row[i + l] = w;
                lane[l] += fabsf(w);
            }
    else
        for (; i + ROW_LANES <= n; i += ROW_LANES)
            for (int l = 0; l < ROW_LANES; l++) {
                float w = NAMED(stepped)(row[i + l], input_times[i + l], step);
                row[i + l] = w;
                lane[l] += fabsf(w);
            }
    for (int l = 0; i < n; i++, l++) {
        row[i] = NAMED(stepped)(row[i], input_times[i], step);
        lane[l] += fabsf(row[i]);
    }
    return NAMED(folded)(lane);
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
    NAMED(make_coarse),
    NAMED(sum_coarse),
    NAMED(judge_coarse),
    NAMED(retrace_coarse),
    NAMED(step_row),
    NAMED(scale_row),
    NAMED(sum_row),
    NAMED(range_of_row),
    {0, NAMED(fire_field_1), NAMED(fire_field_2), NAMED(fire_field_3), NAMED(fire_field_4)},
    NAMED(correlate),
    NAMED(encode),
    NAMED(exps),
    NAMED(learn_field),
    NAMED(regulate),
};

#undef JOIN_
#undef JOIN
#undef NAMED
#undef VARIANT
#undef NAME
#undef TARGET
#undef FIELD_LANES
