"""The one hot loop: forward pass, vote, regulation and learning of a layer, sample by sample."""
import cython
from libc.math cimport INFINITY
from libc.stdint cimport int32_t, uint16_t, uint64_t
from libc.stdlib cimport calloc, free, malloc

import numpy as np

from spikenn_cy.dtypes import FLAG, INDEX, OFFSET, REAL, STAMP
from spikenn_cy.network._sieve cimport (
    Forecast, Sieve, c_foresee_anew, c_foresee_factor, c_foresee_step,
)
from spikenn_cy.errors import ConfigError
from spikenn_cy.kernels.answer cimport Answer, Layout, is_target
from spikenn_cy.kernels.charge cimport FIRST_OF_LAYER, Charging, Reach, c_charge_layer
from spikenn_cy.kernels.crew cimport Crew, crew_dismiss, crew_do, crew_gather, crew_size
from spikenn_cy.kernels.dropout cimport INPUTS, OUTPUT_NEURONS, c_draw_mask
from spikenn_cy.kernels.marks cimport Marks, c_mark_late, c_mark_until, c_take_back
from spikenn_cy.kernels.dense cimport AHEAD, COARSE_INPUTS, PLACES_OF, Step
from spikenn_cy.kernels.spikes cimport Spikes
from spikenn_cy.kernels.stdp cimport Plasticity, RowStep, c_learn_row, c_prepare_step, c_settle
from spikenn_cy.kernels.winner cimport c_first_to_fire, c_sooner
from spikenn_cy.utils.alignment import aligned
from spikenn_cy.neurons._base cimport Neuron
from spikenn_cy.regulators._base cimport Regulator
from spikenn_cy.rules._base cimport Rule
from spikenn_cy.types cimport flag_t, index_t, offset_t, real_t, stamp_t


# Threads meet twice a sample, which a layer of fewer weights does not pay for.
cdef Py_ssize_t SHARED_WEIGHTS = 1_000_000

SIEVES = ("auto", "always", "never")
cdef str sieve_use = "auto"


def use_sieve(str use):
    """Choose when neurons are sifted before they are charged; results keep their bits.

    For tests and measurements: ``"auto"`` is meant for all else.

    Parameters
    ----------
    use : {"auto", "always", "never"}

    Raises
    ------
    ConfigError
        If ``use`` is none of them.
    """
    global sieve_use
    if use not in SIEVES:
        raise ConfigError(f"sieve: must be one of {', '.join(SIEVES)}, got {use!r}")
    sieve_use = use


@cython.final
cdef class Observation:
    """What one epoch of training did to each neuron, counted while it runs; results do not depend on it.

    Parameters
    ----------
    n_samples, n_classes, n_per_class : int
        Sizes of the epoch and of the layer.

    Attributes
    ----------
    labels : ndarray of int32, shape (n_samples,)
        The class of each sample, in training order.
    training_thresholds : ndarray of float32, shape (n_samples, n_per_class)
        Of the neurons of each sample's class, after that sample, in training order.
    target_updates, non_target_updates : ndarray of int64, shape (n_neurons,)
        Steps of each neuron towards an early spike (a target neuron of the sample's class)
        and towards a late one (any other); a step without an error counts.
    votes, right_votes : ndarray of int64, shape (n_neurons,)
        Samples whose class each neuron decided, and rightly.
    """

    cdef readonly object labels
    cdef readonly object training_thresholds
    cdef readonly object target_updates
    cdef readonly object non_target_updates
    cdef readonly object votes
    cdef readonly object right_votes
    cdef Py_ssize_t sample
    cdef Layout layout
    cdef index_t[::1] classes
    cdef real_t[:, ::1] thresholds
    cdef offset_t[:, ::1] counts

    def __init__(self, Py_ssize_t n_samples, index_t n_classes, index_t n_per_class, index_t n_non_target):
        counts = np.zeros((4, n_classes * n_per_class), OFFSET)
        self.layout = Layout(n_classes, n_per_class, n_non_target)
        self.labels = np.zeros(n_samples, INDEX)
        self.training_thresholds = np.zeros((n_samples, n_per_class), REAL)
        self.target_updates, self.non_target_updates, self.votes, self.right_votes = counts
        self.classes = self.labels
        self.thresholds = self.training_thresholds
        self.counts = counts
        self.sample = 0

    cdef void note(
        self, const Answer *answer, const RowStep *steps, Py_ssize_t n_steps, Regulator regulator,
        const real_t[::1] thresholds,
    ) noexcept nogil:
        cdef index_t j, size = self.layout.n_per_class
        cdef Py_ssize_t k
        self.classes[self.sample] = answer.label
        for j in range(size):
            self.thresholds[self.sample, j] = regulator.training_threshold(answer.label * size + j, thresholds)
        for k in range(n_steps):
            j = steps[k].neuron
            self.counts[0 if is_target(&self.layout, j, answer.label) else 1, j] += 1
        self.counts[2, answer.first] += 1
        self.counts[3, answer.first] += answer.first // size == answer.label
        self.sample = self.sample + 1    # the checked build takes no in-place change here


