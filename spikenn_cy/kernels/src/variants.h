/* The variants of this machine's architecture, the most capable last. Included by one translation unit only. */
#ifndef SPIKENN_CY_VARIANTS_H
#define SPIKENN_CY_VARIANTS_H

#include <math.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "primitives.h"

#define ROWS_CHUNK 8   /* spikes added between two looks at the thresholds; by measurement */
#define LANES_CHUNK 8
#define FIELD_CHUNK 8         /* spikes of a receptive field, likewise */

/* Unrolled, so that an array of vectors can be an array of registers. */
#define FOR_EACH(q, vectors) _Pragma("GCC unroll 16") for (int q = 0; q < (vectors); q++)

/* Not unrolled: eight spikes of some rows in a line of code leave no registers for the places of the inputs. */
#define ROLLED _Pragma("GCC unroll 1")

#define INLINE static inline __attribute__((always_inline))

/* Loads from several rows are slower when they are first gathered into one register. */
#if defined(__GNUC__) && !defined(__clang__)
#define SCALAR __attribute__((optimize("no-tree-vectorize")))
#else
#define SCALAR
#endif

/* LANES neurons side by side, at any address of a float; compilers lower it to the registers that a variant has. */
typedef float Vector __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int32_t Mask __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

/* A count for each sample that is looked ahead at, and its bit. */
typedef uint16_t Samples __attribute__((vector_size(2 * AHEAD), aligned(2), may_alias));
#define SAMPLE_BITS                                                                                                 \
    { 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768 }

INLINE int any(Mask mask) {
    uint64_t half[LANES / 2], all = 0;
    memcpy(half, &mask, sizeof mask);
    for (int i = 0; i < LANES / 2; i++) all |= half[i];
    return all != 0;
}

/* How many of `unseen` spikes to pass over, so that whole chunks are left if that is possible; these are unrolled. */
INLINE ptrdiff_t before_whole_chunks(ptrdiff_t count, ptrdiff_t unseen) {
    const ptrdiff_t rest = (count - unseen) % FIELD_CHUNK, lack = rest ? FIELD_CHUNK - rest : 0;
    return unseen < lack ? unseen : unseen - lack;
}

#define VARIANT baseline
#define NAME "baseline"
#define TARGET
#define FIELD_LANES 4
#include "variant.h"

#if defined(__x86_64__)
#define SPIKENN_CY_X86 1

#define VARIANT avx2
#define NAME "avx2"
#define TARGET __attribute__((target("avx2")))
#define FIELD_LANES 8
#include "variant.h"

#define VARIANT avx512
#define NAME "avx512"
#define TARGET __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,prefer-vector-width=512")))
#define FIELD_LANES 16
#include "variant.h"
#endif

/* The variant of that name, or of the best this processor can run if `name` is NULL; NULL if it cannot run it. */
static const Primitives *find_primitives(const char *name) {
#ifdef SPIKENN_CY_X86
    __builtin_cpu_init();
    int avx2 = __builtin_cpu_supports("avx2");
    int avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                 __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
    if (avx512 && (!name || !strcmp(name, "avx512"))) return &primitives_avx512;
    if (avx2 && (!name || !strcmp(name, "avx2"))) return &primitives_avx2;
#endif
    return !name || !strcmp(name, "baseline") ? &primitives_baseline : NULL;
}

#endif
