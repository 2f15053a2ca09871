"""Which neuron fires first: the one decision behind votes, competition and regulation."""
from spikenn_cy.kernels.layout cimport FIRST_OF_LAYER, LayerOutput, Layout, StopAt
from spikenn_cy.types cimport index_t, real_t, stamp_t


cdef index_t c_first_of(
    const stamp_t *times,        # IN, all neurons of the layer
    const real_t *potentials,    # IN
    const index_t *neurons,      # that compete, in the order of their indices
    index_t n,
) noexcept nogil:
    cdef index_t best = neurons[0], i
    for i in range(1, n):
        best += (neurons[i] - best) * c_sooner(times, potentials, neurons[i], best)
    return best


cdef index_t c_first_to_fire(
    const stamp_t *times,        # IN, all neurons of the layer
    const real_t *potentials,    # IN
    index_t first,               # neurons first ... end - 1 compete
    index_t end,
) noexcept nogil:
    cdef index_t best = first, j
    for j in range(first + 1, end):
        best += (j - best) * c_sooner(times, potentials, j, best)
    return best


cdef void c_decide(
    const Layout *layout,
    const StopAt *stop,
    const stamp_t *times,        # IN, of each neuron until its group ended
    const real_t *potentials,    # IN
    index_t *winner_of,          # OUT, of each class
    LayerOutput *output,         # OUT: the winners
) noexcept nogil:
    cdef index_t size = layout.n_per_class, own = stop.own_class * size, c
    output.target_winner = -1
    if stop.own_class >= 0:
        output.target_winner = c_first_to_fire(times, potentials, own + layout.n_non_target, own + size)
    if stop.scope == FIRST_OF_LAYER:
        output.winner_of = NULL
        output.winner = c_first_to_fire(times, potentials, 0, layout.n_classes * size)
        return
    for c in range(layout.n_classes):
        winner_of[c] = c_first_to_fire(times, potentials, c * size, (c + 1) * size)
    output.winner_of, output.winner = winner_of, c_first_of(times, potentials, winner_of, layout.n_classes)


def first_to_fire(const stamp_t[::1] times, const real_t[::1] potentials, index_t first=0, end=None):
    """Return the neuron with the earliest spike.

    Ties, those of silent neurons included, go to the higher potential, then to the lower index.

    Parameters
    ----------
    times : ndarray of float32, shape (n_neurons,)
        Spike times; a silent neuron is at the data's ``max_time``.
    potentials : ndarray of float32, shape (n_neurons,)
        Potentials at the spike, or after the last input spike.
    first, end : int, default=0 and n_neurons
        Only the neurons ``first ... end - 1`` compete.

    Raises
    ------
    ValueError
        If the arrays differ in length or the range is empty or outside of them.
    """
    cdef index_t stop = <index_t>times.shape[0] if end is None else end
    if times.shape[0] != potentials.shape[0]:
        raise ValueError(f"potentials: must have one entry a neuron, {times.shape[0]}, got {potentials.shape[0]}")
    if not 0 <= first < stop <= times.shape[0]:
        raise ValueError(f"first, end: must be a range of the {times.shape[0]} neurons, got {first}, {stop}")
    return c_first_to_fire(&times[0], &potentials[0], first, stop)
