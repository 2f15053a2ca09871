"""Which neuron fires first: the one comparison behind votes, competition and regulation."""
from spikenn_cy.types cimport index_t, real_t, stamp_t


cdef index_t c_first_to_fire(
    const stamp_t *times, const real_t *potentials, index_t first, index_t end
) noexcept nogil
