/* What turns images into spikes, as one table of functions per instruction set. */
#ifndef SPIKENN_CY_IMAGES_H
#define SPIKENN_CY_IMAGES_H

#include <stddef.h>

#define CORRELATE_STEP 32 /* columns that `correlate` makes at once */

/* One channel of an image with a margin on all sides, half as wide as a kernel. */
typedef struct {
    const float *values;
    ptrdiff_t stride;    /* from row to row */
    ptrdiff_t n_rows;    /* without the margin */
    ptrdiff_t n_columns; /* likewise, and padded to a multiple of CORRELATE_STEP */
} Plane;

typedef struct {
    /* Adds the correlation with a kernel of size x size to `sums`. */
    void (*correlate)(const Plane *plane, const float *kernel, ptrdiff_t size, float *sums);
    /* Value i, split by its sign, becomes the times 2i (On) and 2i + 1 (Off): 1 - (value - low) / span, at least 0.
     * One from 1 on is silence, which is 1, unless `late` spikes count. */
    void (*encode)(const float *values, ptrdiff_t n, const float *low, const float *span, int late, float *times);
} ImageKernels;

#endif
