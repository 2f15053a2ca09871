"""S4NN in every layer, which sends errors in time back through neurons that fired in time."""
import cython

from libc.math cimport sqrt
from libc.string cimport memset

from spikenn_cy.layers._base cimport EventLayer
from spikenn_cy.layers._dense cimport DenseEvents
from spikenn_cy.rules._network cimport NetworkRule
from spikenn_cy.types cimport index_t, real_t, stamp_t


cdef bint normalise(real_t *errors, Py_ssize_t n) noexcept nogil:
    # Divides errors by their Euclidean norm. Returns whether there is any.
    cdef double total = 0
    cdef Py_ssize_t j
    for j in range(n):
        total += <double>errors[j] * errors[j]
    if total == 0:
        return False
    total = sqrt(total)
    for j in range(n):
        errors[j] = <real_t>(errors[j] / total)
    return True


@cython.final
cdef class S4NNLayers(NetworkRule):
    """S4NN (Kheradpisheh and Masquelier, International Journal of Neural Systems 2020).

    With ``b`` the time of the first output spike, at most ``T - t_gap``, neurons of the label should fire at ``b`` and
    the others at ``b + t_gap`` or later. Then

        output:  e_j = (t_j - d_j) / T,  e <- e / |e|
        hidden:  e_j = sum over k with t_k >= t_j of w_kj e_k,  e <- e / |e|

    for hidden neurons that fired, and ``w_ji += rate * e_j`` for every input with ``t_i <= t_j``, silent ``t_j = T``.

    Parameters
    ----------
    config : S4NNLayersConfig
    n_classes, n_per_class : int
    max_time : float
    """

    cdef double t_gap

    def __init__(self, config, index_t n_classes, index_t n_per_class, double max_time):
        super().__init__(n_classes, n_per_class, max_time)
        self.t_gap, self.runs_to_end = config.t_gap * max_time, True

    cdef bint judge(self, DenseEvents output, index_t label, stamp_t decided_at) noexcept nogil:
        cdef double base = min(<double>decided_at, self.max_time - self.t_gap), time, desired
        cdef index_t j
        for j in range(output.n_units):
            time = output.spike_time(j, <stamp_t>self.max_time)
            if j // self.layout.n_per_class == label:
                desired = min(time, base)
            else:
                desired = max(time, base + self.t_gap)
            output.errors[j] = <real_t>((time - desired) / self.max_time)
        return normalise(&output.errors[0], output.n_units)

    cdef void share(self, EventLayer above) noexcept nogil:
        memset(&above.below.credit[0], 0, above.below.n_padded * sizeof(real_t))
        above.send_back_in_time(&above.below.fired, &above.below.credit[0])
        normalise(&above.below.credit[0], above.below.n_units)
        above.below.take_errors()
