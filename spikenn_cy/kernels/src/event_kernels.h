/* The kernels of layers that learn event by event; `variants.h` includes this file once per instruction set. */
#include "events.h"
#include "simd.h"

#define LANES_OF FIELD_LANES     /* units in a register */
#define AT_ONCE 8                /* registers of potentials that stay there while a group charges them */

typedef float NAMED(Lanes) __attribute__((vector_size(4 * LANES_OF), aligned(4), may_alias));
typedef int32_t NAMED(Wholes) __attribute__((vector_size(4 * LANES_OF), aligned(4), may_alias));
typedef double NAMED(Doubles) __attribute__((vector_size(8 * LANES_OF), aligned(4), may_alias));
#define FLOATS NAMED(Lanes)
#define INTS NAMED(Wholes)
#define DOUBLES NAMED(Doubles)
#define AT(pointer) (*(FLOATS *)(pointer))
#define FROM(pointer) (*(const FLOATS *)(pointer))

TARGET INLINE int NAMED(any_lane)(INTS mask) {
#if defined(REGISTER) && FIELD_LANES == 8
    return !_mm256_testz_si256((__m256i)mask, (__m256i)mask);
#elif defined(REGISTER) && FIELD_LANES == 16
    return _mm512_test_epi32_mask((__m512i)mask, (__m512i)mask) != 0;
#else
    uint64_t half[LANES_OF / 2], all = 0;
    memcpy(half, &mask, sizeof mask);
    for (int i = 0; i < LANES_OF / 2; i++) all |= half[i];
    return all != 0;
#endif
}

/* Some registers of units; returns the end of the list of those that are above. */
TARGET INLINE int32_t *NAMED(charge_some)(const int registers, ptrdiff_t first, const float *rows, const Units *units,
                                          const Group *group, int32_t *above) {
    const float *limits = units->limits + first;
    float *potentials = units->potentials + first;
    FLOATS v[AT_ONCE];
    FOR_EACH(r, registers) v[r] = AT(potentials + r * LANES_OF);
    for (ptrdiff_t k = 0; k < group->count; k++) {
        const float *w = rows + group->inputs[k] * units->n_padded + first;
        FOR_EACH(r, registers) v[r] += FROM(w + r * LANES_OF);
    }
    INTS over = v[0] > FROM(limits);
    FOR_EACH(r, registers) over |= v[r] > FROM(limits + r * LANES_OF);
    FOR_EACH(r, registers) AT(potentials + r * LANES_OF) = v[r];
    if (NAMED(any_lane)(over))
        for (int l = 0; l < registers * LANES_OF; l++) {
            *above = (int32_t)first + l;
            above += potentials[l] > limits[l];
        }
    return above;
}

TARGET static ptrdiff_t NAMED(charge)(const float *rows, const Units *units, const Group *group, int32_t *above) {
    const int32_t *start = above;
    ptrdiff_t first = 0;
    for (; first + AT_ONCE * LANES_OF <= units->n_padded; first += AT_ONCE * LANES_OF)
        above = NAMED(charge_some)(AT_ONCE, first, rows, units, group, above);
    switch ((units->n_padded - first) / LANES_OF) {
#define SOME(REGISTERS)                                                                                                \
    case REGISTERS:                                                                                                    \
        above = NAMED(charge_some)(REGISTERS, first, rows, units, group, above);                                       \
        break;
        SOME(1) SOME(2) SOME(3) SOME(4) SOME(5) SOME(6) SOME(7)
#undef SOME
    }
    return above - start;
}

TARGET static void NAMED(add)(float *restrict to, const float *restrict from, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i += UNIT_LANES)
        FOR_EACH(r, UNIT_LANES / LANES_OF) AT(to + i + r * LANES_OF) += FROM(from + i + r * LANES_OF);
}

/* UNIT_LANES lanes of one row, folded to four. */
typedef float NAMED(Four) __attribute__((vector_size(16), aligned(4), may_alias));

TARGET INLINE NAMED(Four) NAMED(products)(const float *row, const float *errors, ptrdiff_t n) {
    FLOATS sum[UNIT_LANES / LANES_OF];
    FOR_EACH(r, UNIT_LANES / LANES_OF) sum[r] = FROM(row + r * LANES_OF) * FROM(errors + r * LANES_OF);
    for (ptrdiff_t i = UNIT_LANES; i < n; i += UNIT_LANES)
        FOR_EACH(r, UNIT_LANES / LANES_OF) sum[r] += FROM(row + i + r * LANES_OF) * FROM(errors + i + r * LANES_OF);
    for (int half = UNIT_LANES / LANES_OF / 2; half; half /= 2) FOR_EACH(r, half) sum[r] += sum[r + half];
    float lane[LANES_OF];
    AT(lane) = sum[0];
    for (int half = LANES_OF / 2; half >= 4; half /= 2)
        for (int l = 0; l < half; l++) lane[l] += lane[l + half];
    return *(NAMED(Four) *)lane;
}

