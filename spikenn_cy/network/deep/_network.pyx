"""A network of layers that learn event by event: one sample from its first input spike to the decision."""
import cython

from spikenn_cy.kernels.events cimport Group
from spikenn_cy.kernels.spikes cimport Spikes
from spikenn_cy.layers._base cimport EventLayer
from spikenn_cy.network._batch cimport SampleBatch
from spikenn_cy.types cimport index_t, real_t, stamp_t


@cython.final
cdef class EventNetwork:
    """Layers on top of each other, for one thread.

    A spike charges the next layer in the same group of equal times: there is no delay.

    Parameters
    ----------
    layers : sequence of EventLayer
        From the first to the output, which is dense. They are chained.
    max_time : float
        Time of silence.
    """

    def __init__(self, layers, double max_time):
        self.layers, self.max_time = tuple(layers), <stamp_t>max_time
        self.first, self.output = self.layers[0], self.layers[len(self.layers) - 1]
        for below, above in zip(layers, layers[1:]):
            (<EventLayer>above).put_on(below)

    def decide(self, SampleBatch batch, index_t n_per_class, index_t[::1] classes, stamp_t[::1] times):
        """Find the class of each sample and when it is decided; nothing later is simulated.

        Parameters
        ----------
        batch : SampleBatch
        n_per_class : int
            Output neurons of a class.
        classes : ndarray of int32, shape (n_samples,), output
        times : ndarray of float32, shape (n_samples,), output
            ``max_time`` where no output neuron fires; then the largest potential decides.
        """
        cdef Py_ssize_t i
        cdef Spikes spikes
        with nogil:
            self.to_end = False
            while batch.next(&i, &spikes):
                self.run(&spikes)
                classes[i], times[i] = self.winner() // n_per_class, self.decided_at
        batch.require_unchanged()

    def decision_potentials(self, SampleBatch batch, real_t[:, ::1] potentials):
        """Find the potentials of the output neurons at the decision.

        Parameters
        ----------
        batch : SampleBatch
        potentials : ndarray of float32, shape (n_samples, n_neurons), output
        """
        cdef Py_ssize_t i
        cdef index_t j
        cdef Spikes spikes
        with nogil:
            self.to_end = False
            while batch.next(&i, &spikes):
                self.run(&spikes)
                for j in range(self.output.n_units):
                    potentials[i, j] = self.output.potentials[j]
        batch.require_unchanged()

    def first_spikes(self, SampleBatch batch, Py_ssize_t layer, stamp_t[:, ::1] times, real_t[:, ::1] potentials):
        """Find when each unit of a layer fires, whole samples long.

        Parameters
        ----------
        batch : SampleBatch
        layer : int
            Its position.
        times : ndarray of float32, shape (n_samples, n_units), output
            ``max_time`` for a silent unit.
        potentials : ndarray of float32, shape (n_samples, n_units), output
            At the spike; of a silent unit, after the last input spike.
        """
        cdef EventLayer wanted = self.layers[layer]
        cdef Py_ssize_t i
        cdef Spikes spikes
        with nogil:
            self.to_end = True
            while batch.next(&i, &spikes):
                self.run(&spikes)
                wanted.read(times[i], potentials[i], self.max_time)
        batch.require_unchanged()

    cdef void run(self, const Spikes *spikes) noexcept nogil:
        # Group by group, up to the first output spike or to the end.
        cdef Py_ssize_t k = 0
        cdef Group group
        cdef bint fires = False
        self.begin(self.first)
        self.decided_at = self.max_time
        while k < spikes.count and (self.to_end or not fires):
            group.inputs, group.count = spikes.inputs + k, 1
            while k + group.count < spikes.count and spikes.times[k + group.count] == spikes.times[k]:
                group.count += 1
            if self.advance(&group, spikes.times[k], k == 0) and not fires:
                fires, self.decided_at = True, spikes.times[k]
            k += group.count
        self.inputs.units, self.inputs.times, self.inputs.count = spikes.inputs, spikes.times, k

    cdef bint advance(self, const Group *group, stamp_t now, bint is_first) noexcept nogil:
        # Through all layers. Returns whether an output neuron fired.
        cdef Group nothing
        if self.first.take(group, now):
            return True
        # Above a threshold that learning has brought under 0, a neuron fires without a spike to charge it: at once.
        if not is_first:
            return False
        nothing.inputs, nothing.count = NULL, 0
        return self.output.charge(&nothing, now) > 0

    cdef index_t winner(self) noexcept nogil:
        # Of the output neurons that fired first, or of all if none did, the one with the largest potential.
        cdef const real_t *potentials = &self.output.potentials[0]
        cdef Py_ssize_t k = 1
        cdef index_t best = 0, j
        if self.output.fired.count == 0:
            for j in range(1, self.output.n_units):
                best = j if potentials[j] > potentials[best] else best
            return best
        potentials, best = &self.output.spike_potentials[0], self.output.fired.units[0]
        while k < self.output.fired.count and self.output.fired.times[k] == self.output.fired.times[0]:
            j = self.output.fired.units[k]
            best = j if potentials[j] > potentials[best] else best
            k += 1
        return best

    cdef void begin(self, EventLayer layer) noexcept nogil:
        layer.begin()
        if layer.above is not None:
            self.begin(layer.above)
