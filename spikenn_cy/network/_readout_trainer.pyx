"""The hot loop of training: forward pass, vote, regulation and learning of one layer, sample by sample."""
import cython

from libc.math cimport INFINITY
from libc.stdint cimport int32_t
from libc.stdlib cimport calloc, free, malloc

import numpy as np

from spikenn_cy.dtypes import FLAG, INDEX, REAL
from spikenn_cy.kernels.dense cimport WholeRow
from spikenn_cy.kernels.dropout cimport INPUTS, OUTPUT_NEURONS, c_draw_mask
from spikenn_cy.kernels.labels cimport InputLabels, c_label_late, c_label_until, c_unlabel
from spikenn_cy.kernels.layout cimport LayerOutput, StopAt
from spikenn_cy.kernels.spikes cimport Spikes
from spikenn_cy.kernels.stdp cimport Plasticity, RowUpdate, c_update_row
from spikenn_cy.kernels.thread_pool cimport Part, ThreadPool, pool_run, pool_size, pool_start, pool_stop
from spikenn_cy.network._batch cimport SampleBatch
from spikenn_cy.network._statistics cimport EpochStatistics
from spikenn_cy.network._weights cimport LayerWeights
from spikenn_cy.network.forward._base cimport Forward
from spikenn_cy.neurons._base cimport Neuron
from spikenn_cy.regulators._base cimport Regulator
from spikenn_cy.rules._base cimport Rule
from spikenn_cy.types cimport flag_t, index_t, real_t, stamp_t
from spikenn_cy.utils.alignment import CACHE_LINE, aligned