TARGET static void NAMED(send_back)(const InputMajor *matrix, const float *errors, float *credit) {
    for (ptrdiff_t i = 0; i < matrix->n_rows; i++) {
        const NAMED(Four) four = NAMED(products)(matrix->rows + i * matrix->n_padded, errors, matrix->n_padded);
        credit[i] = (four[0] + four[2]) + (four[1] + four[3]);
    }
}

TARGET static void NAMED(window)(const Units *units, float width, const float *credit, float *errors) {
    const float *potentials = units->potentials, *thresholds = units->limits;
    for (ptrdiff_t j = 0; j < units->n_padded; j++) {
        const float x = (potentials[j] - thresholds[j]) / (width * thresholds[j]);
        errors[j] = credit[j] / (1 + x * x);
    }
}

TARGET static ptrdiff_t NAMED(open)(const Pool *pool, const float *limits, int32_t *above) {
    const int32_t *start = above;
    for (ptrdiff_t f = 0; f < pool->n_filters; f += LANES_OF) {
        const FLOATS limit = FROM(limits + f);
        INTS over = {0};
        for (int y = 0; y < pool->size; y++) {
            const float *row = pool->potentials + y * pool->stride + f;
            for (int x = 0; x < pool->size; x++) over |= FROM(row + x * pool->n_filters) > limit;
        }
        if (NAMED(any_lane)(over))
            for (int l = 0; l < LANES_OF; l++) {
                *above = (int32_t)f + l;
                above += over[l] != 0;
            }
    }
    return above - start;
}

/* The largest potentials of some filters in a pool, and where they are. */
TARGET INLINE FLOATS NAMED(most_of)(const Pool *pool, ptrdiff_t f, INTS *where) {
    FLOATS most = FROM(pool->potentials + f);
    INTS place = {0};
    for (int y = 0; y < pool->size; y++) {
        const float *row = pool->potentials + y * pool->stride + f;
        for (int x = 0; x < pool->size; x++) {
            const FLOATS v = FROM(row + x * pool->n_filters);
            const INTS more = v > most;
            most = (FLOATS)((more & (INTS)v) | (~more & (INTS)most));
            place = (more & (y * pool->size + x)) | (~more & place);
        }
    }
    *where = place;
    return most;
}

TARGET static void NAMED(peak)(const Pool *pool, float *potentials, int32_t *places) {
    for (ptrdiff_t f = 0; f < pool->n_filters; f += LANES_OF) {
        INTS place;
        AT(potentials + f) = NAMED(most_of)(pool, f, &place);
        memcpy(places + f, &place, sizeof place);
    }
}

/* of / (1 + square) in double precision, as `ConvEvents.step` has it for units that fired. */
TARGET INLINE FLOATS NAMED(quotient)(FLOATS of, FLOATS square) {
    const DOUBLES divisor = 1 + __builtin_convertvector(square, DOUBLES);
    return __builtin_convertvector(__builtin_convertvector(of, DOUBLES) / divisor, FLOATS);
}

/* Products with a number of double precision. */
TARGET INLINE FLOATS NAMED(scaled)(double by, FLOATS of) {
    return __builtin_convertvector(by * __builtin_convertvector(of, DOUBLES), FLOATS);
}

TARGET static void NAMED(blame_silent)(const Pool *pool, const Silent *silent, float *errors) {
    for (ptrdiff_t f = 0; f < pool->n_filters; f += LANES_OF) {
        const FLOATS threshold = FROM(silent->thresholds + f);
        const INTS learns = FROM(silent->limits + f) != INFINITY;
        INTS place;
        const FLOATS most = NAMED(most_of)(pool, f, &place);
        const FLOATS x = (most - threshold) / (silent->window * threshold);
        const FLOATS credit = NAMED(quotient)(FROM(silent->credit + f), x * x);
        const INTS error = learns & (INTS)NAMED(scaled)(silent->rate, credit);
        for (int y = 0; y < pool->size; y++) {
            float *row = errors + y * pool->stride + f;
            for (int column = 0; column < pool->size; column++)
                AT(row + column * pool->n_filters) = (FLOATS)(error & (place == y * pool->size + column));
        }
    }
}

static const EventKernels NAMED(event_kernels) = {
    NAMED(charge), NAMED(add), NAMED(send_back), NAMED(window), NAMED(open), NAMED(peak), NAMED(blame_silent),
};

#undef LANES_OF
#undef AT_ONCE
#undef FLOATS
#undef INTS
#undef DOUBLES
#undef AT
#undef FROM
