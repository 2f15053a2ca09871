"""A coarse copy of a layer's weights, which tells most neurons that do not matter before any exact sum.

Only the first neuron of a class, or of the layer, learns; yet each of its rivals had to be
charged spike by spike to see that it was later. Here their potentials are first bounded from
whole numbers of two bytes that lie neuron by neuron, one line of memory for what 32 neurons
gain by a spike. A neuron whose upper bound stays below its threshold until its class has
surely fired is not charged at all; the others are charged exactly, in the order of the spikes.
So the outcome has the bits that it would have without a sieve.

The copy is not kept up to date, which would cost more than it saves: for each neuron it is
known how far its weights can have moved since, and the copy is made anew once the neurons
charged in vain cost more than that.
"""
import cython
from libc.math cimport INFINITY, fabs
from libc.stdint cimport INT32_MAX, uintptr_t
from libc.stdlib cimport free, malloc

import numpy as np

from spikenn_cy.dtypes import INDEX, REAL
from spikenn_cy.kernels cimport primitives
from spikenn_cy.kernels.charge cimport FIRST_OF_LAYER, Charging, Pick, Reach, c_charge_picks, c_charge_team
from spikenn_cy.kernels.crew cimport Crew, crew_do
from spikenn_cy.kernels.primitives cimport BLOCK_MAX, COARSE_CHUNK, COARSE_LANES, COARSE_MAX, TILE, CoarseBounds, Spikes
from spikenn_cy.kernels.stdp cimport Plasticity, RowStep
from spikenn_cy.types cimport index_t, real_t

# Rounding to single precision moves nothing by more than this share, several times over.
cdef double ROUNDING = 1e-6

# A coarse weight is off by half a unit, and by the rounding on the way to it.
cdef double OFF = 0.502

# Weights that far from 1 are left alone, and bounds that far from the copy's: they might soon not be numbers, or
# too small for single precision to keep to its share of rounding.
cdef double FAR = 1e6

# What the sieve's parts cost, by measurement; the unit is charging one neuron by one spike.
cdef double COPYING = 0.25     # a weight of the copy
cdef double SCANNING = 0.08    # a spike, for each neuron
cdef double RETRACING = 50     # a team

# Charging that is not below this share of what it would be otherwise does not pay for its risk.
cdef double PAYS = 0.9

# Runs, of a tenth of a second or so, that are left alone at most.
cdef int PATIENCE = 15


