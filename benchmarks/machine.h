/* The memory traffic of the hot loops without their work: what this machine does with it is the limit of any code.
 *
 * `machine.py` compiles this file when it is asked to measure. It has a header's name because the project's archives
 * leave every .c out, which Cython makes. Compilers must not vectorise the scalar loads: kernels that follow the order
 * of the spikes could not either. */
#include <stddef.h>
#include <stdint.h>

#define INLINE static inline __attribute__((always_inline))
#define FENCE() __asm__ volatile("" ::: "memory") /* what was stored is read again, what was read is not remembered */

/* As much as a register holds: compilers take wider vectors apart in memory. */
#if defined(__AVX512F__)
#define WIDTH 64
#elif defined(__AVX__)
#define WIDTH 32
#else
#define WIDTH 16
#endif
typedef int32_t Wide __attribute__((vector_size(WIDTH), aligned(4), may_alias));
typedef float Line __attribute__((vector_size(WIDTH), aligned(4), may_alias));
typedef float Vector __attribute__((vector_size(32), aligned(4), may_alias)); /* of 8 neurons, as in inference */

static volatile float sink;

/* ---- streams over `bytes`, a multiple of 512 ---------------------------------------------------------------- */

void stream_read(const char *from, ptrdiff_t bytes, ptrdiff_t repeats) {
    Wide sum[8] = {{0}};
    for (ptrdiff_t r = 0; r < repeats; r++) {
        for (ptrdiff_t i = 0; i < bytes; i += 8 * WIDTH)
            for (int q = 0; q < 8; q++) sum[q] |= *(const Wide *)(from + i + WIDTH * q);
        FENCE();
    }
    for (int q = 1; q < 8; q++) sum[0] |= sum[q];
    sink = sum[0][0];
}

void stream_copy(char *restrict to, const char *restrict from, ptrdiff_t bytes, ptrdiff_t repeats) {
    for (ptrdiff_t r = 0; r < repeats; r++) {
        for (ptrdiff_t i = 0; i < bytes; i += 4 * WIDTH)
            for (int q = 0; q < 4; q++) *(Wide *)(to + i + WIDTH * q) = *(const Wide *)(from + i + WIDTH * q);
        FENCE();
    }
}

void stream_update(char *at, ptrdiff_t bytes, ptrdiff_t repeats) {
    for (ptrdiff_t r = 0; r < repeats; r++) {
        for (ptrdiff_t i = 0; i < bytes; i += 4 * WIDTH)
            for (int q = 0; q < 4; q++) *(Wide *)(at + i + WIDTH * q) += 1;
        FENCE();
    }
}

/* ---- additions that wait for each other: the potential of one neuron ---------------------------------------- */

void chain(const float *w, ptrdiff_t n, ptrdiff_t repeats) {
    float v = 0;
    for (ptrdiff_t r = 0; r < repeats; r++) {
        for (ptrdiff_t k = 0; k < n; k++) v += w[k];
        FENCE();
    }
    sink = v;
}

/* ---- weights of one input in several rows: a spike of training ---------------------------------------------- */

/* Which input a spike has is known long before its weights are needed, so `ahead` spikes before they may be fetched.
 * Whether that pays is for the caller to find out: 0 fetches nothing. */

/* Two halves of a sample's spikes at once: twice the sums that the order of addition allows one sample, so that loads
 * and not additions are the limit. */
INLINE void rows(const int width, const float *w, ptrdiff_t n_inputs, const int32_t *inputs, ptrdiff_t n,
                 ptrdiff_t ahead) {
    float a[8] = {0}, b[8] = {0};
    ptrdiff_t half = n / 2;
    for (ptrdiff_t k = 0; k < half; k++) {
        if (ahead)
            for (int j = 0; j < width; j++) {
                __builtin_prefetch(w + j * n_inputs + inputs[k + ahead < half ? k + ahead : k]);
                __builtin_prefetch(w + j * n_inputs + inputs[k + half + ahead < n ? k + half + ahead : k]);
            }
        for (int j = 0; j < width; j++) {
            a[j] += w[j * n_inputs + inputs[k]];
            b[j] += w[j * n_inputs + inputs[k + half]];
        }
    }
    if (n % 2)
        for (int j = 0; j < width; j++) a[j] += w[j * n_inputs + inputs[n - 1]];
    for (int j = 1; j < width; j++) a[0] += a[j], b[0] += b[j];
    sink = a[0] + b[0];
}

#define OF_SIZE(size, call)                                                                                            \
    switch (size) {                                                                                                    \
    case 1: call(1); break;                                                                                            \
    case 2: call(2); break;                                                                                            \
    case 3: call(3); break;                                                                                            \
    case 4: call(4); break;                                                                                            \
    case 5: call(5); break;                                                                                            \
    case 6: call(6); break;                                                                                            \
    case 7: call(7); break;                                                                                            \
    default: call(8); break;                                                                                           \
    }