@cython.final
cdef class ReadoutTrainer:
    """Trains one layer; owns the scratch arrays, so that a sample allocates nothing.

    Parameters
    ----------
    layer : Layer
        Its weights are trained in place.
    position : int
        Of the layer in its network.
    rule : Rule
    regulator : Regulator
    trainer : TrainerConfig
        Has the rates of dropout.
    """

    cdef LayerWeights weights
    cdef Neuron neuron
    cdef Rule rule
    cdef Regulator regulator
    cdef Plasticity plasticity
    cdef StopAt stop
    cdef index_t position
    cdef double dropout_in
    cdef double dropout_out
    cdef real_t[::1] thresholds            # of the present sample, if neurons are dropped
    cdef flag_t[::1] dropped_inputs
    cdef flag_t[::1] dropped_neurons
    cdef int32_t[:, ::1] labels_of         # of each thread; each begins a cache line
    cdef InputLabels *labels
    # The present call and sample:
    cdef Forward forward
    cdef ThreadPool *pool                  # NULL: one thread
    cdef Spikes spikes
    cdef LayerOutput output
    cdef RowUpdate *updates
    cdef Py_ssize_t n_updates
    cdef Py_ssize_t n_parts

    def __cinit__(self, layer, *args):
        self.updates = <RowUpdate *>malloc(layer.n_neurons * sizeof(RowUpdate))
        if self.updates is NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.updates)
        free(self.labels)

    def __init__(self, layer, index_t position, Rule rule, Regulator regulator, trainer):
        self.weights = layer.rows
        self.neuron = layer.make_neuron()
        self.rule = rule
        self.regulator = regulator
        self.plasticity = rule.plasticity
        self.plasticity.normalise = layer.config.w_norm
        self.plasticity.w_min = <real_t>layer.config.w_min
        self.plasticity.w_max = <real_t>layer.config.w_max
        self.plasticity.max_time = <stamp_t>layer.max_time
        self.stop.scope = rule.scope
        self.position = position
        self.dropout_in = trainer.dropout_in
        self.dropout_out = trainer.dropout_out
        self.thresholds = np.zeros(layer.n_neurons, REAL)
        self.dropped_inputs = np.zeros(layer.n_inputs, FLAG)
        self.dropped_neurons = np.zeros(layer.n_neurons, FLAG)
        self.make_labels(1)

    cdef void make_labels(self, Py_ssize_t n_threads) except *:
        # Makes input labels for each of so many threads, which must not write to each other's cache lines.
        cdef Py_ssize_t i, per_line = CACHE_LINE // sizeof(int32_t)
        cdef Py_ssize_t n_lines = (self.weights.rows.n_inputs + per_line - 1) // per_line
        cdef int32_t[:, ::1] labels_of = aligned((n_threads, n_lines * per_line), INDEX)
        cdef InputLabels *labels = <InputLabels *>calloc(n_threads, sizeof(InputLabels))
        if labels is NULL:
            raise MemoryError
        for i in range(n_threads):
            labels[i].of, labels[i].n_padded = &labels_of[i, 0], labels_of.shape[1]
        free(self.labels)
        self.labels, self.labels_of = labels, labels_of

    def run(self, SampleBatch batch, Forward forward, EpochStatistics statistics=None, int n_threads=1):
        """Train on samples, one after the other.

        Parameters
        ----------
        batch : SampleBatch
        forward : Forward
            How first spikes are found; the bits do not depend on it.
        statistics : EpochStatistics, optional
            Counts what happens; has room for these samples.
        n_threads : int, default=1
            That share each sample.

        Returns
        -------
        n_right : int
            Samples for which the vote was right.
        """
        cdef Py_ssize_t i, n_right = 0
        cdef bint counted = statistics is not None
        self.start_pool(n_threads)
        self.forward = forward
        with nogil:
            forward.begin(self.pool)
            for i in range(batch.n_samples):
                batch.sample(i, &self.spikes)
                self.neuron.prepare(&self.spikes)
                self.output.label = batch.labels[batch.order[i]]
                self.find_first_spikes(batch, i)
                n_right += self.output.winner // self.rule.layout.n_per_class == self.output.label
                self.regulator.after_forward(&self.output)
                self.n_updates = self.rule.learn(&self.output, self.updates)
                if batch.weighted:
                    self.weigh_errors(batch.weights[batch.order[i]])
                self.update_rows(batch, i)
                if counted:
                    statistics.note(&self.output, self.updates, self.n_updates, self.regulator)
            forward.end()
            if self.pool is not NULL:
                pool_stop(self.pool)
                self.pool = NULL
        batch.require_unchanged()
        return n_right

    cdef int start_pool(self, int n_threads) except -1:
        if n_threads > 1:
            if self.labels_of.shape[0] < n_threads:
                self.make_labels(n_threads)
            self.pool = pool_start(n_threads)
            if self.pool is NULL:
                raise MemoryError
        return 0

    cdef void find_first_spikes(self, SampleBatch batch, Py_ssize_t i) noexcept nogil:
        cdef const real_t *thresholds = self.regulator.before_forward(self.output.label)
        cdef const flag_t *dropped = &self.dropped_neurons[0]
        cdef real_t *of_sample = &self.thresholds[0]
        cdef Py_ssize_t j
        if self.dropout_out > 0:
            c_draw_mask(
                batch.key, OUTPUT_NEURONS, batch.numbers[i], self.position, self.dropout_out, self.dropped_neurons
            )
            for j in range(self.thresholds.shape[0]):
                of_sample[j] = INFINITY if dropped[j] else thresholds[j]
            thresholds = of_sample
        self.stop.own_class = self.output.label if self.regulator.to_first_target else -1
        self.forward.run(&self.spikes, thresholds, &self.stop, &self.output)
        if not self.rule.needs_potentials:
            self.output.potentials = NULL

    cdef void weigh_errors(self, real_t weight) noexcept nogil:
        cdef Py_ssize_t k
        for k in range(self.n_updates):
            self.updates[k].error = self.updates[k].error * weight

    cdef void update_rows(self, SampleBatch batch, Py_ssize_t i) noexcept nogil:
        cdef const flag_t *dropped = NULL
        cdef Py_ssize_t part
        if self.dropout_in > 0 and self.n_updates:
            c_draw_mask(batch.key, INPUTS, batch.numbers[i], self.position, self.dropout_in, self.dropped_inputs)
            dropped = &self.dropped_inputs[0]
        self.n_parts = max(1, min(<Py_ssize_t>pool_size(self.pool), self.n_updates))
        for part in range(self.n_parts):
            self.labels[part].spikes, self.labels[part].dropped = &self.spikes, dropped
        pool_run(self.pool, <Part>update_part, <void *>self, self.n_parts)


cdef void update_part(ReadoutTrainer trainer, Py_ssize_t part) noexcept nogil:
    # Updates one thread's share of the rows that learn.
    cdef InputLabels *labels = &trainer.labels[part]
    cdef const stamp_t *times = trainer.output.times
    cdef const RowUpdate *update
    cdef WholeRow whole
    cdef Py_ssize_t k, end = (part + 1) * trainer.n_updates // trainer.n_parts
    if trainer.n_updates and trainer.plasticity.ignore_silent:
        c_label_late(labels)
    for k in range(part * trainer.n_updates // trainer.n_parts, end):
        update = &trainer.updates[k]
        if update.error != 0:
            if times[update.neuron] < trainer.plasticity.max_time:
                c_label_until(labels, times[update.neuron])
            whole.to = trainer.forward.whole_row(update.neuron)
            c_update_row(&trainer.weights.rows, update, times[update.neuron], labels.of, &trainer.plasticity, &whole)
            trainer.forward.row_changed(update.neuron, whole.scale)
    c_unlabel(labels)
