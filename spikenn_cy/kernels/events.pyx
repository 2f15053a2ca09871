"""The inner loops of layers that learn event by event, compiled once for each instruction set."""


cdef extern from *:
    """
    #define KERNELS "event_kernels.h"
    #include "variants.h"
    static const EventKernels *event_tables[] = BY_INSTRUCTIONS(event_kernels);
    """
    const EventKernels **event_tables


tables = event_tables
