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

static const Primitives NAMED(primitives) = {
    NAME,
    {0, NAMED(charge_rows_1), NAMED(charge_rows_2), NAMED(charge_rows_3), NAMED(charge_rows_4), NAMED(charge_rows_5),
     NAMED(charge_rows_6), NAMED(charge_rows_7), NAMED(charge_rows_8)},
    {0, NAMED(charge_lanes_1), NAMED(charge_lanes_2), NAMED(charge_lanes_3), NAMED(charge_lanes_4),
     NAMED(charge_lanes_5), NAMED(charge_lanes_6), NAMED(charge_lanes_7), NAMED(charge_lanes_8)},
    NAMED(step_row),
    NAMED(scale_row),
    NAMED(sum_row),
};

#undef JOIN_
#undef JOIN
#undef NAMED
#undef VARIANT
#undef NAME
#undef TARGET
