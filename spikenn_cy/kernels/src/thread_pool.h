/* A pool of threads that share the independent parts of one sample's work, hundreds of times a second.
 *
 * A pool lives as long as one call from Python. The caller works too, and waits for parts that a thread has taken, never
 * for a thread: one that comes late, since its processor is a neighbour's, finds no part left, and the caller has done
 * them all. Whoever has nothing to do spins for a few microseconds, since the next job is often as near, and then sleeps
 * and leaves its processor to others. Which thread does what is left to chance; what is computed is not, as no part
 * reads what another writes.
 *
 * Order of memory. The caller writes a job down and then stores `tickets` (release). A thread takes a part by exchanging
 * `tickets` (acquire), which succeeds only while that job has parts left; it therefore sees the whole job, and the job
 * stays as it is until this part is done. When it is, the thread lowers `undone` (release), and the caller reads 0 there
 * (acquire) before it returns: it sees what all parts have written, and no thread looks at the job any more. Exchanges
 * and subtractions go on with the release that they follow. A job's number in `tickets` keeps a thread that read the
 * last job's from taking a part of this one by it.
 *
 * Sleep. A thread says that it is asleep and then looks for tickets once more; the caller lays tickets out and then looks
 * for sleepers. Both in sequentially consistent order: one of them sees the other, and a call is never missed. The
 * caller's own sleep works alike, with `undone` in the place of `tickets`.
 */
#ifndef SPIKENN_CY_THREAD_POOL_H
#define SPIKENN_CY_THREAD_POOL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#define POOL_SPIN 20000 /* nanoseconds before sleeping: longer than most waits for the next job, shorter than to be woken */
#define POOL_PARTS UINT32_MAX /* of a job at most; the bits of `tickets` that count them */

typedef void (*Part)(void *job, ptrdiff_t part);

typedef struct {
    int n_workers; /* beside the caller */
    pthread_t *worker;
    pthread_mutex_t lock;
    pthread_cond_t called;   /* there are tickets, or it is over */
    pthread_cond_t finished; /* `undone` is 0 */
    Part part;
    void *job;
    _Atomic uint64_t tickets; /* number of the job at hand, and below it how many of its parts nobody has taken */
    atomic_ptrdiff_t undone;  /* parts of it that are not done */
    atomic_int n_asleep;      /* workers; changed under the lock */
    atomic_int caller_asleep; /* changed under the lock */
    atomic_int over;          /* workers are to end */
} ThreadPool;

static inline void pool_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

static inline int64_t pool_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline int pool_has_tickets(ThreadPool *pool) { return (atomic_load(&pool->tickets) & POOL_PARTS) != 0; }
static inline int pool_is_called(ThreadPool *pool) { return pool_has_tickets(pool) || atomic_load(&pool->over); }
static inline int pool_is_finished(ThreadPool *pool) { return atomic_load(&pool->undone) == 0; }

/* Look again and again for a few microseconds; return whether it came true. */
static inline int pool_spin(ThreadPool *pool, int (*is_true)(ThreadPool *)) {
    int64_t until = pool_now() + POOL_SPIN;
    do {
        for (int i = 0; i < 16; i++) {
            if (is_true(pool)) return 1;
            pool_pause();
        }
    } while (pool_now() < until);
    return 0;
}

/* Take parts of the job at hand, one by one, until none is left. */
static inline void pool_take_parts(ThreadPool *pool) {
    uint64_t tickets = atomic_load_explicit(&pool->tickets, memory_order_acquire);
    while (tickets & POOL_PARTS) {
        if (!atomic_compare_exchange_weak_explicit(
                &pool->tickets, &tickets, tickets - 1, memory_order_acquire, memory_order_acquire))
            continue;
        pool->part(pool->job, (ptrdiff_t)(tickets & POOL_PARTS) - 1);
        if (atomic_fetch_sub(&pool->undone, 1) == 1 && atomic_load(&pool->caller_asleep)) {
            pthread_mutex_lock(&pool->lock);
            pthread_cond_signal(&pool->finished);
            pthread_mutex_unlock(&pool->lock);
        }
        tickets = atomic_load_explicit(&pool->tickets, memory_order_acquire);
    }
}

static inline void *pool_work(void *shared) {
    ThreadPool *pool = shared;
    while (!atomic_load(&pool->over)) {
        if (!pool_spin(pool, pool_is_called)) {
            pthread_mutex_lock(&pool->lock);
            atomic_fetch_add(&pool->n_asleep, 1);
            while (!pool_is_called(pool)) pthread_cond_wait(&pool->called, &pool->lock);
            atomic_fetch_sub(&pool->n_asleep, 1);
            pthread_mutex_unlock(&pool->lock);
        }
        pool_take_parts(pool);
    }
    return NULL;
}

/* Wake up to so many workers that sleep. */
static inline void pool_wake(ThreadPool *pool, ptrdiff_t n) {
    if (!atomic_load(&pool->n_asleep)) return;
    pthread_mutex_lock(&pool->lock);
    for (int asleep = atomic_load(&pool->n_asleep); asleep > 0 && n > 0; asleep--, n--)
        pthread_cond_signal(&pool->called);
    pthread_mutex_unlock(&pool->lock);
}

static inline void pool_stop(ThreadPool *pool) {
    atomic_store(&pool->over, 1);
    pool_wake(pool, pool->n_workers);
    for (int i = 0; i < pool->n_workers; i++) pthread_join(pool->worker[i], NULL);
    pthread_cond_destroy(&pool->finished);
    pthread_cond_destroy(&pool->called);
    pthread_mutex_destroy(&pool->lock);
    free(pool->worker);
    free(pool);
}

/* Start a pool of n_threads, the caller among them; fewer if the system gives no more. NULL: no memory. */
static inline ThreadPool *pool_start(int n_threads) {
    ThreadPool *pool = calloc(1, sizeof *pool);
    if (!pool) return NULL;
    pool->worker = malloc((size_t)n_threads * sizeof *pool->worker);
    if (!pool->worker) {
        free(pool);
        return NULL;
    }
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->called, NULL);
    pthread_cond_init(&pool->finished, NULL);
    while (pool->n_workers < n_threads - 1 &&
           !pthread_create(&pool->worker[pool->n_workers], NULL, pool_work, pool))
        pool->n_workers++;
    return pool;
}

/* Threads of a pool, the caller among them; without a pool 1. */
static inline int pool_size(const ThreadPool *pool) { return pool ? pool->n_workers + 1 : 1; }

/* Do parts 0 ... n_parts - 1 of a job; without a pool, one after the other. */
static inline void pool_run(ThreadPool *pool, Part part, void *job, ptrdiff_t n_parts) {
    if (!pool || !pool->n_workers || n_parts < 2) {
        for (ptrdiff_t i = 0; i < n_parts; i++) part(job, i);
        return;
    }
    pool->part = part;
    pool->job = job;
    atomic_store(&pool->undone, n_parts);
    uint64_t number = (atomic_load(&pool->tickets) >> 32) + 1;
    atomic_store(&pool->tickets, number << 32 | (uint64_t)n_parts);
    pool_wake(pool, n_parts - 1);
    pool_take_parts(pool);
    if (pool_spin(pool, pool_is_finished)) return;
    pthread_mutex_lock(&pool->lock);
    atomic_store(&pool->caller_asleep, 1);
    while (!pool_is_finished(pool)) pthread_cond_wait(&pool->finished, &pool->lock);
    atomic_store(&pool->caller_asleep, 0);
    pthread_mutex_unlock(&pool->lock);
}

#endif
