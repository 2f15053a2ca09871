"""The loops over pixels: what an image becomes before it spikes, and when each of its inputs does."""
from libc.stdint cimport uint8_t
from libc.string cimport memcpy

cimport cython
import numpy as np

from spikenn_cy.dtypes import REAL
from spikenn_cy.kernels.images cimport CORRELATE_STEP, Plane, image_kernels
from spikenn_cy.types cimport index_t, real_t, stamp_t


@cython.final
cdef class FrontEnd:
    """Correlate images with kernels.

    Parameters
    ----------
    shape : (int, int, int)
        Rows, columns and channels of an image.
    gray : bool
        Whether red, green and blue are made one plane first.
    kernels : ndarray of float32, shape (n_kernels, size, size)
        Of odd ``size``.
    takes, makes : ndarray of int32, shape (n_kernels,)
        Plane that each kernel is correlated with, and channel that the result is added to.
    """
    cdef readonly Py_ssize_t rows, columns, channels, n_made
    cdef bint gray
    cdef const real_t[:, :, ::1] kernels
    cdef const index_t[::1] takes, makes
    cdef Py_ssize_t stride, width
    cdef real_t[:, :, ::1] planes      # with a margin of repeated edges
    cdef real_t[:, :, ::1] sums
    cdef real_t[::1] value_of          # of a pixel

    def __init__(self, shape, bint gray, const real_t[:, :, ::1] kernels, const index_t[::1] takes,
                 const index_t[::1] makes):
        cdef Py_ssize_t margin = kernels.shape[1] - 1
        self.rows, self.columns, self.channels = shape
        self.gray, self.kernels, self.takes, self.makes = gray, kernels, takes, makes
        self.n_made = np.max(makes) + 1
        self.width = (self.columns + CORRELATE_STEP - 1) // CORRELATE_STEP * CORRELATE_STEP
        self.stride = self.width + margin
        self.planes = np.zeros((1 if gray else self.channels, self.rows + margin, self.stride), REAL)
        self.sums = np.zeros((self.n_made, self.rows, self.width), REAL)
        self.value_of = np.arange(256, dtype=REAL) / REAL.type(255)

    def filter(self, const uint8_t[:, :, :, ::1] images, real_t[:, :, :, ::1] values):
        """Write the filtered images.

        Parameters
        ----------
        images : ndarray of uint8, shape (n, rows, columns, channels)
        values : ndarray of float32, shape (n, rows, columns, n_made)
            Written.
        """
        cdef Py_ssize_t i
        with nogil:
            for i in range(images.shape[0]):
                self.fill_planes(images, i)
                self.correlate(values, i)

    cdef void fill_planes(self, const uint8_t[:, :, :, ::1] images, Py_ssize_t i) noexcept nogil:
        cdef Py_ssize_t margin = self.kernels.shape[1] // 2
        cdef Py_ssize_t x, y, z
        cdef real_t *row
        for z in range(self.planes.shape[0]):
            for x in range(self.rows):
                row = &self.planes[z, x + margin, margin]
                if self.gray:
                    for y in range(self.columns):
                        row[y] = (<real_t>0.2989 * self.value_of[images[i, x, y, 0]]
                                  + <real_t>0.5870 * self.value_of[images[i, x, y, 1]]) \
                            + <real_t>0.1140 * self.value_of[images[i, x, y, 2]]
                else:
                    for y in range(self.columns):
                        row[y] = self.value_of[images[i, x, y, z]]
                for y in range(margin):
                    row[y - margin] = row[0]
                    row[self.columns + y] = row[self.columns - 1]
            for x in range(margin):
                memcpy(&self.planes[z, x, 0], &self.planes[z, margin, 0], self.stride * sizeof(real_t))
                memcpy(&self.planes[z, margin + self.rows + x, 0], &self.planes[z, margin + self.rows - 1, 0],
                       self.stride * sizeof(real_t))

    cdef void correlate(self, real_t[:, :, :, ::1] values, Py_ssize_t i) noexcept nogil:
        cdef Py_ssize_t n, x, y, z
        cdef Plane plane
        plane.stride, plane.n_rows, plane.n_columns = self.stride, self.rows, self.width
        self.sums[:] = 0
        for n in range(self.kernels.shape[0]):
            plane.values = &self.planes[self.takes[n], 0, 0]
            image_kernels().correlate(
                &plane, &self.kernels[n, 0, 0], self.kernels.shape[1], &self.sums[self.makes[n], 0, 0],
            )
        for x in range(self.rows):
            for y in range(self.columns):
                for z in range(self.n_made):
                    values[i, x, y, z] = self.sums[z, x, y]


def encode(const real_t[:, :, :, ::1] values, const real_t[:, :, ::1] low, const real_t[:, :, ::1] span, bint late,
           stamp_t[:, :, :, ::1] times):
    """Write the spike times of filtered images.

    Parameters
    ----------
    values : ndarray of float32, shape (n, rows, columns, channels)
    low, span : ndarray of float32, shape (rows, columns, 2 * channels)
        Value of each feature that is scaled to 0, and distance to the one scaled to 1.
    late : bool
        Whether a feature below ``low`` spikes, after 1.
    times : ndarray of float32, shape (n, rows, columns, 2 * channels)
        Written; a silent input is at 1.
    """
    cdef Py_ssize_t i
    with nogil:
        for i in range(values.shape[0]):
            image_kernels().encode(
                &values[i, 0, 0, 0], low.shape[0] * low.shape[1] * values.shape[3], &low[0, 0, 0], &span[0, 0, 0],
                late, &times[i, 0, 0, 0],
            )