ctypedef struct Rows:                      # a job whose parts are groups of rows that learn
    real_t *weights
    Py_ssize_t n_inputs
    real_t *factors
    real_t *lowest
    real_t *highest
    const real_t *target_norms
    const RowStep *steps
    Py_ssize_t n_steps
    const Plasticity *plasticity
    const stamp_t *times
    Marks *marks                           # of each part
    Py_ssize_t n_parts
    Forecast *forecast                     # the sieve's; NULL: there is none


cdef void learn_row(const Rows *rows, Marks *marks, const RowStep *step) noexcept nogil:
    cdef index_t neuron = step.neuron
    cdef real_t *row = rows.weights + neuron * rows.n_inputs
    cdef bint fired = rows.times[neuron] < rows.plasticity.max_time
    cdef const uint16_t *told_in = &marks.told_in[0] if rows.plasticity.ignore_silent else &marks.causal_in[0]
    cdef bint foretold = False
    cdef Step bare
    if fired:
        c_mark_until(marks, rows.times[neuron])
    c_prepare_step(&bare, step, rows.plasticity, rows.factors[neuron], rows.lowest[neuron], rows.highest[neuron], fired)
    if rows.forecast is not NULL and not rows.plasticity.multiplicative:
        foretold = c_foresee_step(rows.forecast, neuron, &bare, marks.of, marks.causal_in, told_in)
    c_learn_row(
        row, rows.n_inputs, &rows.factors[neuron], &rows.lowest[neuron], &rows.highest[neuron], &bare, step, marks.of,
        fired, rows.target_norms[neuron], rows.plasticity,
    )
    if foretold:
        c_foresee_factor(rows.forecast, neuron, &bare)
    elif rows.forecast is not NULL:
        c_foresee_anew(rows.forecast, neuron)


