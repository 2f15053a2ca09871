/* Includes the file that KERNELS names once for each instruction set, with VARIANT (the suffix of its names), TARGET (the
 * attribute that allows the instructions) and FIELD_LANES (floats in a register) defined. */

#define VARIANT baseline
#define TARGET
#define FIELD_LANES 4
#include "registers.h"
#include KERNELS
#include "registers.h"
#undef VARIANT
#undef TARGET
#undef FIELD_LANES

#if defined(__x86_64__)

#define VARIANT avx2
#define TARGET __attribute__((target("avx2")))
#define FIELD_LANES 8
#include "registers.h"
#include KERNELS
#include "registers.h"
#undef VARIANT
#undef TARGET
#undef FIELD_LANES

#define VARIANT avx512
#define TARGET __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,prefer-vector-width=512")))
#define FIELD_LANES 16
#include "registers.h"
#include KERNELS
#include "registers.h"
#undef VARIANT
#undef TARGET
#undef FIELD_LANES

#endif
