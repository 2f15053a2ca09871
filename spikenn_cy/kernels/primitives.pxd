"""The instruction set that kernels run with."""

# Position among those that kernels are compiled for. Set once at import; `use_instructions` changes it for tests and
# measurements, between calls only.
cdef int level
