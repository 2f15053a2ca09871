/* The inner loops of layers that learn event by event, as one table of functions per instruction set. All arrays over units
 * are padded to a multiple of UNIT_LANES and begin a cache line. */
#ifndef SPIKENN_CY_EVENTS_H
#define SPIKENN_CY_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#define UNIT_LANES 16

/* Units side by side, and the limits above which they fire; inf for one that has fired or that is padding. */
typedef struct {
    float *potentials;
    const float *limits;
    ptrdiff_t n_padded;
} Units;

/* The inputs that spike at one time, in list order. */
typedef struct {
    const int32_t *inputs;
    ptrdiff_t count;
} Group;

/* An input-major matrix: for each input a row over units. */
typedef struct {
    const float *rows;
    ptrdiff_t n_rows, n_padded;
} InputMajor;


/* Positions that one pooled unit of each filter stands for: `size` rows of `size` positions, each with a potential of
 * every filter; `stride` floats from row to row. */
typedef struct {
    const float *potentials;
    ptrdiff_t stride, n_filters; /* padded */
    int size;
} Pool;

/* What the silent units of a pool learn from. */
typedef struct {
    const float *limits; /* inf for units that fired */
    const float *thresholds;
    const float *credit; /* `n_filters` of them may be read, too */
    float window;
    double rate;
} Silent;

typedef struct {
    /* Add the rows of a group to potentials, one input after the other, and list the units that are now above their
     * limits, in order. Returns how many. */
    ptrdiff_t (*charge)(const float *rows, const Units *units, const Group *group, int32_t *above);
    /* to += from */
    void (*add)(float *to, const float *from, ptrdiff_t n);
    /* For each row the sum of its products with the errors, in UNIT_LANES lanes folded by halves. */
    void (*send_back)(const InputMajor *matrix, const float *errors, float *credit);
    /* errors = credit / (1 + ((V - theta) / (width theta))^2) */
    void (*window)(const Units *units, float width, const float *credit, float *errors);
    /* List the filters of which a position of the pool is above their limit, in order. Returns how many. */
    ptrdiff_t (*open)(const Pool *pool, const float *limits, int32_t *above);
    /* The largest potential of each filter in the pool, and where it is, row by row; the first of equals. */
    void (*peak)(const Pool *pool, float *potentials, int32_t *places);
    /* Write the errors of all positions of a pool, which lie as the potentials do: of a silent unit, at its largest
     * potential rate credit / (1 + ((V - theta) / (window theta))^2), and 0 elsewhere. */
    void (*blame_silent)(const Pool *pool, const Silent *silent, float *errors);
} EventKernels;

#endif