@cython.final
cdef class Sieve:
    """The coarse copy, its bounds and what it was good for; owned by one `Epoch`.

    Parameters
    ----------
    n_neurons, n_inputs : int
        Sizes of the layer.
    """

    def __cinit__(self, Py_ssize_t n_neurons, Py_ssize_t n_inputs):
        self.picks = <Pick *>malloc(n_neurons * sizeof(Pick))
        self.blocks = <Block *>malloc((n_neurons // BLOCK_MAX + 1) * sizeof(Block))
        if self.picks is NULL or self.blocks is NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.picks)
        free(self.blocks)

    def __init__(self, index_t n_neurons, Py_ssize_t n_inputs):
        cdef char[::1] memory
        cdef Py_ssize_t shift
        self.n_neurons = n_neurons
        self.n_inputs = n_inputs
        self.n_lanes = (n_neurons + COARSE_LANES - 1) // COARSE_LANES * COARSE_LANES
        self.memory = np.zeros(n_inputs * self.n_lanes * 2 + 64, np.int8)
        memory = self.memory
        shift = -<Py_ssize_t>(<uintptr_t>&memory[0] % 64) % 64     # so that a spike meets as few lines as can be
        self.coarse = <uint16_t *>(&memory[0] + (shift + 64) % 64)
        self.grown, self.gained, self.lost = np.ones(n_neurons), np.zeros(n_neurons), np.zeros(n_neurons)
        # A tile may begin at any neuron.
        self.gain, self.above, self.below = (np.zeros(self.n_lanes + TILE, REAL) for _ in range(3))
        self.threshold = np.full(self.n_lanes + TILE, INFINITY, REAL)
        self.sums, self.maybe, self.surely = (np.zeros(self.n_lanes + TILE, INDEX) for _ in range(3))
        self.closed, self.order = np.zeros(n_neurons, INDEX), np.zeros(n_neurons, INDEX)

    cdef void begin(self) noexcept nogil:
        # Weights may have been assigned since the last run.
        self.wasted = INFINITY
        # Each time that it did not pay, longer is waited before it is tried again.
        if self.resting > 0:
            self.resting = self.resting - 1
        elif not self.wants():
            self.patience = min(2 * self.patience + 1, PATIENCE)
            self.resting = self.patience
        else:
            self.patience = 0
        self.charged = self.plain = 0

    cdef bint wants(self) noexcept nogil:
        # After some samples it is known whether the copy pays.
        cdef double sample = <double>self.n_neurons * self.n_inputs
        return self.resting == 0 and (self.charged <= PAYS * self.plain or self.plain < sample)

    cdef bint renew(
        self, const real_t[:, ::1] weights, const real_t[::1] factors, const Plasticity *plasticity
    ) noexcept nogil:
        # Returns whether there is a copy.
        cdef index_t j
        cdef double least_factor = INFINITY, most_factor = 0
        cdef real_t low, high
        if self.wasted <= COPYING * self.n_inputs * self.n_lanes:
            return True
        # Learning keeps stored weights within their bounds, so they need not be looked at again; unless the upper
        # bound is so far away that a coarse weight would tell nothing.
        if self.wasted == INFINITY or plasticity.w_max > 2 * self.highest:
            self.lowest, self.highest = INFINITY, 0
            for j in range(self.n_neurons):
                primitives.active.range_of_row(&weights[j, 0], self.n_inputs, &low, &high)
                self.lowest = min(self.lowest, <double>low)
                self.highest = max(self.highest, <double>high)
        else:
            self.lowest = min(self.lowest, <double>plasticity.w_min)
            self.highest = max(self.highest, <double>plasticity.w_max)
        for j in range(self.n_neurons):
            least_factor = min(least_factor, <double>factors[j])
            most_factor = max(most_factor, <double>factors[j])
        if not 1 / FAR < self.highest * most_factor < FAR:
            self.charged = INFINITY           # no copy would be of use
            return False
        self.floor = self.lowest * least_factor * (1 - ROUNDING)
        self.unit = self.highest * most_factor / (COARSE_MAX - 1)
        j = 0
        while j < self.n_neurons:
            primitives.active.make_coarse(
                &weights[j, 0], min(TILE, self.n_neurons - j), self.n_inputs, &factors[j], <real_t>(1 / self.unit),
                self.coarse + j, self.n_lanes,
            )
            j += TILE
        for j in range(self.n_neurons):
            self.grown[j] = 1
            self.gained[j] = self.lost[j] = 0
            self.refresh_bounds(j)
        self.wasted = 0
        self.charged = self.charged + COPYING * self.n_inputs * self.n_lanes
        return True

    cdef void refresh_bounds(self, index_t neuron) noexcept nogil:
        cdef double unit = self.grown[neuron] * self.unit
        self.gain[neuron] = <real_t>unit
        self.above[neuron] = <real_t>((self.gained[neuron] + OFF * unit) * (1 + ROUNDING))
        self.below[neuron] = <real_t>(self.lost[neuron] - OFF * unit)

    cdef void learned(self, const RowStep *step, const Plasticity *plasticity, real_t factor) noexcept nogil:
        # A step w -> factor * clip(w + change), where no bound is negative. That a weight may lose more, clipped
        # from above, is left out: `lost` need not be sure.
        cdef index_t j = step.neuron
        cdef double causal = step.error * step.causal, anticausal = step.error * step.anticausal
        cdef double most = max(causal, anticausal), least = min(causal, anticausal)
        if step.error == 0:
            return
        if plasticity.ignore_silent:
            most, least = max(most, 0), min(least, 0)
        self.gained[j] += most + fabs(most) * ROUNDING
        # A weight that fell below the bound is lifted to it.
        self.gained[j] = max(self.gained[j], plasticity.w_min - self.grown[j] * self.floor) * factor
        self.gained[j] *= 1 + ROUNDING
        self.lost[j] = (self.lost[j] + least) * factor
        self.grown[j] *= factor * (1 + ROUNDING)
        if not self.grown[j] + self.gained[j] < FAR:
            self.wasted = INFINITY
        self.refresh_bounds(j)

    cdef void charge_layer(self, const Charging *layer, const Reach *reach, Crew *crew) noexcept nogil:
        cdef bint whole = reach.scope == FIRST_OF_LAYER
        cdef index_t size = self.n_neurons if whole else reach.n_per_class
        cdef index_t n_teams = self.n_neurons // size
        self.sift(layer, reach, size, n_teams)
        self.gather_suspects(layer, reach, size, n_teams)
        crew_do(crew, charge_block, self.blocks, self.n_blocks)
        self.charge_missed(layer, reach, size, n_teams)

    cdef void sift(self, const Charging *layer, const Reach *reach, index_t size, index_t n_teams) noexcept nogil:
        # Goes through the spikes until every team has surely fired.
        cdef const Spikes *spikes = layer.spikes
        cdef CoarseBounds bounds
        cdef Py_ssize_t k = 0, start, end, boundary, open_ = n_teams
        cdef index_t j, team, own = reach.own_class
        # Exact sums are rounded too, spike by spike.
        cdef double slack = ROUNDING + spikes.count * 1.2e-7
        bounds.gain, bounds.above, bounds.below = &self.gain[0], &self.above[0], &self.below[0]
        bounds.threshold = &self.threshold[0]
        for j in range(self.n_neurons):
            self.threshold[j] = layer.thresholds[j]
            if layer.thresholds[j] < INFINITY:
                self.threshold[j] = <real_t>(layer.thresholds[j] - fabs(layer.thresholds[j]) * slack)
        for j in range(self.n_lanes):
            self.sums[j] = 0
            self.maybe[j] = self.surely[j] = INT32_MAX
        for team in range(n_teams):
            self.closed[team] = 0
        self.charged = self.charged + RETRACING * n_teams
        while k < spikes.count and open_:
            end = min(k + COARSE_CHUNK, spikes.count)
            boundary = end
            # Thresholds are tested after all spikes of one time.
            while k < boundary < spikes.count and spikes.times[boundary] == spikes.times[boundary - 1]:
                boundary -= 1
            if boundary > k:
                end = boundary
            primitives.active.sum_coarse(self.coarse, self.n_lanes, spikes.inputs + k, end - k, &self.sums[0])
            start, k = k, end
            if boundary < end or not primitives.active.judge_coarse(
                &bounds, self.n_lanes, &self.sums[0], <int32_t>k, &self.maybe[0], &self.surely[0]
            ):
                continue
            for j in range(self.n_neurons):
                if self.surely[j] == k:
                    team = j // size
                    if not self.closed[team] and (team != own or j - own * size >= reach.n_non_target):
                        self.close(&bounds, spikes, reach, team, size, start, k)
                        open_ -= 1
        self.charged = self.charged + SCANNING * k * self.n_lanes

    cdef void close(
        self, const CoarseBounds *bounds, const Spikes *spikes, const Reach *reach, index_t team, index_t size,
        Py_ssize_t start, Py_ssize_t end,
    ) noexcept nogil:
        # The team surely fired between two looks: look spike by spike.
        cdef index_t first = team * size, ends_from = first, j, place
        cdef int32_t[TILE] maybe
        cdef int32_t[TILE] surely
        cdef CoarseBounds part
        cdef Py_ssize_t closed = end
        if team == reach.own_class:
            ends_from += reach.n_non_target
        j = first
        while j < first + size:
            part.gain, part.above, part.below = bounds.gain + j, bounds.above + j, bounds.below + j
            part.threshold = bounds.threshold + j
            primitives.active.retrace_coarse(
                &part, self.coarse + j, self.n_lanes, spikes.inputs, start, end, &self.sums[j], maybe, surely
            )
            for place in range(min(TILE, first + size - j)):
                if self.maybe[j + place] == end:
                    self.maybe[j + place] = maybe[place]
                if j + place >= ends_from and surely[place] < closed:
                    closed = surely[place]
            j += TILE
        # Thresholds are tested after all spikes of one time.
        while closed < end and spikes.times[closed] == spikes.times[closed - 1]:
            closed += 1
        self.closed[team] = <int32_t>closed

    cdef void gather_suspects(
        self, const Charging *layer, const Reach *reach, index_t size, index_t n_teams
    ) noexcept nogil:
        cdef index_t place, other, team, j, ends_from, n_live
        cdef Py_ssize_t n_picks = 0
        cdef Block *block = self.blocks
        block.width = 0
        for place in range(n_teams):
            # Teams that end together share the block that they are charged in.
            other = place
            while other > 0 and self.closed[self.order[other - 1]] > self.closed[place]:
                self.order[other] = self.order[other - 1]
                other -= 1
            self.order[other] = place
        for place in range(n_teams):
            team = self.order[place]
            ends_from = team * size + (reach.n_non_target if team == reach.own_class else 0)
            n_live = 0
            for j in range(team * size, (team + 1) * size):
                layer.times[j] = layer.max_time
                layer.potentials[j] = 0
                n_live += layer.thresholds[j] < INFINITY
                if self.maybe[j] > self.closed[team]:
                    continue
                if block.width == BLOCK_MAX:
                    block += 1
                    block.width = 0
                if block.width == 0:
                    block.layer = layer
                    block.picks = self.picks + n_picks
                self.picks[n_picks].neuron = j
                self.picks[n_picks].team = team
                self.picks[n_picks].ends = j >= ends_from
                n_picks += 1
                block.width += 1
                block.end = self.closed[team]
            self.plain = self.plain + <double>n_live * self.closed[team]
            self.wasted = self.wasted - self.closed[team]
        self.n_blocks = block - self.blocks + (block.width > 0)
        for place in range(self.n_blocks):
            self.charged = self.charged + <double>self.blocks[place].width * self.blocks[place].end
            self.wasted = self.wasted + <double>self.blocks[place].width * self.blocks[place].end

    cdef void charge_missed(
        self, const Charging *layer, const Reach *reach, index_t size, index_t n_teams
    ) noexcept nogil:
        # Teams of which it was not seen that they fire, or that fired later than was thought sure: neurons shared
        # their block with later teams', and went on, while rivals that may be earlier were left out.
        cdef index_t team, j, ends_from
        cdef Py_ssize_t closed
        cdef bint fired
        for team in range(n_teams):
            ends_from = team * size + (reach.n_non_target if team == reach.own_class else 0)
            fired = False
            closed = self.closed[team]
            if closed > 0:
                for j in range(ends_from, (team + 1) * size):
                    fired |= layer.times[j] <= layer.spikes.times[closed - 1]
            if not fired:
                c_charge_team(layer, team * size, (team + 1) * size, ends_from, layer.spikes.count)
                self.charged = self.charged + <double>size * layer.spikes.count
                self.plain = self.plain + <double>size * layer.spikes.count


cdef void charge_block(void *job, Py_ssize_t part) noexcept nogil:
    cdef const Block *block = <const Block *>job + part
    c_charge_picks(block.layer, block.picks, block.width, block.end)
