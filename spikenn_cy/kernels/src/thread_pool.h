/* A pool of threads that share the independent parts of one sample's work, hundreds of times a second.
 *
 * A pool lives as long as one call from Python. Its threads spin on a counter for a while, since the next job is often
 * only microseconds away, and then go to sleep. Parts are taken one by one, so which thread does what is left to chance;
 * what is computed is not, as no part reads what another writes.
 */
#ifndef SPIKENN_CY_THREAD_POOL_H
#define SPIKENN_CY_THREAD_POOL_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#define POOL_SPINS 4000 /* on the counter before sleeping, some ten microseconds */

typedef void (*Part)(void *job, ptrdiff_t part);

typedef struct {
    int n_workers; /* beside the caller */
    pthread_t *worker;
    pthread_mutex_t lock;
    pthread_cond_t called;
    Part part;
    void *job;
    ptrdiff_t n_parts;
    atomic_ptrdiff_t next;
    atomic_int call;    /* number of the job at hand */
    atomic_int at_work; /* workers that are not done with it */
    atomic_int over;    /* workers are to end */
} ThreadPool;

static inline void pool_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

static inline void pool_take_parts(ThreadPool *pool) {
    ptrdiff_t i;
    while ((i = atomic_fetch_add(&pool->next, 1)) < pool->n_parts) pool->part(pool->job, i);
}

static inline void *pool_work(void *shared) {
    ThreadPool *pool = shared;
    for (int seen = 0;;) {
        for (int spin = 0; spin < POOL_SPINS && atomic_load(&pool->call) == seen; spin++) pool_pause();
        pthread_mutex_lock(&pool->lock);
        while (atomic_load(&pool->call) == seen) pthread_cond_wait(&pool->called, &pool->lock);
        seen = atomic_load(&pool->call);
        pthread_mutex_unlock(&pool->lock);
        if (atomic_load(&pool->over)) return NULL;
        pool_take_parts(pool);
        atomic_fetch_sub(&pool->at_work, 1);
    }
}

static inline void pool_wake(ThreadPool *pool) {
    pthread_mutex_lock(&pool->lock);
    atomic_fetch_add(&pool->call, 1);
    pthread_cond_broadcast(&pool->called);
    pthread_mutex_unlock(&pool->lock);
}

static inline void pool_stop(ThreadPool *pool) {
    atomic_store(&pool->over, 1);
    pool_wake(pool);
    for (int i = 0; i < pool->n_workers; i++) pthread_join(pool->worker[i], NULL);
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
    pool->n_parts = n_parts;
    atomic_store(&pool->next, 0);
    atomic_store(&pool->at_work, pool->n_workers);
    pool_wake(pool);
    pool_take_parts(pool);
    for (int spin = 0; atomic_load(&pool->at_work); spin++)
        if (spin < POOL_SPINS)
            pool_pause();
        else
            sched_yield(); /* its processor may be another's now */
}

#endif