cdef void learn_rows(void *job, Py_ssize_t part) noexcept nogil:
    cdef const Rows *rows = <const Rows *>job
    cdef Marks *marks = &rows.marks[part]
    cdef Py_ssize_t k, end = (part + 1) * rows.n_steps // rows.n_parts
    if rows.n_steps and rows.plasticity.ignore_silent:
        c_mark_late(marks)
    for k in range(part * rows.n_steps // rows.n_parts, end):
        if rows.steps[k].error != 0:
            learn_row(rows, marks, &rows.steps[k])
    c_take_back(marks)


cdef class Epoch:
    """Trains one layer on samples; owns the scratch arrays, so that a sample allocates nothing.

    Parameters
    ----------
    weights : ndarray of float32, shape (n_neurons, n_inputs)
        Trained in place.
    target_norms : ndarray of float32, shape (n_neurons,), or None
        Sum of absolute weights that each neuron keeps, if it is to keep any.
    neuron, rule, regulator : Neuron, Rule, Regulator
        The members of the three families, of this run alone.
    w_min, w_max : float
        Bounds of a synaptic weight.
    max_time : float
        Time of silence.
    layer : int
        Position of the layer in its network.
    dropout_in, dropout_out : float
        Rates, in [0, 1).
    """

    cdef real_t[:, ::1] weights
    cdef const real_t[::1] target_norms
    cdef Neuron neuron
    cdef Rule rule
    cdef Regulator regulator
    cdef Plasticity plasticity
    cdef stamp_t max_time
    cdef index_t layer
    cdef double dropout_in
    cdef double dropout_out

    cdef readonly object thresholds        # of the forward pass, as the regulator keeps them
    cdef real_t[::1] limits                # the same with the dropped neurons' at infinity
    cdef real_t[::1] factors               # still to be applied to the rows of weights; 1 between two runs
    cdef real_t[::1] lowest                # between which the weights of each row are, as they are stored
    cdef real_t[::1] highest
    cdef int32_t[:, ::1] marks_of          # of each thread; each begins a line
    cdef Marks *marks
    cdef flag_t[::1] dropped_inputs
    cdef flag_t[::1] dropped_neurons
    cdef stamp_t[::1] times
    cdef real_t[::1] potentials
    cdef index_t[::1] winner_of
    cdef RowStep *steps
    cdef Sieve sieve                       # None: nothing could be sifted
    cdef Crew *crew                        # NULL: one thread; lives for one run

    def __cinit__(self, weights, *args, **kwargs):
        self.steps = <RowStep *>malloc(weights.shape[0] * sizeof(RowStep))
        if self.steps is NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.steps)
        free(self.marks)

    def __init__(self, weights, target_norms, Neuron neuron, Rule rule, Regulator regulator, *, double w_min,
                 double w_max, double max_time, index_t layer, double dropout_in, double dropout_out):
        n_neurons, n_inputs = weights.shape
        self.weights = weights
        self.target_norms = np.zeros(n_neurons, REAL) if target_norms is None else target_norms
        self.neuron = neuron
        self.rule = rule
        self.regulator = regulator
        self.plasticity = rule.plasticity
        self.plasticity.normalise = target_norms is not None
        self.plasticity.w_min = <real_t>w_min
        self.plasticity.w_max = <real_t>w_max
        self.plasticity.max_time = <stamp_t>max_time
        self.max_time = <stamp_t>max_time
        self.layer = layer
        self.dropout_in = dropout_in
        self.dropout_out = dropout_out
        self.thresholds = np.empty(n_neurons, REAL)
        self.limits = np.empty(n_neurons, REAL)
        self.factors = np.ones(n_neurons, REAL)
        self.lowest = np.full(n_neurons, -INFINITY, REAL)
        self.highest = np.full(n_neurons, INFINITY, REAL)
        self.make_marks(1)
        self.dropped_inputs = np.zeros(n_inputs, FLAG)
        self.dropped_neurons = np.zeros(n_neurons, FLAG)
        self.times = np.full(n_neurons, max_time, STAMP)
        self.potentials = np.zeros(n_neurons, REAL)
        self.winner_of = np.zeros(rule.layout.n_classes, INDEX)
        self.sieve = Sieve(n_neurons, n_inputs) if self.can_sift() else None

    @property
    def sifts(self):
        """Whether a sieve is of any use to this layer."""
        return self.sieve is not None

    def measure_weights(self):
        """Find out what the sieve needs to know of the weights, as `run` would at its beginning."""
        if self.sieve is not None:
            self.sieve.measure(self.weights, self.factors, self.thresholds, self.lowest, self.highest)

    cdef void make_marks(self, Py_ssize_t n_threads) except *:
        # One sample's, for each of so many threads, which must not write to each other's lines.
        cdef Py_ssize_t i, n_places = (self.weights.shape[1] + PLACES_OF - 1) // PLACES_OF * PLACES_OF
        cdef int32_t[:, ::1] marks_of = aligned((n_threads, n_places), INDEX)
        cdef Marks *marks = <Marks *>calloc(n_threads, sizeof(Marks))
        if marks is NULL:
            raise MemoryError
        for i in range(n_threads):
            marks[i].of, marks[i].n_places = &marks_of[i, 0], marks_of.shape[1]
        free(self.marks)
        self.marks, self.marks_of = marks, marks_of

    cdef bint can_sift(self):
        # Potentials must only rise; and of a layer that ends as a whole, no class may go on.
        cdef Spikes none
        none.inputs, none.times, none.count = NULL, NULL, 0
        self.neuron.prepare(&none)
        if none.decay is not NULL or (self.rule.scope == FIRST_OF_LAYER and self.regulator.to_first_target):
            return False
        return self.plasticity.w_min >= 0 and self.weights.shape[1] <= COARSE_INPUTS

    def run(
        self,
        const offset_t[::1] indptr,
        const index_t[::1] inputs,
        const stamp_t[::1] input_times,
        const index_t[::1] labels,
        const offset_t[::1] order,
        const offset_t[::1] numbers,
        uint64_t key,
        bint rising,
        Observation observation=None,
        int n_threads=1,
        bint sift=False,
    ):
        """Train on samples, one after the other.

        Parameters
        ----------
        indptr, inputs, input_times, labels : ndarray
            The arrays of a `SpikingDataset`.
        order : ndarray of int64
            Positions of the samples to train on, in this order.
        numbers : ndarray of int64, shape of ``order``
            What each is called in the dropout's counter.
        key : int
            The epoch's dropout key.
        rising : bool
            No synaptic weight is negative, nor will be.
        observation : Observation, optional
            Counts what happens; has room for these samples.
        n_threads : int, default=1
            That share each sample, if the layer is wide enough for that to pay.
        sift : bool, default=False
            Settle first spikes by potentials estimated ahead where that is possible; results keep their bits.

        Returns
        -------
        n_right : int
            Samples for which the vote was right.
        """
        cdef real_t[::1] thresholds = self.thresholds
        cdef Py_ssize_t i, n_steps, n_right = 0
        cdef int ahead
        cdef bint observed = observation is not None
        cdef Spikes coming[AHEAD]
        cdef Spikes *spikes
        cdef Answer answer
        cdef offset_t sample
        sift = (sift or sieve_use == "always") and sieve_use != "never" and self.sieve is not None and rising
        if n_threads > 1 and self.weights.shape[0] * self.weights.shape[1] >= SHARED_WEIGHTS:
            if self.marks_of.shape[0] < n_threads:
                self.make_marks(n_threads)
            self.crew = crew_gather(n_threads)
            if self.crew is NULL:
                raise MemoryError
        answer.winner_of = &self.winner_of[0]
        answer.times = &self.times[0]
        answer.potentials = &self.potentials[0]
        with nogil:
            if self.sieve is not None and not sift:
                self.sieve.expire()
            for i in range(order.shape[0]):
                if i % AHEAD == 0:
                    for ahead in range(min(<Py_ssize_t>AHEAD, order.shape[0] - i)):
                        sample = order[i + ahead]
                        spikes = &coming[ahead]
                        spikes.count = indptr[sample + 1] - indptr[sample]
                        # A sample without a spike has no first element to point at.
                        spikes.inputs = &inputs[indptr[sample]] if spikes.count else NULL
                        spikes.times = &input_times[indptr[sample]] if spikes.count else NULL
                    if sift:
                        self.look_ahead(coming, numbers, i, thresholds, key)
                if sift:
                    self.sieve.forecast.now = <int>(i % AHEAD)
                sample = order[i]
                spikes = &coming[i % AHEAD]
                answer.label = labels[sample]
                self.forward(spikes, answer.label, thresholds, key, numbers[i], rising, sift)
                self.vote(&answer, sift)
                n_right += answer.first // self.rule.layout.n_per_class == answer.label
                self.regulator.after_forward(&answer, thresholds)
                n_steps = self.learn(spikes, &answer, key, numbers[i], sift)
                if observed:
                    observation.note(&answer, self.steps, n_steps, self.regulator, thresholds)
            if sift:
                self.sieve.settle(self.factors)
            c_settle(self.weights, self.factors, self.lowest, self.highest)
            if self.crew is not NULL:
                crew_dismiss(self.crew)
                self.crew = NULL
        return n_right

    cdef void look_ahead(
        self, const Spikes *coming, const offset_t[::1] numbers, Py_ssize_t first, real_t[::1] thresholds, uint64_t key
    ) noexcept nogil:
        cdef int n_samples = min(<Py_ssize_t>AHEAD, numbers.shape[0] - first), b
        cdef uint16_t *live = self.sieve.forecast.live
        cdef index_t j
        if self.dropout_out > 0:
            for j in range(self.dropped_neurons.shape[0]):
                live[j] = 0
            for b in range(n_samples):
                c_draw_mask(
                    key, OUTPUT_NEURONS, numbers[first + b], self.layer, self.dropout_out, self.dropped_neurons
                )
                for j in range(self.dropped_neurons.shape[0]):
                    live[j] |= <uint16_t>(not self.dropped_neurons[j]) << b
        self.sieve.measure(self.weights, self.factors, thresholds, self.lowest, self.highest)
        self.sieve.look_ahead(coming, n_samples, self.crew)

    cdef void forward(
        self, Spikes *spikes, index_t label, real_t[::1] thresholds, uint64_t key, offset_t number, bint rising,
        bint sift,
    ) noexcept nogil:
        cdef Charging layer
        cdef Reach reach
        cdef index_t j
        cdef int now
        self.neuron.prepare(spikes)
        self.regulator.before_forward(label, thresholds)
        layer.weights = &self.weights[0, 0]
        layer.n_inputs = self.weights.shape[1]
        layer.factors = &self.factors[0]
        layer.thresholds = &thresholds[0]
        layer.spikes = spikes
        layer.rising = rising
        layer.max_time = self.max_time
        layer.times = &self.times[0]
        layer.potentials = &self.potentials[0]
        reach.scope = self.rule.scope
        reach.n_per_class = self.rule.layout.n_per_class
        reach.n_non_target = self.rule.layout.n_non_target
        reach.own_class = label if self.regulator.to_first_target else -1
        if self.dropout_out > 0:
            if sift:              # which is drawn already
                now = self.sieve.forecast.now
                for j in range(self.limits.shape[0]):
                    self.limits[j] = thresholds[j] if self.sieve.forecast.live[j] >> now & 1 else INFINITY
            else:
                c_draw_mask(key, OUTPUT_NEURONS, number, self.layer, self.dropout_out, self.dropped_neurons)
                for j in range(self.limits.shape[0]):
                    self.limits[j] = INFINITY if self.dropped_neurons[j] else thresholds[j]
            layer.thresholds = &self.limits[0]
        if sift:
            self.sieve.charge_layer(&layer, &reach, self.crew, &self.winner_of[0])
        else:
            c_charge_layer(&layer, <index_t>self.weights.shape[0], &reach, self.crew)

    cdef void vote(self, Answer *answer, bint sift) noexcept nogil:
        cdef index_t size = self.rule.layout.n_per_class, best = 0, c, j
        for c in range(self.rule.layout.n_classes):
            if not sift or self.rule.scope == FIRST_OF_LAYER:     # else the sieve knows
                self.winner_of[c] = c_first_to_fire(answer.times, answer.potentials, c * size, (c + 1) * size)
            j = self.winner_of[c]
            if c == 0:
                best = j
            best += (j - best) * c_sooner(answer.times, answer.potentials, j, best)
        answer.first = best

    cdef Py_ssize_t learn(
        self, const Spikes *spikes, const Answer *answer, uint64_t key, offset_t number, bint sift
    ) noexcept nogil:
        cdef const flag_t *dropped = NULL
        cdef Rows rows
        cdef Py_ssize_t part
        rows.weights, rows.n_inputs = &self.weights[0, 0], self.weights.shape[1]
        rows.factors, rows.lowest, rows.highest = &self.factors[0], &self.lowest[0], &self.highest[0]
        rows.target_norms = &self.target_norms[0]
        rows.steps, rows.n_steps = self.steps, self.rule.learn(answer, self.steps)
        rows.plasticity, rows.times = &self.plasticity, &self.times[0]
        rows.forecast = &self.sieve.forecast if sift else NULL
        if self.dropout_in > 0 and rows.n_steps:
            c_draw_mask(key, INPUTS, number, self.layer, self.dropout_in, self.dropped_inputs)
            dropped = &self.dropped_inputs[0]
        rows.marks, rows.n_parts = self.marks, max(1, min(<Py_ssize_t>crew_size(self.crew), rows.n_steps))
        for part in range(rows.n_parts):
            self.marks[part].spikes, self.marks[part].dropped = spikes, dropped
            self.marks[part].members = self.sieve.forecast.members if sift else NULL
        crew_do(self.crew, learn_rows, &rows, rows.n_parts)
        return rows.n_steps
