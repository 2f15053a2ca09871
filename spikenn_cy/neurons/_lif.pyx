"""The leaky integrate-and-fire neuron, which forgets early spikes."""
import cython
from libc.math cimport exp

import numpy as np

from spikenn_cy.dtypes import REAL
from spikenn_cy.kernels.spikes cimport Spikes
from spikenn_cy.neurons._base cimport Neuron
from spikenn_cy.types cimport real_t


@cython.final
cdef class LeakyIntegrateAndFire(Neuron):
    """Leaky integrate and fire: between two ties of spikes the potential decays by ``exp(-dt / leak_tau)``.

    Parameters
    ----------
    n_inputs : int
        Number of inputs of the layer, which is the most spikes a sample can have.
    leak_tau : float
        Time constant, > 0, in the data's unit of time.
    """

    cdef readonly double leak_tau
    cdef real_t[::1] decay

    def __init__(self, Py_ssize_t n_inputs, double leak_tau):
        if not leak_tau > 0:
            raise ValueError(f"leak_tau: must be > 0, got {leak_tau!r}")
        self.leaks = True
        self.leak_tau = leak_tau
        self.decay = np.ones(n_inputs, REAL)

    cdef void prepare(self, Spikes *spikes) noexcept nogil:
        cdef Py_ssize_t k
        # One exponential a tie; the first tie finds potentials of 0.
        for k in range(1, spikes.count):
            if spikes.times[k] != spikes.times[k - 1]:
                self.decay[k] = <real_t>exp(-(<double>spikes.times[k] - spikes.times[k - 1]) / self.leak_tau)
        spikes.decay = &self.decay[0]
