"""A coarse copy of a layer's weights, which settles most first spikes before any exact sum.

Only when a neuron fires matters, and with which others; its potential to the last bit does not.
The copy holds each weight as a whole number of two bytes. Whole numbers can be added in any
order, sixteen or more at a time, and are off by less than one unit a spike: so all potentials
at one position of a sample, guessed to be where neurons fire, are estimated from rows that are
read strip by strip, where there are spikes. From there each team of competing neurons is
followed back or on to where its first neuron fires, which is not far. Where the estimate leaves
open which spike or which neuron it is, those concerned are charged exactly, in the order of the
spikes. So the outcome has the bits that it would have without a sieve.
"""
import cython
from libc.math cimport INFINITY, fabs
from libc.stdint cimport INT32_MAX
from libc.stdlib cimport free, malloc
from libc.string cimport memset

import numpy as np

from spikenn_cy.dtypes import INDEX, REAL
from spikenn_cy.kernels cimport primitives
from spikenn_cy.kernels.charge cimport ALL, FIRST_OF_CLASS, FIRST_OF_LAYER, Charging, Pick, Reach, c_charge_picks
from spikenn_cy.kernels.crew cimport Crew, crew_do
from spikenn_cy.kernels.primitives cimport (
    BLOCK_MAX, CAUSAL, COARSE_MAX, COARSE_STRIP, Spikes, coarse_place,
)
from spikenn_cy.kernels.winner cimport c_sooner
from spikenn_cy.lines import aligned
from spikenn_cy.types cimport index_t, real_t, stamp_t

cdef extern from "walk.h" nogil:
    enum:
        WALK_DOUBT
        WALK_SILENT

    Py_ssize_t walk(int width, const int16_t *const *rows, const Spikes *spikes, Py_ssize_t start, Py_ssize_t bounded,
                    const int32_t *may, const int32_t *must, int32_t *sums, unsigned *fired)
    int lowest(unsigned bits)


cdef int32_t NEVER = INT32_MAX

# A row is copied at a scale that lets its weights grow to this share, and not at all if they are that far from 1:
# its sums might soon not be numbers, or too small for single precision to keep to its share of rounding.
cdef double ROOM = 1.125
cdef double FAR = 1e18

# Neurons of which it is learned where a sample's spikes likely make neurons fire, and samples until it is done again.
cdef index_t LIKELY_NEURONS = 32
cdef Py_ssize_t LIKELY_SAMPLES = 512

# How far the next guess goes after where the last teams fired.
cdef double HASTE = 0.1


