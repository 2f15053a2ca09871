"""Blocks of samples for the next thread that is free, without which threads would wait for the slowest of them."""


cdef extern from "shares.h" nogil:
    ctypedef struct Shares:
        pass

    void shares_begin(Shares *shares, Py_ssize_t first, Py_ssize_t end, Py_ssize_t size)
    bint shares_take(Shares *shares, Py_ssize_t *first, Py_ssize_t *end)
