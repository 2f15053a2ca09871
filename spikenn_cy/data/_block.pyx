"""Memory for arrays whose length is known only when they are full."""
from cpython.buffer cimport PyBuffer_FillInfo
from libc.stdlib cimport free, realloc

cimport cython


@cython.final
cdef class Block:
    """Bytes that grow where they lie: large blocks are remapped, not copied, and pages nobody wrote cost nothing.

    A NumPy array can do neither: its ``resize`` writes zeros. Read-only from outside.
    """

    def __dealloc__(self):
        free(self.start)

    def __getbuffer__(self, Py_buffer *view, int flags):
        PyBuffer_FillInfo(view, self, self.start, self.size, 1, flags)

    cdef int resize(self, Py_ssize_t size) except -1:
        cdef char *start = <char *>realloc(self.start, max(size, 1))
        if start == NULL:
            raise MemoryError(f"{size} bytes")
        self.start = start
        self.size = size
        return 0
