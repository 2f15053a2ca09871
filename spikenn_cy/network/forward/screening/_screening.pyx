"""First spikes from estimated potentials, and exact sums where these leave them open.

Only when a neuron fires matters, and with which others, not its potential to the last bit. So all potentials are
estimated at a position in the sample where neurons are expected to fire, from weights rounded to whole numbers of two
bytes, which are added sixteen and more at a time in any order. From there each group of competing neurons is followed
back or on to its first spike, which is near. Wherever the bounds on the estimate leave open which spike or which neuron
it is, those concerned are charged exactly. README.md in this folder derives the bounds and lists what must hold.
"""
import cython

from libc.math cimport INFINITY
from libc.stdint cimport int16_t, int32_t, uint32_t
from libc.string cimport memset

import numpy as np

from spikenn_cy.dtypes import INDEX, REAL
from spikenn_cy.kernels.dense cimport BLOCK_MAX, WHOLE_MAX, WholeRow, dense
from spikenn_cy.kernels.integrate cimport Candidate, ForwardPass, c_charge_candidates
from spikenn_cy.kernels.layout cimport ALL, LayerOutput, StopAt
from spikenn_cy.kernels.primitives cimport level
from spikenn_cy.kernels.spikes cimport Spikes
from spikenn_cy.kernels.thread_pool cimport Part, ThreadPool, pool_run
from spikenn_cy.kernels.winner cimport c_first_of
from spikenn_cy.network._weights cimport LayerWeights
from spikenn_cy.network.forward._base cimport Forward
from spikenn_cy.types cimport index_t, real_t
from spikenn_cy.utils.alignment import aligned

cdef extern from *:
    """
    #define KERNELS "screening_kernels.h"
    #include "variants.h"
    static const ScreeningKernels *screening_tables[] = BY_INSTRUCTIONS(screening_kernels);
    """
    enum:
        INPUTS_MAX
        PADDED_TO
        TILE_MIN
        GROUP_MAX

    ctypedef struct Estimates:
        const int16_t *rows
        Py_ssize_t n_padded
        const double *units
        const float *thresholds
        int32_t *sums
        int32_t *silent_to
        int32_t *fired_above

    ctypedef struct GroupSearch:
        Py_ssize_t end
        uint32_t candidates
        bint ended
        bint clear

    ctypedef struct ScreeningKernels:
        Py_ssize_t (*list_tiles)(const int16_t *, Py_ssize_t, int32_t *) noexcept nogil
        void (*sum_members[BLOCK_MAX + 1])(const int16_t *const *, const int16_t *, const int32_t *, Py_ssize_t,
                                           int32_t *) noexcept nogil
        void (*set_bounds)(const Estimates *, Py_ssize_t, Py_ssize_t, Py_ssize_t) noexcept nogil

    const ScreeningKernels **screening_tables
    GroupSearch search_group(int, const Estimates *, Py_ssize_t, const Spikes *, Py_ssize_t, Py_ssize_t) nogil


# Units that far from 1 are not used: potentials might soon not be numbers, or too small for single precision to keep to
# its share of rounding.
cdef double FAR = 1e18

cdef index_t MEAN_OF = 32               # neurons whose rows are averaged, ...
cdef Py_ssize_t MEAN_FOR = 512          # ... for so many samples
cdef double LEARNING_RATE = 0.03        # of the prediction, from the error of each sample


