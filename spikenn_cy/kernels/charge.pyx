"""The forward pass of a layer: input spikes charge the potentials until a decision needs no more."""
from libc.math cimport INFINITY

from spikenn_cy.kernels.crew cimport Crew, crew_do
from spikenn_cy.kernels.dense cimport BLOCK_MAX, Row, dense
from spikenn_cy.types cimport index_t, real_t, stamp_t


cdef Py_ssize_t c_charge_picks(
    const Charging *layer,
    const Pick *picks,
    int width,                   # at most BLOCK_MAX
    Py_ssize_t end,              # position of the first input spike that is not looked at
) noexcept nogil:
    # Returns the position after the spike that ended a team, `end` if none did.
    cdef Row rows[BLOCK_MAX]
    cdef real_t charge[BLOCK_MAX]
    cdef real_t limit[BLOCK_MAX]
    cdef Py_ssize_t k = 0, ended_at = end
    cdef int i, j, n_live = width
    cdef index_t neuron
    for j in range(width):
        neuron = picks[j].neuron
        rows[j].weights = layer.weights + neuron * layer.n_inputs
        rows[j].factor = layer.factors[neuron]
        charge[j] = 0
        limit[j] = layer.thresholds[neuron]
        layer.times[neuron] = layer.max_time
    while k < end and n_live:
        k = dense().charge_rows[width](rows, layer.spikes, k, end, layer.rising, charge, limit)
        for j in range(width):
            if charge[j] > limit[j]:
                neuron = picks[j].neuron
                layer.times[neuron] = layer.spikes.times[k - 1]
                layer.potentials[neuron] = charge[j]
                limit[j] = INFINITY      # it has fired: nothing more may make it fire again
                n_live -= 1
                if picks[j].ends:
                    ended_at = k
        if ended_at == k and n_live:
            for j in range(width):
                if picks[j].ends and layer.times[picks[j].neuron] < layer.max_time:
                    for i in range(width):
                        if picks[i].team == picks[j].team and limit[i] < INFINITY:
                            limit[i] = INFINITY
                            n_live -= 1
    for j in range(width):
        if layer.times[picks[j].neuron] == layer.max_time:
            layer.potentials[picks[j].neuron] = charge[j]
    return ended_at


cdef Py_ssize_t c_charge_team(
    const Charging *layer,
    index_t first,
    index_t last,                # neurons first ... last - 1 end together
    index_t ends_from,           # at the first spike of this neuron or a later one
    Py_ssize_t end,
) noexcept nogil:
    cdef Pick picks[BLOCK_MAX]
    cdef index_t j, n_live = 0, n_blocks, block, size
    cdef int width
    for j in range(first, last):
        n_live += layer.thresholds[j] < INFINITY
    if ends_from == first and n_live == last - first and 0 < n_live <= BLOCK_MAX:
        return charge_equals(layer, first, last, end)
    n_blocks = (n_live + BLOCK_MAX - 1) // BLOCK_MAX
    j = first
    for block in range(n_blocks):
        size = n_live // (n_blocks - block)
        n_live -= size
        width = 0
        while width < size:
            if layer.thresholds[j] < INFINITY:
                picks[width].neuron = j
                picks[width].team = first
                picks[width].ends = j >= ends_from
                width += 1
            else:
                rest(layer, j)
            j += 1
        # A block that fired ends the blocks after it: a later spike of theirs could not be the team's first.
        # What the blocks before it did later is more than is needed, and true.
        end = c_charge_picks(layer, picks, width, end)
    while j < last:
        rest(layer, j)
        j += 1
    return end


cdef Py_ssize_t charge_equals(
    const Charging *layer, index_t first, index_t last, Py_ssize_t end
) noexcept nogil:
    # The common team, of few neurons, all live, any of which ends it: without a branch on what nobody could foresee.
    cdef Row rows[BLOCK_MAX]
    cdef real_t *charge = layer.potentials + first
    cdef const real_t *limit = layer.thresholds + first
    cdef Py_ssize_t k = 0
    cdef index_t width = last - first, j
    cdef stamp_t time = layer.max_time
    for j in range(width):
        rows[j].weights = layer.weights + (first + j) * layer.n_inputs
        rows[j].factor = layer.factors[first + j]
        charge[j] = 0
    if end > 0:
        k = dense().charge_rows[width](rows, layer.spikes, 0, end, layer.rising, charge, limit)
        time = layer.spikes.times[k - 1]
    for j in range(width):
        layer.times[first + j] = time if charge[j] > limit[j] else layer.max_time
    return k


cdef inline void rest(const Charging *layer, index_t neuron) noexcept nogil:
    layer.times[neuron] = layer.max_time
    layer.potentials[neuron] = 0


ctypedef struct Classes:         # a job whose parts are classes, or blocks of neurons
    const Charging *layer
    const Reach *reach
    index_t n_neurons


cdef void charge_class(void *job, Py_ssize_t part) noexcept nogil:
    cdef const Classes *classes = <const Classes *>job
    cdef const Reach *reach = classes.reach
    cdef index_t first = <index_t>part * reach.n_per_class, last = first + reach.n_per_class, ends_from = first
    if part == reach.own_class:
        ends_from += reach.n_non_target
    c_charge_team(classes.layer, first, last, ends_from, classes.layer.spikes.count)


cdef void charge_neurons(void *job, Py_ssize_t part) noexcept nogil:
    cdef const Classes *classes = <const Classes *>job
    cdef index_t first = <index_t>part * BLOCK_MAX, last = min(first + BLOCK_MAX, classes.n_neurons)
    c_charge_team(classes.layer, first, last, last, classes.layer.spikes.count)


cdef void c_charge_layer(
    const Charging *layer,       # times and potentials come true for every neuron that the reach asks for
    index_t n_neurons,
    const Reach *reach,
    Crew *crew,                  # NULL: one thread
) noexcept nogil:
    cdef index_t size = reach.n_per_class, own = reach.own_class * size
    cdef Py_ssize_t end = layer.spikes.count
    cdef Classes classes
    classes.layer, classes.reach, classes.n_neurons = layer, reach, n_neurons
    if reach.scope == ALL:
        crew_do(crew, charge_neurons, &classes, (n_neurons + BLOCK_MAX - 1) // BLOCK_MAX)
    elif reach.scope == FIRST_OF_CLASS:
        crew_do(crew, charge_class, &classes, n_neurons // size)
    elif reach.own_class >= 0:
        # Each part is ended by what the one before it found, so they cannot be shared.
        c_charge_team(layer, own, own + size, own + reach.n_non_target, end)
        end = c_charge_team(layer, 0, own, 0, end)
        c_charge_team(layer, own + size, n_neurons, 0, end)
    else:
        c_charge_team(layer, 0, n_neurons, 0, end)
