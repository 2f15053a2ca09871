"""The inner loops of layers that learn event by event, for the instruction set in use."""
from libc.stdint cimport int32_t

from spikenn_cy.kernels.primitives cimport level


cdef extern from "events.h" nogil:
    enum:
        UNIT_LANES              # arrays over units are padded to a multiple of it

    ctypedef struct Units:
        float *potentials
        const float *limits    # above which a unit fires; inf: it has fired, or is padding
        Py_ssize_t n_padded

    ctypedef struct Group:
        const int32_t *inputs  # that spike at one time, in list order
        Py_ssize_t count

    ctypedef struct InputMajor:
        const float *rows      # for each input a row over units
        Py_ssize_t n_rows
        Py_ssize_t n_padded

    ctypedef struct Pool:
        const float *potentials
        Py_ssize_t stride
        Py_ssize_t n_filters   # padded
        int size

    ctypedef struct Silent:
        const float *limits
        const float *thresholds
        const float *credit
        float window
        double rate

    ctypedef struct EventKernels:
        Py_ssize_t (*charge)(const float *, const Units *, const Group *, int32_t *) noexcept nogil
        void (*add)(float *, const float *, Py_ssize_t) noexcept nogil
        void (*send_back)(const InputMajor *, const float *, float *) noexcept nogil
        void (*window)(const Units *, float, const float *, float *) noexcept nogil
        Py_ssize_t (*open)(const Pool *, const float *, int32_t *) noexcept nogil
        void (*peak)(const Pool *, float *, int32_t *) noexcept nogil
        void (*blame_silent)(const Pool *, const Silent *, float *) noexcept nogil


cdef const EventKernels **tables      # by instruction set


cdef inline const EventKernels *events() noexcept nogil:
    return tables[level]
