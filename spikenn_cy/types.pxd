"""C names of the array element types; ``dtypes.py`` holds their NumPy twins."""
from libc.stdint cimport int32_t, int64_t, uint8_t

ctypedef float real_t        # synaptic weights, thresholds, potentials, errors
ctypedef float stamp_t       # spike times, in the data set's unit of time
ctypedef int32_t index_t     # inputs, neurons, classes
ctypedef int64_t offset_t    # positions in the spike arrays
ctypedef uint8_t flag_t      # 0/1 masks
