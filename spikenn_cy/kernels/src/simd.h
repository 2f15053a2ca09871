/* What the kernels need to be compiled once for each instruction set, and to compute the same bits with each.
 *
 * A file of kernels is written once, with NAMED(name) for each of its functions, TARGET before each and registers by the
 * names of `registers.h`. `variants.h` includes the file that KERNELS names once per instruction set, and
 * BY_INSTRUCTIONS(table) lists the tables of functions that come of it, in the order of `instructions.h`.
 *
 * Element-wise work has no order, a potential is summed strictly in the order of its spikes, and a sum over a row has a
 * fixed number of lanes folded pairwise whatever the register width: so the bits are the same everywhere. */
#ifndef SPIKENN_CY_SIMD_H
#define SPIKENN_CY_SIMD_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#if defined(__x86_64__)
#define BY_INSTRUCTIONS(table) {&table##_baseline, &table##_avx2, &table##_avx512}
#else
#define BY_INSTRUCTIONS(table) {&table##_baseline}
#endif

#define JOIN_(name, variant) name##_##variant
#define JOIN(name, variant) JOIN_(name, variant)
#define NAMED(name) JOIN(name, VARIANT)

#define INLINE static inline __attribute__((always_inline))

/* Unrolled, so that an array of vectors can be an array of registers. */
#define FOR_EACH(q, vectors) _Pragma("GCC unroll 16") for (int q = 0; q < (vectors); q++)

/* Not unrolled: eight spikes of some rows in a line of code leave no registers for the places of the inputs. */
#define ROLLED _Pragma("GCC unroll 1")

/* Loads from several rows are slower when they are first gathered into one register. */
#if defined(__GNUC__) && !defined(__clang__)
#define SCALAR __attribute__((optimize("no-tree-vectorize")))
#else
#define SCALAR
#endif

#endif
