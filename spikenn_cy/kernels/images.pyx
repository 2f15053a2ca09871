"""What turns images into spikes, compiled once for each instruction set."""


cdef extern from *:
    """
    #define KERNELS "images_kernels.h"
    #include "variants.h"
    static const ImageKernels *images_tables[] = BY_INSTRUCTIONS(images_kernels);
    """
    const ImageKernels **images_tables


tables = images_tables
