"""Which neuron fires first: the one decision behind votes, competition and regulation."""
from spikenn_cy.kernels.layout cimport LayerOutput, Layout, StopAt
from spikenn_cy.types cimport index_t, real_t, stamp_t


cdef inline index_t c_beats(
    stamp_t time, real_t potential, stamp_t than_time, real_t than_potential
) noexcept nogil:
    # Whether a neuron fires before another, by the higher potential if they fire together; of equal ones the lower
    # index must be asked second. Branch-free on purpose: the result is unpredictable. Use it arithmetically,
    # `best += (j - best) * c_beats(...)`.
    return (time < than_time) | ((time == than_time) & (potential > than_potential))


cdef inline index_t c_sooner(
    const stamp_t *times, const real_t *potentials, index_t neuron, index_t than
) noexcept nogil:
    return c_beats(times[neuron], potentials[neuron], times[than], potentials[than])


cdef index_t c_first_of(
    const stamp_t *times, const real_t *potentials, const index_t *neurons, index_t n
) noexcept nogil

cdef index_t c_first_to_fire(
    const stamp_t *times, const real_t *potentials, index_t first, index_t end
) noexcept nogil

cdef void c_decide(
    const Layout *layout, const StopAt *stop, const stamp_t *times, const real_t *potentials, index_t *winner_of,
    LayerOutput *output,
) noexcept nogil
