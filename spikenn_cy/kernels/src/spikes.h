#ifndef SPIKENN_CY_SPIKES_H
#define SPIKENN_CY_SPIKES_H

#include <stddef.h>
#include <stdint.h>

/* One sample's spikes, sorted by time. `decay` is NULL for neurons that do not leak; else decay[k] is what a
 * potential keeps between the tie before spike k and the tie that begins with it. */
typedef struct {
    const int32_t *inputs;
    const float *times;
    const float *decay;
    ptrdiff_t count;
} Spikes;

#endif