@cython.final
cdef class Sieve:
    """The coarse copy and a sample's way through it; owned by one `Epoch`.

    Parameters
    ----------
    n_neurons, n_inputs : int
        Sizes of the layer; `COARSE_INPUTS` inputs at most.
    """

    def __cinit__(self, Py_ssize_t n_neurons, *args):
        self.survey.verdicts = <Verdict *>malloc(n_neurons * sizeof(Verdict))
        self.picks = <Pick *>malloc(n_neurons * sizeof(Pick))
        self.blocks = <Block *>malloc((n_neurons // BLOCK_MAX + 1) * sizeof(Block))
        if self.survey.verdicts is NULL or self.picks is NULL or self.blocks is NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.survey.verdicts)
        free(self.picks)
        free(self.blocks)

    def __init__(self, index_t n_neurons, Py_ssize_t n_inputs):
        cdef Py_ssize_t n_places = (n_inputs + COARSE_STRIP - 1) // COARSE_STRIP * COARSE_STRIP
        cdef int16_t[::1] coarse = aligned(n_neurons * n_places, np.int16), marked = aligned(n_places, np.int16)
        cdef int32_t[::1] strips = np.zeros(n_places // COARSE_STRIP, INDEX)
        cdef real_t[:, ::1] reals = np.zeros((3, n_neurons), REAL)
        cdef int32_t[:, ::1] counts = np.zeros((11, n_neurons), INDEX)
        self.arrays = [coarse, marked, strips, reals, counts]
        self.n_neurons = n_neurons
        self.n_inputs = n_inputs
        self.likely = np.zeros(n_inputs, np.int16)
        self.likely_sums = np.zeros(n_places, INDEX)
        self.own = np.arange(n_neurons, dtype=INDEX)
        self.copy.rows, self.copy.n_places = &coarse[0], n_places
        self.copy.scales, self.copy.units, self.survey.margins = &reals[0, 0], &reals[1, 0], &reals[2, 0]
        self.survey.copy, self.survey.marked, self.survey.strips = &self.copy, &marked[0], &strips[0]
        self.survey.may, self.survey.must = &counts[0, 0], &counts[1, 0]
        self.survey.sums, self.survey.sums_then = &counts[2, 0], &counts[3, 0]
        self.survey.maybe, self.survey.surely = &counts[4, 0], &counts[5, 0]
        self.survey.live, self.survey.n_live = &counts[6, 0], &counts[7, 0]
        self.survey.closed, self.survey.places, self.survey.firsts = &counts[8, 0], &counts[9, 0], &counts[10, 0]

    cdef void renew(
        self, const real_t[:, ::1] weights, const real_t[::1] factors, const real_t[::1] thresholds,
        real_t[::1] highest,
    ) noexcept nogil:
        # Makes the copy one of the weights as they are, and tells what none of each row exceeds.
        cdef index_t j
        if not self.fresh:
            for j in range(self.n_neurons):
                highest[j] = c_copy_row(&self.copy, j, &weights[j, 0], self.n_inputs)
            self.target = 0
            self.age = 0
            self.fresh = True
        if self.age % LIKELY_SAMPLES == 0:
            self.expect(factors, thresholds)
        self.age = self.age + 1

    cdef void expect(self, const real_t[::1] factors, const real_t[::1] thresholds) noexcept nogil:
        # Neurons fire where the mean of their potentials, or nearly so, is what it was when they fired before.
        cdef index_t j = 0, n_summed = 0, stride = (self.n_neurons + LIKELY_NEURONS - 1) // LIKELY_NEURONS
        cdef const int16_t *row
        cdef double unit
        cdef Py_ssize_t i
        for i in range(self.copy.n_places):
            self.likely_sums[i] = 0
        while j < self.n_neurons:
            row = self.copy.rows + j * self.copy.n_places
            for i in range(self.copy.n_places):
                self.likely_sums[i] += row[i]
            n_summed += 1
            j += stride
        for i in range(self.n_inputs):
            self.likely[i] = <int16_t>(self.likely_sums[coarse_place(i)] // n_summed)
        if self.target <= 0:
            for j in range(self.n_neurons):
                unit = self.copy.units[j] * factors[j]
                if unit > 0:
                    self.target = self.target + thresholds[j] / unit / self.n_neurons
            self.target = max(self.target, 1)     # of thresholds that are not above 0

    cdef void expire(self) noexcept nogil:
        self.fresh = False

    cdef void settle(self, const real_t[::1] factors) noexcept nogil:
        # The rows are about to be multiplied by their factors; the copy is not.
        cdef index_t j
        cdef Copy *copy = &self.copy
        for j in range(self.n_neurons):
            copy.units[j] = copy.units[j] * factors[j]

    cdef void charge_layer(
        self, const Charging *layer, const Reach *reach, Crew *crew, index_t *winner_of
    ) noexcept nogil:
        cdef index_t size = reach.n_per_class
        cdef const Spikes *spikes = layer.spikes
        cdef Survey *survey = &self.survey
        if reach.scope == FIRST_OF_LAYER:
            size = self.n_neurons
        elif reach.scope == ALL:
            size = 1
        survey.layer, survey.reach = layer, reach
        survey.team_size, survey.n_teams = size, self.n_neurons // size
        survey.own_team = reach.own_class if reach.scope == FIRST_OF_CLASS else -1
        survey.teams_a_part = max(1, BLOCK_MAX // size)
        survey.bounded = min(spikes.count, survey.start + survey.start // 32 + 8)
        primitives.active.bound(
            layer.thresholds, self.copy.units, layer.factors, self.n_neurons, survey.bounded, survey.may, survey.must
        )
        rest_all(layer, survey.margins, self.n_neurons)
        crew_do(crew, survey_part, survey, (survey.n_teams + survey.teams_a_part - 1) // survey.teams_a_part)
        self.charge_suspects(crew)
        self.untie_all(winner_of)
        self.guess_better()

    cdef Py_ssize_t mark(self, const Spikes *spikes, int32_t *marks) noexcept nogil:
        # Marks inputs that fire before neurons likely do as causal, for the step that follows too; returns how many
        # do. There are marks for a whole number of strips.
        cdef Survey *survey = &self.survey
        cdef const int16_t *likely = &self.likely[0]
        cdef const index_t *inputs = spikes.inputs
        cdef Py_ssize_t k = 0, end
        cdef int64_t sum = 0, target = <int64_t>min(self.target, 1e18)
        while k < spikes.count and sum < target:
            marks[inputs[k]] = CAUSAL
            sum += likely[inputs[k]]
            k += 1
        end = end_of_group(spikes, k) if k > 0 else 0
        while k < end:
            marks[inputs[k]] = CAUSAL
            k += 1
        survey.start = k
        survey.n_strips = 0
        if k > 0:
            survey.n_strips = primitives.active.mark(marks, survey.copy.n_places, survey.marked, survey.strips)
        return k

    cdef void charge_suspects(self, Crew *crew) noexcept nogil:
        cdef const Survey *survey = &self.survey
        cdef Block *block = self.blocks
        cdef index_t team, i, slot
        cdef Py_ssize_t n_picks = 0, n_blocks
        block.width = 0
        for team in range(survey.n_teams):
            if survey.verdicts[team] <= SETTLED:
                continue
            for i in range(survey.n_live[team]):
                slot = team * survey.team_size + i
                if survey.verdicts[team] == SUSPECTED and survey.maybe[slot] > survey.closed[team]:
                    continue
                if block.width == BLOCK_MAX:
                    block += 1
                    block.width = 0
                if block.width == 0:
                    block.layer, block.picks, block.end = survey.layer, self.picks + n_picks, 0
                self.picks[n_picks].neuron = survey.live[slot]
                self.picks[n_picks].team = team
                self.picks[n_picks].ends = survey.live[slot] >= ends_from(survey, team)
                n_picks += 1
                block.width += 1
                block.end = max(block.end, survey.closed[team])
        n_blocks = block - self.blocks + (block.width > 0)
        crew_do(crew, charge_block, self.blocks, n_blocks)

    cdef void untie_all(self, index_t *winner_of) noexcept nogil:
        # Who is the first of those that fire together, is told by potentials: by exact ones if need be. Writes the
        # first neuron of each class, unless the layer ends as a whole.
        cdef const Survey *survey = &self.survey
        cdef const Reach *reach = survey.reach
        cdef index_t size = reach.n_per_class, c, own, n_classes = self.n_neurons // size
        if reach.scope == FIRST_OF_LAYER:
            if survey.verdicts[0] != CLEAR:
                self.untie(&self.own[0], self.n_neurons)
            return
        for c in range(n_classes):
            if reach.scope == FIRST_OF_CLASS and survey.verdicts[c] == CLEAR:
                winner_of[c] = survey.firsts[c]
                continue
            winner_of[c] = self.untie(&self.own[c * size], size)
            if c == reach.own_class and reach.n_non_target > 0:
                own = c * size + reach.n_non_target
                self.untie(&self.own[own], size - reach.n_non_target)
        self.untie(winner_of, n_classes)

    cdef index_t untie(self, const index_t *neurons, index_t n_neurons) noexcept nogil:
        # Returns the first of some neurons to fire. Where estimates of those that fire together are too near each
        # other to tell, their potentials become exact.
        cdef const Survey *survey = &self.survey
        cdef const Charging *layer = survey.layer
        cdef index_t best = c_first(layer, neurons, n_neurons), i, j, n_rivals = 0
        cdef Pick pick
        for i in range(n_neurons):
            n_rivals += (neurons[i] != best) & rivals(survey, neurons[i], best)
        if n_rivals == 0:
            return best
        pick.team, pick.ends = 0, True
        for i in range(n_neurons):
            j = neurons[i]
            if j != best and rivals(survey, j, best):
                survey.margins[j] = -survey.margins[j]      # a mark; `best` comes last, as they are compared with it
        survey.margins[best] = -survey.margins[best]
        for i in range(n_neurons):
            pick.neuron = neurons[i]
            if survey.margins[pick.neuron] < 0:
                c_charge_picks(layer, &pick, 1, survey.places[pick.neuron])
                survey.margins[pick.neuron] = 0
        return c_first(layer, neurons, n_neurons)

    cdef void guess_better(self) noexcept nogil:
        cdef const Survey *survey = &self.survey
        cdef double ahead = 0
        cdef index_t team
        for team in range(survey.n_teams):
            ahead += survey.closed[team] - survey.start
        if survey.start > 0:
            self.target = max(1, self.target * (1 + HASTE * ahead / survey.n_teams / survey.start))


cdef real_t c_copy_row(Copy *copy, index_t neuron, const real_t *row, Py_ssize_t n_inputs) noexcept nogil:
    # Returns the highest weight of the row.
    cdef real_t low, high
    primitives.active.range_of_row(row, n_inputs, &low, &high)
    copy.scales[neuron] = copy.units[neuron] = 0
    if 1 / FAR < high < FAR:
        copy.scales[neuron] = <real_t>(COARSE_MAX / (ROOM * high))
        copy.units[neuron] = 1 / copy.scales[neuron]
        primitives.active.coarsen_row(row, n_inputs, copy.scales[neuron], copy.rows + neuron * copy.n_places)
    return high


cdef int16_t *c_row_to_learn(Copy *copy, index_t neuron, real_t highest) noexcept nogil:
    # Returns where a row that learns may be copied meanwhile; NULL if its weights, none of which will exceed `highest`,
    # might become too high for its scale.
    if copy.scales[neuron] == 0 or not <double>highest * copy.scales[neuron] <= COARSE_MAX:
        return NULL
    copy.units[neuron] = 1 / copy.scales[neuron]
    return copy.rows + neuron * copy.n_places


cdef void rest_all(const Charging *layer, real_t *margins, index_t n_neurons) noexcept nogil:
    cdef stamp_t *times = layer.times
    cdef stamp_t silent = layer.max_time
    cdef index_t j
    for j in range(n_neurons):
        times[j] = silent
    memset(layer.potentials, 0, n_neurons * sizeof(real_t))
    memset(margins, 0, n_neurons * sizeof(real_t))


cdef void charge_block(void *job, Py_ssize_t part) noexcept nogil:
    cdef const Block *block = <const Block *>job + part
    c_charge_picks(block.layer, block.picks, block.width, block.end)


cdef index_t c_first(const Charging *layer, const index_t *neurons, index_t n_neurons) noexcept nogil:
    cdef index_t best = neurons[0], i, j
    for i in range(1, n_neurons):
        j = neurons[i]
        best += (j - best) * c_sooner(layer.times, layer.potentials, j, best)
    return best


cdef inline bint rivals(const Survey *survey, index_t j, index_t best) noexcept nogil:
    # Whether the potentials of two neurons that fire together may be in another order than their estimates.
    cdef const Charging *layer = survey.layer
    cdef double margin = <double>fabs(survey.margins[j]) + fabs(survey.margins[best])
    return (
        (layer.times[j] == layer.times[best]) & (margin > 0)
        & (<double>layer.potentials[best] - layer.potentials[j] <= margin)
    )


cdef inline void sum_rows(
    const Survey *survey, const int16_t *const *rows, const index_t *slots, int width
) noexcept nogil:
    cdef int32_t sums[BLOCK_MAX]
    cdef int i
    if width == 0:
        return
    primitives.active.sum_marked[width](rows, survey.marked, survey.strips, survey.n_strips, sums)
    for i in range(width):
        survey.sums[slots[i]] = sums[i]


cdef void survey_part(void *job, Py_ssize_t part) noexcept nogil:
    cdef const Survey *survey = <const Survey *>job
    cdef const Charging *layer = survey.layer
    cdef index_t size = survey.team_size, team, first_team = <index_t>part * survey.teams_a_part
    cdef index_t end_team = min(first_team + survey.teams_a_part, survey.n_teams), j, slot
    cdef const int16_t *rows[BLOCK_MAX]
    cdef index_t slots[BLOCK_MAX]
    cdef int width = 0
    for team in range(first_team, end_team):
        slot = team * size
        for j in range(team * size, (team + 1) * size):
            survey.live[slot] = j
            slot += layer.thresholds[j] < INFINITY
        survey.n_live[team] = slot - team * size
        for slot in range(team * size, team * size + survey.n_live[team]):
            rows[width] = row_of(survey, slot)
            slots[width] = slot
            width += 1
            if width == BLOCK_MAX:
                sum_rows(survey, rows, slots, width)
                width = 0
    sum_rows(survey, rows, slots, width)
    for team in range(first_team, end_team):
        if walk_team(survey, team):
            continue
        follow(survey, team)
        if survey.verdicts[team] <= SETTLED:
            tell(survey, team)


cdef inline index_t ends_from(const Survey *survey, index_t team) noexcept nogil:
    # The first neuron of a team whose spike ends it; those before it do not.
    return team * survey.team_size + (survey.reach.n_non_target if team == survey.own_team else 0)


cdef inline const int16_t *row_of(const Survey *survey, index_t slot) noexcept nogil:
    return survey.copy.rows + survey.live[slot] * survey.copy.n_places


cdef inline Py_ssize_t end_of_group(const Spikes *spikes, Py_ssize_t k) noexcept nogil:
    # Thresholds are tested after all spikes of one time.
    while k < spikes.count and spikes.times[k] == spikes.times[k - 1]:
        k += 1
    return k


cdef bint walk_team(const Survey *survey, index_t team) noexcept nogil:
    # Tells of a small team, if there is no doubt; returns whether it was told.
    cdef const Charging *layer = survey.layer
    cdef index_t first = team * survey.team_size
    cdef int width = survey.n_live[team], n_going_on = 0, i
    cdef const int16_t *rows[BLOCK_MAX]
    cdef int32_t may[BLOCK_MAX]
    cdef int32_t must[BLOCK_MAX]
    cdef int32_t sums[BLOCK_MAX]
    cdef Py_ssize_t ends[BLOCK_MAX]
    cdef unsigned fired = 0, alone
    cdef Py_ssize_t end
    if width > BLOCK_MAX:
        return False
    for i in range(width):
        rows[i], sums[i] = row_of(survey, first + i), survey.sums[first + i]
        may[i], must[i] = survey.may[survey.live[first + i]], survey.must[survey.live[first + i]]
        n_going_on += survey.live[first + i] < ends_from(survey, team)
    # First those that end the team, then each of those that do not.
    i = n_going_on
    end = walk(
        width - i, &rows[i], layer.spikes, survey.start, survey.bounded, &may[i], &must[i], &sums[i], &fired
    )
    if end == WALK_DOUBT:
        return False
    fired <<= n_going_on
    for i in range(n_going_on):
        ends[i] = walk(
            1, &rows[i], layer.spikes, survey.start, survey.bounded, &may[i], &must[i], &sums[i], &alone
        )
        if ends[i] == WALK_DOUBT:
            return False
        fired |= <unsigned>(ends[i] != WALK_SILENT and (end == WALK_SILENT or ends[i] <= end)) << i
    survey.closed[team] = <int32_t>(layer.spikes.count if end == WALK_SILENT else end)
    survey.verdicts[team] = CLEAR if fired != 0 and fired & (fired - 1) == 0 and end != WALK_SILENT else SETTLED
    for i in range(n_going_on, width):
        ends[i] = end
    if end == WALK_SILENT:
        for i in range(width):
            if not fired >> i & 1:
                estimate(survey, survey.live[first + i], sums[i], layer.spikes.count)
    while fired:
        i = lowest(fired)
        fired &= fired - 1
        survey.firsts[team] = survey.live[first + i]
        layer.times[survey.live[first + i]] = layer.spikes.times[ends[i] - 1]
        estimate(survey, survey.live[first + i], sums[i], ends[i])
    return True


cdef void go_back(const Survey *survey, index_t slot) noexcept nogil:
    # The neuron may have fired by now: looks where it may have first, and from where on it must have.
    cdef const Spikes *spikes = survey.layer.spikes
    cdef const int16_t *row = row_of(survey, slot)
    cdef int32_t sum = survey.sums[slot]
    cdef int32_t may = survey.may[survey.live[slot]], must = survey.must[survey.live[slot]]
    cdef Py_ssize_t k = survey.start, end
    if sum > must:
        while k > 0 and sum > must:
            k -= 1
            sum -= row[coarse_place(spikes.inputs[k])]
        survey.surely[slot] = <int32_t>end_of_group(spikes, k + 1)
    while k > 0 and sum + k > may:
        k -= 1
        sum -= row[coarse_place(spikes.inputs[k])]
    end = end_of_group(spikes, k + 1)
    survey.maybe[slot] = <int32_t>end
    while k < end:
        sum += row[coarse_place(spikes.inputs[k])]
        k += 1
    survey.sums_then[slot] = sum


cdef bint go_on(const Survey *survey, index_t first, index_t end, Py_ssize_t k) noexcept nogil:
    # Adds the spike at k for some of a team's neurons; returns whether one may have fired.
    cdef const int16_t *column = survey.copy.rows + coarse_place(survey.layer.spikes.inputs[k])
    cdef bint found = False
    cdef index_t slot, j
    for slot in range(first, end):
        j = survey.live[slot]
        survey.sums[slot] += column[j * survey.copy.n_places]
        found |= survey.sums[slot] + k + 1 > survey.may[j]
    return found


cdef Py_ssize_t bound_anywhere(const Survey *survey, index_t first) noexcept nogil:
    # Makes `may` and `must` of the team that begins with `first` hold up to the last spike; returns its position.
    cdef const Charging *layer = survey.layer
    primitives.active.bound(
        layer.thresholds + first, survey.copy.units + first, layer.factors + first, survey.team_size,
        layer.spikes.count, survey.may + first, survey.must + first,
    )
    return layer.spikes.count


cdef void follow(const Survey *survey, index_t team) noexcept nogil:
    # Writes when the team surely has fired, and its verdict.
    cdef const Charging *layer = survey.layer
    cdef const Spikes *spikes = layer.spikes
    cdef index_t first = team * survey.team_size, n = survey.n_live[team], end = first + n, slot, j
    cdef index_t first_to_end = ends_from(survey, team)
    cdef Py_ssize_t k = survey.start, bounded = survey.bounded
    cdef int32_t closed = NEVER
    cdef index_t n_fired = 0
    cdef bint doubt = False
    for slot in range(first, end):
        survey.maybe[slot] = survey.surely[slot] = NEVER
    if k > 0:
        for slot in range(first, end):
            j = survey.live[slot]
            if survey.sums[slot] + k > survey.may[j]:
                go_back(survey, slot)
                if j >= first_to_end:
                    closed = min(closed, survey.surely[slot])
    while closed == NEVER and k < spikes.count and n:
        if k >= bounded:
            bounded = bound_anywhere(survey, first)
        k += 1
        if not go_on(survey, first, end, k - 1):
            continue
        while k < spikes.count and spikes.times[k] == spikes.times[k - 1]:
            k += 1
            go_on(survey, first, end, k - 1)
        if k > bounded:
            bounded = bound_anywhere(survey, first)
        for slot in range(first, end):
            j = survey.live[slot]
            if survey.surely[slot] < NEVER or survey.sums[slot] + k <= survey.may[j]:
                continue
            if survey.maybe[slot] == NEVER:
                survey.maybe[slot] = <int32_t>k
                survey.sums_then[slot] = survey.sums[slot]
            if survey.sums[slot] > survey.must[j]:
                survey.surely[slot] = <int32_t>k
                if j >= first_to_end:
                    closed = <int32_t>k
    for slot in range(first, end):
        if survey.maybe[slot] < NEVER and survey.maybe[slot] <= closed:
            doubt |= survey.maybe[slot] != survey.surely[slot]
            survey.firsts[team] = survey.live[slot]
            n_fired += 1
    if doubt:
        survey.verdicts[team] = SUSPECTED if closed < NEVER else OPEN
    else:
        survey.verdicts[team] = CLEAR if n_fired == 1 and closed < NEVER else SETTLED
    survey.closed[team] = closed if closed < NEVER else <int32_t>spikes.count


cdef void tell(const Survey *survey, index_t team) noexcept nogil:
    # Writes times and potentials of the neurons that fired until the team was closed; if it never was, of all.
    cdef const Charging *layer = survey.layer
    cdef index_t first = team * survey.team_size, slot
    cdef index_t first_to_end = ends_from(survey, team)
    cdef int32_t closed = survey.closed[team]
    cdef bint silent = survey.verdicts[team] == SETTLED
    if silent:
        for slot in range(first, first + survey.n_live[team]):
            silent &= survey.maybe[slot] > closed or survey.live[slot] < first_to_end
    for slot in range(first, first + survey.n_live[team]):
        if survey.maybe[slot] <= closed:
            layer.times[survey.live[slot]] = layer.spikes.times[survey.maybe[slot] - 1]
            estimate(survey, survey.live[slot], survey.sums_then[slot], survey.maybe[slot])
        elif silent:
            estimate(survey, survey.live[slot], survey.sums[slot], layer.spikes.count)


cdef void estimate(const Survey *survey, index_t neuron, int64_t sum, Py_ssize_t k) noexcept nogil:
    # Each of k weights is less than one unit below, and each of k sums was rounded by 2^-24 of it at most.
    cdef double unit = <double>survey.copy.units[neuron] * survey.layer.factors[neuron]
    cdef double high = unit * (sum + k), middle = unit * (sum + 0.5 * k)
    survey.places[neuron] = <int32_t>k
    survey.layer.potentials[neuron] = <real_t>middle
    survey.margins[neuron] = <real_t>(0.5 * unit * k + high * (1e-6 + 6.4e-8 * k))
