"""Which neuron fires first: the one comparison behind votes, competition and regulation."""
from spikenn_cy.types cimport index_t, real_t, stamp_t


cdef inline index_t c_sooner(
    const stamp_t *times, const real_t *potentials, index_t neuron, index_t than
) noexcept nogil:
    # Whether a neuron fires before another, by the higher potential if they fire together. Nobody could foresee which
    # it is, so callers do well to count with the answer and not to branch on it.
    return (times[neuron] < times[than]) | (
        (times[neuron] == times[than]) & (potentials[neuron] > potentials[than])
    )


cdef index_t c_first_to_fire(
    const stamp_t *times, const real_t *potentials, index_t first, index_t end
) noexcept nogil
