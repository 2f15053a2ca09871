"""Which neuron fires first: the one comparison behind votes, competition and regulation."""
from spikenn_cy.types cimport index_t, real_t, stamp_t


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
