"""Threads that share the work of one sample."""


cdef extern from "crew.h" nogil:
    ctypedef struct Crew:
        pass

    ctypedef void (*Part)(void *job, Py_ssize_t part) noexcept nogil

    Crew *crew_gather(int n_threads)
    void crew_dismiss(Crew *crew)
    int crew_size(const Crew *crew)
    void crew_do(Crew *crew, Part part, void *job, Py_ssize_t n_parts)