@cython.final
cdef class ScreeningForward(Forward):
    """Estimates potentials where neurons are expected to fire, searches from there, and sums exactly what stays open.

    For layers that `serves` names, whose neurons do not leak and that do not end as a whole.

    Parameters
    ----------
    weights : LayerWeights
    layout : tuple of int
        ``(n_classes, n_per_class, n_non_target)``.
    max_time : float
        Time of silence.
    """

    # Weights as whole numbers, (n_neurons, n_padded), and what each row was multiplied by; 0: it has none.
    cdef int16_t[:, ::1] whole
    cdef real_t[::1] scales
    # What predicts where neurons fire: the average row of some of them, the average potential at which groups fire
    # (0: not known), and the samples since rows were averaged.
    cdef real_t[::1] mean_row
    cdef double expected
    cdef Py_ssize_t age
    # The present sample:
    cdef ForwardPass layer
    cdef Estimates estimates
    cdef double[::1] units
    cdef int32_t[:, ::1] integers        # sums and their bounds
    cdef index_t group_size
    cdef index_t n_groups
    cdef index_t own_group               # that goes on to its first target neuron's spike; -1: none does
    cdef Py_ssize_t start                # the predicted position
    cdef int16_t[::1] members            # 1 for inputs with a spike before it
    cdef int32_t[::1] tiles              # that hold a member
    cdef Py_ssize_t n_tiles
    cdef int32_t[::1] positions          # where each potential in `potentials` was taken ...
    cdef double[::1] margins             # ... and by how much it may be off there; 0: it is exact
    cdef double[::1] errors              # of each group: how far after the prediction it fired, as a share of it
    cdef index_t[::1] own                # 0, 1, 2, ...

    def __init__(self, LayerWeights weights, layout, double max_time):
        super().__init__(weights, layout, max_time)
        n_neurons, n_inputs = weights.rows.n_neurons, weights.rows.n_inputs
        n_padded = -(-n_inputs // PADDED_TO) * PADDED_TO
        self.whole = aligned((n_neurons, n_padded), np.int16)
        self.scales = np.zeros(n_neurons, REAL)
        self.mean_row = np.zeros(n_inputs, REAL)
        self.age = MEAN_FOR
        self.units = np.zeros(n_neurons)
        self.integers = np.zeros((3, n_neurons), INDEX)
        self.estimates.rows, self.estimates.n_padded = &self.whole[0, 0], n_padded
        self.estimates.units, self.estimates.sums = &self.units[0], &self.integers[0, 0]
        self.estimates.silent_to, self.estimates.fired_above = &self.integers[1, 0], &self.integers[2, 0]
        self.members = aligned(n_padded, np.int16)
        # A tile without a member is listed too, and then written over.
        self.tiles = np.zeros(n_padded // TILE_MIN + 1, INDEX)
        self.own = np.arange(n_neurons, dtype=INDEX)
        self.positions = np.zeros(n_neurons, INDEX)
        self.margins, self.errors = np.zeros((2, n_neurons))

    @staticmethod
    def serves(LayerWeights weights, index_t group_size):
        """Return whether a layer's weights and its groups of neurons can be screened."""
        return weights.rows.non_negative and weights.rows.n_inputs <= INPUTS_MAX and group_size <= GROUP_MAX

    cdef void begin(self, ThreadPool *pool) noexcept nogil:
        if self.version != self.weights.version:
            pool_run(pool, <Part>make_whole, <void *>self, self.weights.rows.n_neurons)
        Forward.begin(self, pool)

    cdef int16_t *whole_row(self, index_t neuron) noexcept nogil:
        return &self.whole[neuron, 0]

    cdef void row_changed(self, index_t neuron, real_t scale) noexcept nogil:
        self.scales[neuron] = scale
        if scale == 0:
            self.make_whole(neuron)

    cdef void end(self) noexcept nogil:
        # Rows are about to be multiplied by what is pending.
        cdef index_t j
        for j in range(self.weights.rows.n_neurons):
            self.scales[j] = self.scales[j] / self.weights.rows.pending_scales[j]
        Forward.end(self)

    cdef void make_whole(self, index_t neuron) noexcept nogil:
        cdef Py_ssize_t n_inputs = self.weights.rows.n_inputs, i
        cdef const real_t *row = self.weights.rows.weights + neuron * n_inputs
        cdef real_t row_max = 0
        cdef WholeRow whole
        self.scales[neuron] = 0
        if dense().sum_row(row, n_inputs) < INFINITY:      # else a weight may be no number
            for i in range(n_inputs):
                row_max = max(row_max, row[i])
            whole.to, whole.scale = &self.whole[neuron, 0], WHOLE_MAX / row_max
            if 0 < whole.scale < INFINITY:
                self.scales[neuron] = whole.scale
                dense().round_row(row, n_inputs, &whole)

    cdef void run(
        self, const Spikes *spikes, const real_t *thresholds, const StopAt *stop, LayerOutput *output
    ) noexcept nogil:
        cdef index_t n_neurons = self.weights.rows.n_neurons, j
        cdef Py_ssize_t n_parts = (n_neurons + BLOCK_MAX - 1) // BLOCK_MAX
        cdef real_t *times = &self.times[0]
        self.layer.rows, self.layer.thresholds, self.layer.spikes = &self.weights.rows, thresholds, spikes
        self.layer.max_time, self.layer.times, self.layer.potentials = self.max_time, times, &self.potentials[0]
        self.estimates.thresholds = thresholds
        self.group_size = 1 if stop.scope == ALL else self.layout.n_per_class
        self.n_groups = n_neurons // self.group_size
        self.own_group = -1 if stop.scope == ALL else stop.own_class
        if self.age >= MEAN_FOR:
            self.take_mean()
        self.age = self.age + 1
        self.start = self.predict()
        self.n_tiles = screening_tables[level].list_tiles(
            &self.members[0], self.estimates.n_padded, &self.tiles[0]
        )
        for j in range(n_neurons):
            times[j] = self.max_time
        pool_run(self.pool, <Part>sum_part, <void *>self, n_parts)
        pool_run(self.pool, <Part>search_part, <void *>self, min(<Py_ssize_t>self.n_groups, n_parts))
        self.forget_members()
        output.times, output.potentials = times, NULL
        self.decide(stop, output)

    # Where neurons are expected to fire

    cdef void take_mean(self) noexcept nogil:
        # Averages some neurons' rows. Groups are expected where the average potential is what it was when they fired
        # before.
        cdef index_t n_neurons = self.weights.rows.n_neurons, stride = (n_neurons + MEAN_OF - 1) // MEAN_OF, j = 0
        cdef Py_ssize_t n_inputs = self.weights.rows.n_inputs, i
        cdef const real_t *row
        cdef real_t *mean = &self.mean_row[0]
        cdef real_t share
        memset(mean, 0, n_inputs * sizeof(real_t))
        while j < n_neurons:
            row, share = self.weights.rows.weights + j * n_inputs, self.weights.rows.pending_scales[j] / MEAN_OF
            for i in range(n_inputs):
                mean[i] += share * row[i]
            j += stride
        if not 0 < self.expected < FAR:
            self.expected = self.layer.thresholds[0]
        self.age = 0

    cdef Py_ssize_t predict(self) noexcept nogil:
        # Returns after how many spikes neurons are expected to fire, at the end of a tie; the inputs of these spikes
        # become members.
        cdef const Spikes *spikes = self.layer.spikes
        cdef const index_t *inputs = spikes.inputs
        cdef const real_t *mean = &self.mean_row[0]
        cdef int16_t *members = &self.members[0]
        cdef Py_ssize_t k = 0
        cdef double potential = 0
        while k + 4 <= spikes.count and potential < self.expected:
            members[inputs[k]] = members[inputs[k + 1]] = members[inputs[k + 2]] = members[inputs[k + 3]] = 1
            potential += (mean[inputs[k]] + mean[inputs[k + 1]]) + (mean[inputs[k + 2]] + mean[inputs[k + 3]])
            k += 4
        while 0 < k < spikes.count and spikes.times[k] == spikes.times[k - 1]:
            members[inputs[k]] = 1
            k += 1
        return k

    cdef void forget_members(self) noexcept nogil:
        # Also corrects the expected potential by where the groups fired.
        cdef Py_ssize_t k
        cdef index_t group
        cdef double error = 0
        for k in range(self.start):
            self.members[self.layer.spikes.inputs[k]] = 0
        for group in range(self.n_groups):
            error += self.errors[group]
        error = min(max(error / self.n_groups, -0.9), 9.0)
        self.expected = self.expected * (1 + LEARNING_RATE * error)

    # One group

    cdef void search(self, index_t group) noexcept nogil:
        cdef Candidate candidates[GROUP_MAX]
        cdef GroupSearch found[GROUP_MAX + 1]      # of those that may end the group, then of each other neuron
        cdef const GroupSearch *of
        cdef index_t first = group * self.group_size, end = first + self.group_size, j
        cdef index_t ends_from = first + (self.layout.n_non_target if group == self.own_group else 0)
        cdef index_t n_others = ends_from - first
        cdef int n_candidates = 0
        cdef bint clear, may_fire
        found[0] = self.search_range(ends_from, end)
        clear = found[0].clear
        for j in range(n_others):
            found[j + 1] = self.search_range(first + j, first + j + 1)
            clear &= found[j + 1].clear
        self.errors[group] = (found[0].end - self.start) / <double>max(<Py_ssize_t>1, self.start)
        for j in range(first, end):
            of = &found[0 if j >= ends_from else j - first + 1]
            may_fire = of.candidates >> (j - ends_from if j >= ends_from else 0) & 1
            may_fire = may_fire and (of.end <= found[0].end or not of.clear)
            if may_fire and clear:
                self.note(j, of.end, True)
            elif may_fire:
                candidates[n_candidates].neuron, candidates[n_candidates].ends = j, j >= ends_from
                n_candidates += 1
            elif not found[0].ended:
                self.note(j, self.layer.spikes.count, False)
        self.charge(candidates, n_candidates, found[0].end)

    cdef GroupSearch search_range(self, index_t first, index_t last) noexcept nogil:
        cdef Py_ssize_t count = self.layer.spikes.count, bounded = min(count, self.start + self.start // 32 + 8)
        cdef GroupSearch found = search_group(
            last - first, &self.estimates, first, self.layer.spikes, self.start, bounded
        )
        if not found.ended and bounded < count:
            screening_tables[level].set_bounds(&self.estimates, first, last, count)
            found = search_group(last - first, &self.estimates, first, self.layer.spikes, found.end, count)
        return found

    cdef void note(self, index_t neuron, Py_ssize_t position, bint fired) noexcept nogil:
        # Keeps the estimate for a neuron that fired with the spike before this position, or for a silent one.
        cdef double unit = self.units[neuron], half = 0.5 * unit * position, potential
        if not self.layer.thresholds[neuron] < INFINITY:
            self.layer.potentials[neuron] = self.margins[neuron] = 0
            return
        if fired:
            self.layer.times[neuron] = self.layer.spikes.times[position - 1]
        potential = unit * self.estimates.sums[neuron] + half
        self.layer.potentials[neuron] = <real_t>potential
        self.positions[neuron] = <int32_t>position
        # README.md, "Bounds": each of so many sums was rounded by at most 2^-24 of itself.
        self.margins[neuron] = half + potential * (1e-6 + 6.4e-8 * position) + 1.5e-45 * (position + 5)

    cdef void charge(self, const Candidate *candidates, int n, Py_ssize_t end) noexcept nogil:
        # Sums the candidates of a group exactly, up to where it surely ended.
        cdef real_t *times = self.layer.times
        cdef int first = 0, i
        while first < n:
            end = c_charge_candidates(&self.layer, candidates + first, min(<int>BLOCK_MAX, n - first), end)
            first += BLOCK_MAX
        for i in range(n):
            self.margins[candidates[i].neuron] = 0
            if end > 0 and times[candidates[i].neuron] > self.layer.spikes.times[end - 1]:
                times[candidates[i].neuron] = self.max_time

    # Who fires first

    cdef void decide(self, const StopAt *stop, LayerOutput *output) noexcept nogil:
        cdef index_t size = self.layout.n_per_class, own = stop.own_class * size + self.layout.n_non_target, c
        output.target_winner = -1
        if stop.own_class >= 0:
            output.target_winner = self.first_of(&self.own[own], size - self.layout.n_non_target)
        for c in range(self.layout.n_classes):
            self.winner_of[c] = self.first_of(&self.own[c * size], size)
        output.winner_of = &self.winner_of[0]
        output.winner = self.first_of(output.winner_of, self.layout.n_classes)

    cdef index_t first_of(self, const index_t *neurons, index_t n) noexcept nogil:
        # Potentials decide between neurons that fire together, and between silent ones: exact potentials, where
        # estimates are too close.
        cdef index_t best = c_first_of(self.layer.times, self.layer.potentials, neurons, n), n_close = 0, i, j
        cdef Candidate candidate
        for i in range(n):
            n_close += self.is_close(neurons[i], best)
        if n_close == 0:
            return best
        for i in range(n + 1):
            j = neurons[i] if i < n else best        # the last one, since others are compared with it
            if self.margins[j] > 0 and (i == n or self.is_close(j, best)):
                candidate.neuron, candidate.ends = j, True
                c_charge_candidates(&self.layer, &candidate, 1, self.positions[j])
                self.margins[j] = 0
        return c_first_of(self.layer.times, self.layer.potentials, neurons, n)

    cdef bint is_close(self, index_t j, index_t best) noexcept nogil:
        # Whether the exact potentials of two neurons that fire together may be in another order than these.
        cdef double margin = self.margins[j] + self.margins[best]
        return (
            (j != best) & (self.layer.times[j] == self.layer.times[best]) & (margin > 0)
            & (<double>self.layer.potentials[best] - self.layer.potentials[j] <= margin)
        )


cdef void make_whole(ScreeningForward forward, Py_ssize_t neuron) noexcept nogil:
    forward.make_whole(<index_t>neuron)


cdef void sum_part(ScreeningForward forward, Py_ssize_t part) noexcept nogil:
    # Estimates the potentials of BLOCK_MAX neurons, and bounds them.
    cdef const real_t *thresholds = forward.layer.thresholds
    cdef const int16_t *rows[BLOCK_MAX]
    cdef index_t live[BLOCK_MAX]
    cdef int32_t sums[BLOCK_MAX]
    cdef index_t first = <index_t>part * BLOCK_MAX, last = min(first + BLOCK_MAX, forward.weights.rows.n_neurons), j
    cdef Py_ssize_t count = forward.layer.spikes.count, start = forward.start
    cdef double unit, pending
    cdef int n_live = 0, i
    for j in range(first, last):
        pending = forward.weights.rows.pending_scales[j]
        unit = pending / forward.scales[j] if forward.scales[j] > 0 else 0
        forward.units[j] = unit if 1 / FAR < unit * WHOLE_MAX < FAR and 1 / FAR < pending < FAR else 0
        if thresholds[j] < INFINITY:
            live[n_live], rows[n_live] = j, &forward.whole[j, 0]
            n_live += 1
    if n_live:
        screening_tables[level].sum_members[n_live](
            rows, &forward.members[0], &forward.tiles[0], forward.n_tiles, sums
        )
    for i in range(n_live):
        forward.estimates.sums[live[i]] = sums[i]
    screening_tables[level].set_bounds(&forward.estimates, first, last, min(count, start + start // 32 + 8))


cdef void search_part(ScreeningForward forward, Py_ssize_t part) noexcept nogil:
    cdef Py_ssize_t n_neurons = forward.weights.rows.n_neurons
    cdef Py_ssize_t n_parts = min(<Py_ssize_t>forward.n_groups, (n_neurons + BLOCK_MAX - 1) // BLOCK_MAX), group
    for group in range(part * forward.n_groups // n_parts, (part + 1) * forward.n_groups // n_parts):
        forward.search(<index_t>group)
