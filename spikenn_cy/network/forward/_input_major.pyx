"""Exact sums of all neurons side by side, from an input-major copy of the weights that follows what rows learn."""
import cython

from libc.math cimport INFINITY
from libc.string cimport memcpy, memset

import numpy as np

from spikenn_cy.dtypes import FLAG, INDEX, REAL
from spikenn_cy.kernels.dense cimport BLOCK_MAX, LANES, VECTORS_MAX, Row, dense
from spikenn_cy.kernels.layout cimport ALL, LayerOutput, StopAt
from spikenn_cy.kernels.spikes cimport Spikes
from spikenn_cy.kernels.winner cimport c_beats
from spikenn_cy.network._weights cimport InputMajorWeights, LayerWeights
from spikenn_cy.network.forward._base cimport Forward
from spikenn_cy.types cimport flag_t, index_t, real_t, stamp_t


@cython.final
cdef class InputMajorForward(Forward):
    """One spike charges vectors of neurons; for layers that end at their first spike, or not at all.

    A sample of a layer that ends as a whole changes few rows, one with R-STDP. A neuron that learned
    is charged from its row for a while, and its column of the copy is written together with others':
    a column lies in as many cache lines as there are inputs, which neighbours share.

    Parameters
    ----------
    weights : LayerWeights
    layout : tuple of int
        ``(n_classes, n_per_class, n_non_target)``.
    max_time : float
        Time of silence.
    copy : InputMajorWeights
        Of these weights as they are.
    """

    cdef readonly InputMajorWeights copy
    cdef index_t[::1] own                # 0, 1, 2, ...
    cdef real_t[::1] block_potentials    # of the block, or of the stale neurons, that are charged now
    cdef real_t[::1] block_thresholds
    cdef flag_t[::1] is_stale            # whether a neuron's row has changed since its column was written
    cdef bint changed                    # whether one has since the last sample
    cdef index_t stale[BLOCK_MAX]        # those neurons
    cdef int n_stale
    # The first neuron so far, and the neurons that fired with it; the times of all others are max_time:
    cdef index_t best
    cdef stamp_t best_time
    cdef real_t best_potential
    cdef index_t[::1] fired
    cdef index_t n_fired

    def __init__(self, LayerWeights weights, layout, double max_time, InputMajorWeights copy):
        super().__init__(weights, layout, max_time)
        n_neurons = weights.rows.n_neurons
        self.copy = copy
        self.own = np.arange(n_neurons, dtype=INDEX)
        self.block_potentials = np.zeros(VECTORS_MAX * LANES, REAL)
        self.block_thresholds = np.zeros(VECTORS_MAX * LANES, REAL)
        self.is_stale = np.zeros(n_neurons, FLAG)
        self.fired = np.zeros(n_neurons, INDEX)
        self.n_fired = self.n_stale = 0

    cdef void run(
        self, const Spikes *spikes, const real_t *thresholds, const StopAt *stop, LayerOutput *output
    ) noexcept nogil:
        if self.changed:
            self.gather_stale()
        output.target_winner = -1
        output.winner_of = NULL
        output.times = &self.times[0]
        if stop.scope == ALL:
            self.write_columns()
            self.run_all(spikes, thresholds)
            output.potentials = &self.potentials[0]
        else:
            self.run_to_first(spikes, thresholds)
            output.winner = self.best
            output.potentials = NULL

    cdef void row_changed(self, index_t neuron, real_t scale) noexcept nogil:
        self.is_stale[neuron] = self.changed = True

    cdef void end(self) noexcept nogil:
        self.gather_stale()
        self.write_columns()
        Forward.end(self)
        self.copy.version = self.version

    cdef void gather_stale(self) noexcept nogil:
        # Lists the neurons whose columns are out of date. Where they are too many, all are written.
        cdef const flag_t *is_stale = &self.is_stale[0]
        cdef index_t j, n_stale = 0
        self.changed = False
        for j in range(self.copy.n_neurons):
            n_stale += is_stale[j]
        if n_stale > BLOCK_MAX:
            self.write_columns()
            n_stale = 0
        if n_stale == self.n_stale:
            return
        self.n_stale = 0
        for j in range(self.copy.n_neurons):
            if is_stale[j]:
                self.stale[self.n_stale] = j
                self.n_stale = self.n_stale + 1

    cdef void write_columns(self) noexcept nogil:
        cdef index_t j
        for j in range(self.copy.n_neurons):
            if self.is_stale[j]:
                self.copy.copy_row(&self.weights.rows, j)
                self.is_stale[j] = False
        self.n_stale = 0

    cdef index_t start(self, index_t block, const real_t *thresholds) noexcept nogil:
        # Returns how many neurons the block has. Stale ones cannot fire in it.
        cdef index_t first = self.copy.first_of[block], width = self.copy.first_of[block + 1] - first, j
        cdef index_t n = min(width, self.copy.n_neurons - first)
        cdef real_t *block_thresholds = &self.block_thresholds[0]
        memset(&self.block_potentials[0], 0, width * sizeof(real_t))
        memcpy(block_thresholds, thresholds + first, n * sizeof(real_t))
        for j in range(n, width):
            block_thresholds[j] = INFINITY
        for j in range(self.n_stale):
            if self.copy.block_of[self.stale[j]] == block:
                block_thresholds[self.stale[j] - first] = INFINITY
        return n

    cdef Py_ssize_t advance(self, index_t block, const Spikes *spikes, Py_ssize_t k) noexcept nogil:
        cdef index_t first = self.copy.first_of[block]
        return dense().charge_lanes[(self.copy.first_of[block + 1] - first) // LANES](
            &self.copy.blocks[first * self.copy.n_inputs], spikes, k, self.weights.rows.non_negative,
            &self.block_potentials[0], &self.block_thresholds[0],
        )

    cdef void run_to_first(self, const Spikes *all_spikes, const real_t *thresholds) noexcept nogil:
        # Each block ends at the first spike of those before it.
        cdef Spikes spikes = all_spikes[0]
        cdef index_t block, n
        cdef Py_ssize_t k
        self.best, self.best_time = -1, self.max_time
        self.silence()
        if self.n_stale:
            k = self.charge_stale(&spikes, thresholds)
            self.compare(self.stale, self.n_stale, &spikes, k)
        for block in range(self.copy.n_blocks):
            n = self.start(block, thresholds)
            k = self.advance(block, &spikes, 0) if spikes.count else 0
            self.compare(&self.own[self.copy.first_of[block]], n, &spikes, k)
        if self.n_stale and self.best_time == self.max_time:
            # None fired, so potentials decide. A block has them for all of its neurons if no column is out of date.
            self.write_columns()
            self.run_to_first(all_spikes, thresholds)

    cdef Py_ssize_t charge_stale(self, const Spikes *spikes, const real_t *thresholds) noexcept nogil:
        cdef Row rows[BLOCK_MAX]
        cdef int j
        for j in range(self.n_stale):
            rows[j].weights = self.weights.rows.weights + self.stale[j] * self.copy.n_inputs
            rows[j].scale = self.weights.rows.pending_scales[self.stale[j]]
            self.block_potentials[j] = 0
            self.block_thresholds[j] = thresholds[self.stale[j]]
        if spikes.count == 0:
            return 0
        return dense().charge_rows[self.n_stale](
            rows, spikes, 0, self.weights.rows.non_negative, &self.block_potentials[0], &self.block_thresholds[0]
        )

    cdef void compare(self, const index_t *neurons, index_t n, Spikes *spikes, Py_ssize_t k) noexcept nogil:
        # Compares these neurons with the first one so far, and ends the spikes where the earlier of them fires.
        cdef const real_t *block_potentials = &self.block_potentials[0]
        cdef const real_t *block_thresholds = &self.block_thresholds[0]
        cdef stamp_t time = self.max_time, best_time = self.best_time
        cdef real_t potential, best_potential = self.best_potential
        cdef bint fires = False
        cdef index_t best = self.best, j
        for j in range(n):
            fires |= block_potentials[j] > block_thresholds[j]
        if fires:
            time, spikes.count = spikes.times[k - 1], k
            if time < best_time:
                self.silence()            # those that would have fired later
        elif self.n_stale or best_time < self.max_time:
            return
        for j in range(n):
            if fires and not block_potentials[j] > block_thresholds[j]:
                continue
            # A neuron that cannot fire has no potential either.
            potential = block_potentials[j] if block_thresholds[j] < INFINITY else 0
            if best < 0 or c_beats(time, potential, best_time, best_potential) or (
                neurons[j] < best and not c_beats(best_time, best_potential, time, potential)
            ):
                best, best_time, best_potential = neurons[j], time, potential
            if fires:
                self.times[neurons[j]] = time
                self.fired[self.n_fired] = neurons[j]
                self.n_fired = self.n_fired + 1
        self.best, self.best_time, self.best_potential = best, best_time, best_potential

    cdef void silence(self) noexcept nogil:
        # Makes all neurons silent; only those that fired have another time.
        cdef index_t i
        for i in range(self.n_fired):
            self.times[self.fired[i]] = self.max_time
        self.n_fired = 0

    cdef void run_all(self, const Spikes *spikes, const real_t *thresholds) noexcept nogil:
        # Every neuron runs to its own spike.
        cdef real_t *block_potentials = &self.block_potentials[0]
        cdef real_t *block_thresholds = &self.block_thresholds[0]
        cdef stamp_t *times
        cdef real_t *potentials
        cdef index_t block, first, j, n, n_live
        cdef Py_ssize_t k
        self.silence()
        for block in range(self.copy.n_blocks):
            first = self.copy.first_of[block]
            n = self.start(block, thresholds)
            times, potentials = &self.times[first], &self.potentials[first]
            n_live = 0
            for j in range(n):
                n_live += block_thresholds[j] < INFINITY
            k = 0
            while k < spikes.count and n_live:
                k = self.advance(block, spikes, k)
                for j in range(n):
                    if block_potentials[j] > block_thresholds[j]:
                        times[j], potentials[j] = spikes.times[k - 1], block_potentials[j]
                        self.fired[self.n_fired] = first + j
                        self.n_fired = self.n_fired + 1
                        block_thresholds[j] = INFINITY     # it has fired: nothing more may make it fire again
                        n_live -= 1
            for j in range(n):
                if not thresholds[first + j] < INFINITY:
                    potentials[j] = 0
                elif times[j] == self.max_time:
                    potentials[j] = block_potentials[j]
