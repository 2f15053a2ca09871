"""S4NN, which follows a normalised temporal error with potentiation alone.

Let U be the neurons that learn from a sample of class y: all, or with ``class_inhib`` the first of each class. T is the
time of silence. With::

    b = min(min_j t_j, T - t_gap)

their desired times are::

                               target neurons of y    all others of U
    use_time_ranges      d_j = min(t_j, b)            max(t_j, b + t_gap)
    else                 d_j = b                      b + t_gap

and their errors::

    e_j = (t_j - d_j) / T
    e_j <- e_j / ||e||_2                              over U, if not 0

Causal inputs move by lr * e_j, all others stay.

Source: Kheradpisheh, Masquelier, Temporal Backpropagation for Spiking Neural Networks with One Spike per Neuron,
International Journal of Neural Systems, 2020; here for one layer, as in Goupy, Tirilly, Bilasco, NeurIPS 2024.
"""
import cython
from libc.math cimport sqrt

from spikenn_cy.kernels.layout cimport ALL, FIRST_OF_CLASS, LayerOutput, is_target
from spikenn_cy.kernels.stdp cimport RowUpdate
from spikenn_cy.rules._base cimport Rule
from spikenn_cy.types cimport index_t, real_t


@cython.final
cdef class S4NN(Rule):
    """S4NN: target neurons should fire with the layer's first spike, the others ``t_gap`` later."""

    cdef double t_gap
    cdef bint class_inhib
    cdef bint use_time_ranges

    def __init__(self, config, *args):
        super().__init__(config, *args)
        self.ap = config.lr
        self.anti_ap = -config.lr
        self.t_gap = config.t_gap
        self.class_inhib = config.class_inhib
        self.use_time_ranges = config.use_time_ranges
        self.scope = FIRST_OF_CLASS if self.class_inhib else ALL

    cdef Py_ssize_t learn(self, const LayerOutput *output, RowUpdate *updates) noexcept nogil:
        cdef index_t n_updated = self.layout.n_classes, j, k
        if not self.class_inhib:
            n_updated *= self.layout.n_per_class
        # The layer's first neuron is the first of its class, so competition does not hide it.
        cdef double base = min(<double>output.times[output.winner], self.max_time - self.t_gap)
        cdef double time, desired, error, total = 0
        cdef real_t norm
        for k in range(n_updated):
            j = output.winner_of[k] if self.class_inhib else k
            time = output.times[j]
            if is_target(&self.layout, j, output.label):
                desired = base
                if self.use_time_ranges:
                    desired = min(time, desired)
            else:
                desired = base + self.t_gap
                if self.use_time_ranges:
                    desired = max(time, desired)
            error = <real_t>((time - desired) / self.max_time)
            total += error * error
            self.ask(&updates[k], j, error)
        if total > 0:
            norm = <real_t>sqrt(total)
            for k in range(n_updated):
                updates[k].error /= norm
        return n_updated
