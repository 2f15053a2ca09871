"""Memory for arrays whose length is known only when they are full."""

cdef class Block:
    cdef char *start
    cdef Py_ssize_t size

    cdef int resize(self, Py_ssize_t size) except -1
