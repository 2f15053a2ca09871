/* Threads that share the independent parts of one sample's work, hundreds of times a second.
 *
 * A crew lives as long as one call from Python. Its members wait for a job by looking at a counter for a while, since
 * the next job is often only microseconds away, and then go to sleep. Parts are taken one by one, so which thread does
 * what is left to chance; what is computed is not, as no part reads what another writes.
 */
#ifndef SPIKENN_CY_CREW_H
#define SPIKENN_CY_CREW_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#define CREW_LOOKS 4000 /* at the counter before sleeping, some ten microseconds */

typedef void (*Part)(void *job, ptrdiff_t part);

typedef struct {
    int n_helpers;
    pthread_t *helper;
    pthread_mutex_t lock;
    pthread_cond_t called;
    Part part;
    void *job;
    ptrdiff_t n_parts;
    atomic_ptrdiff_t next;
    atomic_int call;    /* number of the job at hand */
    atomic_int at_work; /* helpers that are not done with it */
    atomic_int over;
} Crew;

static inline void crew_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

static inline void crew_take_parts(Crew *crew) {
    ptrdiff_t i;
    while ((i = atomic_fetch_add(&crew->next, 1)) < crew->n_parts) crew->part(crew->job, i);
}

static inline void *crew_help(void *shared) {
    Crew *crew = shared;
    for (int seen = 0;;) {
        for (int look = 0; look < CREW_LOOKS && atomic_load(&crew->call) == seen; look++) crew_pause();
        pthread_mutex_lock(&crew->lock);
        while (atomic_load(&crew->call) == seen) pthread_cond_wait(&crew->called, &crew->lock);
        seen = atomic_load(&crew->call);
        pthread_mutex_unlock(&crew->lock);
        if (atomic_load(&crew->over)) return NULL;
        crew_take_parts(crew);
        atomic_fetch_sub(&crew->at_work, 1);
    }
}

static inline void crew_call(Crew *crew) {
    pthread_mutex_lock(&crew->lock);
    atomic_fetch_add(&crew->call, 1);
    pthread_cond_broadcast(&crew->called);
    pthread_mutex_unlock(&crew->lock);
}

static inline void crew_dismiss(Crew *crew) {
    atomic_store(&crew->over, 1);
    crew_call(crew);
    for (int i = 0; i < crew->n_helpers; i++) pthread_join(crew->helper[i], NULL);
    pthread_cond_destroy(&crew->called);
    pthread_mutex_destroy(&crew->lock);
    free(crew->helper);
    free(crew);
}

/* A crew of n_threads, the caller among them; fewer if the system gives no more. NULL: no memory. */
static inline Crew *crew_gather(int n_threads) {
    Crew *crew = calloc(1, sizeof *crew);
    if (!crew) return NULL;
    crew->helper = malloc((size_t)n_threads * sizeof *crew->helper);
    if (!crew->helper) {
        free(crew);
        return NULL;
    }
    pthread_mutex_init(&crew->lock, NULL);
    pthread_cond_init(&crew->called, NULL);
    while (crew->n_helpers < n_threads - 1 &&
           !pthread_create(&crew->helper[crew->n_helpers], NULL, crew_help, crew))
        crew->n_helpers++;
    return crew;
}

/* Threads of a crew, the caller among them. */
static inline int crew_size(const Crew *crew) { return crew ? crew->n_helpers + 1 : 1; }

/* Do parts 0 ... n_parts - 1 of a job; without a crew, one after the other. */
static inline void crew_do(Crew *crew, Part part, void *job, ptrdiff_t n_parts) {
    if (!crew || !crew->n_helpers || n_parts < 2) {
        for (ptrdiff_t i = 0; i < n_parts; i++) part(job, i);
        return;
    }
    crew->part = part;
    crew->job = job;
    crew->n_parts = n_parts;
    atomic_store(&crew->next, 0);
    atomic_store(&crew->at_work, crew->n_helpers);
    crew_call(crew);
    crew_take_parts(crew);
    for (int look = 0; atomic_load(&crew->at_work); look++)
        if (look < CREW_LOOKS)
            crew_pause();
        else
            sched_yield(); /* its processor may be another's now */
}

#endif
