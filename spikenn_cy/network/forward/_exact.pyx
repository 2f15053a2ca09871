"""Exact sums in the order of the spikes, row by row: how first spikes are defined."""
import cython

from spikenn_cy.kernels.integrate cimport ForwardPass, c_charge_layer
from spikenn_cy.kernels.layout cimport LayerOutput, StopAt
from spikenn_cy.kernels.spikes cimport Spikes
from spikenn_cy.kernels.winner cimport c_decide
from spikenn_cy.network.forward._base cimport Forward
from spikenn_cy.types cimport real_t


@cython.final
cdef class ExactForward(Forward):
    """Charges the neurons of each group side by side until one of them ends it; gives potentials to rules too."""

    cdef void run(
        self, const Spikes *spikes, const real_t *thresholds, const StopAt *stop, LayerOutput *output
    ) noexcept nogil:
        cdef ForwardPass layer
        layer.rows, layer.thresholds, layer.spikes = &self.weights.rows, thresholds, spikes
        layer.max_time, layer.times, layer.potentials = self.max_time, &self.times[0], &self.potentials[0]
        c_charge_layer(&layer, &self.layout, stop, self.pool)
        output.times, output.potentials = layer.times, layer.potentials
        c_decide(&self.layout, stop, layer.times, layer.potentials, &self.winner_of[0], output)
