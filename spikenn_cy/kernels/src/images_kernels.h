/* The kernels that turn images into spikes; `variants.h` includes this file once per instruction set. */
#include "images.h"
#include "simd.h"

typedef float NAMED(Lanes) __attribute__((vector_size(4 * FIELD_LANES), aligned(4), may_alias));

/* Taps are added row by row of the kernel. */
TARGET static void NAMED(correlate)(const Plane *plane, const float *restrict kernel, ptrdiff_t size,
                                    float *restrict sums) {
    enum { VECTORS_A_STEP = CORRELATE_STEP / FIELD_LANES };
    const float *restrict values = plane->values;
    const ptrdiff_t stride = plane->stride, n_rows = plane->n_rows, n_columns = plane->n_columns;
    for (ptrdiff_t x = 0; x < n_rows; x++)
        for (ptrdiff_t y = 0; y < n_columns; y += CORRELATE_STEP) {
            float *sum = sums + x * n_columns + y;
            NAMED(Lanes) s[VECTORS_A_STEP];
            for (int q = 0; q < VECTORS_A_STEP; q++) s[q] = *(const NAMED(Lanes) *)(sum + q * FIELD_LANES);
            for (ptrdiff_t a = 0; a < size; a++) {
                const float *from = values + (x + a) * stride + y;
                for (ptrdiff_t b = 0; b < size; b++)
                    for (int q = 0; q < VECTORS_A_STEP; q++)
                        s[q] += *(const NAMED(Lanes) *)(from + b + q * FIELD_LANES) * kernel[a * size + b];
            }
            for (int q = 0; q < VECTORS_A_STEP; q++) *(NAMED(Lanes) *)(sum + q * FIELD_LANES) = s[q];
        }
}

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

static const ImageKernels NAMED(images_kernels) = {
    NAMED(correlate),
    NAMED(encode),
};
