"""The forward pass of a layer: input spikes charge the potentials until a decision needs no more.

Neurons compete in groups: those of a class, or the whole layer. A group ends at the first spike of one of its neurons,
and a neuron that has not fired by then is silent. Between two looks at the thresholds several spikes are added unseen;
if a threshold was passed meanwhile, they are added again one tie at a time.
"""
from libc.math cimport INFINITY

from spikenn_cy.kernels.dense cimport BLOCK_MAX, Row, dense
from spikenn_cy.kernels.layout cimport ALL, FIRST_OF_CLASS, Layout, StopAt
from spikenn_cy.kernels.spikes cimport Spikes
from spikenn_cy.kernels.thread_pool cimport ThreadPool, pool_run
from spikenn_cy.types cimport index_t, real_t, stamp_t


cdef inline Row row_of(const ForwardPass *layer, index_t neuron) noexcept nogil:
    cdef Row row
    row.weights = layer.rows.weights + neuron * layer.rows.n_inputs
    row.scale = layer.rows.pending_scales[neuron]
    return row


cdef Py_ssize_t c_charge_candidates(
    const ForwardPass *layer,
    const Candidate *candidates,   # of one group
    int width,                     # at most BLOCK_MAX
    Py_ssize_t end,                # position of the first input spike that is not looked at
) noexcept nogil:
    # Returns the position after the spike that ended the group, `end` if none did.
    cdef Row rows[BLOCK_MAX]
    cdef real_t potential[BLOCK_MAX]
    cdef real_t threshold[BLOCK_MAX]
    cdef Spikes spikes = layer.spikes[0]
    cdef Py_ssize_t k = 0
    cdef int j, n_live = width
    cdef index_t neuron
    cdef bint ended = False
    spikes.count = end
    for j in range(width):
        neuron = candidates[j].neuron
        rows[j] = row_of(layer, neuron)
        potential[j] = 0
        threshold[j] = layer.thresholds[neuron]
        layer.times[neuron] = layer.max_time
    while k < end and n_live and not ended:
        k = dense().charge_rows[width](rows, &spikes, k, layer.rows.non_negative, potential, threshold)
        for j in range(width):
            if potential[j] > threshold[j]:
                neuron = candidates[j].neuron
                layer.times[neuron] = spikes.times[k - 1]
                layer.potentials[neuron] = potential[j]
                threshold[j] = INFINITY      # it has fired: nothing more may make it fire again
                n_live -= 1
                ended |= candidates[j].ends
    for j in range(width):
        if layer.times[candidates[j].neuron] == layer.max_time:
            layer.potentials[candidates[j].neuron] = potential[j]
    return k if ended else end


cdef void charge_group(
    const ForwardPass *layer,
    index_t first,
    index_t last,                # neurons first ... last - 1 end together
    index_t ends_from,           # at the first spike of this neuron or a later one
) noexcept nogil:
    cdef Candidate candidates[BLOCK_MAX]
    cdef index_t j, n_live = 0, n_blocks, block, size
    cdef Py_ssize_t end = layer.spikes.count
    cdef int width
    for j in range(first, last):
        n_live += layer.thresholds[j] < INFINITY
    if ends_from == first and n_live == last - first and 0 < n_live <= BLOCK_MAX:
        charge_equals(layer, first, last)
        return
    n_blocks = (n_live + BLOCK_MAX - 1) // BLOCK_MAX
    j = first
    for block in range(n_blocks):
        size = n_live // (n_blocks - block)
        n_live -= size
        width = 0
        while width < size:
            if layer.thresholds[j] < INFINITY:
                candidates[width].neuron = j
                candidates[width].ends = j >= ends_from
                width += 1
            else:
                rest(layer, j)
            j += 1
        # Once a block ends the group, later blocks stop at that spike: a later one could not be the first. Earlier
        # blocks may have run past it, which is wasted work but correct.
        end = c_charge_candidates(layer, candidates, width, end)
    while j < last:
        rest(layer, j)
        j += 1
    if n_blocks > 1 and end > 0:
        end_at(layer, first, last, layer.spikes.times[end - 1])


cdef void charge_equals(const ForwardPass *layer, index_t first, index_t last) noexcept nogil:
    # The common case: few neurons, none of them dropped, and any of them ends the group. No branch depends on which
    # of them fired, since that is unpredictable.
    cdef Row rows[BLOCK_MAX]
    cdef real_t *potential = layer.potentials + first
    cdef const real_t *threshold = layer.thresholds + first
    cdef Py_ssize_t k
    cdef index_t width = last - first, j
    cdef stamp_t time = layer.max_time
    for j in range(width):
        rows[j] = row_of(layer, first + j)
        potential[j] = 0
    if layer.spikes.count > 0:
        k = dense().charge_rows[width](rows, layer.spikes, 0, layer.rows.non_negative, potential, threshold)
        time = layer.spikes.times[k - 1]
    for j in range(width):
        layer.times[first + j] = time if potential[j] > threshold[j] else layer.max_time


cdef inline void rest(const ForwardPass *layer, index_t neuron) noexcept nogil:
    layer.times[neuron] = layer.max_time
    layer.potentials[neuron] = 0


cdef inline void end_at(const ForwardPass *layer, index_t first, index_t last, stamp_t time) noexcept nogil:
    # Neurons that fired after their group had ended are silent, whatever order their blocks were charged in.
    cdef index_t j
    for j in range(first, last):
        layer.times[j] = layer.times[j] if layer.times[j] <= time else layer.max_time


ctypedef struct Job:             # whose parts are classes, or blocks of neurons
    const ForwardPass *layer
    const Layout *layout
    const StopAt *stop


cdef void charge_class(void *job, Py_ssize_t part) noexcept nogil:
    cdef const Job *classes = <const Job *>job
    cdef index_t size = classes.layout.n_per_class, first = <index_t>part * size, ends_from = first
    if part == classes.stop.own_class:
        ends_from += classes.layout.n_non_target
    charge_group(classes.layer, first, first + size, ends_from)


cdef void charge_neurons(void *job, Py_ssize_t part) noexcept nogil:
    cdef const Job *blocks = <const Job *>job
    cdef index_t first = <index_t>part * BLOCK_MAX, last = min(first + BLOCK_MAX, blocks.layer.rows.n_neurons)
    charge_group(blocks.layer, first, last, last)


cdef void charge_as_one(const ForwardPass *layer, const Layout *layout, index_t own_class) noexcept nogil:
    # The layer ends at its first spike, but for the class that goes on to its first target neuron's.
    cdef index_t own = own_class * layout.n_per_class
    charge_group(layer, 0, layer.rows.n_neurons, 0)
    if own_class >= 0:
        charge_group(layer, own, own + layout.n_per_class, own + layout.n_non_target)


cdef void c_charge_layer(
    const ForwardPass *layer,    # OUT: times and potentials of every neuron, until its group ends
    const Layout *layout,
    const StopAt *stop,
    ThreadPool *pool,            # NULL: one thread
) noexcept nogil:
    cdef index_t n_neurons = layer.rows.n_neurons
    cdef Job job
    job.layer, job.layout, job.stop = layer, layout, stop
    if stop.scope == ALL:
        pool_run(pool, charge_neurons, &job, (n_neurons + BLOCK_MAX - 1) // BLOCK_MAX)
    elif stop.scope == FIRST_OF_CLASS:
        pool_run(pool, charge_class, &job, layout.n_classes)
    else:
        charge_as_one(layer, layout, stop.own_class)
