/* Philox4x64-10, a counter-based generator (Salmon, Moraes, Dror, Shaw, SC 2011): any word of the stream is had
 * from its place alone, so dropout needs no stored masks and no order of samples. */
#ifndef SPIKENN_CY_PHILOX_H
#define SPIKENN_CY_PHILOX_H

#include <stdint.h>
static inline uint64_t philox_product(uint64_t a, uint64_t b, uint64_t *high) {
#if defined(__SIZEOF_INT128__)
    __uint128_t product = (__uint128_t)a * b;
    *high = (uint64_t)(product >> 64);
    return (uint64_t)product;
#else
    uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
    uint64_t low = a0 * b0, middle = a1 * b0 + (low >> 32), other = a0 * b1 + (uint32_t)middle;
    *high = a1 * b1 + (middle >> 32) + (other >> 32);
    return a * b;
#endif
}

static inline void philox_block(const uint64_t key[2], const uint64_t counter[4], uint64_t block[4]) {
    uint64_t k0 = key[0], k1 = key[1], high0, high1, low0, low1;
    for (int i = 0; i < 4; i++) block[i] = counter[i];
    for (int round = 0; round < 10; round++) {
        low0 = philox_product(UINT64_C(0xD2E7470EE14C6C93), block[0], &high0);
        low1 = philox_product(UINT64_C(0xCA5A826395121157), block[2], &high1);
        block[0] = high1 ^ block[1] ^ k0;
        block[1] = low1;
        block[2] = high0 ^ block[3] ^ k1;
        block[3] = low0;
        k0 += UINT64_C(0x9E3779B97F4A7C15);
        k1 += UINT64_C(0xBB67AE8584CAA73B);
    }
}

#endif
