"""The forward pass of a layer: input spikes charge the potentials until a decision needs no more."""
from libc.math cimport INFINITY

from spikenn_cy.kernels cimport primitives
from spikenn_cy.kernels.primitives cimport BLOCK_MAX, Row, Spikes
from spikenn_cy.types cimport index_t, real_t, stamp_t


cdef Py_ssize_t charge_block(
    const real_t[:, ::1] weights,
    const real_t[::1] factors,
    const real_t[::1] thresholds,
    const Spikes *spikes,
    index_t first,               # neurons first ... first + width - 1
    int width,
    index_t stop_from,           # the block ends at the first spike of this neuron or a later one
    Py_ssize_t end,              # position of the first input spike that is not looked at
    bint rising,
    stamp_t max_time,
    stamp_t[::1] times,
    real_t[::1] potentials,
) noexcept nogil:
    # Returns the position after the spike that ended the block, `end` if none did.
    cdef Row rows[BLOCK_MAX]
    cdef real_t charge[BLOCK_MAX]
    cdef real_t limit[BLOCK_MAX]
    cdef Py_ssize_t k = 0
    cdef int j, n_live = 0
    cdef bint stopped = False
    for j in range(width):
        rows[j].weights = &weights[first + j, 0]
        rows[j].factor = factors[first + j]
        charge[j] = 0
        limit[j] = thresholds[first + j]
        times[first + j] = max_time
        n_live += limit[j] < INFINITY
    while k < end and n_live and not stopped:
        k = primitives.active.charge_rows[width](rows, spikes, k, end, rising, charge, limit)
        for j in range(width):
            if charge[j] > limit[j]:
                times[first + j] = spikes.times[k - 1]
                potentials[first + j] = charge[j]
                limit[j] = INFINITY      # it has fired: nothing more may make it fire again
                n_live -= 1
                stopped |= first + j >= stop_from
    for j in range(width):
        if times[first + j] == max_time:
            potentials[first + j] = charge[j]
    return k if stopped else end


cdef Py_ssize_t charge_team(
    const real_t[:, ::1] weights,
    const real_t[::1] factors,
    const real_t[::1] thresholds,
    const Spikes *spikes,
    index_t first,
    index_t last,                # neurons first ... last - 1 end together
    index_t stop_from,
    Py_ssize_t end,
    bint rising,
    stamp_t max_time,
    stamp_t[::1] times,
    real_t[::1] potentials,
) noexcept nogil:
    cdef index_t n_blocks = (last - first + BLOCK_MAX - 1) // BLOCK_MAX
    cdef index_t block, j = first, size
    for block in range(n_blocks):
        size = (last - j) // (n_blocks - block)
        # A block that fired ends the blocks after it: a later spike of theirs could not be the team's first.
        # What the blocks before it did later is more than is needed, and true.
        end = charge_block(
            weights, factors, thresholds, spikes, j, size, stop_from, end, rising, max_time, times, potentials
        )
        j += size
    return end


cdef void c_charge_layer(
    const real_t[:, ::1] weights,        # IN, (n_neurons, n_inputs)
    const real_t[::1] factors,           # IN, still to be applied to the rows
    const real_t[::1] thresholds,        # IN, inf: the neuron cannot fire
    const Spikes *spikes,                # IN
    const Reach *reach,                  # IN
    bint rising,                         # no synaptic weight is negative
    stamp_t max_time,
    stamp_t[::1] times,                  # OUT, true for every neuron that the reach asks for
    real_t[::1] potentials,              # OUT
) noexcept nogil:
    cdef index_t n_neurons = <index_t>weights.shape[0], size = reach.n_per_class
    cdef index_t own = reach.own_class * size
    cdef index_t c, first
    cdef Py_ssize_t end
    if reach.scope == ALL:
        charge_team(
            weights, factors, thresholds, spikes, 0, n_neurons, n_neurons, spikes.count,
            rising, max_time, times, potentials,
        )
        return
    if reach.own_class >= 0:
        charge_team(
            weights, factors, thresholds, spikes, own, own + size, own + reach.n_non_target, spikes.count,
            rising, max_time, times, potentials,
        )
    if reach.scope == FIRST_OF_CLASS:
        for c in range(n_neurons // size):
            if c != reach.own_class:
                first = c * size
                charge_team(
                    weights, factors, thresholds, spikes, first, first + size, first, spikes.count,
                    rising, max_time, times, potentials,
                )
    elif reach.own_class >= 0:
        end = charge_team(
            weights, factors, thresholds, spikes, 0, own, 0, spikes.count, rising, max_time, times, potentials
        )
        charge_team(
            weights, factors, thresholds, spikes, own + size, n_neurons, 0, end, rising, max_time, times, potentials
        )
    else:
        charge_team(
            weights, factors, thresholds, spikes, 0, n_neurons, 0, spikes.count, rising, max_time, times, potentials
        )
