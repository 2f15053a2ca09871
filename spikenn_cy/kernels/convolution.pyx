"""First spikes and STDP of the filters of a spiking convolution, compiled once for each instruction set."""
import numpy as np

from spikenn_cy.dtypes import REAL
from spikenn_cy.types cimport real_t


cdef extern from *:
    """
    #define KERNELS "convolution_kernels.h"
    #include "variants.h"
    static const ConvolutionKernels *convolution_tables[] = BY_INSTRUCTIONS(convolution_kernels);
    """
    const ConvolutionKernels **convolution_tables


tables = convolution_tables


def exps(const real_t[::1] x):
    """Return exp(x) as STDP computes it, for x <= 0."""
    values = np.empty(x.shape[0], REAL)
    cdef real_t[::1] out = values
    if x.shape[0]:
        convolution().exps(&x[0], x.shape[0], &out[0])
    return values
