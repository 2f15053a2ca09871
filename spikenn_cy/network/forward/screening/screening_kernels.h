/* The kernels of screening; `variants.h` includes this file once per instruction set. */
#include "screening.h"
#include "simd.h"

#ifdef REGISTER
#define TILE (2 * REGISTER_LANES)
#else
#define TILE PADDED_TO
#endif

TARGET static ptrdiff_t NAMED(list_tiles)(const int16_t *members, ptrdiff_t n, int32_t *tiles) {
    ptrdiff_t n_tiles = 0;
    for (ptrdiff_t i = 0; i < n; i += TILE) {
        int16_t found = 0;
        for (int l = 0; l < TILE; l++) found |= members[i + l];
        tiles[n_tiles] = (int32_t)i; /* written over by the next one if it holds none */
        n_tiles += found;
    }
    return n_tiles;
}

TARGET INLINE void NAMED(sum_members)(const int width, const int16_t *const *rows, const int16_t *members,
                                      const int32_t *tiles, ptrdiff_t n_tiles, int32_t *sums) {
#ifdef REGISTER
    WHOLES sum[BLOCK_MAX];
    FOR_EACH(j, width) sum[j] = NO_WHOLES;
    for (ptrdiff_t t = 0; t < n_tiles; t++) {
        const WHOLES member = LOAD_WHOLES(members + tiles[t]);
        FOR_EACH(j, width) sum[j] = MM(add_epi32)(sum[j], MM(madd_epi16)(LOAD_WHOLES(rows[j] + tiles[t]), member));
    }
    FOR_EACH(j, width) {
        int32_t lane[REGISTER_LANES];
        STORE_WHOLES(lane, sum[j]);
        sums[j] = 0;
        for (int l = 0; l < REGISTER_LANES; l++) sums[j] += lane[l];
    }
#else
    for (int j = 0; j < width; j++) {
        sums[j] = 0;
        for (ptrdiff_t t = 0; t < n_tiles; t++)
            for (int l = 0; l < TILE; l++) sums[j] += rows[j][tiles[t] + l] * members[tiles[t] + l];
    }
#endif
}

#define SUMS(WIDTH)                                                                                                    \
    TARGET static void NAMED(sum_members_##WIDTH)(const int16_t *const *rows, const int16_t *members,                  \
                                                  const int32_t *tiles, ptrdiff_t n_tiles, int32_t *sums) {            \
        NAMED(sum_members)(WIDTH, rows, members, tiles, n_tiles, sums);                                                \
    }
SUMS(1)
SUMS(2)
SUMS(3)
SUMS(4)
SUMS(5)
SUMS(6)
SUMS(7)
SUMS(8)
#undef SUMS

TARGET static void NAMED(set_bounds)(const Estimates *of, ptrdiff_t first, ptrdiff_t last, ptrdiff_t n_spikes) {
    const double *restrict units = of->units, count = (double)n_spikes, least = -2147483647, most = 2147483647;
    const float *restrict thresholds = of->thresholds;
    int32_t *restrict silent_to = of->silent_to, *restrict fired_above = of->fired_above;
    for (ptrdiff_t j = first; j < last; j++) {
        const double unit = units[j], threshold = thresholds[j];
        uint32_t bits;
        float power; /* of two, the largest up to the threshold */
        memcpy(&bits, &thresholds[j], sizeof bits);
        bits &= 0x7f800000u;
        memcpy(&power, &bits, sizeof power);
        double early = power / (unit * WHOLE_MAX) - 2;
        early = early < 0 ? 0 : early > count ? count : early;
        const double rounding =
            power * (count + 5 - early * 0.66) * 0x1p-24 + fabs(threshold) * 8e-7 + count * 0x1p-148;
        double low = (threshold - rounding) / unit - count - 2, high = (threshold + rounding) / unit + 2;
        low = unit > 0 ? low : least, high = unit > 0 ? high : most; /* who may always fire, and never surely has */
        low = threshold < INFINITY ? low : most, high = threshold < INFINITY ? high : most;
        silent_to[j] = (int32_t)(low < least ? least : low > most ? most : low);
        fired_above[j] = (int32_t)(high < least ? least : high > most ? most : high);
    }
}

static const ScreeningKernels NAMED(screening_kernels) = {
    NAMED(list_tiles),
    {0, NAMED(sum_members_1), NAMED(sum_members_2), NAMED(sum_members_3), NAMED(sum_members_4), NAMED(sum_members_5),
     NAMED(sum_members_6), NAMED(sum_members_7), NAMED(sum_members_8)},
    NAMED(set_bounds),
};

#undef TILE
