"""A layer's synaptic weights, row by row, and what is known of each row."""
from spikenn_cy.kernels.dense cimport RowRange
from spikenn_cy.types cimport index_t, real_t


ctypedef struct WeightRows:
    real_t *weights                # row-major, (n_neurons, n_inputs)
    index_t n_neurons
    Py_ssize_t n_inputs
    real_t *pending_scales         # still to be applied to each row; 1 between two calls
    RowRange *ranges               # between which the stored weights of each row are
    const real_t *target_norms     # sum |w| that each row keeps
    bint non_negative              # no weight is negative, nor will be
