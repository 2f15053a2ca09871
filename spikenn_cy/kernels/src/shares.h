/* Samples handed out to threads in small blocks, so that a thread whose processor is a neighbour's holds up a block only.
 *
 * A block's number says all about it, and what is done with it is read after the thread was waited for; the counter
 * therefore orders nothing else in memory.
 */
#ifndef SPIKENN_CY_SHARES_H
#define SPIKENN_CY_SHARES_H

#include <stdatomic.h>
#include <stddef.h>

typedef struct {
    atomic_ptrdiff_t next; /* sample that nobody has taken; any number from `end` on: all are taken */
    ptrdiff_t end;
    ptrdiff_t size; /* samples of a block */
} Shares;

static inline void shares_begin(Shares *shares, ptrdiff_t first, ptrdiff_t end, ptrdiff_t size) {
    atomic_init(&shares->next, first);
    shares->end = end;
    shares->size = size;
}

/* Take samples first ... end - 1; return whether there were any. */
static inline int shares_take(Shares *shares, ptrdiff_t *first, ptrdiff_t *end) {
    *first = atomic_fetch_add_explicit(&shares->next, shares->size, memory_order_relaxed);
    if (*first >= shares->end) return 0;
    *end = shares->end - *first < shares->size ? shares->end : *first + shares->size;
    return 1;
}

#endif
