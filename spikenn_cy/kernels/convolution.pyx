"""First spikes and STDP of the filters of a spiking convolution, compiled once for each instruction set."""


cdef extern from *:
    """
    #define KERNELS "convolution_kernels.h"
    #include "variants.h"
    static const ConvolutionKernels *convolution_tables[] = BY_INSTRUCTIONS(convolution_kernels);
    """
    const ConvolutionKernels **convolution_tables


tables = convolution_tables
