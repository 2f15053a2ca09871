"""The inner loops of a fully connected layer, compiled once for each instruction set."""


cdef extern from *:
    """
    #define KERNELS "dense_kernels.h"
    #include "variants.h"
    static const DenseKernels *dense_tables[] = BY_INSTRUCTIONS(dense_kernels);
    """
    const DenseKernels **dense_tables


tables = dense_tables