/* All of the `n_blocks` blocks of `width` rows see the first `n` spikes of one sample, then of the next. */
void gather_rows(const float *weights, ptrdiff_t n_inputs, int width, ptrdiff_t n_blocks, const int32_t *inputs,
                 ptrdiff_t n, ptrdiff_t n_samples, ptrdiff_t ahead, ptrdiff_t repeats) {
    for (ptrdiff_t r = 0; r < repeats; r++)
        for (ptrdiff_t s = 0; s < n_samples; s++)
            for (ptrdiff_t block = 0; block < n_blocks; block++) {
                const float *w = weights + block * width * n_inputs;
#define ROWS(SIZE)                                                                                                     \
    ahead ? rows(SIZE, w, n_inputs, inputs + s * n, n, ahead) : rows(SIZE, w, n_inputs, inputs + s * n, n, 0)
                OF_SIZE(width, ROWS)
            }
}

/* ---- one input's weights of many neurons: a spike of inference ---------------------------------------------- */

INLINE void lanes(const int vectors, const float *block, const int32_t *inputs, ptrdiff_t n, ptrdiff_t ahead) {
    Vector a[8] = {{0}}, b[8] = {{0}};
    ptrdiff_t half = n / 2, width = vectors * 8;
    for (ptrdiff_t k = 0; k < half; k++) {
        const Vector *u = (const Vector *)(block + inputs[k] * width);
        const Vector *v = (const Vector *)(block + inputs[k + half] * width);
        if (ahead) {
            const float *x = block + inputs[k + ahead < half ? k + ahead : k] * width;
            const float *y = block + inputs[k + half + ahead < n ? k + half + ahead : k] * width;
            for (int q = 0; q < vectors; q += 2) __builtin_prefetch(x + 8 * q), __builtin_prefetch(y + 8 * q);
        }
        for (int q = 0; q < vectors; q++) a[q] += u[q], b[q] += v[q];
    }
    if (n % 2)
        for (int q = 0; q < vectors; q++) a[q] += ((const Vector *)(block + inputs[n - 1] * width))[q];
    for (int q = 0; q < vectors; q++) a[0] += a[q] + b[q];
    sink = a[0][0];
}

void gather_lanes(const float *blocks, ptrdiff_t n_inputs, int vectors, ptrdiff_t n_blocks, const int32_t *inputs,
                  ptrdiff_t n, ptrdiff_t n_samples, ptrdiff_t ahead, ptrdiff_t repeats) {
    for (ptrdiff_t r = 0; r < repeats; r++)
        for (ptrdiff_t s = 0; s < n_samples; s++)
            for (ptrdiff_t i = 0; i < n_blocks; i++) {
                const float *block = blocks + i * vectors * 8 * n_inputs;
#define LANES(SIZE) ahead ? lanes(SIZE, block, inputs + s * n, n, ahead) : lanes(SIZE, block, inputs + s * n, n, 0)
                OF_SIZE(vectors, LANES)
            }
}

/* The same weights with one row an input: longer pieces of memory, and sums that are in no register. */
void gather_whole(const float *weights, ptrdiff_t n_inputs, int vectors, ptrdiff_t n_blocks, const int32_t *inputs,
                  ptrdiff_t n, ptrdiff_t n_samples, ptrdiff_t ahead, ptrdiff_t repeats) {
    static Vector sum[512];
    ptrdiff_t n_vectors = vectors * n_blocks;
    (void)n_inputs, (void)ahead;
    if (n_vectors > 512) n_vectors = 512;
    for (ptrdiff_t r = 0; r < repeats; r++)
        for (ptrdiff_t s = 0; s < n_samples; s++)
            for (ptrdiff_t k = 0; k < n; k++) {
                const Vector *w = (const Vector *)(weights + inputs[s * n + k] * n_vectors * 8);
                for (ptrdiff_t q = 0; q < n_vectors; q++) sum[q] += w[q];
            }
    sink = sum[0][0];
}

/* ---- rows that learn ---------------------------------------------------------------------------------------- */

/* Each row is read and written beside the input times, as a step does, and with `passes` 2 once more, as its scaling
 * does. */
void update_rows(float *weights, ptrdiff_t n_inputs, const float *input_times, const int32_t *rows_, ptrdiff_t n_rows,
                 int passes, ptrdiff_t repeats) {
    for (ptrdiff_t r = 0; r < repeats; r++)
        for (ptrdiff_t k = 0; k < n_rows; k++) {
            float *restrict w = weights + rows_[k] * n_inputs;
            ptrdiff_t i = 0;
            for (; i + 32 <= n_inputs; i += 32)
                for (int q = 0; q < 32; q += WIDTH / 4) *(Line *)(w + i + q) += *(const Line *)(input_times + i + q);
            for (; i < n_inputs; i++) w[i] += input_times[i];
            FENCE();
            if (passes == 2) {
                for (i = 0; i + 32 <= n_inputs; i += 32)
                    for (int q = 0; q < 32; q += WIDTH / 4) *(Line *)(w + i + q) *= 0.999f;
                for (; i < n_inputs; i++) w[i] *= 0.999f;
                FENCE();
            }
        }
}

/* A sample's spike times go to their inputs, and silence back. */
void scatter(float *input_times, const int32_t *inputs, const float *times, ptrdiff_t n, ptrdiff_t n_samples,
             ptrdiff_t repeats) {
    for (ptrdiff_t r = 0; r < repeats; r++)
        for (ptrdiff_t s = 0; s < n_samples; s++) {
            const int32_t *at = inputs + s * n;
            for (ptrdiff_t k = 0; k < n; k++) input_times[at[k]] = times[s * n + k];
            FENCE();
            for (ptrdiff_t k = 0; k < n; k++) input_times[at[k]] = 1;
            FENCE();
        }
}
