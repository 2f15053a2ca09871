/* The instruction sets that kernels are compiled for, the most capable last. */
#ifndef SPIKENN_CY_INSTRUCTIONS_H
#define SPIKENN_CY_INSTRUCTIONS_H

#include <string.h>

enum { INSTRUCTION_SETS = 3 };

static const char *const instruction_sets[INSTRUCTION_SETS] = {"baseline", "avx2", "avx512"};

/* Whether this processor and this build have an instruction set, by its position. */
static int has_instructions(int level) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    const int avx2 = __builtin_cpu_supports("avx2");
    if (level == 1) return avx2;
    if (level == 2)
        return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
#endif
    return level == 0;
}

#endif
