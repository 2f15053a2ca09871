"""A pool of threads, without which a wide layer could not share the work of one sample."""


cdef extern from "thread_pool.h" nogil:
    ctypedef struct ThreadPool:
        pass

    ctypedef void (*Part)(void *job, Py_ssize_t part) noexcept nogil

    ThreadPool *pool_start(int n_threads)
    void pool_stop(ThreadPool *pool)
    int pool_size(const ThreadPool *pool)
    void pool_run(ThreadPool *pool, Part part, void *job, Py_ssize_t n_parts)
