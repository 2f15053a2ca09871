"""Potentials estimated ahead of the samples that need them, which settle most first spikes before any exact sum.

Only when a neuron fires matters, and with which others; its potential to the last bit does not.
So the potentials of the next AHEAD samples, each at a position guessed to be where neurons fire,
are estimated at once: a row's weights are made whole numbers of two bytes, which can be added in
any order, sixteen or more at a time, and are off by less than one unit a spike.
What a neuron learns meanwhile from one of these samples moves each of its later estimates by what
the step does to an input, times the number of inputs that the two samples have in common; the few
weights that a bound holds back are counted one by one. From the guessed position each team of
competing neurons is followed back or on to where its first neuron fires, which is not far. Where
the estimate leaves open which spike or which neuron it is, those concerned are charged exactly, in
the order of the spikes. So the outcome has the bits that it would have without a sieve.
"""
import cython
from libc.math cimport INFINITY, fabs
from libc.stdint cimport INT32_MAX, int16_t, int32_t, int64_t, uint8_t, uint16_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

import numpy as np

from spikenn_cy.dtypes import INDEX, REAL
from spikenn_cy.kernels.charge cimport ALL, FIRST_OF_CLASS, FIRST_OF_LAYER, Charging, Pick, Reach, c_charge_picks
from spikenn_cy.kernels.crew cimport Crew, crew_do
from spikenn_cy.kernels.dense cimport (
    AHEAD, ANTICAUSAL, BLOCK_MAX, CAUSAL, COARSE_MAX, PLACES_OF, SILENT, STRIP_LEAST, Step, dense,
)
from spikenn_cy.kernels.spikes cimport Spikes
from spikenn_cy.kernels.winner cimport c_sooner
from spikenn_cy.utils.alignment import aligned
from spikenn_cy.types cimport index_t, real_t, stamp_t

cdef extern from "walk.h" nogil:
    enum:
        WALK_DOUBT
        WALK_SILENT

    double SMALLEST
    void bound(float threshold, double highest, double off, Py_ssize_t end, Walker *walker)
    Py_ssize_t walk(int width, const Walker *walkers, const Spikes *spikes, Py_ssize_t start, Py_ssize_t bounded,
                    double *potentials, unsigned *fired)
    int lowest(unsigned bits)


cdef int32_t NEVER = INT32_MAX

# Rows that are summed at once, and inputs at most: they stay in the first-level cache for all samples.
cdef enum:
    ROWS_AT_ONCE = 8
    INPUTS_AT_ONCE = 1536

# Potentials of weights that far from 1 are not estimated: they might soon not be numbers, or too small for single
# precision to keep to its share of rounding.
cdef double FAR = 1e18

# Of each weight, by which two roundings in single precision may move it, and a bit.
cdef double ROUNDED = 1.3e-7

# Neurons of which it is learned where a sample's spikes likely make neurons fire, and samples until it is done again.
cdef index_t LIKELY_NEURONS = 32
cdef Py_ssize_t LIKELY_SAMPLES = 512
cdef double LIKELY_MAX = 1e6

# How far the next guesses go after where the teams of the last samples fired.
cdef double HASTE = 0.5

# Weights held back by a bound that are counted one by one: of so many inputs one, and so many at most. For so many
# steps of a row that had more, they are not even looked for.
cdef enum:
    CLIPPED_OF = 32
    CLIPPED_MAX = 256
    CROWDED = 64


