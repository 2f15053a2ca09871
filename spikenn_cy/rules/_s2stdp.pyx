"""S2-STDP and SSTDP, which move every neuron's spike towards a time around the layer's mean.

Let U be the n neurons that learn from a sample of class y, n_t of each class: all, or with ``class_inhib`` the first of
each class. T is the time of silence. Neurons of U should fire around::

    b = min(mean of t_j over those of U that fired, T - late),    T - late if none did
    late  = t_gap * n_t / n
    early = t_gap * (n - n_t) / n

at the desired times::

                                  target neurons of y     all others of U
    S2-STDP                 d_j = b - early               b + late
    SSTDP (use_time_ranges) d_j = min(t_j, b - early)     max(t_j, b + late)

and the error of each is::

    e_j = (t_j - d_j) / T

Sources: Goupy, Tirilly, Bilasco, Paired competing neurons improving STDP supervised local learning in spiking neural
networks, Frontiers in Neuroscience, 2024 (S2-STDP); Liu, Zhao, Chen, Wang, Yang, Jiang, SSTDP: Supervised Spike Timing
Dependent Plasticity for Efficient Spiking Neural Network Training, Frontiers in Neuroscience, 2021; both within
competition groups: Goupy, Tirilly, Bilasco, Neuronal Competition Groups with Supervised STDP for Spike-Based
Classification, NeurIPS 2024.
"""
import cython

from spikenn_cy.kernels.layout cimport ALL, FIRST_OF_CLASS, LayerOutput, is_target
from spikenn_cy.kernels.stdp cimport RowUpdate
from spikenn_cy.rules._base cimport Rule
from spikenn_cy.types cimport index_t, real_t


@cython.final
cdef class S2STDP(Rule):
    """S2-STDP; with ``use_time_ranges`` a desired time is a bound, which is SSTDP."""

    cdef double t_gap
    cdef bint class_inhib
    cdef bint use_time_ranges

    def __init__(self, config, *args):
        super().__init__(config, *args)
        self.set_stdp(config)
        self.t_gap = config.t_gap
        self.class_inhib = config.class_inhib
        self.use_time_ranges = config.use_time_ranges
        self.scope = FIRST_OF_CLASS if self.class_inhib else ALL

    cdef Py_ssize_t learn(self, const LayerOutput *output, RowUpdate *updates) noexcept nogil:
        cdef index_t n_updated = self.layout.n_classes, n_of_class = 1, n_fired = 0, j, k
        if not self.class_inhib:
            n_of_class = self.layout.n_per_class
            n_updated *= n_of_class
        cdef double late = self.t_gap * n_of_class / n_updated
        cdef double early = self.t_gap * (n_updated - n_of_class) / n_updated
        cdef real_t total = 0      # the mean is taken in single precision, in the order of the neurons
        cdef double base, time, desired
        for k in range(n_updated):
            time = output.times[output.winner_of[k] if self.class_inhib else k]
            if time < self.max_time:
                total += <real_t>time
                n_fired += 1
        base = self.max_time - late
        if n_fired:
            base = min(base, <double>(total / <real_t>n_fired))
        for k in range(n_updated):
            j = output.winner_of[k] if self.class_inhib else k
            time = output.times[j]
            if is_target(&self.layout, j, output.label):
                desired = base - early
                if self.use_time_ranges:
                    desired = min(time, desired)
            else:
                desired = base + late
                if self.use_time_ranges:
                    desired = max(time, desired)
            self.ask(&updates[k], j, (time - desired) / self.max_time)
        return n_updated