@cython.final
cdef class Sieve:
    """The forecast and a sample's way through the sieve; owned by one `Epoch`.

    Parameters
    ----------
    n_neurons, n_inputs : int
        Sizes of the layer; `COARSE_INPUTS` inputs at most.
    """

    def __cinit__(self, Py_ssize_t n_neurons, *args):
        self.survey.walkers = <Walker *>malloc(n_neurons * sizeof(Walker))
        self.survey.verdicts = <Verdict *>malloc(n_neurons * sizeof(Verdict))
        self.picks = <Pick *>malloc(n_neurons * sizeof(Pick))
        self.blocks = <Block *>malloc((n_neurons // BLOCK_MAX + 1) * sizeof(Block))
        if (
            self.survey.walkers is NULL or self.survey.verdicts is NULL or self.picks is NULL
            or self.blocks is NULL
        ):
            raise MemoryError

    def __dealloc__(self):
        free(self.survey.walkers)
        free(self.survey.verdicts)
        free(self.picks)
        free(self.blocks)

    def __init__(self, index_t n_neurons, Py_ssize_t n_inputs):
        cdef Py_ssize_t n_places = (n_inputs + PLACES_OF - 1) // PLACES_OF * PLACES_OF
        cdef Py_ssize_t n_blocks = (n_places + INPUTS_AT_ONCE - 1) // INPUTS_AT_ONCE
        cdef uint16_t[::1] members = aligned(n_places, np.uint16), live = np.full(n_neurons, 0xffff, np.uint16)
        cdef int16_t[::1] coarse = aligned(n_neurons * n_places, np.int16)
        cdef uint8_t[:, ::1] flags = np.zeros((2, n_neurons), np.uint8)
        # A strip that holds no member is written too, and then written over.
        cdef int32_t[:, ::1] strips = np.zeros((AHEAD, n_places // STRIP_LEAST + 1), INDEX)
        cdef int32_t[:, ::1] cuts = np.zeros((AHEAD, n_blocks + 1), INDEX)
        cdef double[:, ::1] potentials = aligned((n_neurons, AHEAD), np.float64)
        cdef double[:, ::1] doubles = np.zeros((3, n_neurons))
        cdef real_t[:, ::1] reals = np.zeros((2, n_neurons), REAL)
        cdef int32_t[:, ::1] counts = np.zeros((7, n_neurons), INDEX)
        self.arrays = [members, live, coarse, flags, strips, cuts, potentials, doubles, reals, counts]
        self.n_neurons = n_neurons
        self.n_inputs = n_inputs
        self.likely = np.zeros(n_inputs, INDEX)
        self.likely_sums = np.zeros(n_inputs)
        self.own = np.arange(n_neurons, dtype=INDEX)
        self.forecast.n_neurons, self.forecast.n_inputs = n_neurons, n_inputs
        self.forecast.members, self.forecast.live, self.forecast.strips = &members[0], &live[0], &strips[0, 0]
        self.forecast.n_places, self.forecast.strips_of = n_places, strips.shape[1]
        self.forecast.n_blocks, self.forecast.cuts = n_blocks, &cuts[0, 0]
        self.forecast.block_size = (n_places // PLACES_OF + n_blocks - 1) // n_blocks * PLACES_OF
        self.forecast.coarse, self.forecast.scales = &coarse[0], &reals[0, 0]
        self.forecast.fresh, self.forecast.crowded = &flags[0, 0], &flags[1, 0]
        self.forecast.potentials, self.forecast.off = &potentials[0, 0], &doubles[0, 0]
        self.survey.forecast = &self.forecast
        self.survey.potentials, self.survey.then, self.survey.margins = &doubles[1, 0], &doubles[2, 0], &reals[1, 0]
        self.survey.maybe, self.survey.surely = &counts[0, 0], &counts[1, 0]
        self.survey.live, self.survey.n_live = &counts[2, 0], &counts[3, 0]
        self.survey.closed, self.survey.places, self.survey.firsts = &counts[4, 0], &counts[5, 0], &counts[6, 0]

    cdef void measure(
        self, const real_t[:, ::1] weights, const real_t[::1] factors, const real_t[::1] thresholds,
        real_t[::1] lowest, real_t[::1] highest,
    ) noexcept nogil:
        # Tells between which bounds the weights of each row are, where nothing did, or where steps have since moved
        # the bounds rather than the weights; and what is likely.
        cdef index_t j
        cdef bint again = self.age >= LIKELY_SAMPLES or self.target == 0
        for j in range(self.n_neurons):
            if (again and not self.forecast.fresh[j]) or not (lowest[j] > -INFINITY and highest[j] < INFINITY):
                dense().range_of_row(&weights[j, 0], self.n_inputs, &lowest[j], &highest[j])
        self.forecast.weights, self.forecast.factors = &weights[0, 0], &factors[0]
        self.forecast.highest = &highest[0]
        if again:
            self.expect(weights, factors, thresholds)
            self.age = 0

    cdef void expect(
        self, const real_t[:, ::1] weights, const real_t[::1] factors, const real_t[::1] thresholds
    ) noexcept nogil:
        # Neurons fire where the mean of their potentials, or nearly so, is what it was when they fired before.
        cdef index_t j = 0, n_summed = 0, n_limits = 0, stride = (self.n_neurons + LIKELY_NEURONS - 1) // LIKELY_NEURONS
        cdef double limits = 0, most = 0, factor
        cdef const real_t *row
        cdef Py_ssize_t i
        for i in range(self.n_inputs):
            self.likely_sums[i] = 0
        while j < self.n_neurons:
            row, factor = &weights[j, 0], factors[j]
            for i in range(self.n_inputs):
                self.likely_sums[i] += factor * row[i]
            n_summed += 1
            j += stride
        for i in range(self.n_inputs):
            most = max(most, self.likely_sums[i])
        self.likely_unit = most / LIKELY_MAX / n_summed if 1 / FAR < most < FAR else 0
        for i in range(self.n_inputs):
            self.likely[i] = 0
            if self.likely_unit > 0 and self.likely_sums[i] <= most:      # weights may have become no numbers
                self.likely[i] = <int32_t>(self.likely_sums[i] * (LIKELY_MAX / most))
        if self.target <= 0:
            for j in range(self.n_neurons):
                if fabs(thresholds[j]) < INFINITY:
                    limits += thresholds[j]
                    n_limits += 1
            # Thresholds may not be above 0, or none may be a number.
            self.target = max(limits / max(n_limits, 1), self.likely_unit, 1 / FAR)

    cdef void look_ahead(self, const Spikes *spikes, int n_samples, Crew *crew) noexcept nogil:
        # Estimates the potentials of the next samples. Which neurons are dropped has been told.
        cdef Forecast *forecast = &self.forecast
        cdef Py_ssize_t k, block
        cdef Py_ssize_t n_listed[AHEAD]
        cdef const int32_t *strips
        cdef int32_t *cuts
        cdef int b
        if forecast.n_samples > 0:
            self.target = min(max(self.target * (1 + HASTE * self.ahead / forecast.n_samples), 1 / FAR), FAR)
        self.ahead = 0
        memset(forecast.members, 0, forecast.n_places * sizeof(uint16_t))
        for b in range(n_samples):
            forecast.starts[b] = self.guess(&spikes[b], b)
        forecast.n_samples, forecast.now = n_samples, 0
        self.age = self.age + n_samples
        dense().list_strips(
            forecast.members, forecast.n_places, forecast.strips_of, forecast.strips, n_listed
        )
        for b in range(n_samples):
            strips, cuts = forecast.strips + b * forecast.strips_of, forecast.cuts + b * (forecast.n_blocks + 1)
            k = 0
            for block in range(forecast.n_blocks + 1):
                while k < n_listed[b] and strips[k] < block * forecast.block_size:
                    k += 1
                cuts[block] = <int32_t>k
        crew_do(crew, foresee_part, forecast, (self.n_neurons + ROWS_AT_ONCE - 1) // ROWS_AT_ONCE)

    cdef void expire(self) noexcept nogil:
        # Rows are about to learn without being followed.
        memset(self.forecast.fresh, 0, self.n_neurons)

    cdef void settle(self, const real_t[::1] factors) noexcept nogil:
        # The rows are about to be multiplied by their factors.
        cdef uint8_t *fresh = self.forecast.fresh
        cdef index_t j
        for j in range(self.n_neurons):
            fresh[j] = fresh[j] and factors[j] == 1

    cdef Py_ssize_t guess(self, const Spikes *spikes, int sample) noexcept nogil:
        # Makes inputs that fire before neurons likely do members of the sample; returns how many do.
        cdef uint16_t bit = <uint16_t>(1 << sample)
        cdef uint16_t *members = self.forecast.members
        cdef const int32_t *likely = &self.likely[0]
        cdef const index_t *inputs = spikes.inputs
        cdef Py_ssize_t k = 0, end
        cdef int64_t sum = 0, target = 0
        if self.likely_unit > 0:
            target = <int64_t>min(self.target / self.likely_unit, 1e18)
        while k < spikes.count and sum < target:
            members[inputs[k]] |= bit
            sum += likely[inputs[k]]
            k += 1
        end = end_of_group(spikes, k) if k > 0 else 0
        while k < end:
            members[inputs[k]] |= bit
            k += 1
        return k

    cdef void charge_layer(
        self, const Charging *layer, const Reach *reach, Crew *crew, index_t *winner_of
    ) noexcept nogil:
        # Of the present sample.
        cdef index_t size = reach.n_per_class
        cdef const Spikes *spikes = layer.spikes
        cdef const Forecast *forecast = &self.forecast
        cdef Survey *survey = &self.survey
        if reach.scope == FIRST_OF_LAYER:
            size = self.n_neurons
        elif reach.scope == ALL:
            size = 1
        survey.layer, survey.reach = layer, reach
        survey.team_size, survey.n_teams = size, self.n_neurons // size
        survey.own_team = reach.own_class if reach.scope == FIRST_OF_CLASS else -1
        survey.teams_a_part = max(1, BLOCK_MAX // size)
        survey.start = forecast.starts[forecast.now]
        survey.bounded = min(spikes.count, survey.start + survey.start // 32 + 8)
        rest_all(layer, survey.margins, self.n_neurons)
        crew_do(crew, survey_part, survey, (survey.n_teams + survey.teams_a_part - 1) // survey.teams_a_part)
        self.charge_suspects(crew)
        self.untie_all(winner_of)
        self.note_ahead()

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

    cdef void note_ahead(self) noexcept nogil:
        cdef const Survey *survey = &self.survey
        cdef double ahead = 0
        cdef index_t team
        for team in range(survey.n_teams):
            ahead += survey.closed[team] - survey.start
        self.ahead = self.ahead + ahead / survey.n_teams / max(<Py_ssize_t>1, survey.start)


cdef void foresee_rows(const Forecast *forecast, const index_t *neurons, int width, int first) noexcept nogil:
    # Estimates the potentials of the samples from `first` on, of ROWS_AT_ONCE neurons at most.
    cdef const int16_t *rows[AHEAD][ROWS_AT_ONCE]      # of the neurons that live in each sample
    cdef double *potentials[AHEAD][ROWS_AT_ONCE]
    cdef int n_live[AHEAD]
    cdef int32_t sums[ROWS_AT_ONCE]
    cdef const int32_t *cuts
    cdef Py_ssize_t block
    cdef double unit
    cdef int j, b, live
    cdef index_t neuron
    for j in range(width):
        copy_row(forecast, neurons[j])
    for b in range(first, forecast.n_samples):
        live = 0
        for j in range(width):
            neuron = neurons[j]
            rows[b][live] = forecast.coarse + neuron * forecast.n_places
            potentials[b][live] = forecast.potentials + neuron * AHEAD + b
            potentials[b][live][0] = 0
            live += forecast.live[neuron] >> b & 1
        n_live[b] = live
    for block in range(forecast.n_blocks):
        for b in range(first, forecast.n_samples):
            cuts = forecast.cuts + b * (forecast.n_blocks + 1) + block
            live = n_live[b]
            if live == 0 or cuts[0] == cuts[1]:
                continue
            dense().sum_members[live](
                rows[b], forecast.members, b, forecast.strips + b * forecast.strips_of + cuts[0], cuts[1] - cuts[0],
                sums,
            )
            for j in range(live):
                potentials[b][j][0] += sums[j]
    for j in range(width):
        neuron = neurons[j]
        forecast.off[neuron] = INFINITY
        if forecast.scales[neuron] == 0:
            continue
        unit = <double>forecast.factors[neuron] / forecast.scales[neuron]
        for b in range(first, forecast.n_samples):
            forecast.potentials[neuron * AHEAD + b] = (
                unit * (forecast.potentials[neuron * AHEAD + b] + 0.5 * forecast.starts[b])
            )
        forecast.off[neuron] = 0.5 * unit + ROUNDED * forecast.highest[neuron] * forecast.factors[neuron]


cdef void copy_row(const Forecast *forecast, index_t neuron) noexcept nogil:
    # Makes the row's weights whole numbers, if they are not.
    cdef double highest = forecast.highest[neuron], applied = highest * forecast.factors[neuron]
    if forecast.fresh[neuron]:
        return
    forecast.fresh[neuron] = True
    forecast.scales[neuron] = 0
    if 1 / FAR < highest < FAR and 1 / FAR < applied < FAR:
        forecast.scales[neuron] = <real_t>(COARSE_MAX / highest)
        dense().coarsen_row(
            forecast.weights + neuron * forecast.n_inputs, forecast.n_inputs, forecast.scales[neuron],
            forecast.coarse + neuron * forecast.n_places,
        )


cdef void foresee_part(void *job, Py_ssize_t part) noexcept nogil:
    cdef const Forecast *forecast = <const Forecast *>job
    cdef index_t neurons[ROWS_AT_ONCE]
    cdef index_t first = <index_t>part * ROWS_AT_ONCE
    cdef int width = min(<index_t>ROWS_AT_ONCE, forecast.n_neurons - first), j
    for j in range(width):
        neurons[j] = first + j
    foresee_rows(forecast, neurons, width, 0)


cdef void c_foresee_anew(Forecast *forecast, index_t neuron) noexcept nogil:
    # After a step of which nothing could be foretold.
    forecast.fresh[neuron] = False
    if forecast.now + 1 < forecast.n_samples:
        foresee_rows(forecast, &neuron, 1, forecast.now + 1)


cdef bint c_foresee_step(
    Forecast *forecast,
    index_t neuron,
    const Step *bare,             # that is about to be taken
    const int32_t *marks,         # what each input's spike is to it
    const uint16_t *n_causal,     # how many causal inputs are members of each sample ...
    const uint16_t *n_told,       # ... and how many causal and anti-causal ones
) noexcept nogil:
    # Moves the neuron's later estimates by what the step does; returns False if that cannot be told.
    cdef double *potentials = forecast.potentials + neuron * AHEAD
    cdef double causal = bare.changes[CAUSAL], anticausal = bare.changes[ANTICAUSAL], silent = bare.changes[SILENT]
    cdef int32_t clipped[CLIPPED_MAX]
    cdef double by[CLIPPED_MAX]
    cdef Py_ssize_t n_clipped = 0, room, c
    cdef int b, first = forecast.now + 1
    cdef unsigned of
    forecast.fresh[neuron] = False
    if first >= forecast.n_samples:
        return True
    if forecast.crowded[neuron]:
        forecast.crowded[neuron] -= 1
        return False
    if not (bare.lowest >= bare.w_min and bare.highest <= bare.w_max):
        room = min(<Py_ssize_t>CLIPPED_MAX, forecast.n_inputs // CLIPPED_OF)
        n_clipped = dense().find_clipped(
            forecast.weights + neuron * forecast.n_inputs, marks, forecast.n_inputs, bare, room, clipped, by
        )
        if n_clipped > room:
            forecast.crowded[neuron] = CROWDED
            return False
    for b in range(first, forecast.n_samples):
        potentials[b] += (
            causal * n_causal[b] + anticausal * (n_told[b] - n_causal[b]) + silent * (forecast.starts[b] - n_told[b])
        )
    for c in range(n_clipped):
        of = forecast.members[clipped[c]] >> first
        b = first
        while of:
            b += lowest(of)
            potentials[b] += by[c]
            of >>= lowest(of) + 1
            b += 1
    return True


cdef void c_foresee_factor(Forecast *forecast, index_t neuron, const Step *bare) noexcept nogil:
    # After that step, of which each weight was rounded.
    cdef double *potentials = forecast.potentials + neuron * AHEAD
    cdef double factor = forecast.factors[neuron]
    cdef double change = max(fabs(bare.changes[CAUSAL]), fabs(bare.changes[ANTICAUSAL]), fabs(bare.changes[SILENT]))
    cdef double size = change + max(fabs(bare.lowest), fabs(bare.highest)), highest = forecast.highest[neuron]
    cdef int b
    for b in range(forecast.now + 1, forecast.n_samples):
        potentials[b] *= factor
    forecast.off[neuron] = factor * (forecast.off[neuron] + ROUNDED * size)
    if not (1 / FAR < factor * highest < FAR and 1 / FAR < highest < FAR):
        forecast.off[neuron] = INFINITY


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


cdef void survey_part(void *job, Py_ssize_t part) noexcept nogil:
    cdef const Survey *survey = <const Survey *>job
    cdef const Charging *layer = survey.layer
    cdef const Forecast *forecast = survey.forecast
    cdef index_t size = survey.team_size, team, first_team = <index_t>part * survey.teams_a_part
    cdef index_t end_team = min(first_team + survey.teams_a_part, survey.n_teams), j, slot
    for team in range(first_team, end_team):
        slot = team * size
        for j in range(team * size, (team + 1) * size):
            survey.live[slot] = j
            survey.potentials[slot] = forecast.potentials[j * AHEAD + forecast.now] if forecast.off[j] < INFINITY else 0
            if layer.thresholds[j] < INFINITY:
                look_at(survey, j, survey.bounded)
                slot += 1
        survey.n_live[team] = slot - team * size
        if walk_team(survey, team):
            continue
        follow(survey, team)
        if survey.verdicts[team] <= SETTLED:
            tell(survey, team)


cdef void look_at(const Survey *survey, index_t neuron, Py_ssize_t end) noexcept nogil:
    # Makes the neuron a walker, whose bounds hold up to `end`.
    cdef const Charging *layer = survey.layer
    cdef Walker *walker = &survey.walkers[neuron]
    cdef double off = survey.forecast.off[neuron]
    walker.weights, walker.factor = layer.weights + neuron * layer.n_inputs, layer.factors[neuron]
    if off < INFINITY:
        bound(
            layer.thresholds[neuron], survey.forecast.highest[neuron] * walker.factor, off * survey.start, end, walker
        )
    else:                         # it may always fire, and never must
        walker.may, walker.must = -INFINITY, INFINITY


cdef inline index_t ends_from(const Survey *survey, index_t team) noexcept nogil:
    # The first neuron of a team whose spike ends it; those before it do not.
    return team * survey.team_size + (survey.reach.n_non_target if team == survey.own_team else 0)


cdef inline double charge_of(const Walker *walker, const Spikes *spikes, Py_ssize_t k) noexcept nogil:
    return walker.weights[spikes.inputs[k]] * walker.factor


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
    cdef Walker walkers[BLOCK_MAX]
    cdef double potentials[BLOCK_MAX]
    cdef Py_ssize_t ends[BLOCK_MAX]
    cdef unsigned fired = 0, alone
    cdef Py_ssize_t end
    if width > BLOCK_MAX:
        return False
    for i in range(width):
        walkers[i], potentials[i] = survey.walkers[survey.live[first + i]], survey.potentials[first + i]
        n_going_on += survey.live[first + i] < ends_from(survey, team)
    # First those that end the team, then each of those that do not.
    i = n_going_on
    end = walk(width - i, &walkers[i], layer.spikes, survey.start, survey.bounded, &potentials[i], &fired)
    if end == WALK_DOUBT:
        return False
    fired <<= n_going_on
    for i in range(n_going_on):
        ends[i] = walk(1, &walkers[i], layer.spikes, survey.start, survey.bounded, &potentials[i], &alone)
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
                estimate(survey, survey.live[first + i], potentials[i], layer.spikes.count)
    while fired:
        i = lowest(fired)
        fired &= fired - 1
        survey.firsts[team] = survey.live[first + i]
        layer.times[survey.live[first + i]] = layer.spikes.times[ends[i] - 1]
        estimate(survey, survey.live[first + i], potentials[i], ends[i])
    return True


cdef void go_back(const Survey *survey, index_t slot) noexcept nogil:
    # The neuron may have fired by now: looks where it may have first, and from where on it must have.
    cdef const Spikes *spikes = survey.layer.spikes
    cdef const Walker *walker = &survey.walkers[survey.live[slot]]
    cdef double potential = survey.potentials[slot]
    cdef Py_ssize_t k = survey.start, end
    if potential > walker.must:
        while k > 0 and potential > walker.must:
            k -= 1
            potential -= charge_of(walker, spikes, k)
        survey.surely[slot] = <int32_t>end_of_group(spikes, k + 1)
    while k > 0 and not potential <= walker.may:       # which may have become no number
        k -= 1
        potential -= charge_of(walker, spikes, k)
    end = end_of_group(spikes, k + 1)
    survey.maybe[slot] = <int32_t>end
    while k < end:
        potential += charge_of(walker, spikes, k)
        k += 1
    survey.then[slot] = potential


cdef void go_on(const Survey *survey, index_t slot, int32_t closed) noexcept nogil:
    # The neuron has not surely fired by now: looks where it may, and from where on it must have, unless its team is
    # closed before that.
    cdef const Spikes *spikes = survey.layer.spikes
    cdef index_t neuron = survey.live[slot]
    cdef const Walker *walker = &survey.walkers[neuron]
    cdef double potential = survey.potentials[slot], may = walker.may
    cdef Py_ssize_t k = survey.start, bounded = survey.bounded, end = min(<Py_ssize_t>closed, spikes.count)
    while k < end:
        potential += charge_of(walker, spikes, k)
        k += 1
        if potential <= may and k <= bounded:
            continue
        while k < spikes.count and spikes.times[k] == spikes.times[k - 1]:
            potential += charge_of(walker, spikes, k)
            k += 1
        if k > bounded:
            bounded = spikes.count
            look_at(survey, neuron, bounded)
            may = walker.may
        if potential <= may:
            continue
        if survey.maybe[slot] == NEVER:
            survey.maybe[slot] = <int32_t>k
            survey.then[slot] = potential
        if potential > walker.must:
            survey.surely[slot] = <int32_t>k
            break
    survey.potentials[slot] = potential


cdef void follow(const Survey *survey, index_t team) noexcept nogil:
    # Writes when the team surely has fired, and its verdict.
    cdef const Charging *layer = survey.layer
    cdef const Spikes *spikes = layer.spikes
    cdef index_t first = team * survey.team_size, end = first + survey.n_live[team], slot
    cdef index_t first_to_end = ends_from(survey, team)
    cdef int32_t closed = NEVER
    cdef index_t n_fired = 0
    cdef bint doubt = False
    for slot in range(first, end):
        survey.maybe[slot] = survey.surely[slot] = NEVER
    for slot in range(first, end):
        if survey.start > 0 and not survey.potentials[slot] <= survey.walkers[survey.live[slot]].may:
            go_back(survey, slot)
            if survey.live[slot] >= first_to_end:
                closed = min(closed, survey.surely[slot])
    for slot in range(first, end):
        if survey.surely[slot] == NEVER:
            go_on(survey, slot, closed)
            if survey.live[slot] >= first_to_end:
                closed = min(closed, survey.surely[slot])
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
            estimate(survey, survey.live[slot], survey.then[slot], survey.maybe[slot])
        elif silent:
            estimate(survey, survey.live[slot], survey.potentials[slot], layer.spikes.count)


cdef void estimate(const Survey *survey, index_t neuron, double potential, Py_ssize_t k) noexcept nogil:
    # Each of k sums was rounded by 2^-24 of it at most, and charges too small for that by half of the smallest number.
    cdef double off = survey.forecast.off[neuron] * survey.start
    survey.places[neuron] = <int32_t>k
    survey.layer.potentials[neuron] = <real_t>potential
    survey.margins[neuron] = <real_t>(1.001 * off + (fabs(potential) + off) * (1e-6 + 6.4e-8 * k) + SMALLEST * (k + 5))
